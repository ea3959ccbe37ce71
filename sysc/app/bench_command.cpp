#include "app/commands.h"
#include "app/options.h"
#include "app/subject.h"
#include "app/text.h"
#include "base/error.h"
#include "cosim/rtl_runner.h"
#include "tops/model_runner.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct BenchOptions {
  std::shared_ptr<SubjectOptions> subject = subject_options();
  int rtl_items = 0; ///< 0: as many as usual, if there are so many
  int repeats = 5;
};

template <class Work> double seconds_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const BenchOptions& options) {
  const Subject subject = options.subject->subject(true);
  const Workload& work = *subject.work;
  constexpr int usual_rtl_items = 20;
  constexpr Cycle patience = 1000; // a host may add to the cycles that the top counts
  const int items = work.items(),
            rtl_items = options.rtl_items ? options.rtl_items : std::min(items, usual_rtl_items);
  const std::string unit = work.unit();
  if (rtl_items > items)
    throw InputError("--rtl-" + unit + "s is " + std::to_string(rtl_items) + ", but there are " +
                     count_of(static_cast<std::uint64_t>(items), unit));
  Session load, whole, part;
  work.load(load);
  work.run(whole, 0, items);
  work.run(part, 0, rtl_items);
  Progress progress("benchmark");
  RtlModel rtl({subject.top->module(), subject.top->parameters(), false, "", true},
               [&](const std::string& text) { progress.message(text); });
  progress.restart(); // the RTL is built
  ModelRunner model(*subject.top);
  (void)model.run(load);
  std::vector<double> simulated, plain, verilated;
  std::vector<std::uint8_t> expected, outputs;
  const std::size_t rtl_bytes = work.expected(0, rtl_items).size();
  Cycle cycles = 0;
  for (int i = 0; i < options.repeats; ++i) { // side by side, in turn
    const std::vector<std::uint8_t>* results = nullptr;
    simulated.push_back(seconds_of([&] { results = &model.run(whole); }));
    cycles = work.cycles(model.record());
    plain.push_back(seconds_of([&] { expected = work.expected(0, items); }));
    if (*results != expected)
      throw Disagreement("simulation and plain results disagree");
    try {
      RtlRunner runner(*subject.top, rtl);
      (void)runner.run(load, 0, 0);
      verilated.push_back(seconds_of([&] { outputs = runner.run(part, rtl_bytes, cycles + patience); }) *
                          items / rtl_items);
    } catch (const RtlStuck& stuck) {
      throw Disagreement(stuck.what());
    }
    if (!std::equal(outputs.begin(), outputs.end(), expected.begin()))
      throw Disagreement("RTL and plain results disagree; `deltatwin cosim` tells where");
    progress.update(i + 1, options.repeats);
  }
  const double sim = median(simulated), functional = median(plain), hardware = median(verilated);
  std::printf("%s, %s%s, one core, median of %d runs taken in turn\n\n", subject.title.c_str(),
              count_of(static_cast<std::uint64_t>(items), unit).c_str(), subject.origin.c_str(),
              options.repeats);
  const auto row = [&](const char* name, double seconds) {
    std::printf("  %-44s %10.3f s  %10.1f x\n", name, seconds, seconds / sim);
  };
  row("cycle-exact simulation", sim);
  row("the same results in plain integers, no timing", functional);
  row("Verilated RTL, --cc -O3 (extrapolated)", hardware);
  const double operations = work.operations(items);
  std::string name = work.operation();
  std::printf("\n  plain integers reach %s G %s/s, Verilated RTL %.2f M cycles/s\n"
              "  simulation is %.0f times faster than the RTL and takes %.2f times plain integers\n",
              rate(operations / functional / 1e9).c_str(), name.c_str(),
              static_cast<double>(cycles) / hardware / 1e6, hardware / sim, sim / functional);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  boost::json::object json = subject.description;
  const boost::json::object found = {{unit + "s", items},
                                     {"simulation_seconds", sim},
                                     {"plain_seconds", functional},
                                     {"rtl_seconds_extrapolated", hardware},
                                     {"rtl_" + unit + "s", rtl_items},
                                     {"plain_" + name + "s_per_second", operations / functional},
                                     {"speedup_over_rtl", hardware / sim},
                                     {"ratio_to_plain", sim / functional}};
  for (const auto& field : found)
    json[field.key()] = field.value();
  write_json(options.subject->json(), "bench", json);
}

} // namespace

void add_bench_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("bench", "speed of simulation against Verilated RTL and plain inference");
  auto options = std::make_shared<BenchOptions>();
  options->subject->add_to(*command, SubjectOptions::Items{0, 1000, true, "to simulate"});
  command
      ->add_option("--rtl-images,--rtl-items", options->rtl_items,
                   "how many of them the Verilated RTL runs, then extrapolated")
      ->check(CLI::Range(1, 100000))
      ->default_str("20");
  command->add_option("--repeats", options->repeats, "runs of each, in turn; medians are shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->footer("Examples:\n"
                  "  deltatwin bench --network paper_fixed4 --lanes 16\n"
                  "  deltatwin bench --network my_network.json --images random:1000 --json -");
  command->callback([options] { run(*options); });
}

} // namespace deltatwin
