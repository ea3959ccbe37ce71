#pragma once
#include "net/operators.h"

namespace deltatwin {

/// A real multiplier as TensorFlow Lite's kernels hold it: multiplier * 2^(exponent - 31).
struct QuantizedMultiplier {
  std::int32_t multiplier = 0; ///< 0, or 2^30..2^31-1
  int exponent = 0;            ///< -31..30

  /// What Requantization calls the shift.
  [[nodiscard]] int shift() const { return 31 - exponent; }
};
[[nodiscard]] QuantizedMultiplier quantized_multiplier(double real);

/// sum * multiplier * 2^(exponent - 31) step by step as those kernels do it, apart from base/rounding.h: what
/// a requantization is held against.
[[nodiscard]] std::int64_t tflite_scaled(std::int64_t sum, std::int32_t multiplier, int exponent);

} // namespace deltatwin
