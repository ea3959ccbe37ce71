#include "app/confirm.h"
#include "app/options.h"
#include "base/cache.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tool.h"
#include "explore/results.h"
#include <cstdio>
#include <filesystem>
#include <random>
#include <set>

namespace deltatwin {
namespace {

constexpr int items = 3; ///< a lone one, and two in steady state

// SystemC elaborates once a process: each run is one of this very program. A divergence and a design
// that does not fit have results too.
boost::json::value run_command(const std::string& command, const std::vector<std::string>& design,
                               std::vector<std::string> more) {
  const WorkDirectory work(temporary_directory());
  const std::string json = work.path() + "/result.json";
  std::vector<std::string> arguments = {command};
  arguments.insert(arguments.end(), design.begin(), design.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.insert(arguments.end(), {"--json", json});
  try {
    run_tool(this_program(), arguments);
  } catch (const ToolError&) {
    if (!std::filesystem::exists(json))
      throw;
  }
  return parse_json(read_file(json), json);
}

std::uint64_t number(const boost::json::value& value) { return value.to_number<std::uint64_t>(); }

std::string difference(int model, int synthesized) {
  char text[64];
  std::snprintf(text, sizeof text, "%s / %s (%+.1f %%)", grouped(static_cast<std::uint64_t>(model)).c_str(),
                grouped(static_cast<std::uint64_t>(synthesized)).c_str(),
                100.0 * (model - synthesized) / synthesized);
  return text;
}

Confirmation run_point(const Evaluator& evaluator, const DesignPoint& point, const std::string& kind) {
  Confirmation result;
  result.point = point.id;
  result.kind = kind;
  result.items = items;
  result.cycles_model = evaluator.run_cycles(point, items);
  result.model = point.used;
  const std::vector<std::string> design = evaluator.arguments(point);
  const boost::json::value cosim = run_command("cosim", design, evaluator.work_arguments(point, items));
  result.cycles_rtl = number(cosim.at("rtl_cycles"));
  result.mismatches = number(cosim.at("mismatches"));
  const boost::json::value synth = run_command("synth", design, {});
  const boost::json::value& total = synth.at("total").at("synthesis");
  for (const auto& [name, member] : resource_fields)
    result.synthesized.*member = static_cast<int>(number(total.at(name)));
  return result;
}

bool within(int model, int synthesized) {
  return std::abs(model - synthesized) <= area_model_error * synthesized;
}

void print(const Confirmation& c, const Evaluator& evaluator, const DesignPoint& point) {
  const Device& device = evaluator.device(point);
  const char* cycles = c.cycles_agree() ? "equal" : c.mismatches ? "DIVERGENT" : "UNEQUAL";
  const bool exact = c.model.dsp == c.synthesized.dsp && c.model.bram36() == c.synthesized.bram36();
  const bool close = within(c.model.lut, c.synthesized.lut) && within(c.model.ff, c.synthesized.ff);
  std::vector<std::string> words = evaluator.arguments(point);
  for (std::string& word : evaluator.work_arguments(point, items))
    words.push_back(std::move(word));
  std::printf(
      "  %s, design %llu: %s\n    cycles %s / %s: %s\n    LUT %s, FF %s: %s %s%s\n", c.kind.c_str(),
      static_cast<unsigned long long>(c.point), shell_line(words).c_str(), grouped(c.cycles_model).c_str(),
      grouped(c.cycles_rtl).c_str(), cycles, difference(c.model.lut, c.synthesized.lut).c_str(),
      difference(c.model.ff, c.synthesized.ff).c_str(), fits(c.synthesized, device) ? "fits" : "DOES NOT FIT",
      device.name.c_str(), exact && close ? "" : "; area beyond the model's stated error");
  if (!c.cycles_agree())
    std::printf("    again with: %s\n", command_line(evaluator, point, "cosim", items).c_str());
  std::fflush(stdout);
}

} // namespace

ConfirmationPlan plan_confirmation(const Evaluator& evaluator, const Database& database,
                                   const std::vector<DesignPoint>& front, int count, std::uint64_t seed) {
  ConfirmationPlan plan;
  std::set<std::vector<std::string>> chosen;
  const auto is_new = [&](const DesignPoint& point) {
    return chosen.insert(evaluator.hardware(point)).second;
  };
  const auto wanted = static_cast<std::size_t>(count);
  for (const DesignPoint& point : front)
    if (plan.best.size() < wanted && is_new(point))
      plan.best.push_back(point);
  std::mt19937_64 generator(seed);
  const std::uint64_t feasible = database.counts()[0];
  for (int i = 0; feasible && i < 100 * count && plan.random.size() < wanted; ++i) {
    const DesignPoint point = evaluator.evaluate(database.feasible(generator() % feasible));
    if (is_new(point))
      plan.random.push_back(point);
  }
  return plan;
}

bool confirm(const Evaluator& evaluator, const ConfirmationPlan& plan, const std::atomic<bool>& stop,
             const std::function<void(const Confirmation&)>& record) {
  const std::size_t all = plan.best.size() + plan.random.size();
  std::size_t done = 0;
  bool agree = true;
  std::printf("\nconfirmed on RTL (%d %s) and by synthesis: model / found\n", items,
              evaluator.space().family->items().c_str());
  for (const auto* points : {&plan.best, &plan.random})
    for (const DesignPoint& point : *points) {
      if (stop)
        return agree;
      std::fprintf(stderr, "confirming %zu of %zu: RTL by Verilator, area by Yosys (a minute or two each)\n",
                   ++done, all);
      try {
        const Confirmation result = run_point(evaluator, point, points == &plan.best ? "best" : "random");
        record(result);
        print(result, evaluator, point);
        agree = agree && result.cycles_agree();
      } catch (const ToolError&) {
        if (!stop) // Ctrl-C reaches the tools too
          throw;
      }
    }
  return agree;
}

} // namespace deltatwin
