#include "app/commands.h"
#include "base/error.h"
#include "base/text.h"
#include "base/tool.h"
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <systemc>

namespace {

int fail(const std::string& message) {
  std::fprintf(stderr, "deltatwin: %s\n", deltatwin::printable(message).c_str());
  return deltatwin::exit_bad_input;
}

} // namespace

int sc_main(int argc, char** argv) {
  using namespace deltatwin;
  CLI::App app(
      "Cycle-exact simulation of neural-network accelerators for tiny FPGAs, and the proof of it on RTL.");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.footer("Exit codes: 0 done, 1 the twins diverge, 2 bad input, 3 the design does not fit the device "
             "(explore: none does),\n"
             "130 interrupted.\n"
             "Start with: deltatwin simulate");
  int exit_code = 0;
  add_simulate_command(app, exit_code);
  add_cosim_command(app, exit_code);
  add_trace_command(app, exit_code);
  add_synth_command(app, exit_code);
  add_explore_command(app, exit_code);
  add_merge_command(app, exit_code);
  add_bench_command(app, exit_code);
#if DELTATWIN_TRAINING
  add_train_command(app, exit_code);
#else
  app.add_subcommand("train", "train a network (not in this build: libtorch-dev was not installed)")
      ->callback([] {
        throw InputError("this build cannot train: install the package libtorch-dev and build again");
      });
#endif
  add_networks_command(app);
  add_devices_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const auto unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty())
      return fail("unknown command \"" + unknown.front() + "\" (deltatwin --help lists the commands)");
    return fail(std::string(error.what()) + " (deltatwin --help lists the commands)");
  } catch (const InputError& error) {
    return fail(error.what());
  } catch (const ToolError& error) {
    return fail(error.what());
  } catch (const std::exception& error) {
    return fail(std::string("internal error: ") + error.what());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return fail(std::string("standard output cannot be written: ") + std::strerror(errno));
  return exit_code;
}

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
