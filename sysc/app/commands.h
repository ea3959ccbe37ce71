#pragma once

namespace CLI {
class App;
}

namespace deltatwin {

// Each adds a subcommand; those that have something to say with it set the exit code.

void add_simulate_command(CLI::App& app, int& exit_code);
void add_cosim_command(CLI::App& app, int& exit_code);
void add_trace_command(CLI::App& app, int& exit_code);
void add_synth_command(CLI::App& app, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);
void add_networks_command(CLI::App& app);
void add_devices_command(CLI::App& app);
/// Only in builds that found libtorch.
void add_train_command(CLI::App& app, int& exit_code);

} // namespace deltatwin
