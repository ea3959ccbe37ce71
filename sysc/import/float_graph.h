#pragma once
#include "net/float_network.h"
#include "net/graph.h"
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace deltatwin {

/// What a node of real numbers has beside its operator.
struct FloatNode {
  std::vector<float> weights; ///< of a convolution, [outputs][rows][columns][inputs / groups]
  std::vector<float> bias;    ///< [outputs]
  int count = 1;              ///< of an average: what the sum is divided by
  /// Results are clamped to: a ReLU, a Clip.
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();

  [[nodiscard]] bool clamps() const;
};

/// A network of real numbers in the shape of an integer one: its tensors have no formats yet, its nodes no
/// integers. A Rescale only clamps.
struct FloatGraph {
  Graph graph;
  std::vector<FloatNode> nodes; ///< as graph.nodes
  /// What is given enters as (given - mean) / deviation: one of each, or one a channel. Other than 0 and 1
  /// only where convolutions alone read the input.
  std::vector<float> mean = {0}, deviation = {1};
  std::string kind;                          ///< "ONNX", "float32"
  std::vector<int> file_dims;                ///< of the input, as the file has them
  std::vector<std::uint32_t> input_order{};  ///< as Import has them
  std::vector<std::uint32_t> output_order{}; ///< of the output
  std::vector<std::string> notes{};

  [[nodiscard]] bool is_normalized() const;
  /// What is given is (x - mean) / deviation of another x; throws InputError where a value is none, there are
  /// neither one nor one a channel, or something other than a convolution reads the input.
  void normalize(const std::vector<float>& mean, const std::vector<float>& deviation,
                 const std::string& origin);
};

[[nodiscard]] FloatGraph float_graph(const FloatNetwork& network);

/// Reads a float ONNX network: Conv, Gemm, MatMul, BatchNormalization, Relu, Clip, Add, Sub, Mul and Div (of
/// constants), pools, ReduceMean, what changes shapes, Softmax at the end. Throws InputError.
[[nodiscard]] FloatGraph read_float_onnx(const std::string& text, const std::string& origin);

/// Factors, constants and clamps become part of the node before, where nothing else reads it.
void simplify(FloatGraph& network);

/// A 1 x 1 convolution of each channel on its own.
[[nodiscard]] bool scales_channels(const Node& node);

} // namespace deltatwin
