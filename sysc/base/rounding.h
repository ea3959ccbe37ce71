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

/// How a result between two numbers becomes one of them.
enum class Rounding {
  half_up,  ///< the nearest, ties upwards
  tflite,   ///< in two steps, as TensorFlow Lite's integer kernels do: see requantized()
  half_even ///< the nearest, ties to the even one
};

/// A sum times multiplier / 2^shift; the multiplier is in 0..2^31-1, the shift in 0..62.
///  half_up: floor((sum * m + 2^(s-1)) / 2^s)
///  tflite: with t = 31 - s, h = floor((sum * 2^max(t,0) * m + 2^30) / 2^31), then h / 2^max(-t,0), its ties
///          away from zero; sum * 2^max(t,0) must be within 32 bits
[[nodiscard]] constexpr std::int64_t requantized(Rounding rounding, std::int32_t sum, std::int32_t multiplier,
                                                 int shift) {
  const std::int64_t product = std::int64_t{sum} * multiplier;
  if (rounding == Rounding::tflite) {
    const int left = shift < 31 ? 31 - shift : 0, right = shift > 31 ? shift - 31 : 0;
    const std::int64_t high = (product * (std::int64_t{1} << left) + (std::int64_t{1} << 30)) >> 31;
    const std::int64_t half = right ? std::int64_t{1} << (right - 1) : 0;
    return (high + half - (right && high < 0)) >> right;
  }
  if (shift == 0)
    return product;
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  const std::int64_t odd = rounding == Rounding::half_even ? (product >> shift) & 1 : 1;
  return (product + half - 1 + odd) >> shift;
}

} // namespace deltatwin
