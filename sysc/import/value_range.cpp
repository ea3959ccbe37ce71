#include "import/value_range.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr std::size_t bins = 4096;

} // namespace

RangeMethod parse_range_method(const std::string& text) {
  for (const RangeMethod method : {RangeMethod::min_max, RangeMethod::percentile, RangeMethod::squared_error})
    if (text == to_string(method))
      return method;
  throw InputError("a range by \"" + printable(text) +
                   "\" is unknown; possible are min-max, percentile, squared-error");
}

std::string to_string(RangeMethod method) {
  return method == RangeMethod::min_max      ? "min-max"
         : method == RangeMethod::percentile ? "percentile"
                                             : "squared-error";
}

void ValueHistogram::see(const std::vector<float>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  seen_.low = std::min(seen_.low, static_cast<double>(*low));
  seen_.high = std::max(seen_.high, static_cast<double>(*high));
}

void ValueHistogram::count(const std::vector<float>& values) {
  bins_.resize(bins);
  const double width = (seen_.high - seen_.low) / static_cast<double>(bins);
  for (const float value : values) {
    const double at = width > 0 ? (static_cast<double>(value) - seen_.low) / width : 0;
    ++bins_[static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(bins - 1)))];
  }
}

double ValueHistogram::middle(std::size_t bin) const {
  return seen_.low + (static_cast<double>(bin) + 0.5) * (seen_.high - seen_.low) / static_cast<double>(bins);
}

double ValueHistogram::squared_error(const ValueRange& range, int bits) const {
  const double steps = (1 << bits) - 1, step = (range.high - range.low) / steps,
               zero = std::nearbyint(-range.low / step);
  double sum = 0;
  for (std::size_t b = 0; b < bins_.size(); ++b)
    if (bins_[b] != 0) {
      const double value = middle(b), integer = std::clamp(std::nearbyint(value / step) + zero, 0.0, steps),
                   error = (integer - zero) * step - value;
      sum += static_cast<double>(bins_[b]) * error * error;
    }
  return sum;
}

ValueRange ValueHistogram::between(double percentile) const {
  std::uint64_t all = 0;
  for (const std::uint64_t count : bins_)
    all += count;
  const double most = static_cast<double>(all) * (1 - percentile / 100);
  const double width = (seen_.high - seen_.low) / static_cast<double>(bins);
  ValueRange range = seen_;
  double cut = 0;
  for (std::size_t b = 0; b < bins && range.low < 0; ++b) {
    cut += static_cast<double>(bins_[b]);
    if (cut > most)
      break;
    range.low = std::min(0.0, seen_.low + static_cast<double>(b + 1) * width);
  }
  cut = 0;
  for (std::size_t b = bins; b-- > 0 && range.high > 0;) {
    cut += static_cast<double>(bins_[b]);
    if (cut > most)
      break;
    range.high = std::max(0.0, seen_.low + static_cast<double>(b) * width);
  }
  return range.high > range.low ? range : seen_;
}

ValueRange ValueHistogram::best(int bits) const {
  // Both ends together on a coarse grid, as the error has more than one valley; then each on a fine one.
  constexpr int coarse = 16, fine = 12;
  constexpr double ratio = 0.8, step = 0.015;
  ValueRange range = seen_;
  double least = squared_error(range, bits);
  const auto consider = [&](const ValueRange& other) {
    if (const double error = squared_error(other, bits); error < least) {
      least = error;
      range = other;
    }
  };
  double low = seen_.low;
  for (int l = 0; l < (seen_.low < 0 ? coarse : 1); ++l, low *= ratio) {
    double high = seen_.high;
    for (int h = 0; h < (seen_.high > 0 ? coarse : 1); ++h, high *= ratio)
      consider({low, high});
  }
  for (int round = 0; round < 2; ++round) {
    const ValueRange before = range;
    for (int t = -fine; t <= fine; ++t)
      consider({before.low, std::min(before.high * (1 + t * step), seen_.high)});
    const double chosen = range.high;
    for (int t = -fine; t <= fine; ++t)
      consider({std::max(before.low * (1 + t * step), seen_.low), chosen});
  }
  return range;
}

ValueRange ValueHistogram::chosen(RangeMethod method, int bits, double percentile) const {
  if (!(seen_.high > seen_.low) || bins_.empty() || method == RangeMethod::min_max)
    return seen_;
  return method == RangeMethod::percentile ? between(percentile) : best(bits);
}

double weight_step(RangeMethod method, const float* weights, std::size_t count, int most) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i)
    largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  double best = largest / most;
  if (method != RangeMethod::squared_error || largest == 0)
    return best;
  double least = -1;
  for (int share = 100; share >= 30; --share) {
    const double step = largest / most * share / 100;
    double sum = 0;
    for (std::size_t i = 0; i < count && (least < 0 || sum < least); ++i) {
      const double integer = std::clamp(std::nearbyint(weights[i] / step), static_cast<double>(-most),
                                        static_cast<double>(most));
      const double error = integer * step - weights[i];
      sum += error * error;
    }
    if (least < 0 || sum < least) {
      least = sum;
      best = step;
    }
  }
  return best;
}

} // namespace deltatwin
