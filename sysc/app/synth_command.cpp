#include "app/commands.h"
#include "app/options.h"
#include "cosim/synthesis.h"
#include <cstdio>
#include <memory>

namespace deltatwin {
void add_synth_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("synth", "synthesize the design with Yosys and compare with the device's budget");
  auto options = std::make_shared<CommonOptions>();
  add_common_options(*command, *options, "");
  command->footer("Examples:\n"
                  "  deltatwin synth\n"
                  "  deltatwin synth --network s15 --lanes 32 --multiplier lut --json area.json\n"
                  "Yosys tells the area, not the speed: the clock stays your assumption.");
  command->callback([options, &exit_code] {
    const Setup setup(*options);
    Progress progress("synthesizing");
    const SynthesisResult result = synthesize(setup.design, [&](double done) { progress.update(done, 1); });
    struct Row {
      const char* name;
      int used, budget;
    };
    const Row rows[] = {{"LUT", result.lut, setup.device.lut},
                        {"FF", result.ff, setup.device.ff},
                        {"DSP48E1", result.dsp, setup.device.dsp},
                        {"RAMB36", result.bram36(), setup.device.bram36}};
    std::printf("%s on %s: %d lanes, multiplier %s, by Yosys synth_xilinx\n\n  %-8s %7s / %-7s\n",
                setup.network.name.c_str(), setup.device.name.c_str(), setup.design.lanes,
                to_string(setup.design.multiplier), "", "used", "budget");
    bool fits = true;
    boost::json::object json;
    for (const Row& row : rows) {
      std::printf("  %-8s %7s / %-7s %5.1f %%%s\n", row.name,
                  grouped(static_cast<std::uint64_t>(row.used)).c_str(),
                  grouped(static_cast<std::uint64_t>(row.budget)).c_str(), 100.0 * row.used / row.budget,
                  row.used > row.budget ? "  too many" : "");
      json[row.name] = {{"used", row.used}, {"budget", row.budget}};
      fits = fits && row.used <= row.budget;
    }
    std::printf("\n  %d RAMB36E1 and %d RAMB18E1; %d of the LUTs are LUT-RAM or shift registers\n  %s %s\n",
                result.ramb36, result.ramb18, result.lut_ram, fits ? "fits" : "DOES NOT FIT",
                setup.device.name.c_str());
    write_json(options->json, {{"network", setup.network.name},
                               {"device", setup.device.name},
                               {"lanes", setup.design.lanes},
                               {"multiplier", to_string(setup.design.multiplier)},
                               {"resources", std::move(json)},
                               {"ramb18", result.ramb18},
                               {"ramb36", result.ramb36},
                               {"lut_ram", result.lut_ram},
                               {"fits", fits}});
    if (!fits)
      exit_code = exit_does_not_fit;
  });
}

} // namespace deltatwin
