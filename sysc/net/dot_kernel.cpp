#include "net/dot_kernel.h"
#include <cstddef>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deltatwin {
namespace {

void dot_portable(const std::int16_t* x, const std::int16_t* w, int stride, std::int32_t* sums) {
  for (int i = 0; i < dot_tile; ++i)
    for (int o = 0; o < dot_tile; ++o) {
      std::uint32_t sum = 0;
      for (int k = 0; k < stride; ++k)
        sum += static_cast<std::uint32_t>(x[i * stride + k] * w[o * stride + k]);
      sums[dot_tile * i + o] = static_cast<std::int32_t>(sum);
    }
}

#if defined(__x86_64__)

// The sixteen sums stay in registers over the whole row.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) void
dot_avx512(const std::int16_t* x, const std::int16_t* w, int stride, std::int32_t* sums) {
  __m512i s[dot_tile][dot_tile];
  for (auto& row : s)
    for (auto& sum : row)
      sum = _mm512_setzero_si512();
  for (int k = 0; k < stride; k += 32) {
    __m512i weights[dot_tile];
    for (int o = 0; o < dot_tile; ++o)
      weights[o] = _mm512_loadu_si512(w + o * stride + k);
    for (int i = 0; i < dot_tile; ++i) {
      const __m512i activations = _mm512_loadu_si512(x + i * stride + k);
      for (int o = 0; o < dot_tile; ++o)
        s[i][o] = _mm512_dpwssd_epi32(s[i][o], activations, weights[o]);
    }
  }
  for (int i = 0; i < dot_tile; ++i) { // four vectors of sixteen to one of four
    const __m512i a =
        _mm512_add_epi32(_mm512_unpacklo_epi32(s[i][0], s[i][1]), _mm512_unpackhi_epi32(s[i][0], s[i][1]));
    const __m512i b =
        _mm512_add_epi32(_mm512_unpacklo_epi32(s[i][2], s[i][3]), _mm512_unpackhi_epi32(s[i][2], s[i][3]));
    const __m512i c = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    const __m256i d = _mm256_add_epi32(_mm512_castsi512_si256(c), _mm512_extracti64x4_epi64(c, 1));
    const __m128i e = _mm_add_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + dot_tile * i), e);
  }
}

__attribute__((target("avx2"))) void dot_avx2(const std::int16_t* x, const std::int16_t* w, int stride,
                                              std::int32_t* sums) {
  for (int half = 0; half < dot_tile; half += 2) { // two images at a time: sixteen registers
    __m256i s[2][dot_tile];
    for (auto& row : s)
      for (auto& sum : row)
        sum = _mm256_setzero_si256();
    for (int k = 0; k < stride; k += 16)
      for (int i = 0; i < 2; ++i) {
        const __m256i activations =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + (half + i) * stride + k));
        for (int o = 0; o < dot_tile; ++o)
          s[i][o] = _mm256_add_epi32(
              s[i][o],
              _mm256_madd_epi16(activations,
                                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + o * stride + k))));
      }
    for (int i = 0; i < 2; ++i) {
      const __m256i a = _mm256_hadd_epi32(s[i][0], s[i][1]), b = _mm256_hadd_epi32(s[i][2], s[i][3]);
      const __m256i c = _mm256_hadd_epi32(a, b);
      const __m128i d = _mm_add_epi32(_mm256_castsi256_si128(c), _mm256_extracti128_si256(c, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + dot_tile * (half + i)), d);
    }
  }
}

#endif

} // namespace

std::vector<DotKernel> dot_kernels() {
  std::vector<DotKernel> kernels;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    kernels.push_back(dot_avx512);
  if (__builtin_cpu_supports("avx2"))
    kernels.push_back(dot_avx2);
#endif
  kernels.push_back(dot_portable);
  return kernels;
}

DotKernel select_dot_kernel() { return dot_kernels().front(); }

} // namespace deltatwin
