#include "import/tflite_scale.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {

QuantizedMultiplier quantized_multiplier(double real) {
  QuantizedMultiplier result;
  if (real == 0)
    return result;
  const double fraction = std::frexp(real, &result.exponent);
  auto fixed = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
  if (fixed == std::int64_t{1} << 31) {
    fixed /= 2;
    ++result.exponent;
  }
  result.multiplier = static_cast<std::int32_t>(fixed);
  if (result.exponent < -31)
    return {};
  return result;
}

std::int64_t tflite_scaled(std::int64_t sum, std::int32_t multiplier, int exponent) {
  const std::int64_t product = (sum * (std::int64_t{1} << std::max(exponent, 0))) * multiplier;
  // The doubled product's high word: C's division towards 0 of the product and half a unit, which is 1 less
  // than half on the negative side.
  const std::int64_t half = std::int64_t{1} << 30;
  const std::int64_t high = (product + (product >= 0 ? half : 1 - half)) / (std::int64_t{1} << 31);
  const int right = std::max(-exponent, 0);
  const std::int64_t mask = (std::int64_t{1} << right) - 1, rest = high & mask;
  return (high >> right) + (rest > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
}

} // namespace deltatwin
