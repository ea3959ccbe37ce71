#pragma once
#include "base/cycle.h"
#include "base/error.h"
#include "base/resources.h"
#include "base/rounding.h"
#include <cstdint>

namespace deltatwin {

/// A sum becomes a value of another scale: y = clamp(zero + round(v * multiplier / 2^shift), low, high), one
/// a cycle; nothing wraps. The RTL `scaler` has the contract.
struct ScalerTiming {
  static constexpr Cycle latency = 7;
};

/// How a beat is scaled.
struct Scaling {
  std::int32_t multiplier = 0; ///< 0..2^31-1
  int shift = 0;               ///< 0..63
  Rounding rounding = Rounding::half_up;
  int zero = 0, low = -128, high = 127; ///< of int8
};

/// A rule's number on the pins and in a layer's record.
[[nodiscard]] constexpr int scaling_rule(Rounding rounding) {
  if (rounding == Rounding::thresholds)
    throw InputError("rounding thresholds: no block here counts thresholds");
  return rounding == Rounding::half_even ? 1 : rounding == Rounding::tflite ? 2 : 0;
}
[[nodiscard]] constexpr Rounding scaling_rounding(int rule) {
  return rule == 1 ? Rounding::half_even : rule == 2 ? Rounding::tflite : Rounding::half_up;
}

/// One sum's value.
[[nodiscard]] constexpr std::int8_t scaled(const Scaling& scaling, std::int32_t v) {
  const std::int64_t y = requantized(scaling.rounding, v, scaling.multiplier, scaling.shift) + scaling.zero;
  return static_cast<std::int8_t>(y < scaling.low ? scaling.low : y > scaling.high ? scaling.high : y);
}

/// A number held in `bits` bits, signed.
[[nodiscard]] constexpr std::int32_t saturated(std::int64_t number, int bits) {
  const std::int64_t high = (std::int64_t{1} << (bits - 1)) - 1, low = -high - 1;
  return static_cast<std::int32_t>(number < low ? low : number > high ? high : number);
}

/// The parameters of the RTL `scaler`.
struct ScalerConfig {
  int sum_bits = 25;    ///< of v, 12..32
  bool multiply = true; ///< or shifts alone: every multiplier counts as 1
  int factor_bits = 31; ///< of multipliers, the low ones, 8..31
};

/// One sum's value in such a scaler.
[[nodiscard]] constexpr std::int8_t scaled(const ScalerConfig& config, Scaling scaling, std::int32_t v) {
  if (!config.multiply)
    scaling.multiplier = 1;
  else
    scaling.multiplier &= static_cast<std::int32_t>((std::uint32_t{1} << config.factor_bits) - 1);
  return scaled(scaling, v);
}

/// What it takes: the product is all in its DSPs; without one a first estimate, not fitted.
[[nodiscard]] constexpr Resources scaler_resources(const ScalerConfig& config) {
  if (!config.multiply)
    return {60 + 6 * config.sum_bits, 40 + 3 * config.sum_bits, 0, 0, 0, 32};
  constexpr int part = 17; // of a factor, in a DSP
  if (config.factor_bits <= part)
    return config.sum_bits <= 25
               ? Resources{150 + (config.sum_bits + config.factor_bits) / 2, 70, 1, 0, 0, 32}
               : Resources{172, 87, 2, 0, 0, 32};
  return config.sum_bits <= 25 ? Resources{186, 87, 2, 0, 0, 32} : Resources{189, 104, 4, 0, 0, 32};
}

} // namespace deltatwin
