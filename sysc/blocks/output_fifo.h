#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <algorithm>

namespace deltatwin {

/// When the words of the output FIFO leave it: in order, each offered from the cycle after its push
/// on, once those before are taken. There is no full flag: whoever pushes counts what is inside.
class OutputFifoTiming {
public:
  /// The first cycle in which a word that is pushed in `push` is offered; then taken() with its beat.
  [[nodiscard]] Cycle offered(Cycle push) const { return std::max(push + 1, free_); }
  void taken(Cycle beat) { free_ = beat == never ? never : beat + 1; }

private:
  Cycle free_ = 0; ///< the cycle after the latest beat
};

/// The parameters of the RTL `output_fifo`.
struct OutputFifoConfig {
  int width = 17; ///< bits of a word
  int depth = 32; ///< words, a power of two
};

/// What the FIFO takes.
[[nodiscard]] inline Resources output_fifo_resources(const OutputFifoConfig& config) {
  Resources fifo = lut_ram_resources(config.width, config.depth);
  fifo.lut += 10 + mux_luts(config.width, ceil_div(config.depth, 64));
  fifo.ff = 3 * address_bits(config.depth) + 2;
  return fifo;
}

} // namespace deltatwin
