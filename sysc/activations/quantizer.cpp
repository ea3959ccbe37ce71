#include "activations/quantizer.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

// Rounds halves to even for |value| < 2^51, as additions do: that vectorizes.
double round_even(double value) {
  constexpr double big = 6755399441055744.0; // 1.5 * 2^52
  return (value + big) - big;
}

} // namespace

Grid::Grid(double maximum, int bits, bool is_signed)
    : maximum_(maximum), factor_(std::ldexp(1.0, bits)), step_(maximum / factor_),
      lowest_(is_signed ? -(1 << bits) : 0), highest_((1 << bits) - 1) {}

// The quotient of two floats times a power of two is a half only if it is one exactly (24 bits each), so
// that one rounded division in double is enough.
int Grid::code(double value) const {
  if (!(maximum_ > 0))
    return 0;
  const double low = lowest_, high = highest_; // whole, so that clamping may come first
  return static_cast<int>(round_even(std::clamp(value * factor_ / maximum_, low, high)));
}

double Grid::quantize(float* values, std::size_t count, std::int16_t* codes) const {
  if (!(maximum_ > 0)) {
    std::fill(codes, codes + count, std::int16_t{0});
    double energy = 0;
    for (std::size_t i = 0; i < count; ++i) {
      energy += static_cast<double>(values[i]) * values[i];
      values[i] = 0;
    }
    return energy;
  }
  const double factor = factor_, maximum = maximum_, step = step_, low = lowest_, high = highest_;
  double error = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = values[i];
    const double scaled = value * factor / maximum;
    const double bounded = scaled < low ? low : scaled > high ? high : scaled;
    const double code = round_even(bounded);
    const double back = static_cast<float>(step * code);
    error += (value - back) * (value - back);
    codes[i] = static_cast<std::int16_t>(code);
    values[i] = static_cast<float>(back);
  }
  return error;
}

int NoisyGrid::code(double value) const {
  if (!(scale > 0))
    return 0;
  const double low = -std::ldexp(1.0, bits - 1), high = std::ldexp(1.0, bits - 1) - 1;
  return static_cast<int>(round_even(std::clamp((value + offset) / scale, low, high)));
}

float power_of_two(float value, int bits, bool normalized, double maximum) {
  if (value == 0 || (normalized && !(maximum > 0)))
    return 0;
  const double size = normalized ? std::abs(value) / maximum : std::abs(value);
  int exponent = 0;
  const double fraction = std::frexp(size, &exponent); // 0.5 .. 1
  if (fraction < std::sqrt(0.5))
    --exponent;
  const int reach = normalized ? (1 << (bits - 1)) - 1 : 1 << (bits - 2);
  exponent = std::clamp(exponent, -reach, normalized ? 0 : reach - 1);
  const double back = std::ldexp(normalized ? maximum : 1.0, exponent);
  return static_cast<float>(value < 0 ? -back : back);
}

Distribution::Distribution(double maximum) : maximum_(maximum), bins_(2 * bins) {}

void Distribution::add(const float* values, std::size_t count) {
  if (!(maximum_ > 0))
    return;
  const double per_bin = bins / maximum_;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bin = static_cast<int>(std::floor(values[i] * per_bin)) + bins;
    Bin& to = bins_[static_cast<std::size_t>(std::clamp(bin, 0, 2 * bins - 1))];
    ++to.count;
    to.sum += static_cast<double>(values[i]);
  }
}

double Distribution::best_maximum(int bits, bool is_signed) const {
  if (!(maximum_ > 0))
    return 0;
  double best = maximum_, least = -1;
  for (int percent = 4; percent <= 150; ++percent) { // above 100: the largest code is 2^K - 1
    const Grid grid(maximum_ * percent / 100, bits, is_signed);
    double error = 0;
    for (const Bin& bin : bins_) {
      if (!bin.count)
        continue;
      const double mean = bin.sum / static_cast<double>(bin.count);
      const double off = mean - static_cast<double>(grid.value(grid.code(mean)));
      error += static_cast<double>(bin.count) * off * off;
    }
    if (least < 0 || error < least) {
      least = error;
      best = maximum_ * percent / 100;
    }
  }
  return best;
}

double largest_magnitude(const float* values, std::size_t count) {
  float largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float size = values[i] < 0 ? -values[i] : values[i];
    largest = size > largest ? size : largest;
  }
  return static_cast<double>(largest);
}

} // namespace deltatwin
