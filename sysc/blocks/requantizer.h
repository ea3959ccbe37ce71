#pragma once
#include "base/resources.h"
#include "base/rounding.h"
#include <cstdint>

namespace deltatwin {

/// The requantizer's pure functions. y = clamp((((sum * m) >> k) + b + 128) >> 8), which equals
/// (sum * m + b * 2^k + 2^(k+7)) >> (k+8): multiply, add, shift with round half up.
/// One neuron a cycle; a result leaves `latency` cycles after its sum came in.
struct RequantizerTiming {
  static constexpr int latency = 5;
};

/// What a 36-bit parameter word holds: m in bits 15:0 (unsigned), b in bits 35:16 (signed).
[[nodiscard]] constexpr std::uint64_t pack_parameter(int multiplier, int bias) {
  return (static_cast<std::uint64_t>(bias) & 0xfffffu) << 16 | static_cast<std::uint64_t>(multiplier);
}
[[nodiscard]] constexpr int parameter_multiplier(std::uint64_t word) {
  return static_cast<int>(word & 0xffffu);
}
[[nodiscard]] constexpr int parameter_bias(std::uint64_t word) {
  return static_cast<int>(static_cast<std::int32_t>(static_cast<std::uint32_t>(word >> 16) << 12) >> 12);
}

/// The parameters of the RTL `requantizer`, and where its factors come from.
struct RequantizerConfig {
  int tag_bits = 12;               ///< what travels along with a sum
  int sum_bits = 32;               ///< of a sum
  bool factor_in_register = false; ///< their memory has no register of its own: no parameter of the RTL
};

/// What the requantizer takes: its product is two DSPs, and what travels along are shift registers.
[[nodiscard]] constexpr Resources requantizer_resources(const RequantizerConfig& config) {
  const int shift_registers = 27 + config.tag_bits;
  const int factor = config.factor_in_register ? 16 : 0;
  const bool one_dsp = config.sum_bits == 18; // the upper part of the product has one bit
  return {71 + 31 * config.sum_bits / 4 + shift_registers + (one_dsp ? 28 : 0),
          37 + config.sum_bits + factor + (one_dsp ? 18 : 0),
          one_dsp ? 1 : 2,
          0,
          0,
          shift_registers};
}

} // namespace deltatwin
