#pragma once
#include "net/operators.h"
#include <cstdint>
#include <functional>

namespace deltatwin {

/// Multiplier and shift of a requantization that rounds half to even, and how true they are to the arithmetic
/// that they stand for.
struct FittedScale {
  std::int32_t multiplier = 0;
  int shift = 0;
  std::uint64_t sums = 0;      ///< that can be reached
  std::uint64_t differing = 0; ///< of them: other results than the arithmetic's
};

/// What a tensor's integers are clamped to, and which of them stands for 0.
struct ResultRange {
  int zero_point = 0, low = -128, high = 127;
};

/// Fits to `result`, which gives for a sum in lowest..highest a number in low..high and never falls when the
/// sum grows: it is then told by the least sum of each number, found by bisection. Each of these narrows the
/// multipliers that agree with it; if none is left the one that the most agree with is taken. `slope` is the
/// factor of the sum that the arithmetic means.
/// What is multiplied is sum * factor + bias, and `slope` is of that.
[[nodiscard]] FittedScale fit_half_even(const std::function<int(std::int64_t)>& result, std::int64_t lowest,
                                        std::int64_t highest, double slope, const ResultRange& range,
                                        std::int64_t factor = 1, std::int64_t bias = 0);

/// An addition of two integers less their zero points, x in low..high each.
struct Addend {
  int low = -255, high = 255;
  double scale = 1;    ///< in units of the result's
  int most_stored = 0; ///< the largest magnitude that its format can hold, though x is in low..high
};
struct FittedAdd {
  std::int32_t multipliers[2] = {1, 1}; ///< of the addends, with no shift
  FittedScale output;                   ///< of their sum; here `sums` are pairs of addends
};
/// Fits to `result` of two addends by trying ratios of multipliers that are the nearest to that of the
/// scales.
[[nodiscard]] FittedAdd fit_add(const std::function<int(int, int)>& result, const Addend& first,
                                const Addend& second, const ResultRange& range);

} // namespace deltatwin
