#pragma once
#include "net/graph.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// A map as the array holds it: signed bytes, the tensor's integers less `offset`.
struct ArrayMap {
  std::string name; ///< of the tensor
  int rows = 1, columns = 1, channels = 1;
  int offset = 0; ///< 128 where the tensor is of 8 unsigned bits
  int zero = 0;   ///< the byte that stands for 0
  int low = -128, high = 127;
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
  int padding = 0;           ///< the byte outside of the map
  /// [outputs][rows][columns][channels], of depthwise work [outputs][rows][columns].
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias; ///< of sums of bytes times weights, padding included
  Requantization scale;           ///< multipliers, shifts and rule
  int zero = 0, low = -128, high = 127;
  std::optional<ArrayAdd> add;
};

/// A network as work for the array, one layer behind the other.
struct ArrayGraph {
  std::vector<ArrayMap> maps;
  std::vector<ArrayWork> works; ///< the last one makes the output
  std::size_t input = 0, output = 0;
};

/// Throws InputError that names the node, or tensor, that the array cannot do, and what it could.
/// `sum_bits` are those of a sum with its bias.
[[nodiscard]] ArrayGraph lower(const Graph& graph, int sum_bits);

} // namespace deltatwin
