#include "app/commands.h"
#include "app/options.h"
#include "app/subject.h"
#include "base/error.h"
#include "cosim/twins.h"
#include "cosim/wave_files.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct CosimOptions {
  std::shared_ptr<SubjectOptions> subject = subject_options();
  double stall = 0;
  std::uint64_t seed = 1;
  std::string waves = default_output_directory();
};

struct CosimTotals {
  std::uint64_t beats = 0;
  std::vector<std::uint64_t> interface_beats;
  Cycle model_cycles = 0, rtl_cycles = 0;
  int items = 0;
  std::optional<Divergence> divergence;
  std::string waves;
};

std::string write_divergence_waves(Twins& twins, WaveView view, const std::string& directory) {
  constexpr Cycle around = 100;
  const Cycle cycle = *view.marker;
  view.window.first = cycle > around ? cycle - around : 0;
  view.window.last = cycle + around;
  const std::string stem = directory + "/divergence";
  const bool fst = write_wave_files(
      stem, view, [&](const std::string& vcd) { twins.write_waves(vcd, view.window, view.notes); });
  return "waves of both twins: " + stem + ".vcd" + (fst ? " and .fst" : "") + "; gtkwave " + stem + ".gtkw";
}

CosimTotals run(const CosimOptions& options, const Subject& subject) {
  constexpr int chunk = 16; // bounds the memory that the model's beats take
  Progress progress("co-simulating");
  Twins twins(*subject.top, options.stall, options.seed,
              [&](const std::string& text) { progress.message(text); });
  progress.restart(); // the RTL is built
  const Workload& work = *subject.work;
  CosimTotals totals;
  while (totals.items < work.items() && !totals.divergence) {
    const int count = std::min(chunk, work.items() - totals.items);
    const CosimResult result = twins.run(
        [&](Session& session) {
          if (totals.items == 0)
            work.load(session);
          work.run(session, totals.items, count);
        },
        [&](Cycle done, Cycle all) {
          progress.update(totals.items + count * static_cast<double>(done) / static_cast<double>(all),
                          work.items());
        });
    totals.beats += result.beats;
    totals.interface_beats.resize(result.interface_beats.size());
    for (std::size_t i = 0; i < result.interface_beats.size(); ++i)
      totals.interface_beats[i] += result.interface_beats[i];
    totals.model_cycles += work.cycles(twins.trace().record);
    totals.rtl_cycles += work.cycles(result.record);
    totals.divergence = result.divergence;
    totals.items += count;
  }
  if (totals.divergence) { // told first: its waves may come to nothing
    progress.clear();
    std::fputs(totals.divergence->report().c_str(), stdout);
    std::fflush(stdout);
    WaveView view{subject.top->module(),
                  twins.interfaces(),
                  {},
                  totals.divergence->cycle,
                  work.notes(twins.trace().beats)};
    view.window.period_ps = static_cast<std::uint64_t>(1e6 / subject.top->clock_mhz() + 0.5);
    try {
      totals.waves = write_divergence_waves(twins, std::move(view), options.waves);
    } catch (const std::exception& error) {
      totals.waves = std::string("no waves: ") + error.what();
    }
  }
  return totals;
}

boost::json::value to_json(const std::optional<Divergence>& divergence) {
  if (!divergence)
    return nullptr;
  const auto payload = [&](bool there, std::uint64_t value) -> boost::json::value {
    if (!there)
      return nullptr;
    return boost::json::string(describe(divergence->fields, value));
  };
  boost::json::value ending, access;
  if (divergence->address)
    access = {{"address", *divergence->address},
              {"register", divergence->register_name},
              {"model", divergence->model_means},
              {"rtl", divergence->rtl_means}};
  if (const auto& end = divergence->ending)
    ending = {{"kind", end->kind}, {"place", end->place}, {"message", end->message}};
  return {
      {"block", divergence->block},
      {"interface", divergence->interface},
      {"cycle", divergence->cycle},
      {"image", divergence->context.image},
      {"layer", divergence->context.layer},
      {"tile", divergence->context.tile},
      {"element", divergence->context.element},
      {"model", payload(divergence->model.has_value(), divergence->model ? divergence->model->payload : 0)},
      {"rtl", payload(divergence->rtl.has_value(), divergence->rtl.value_or(0))},
      {"access", access},
      {"rtl_ended", ending}};
}

// What the run did not exercise is not proved by it.
void print_unmet(const std::vector<Interface>& interfaces, const CosimTotals& totals) {
  std::string names;
  for (std::size_t i = 0; i < totals.interface_beats.size(); ++i)
    if (totals.interface_beats[i] == 0)
      names += (names.empty() ? "" : ", ") + interfaces[i].name;
  if (!names.empty())
    std::printf("  not met in this run, without a beat: %s\n", names.c_str());
}

boost::json::object beats_by_interface(const std::vector<Interface>& interfaces, const CosimTotals& totals) {
  boost::json::object counts;
  for (std::size_t i = 0; i < totals.interface_beats.size(); ++i)
    counts[interfaces[i].name] = totals.interface_beats[i];
  return counts;
}

} // namespace

void add_cosim_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("cosim", "run both twins in lockstep and compare every beat");
  auto options = std::make_shared<CosimOptions>();
  options->subject->add_to(*command, SubjectOptions::Items{5, 5, false, "to run"});
  command
      ->add_option("--stall", options->stall, "probability that a beat is held up, at every port, each cycle")
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "seed of the stalls, and of the RTL's state before its reset")
      ->capture_default_str();
  command
      ->add_option("--waves", options->waves,
                   "directory for the waves of a divergence; that of the project unless given")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  deltatwin cosim --images 20\n"
      "  deltatwin cosim --network my_network.json --images random:5\n"
      "  deltatwin cosim --network paper_fixed4 --lanes 24 --multiplier dsp_packed --stall 0.3 --seed 7\n"
      "Exit code 1: the twins diverge.");
  command->callback([options, &exit_code] {
    const Subject subject = options->subject->subject(true);
    const CosimTotals totals = run(*options, subject);
    if (totals.divergence) {
      std::printf("  %s\n  again with: --stall %g --seed %llu\n", totals.waves.c_str(), options->stall,
                  static_cast<unsigned long long>(options->seed));
      exit_code = exit_twins_diverge;
    } else {
      std::printf("%s, %s%s: %s beats on %zu interfaces, %s cycles, 0 mismatches against RTL\n",
                  subject.title.c_str(),
                  count_of(static_cast<std::uint64_t>(totals.items), subject.work->unit()).c_str(),
                  subject.origin.c_str(), grouped(totals.beats).c_str(), subject.top->interfaces().size(),
                  grouped(totals.rtl_cycles).c_str());
      print_unmet(subject.top->interfaces(), totals);
      if (subject.print)
        subject.print();
    }
    boost::json::object json = subject.description;
    const boost::json::object found = {
        {"stall", options->stall},
        {"seed", options->seed},
        {"beats", totals.beats},
        {"interface_beats", beats_by_interface(subject.top->interfaces(), totals)},
        {"mismatches", totals.divergence ? 1 : 0},
        {"model_cycles", totals.model_cycles},
        {"rtl_cycles", totals.rtl_cycles},
        {"first_divergence", to_json(totals.divergence)}};
    json.insert(found.begin(), found.end());
    write_json(options->subject->json(), "cosim", json);
  });
}

} // namespace deltatwin
