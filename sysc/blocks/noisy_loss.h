#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstdint>

namespace deltatwin {

/// The parameters of the RTL `noisy_loss`, which has the contract.
struct NoisyLossConfig {
  int sum_bits = 45, count_bits = 12;
  [[nodiscard]] constexpr int loss_bits() const { return 2 * (sum_bits - 1) + count_bits; }
};

/// A sum of squares: up to 114 bits.
__extension__ typedef unsigned __int128 NoisyLoss;
[[nodiscard]] constexpr NoisyLoss square(std::int64_t sum) {
  __extension__ typedef __int128 Wide;
  return static_cast<NoisyLoss>(Wide{sum} * sum);
}

/// When verdicts stand.
struct NoisyLossTiming {
  static constexpr Cycle verdict = 5; ///< from a candidate's last sum
};

/// The losses of candidates, and the least of them.
class NoisyLossCore {
public:
  struct Verdict {
    NoisyLoss loss;
    bool better;
  };

  /// A search begins.
  void start() { fresh_ = true; }
  void add(std::int64_t sum) { loss_ += square(sum); }
  /// Of several sums.
  void add_squares(NoisyLoss squares) { loss_ += squares; }
  /// After a candidate's last sum.
  Verdict judge() {
    const Verdict verdict{loss_, fresh_ || loss_ < best_};
    if (verdict.better)
      best_ = loss_;
    fresh_ = false;
    loss_ = 0;
    return verdict;
  }

private:
  NoisyLoss loss_ = 0, best_ = 0;
  bool fresh_ = true;
};

/// What they take.
[[nodiscard]] Resources noisy_loss_resources(const NoisyLossConfig& config);

} // namespace deltatwin
