#include "app/commands.h"
#include "app/options.h"
#include "base/error.h"
#include "base/file.h"
#include "cosim/twins.h"
#include "cosim/wave_files.h"
#include <cstdio>
#include <filesystem>
#include <memory>

namespace deltatwin {
namespace {

struct TraceOptions : CommonOptions {
  std::string output = default_output_directory();
  int image = 0;
};

int run(const TraceOptions& options) {
  const Setup setup(options);
  const Dataset images = load_test_images(options, setup.network);
  if (options.image >= images.count)
    throw InputError("--image is " + std::to_string(options.image) + ", there are images 0 to " +
                     std::to_string(images.count - 1));
  std::error_code error;
  std::filesystem::create_directories(options.output, error);
  const std::string stem = options.output + "/" + setup.network.name;
  check_writable(stem + ".vcd");
  Progress progress("tracing");
  Twins twins(setup.design, 0, 1, [&](const std::string& text) { progress.message(text); });
  const std::vector<std::int8_t> inputs = images.inputs(options.image + 1);
  const CosimResult result = twins.run([&](Session& session) {
    load_program(session, setup.program);
    run_images(session, {inputs.end() - images.pixels, inputs.end()}, 1);
  });
  const Cycle begin = twins.core().start_cycle();
  WaveWindow window;
  window.first = begin > 4 ? begin - 4 : 0;
  window.last = twins.core().stop_cycle() + 16;
  window.period_ps = static_cast<std::uint64_t>(1e6 / setup.design.clock_mhz + 0.5);
  WaveView view{"accelerator", AcceleratorCore::interfaces(setup.design), window, std::nullopt};
  if (result.divergence) { // told first: its waves may come to nothing
    view.marker = result.divergence->cycle;
    progress.clear();
    std::fputs(result.divergence->report().c_str(), stdout);
    std::fflush(stdout);
  }
  try {
    const bool fst =
        write_wave_files(stem, view, [&](const std::string& vcd) { twins.write_waves(vcd, window); });
    progress.clear();
    std::printf("one inference of %s, %s cycles: %s.vcd%s\nlook at it with: gtkwave %s.gtkw\n",
                setup.network.name.c_str(), grouped(window.last - window.first + 1).c_str(), stem.c_str(),
                fst ? " and .fst" : " (no .fst: vcd2fst of the package gtkwave did not make one)",
                stem.c_str());
  } catch (const std::exception& failure) {
    if (!result.divergence)
      throw;
    std::printf("  no waves: %s\n", failure.what());
  }
  boost::json::object json = {{"network", setup.network.name}, {"image", options.image}};
  add_images(json, parse_images(options.images), options.dataset, images.count);
  const boost::json::object found = {{"first_cycle", window.first},
                                     {"last_cycle", window.last},
                                     {"mismatches", result.divergence ? 1 : 0},
                                     {"vcd", stem + ".vcd"}};
  json.insert(found.begin(), found.end());
  write_json(options.json, "trace", json);
  return result.divergence ? exit_twins_diverge : 0;
}

} // namespace

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("trace", "waveforms of both twins for one inference, side by side");
  auto options = std::make_shared<TraceOptions>();
  add_common_options(*command, *options, "test images to choose from, 0 for all [0]");
  command->add_option("--image", options->image, "which test image")
      ->check(CLI::Range(0, 9999999))
      ->capture_default_str();
  command
      ->add_option("-o,--output", options->output,
                   "directory for NETWORK.vcd, .fst and .gtkw; that of the project unless given")
      ->capture_default_str();
  command->footer("Examples:\n"
                  "  deltatwin trace\n"
                  "  deltatwin trace --network paper_consecutive4 --image 42 -o waves && gtkwave "
                  "waves/paper_consecutive4.gtkw\n"
                  "  deltatwin trace --network my_network.json --images random:1\n"
                  "  gtkwave traces/out/s15.fst traces/delta_mac.gtkw   # one block's view");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace deltatwin
