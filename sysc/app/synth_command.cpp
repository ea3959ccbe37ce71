#include "app/commands.h"
#include "app/options.h"
#include "base/fit.h"
#include "cosim/synthesis.h"
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

void print_row(const char* name, const Resources& used, const Resources& model) {
  const auto number = [](int value) { return grouped(static_cast<std::uint64_t>(value)); };
  std::printf("  %-13s %8s %8s %8s %8s %8s %8d %9d %9d\n", name, number(used.lut).c_str(),
              number(model.lut).c_str(), number(used.ff).c_str(), number(model.ff).c_str(),
              number(used.lut_ram).c_str(), used.dsp, used.ramb18, used.ramb36);
}

void print_blocks(const SynthesisResult& result, const BlockResources& model) {
  std::printf("  %-13s %8s %8s %8s %8s %8s %8s %9s %9s\n", "block", "LUT", "model", "FF", "model", "LUT-RAM",
              "DSP48E1", "RAMB18E1", "RAMB36E1");
  for (std::size_t b = 0; b < block_names.size(); ++b)
    if (const Resources& used = result.blocks[b]; used.lut + used.ff + used.dsp + used.bram36() > 0)
      print_row(block_names[b], result.blocks[b], model[b]);
  print_row("total", result, sum(model));
}

} // namespace

void add_synth_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("synth", "synthesize the design with Yosys: area by block, and the device's budget");
  auto options = std::make_shared<CommonOptions>();
  add_common_options(*command, *options, "");
  command->footer("Examples:\n"
                  "  deltatwin synth\n"
                  "  deltatwin synth --network s15 --lanes 32 --multiplier lut --json area.json\n"
                  "  deltatwin synth --device ./my_board.json\n"
                  "Yosys tells the area, not the speed: the clock stays your assumption.");
  command->callback([options, &exit_code] {
    const Setup setup(*options);
    Progress progress("synthesizing");
    const SynthesisResult result = synthesize(setup.design, [&](double done) { progress.update(done, 1); });
    progress.clear();
    const BlockResources model = resources_by_block(setup.design);
    std::printf("%s on %s: %s, multiplier %s, by Yosys synth_xilinx and by the model\n\n",
                setup.network.name.c_str(), setup.device.name.c_str(),
                count_of(static_cast<std::uint64_t>(setup.design.lanes), "lane").c_str(),
                to_string(setup.design.multiplier));
    print_blocks(result, model);
    std::printf("\n  %-8s %7s / %-7s\n", "", "used", "budget");
    const bool fit = fits(result, setup.device);
    for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36}) {
      const int used = used_of(result, each), budget = budget_of(setup.device, each);
      std::printf("  %-8s %7s / %-7s %s%s\n", to_string(each),
                  grouped(static_cast<std::uint64_t>(used)).c_str(),
                  grouped(static_cast<std::uint64_t>(budget)).c_str(), bar(used, budget).c_str(),
                  used > budget ? "  too many" : "");
    }
    std::printf("\n  %s %s\n", fit ? "fits" : "DOES NOT FIT", setup.device.name.c_str());
    boost::json::object blocks;
    for (std::size_t b = 0; b < block_names.size(); ++b)
      blocks[block_names[b]] = {{"synthesis", to_json(result.blocks[b])}, {"model", to_json(model[b])}};
    write_json(options->json, "synth",
               {{"network", setup.network.name},
                {"device", setup.device.name},
                {"lanes", setup.design.lanes},
                {"multiplier", to_string(setup.design.multiplier)},
                {"resources", to_json(result, setup.device, false)},
                {"blocks", std::move(blocks)},
                {"total", {{"synthesis", to_json(result)}, {"model", to_json(sum(model))}}},
                {"fits", fit}});
    if (!fit)
      exit_code = exit_does_not_fit;
  });
}

} // namespace deltatwin
