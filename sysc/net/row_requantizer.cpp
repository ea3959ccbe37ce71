#include "net/row_requantizer.h"

#if defined(__x86_64__)
#define DELTATWIN_CLONES __attribute__((target_clones("arch=icelake-server", "avx2", "default")))
#else
#define DELTATWIN_CLONES
#endif

namespace deltatwin {
namespace {

struct Channels {
  const std::int32_t* multiplier;
  const std::uint32_t* left;
  const std::int64_t *right, *half, *mask;
  int count;
  std::int64_t add, low, high;
};

DELTATWIN_CLONES void half_up(const std::int32_t* sums, const Channels& channels, std::int16_t* y) {
  const std::int64_t add = channels.add, low = channels.low, high = channels.high;
  for (int c = 0; c < channels.count; ++c) {
    const std::int64_t v =
        ((std::int64_t{sums[c]} * channels.multiplier[c] + channels.half[c]) >> channels.right[c]) + add;
    y[c] = static_cast<std::int16_t>(v < low ? low : v > high ? high : v);
  }
}

DELTATWIN_CLONES void half_even(const std::int32_t* sums, const Channels& channels, std::int16_t* y) {
  const std::int64_t add = channels.add, low = channels.low, high = channels.high;
  for (int c = 0; c < channels.count; ++c) {
    const std::int64_t product = std::int64_t{sums[c]} * channels.multiplier[c];
    const std::int64_t odd = (product >> channels.right[c]) & channels.mask[c];
    const std::int64_t v = ((product + channels.half[c] + odd) >> channels.right[c]) + add;
    y[c] = static_cast<std::int16_t>(v < low ? low : v > high ? high : v);
  }
}

DELTATWIN_CLONES void tflite(const std::int32_t* sums, const Channels& channels, std::int16_t* y) {
  const std::int64_t add = channels.add, low = channels.low, high = channels.high;
  for (int c = 0; c < channels.count; ++c) {
    const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) << channels.left[c]);
    const std::int64_t h = (std::int64_t{sum} * channels.multiplier[c] + (std::int64_t{1} << 30)) >> 31;
    const std::int64_t v =
        ((h + channels.half[c] + ((h >> 63) & channels.mask[c])) >> channels.right[c]) + add;
    y[c] = static_cast<std::int16_t>(v < low ? low : v > high ? high : v);
  }
}

} // namespace

int storage_offset(const Format& format) {
  const bool fits = format.low() - format.zero_point >= -32768 && format.high() - format.zero_point <= 32767;
  return fits ? format.zero_point : format.is_signed ? 0 : 32768;
}

RowRequantizer::RowRequantizer(const Requantization& requantization, int channels, const Format& output,
                               int add)
    : rounding_(requantization.rounding), channels_(channels), add_(add - storage_offset(output)),
      low_(requantization.low - storage_offset(output)), high_(requantization.high - storage_offset(output)) {
  for (int c = 0; c < channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    const int shift = requantization.shift(channel);
    multiplier_.push_back(requantization.multiplier(channel));
    if (rounding_ == Rounding::tflite) {
      const int right = shift > 31 ? shift - 31 : 0;
      left_.push_back(shift < 31 ? 31 - shift : 0);
      right_.push_back(right);
      half_.push_back(right ? std::int64_t{1} << (right - 1) : 0);
      mask_.push_back(right ? -1 : 0);
    } else {
      const std::int64_t half = shift ? std::int64_t{1} << (shift - 1) : 0;
      left_.push_back(0);
      right_.push_back(shift);
      half_.push_back(rounding_ == Rounding::half_even && shift ? half - 1 : half);
      mask_.push_back(shift ? 1 : 0);
    }
  }
}

void RowRequantizer::run(const std::int32_t* sums, int pixels, std::ptrdiff_t sums_step, std::int16_t* y,
                         std::ptrdiff_t y_step) const {
  const Channels channels = {multiplier_.data(), left_.data(), right_.data(), half_.data(), mask_.data(),
                             channels_,          add_,         low_,          high_};
  const auto row = rounding_ == Rounding::half_up     ? half_up
                   : rounding_ == Rounding::half_even ? half_even
                                                      : tflite;
  for (int p = 0; p < pixels; ++p)
    row(sums + p * sums_step, channels, y + p * y_step);
}

} // namespace deltatwin
