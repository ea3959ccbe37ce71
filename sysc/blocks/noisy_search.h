#pragma once
#include "blocks/noisy_quantizer.h"
#include <cstdint>

namespace deltatwin {

/// The candidates of one search, for the step and for the offset.
inline constexpr int noisy_trials = 10;

/// What NoisyQuant's search finds for a channel.
struct NoisyChoice {
  int i = noisy_trials;      ///< the step: M i / (10 Q)
  int j = -noisy_trials / 2; ///< the offset: j fifths of the step
  int largest = 0;           ///< M

  /// In units of 1/F of a value's.
  [[nodiscard]] constexpr std::int64_t fifth() const { return std::int64_t{largest} * i; }
  [[nodiscard]] constexpr std::int64_t step() const { return 5 * fifth(); }
  [[nodiscard]] constexpr std::int64_t offset() const { return j * fifth(); }
};

/// The step and the offset of the i-th (from 0) candidate, where `fifth` is a fifth of the best step
/// and `largest` M.
[[nodiscard]] constexpr std::int64_t noisy_trial_step(int trial, int largest) {
  return 5 * std::int64_t{largest} * (noisy_trials - trial);
}
[[nodiscard]] constexpr std::int64_t noisy_trial_offset(int trial, std::int64_t fifth) {
  return (trial - noisy_trials / 2) * fifth;
}

/// Searches for a channel of width * width values, row by row, width at most 64: rtl/noisyquant.sv says
/// what. Exact, and without time; products of int16 in SIMD.
[[nodiscard]] NoisyChoice noisy_search(const NoisyQuantizerConfig& config, int width,
                                       const std::int16_t* values);

} // namespace deltatwin
