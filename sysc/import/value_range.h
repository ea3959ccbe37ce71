#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

struct ValueRange {
  double low = 0, high = 0; ///< 0 is between them
};

/// Which part of the values that were seen the integers cover.
enum class RangeMethod {
  min_max,      ///< all
  percentile,   ///< all but a share at each end
  squared_error ///< what makes the error's square least: that of steps, and of values cut off
};
/// Throws InputError, which says what would be right.
[[nodiscard]] RangeMethod parse_range_method(const std::string& text);
[[nodiscard]] std::string to_string(RangeMethod method);

/// How often values of each size come: first seen() by their ends alone, then counted in bins of equal width.
class ValueHistogram {
public:
  void see(const std::vector<float>& values);
  void count(const std::vector<float>& values);
  [[nodiscard]] const ValueRange& seen() const { return seen_; }
  /// For integers of that many bits; `percentile` is that of the high end, 100 less it of the low one.
  [[nodiscard]] ValueRange chosen(RangeMethod method, int bits, double percentile) const;

private:
  [[nodiscard]] double middle(std::size_t bin) const;
  [[nodiscard]] double squared_error(const ValueRange& range, int bits) const;
  [[nodiscard]] ValueRange between(double percentile) const;
  [[nodiscard]] ValueRange best(int bits) const;

  ValueRange seen_;
  std::vector<std::uint64_t> bins_;
};

/// The step of integers -most..most for weights: largest / most, or, by the squared error, less.
[[nodiscard]] double weight_step(RangeMethod method, const float* weights, std::size_t count, int most);

} // namespace deltatwin
