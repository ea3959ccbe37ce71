#pragma once
#include "net/graph.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Integers less their offset are what inference computes with, 16 bits wide: the offset is the zero point
/// wherever such a number fits, as it does in every tensor that is read.
[[nodiscard]] int storage_offset(const Format& format);

/// Requantizes rows of sums, channel by channel: y less the offset of the output's storage. In vectors of
/// sixteen channels where the processor has AVX-512.
class RowRequantizer {
public:
  /// `add`: what is added before the clamp, the output's zero point or, raw, nothing. `portable`: without
  /// vectors.
  RowRequantizer(const Requantization& requantization, int channels, const Format& output, int add,
                 bool portable = false);

  /// `sums` is [pixels][sums_step], `y` [pixels][y_step]; the first `channels` of each are computed. `bias`
  /// is added to the sums: [channels], or null.
  void run(const std::int32_t* sums, const std::int32_t* bias, int pixels, std::ptrdiff_t sums_step,
           std::int16_t* y, std::ptrdiff_t y_step) const;

  /// What a channel's rule comes to: v = ((sum * m + half + odd) >> shift), where odd is the bit that
  /// half_even looks at, and of tflite then v = (v + half - (v < 0)) >> shift with the second half and shift.
  struct Channels {
    std::vector<std::int32_t> multiplier;
    std::vector<std::int64_t> half, shift, odd, second_half, second_shift, second_odd;
    std::int64_t add = 0, low = 0, high = 0; ///< less the offset
  };

private:
  void count_thresholds(const std::int32_t* sums, const std::int32_t* bias, int pixels,
                        std::ptrdiff_t sums_step, std::int16_t* y, std::ptrdiff_t y_step) const;

  int channels_;
  int steps_ = 0;                        ///< thresholds a channel; 0: another rule
  std::vector<std::int32_t> thresholds_; ///< [steps][channels]
  bool even_, twice_, portable_;
  Channels rule_; ///< [channels rounded up to sixteen]
};

} // namespace deltatwin
