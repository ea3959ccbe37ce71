#pragma once
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// A convolution with square windows; a dense layer is one of 1x1 on a single pixel.
struct FloatConvolution {
  std::string name; ///< its tensors are NAME.weight and NAME.bias
  int inputs = 0, outputs = 0, kernel = 1, stride = 1, padding = 0;
  std::vector<float> weights; ///< [outputs][inputs][kernel][kernel]
  std::vector<float> bias;    ///< [outputs]
};

/// How a block's input comes to its sum.
enum class Shortcut {
  identity,
  padded,    ///< every stride-th row and column; the new channels, half before and half behind, are 0
  projection ///< through a convolution
};

/// relu(shortcut(x) + body(x)); between the convolutions of the body is a ReLU.
struct FloatBlock {
  std::vector<FloatConvolution> body;
  Shortcut shortcut = Shortcut::identity;
  std::optional<FloatConvolution> projection{};

  [[nodiscard]] int stride() const;
  [[nodiscard]] int outputs() const { return body.back().outputs; }
};

/// A residual network in float32: a convolution with ReLU, blocks, the average over all pixels, a dense
/// layer. Batch normalization is folded into the convolutions. A pixel p of 0..255 enters as
/// (p / 255 - mean) / deviation of its plane.
struct FloatNetwork {
  std::string name;
  std::string description; ///< where it comes from: the training command, the data set
  int planes = 1, rows = 0, columns = 0;
  std::vector<float> mean, deviation; ///< [planes]
  FloatConvolution stem;
  std::vector<FloatBlock> blocks;
  FloatConvolution dense;

  [[nodiscard]] int classes() const { return dense.outputs; }
  [[nodiscard]] int pixels() const { return planes * rows * columns; }
  [[nodiscard]] std::size_t parameters() const;
};

/// Sizes of a block's output.
struct BlockShape {
  int channels = 0, rows = 0, columns = 0;
  [[nodiscard]] int values() const { return channels * rows * columns; }
};
/// Of all blocks, first to last; throws InputError that names `origin` and the layer that does not fit.
[[nodiscard]] std::vector<BlockShape> check_shapes(const FloatNetwork& network, const std::string& origin);

/// Reads a safetensors file whose __metadata__ has the entry "deltatwin" (traces/network-format.md: float
/// networks); throws InputError that names file, layer or tensor, and what would be right.
[[nodiscard]] FloatNetwork load_float_network(const std::string& path);
[[nodiscard]] FloatNetwork parse_float_network(const std::string& text, const std::string& origin);
/// Writes one, whole or not at all.
void save_float_network(const FloatNetwork& network, const std::string& path);

} // namespace deltatwin
