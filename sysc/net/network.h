#pragma once
#include "net/graph.h"
#include "net/layer.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// A network that is a chain of dense layers, what today's accelerator runs: one case of a Graph.
/// Inputs are int8: an image's pixel p (0..255) enters as p - 128.
struct Network {
  std::string name;
  std::string description; ///< where it comes from: the training command, the data set
  std::vector<Layer> layers;

  /// Weights that are stored.
  [[nodiscard]] std::uint64_t weight_count() const;
  /// Multiplications of an inference: a dense layer has as many as weights, others more.
  [[nodiscard]] std::uint64_t macs() const;
  [[nodiscard]] std::uint64_t weight_bits() const;
  [[nodiscard]] std::uint64_t stored_bits() const;
};

/// Gives every layer this code: the same weights, stored in another way. Throws InputError where a layer's
/// deltas are too wide for it.
void recode(Network& network, Code code);
/// Checks shapes and ranges of every field; throws InputError.
void validate(const Network& network, const std::string& origin);

/// The graph of a chain: node by node, tensor by tensor.
[[nodiscard]] Graph to_graph(Network network);
/// The chain in a graph; throws InputError that names the first node which is in its way.
[[nodiscard]] Network dense_chain(Graph graph, const std::string& origin);

/// Reads and checks a network file of any format (net/formats/formats.h) that holds a chain of dense
/// layers; throws InputError that names file, layer or node, and field.
[[nodiscard]] Network load_network(const std::string& path);
/// Parses a network from JSON text; `origin` names it in errors.
[[nodiscard]] Network parse_network(const std::string& text, const std::string& origin);
/// Writes a network file of format 2 (one row of deltas per line), whole or not at all.
void save_network(const Network& network, const std::string& path);

} // namespace deltatwin
