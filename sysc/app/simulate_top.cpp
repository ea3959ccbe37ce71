#include "app/simulate_top.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/simulate_graph.h"
#include "app/subject.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "base/fit.h"
#include "explore/timeline_page.h"
#include "tops/model_runner.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>

namespace deltatwin {
namespace {

struct TopSimulation {
  std::shared_ptr<SubjectOptions> subject = subject_options();
  std::string output, report;
};

std::string key_of(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::string report_of(const Subject& subject, const Device& device,
                      const std::vector<Workload::Fact>& facts) {
  std::vector<std::pair<std::string, std::string>> told;
  for (const Workload::Fact& fact : facts)
    told.emplace_back(fact.name, (fact.digits ? fixed(fact.value, fact.digits)
                                              : grouped(static_cast<std::uint64_t>(fact.value + 0.5))) +
                                     (fact.unit.empty() ? "" : " " + fact.unit));
  return render_timelines(subject.title + ", on " + device.name, told, subject.timelines());
}

void run(const TopSimulation& options, bool allow_overflow, int& exit_code) {
  if (!options.output.empty())
    check_writable(options.output);
  if (!options.report.empty())
    check_writable(options.report);
  const FileOptions files = options.subject->files() ? *options.subject->files() : FileOptions();
  if (!files.outputs.empty())
    check_writable(files.outputs);
  const Subject subject = options.subject->subject(true);
  if (!options.report.empty() && !subject.timelines)
    throw InputError("--report: there is no schedule to draw of " + subject.top->module());
  const Device device = options.subject->device();
  const Workload& work = *subject.work;
  const Top& top = *subject.top;
  Session load, whole;
  work.load(load);
  work.run(whole, 0, work.items());
  const auto begin = std::chrono::steady_clock::now();
  ModelRunner model(top);
  (void)model.run(load);
  const std::vector<std::uint8_t> outputs = model.run(whole);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (outputs != work.expected(0, work.items()))
    throw Disagreement("simulation and plain results disagree");
  if (!options.output.empty()) {
    const std::optional<std::string> csv = work.csv(outputs);
    if (!csv)
      throw InputError("--output: what comes out of " + top.module() + " is not written as CSV");
    write_file(options.output, *csv);
  }

  const std::vector<Workload::Fact> facts = work.facts(outputs);
  std::optional<Comparison> comparison;
  if (const Graph* graph = work.graph()) {
    const std::vector<std::int32_t> values = work.integers(outputs);
    const Outputs of_network = {*graph, work.items(), values};
    if (!files.expected.empty())
      comparison = compare(files, of_network);
    write_outputs(files, of_network);
  }

  const std::string items = count_of(static_cast<std::uint64_t>(work.items()), work.unit());
  const auto cycles = static_cast<double>(work.cycles(model.record()));
  const double operations = work.operations(work.items()), clock = top.clock_mhz();
  const auto line = [](const std::string& name, const std::string& text) {
    std::printf("  %-22s %s\n", name.c_str(), text.c_str());
  };
  std::printf("%s on %s: %s%s\n\n", subject.title.c_str(), device.name.c_str(), items.c_str(),
              subject.origin.c_str());
  line("this run", grouped(static_cast<std::uint64_t>(cycles)) + " cycles, " + fixed(cycles / clock, 1) +
                       " us at " + shortest(clock) + " MHz");
  const double each = cycles / operations;
  constexpr double small = 0.1;
  line("cycles a " + work.operation(), fixed(each, each < small ? 6 : 3));
  line("throughput", rate(operations * clock / cycles) + " M " + work.operation() + "s/s");
  for (const Workload::Fact& fact : facts)
    line(fact.name, fixed(fact.value, fact.digits) + (fact.unit.empty() ? "" : " " + fact.unit));
  const int differs = comparison ? print_comparison(files, *comparison) : 0;
  if (work.graph() && work.graph()->softmax)
    line("left to the host", "softmax");
  if (subject.print)
    subject.print();
  else
    std::printf("\n");
  const Resources used = total_area(top.parts());
  print_area(used, device, seconds);

  const Fit fit = fit_by_model(used, device);
  if (!options.report.empty()) {
    write_file(options.report, report_of(subject, device, facts));
    std::printf("\n  wrote %s\n", options.report.c_str());
  }
  boost::json::object json = subject.description;
  json["device"] = device.name;
  json["clock_mhz"] = clock;
  json["cycles"] = cycles;
  json[work.operation() + "s"] = operations;
  json["cycles_per_" + work.operation()] = cycles / operations;
  for (const Workload::Fact& fact : facts)
    json[key_of(fact.name)] = fact.value;
  json["resources"] = to_json(used, device, true);
  json["fits"] = to_json(fit);
  json["wall_seconds"] = seconds;
  if (comparison) {
    json["expected"] = files.expected;
    json["equal_outputs"] = comparison->equal;
  }
  write_json(options.subject->json(), "simulate", json);
  if (differs)
    exit_code = differs;
  else if (fit == Fit::no && !allow_overflow)
    exit_code = exit_does_not_fit;
}

} // namespace

void print_area(const Resources& used, const Device& device, double wall_seconds) {
  for (const Resource each : {Resource::bram36, Resource::dsp, Resource::lut, Resource::ff}) {
    const int count = used_of(used, each), budget = budget_of(device, each);
    std::printf("  %-8s %s %s of %s%s%s\n", to_string(each), bar(count, budget).c_str(),
                grouped(static_cast<std::uint64_t>(count)).c_str(),
                grouped(static_cast<std::uint64_t>(budget)).c_str(), count > budget ? "  too many" : "",
                each == Resource::lut || each == Resource::ff ? ", by the model" : "");
  }
  std::printf("\n  %s; LUT and FF are by the model, within %.0f %%: `deltatwin synth` counts them"
              "  (simulated in %s s)\n",
              describe(fit_by_model(used, device), device).c_str(), 100 * area_model_error,
              fixed(wall_seconds, 2).c_str());
}

void add_top_simulation(CLI::App& command, const std::shared_ptr<bool>& allow_overflow, int& exit_code) {
  auto options = std::make_shared<TopSimulation>();
  options->subject->add_to(command, SubjectOptions::Items{0, 100, true, "to run", true});
  if (FileOptions* files = options->subject->files()) // the array's --outputs is one of its axes
    add_result_options(command, *files, "-o,--output");
  else
    command.add_option("-o,--output", options->output,
                       "where to write what comes out, as CSV, where the top can");
  command.add_option("--report", options->report,
                     "where to write a page (HTML) with the schedule as a drawing, where the top has one");
  command.footer("Exit code 3: the design does not fit. `deltatwin cosim` runs the same on RTL.");
  command.callback([options, allow_overflow, &exit_code] { run(*options, *allow_overflow, exit_code); });
}

} // namespace deltatwin
