#pragma once
#include "net/layer.h"
#include "net/operators.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace deltatwin {

/// What the integers of a tensor are.
struct Format {
  int bits = 8; ///< 1..16
  bool is_signed = true;
  int zero_point = 0; ///< the integer that stands for 0

  [[nodiscard]] int low() const { return is_signed ? -(1 << (bits - 1)) : 0; }
  [[nodiscard]] int high() const { return (1 << (is_signed ? bits - 1 : bits)) - 1; }
};
[[nodiscard]] bool operator==(const Format& a, const Format& b);
[[nodiscard]] inline bool operator!=(const Format& a, const Format& b) { return !(a == b); }

/// What flows along an edge of the graph: the input, or what one node writes.
struct Tensor {
  std::string name;
  std::vector<int> shape; ///< 1 to 4 dimensions, the outermost first; maps: rows, columns, channels
  Format format;
  float scale = 0; ///< real number = (integer - zero point) * scale; 0: not known. No result depends on it

  [[nodiscard]] std::uint64_t elements() const;
};

/// A step of a network. Its weights and its requantizer have their own formats.
struct Node {
  std::string name;
  std::vector<std::size_t> inputs; ///< Graph::tensors
  std::size_t output = 0;          ///< in Graph::tensors
  /// Layer: dense, from all elements of one int8 tensor. Convolution, Pool: from a map to a map. Rescale,
  /// Reshape: from any tensor. Add: from two of one shape.
  std::variant<Layer, Convolution, Pool, Add, Rescale, Reshape> op;

  /// Weights that are stored.
  [[nodiscard]] std::uint64_t weights() const;
};

/// A trained integer network, as files hold it.
struct Graph {
  std::string name;
  std::string description; ///< where it comes from: the training command, the data set
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;           ///< each behind those whose outputs it reads
  std::size_t input = 0, output = 0; ///< in tensors
  std::optional<Softmax> softmax{};  ///< of the output, by the host

  /// Multiplications of an inference.
  [[nodiscard]] std::uint64_t macs() const;
  [[nodiscard]] std::uint64_t macs(const Node& node) const;
  [[nodiscard]] std::uint64_t weights() const;
};

/// Checks names, edges, shapes, formats and every field; throws InputError that names `origin`, node
/// or tensor, and field.
void validate(const Graph& graph, const std::string& origin);

/// Of that, what concerns the tensors alone.
void validate_tensors(const Graph& graph, const std::string& origin);

/// The format that an activation's results have: int16 with none, else int8.
[[nodiscard]] Format result_format(Activation activation);

} // namespace deltatwin
