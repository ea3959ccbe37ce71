#pragma once
#include "net/graph.h"
#include "tops/array/config.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// How the array holds a tensor's integers: as scale * held + offset, held in signed fields.
struct ArrayFormat {
  int code = 0;                ///< of the fields' width (blocks/fields.h)
  int scale = 1;               ///< 2 of what is -1 or 1 alone
  int offset = 0;              ///< half of an unsigned tensor's range, 1 of what is -1 or 1 alone
  int low = -128, high = 127;  ///< of what is held
  std::optional<int> zero = 0; ///< what stands for the zero point, if anything does

  [[nodiscard]] int held(int integer) const { return (integer - offset) / scale; }
  [[nodiscard]] int integer(int held) const { return scale * held + offset; }
  [[nodiscard]] bool operator==(const ArrayFormat& other) const {
    return code == other.code && scale == other.scale && offset == other.offset;
  }
};

/// A map as the array holds it.
struct ArrayMap {
  std::string name; ///< of the tensor
  int rows = 1, columns = 1, channels = 1;
  ArrayFormat format;
  bool made_by_max_pool = false; ///< which writes no skips and no outputs
};

/// What an addition does behind a layer: y = R(table[0][result] + table[1][skip]).
struct ArrayAdd {
  std::size_t skip = 0; ///< in ArrayGraph::maps
  std::array<std::array<std::int32_t, 256>, 2> tables{};
  Rounding rounding = Rounding::half_up;
  std::int32_t multiplier = 1;
  int shift = 0, zero = 0, low = -128, high = 127;
};

/// What one layer of the array does.
struct ArrayWork {
  std::string node;             ///< whose it is
  std::size_t from = 0, to = 0; ///< in ArrayGraph::maps
  bool max_pool = false, depthwise = false;
  Window window;
  bool same_weights = false; ///< of depthwise work: all channels have the same
  int padding = 0;           ///< what is held outside of the map
  /// [outputs][rows][columns][channels], of depthwise work [outputs][rows][columns].
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias; ///< of sums of what is held times weights, padding included
  /// By planes: each of so many passes has the design's number of them, of d; an output's weights are
  /// r + d * 2^shift.
  bool planes = false;
  int passes = 1, shift = 0;
  std::vector<int> references; ///< r of each output; none: 0
  Requantization scale;        ///< multipliers, shifts and rule
  /// Instead of a scale, of each output as many ascending ones: a result is low and how many its sum reaches.
  std::vector<std::int32_t> thresholds;
  int zero = 0, low = -128, high = 127;
  bool sum_bytes = false; ///< instead of a scale: results are two bytes of each sum, the low one first
  bool direct = false;    ///< what is added is added to sums as they are
  std::optional<ArrayAdd> add;

  [[nodiscard]] std::size_t steps() const { return thresholds.size() / bias.size(); }
};

/// A network as work for the array, one layer behind the other.
struct ArrayGraph {
  std::vector<ArrayMap> maps;
  std::vector<ArrayWork> works; ///< the last one makes the output
  std::size_t input = 0, output = 0;
};

/// Throws InputError that names the node, or tensor, that such an array cannot do, and what it could.
[[nodiscard]] ArrayGraph lower(const Graph& graph, const ArrayConfig& config);
/// What of a design lower() looks at.
[[nodiscard]] std::vector<int> lowering_key(const ArrayConfig& config);

} // namespace deltatwin
