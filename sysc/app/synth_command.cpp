#include "app/commands.h"
#include "app/options.h"
#include "app/subject.h"
#include "base/fit.h"
#include "cosim/synthesis.h"
#include <CLI/CLI.hpp>
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

void print_blocks(const SynthesisResult& result, const std::vector<Part>& parts) {
  std::printf("  %-13s %8s %8s %8s %8s %8s %8s %9s %9s\n", "block", "LUT", "model", "FF", "model", "LUT-RAM",
              "DSP48E1", "RAMB18E1", "RAMB36E1");
  for (std::size_t p = 0; p < parts.size(); ++p)
    if (const Resources& used = result.parts[p]; used.lut + used.ff + used.dsp + used.bram36() > 0)
      print_row(parts[p].name.c_str(), used, parts[p].area);
  print_row("total", result, total_area(parts));
}

} // namespace

void add_synth_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("synth", "synthesize the design with Yosys: area by block, and the device's budget");
  const std::shared_ptr<SubjectOptions> options = subject_options();
  options->add_to(*command, std::nullopt);
  const auto keep_hierarchy = std::make_shared<bool>(false);
  command->add_flag("--keep-hierarchy", *keep_hierarchy,
                    "synthesize each module once, then put them together: a few % more LUTs, much less time "
                    "for large arrays");
  command->footer("Examples:\n"
                  "  deltatwin synth\n"
                  "  deltatwin synth --network s15 --lanes 32 --multiplier lut --json area.json\n"
                  "  deltatwin synth --device ./my_board.json\n"
                  "Yosys tells the area, not the speed: the clock stays your assumption.\n"
                  "Exit code 3: the design does not fit the device.");
  command->callback([options, keep_hierarchy, &exit_code] {
    const Subject subject = options->subject(false);
    const Device device = options->device();
    Progress progress("synthesizing");
    const SynthesisResult result = synthesize(
        *subject.top, [&](double done) { progress.update(done, 1); },
        *keep_hierarchy ? Hierarchy::kept : Hierarchy::flattened);
    progress.clear();
    const std::vector<Part> parts = subject.top->parts();
    std::printf("%s on %s, by Yosys synth_xilinx%s and by the model\n\n", subject.title.c_str(),
                device.name.c_str(), *keep_hierarchy ? " (hierarchy kept)" : "");
    print_blocks(result, parts);
    std::printf("\n  %-8s %7s / %-7s\n", "", "used", "budget");
    const bool fit = fits(result, device);
    for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36}) {
      const int used = used_of(result, each), budget = budget_of(device, each);
      std::printf("  %-8s %7s / %-7s %s%s\n", to_string(each),
                  grouped(static_cast<std::uint64_t>(used)).c_str(),
                  grouped(static_cast<std::uint64_t>(budget)).c_str(), bar(used, budget).c_str(),
                  used > budget ? "  too many" : "");
    }
    std::printf("\n  %s %s\n", fit ? "fits" : "DOES NOT FIT", device.name.c_str());
    boost::json::object blocks;
    for (std::size_t p = 0; p < parts.size(); ++p)
      blocks[parts[p].name] = {{"synthesis", to_json(result.parts[p])}, {"model", to_json(parts[p].area)}};
    boost::json::object json = subject.description;
    const boost::json::object found = {
        {"device", device.name},
        {"resources", to_json(result, device, false)},
        {"blocks", std::move(blocks)},
        {"total", {{"synthesis", to_json(result)}, {"model", to_json(total_area(parts))}}},
        {"fits", fit}};
    json.insert(found.begin(), found.end());
    write_json(options->json(), "synth", json);
    if (!fit)
      exit_code = exit_does_not_fit;
  });
}

} // namespace deltatwin
