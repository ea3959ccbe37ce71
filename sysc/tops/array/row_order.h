#pragma once
#include "base/cycle.h"
#include <array>
#include <cstddef>
#include <vector>

namespace deltatwin {

/// Rows of a tensor that a row of a layer reads: row y reads those from y * stride - top on, `kernel` of
/// them, which are in the tensor.
struct RowUse {
  static constexpr std::size_t input = static_cast<std::size_t>(-1);
  std::size_t producer = input; ///< a layer, or the input
  int kernel = 1, stride = 1, top = 0;
};

/// What a layer's rows are made of.
struct RowLayer {
  int rows = 1;     ///< that it makes
  int engine = 0;   ///< that makes them, 0 or 1; engines run at once
  Cycle cycles = 1; ///< of a block of rows
  std::vector<RowUse> reads;
  int block = 1; ///< rows at a time, the last ones apart
  int most = 0;  ///< rows that may be live, of one engine and depth first; 0: any number
};

struct RowStep {
  std::size_t layer = 0;
  int row = 0, rows = 1;
  bool wait = false;            ///< reads what may still be on its way if nothing is waited for
  Cycle begin = 0, written = 0; ///< if the input is there
};

/// In which order rows are computed, each engine's in this order.
struct RowOrder {
  std::vector<RowStep> steps;
  std::vector<int> live; ///< by layer: most rows, from the first one that is still read on, that are made
};

/// Depth first: of the rows that can be computed at once, that of the last layer, so that few rows are kept;
/// where the rows that it reads are still on their way, an earlier layer's. Two engines do so at once. Layers
/// read earlier ones only; `writeback`: of each engine, cycles from a row's last window to its last result.
/// No steps: with so few live rows it cannot be done.
[[nodiscard]] RowOrder order_depth_first(const std::vector<RowLayer>& layers,
                                         const std::array<Cycle, 2>& writeback);

/// Layer by layer: whole maps are kept, and rows that are read were made long before.
[[nodiscard]] RowOrder order_by_layers(const std::vector<RowLayer>& layers,
                                       const std::array<Cycle, 2>& writeback);

} // namespace deltatwin
