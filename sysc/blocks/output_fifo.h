#pragma once
#include "base/cycle.h"
#include <algorithm>

namespace deltatwin {

/// When the words of the output FIFO leave it: in order, each offered from the cycle after its push
/// on, once those before are taken. There is no full flag: whoever pushes counts what is inside.
class OutputFifoTiming {
public:
  /// The first cycle in which a word that is pushed in `push` is offered; then taken() with its beat.
  [[nodiscard]] Cycle offered(Cycle push) const { return std::max(push + 1, free_); }
  void taken(Cycle beat) { free_ = beat + 1; }

private:
  Cycle free_ = 0; ///< the cycle after the latest beat
};

} // namespace deltatwin
