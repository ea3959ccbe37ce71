#pragma once
#include "base/rounding.h"
#include "net/layer.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace deltatwin {

/// An accumulated sum to a tensor's integer: y = clamp(requantized(sum) + zero point of the tensor, low,
/// high), by base/rounding.h. With rounding `thresholds`, y = low + how many of its channel's thresholds the
/// sum reaches: whatever never falls when the sum grows is exact so. Equal ones make a step of more than one:
/// an activation of one bit, -1 or 1, has its threshold twice.
struct Requantization {
  Rounding rounding = Rounding::half_up;
  std::vector<std::int32_t> multipliers = {1}; ///< one, or one a channel: 0..2^31-1
  std::vector<int> shifts = {0};               ///< as many, 0..62
  int low = -128, high = 127;                  ///< of y: also what a ReLU or ReLU6 becomes
  /// Rounding `thresholds` alone: [one, or one a channel][high - low], none below the one before; multipliers
  /// and shifts are as above.
  std::vector<std::int32_t> thresholds{};

  static constexpr int most_thresholds = 15; ///< of a channel: 4 bits
  [[nodiscard]] std::int32_t multiplier(std::size_t channel) const {
    return multipliers[multipliers.size() == 1 ? 0 : channel];
  }
  [[nodiscard]] int shift(std::size_t channel) const { return shifts[shifts.size() == 1 ? 0 : channel]; }
};

/// Where the windows of a convolution or a pool lie. Result row r, column c is of the window whose first row
/// is r * row_stride - top and first column c * column_stride - left; what is outside of the map is padding.
struct Window {
  int rows = 1, columns = 1; ///< the kernel; at most the map with its padding
  int row_stride = 1, column_stride = 1;
  int top = 0, left = 0, bottom = 0, right = 0; ///< padding: less than the kernel

  /// Rows, or columns, of the result from those of a map; those that no window takes are left over.
  [[nodiscard]] int result_rows(int map_rows) const {
    return (map_rows + top + bottom - rows) / row_stride + 1;
  }
  [[nodiscard]] int result_columns(int map_columns) const {
    return (map_columns + left + right - columns) / column_stride + 1;
  }
};

/// How the weights of a convolution are stored: each is r + d * 2^shift, d of so many bits in two's
/// complement. Weights of -1 and 1: one bit, shift 1, reference 1.
struct StoredDeltas {
  int bits = 8;                      ///< of d, 1..8
  int shift = 0;                     ///< 0..7
  std::vector<int> references = {0}; ///< r: one, or one an output channel, int8
  /// huffman: trained to be coded, d or pairs of them, neighbours in the order of weights.
  Code code = Code::raw;

  [[nodiscard]] int reference(std::size_t output) const {
    return references[references.size() == 1 ? 0 : output];
  }
  /// Whether there is such a d for this weight of an output channel, and which.
  [[nodiscard]] std::optional<int> delta(std::size_t output, int weight) const {
    const int difference = weight - reference(output), d = difference >> shift;
    if (d * (1 << shift) != difference || d < lowest_delta(bits) || d > highest_delta(bits))
      return {};
    return d;
  }
};

/// Output channel o: sum = bias[o] + sum of (x - zero point) * w over the window and the input channels of
/// its group; padding counts nothing. A depthwise layer has as many groups as inputs; a dense one is a 1x1
/// convolution of a map with one row and one column.
struct Convolution {
  Window window;
  int groups = 1; ///< a divisor of inputs and outputs
  int outputs = 1;
  std::vector<std::int16_t> weights; ///< [outputs][rows][columns][inputs / groups], less their zero point:
                                     ///< -255..255
  std::vector<std::int32_t> bias;    ///< [outputs]
  Requantization requantization;
  std::optional<StoredDeltas> delta{}; ///< nothing: as they are. No result depends on it
};

/// max: of (x - zero point), padding never wins. average: the sum of (x - zero point), the multiplier divides
/// it; padding counts nothing. A global pool's kernel is as large as the map.
struct Pool {
  enum class Kind { max, average };
  Kind kind = Kind::max;
  Window window;
  /// average alone: zero points are neither subtracted nor added, as in TensorFlow Lite, where ties depend on
  /// the sign of the sum of x. Both tensors have one format.
  bool raw = false;
  Requantization requantization; ///< one multiplier
};

/// y = R(v[0] + v[1]), v[i] = R_i((x_i - zero point_i) << left_shift): the results of R_i are 32 bits wide
/// and not clamped.
struct Add {
  int left_shift = 0;                                                ///< 0..20
  std::array<Requantization, 2> inputs = {unclamped(), unclamped()}; ///< one multiplier each
  Requantization output;                                             ///< one multiplier

  static Requantization unclamped() {
    Requantization requantization;
    requantization.low = std::numeric_limits<std::int32_t>::min();
    requantization.high = std::numeric_limits<std::int32_t>::max();
    return requantization;
  }
};

/// Of (x - zero point): another scale or format, or a ReLU on its own.
struct Rescale {
  Requantization requantization; ///< one multiplier, or one a channel (the last dimension)
};

/// The same elements in the same order, in another shape.
struct Reshape {};

/// What of the network is left to the host: probabilities from the output tensor, never computed by hardware.
struct Softmax {
  enum class Rule {
    tflite, ///< TensorFlow Lite's fixed-point softmax: int8 to int8, 1/256 and zero point -128
    real    ///< in float from the output tensor's scale
  };
  Rule rule = Rule::real;
  /// tflite: beta * scale of the output tensor * 2^26 is multiplier * 2^(left_shift - 31).
  std::int32_t multiplier = 0; ///< 2^30..2^31-1
  int left_shift = 0;          ///< 1..31
};

} // namespace deltatwin
