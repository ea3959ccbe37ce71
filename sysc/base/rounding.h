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
  half_up,   ///< the nearest, ties upwards
  tflite,    ///< in two steps, as TensorFlow Lite's integer kernels do: see requantized()
  half_even, ///< the nearest, ties to the even one
  thresholds ///< none of these: a result is how many thresholds its sum reaches (net/operators.h)
};

/// A sum times multiplier / 2^shift, by all rules but thresholds; the multiplier is in 0..2^31-1, the shift
/// in 0..63.
///  half_up: floor((sum * m + 2^(s-1)) / 2^s)
///  tflite: up to s = 31 half_up; above it h = floor((sum * m + 2^30) / 2^31), then h / 2^(s-31), its ties
///          away from zero. What sum * 2^(31-s) would overflow in TensorFlow Lite is exact here.
[[nodiscard]] constexpr std::int64_t requantized(Rounding rounding, std::int32_t sum, std::int32_t multiplier,
                                                 int shift) {
  const std::int64_t product = std::int64_t{sum} * multiplier;
  if (rounding == Rounding::tflite && shift > 31) {
    const std::int64_t high = (product + (std::int64_t{1} << 30)) >> 31;
    return (high + (std::int64_t{1} << (shift - 32)) - (high < 0)) >> (shift - 31);
  }
  if (shift == 0)
    return product;
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  const std::int64_t odd = rounding == Rounding::half_even ? (product >> shift) & 1 : 1;
  return (product + half - 1 + odd) >> shift;
}

} // namespace deltatwin
