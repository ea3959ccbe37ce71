#pragma once
#include "activations/method.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A uniform grid: the arithmetic of Quantization for one maximum.
class Grid {
public:
  /// `bits`: K. A maximum of 0 makes every code 0.
  Grid(double maximum, int bits, bool is_signed);
  [[nodiscard]] int code(double value) const;
  [[nodiscard]] float value(int code) const { return static_cast<float>(step_ * code); }
  [[nodiscard]] int lowest() const { return lowest_; }
  [[nodiscard]] int highest() const { return highest_; }
  /// All of them: each value's code, and the value in place by what comes back. Returns the squared error.
  double quantize(float* values, std::size_t count, std::int16_t* codes) const;

private:
  double maximum_, factor_, step_; ///< 2^K, maximum / 2^K
  int lowest_, highest_;
};

/// NoisyQuant: v = round((a + offset) / scale), clamped to -2^(N-1) .. 2^(N-1) - 1, comes back as
/// scale v - offset.
struct NoisyGrid {
  double scale = 1, offset = 0;
  int bits = 3;
  [[nodiscard]] int code(double value) const;
  [[nodiscard]] float value(int code) const { return static_cast<float>(scale * code - offset); }
};

/// Powers of two: sign(a) 2^e with e = round(log2 |a|), clamped to -2^(N-2) .. 2^(N-2) - 1; 0 stays 0, which
/// is a code too many for N bits. Normalized: a is taken over `maximum` first and comes back times it, and e
/// is clamped to -(2^(N-1) - 1) .. 0.
[[nodiscard]] float power_of_two(float value, int bits, bool normalized, double maximum);

/// The values of a channel (or layer) in short, to fit a scale to.
class Distribution {
public:
  /// `maximum`: of |a|.
  explicit Distribution(double maximum);
  void add(const float* values, std::size_t count);
  /// The maximum of the grid with the least squared error, among steps of a hundredth of that of the
  /// values; 0 where they are all 0.
  [[nodiscard]] double best_maximum(int bits, bool is_signed) const;

private:
  static constexpr int bins = 2048; ///< on each side of 0
  struct Bin {
    std::uint64_t count = 0;
    double sum = 0;
  };
  double maximum_;
  std::vector<Bin> bins_;
};

[[nodiscard]] double largest_magnitude(const float* values, std::size_t count);

} // namespace deltatwin
