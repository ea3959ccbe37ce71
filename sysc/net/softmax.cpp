#include "net/softmax.h"
#include "base/error.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace deltatwin {
namespace {

// TensorFlow Lite's arithmetic: numbers of 32 bits, of which some are in front of the point.
using Fixed = std::int32_t;
constexpr std::int64_t highest = std::numeric_limits<Fixed>::max(),
                       lowest = std::numeric_limits<Fixed>::min();
constexpr int difference_bits = 5; ///< in front of the point, of what goes into exp
constexpr int sum_bits = 12;       ///< likewise, of the sum of exps

Fixed saturated(std::int64_t value) { return static_cast<Fixed>(std::clamp(value, lowest, highest)); }

// a * b * 2^-31, ties upwards.
Fixed product(Fixed a, Fixed b) { return saturated((std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31); }

// value * 2^exponent; to the right ties go away from zero.
Fixed scaled(Fixed value, int exponent) {
  if (exponent >= 0)
    return saturated(std::int64_t{value} * (std::int64_t{1} << exponent));
  const std::int64_t half = std::int64_t{1} << (-exponent - 1);
  return static_cast<Fixed>((value + half - (value < 0)) >> -exponent);
}

// Of a fraction of -1..1.
Fixed constant(double real) { return saturated(std::llround(real * 2147483648.0)); }

// exp(value * 2^-26), value not above 0, with 31 bits behind the point.
Fixed exponential(Fixed value) {
  if (value == 0)
    return static_cast<Fixed>(highest);
  constexpr Fixed quarter = 1 << (31 - difference_bits - 2);
  const Fixed rest = (value & (quarter - 1)) - quarter; // of -1/4..0
  // A polynomial around -1/8.
  const Fixed x = rest * (1 << difference_bits) + (1 << 28), square = product(x, x);
  const Fixed cube = product(square, x), fourth = scaled(product(square, square), -2);
  const Fixed high = scaled(product(fourth + cube, constant(1.0 / 3)) + square, -1);
  Fixed result =
      saturated(std::int64_t{constant(std::exp(-0.125))} + product(constant(std::exp(-0.125)), x + high));
  // What is left is a sum of powers of two, from 1/4 on.
  const Fixed remainder = rest - value;
  for (int power = -2; power < difference_bits; ++power)
    if (remainder & (1 << (31 - difference_bits + power)))
      result = product(result, constant(std::exp(-std::exp2(power))));
  return result;
}

// 1 / (1 + value), value of 0..1 with 31 bits behind the point, by three steps of Newton's.
Fixed reciprocal(Fixed value) {
  const Fixed half = static_cast<Fixed>((std::int64_t{value} + highest + 1) / 2); // of the denominator
  const Fixed one = 1 << 29; // two bits in front of the point
  Fixed x = constant(48.0 / 17 / 4) + product(half, constant(-32.0 / 17 / 4));
  for (int step = 0; step < 3; ++step) {
    const Fixed error = one - product(half, x);
    x += scaled(product(x, error), 2);
  }
  return scaled(x, 1);
}

int leading_zeros(Fixed value) {
  int count = 0;
  while (count < 32 && !(static_cast<std::uint32_t>(value) >> (31 - count)))
    ++count;
  return count;
}

// In 1/256.
std::vector<double> tflite_row(const Softmax& softmax, const int* values, std::size_t count) {
  const int most = *std::max_element(values, values + count);
  // Below that, exp would be below what 5 bits in front of the point can say.
  const double radius = std::floor(((1 << difference_bits) - 1) * std::exp2(31 - difference_bits) /
                                   std::exp2(softmax.left_shift));
  std::vector<Fixed> exponentials(count);
  Fixed sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int difference = values[i] - most;
    if (difference < -radius)
      continue;
    exponentials[i] = exponential(product(scaled(difference, softmax.left_shift), softmax.multiplier));
    sum = saturated(std::int64_t{sum} + scaled(exponentials[i], -sum_bits));
  }
  const int zeros = leading_zeros(sum);
  const Fixed scale =
      reciprocal(static_cast<Fixed>((static_cast<std::uint32_t>(sum) << zeros) - (std::uint32_t{1} << 31)));
  std::vector<double> result;
  for (std::size_t i = 0; i < count; ++i) {
    const bool counts = values[i] - most >= -radius;
    const Fixed value = counts ? scaled(product(scale, exponentials[i]), -(sum_bits - zeros + 31 - 8)) : 0;
    result.push_back(std::min(value, 255) / 256.0);
  }
  return result;
}

std::vector<double> real_row(double scale, const int* values, std::size_t count) {
  const int most = *std::max_element(values, values + count);
  std::vector<double> result;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(std::exp(scale * (values[i] - most)));
    sum += result.back();
  }
  for (double& value : result)
    value /= sum;
  return result;
}

} // namespace

std::vector<double> probabilities(const Graph& graph, const std::vector<int>& output) {
  const Tensor& tensor = graph.tensors[graph.output];
  if (!graph.softmax)
    throw InputError("network " + graph.name + " has no softmax");
  const auto count = static_cast<std::size_t>(tensor.shape.back());
  std::vector<double> result;
  for (std::size_t at = 0; at + count <= output.size(); at += count) {
    const std::vector<double> row = graph.softmax->rule == Softmax::Rule::tflite
                                        ? tflite_row(*graph.softmax, &output[at], count)
                                        : real_row(static_cast<double>(tensor.scale), &output[at], count);
    result.insert(result.end(), row.begin(), row.end());
  }
  return result;
}

} // namespace deltatwin
