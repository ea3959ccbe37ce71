#include "app/commands.h"
#include "app/options.h"
#include "app/subject.h"
#include "base/error.h"
#include "base/file.h"
#include "cosim/twins.h"
#include "cosim/wave_files.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace deltatwin {
namespace {

struct TraceOptions {
  std::shared_ptr<SubjectOptions> subject = subject_options();
  std::string output = default_output_directory();
  int item = 0;
};

int run(const TraceOptions& options) {
  const Subject subject = options.subject->subject(true);
  const Workload& work = *subject.work;
  if (options.item >= work.items())
    throw InputError("--" + work.unit() + " is " + std::to_string(options.item) + ", there are " +
                     work.unit() + "s 0 to " + std::to_string(work.items() - 1));
  std::error_code error;
  std::filesystem::create_directories(options.output, error);
  const std::string stem = options.output + "/" + subject.name;
  check_writable(stem + ".vcd");
  Progress progress("tracing");
  Twins twins(*subject.top, 0, 1, [&](const std::string& text) { progress.message(text); });
  progress.restart();
  CosimResult result = twins.run([&](Session& session) { work.load(session); });
  if (!result.divergence)
    result = twins.run([&](Session& session) { work.run(session, options.item, 1); });
  WaveWindow window;
  window.first = twins.trace().begin;
  window.last = twins.trace().record.last_output + 16;
  window.period_ps = static_cast<std::uint64_t>(1e6 / subject.top->clock_mhz() + 0.5);
  WaveView view{subject.top->module(), twins.interfaces(), window, std::nullopt,
                work.notes(twins.trace().beats)};
  if (result.divergence) { // told first: its waves may come to nothing
    view.marker = result.divergence->cycle;
    progress.clear();
    std::fputs(result.divergence->report().c_str(), stdout);
    std::fflush(stdout);
  }
  try {
    const bool fst = write_wave_files(
        stem, view, [&](const std::string& vcd) { twins.write_waves(vcd, window, view.notes); });
    progress.clear();
    std::printf("one %s of %s, %s cycles: %s.vcd%s\nlook at it with: gtkwave %s.gtkw\n", work.unit().c_str(),
                subject.title.c_str(), grouped(window.last - window.first + 1).c_str(), stem.c_str(),
                fst ? " and .fst" : " (no .fst: vcd2fst of the package gtkwave did not make one)",
                stem.c_str());
  } catch (const std::exception& failure) {
    if (!result.divergence)
      throw;
    std::printf("  no waves: %s\n", failure.what());
  }
  boost::json::object json = subject.description;
  json[work.unit()] = options.item;
  const boost::json::object found = {{"first_cycle", window.first},
                                     {"last_cycle", window.last},
                                     {"mismatches", result.divergence ? 1 : 0},
                                     {"vcd", stem + ".vcd"}};
  json.insert(found.begin(), found.end());
  write_json(options.subject->json(), "trace", json);
  return result.divergence ? exit_twins_diverge : 0;
}

} // namespace

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("trace", "waveforms of both twins for one inference, side by side");
  auto options = std::make_shared<TraceOptions>();
  options->subject->add_to(*command, SubjectOptions::Items{0, 1, true, "to choose from"});
  command->add_option("--image,--item", options->item, "which of them")
      ->check(CLI::Range(0, 9999999))
      ->capture_default_str();
  command
      ->add_option("-o,--output", options->output,
                   "directory for NAME.vcd, .fst and .gtkw; that of the project unless given")
      ->capture_default_str();
  command->footer("Examples:\n"
                  "  deltatwin trace\n"
                  "  deltatwin trace --network paper_consecutive4 --image 42 -o waves && gtkwave "
                  "waves/paper_consecutive4.gtkw\n"
                  "  deltatwin trace --network my_network.json --images random:1\n"
                  "  gtkwave traces/out/s15.fst traces/delta_mac.gtkw   # one block's view\n"
                  "Exit code 1: the twins diverge.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace deltatwin
