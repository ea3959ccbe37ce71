#pragma once
#include "blocks/scaler.h"
#include "random_work.h"
#include <algorithm>

namespace deltatwin {

__extension__ typedef __int128 Wide;

/// Toward minus infinity.
inline Wide floor_div(Wide number, Wide by) {
  const Wide quotient = number / by;
  return quotient - (number % by < 0);
}

/// What the three rules say, in arithmetic that holds everything: the plain roundings by division, and
/// TensorFlow Lite's as gemmlowp defines its two steps, with a nudge and a threshold.
inline Wide reference_rounded(Rounding rounding, Wide sum, Wide multiplier, int shift) {
  const Wide unit = Wide{1} << shift, product = sum * multiplier;
  if (rounding == Rounding::half_up)
    return floor_div(2 * product + unit, 2 * unit);
  if (rounding == Rounding::half_even) {
    const Wide below = floor_div(product, unit), twice_rest = 2 * (product - below * unit);
    return below + (twice_rest > unit || (twice_rest == unit && below % 2 != 0));
  }
  const int exponent = 31 - shift; // TFLite's shift, to the left
  const Wide doubled = sum * (Wide{1} << std::max(exponent, 0)) * multiplier;
  const Wide nudge = doubled >= 0 ? Wide{1} << 30 : 1 - (Wide{1} << 30);
  const Wide high = (doubled + nudge) / (Wide{1} << 31);
  const Wide mask = (Wide{1} << std::max(-exponent, 0)) - 1;
  const Wide threshold = (mask >> 1) + (high < 0);
  return (high >> std::max(-exponent, 0)) + ((high & mask) > threshold);
}

inline int reference_scaled(const Scaling& scaling, std::int64_t sum) {
  const Wide y = reference_rounded(scaling.rounding, sum, scaling.multiplier, scaling.shift) + scaling.zero;
  return static_cast<int>(y < scaling.low ? scaling.low : y > scaling.high ? scaling.high : y);
}

struct ScalingWork {
  std::int64_t sum;
  Scaling scaling;
};

/// Sums and scales in which results of a byte, ties and what is beside them, and extremes come often.
inline ScalingWork random_scaling(RandomWork& random, int sum_bits, int factor_bits = 31) {
  const int high = factor_bits - 1; // the highest bit
  const std::int32_t most = static_cast<std::int32_t>((std::uint32_t{1} << factor_bits) - 1);
  const std::int64_t end = std::int64_t{1} << (sum_bits - 1);
  ScalingWork work{};
  Scaling& scaling = work.scaling;
  scaling.rounding = static_cast<Rounding>(random.in(0, 2));
  scaling.shift = random.in(0, 63);
  scaling.multiplier =
      static_cast<std::int32_t>(random.in(0, 2) ? random.word(high) | 1 << high
                                                : random.word(factor_bits) >> random.in(0, factor_bits));
  const auto divided = [&](Wide product) {
    const Wide by = std::max(scaling.multiplier, 1);
    return static_cast<std::int64_t>(std::clamp<Wide>(product / by, -end, end - 1));
  };
  const int kind = random.in(0, 9);
  if (kind >= 3 && kind < 7 && random.in(0, 3)) { // ties are hit
    const int power = random.in(0, 1) ? high : random.in(0, high);
    scaling.multiplier = std::int32_t{1} << power;
    scaling.shift = power + random.in(1, sum_bits - 10);
  }
  const Wide unit = Wide{1} << scaling.shift;
  if (kind < 3) { // results of a byte, and a little more
    work.sum = divided(random.in(-300, 300) * unit + static_cast<Wide>(random.word(62)) % unit);
  } else if (kind < 7) { // on a tie, or beside it, in either of TensorFlow Lite's steps
    Wide product = (2 * random.in(-300, 300) + 1) * unit / 2;
    if (random.in(0, 1))
      product += random.in(-3, 3) * (Wide{1} << 30);
    work.sum = std::clamp<std::int64_t>(divided(product) + random.in(-1, 1) * random.in(0, 1), -end, end - 1);
  } else if (kind < 8) { // any
    work.sum = static_cast<std::int64_t>(random.word(sum_bits)) - end;
  } else { // extremes
    work.sum = random.in(0, 2) ? random.in(0, 1) ? end - 1 : -end : random.in(-1, 1);
    if (random.in(0, 1))
      scaling.multiplier = random.in(0, 1) ? most : random.in(0, 1);
    if (random.in(0, 1))
      scaling.shift = random.in(0, 1) ? 63 : random.in(30, 33);
  }
  scaling.zero = random.in(0, 2) ? random.in(-128, 127) : random.in(0, 1) ? random.in(0, 1) * 255 - 128 : 0;
  if (random.in(0, 2) == 0) {
    scaling.low = random.in(-128, 127);
    scaling.high = random.in(0, 19) ? random.in(scaling.low, 127) : random.in(-128, 127);
  }
  return work;
}

} // namespace deltatwin
