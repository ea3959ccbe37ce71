#pragma once
#include "net/graph.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Integers less their offset are what inference computes with, 16 bits wide: the offset is the zero point
/// wherever such a number fits, as it does in every tensor that is read.
[[nodiscard]] int storage_offset(const Format& format);

/// Requantizes rows of sums, channel by channel: y less the offset of the output's storage.
class RowRequantizer {
public:
  /// `add`: what is added before the clamp, the output's zero point or, raw, nothing.
  RowRequantizer(const Requantization& requantization, int channels, const Format& output, int add);

  /// `sums` is [pixels][sums_step], `y` [pixels][y_step]; the first `channels` of each are computed.
  void run(const std::int32_t* sums, int pixels, std::ptrdiff_t sums_step, std::int16_t* y,
           std::ptrdiff_t y_step) const;

private:
  Rounding rounding_;
  int channels_;
  int add_, low_, high_; ///< less the offset
  std::vector<std::int32_t> multiplier_;
  std::vector<std::uint32_t> left_;
  std::vector<std::int64_t> right_, half_, mask_;
};

} // namespace deltatwin
