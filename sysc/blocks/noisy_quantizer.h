#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace deltatwin {

/// The parameters of the RTL `noisy_quantizer`, which has the contract.
struct NoisyQuantizerConfig {
  int data_bits = 16; ///< of a value, 8..16
  int bits = 3;       ///< of a code, 2..5

  /// The largest code, Q.
  [[nodiscard]] constexpr int most() const { return (1 << (bits - 1)) - 1; }
  /// F: steps, offsets, errors and results are in units of 1/F of a value's.
  [[nodiscard]] constexpr int factor() const { return 50 * most(); }
  [[nodiscard]] constexpr int step_bits() const { return data_bits + 5; }
  [[nodiscard]] constexpr int offset_bits() const { return data_bits + 6; }
  [[nodiscard]] constexpr int error_bits() const { return data_bits + address_bits(45 * most()); }
  [[nodiscard]] constexpr int quotient_bits() const { return address_bits(10 * most() + 2); }
  /// Cycles from a value to its result.
  [[nodiscard]] constexpr Cycle latency() const { return 5 + static_cast<Cycle>(quotient_bits()); }
};

/// What a code is held in.
enum class NoisyRange {
  clip, ///< -Q..Q
  free, ///< as many as the divider finds
  code  ///< -Q - 1..Q
};

struct NoisyResult {
  std::int64_t code, error, value;
};

/// A value's code for a step and an offset: halves go down; a step of 0 makes it 0.
[[nodiscard]] constexpr NoisyResult noisy_quantize(const NoisyQuantizerConfig& config, int x,
                                                   std::int64_t step, std::int64_t offset, NoisyRange range) {
  const std::int64_t t = std::int64_t{config.factor()} * x + offset;
  std::int64_t code = 0;
  if (step) { // the ceiling of (2t - s) / 2s
    const std::int64_t over = 2 * t - step, by = 2 * step;
    code = over / by + (over % by > 0);
    const std::int64_t high =
        range == NoisyRange::free ? (std::int64_t{1} << config.quotient_bits()) - 1 : config.most();
    code = std::clamp(code, range == NoisyRange::code ? -high - 1 : -high, high);
  }
  return {code, step * code - t, step * code - offset};
}

/// A result as it leaves the top: the value's 27 bits, above them the code's 5.
[[nodiscard]] constexpr std::uint32_t noisy_word(const NoisyResult& result) {
  constexpr std::uint32_t value_bits = 27;
  return static_cast<std::uint32_t>(result.code) << value_bits |
         (static_cast<std::uint32_t>(result.value) & ((1u << value_bits) - 1));
}
/// Of many values, each held in what a code can be.
void noisy_words(const NoisyQuantizerConfig& config, const std::int16_t* values, std::size_t count,
                 std::int64_t step, std::int64_t offset, std::uint32_t* words);

/// What it takes.
[[nodiscard]] Resources noisy_quantizer_resources(const NoisyQuantizerConfig& config);

} // namespace deltatwin
