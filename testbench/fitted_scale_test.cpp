// Scales to integers: every sum is tried, against the arithmetic that is meant.
#include "base/rounding.h"
#include "import/fitted_scale.h"
#include "random_work.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace deltatwin;

namespace {

int half_even(double value, const ResultRange& range) {
  const double low = range.low, high = range.high;
  return static_cast<int>(std::clamp(std::nearbyint(value) + range.zero_point, low, high));
}

int fitted(const FittedScale& fit, std::int64_t sum, const ResultRange& range) {
  const std::int64_t result =
      requantized(Rounding::half_even, static_cast<std::int32_t>(sum), fit.multiplier, fit.shift) +
      range.zero_point;
  return static_cast<int>(std::clamp<std::int64_t>(result, range.low, range.high));
}

} // namespace

TEST_CASE("fitted scale: as many sums differ from float arithmetic as it tells, mostly none") {
  std::mt19937 random(base_seed());
  std::uint64_t exact = 0, all = 0;
  for (int i = 0; i < repeats(300); ++i) {
    CAPTURE(i);
    const int zero_point = static_cast<int>(random() % 256) - 128;
    ResultRange range{zero_point, -128, 127};
    if (random() % 3 == 0)
      range.low = zero_point;
    const float scale =
        std::ldexp(1 + static_cast<float>(random() % 1000) / 1000, -static_cast<int>(random() % 16) + 2);
    const auto lowest = -static_cast<std::int64_t>(random() % 60'000),
               highest = static_cast<std::int64_t>(random() % 60'000);
    const auto result = [&](std::int64_t sum) { return half_even(static_cast<float>(sum) * scale, range); };
    const FittedScale fit = fit_half_even(result, lowest, highest, scale, range);
    std::uint64_t differing = 0;
    for (std::int64_t sum = lowest; sum <= highest; ++sum)
      differing += fitted(fit, sum, range) != result(sum);
    CHECK(fit.differing == differing);
    CHECK(fit.sums == static_cast<std::uint64_t>(highest - lowest + 1));
    CHECK(fit.multiplier >= 0);
    CHECK(fit.shift >= 0);
    CHECK(fit.shift <= 62);
    exact += fit.differing == 0;
    ++all;
  }
  CHECK(exact * 10 >= all * 9);
}

TEST_CASE("fitted scale: powers of two and one are themselves, ties too") {
  const ResultRange range;
  for (const int shift : {0, 1, 4, 10, 20}) {
    const double scale = std::ldexp(1, -shift);
    const FittedScale fit =
        fit_half_even([&](std::int64_t sum) { return half_even(static_cast<double>(sum) * scale, range); },
                      -1'000'000, 1'000'000, scale, range);
    CHECK(fit.multiplier == 1);
    CHECK(fit.shift == shift);
    CHECK(fit.differing == 0);
  }
}

TEST_CASE("fitted scale: arithmetic that no multiplier has is counted where it is missed") {
  // Half up: on one side of 0 a tie wants a larger multiplier, on the other a smaller one.
  const ResultRange range;
  const auto result = [&](std::int64_t sum) {
    return static_cast<int>(std::clamp(std::floor(static_cast<double>(sum) / 4 + 0.5), -128.0, 127.0));
  };
  const FittedScale fit = fit_half_even(result, -1000, 1000, 0.25, range);
  std::uint64_t differing = 0;
  for (int sum = -1000; sum <= 1000; ++sum)
    differing += fitted(fit, sum, range) != result(sum);
  CHECK(fit.differing == differing);
  CHECK(differing > 0);
  CHECK(differing <= 128);
}

TEST_CASE("fitted scale: a scale of nearly nothing and one of very much") {
  const ResultRange range{5, -128, 127};
  for (const double scale : {1e-30, 1e-12, 3e6, 1.9e9}) {
    CAPTURE(scale);
    const auto result = [&](std::int64_t sum) { return half_even(static_cast<double>(sum) * scale, range); };
    const FittedScale fit = fit_half_even(result, -2'000'000'000, 2'000'000'000, scale, range);
    CHECK(fit.differing == 0);
    for (const std::int64_t sum : {-2'000'000'000, -500, -1, 0, 1, 99, 2'000'000'000})
      CHECK(fitted(fit, sum, range) == result(sum));
  }
}

TEST_CASE("fitted scale: additions agree in every pair, but for those that it counts") {
  std::mt19937 random(base_seed());
  int exact = 0;
  const int count = repeats(12);
  for (int i = 0; i < count; ++i) {
    CAPTURE(i);
    const auto scale = [&] { return 0.002f + static_cast<float>(random() % 100'000) / 1e6f; };
    const float scales[2] = {scale(), i % 4 == 0 ? 0.05f : scale()}, to = scale();
    const int zero_point = static_cast<int>(random() % 256) - 128;
    const ResultRange range{zero_point, random() % 2 ? zero_point : -128, 127};
    const auto addend = [&](float own) {
      const int zero = static_cast<int>(random() % 256) - 128;
      return Addend{-128 - zero, 127 - zero, double{own} / to};
    };
    const Addend first = addend(scales[0]), second = addend(scales[1]);
    const auto result = [&](int a, int b) {
      const float real = static_cast<float>(a) * scales[0] + static_cast<float>(b) * scales[1];
      return half_even(real / to, range);
    };
    const FittedAdd fit = fit_add(result, first, second, range);
    bool fits = true;
    std::uint64_t differing = 0;
    for (int a = first.low; a <= first.high; ++a)
      for (int b = second.low; b <= second.high; ++b) {
        const std::int64_t sum = std::int64_t{a} * fit.multipliers[0] + std::int64_t{b} * fit.multipliers[1];
        fits = fits && std::abs(sum) < std::int64_t{1} << 31;
        differing += fitted(fit.output, sum, range) != result(a, b);
      }
    CHECK(fits);
    CHECK(fit.output.differing == differing);
    CHECK(fit.output.sums == 65'536);
    exact += differing == 0;
  }
  CHECK(exact * 4 >= count * 3);
}
