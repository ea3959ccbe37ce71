#pragma once
#include "base/network.h"
#include <algorithm>
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

/// One neuron's result. `k` is the requantizer shift less 8.
[[nodiscard]] constexpr std::int16_t requantize(std::int32_t sum, int multiplier, int bias, int k,
                                                Activation activation) {
  const std::int64_t scaled = (static_cast<std::int64_t>(sum) * multiplier) >> k;
  const std::int64_t rounded = (scaled + bias + 128) >> 8;
  const std::int64_t low = activation == Activation::none       ? -32768
                           : activation == Activation::hardtanh ? -128
                                                                : 0;
  const std::int64_t high = activation == Activation::none ? 32767 : 127;
  return static_cast<std::int16_t>(std::clamp(rounded, low, high));
}

} // namespace deltatwin
