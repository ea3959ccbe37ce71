#include "app/commands.h"
#include "app/compare.h"
#include "app/options.h"
#include <CLI/CLI.hpp>
#include <memory>

namespace deltatwin {

void add_compare_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("compare", "a paper's tables of hardware beside what the designs here take");
  struct Options {
    std::string paper = "edqa", json;
    bool synth = false;
  };
  auto options = std::make_shared<Options>();
  command
      ->add_option("paper", options->paper,
                   "which paper: edqa, or array: the configurable convolution accelerator of 8 to 1 bits")
      ->check(CLI::IsMember({"edqa", "array"}))
      ->capture_default_str();
  command->add_flag("--synth", options->synth,
                    "count the area by Yosys: minutes the first time, of array an hour");
  add_json_option(*command, options->json);
  command->footer("Examples:\n"
                  "  deltatwin compare edqa\n"
                  "  deltatwin compare edqa --synth --json -\n"
                  "  deltatwin compare array");
  command->callback([options] {
    (options->paper == "edqa" ? compare_edqa : compare_array)(options->synth, options->json);
  });
}

} // namespace deltatwin
