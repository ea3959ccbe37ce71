#pragma once
#include "base/resources.h"
#include "base/rounding.h"
#include "tops/accelerator/design.h"
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

/// What the requantizer takes, for sums of so many bits: its product is two DSPs, and what travels along are
/// shift registers.
[[nodiscard]] constexpr Resources requantizer_resources(const Design& design, int sum_bits) {
  const int shift_registers = 29 + address_bits(2 * design.act_depth);
  const int factor = design.param_depth <= 64 ? 16 : 0; // LUT-RAM has no register of its own
  const bool one_dsp = sum_bits == 18;                  // the upper part of the product has one bit
  return {54 + 31 * sum_bits / 4 + shift_registers + (one_dsp ? 28 : 0),
          37 + sum_bits + factor + (one_dsp ? 18 : 0),
          one_dsp ? 1 : 2,
          0,
          0,
          shift_registers};
}

} // namespace deltatwin
