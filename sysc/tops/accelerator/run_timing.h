#pragma once
#include "blocks/scheduler.h"
#include "tops/accelerator/design.h"
#include <vector>

namespace deltatwin {

/// The cycles of runs whose inputs are always there and whose outputs are always taken: what
/// simulation and RTL then take, to the cycle.
struct RunTiming {
  Cycle first = 0; ///< from the cycle in which START acts to the first inference's last output beat
  /// Steady state: `period` inferences take `period_cycles`. The period is 1 but for networks of few
  /// inputs and many outputs, where the output FIFO's credits beat against the tiles.
  Cycle period_cycles = 0;
  int period = 1;

  /// Of a lone inference: from the first offer of an input, two cycles behind START's write (an AXI4-Lite
  /// write's length) and one behind the cycle in which it acts, to the last output beat, both counted.
  [[nodiscard]] Cycle latency() const { return first; }
  /// Cycles an inference in steady state.
  [[nodiscard]] double interval() const { return static_cast<double>(period_cycles) / period; }
};
[[nodiscard]] RunTiming run_timing(const Design& design, const std::vector<LayerDescriptor>& layers);

/// From the cycle in which START acts to the last output beat of this many inferences: what register CYCLES
/// counts.
[[nodiscard]] Cycle run_cycles(const Design& design, const std::vector<LayerDescriptor>& layers,
                               int inferences);

/// In steady state, from each layer's first slot to the next layer's.
[[nodiscard]] std::vector<Cycle> steady_layer_cycles(const Design& design,
                                                     const std::vector<LayerDescriptor>& layers);

} // namespace deltatwin
