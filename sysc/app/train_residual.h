#pragma once
#include "train/residual.h"
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// What `train` makes of --resnet: a residual network in float32.
struct ResidualRun {
  ResidualOptions options{};
  std::string dataset{};
  std::string output{}; ///< empty: NAME.safetensors
  int images = 0;       ///< of the training set; 0: all
  std::string json{};
};

/// Adds --resnet, --width, --crop and --no-mirror to `train`.
void add_residual_options(CLI::App& command, ResidualOptions& options);
/// Trains, writes the best network after every epoch that finds one, and prints its accuracy.
void run_residual(const ResidualRun& run);

} // namespace deltatwin
