#pragma once
#include "net/layer.h"
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What the weights of a layer are.
struct WeightFormat {
  enum class Kind {
    narrow, ///< wN: integers of N bits, as many below 0 as above
    delta,  ///< dN: r + d * 2^s, d of N bits
    binary  ///< b1: -1 or 1
  };
  Kind kind = Kind::narrow;
  int bits = 8; ///< 2..8; binary: 1
};

/// Of a layer: what is not said is as in the whole network. Activations of 1 bit are -1 or 1, of others 0 to
/// 2^bits - 1 behind a ReLU.
struct LayerPrecision {
  std::optional<WeightFormat> weights{};
  std::optional<int> activation_bits{}; ///< 1..8
};

/// "w8", "d4", "b1", "a4", "d4a4": weights, activations, or both; throws InputError that begins with `place`.
[[nodiscard]] LayerPrecision parse_precision(const std::string& text, const std::string& place);
[[nodiscard]] std::string to_text(const WeightFormat& format);

/// How a network's layers follow one another, as users write it, between commas or in lines of a file:
///
///   conv N KxK[/stride] [valid|same]   a convolution and its activation
///   block N[/stride]                   two of 3x3 and a sum, a 1x1 one beside them where the shape changes
///   maxpool K                          the largest of K x K
///   average                            over all pixels
///   dense N                            from all values; the last element is one
///
/// and of each, behind a colon, its own precision: "conv 16 3x3:w8a8".
struct GraphElement {
  enum class Kind { convolution, block, max_pool, average, dense };
  Kind kind = Kind::convolution;
  int outputs = 0;
  int rows = 1, columns = 1, stride = 1; ///< of kernels
  bool same = true;                      ///< padded, so that a map keeps its size
  LayerPrecision precision{};
  std::string text; ///< as it was written
};

/// Throws InputError that names the element.
[[nodiscard]] std::vector<GraphElement> parse_graph_elements(const std::string& text);

/// What a whole network's layers have in common.
struct GraphOptions {
  std::vector<GraphElement> elements;
  WeightFormat weights{WeightFormat::Kind::narrow, 8};
  int activation_bits = 8;        ///< 1..8
  LayerPrecision first{}, last{}; ///< of the first and of the last layer, where their elements do not say it
  int input_bits = 8;             ///< 2..8: of a pixel, its upper ones
  int shortcut_bits = 0;          ///< of what a block adds to its convolutions', 2..8; 0: as the widest map's
  int branch_bits = 8;            ///< of what a block's second convolution adds, 2..8
  bool shift_only = false;        ///< all multipliers are powers of two
  int multiplier_bits = 31;       ///< 2..31: of each multiplier
};

/// What flows between layers, as integers.
struct PlannedTensor {
  std::string name;
  int rows = 1, columns = 1, channels = 1;
  int bits = 8;
  bool is_signed = false;
  int zero_point = 0;
  double unit = 1;      ///< integers that stand for 1, a deviation in front of the activation
  bool bipolar = false; ///< -1 or 1

  [[nodiscard]] int low() const { return bipolar ? -1 : is_signed ? -(1 << (bits - 1)) : 0; }
  [[nodiscard]] int high() const { return bipolar ? 1 : (1 << (is_signed ? bits - 1 : bits)) - 1; }
};

/// A step from tensors to a tensor.
struct PlannedStep {
  enum class Kind { convolution, max_pool, add, average };
  Kind kind = Kind::convolution;
  std::string name;
  std::size_t from = 0, from_other = 0, to = 0;       ///< in GraphPlan::tensors; from_other: of an addition
  int rows = 1, columns = 1, stride = 1, padding = 0; ///< of a window
  WeightFormat weights{};
  bool last = false; ///< one scale for all outputs, which are the network's
  int shift = 0;     ///< average: the sum is divided by 2^shift

  [[nodiscard]] bool is_dense(const PlannedTensor& in) const { ///< of a convolution: from all values at once
    return padding == 0 && rows == in.rows && columns == in.columns;
  }
};

/// A network, with all shapes and formats.
struct GraphPlan {
  std::vector<PlannedTensor> tensors; ///< the first one is the input
  std::vector<PlannedStep> steps;     ///< each reads what those before it make
  bool shift_only = false;
  int multiplier_bits = 31;

  [[nodiscard]] int inputs_of(const PlannedStep& step) const { ///< weights of an output
    return step.rows * step.columns * tensors[step.from].channels;
  }
};

/// For images of so many planes, rows and columns; throws InputError that names the element.
[[nodiscard]] GraphPlan plan_graph(const GraphOptions& options, int planes, int rows, int columns);

} // namespace deltatwin
