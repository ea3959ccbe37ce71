#pragma once
#include "train/graph_trainer.h"
#include <string>

namespace CLI {
class App;
}

namespace deltatwin {

/// What users say of a convolution network, as they say it.
struct GraphWords {
  std::string graph{}; ///< elements, or @file
  std::string weights = "w8", activations = "8", first{}, last{}, reference = "zero", scaling = "multiply";
  std::string teacher{}; ///< file or name of a float network; empty: none
  std::string tile{};    ///< empty: the default
  bool mirror = false;
};

/// What `train` makes of --graph: a quantized convolution network.
struct GraphRun {
  GraphTrainOptions options{};
  GraphWords words{};
  std::string dataset{};
  std::string output{}; ///< empty: NAME.json
  int images = 0;       ///< of the training set; 0: all
  std::string json{};
  /// What was given, of the options that have another default for some data sets.
  bool has_crop = false, has_mirror = false, has_shift = false;
};

/// Adds --graph and what goes with it alone to `train`.
void add_graph_options(CLI::App& command, GraphWords& words, GraphTrainOptions& options);
/// Of those, what has no meaning without --graph.
[[nodiscard]] const std::vector<const char*>& graph_option_names();
/// Trains, writes the best network after every epoch that finds one, and prints its accuracy.
void run_graph(GraphRun run);

} // namespace deltatwin
