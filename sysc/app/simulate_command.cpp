#include "app/commands.h"
#include "app/options.h"
#include "app/simulation.h"
#include "app/storage.h"
#include "base/error.h"
#include "base/huffman.h"
#include "tops/accelerator/area.h"
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct Figures {
  std::uint64_t macs = 0;
  double macs_per_second = 0, utilization = 0;
  Resources used;
  bool fits = false;
  Storage storage;

  Figures(const Setup& setup, const SimulationResult& result)
      : storage(setup.network, setup.design, setup.program) {
    const Design& design = setup.design;
    macs = setup.network.macs();
    macs_per_second = static_cast<double>(macs) * design.clock_mhz * 1e6 / result.cycles_per_inference;
    utilization =
        static_cast<double>(macs) * design.cycles_per_mac() / (result.cycles_per_inference * design.lanes);
    used = resources(design);
    fits = deltatwin::fits(used, setup.device);
  }
};

std::string format_name(const Layer& layer) {
  if (layer.scheme == Scheme::plain)
    return "int" + std::to_string(layer.delta_bits);
  return std::string(layer.scheme == Scheme::consecutive ? "consecutive" : "fixed-ref") +
         " D=" + std::to_string(layer.delta_bits);
}

std::string bits_a_weight(const Layer& layer) {
  const double weights = static_cast<double>(layer.deltas.size());
  return fixed(static_cast<double>(layer.code_bits()) / weights, 3) + " / " +
         fixed(entropy_bits(layer.histogram()) / weights, 3);
}

void print_layers(const Setup& setup, const SimulationResult& result) {
  const Design& design = setup.design;
  std::printf("\n  layer  shape       format          code          bits  a weight / entropy"
              "        cycles     MAC/s   utilization\n");
  for (std::size_t l = 0; l < setup.network.layers.size(); ++l) {
    const Layer& layer = setup.network.layers[l];
    const double macs = static_cast<double>(layer.macs());
    const double cycles = static_cast<double>(result.layer_cycles[l]);
    const std::string shape = std::to_string(layer.inputs) + "x" + std::to_string(layer.outputs);
    std::printf(
        "  %5zu  %-10s  %-14s  %-7s %10s  %18s  %12s  %6s M  %9s %%\n", l, shape.c_str(),
        format_name(layer).c_str(), to_string(layer.code), grouped(layer.stored_bits()).c_str(),
        bits_a_weight(layer).c_str(), grouped(result.layer_cycles[l]).c_str(),
        fixed(macs * design.clock_mhz / cycles, macs * design.clock_mhz / cycles < 100 ? 3 : 0).c_str(),
        fixed(100 * macs * design.cycles_per_mac() / (cycles * design.lanes), 1).c_str());
  }
}

void print_report(const Setup& setup, const SimulationResult& result, const Figures& figures) {
  const Design& design = setup.design;
  const auto line = [](const char* name, const std::string& text) {
    std::printf("  %-22s %s\n", name, text.c_str());
  };
  const double cycles = result.cycles_per_inference;
  std::printf("%s on %s: %d lanes, multiplier %s, %s MHz\n\n", setup.network.name.c_str(),
              setup.device.name.c_str(), design.lanes, to_string(design.multiplier),
              fixed(design.clock_mhz, design.clock_mhz < 1 ? 3 : 0).c_str());
  line("accuracy", fixed(100 * result.accuracy, 2) + " % of " +
                       grouped(static_cast<std::uint64_t>(result.images)) + " images");
  line("cycles an inference", grouped(static_cast<std::uint64_t>(cycles + 0.5)) + " in steady state");
  line("latency", grouped(result.latency_cycles) + " cycles, " +
                      fixed(static_cast<double>(result.latency_cycles) / design.clock_mhz, 1) +
                      " us from first input to last output");
  line("throughput", grouped(static_cast<std::uint64_t>(design.clock_mhz * 1e6 / cycles)) + " images/s, " +
                         fixed(figures.macs_per_second / 1e6, 3) + " M MAC/s");
  line("MAC utilization", fixed(100 * figures.utilization, 1) + " %");
  figures.storage.print();
  print_layers(setup, result);
  std::printf("\n");
  const auto budget = [&](const char* name, int used, int available) {
    std::printf("  %-8s %s %6s of %6s%s\n", name, bar(used, available).c_str(),
                grouped(static_cast<std::uint64_t>(used)).c_str(),
                grouped(static_cast<std::uint64_t>(available)).c_str(), used > available ? "  too many" : "");
  };
  budget("RAMB36", figures.used.bram36(), setup.device.bram36);
  budget("DSP48E1", figures.used.dsp, setup.device.dsp);
  budget("LUT", figures.used.lut, setup.device.lut);
  budget("FF", figures.used.ff, setup.device.ff);
  std::printf("\n  %s %s; LUT and FF are by the model, within 15 %%: `deltatwin synth` counts them"
              "  (simulated in %s s)\n",
              figures.fits ? "fits" : "DOES NOT FIT", setup.device.name.c_str(),
              fixed(result.wall_seconds, 2).c_str());
}

boost::json::object to_json(const Setup& setup, const SimulationResult& result, const Figures& figures) {
  const Design& design = setup.design;
  boost::json::array layers;
  for (std::size_t l = 0; l < setup.network.layers.size(); ++l)
    layers.push_back({{"inputs", setup.network.layers[l].inputs},
                      {"outputs", setup.network.layers[l].outputs},
                      {"macs", setup.network.layers[l].macs()},
                      {"weights", setup.network.layers[l].deltas.size()},
                      {"cycles", result.layer_cycles[l]},
                      {"code", to_string(setup.network.layers[l].code)},
                      {"stored_bits", setup.network.layers[l].stored_bits()}});
  return {{"network", setup.network.name},
          {"device", setup.device.name},
          {"lanes", design.lanes},
          {"lanes_per_bank", design.lanes_per_bank},
          {"bank_depth", design.bank_depth},
          {"multiplier", to_string(design.multiplier)},
          {"clock_mhz", design.clock_mhz},
          {"images", result.images},
          {"accuracy", result.accuracy},
          {"cycles_per_inference", result.cycles_per_inference},
          {"latency_cycles", result.latency_cycles},
          {"run_cycles", result.run_cycles},
          {"macs_per_inference", figures.macs},
          {"macs_per_second", figures.macs_per_second},
          {"mac_utilization", figures.utilization},
          {"images_per_second", design.clock_mhz * 1e6 / result.cycles_per_inference},
          {"storage", figures.storage.json()},
          {"layers", std::move(layers)},
          {"resources",
           {{"bram36", {{"used", figures.used.bram36()}, {"budget", setup.device.bram36}}},
            {"dsp", {{"used", figures.used.dsp}, {"budget", setup.device.dsp}}},
            {"lut", {{"used", figures.used.lut}, {"budget", setup.device.lut}, {"estimate", true}}},
            {"ff", {{"used", figures.used.ff}, {"budget", setup.device.ff}, {"estimate", true}}}}},
          {"fits", figures.fits},
          {"wall_seconds", result.wall_seconds}};
}

} // namespace

void add_simulate_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("simulate", "cycle-exact simulation of the test images: accuracy, speed, fit");
  auto options = std::make_shared<CommonOptions>();
  auto allow_overflow = std::make_shared<bool>(false);
  add_common_options(*command, *options, "test images, 0 for all [0]");
  command->add_flag("--allow-overflow", *allow_overflow,
                    "exit with 0 even where the design does not fit the device");
  command->footer(
      "Examples:\n"
      "  deltatwin simulate\n"
      "  deltatwin simulate --network paper_fixed4 --device xc7s25 --lanes 32 --multiplier dsp_packed\n"
      "  deltatwin simulate --network s15_huffman\n"
      "  deltatwin simulate --network paper_int8 --code huffman --device xc7z020\n"
      "  deltatwin simulate --network my_network.json --json result.json");
  command->callback([options, allow_overflow, &exit_code] {
    const Setup setup(*options);
    const Dataset images = load_test_images(*options, setup.network);
    const SimulationResult result = simulate(setup.design, setup.program, images);
    const Figures figures(setup, result);
    print_report(setup, result, figures);
    write_json(options->json, to_json(setup, result, figures));
    if (!figures.fits && !*allow_overflow)
      exit_code = exit_does_not_fit;
  });
}

} // namespace deltatwin
