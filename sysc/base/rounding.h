#pragma once
#include <algorithm>
#include <cstdint>

namespace deltatwin {

/// What a result is clamped to: see activation_low() and activation_high().
enum class Activation { none, relu, hardtanh };

/// What a neuron's result is clamped to.
[[nodiscard]] constexpr int activation_low(Activation activation) {
  return activation == Activation::relu ? 0 : activation == Activation::hardtanh ? -128 : -32768;
}
[[nodiscard]] constexpr int activation_high(Activation activation) {
  return activation == Activation::relu || activation == Activation::hardtanh ? 127 : 32767;
}

/// `k` is the requantizer's shift less 8.
[[nodiscard]] constexpr std::int64_t requantize_unclamped(std::int32_t sum, int multiplier, int bias, int k) {
  return (((static_cast<std::int64_t>(sum) * multiplier) >> k) + bias + 128) >> 8;
}

/// One neuron's result.
[[nodiscard]] constexpr std::int16_t requantize(std::int32_t sum, int multiplier, int bias, int k,
                                                Activation activation) {
  const std::int64_t low = activation_low(activation), high = activation_high(activation);
  return static_cast<std::int16_t>(std::clamp(requantize_unclamped(sum, multiplier, bias, k), low, high));
}

} // namespace deltatwin
