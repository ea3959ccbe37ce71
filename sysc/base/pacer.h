#pragma once
#include "base/cycle.h"

namespace deltatwin {

/// Random stalls as a pure function, so that both twins and every rerun see the same: a beat is
/// held up with probability `stall`, again each cycle.
class Pacer {
public:
  explicit Pacer(double stall = 0, std::uint64_t seed = 0)
      : threshold_(static_cast<std::uint64_t>(stall * 4294967296.0)), seed_(seed) {}

  /// Is the taker ready in this cycle?
  [[nodiscard]] bool ready(Cycle cycle) const { return threshold_ == 0 || draw(cycle) >= threshold_; }
  /// The first cycle from `cycle` on in which it is.
  [[nodiscard]] Cycle next_ready(Cycle cycle) const {
    while (!ready(cycle))
      ++cycle;
    return cycle;
  }
  /// Idle cycles that a source leaves before beat `index`.
  [[nodiscard]] unsigned gap(std::uint64_t index) const {
    unsigned idle = 0;
    while (idle < 1000 && threshold_ != 0 && draw(index * 1024 + idle) < threshold_)
      ++idle;
    return idle;
  }

private:
  // 32 well-mixed bits of seed and position (splitmix64's finalizer).
  [[nodiscard]] std::uint64_t draw(std::uint64_t position) const {
    std::uint64_t z = (seed_ + 1) * 0x9e3779b97f4a7c15u + position * 0xd1342543de82ef95u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) >> 32;
  }
  std::uint64_t threshold_, seed_;
};

} // namespace deltatwin
