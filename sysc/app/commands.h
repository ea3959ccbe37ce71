#pragma once
#include <stdexcept>

namespace CLI {
class App;
}

namespace deltatwin {

// The program's exit codes; 0: done.
inline constexpr int exit_twins_diverge = 1, exit_bad_input = 2, exit_does_not_fit = 3,
                     exit_internal_error = 70, exit_interrupted = 130;

/// What a command finds that must not be: RTL and model disagree. The program ends with exit_twins_diverge.
class Disagreement : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

// Each adds a subcommand; those that have something to say with it set the exit code.

void add_simulate_command(CLI::App& app, int& exit_code);
void add_cosim_command(CLI::App& app, int& exit_code);
void add_trace_command(CLI::App& app, int& exit_code);
void add_synth_command(CLI::App& app, int& exit_code);
void add_explore_command(CLI::App& app, int& exit_code);
void add_merge_command(CLI::App& app, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);
void add_compare_command(CLI::App& app);
void add_networks_command(CLI::App& app);
void add_convert_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_quantize_command(CLI::App& app);
void add_devices_command(CLI::App& app);
inline constexpr const char* train_summary =
    "train a network whose weights are stored as deltas, from its first step on";
inline constexpr const char* activations_summary =
    "run a float network with quantized activations: accuracy, and bits that they take";
// Only in builds that found libtorch.
void add_train_command(CLI::App& app, int& exit_code);
void add_activations_command(CLI::App& app, int& exit_code);

} // namespace deltatwin
