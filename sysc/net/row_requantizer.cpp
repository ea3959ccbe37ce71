#include "net/row_requantizer.h"
#include "base/clones.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deltatwin {
namespace {

using Channels = RowRequantizer::Channels;
constexpr int together = 16; ///< channels of a vector

struct Rows {
  const std::int32_t* sums;
  const std::int32_t* bias;
  int pixels;
  std::ptrdiff_t sums_step;
  std::int16_t* y;
  std::ptrdiff_t y_step;
};

void run_portable(const Channels& rule, int channels, const Rows& rows) {
  for (int p = 0; p < rows.pixels; ++p)
    for (int c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const std::int64_t sum = rows.sums[p * rows.sums_step + c] + (rows.bias ? rows.bias[c] : 0);
      const std::int64_t product = sum * rule.multiplier[i];
      std::int64_t v = product + rule.half[i] + ((product >> rule.shift[i]) & rule.odd[i]);
      v >>= rule.shift[i];
      v = (v + rule.second_half[i] + ((v >> 63) & rule.second_odd[i])) >> rule.second_shift[i];
      v += rule.add;
      rows.y[p * rows.y_step + c] = static_cast<std::int16_t>(v < rule.low    ? rule.low
                                                              : v > rule.high ? rule.high
                                                                              : v);
    }
}

// Results of one row of sums, `low` the number of no threshold.
DELTATWIN_CLONES void count_row(const std::int32_t* sums, const std::int32_t* bias,
                                const std::int32_t* thresholds, int steps, int low, int channels,
                                std::int16_t* y) {
  for (int c = 0; c < channels; ++c)
    y[c] = static_cast<std::int16_t>(low);
  for (int step = 0; step < steps; ++step, thresholds += channels)
    for (int c = 0; c < channels; ++c) {
      const std::int32_t sum = sums[c] + (bias ? bias[c] : 0);
      y[c] = static_cast<std::int16_t>(y[c] + (sum >= thresholds[c] ? 1 : 0));
    }
}

#if defined(__x86_64__)

#define DELTATWIN_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"), always_inline)) inline

// Of eight channels, those at even places or those at odd ones.
struct Eight {
  __m512i multiplier, half, shift, odd, second_half, second_shift, second_odd;
};

DELTATWIN_AVX512 __m512i every_second(const std::vector<std::int64_t>& values, int from) {
  const std::int64_t* v = &values[static_cast<std::size_t>(from)];
  return _mm512_set_epi64(v[14], v[12], v[10], v[8], v[6], v[4], v[2], v[0]);
}

template <bool Even, bool Twice>
DELTATWIN_AVX512 __m512i scaled(__m512i sums, const Eight& rule, __m512i add, __m512i low, __m512i high) {
  const __m512i product = _mm512_mul_epi32(sums, rule.multiplier);
  __m512i v = _mm512_add_epi64(product, rule.half);
  if (Even)
    v = _mm512_add_epi64(v, _mm512_and_si512(_mm512_srav_epi64(product, rule.shift), rule.odd));
  v = _mm512_srav_epi64(v, rule.shift);
  if (Twice) {
    const __m512i below = _mm512_and_si512(_mm512_srai_epi64(v, 63), rule.second_odd);
    v = _mm512_srav_epi64(_mm512_add_epi64(_mm512_add_epi64(v, rule.second_half), below), rule.second_shift);
  }
  return _mm512_min_epi64(_mm512_max_epi64(_mm512_add_epi64(v, add), low), high);
}

template <bool Even, bool Twice>
__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) void
run_avx512(const Channels& rule, int channels, const Rows& rows) {
  const __m512i add = _mm512_set1_epi64(rule.add), low = _mm512_set1_epi64(rule.low),
                high = _mm512_set1_epi64(rule.high);
  for (int c = 0; c < channels; c += together) {
    const int count = channels - c < together ? channels - c : together;
    const auto some = static_cast<__mmask16>((1U << count) - 1);
    const __m512i multiplier = _mm512_loadu_si512(&rule.multiplier[static_cast<std::size_t>(c)]);
    const __m512i bias = rows.bias ? _mm512_maskz_loadu_epi32(some, rows.bias + c) : _mm512_setzero_si512();
    Eight even, odd;
    even.multiplier = multiplier;
    odd.multiplier = _mm512_srli_epi64(multiplier, 32);
    even.half = every_second(rule.half, c), odd.half = every_second(rule.half, c + 1);
    even.shift = every_second(rule.shift, c), odd.shift = every_second(rule.shift, c + 1);
    even.odd = every_second(rule.odd, c), odd.odd = every_second(rule.odd, c + 1);
    even.second_half = every_second(rule.second_half, c);
    odd.second_half = every_second(rule.second_half, c + 1);
    even.second_shift = every_second(rule.second_shift, c);
    odd.second_shift = every_second(rule.second_shift, c + 1);
    even.second_odd = every_second(rule.second_odd, c);
    odd.second_odd = every_second(rule.second_odd, c + 1);
    for (int p = 0; p < rows.pixels; ++p) {
      const __m512i sums =
          _mm512_add_epi32(_mm512_maskz_loadu_epi32(some, rows.sums + p * rows.sums_step + c), bias);
      const __m512i first = scaled<Even, Twice>(sums, even, add, low, high);
      const __m512i second = scaled<Even, Twice>(_mm512_srli_epi64(sums, 32), odd, add, low, high);
      const __m512i all = _mm512_mask_blend_epi32(0xaaaa, first, _mm512_slli_epi64(second, 32));
      _mm256_mask_storeu_epi16(rows.y + p * rows.y_step + c, some, _mm512_cvtepi32_epi16(all));
    }
  }
}

bool has_avx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has;
}

#endif

} // namespace

int storage_offset(const Format& format) {
  const bool fits = format.low() - format.zero_point >= -32768 && format.high() - format.zero_point <= 32767;
  return fits ? format.zero_point : format.is_signed ? 0 : 32768;
}

RowRequantizer::RowRequantizer(const Requantization& requantization, int channels, const Format& output,
                               int add, bool portable)
    : channels_(channels), even_(requantization.rounding == Rounding::half_even),
      twice_(requantization.rounding == Rounding::tflite), portable_(portable) {
  rule_.add = add - storage_offset(output);
  rule_.low = requantization.low - storage_offset(output);
  rule_.high = requantization.high - storage_offset(output);
  if (requantization.rounding == Rounding::thresholds) {
    steps_ = requantization.high - requantization.low;
    const auto steps = static_cast<std::size_t>(steps_);
    const bool is_one = requantization.thresholds.size() == steps;
    for (std::size_t step = 0; step < steps; ++step)
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        thresholds_.push_back(requantization.thresholds[(is_one ? 0 : c * steps) + step]);
    return;
  }
  for (int c = 0; c < (channels + together - 1) / together * together; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    const bool real = c < channels;
    const int whole = real ? requantization.shift(channel) : 0;
    const int second = twice_ && whole > 31 ? whole - 31 : 0, first = whole - second;
    const auto half = [](int shift) { return shift ? std::int64_t{1} << (shift - 1) : 0; };
    rule_.multiplier.push_back(real ? requantization.multiplier(channel) : 0);
    rule_.shift.push_back(first);
    rule_.half.push_back(half(first) - (even_ && first ? 1 : 0));
    rule_.odd.push_back(even_ && first ? 1 : 0);
    rule_.second_shift.push_back(second);
    rule_.second_half.push_back(half(second));
    rule_.second_odd.push_back(second ? -1 : 0);
  }
}

void RowRequantizer::run(const std::int32_t* sums, const std::int32_t* bias, int pixels,
                         std::ptrdiff_t sums_step, std::int16_t* y, std::ptrdiff_t y_step) const {
  if (steps_ > 0)
    return count_thresholds(sums, bias, pixels, sums_step, y, y_step);
  const Rows rows = {sums, bias, pixels, sums_step, y, y_step};
#if defined(__x86_64__)
  if (!portable_ && has_avx512())
    return even_    ? run_avx512<true, false>(rule_, channels_, rows)
           : twice_ ? run_avx512<false, true>(rule_, channels_, rows)
                    : run_avx512<false, false>(rule_, channels_, rows);
#endif
  run_portable(rule_, channels_, rows);
}

void RowRequantizer::count_thresholds(const std::int32_t* sums, const std::int32_t* bias, int pixels,
                                      std::ptrdiff_t sums_step, std::int16_t* y,
                                      std::ptrdiff_t y_step) const {
  for (int p = 0; p < pixels; ++p)
    count_row(sums + p * sums_step, bias, thresholds_.data(), steps_, static_cast<int>(rule_.low), channels_,
              y + p * y_step);
}

} // namespace deltatwin
