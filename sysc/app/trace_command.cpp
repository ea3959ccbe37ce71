#include "app/commands.h"
#include "app/options.h"
#include "base/error.h"
#include "base/file.h"
#include "cosim/twins.h"
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

namespace deltatwin {
namespace {

struct TraceOptions : CommonOptions {
  std::string output = default_output_directory();
  int image = 0;
};

// A GTKWave save file that opens the waves and shows the twins' interfaces side by side.
std::string save_file(const std::string& waves, const std::vector<Interface>& interfaces) {
  std::string text = "[dumpfile] \"" + std::filesystem::absolute(waves).string() +
                     "\"\n[size] 1400 900\n[sst_expanded] 0\n[signals_width] 260\n";
  std::map<std::string, int> widths = signal_widths(interfaces); // of those still to be shown, once each
  const auto signal = [&](const std::string& stem, const std::string& format) {
    const auto found = widths.find(stem);
    if (found == widths.end())
      return std::string();
    const std::string name =
        stem + (found->second > 1 ? "[" + std::to_string(found->second - 1) + ":0]" : "");
    widths.erase(found);
    return format + "[color] 2\n+{model " + name + "} model.accelerator." + name + "\n" + format +
           "[color] 3\n+{rtl " + name + "} rtl.TOP.accelerator." + name + "\n";
  };
  for (const Interface& interface : interfaces) {
    std::string signals;
    for (const Field& strobe : interface.strobes)
      signals += signal(strobe.signal, "@28\n");
    for (const Field& field : interface.fields)
      signals += signal(field.signal, "@22\n");
    if (!signals.empty())
      text += "@200\n-" + interface.name + "\n" + signals;
  }
  return text;
}

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
  twins.write_waves(stem + ".vcd", window);
  const bool fst = convert_to_fst(stem + ".vcd", stem + ".fst");
  write_file(stem + ".gtkw",
             save_file(stem + (fst ? ".fst" : ".vcd"), AcceleratorCore::interfaces(setup.design)));
  std::printf("%sone inference of %s, %s cycles: %s.vcd%s\nlook at it with: gtkwave %s.gtkw\n",
              result.divergence ? result.divergence->report().c_str() : "", setup.network.name.c_str(),
              grouped(window.last - window.first + 1).c_str(), stem.c_str(),
              fst ? " and .fst" : " (no .fst: vcd2fst of the package gtkwave did not make one)",
              stem.c_str());
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
