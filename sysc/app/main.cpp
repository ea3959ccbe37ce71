#include "app/commands.h"
#include "app/numbers.h"
#include "app/subject.h"
#include "app/text.h"
#include "base/error.h"
#include "base/text.h"
#include "base/tool.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <systemc>
#include <unistd.h>

namespace {

int fail(const std::string& message, int code = deltatwin::exit_bad_input) {
  std::fprintf(stderr, "deltatwin: %s\n", deltatwin::printable(message).c_str());
  return code;
}

std::vector<std::string> long_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

// What is wrong with the words of the command line, and what would be right.
int refuse(CLI::App& app, const CLI::ParseError& error) {
  using deltatwin::did_you_mean;
  const auto commands = app.get_subcommands();
  if (commands.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* each : app.get_subcommands([](CLI::App*) { return true; }))
      names.push_back(each->get_name());
    const std::vector<std::string> unknown = app.remaining();
    return fail((unknown.empty()
                     ? error.what()
                     : "unknown command \"" + unknown.front() + "\"" + did_you_mean(unknown.front(), names)) +
                " (deltatwin --help lists the commands)");
  }
  const CLI::App& command = *commands.front();
  const std::string help = " (deltatwin " + command.get_name() + " --help tells all)";
  std::vector<std::string> unknown = command.remaining();
  for (const std::string& word : app.remaining())
    unknown.push_back(word);
  if (unknown.empty())
    return fail(command.get_name() + ": " + error.what() + help);
  const auto option = std::find_if(unknown.begin(), unknown.end(),
                                   [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
  if (option == unknown.end())
    return fail(command.get_name() + ": \"" + unknown.front() + "\" is unexpected, options begin with --" +
                help);
  return fail(command.get_name() + ": unknown option " + *option +
              did_you_mean(option->substr(0, option->find('=')), long_options(command)) + help);
}

#ifdef DELTATWIN_TRAINING_PROGRAM
// Becomes the program beside this one that has all of the commands; returns where that fails.
int become_training_program(char** argv) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string program = self.parent_path() / DELTATWIN_TRAINING_PROGRAM;
  execv(program.c_str(), argv);
  return fail(program + " cannot be run: " + std::strerror(errno));
}
#endif

} // namespace

int sc_main(int argc, char** argv) {
  using namespace deltatwin;
#ifdef DELTATWIN_TRAINING_PROGRAM
  if (std::any_of(argv + 1, argv + argc, [](const std::string& word) {
        return word == "train" || word == "activations" || word == "--help-all";
      }))
    return become_training_program(argv);
#endif
  CLI::App app(
      "Cycle-exact simulation of neural-network accelerators for tiny FPGAs, and the proof of it on RTL.");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.footer(
      "Exit codes: 0 done, 1 the twins diverge, 2 bad input (or a tool that is missing or fails),\n"
      "3 the design does not fit the device (explore: none does), 70 internal error: a fault of deltatwin,\n"
      "130 interrupted.\n"
      "Numbers are decimal. --json - writes a result to standard output.\n"
      "Start with: deltatwin simulate");
  int exit_code = 0;
  try {
    select_top(argc, argv);
  } catch (const InputError& error) {
    return fail(error.what());
  }
  add_simulate_command(app, exit_code);
  add_cosim_command(app, exit_code);
  add_trace_command(app, exit_code);
  add_synth_command(app, exit_code);
  add_explore_command(app, exit_code);
  add_merge_command(app, exit_code);
  add_bench_command(app, exit_code);
  add_compare_command(app);
#if defined(DELTATWIN_TRAINS)
  add_train_command(app, exit_code);
  add_activations_command(app, exit_code);
#elif defined(DELTATWIN_TRAINING_PROGRAM)
  app.add_subcommand("train", train_summary);
  app.add_subcommand("activations", activations_summary);
#else
  for (const auto& [name, what] :
       {std::pair("train", "train a network"), std::pair("activations", "quantize activations")})
    app.add_subcommand(name, std::string(what) + " (not in this build: libtorch-dev was not installed)")
        ->allow_extras()
        ->callback([what = std::string(what)] {
          throw InputError("this build cannot " + what +
                           ": install the package libtorch-dev and build again");
        });
#endif
  add_networks_command(app);
  add_convert_command(app);
  add_import_command(app);
  add_quantize_command(app);
  add_devices_command(app);
  check_option_values(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  } catch (const InputError& error) {
    return fail(error.what());
  } catch (const ToolError& error) {
    return fail(error.what());
  } catch (const Disagreement& error) {
    return fail(error.what(), exit_twins_diverge);
  } catch (const std::filesystem::filesystem_error& error) { // a place that is missing, full or forbidden
    return fail(error.what());
  } catch (const std::exception& error) {
    return fail(std::string("internal error: ") + error.what(), exit_internal_error);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return fail(std::string("standard output cannot be written: ") + std::strerror(errno));
  return exit_code;
}

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
