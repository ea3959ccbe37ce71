#include "net/convolution_kernel.h"
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deltatwin {
namespace {

template <int Pixels, int Blocks> void tile_portable(const ConvolutionTile& tile) {
  const std::ptrdiff_t block = std::ptrdiff_t{tile.rows} * tile.pairs * (2 * kernel_channels);
  for (int p = 0; p < Pixels; ++p)
    for (int b = 0; b < Blocks; ++b) {
      const std::int16_t* w = tile.weights + b * block;
      std::int32_t sums[kernel_channels] = {};
      for (int r = 0; r < tile.rows; ++r) {
        const std::int16_t* x = tile.x + p * tile.pixel_step + r * tile.row_step;
        for (int k = 0; k < tile.pairs; ++k, x += 2, w += 2 * kernel_channels)
          for (int o = 0; o < kernel_channels; ++o)
            sums[o] += x[0] * w[2 * o] + x[1] * w[2 * o + 1];
      }
      std::memcpy(tile.sums + p * tile.sums_step + b * kernel_channels, sums, sizeof sums);
    }
}

#if defined(__x86_64__)

int two(const std::int16_t* x) {
  int pair = 0;
  std::memcpy(&pair, x, sizeof pair);
  return pair;
}

// Every sum stays in its register over the whole window. One block alone has two chains of sums, so that
// additions need not wait for each other.
template <int Pixels, int Blocks>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) void
tile_avx512(const ConvolutionTile& tile) {
  constexpr int chains = Blocks == 1 ? 2 : 1, registers = Blocks * chains;
  const std::ptrdiff_t block = std::ptrdiff_t{tile.rows} * tile.pairs * (2 * kernel_channels);
  __m512i sums[registers][Pixels];
  for (auto& row : sums)
    for (auto& sum : row)
      sum = _mm512_setzero_si512();
  const std::int16_t* w = tile.weights;
  for (int r = 0; r < tile.rows; ++r) {
    const std::int16_t* x = tile.x + r * tile.row_step;
    int k = 0;
    for (; k + chains <= tile.pairs; k += chains) {
      __m512i weights[registers];
      for (int i = 0; i < registers; ++i)
        weights[i] = _mm512_loadu_si512(Blocks == 1 ? w + i * 2 * kernel_channels : w + i * block);
      for (int p = 0; p < Pixels; ++p)
        for (int i = 0; i < registers; ++i)
          sums[i][p] = _mm512_dpwssd_epi32(
              sums[i][p], weights[i],
              _mm512_set1_epi32(two(x + p * tile.pixel_step + (Blocks == 1 ? 2 * i : 0))));
      x += 2 * chains;
      w += 2 * kernel_channels * chains;
    }
    if (k < tile.pairs) {
      const __m512i weights = _mm512_loadu_si512(w);
      for (int p = 0; p < Pixels; ++p)
        sums[0][p] =
            _mm512_dpwssd_epi32(sums[0][p], weights, _mm512_set1_epi32(two(x + p * tile.pixel_step)));
      w += 2 * kernel_channels;
    }
  }
  for (int p = 0; p < Pixels; ++p)
    for (int b = 0; b < Blocks; ++b)
      _mm512_storeu_si512(tile.sums + p * tile.sums_step + b * kernel_channels,
                          Blocks == 1 ? _mm512_add_epi32(sums[0][p], sums[registers - 1][p]) : sums[b][p]);
}

// Sixteen registers hold the sums of four pixels and one block, and what is multiplied.
template <int Pixels, int Blocks>
__attribute__((target("avx2"))) void tile_avx2(const ConvolutionTile& tile) {
  constexpr int together = Pixels < 4 ? Pixels : 4;
  const std::ptrdiff_t block = std::ptrdiff_t{tile.rows} * tile.pairs * (2 * kernel_channels);
  for (int b = 0; b < Blocks; ++b)
    for (int first = 0; first < Pixels; first += together) {
      __m256i low[together], high[together];
      for (int p = 0; p < together; ++p)
        low[p] = high[p] = _mm256_setzero_si256();
      const std::int16_t* w = tile.weights + b * block;
      for (int r = 0; r < tile.rows; ++r) {
        const std::int16_t* x = tile.x + first * tile.pixel_step + r * tile.row_step;
        for (int k = 0; k < tile.pairs; ++k, x += 2, w += 2 * kernel_channels) {
          const __m256i w_low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
          const __m256i w_high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + kernel_channels));
          for (int p = 0; p < together; ++p) {
            const __m256i pair = _mm256_set1_epi32(two(x + p * tile.pixel_step));
            low[p] = _mm256_add_epi32(low[p], _mm256_madd_epi16(w_low, pair));
            high[p] = _mm256_add_epi32(high[p], _mm256_madd_epi16(w_high, pair));
          }
        }
      }
      for (int p = 0; p < together; ++p) {
        std::int32_t* sums = tile.sums + (first + p) * tile.sums_step + b * kernel_channels;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), low[p]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + 8), high[p]);
      }
    }
}

constexpr ConvolutionKernels avx512_kernels = {{{tile_avx512<8, 1>, tile_avx512<8, 2>},
                                                {tile_avx512<4, 1>, tile_avx512<4, 2>},
                                                {tile_avx512<2, 1>, tile_avx512<2, 2>},
                                                {tile_avx512<1, 1>, tile_avx512<1, 2>}}};
constexpr ConvolutionKernels avx2_kernels = {{{tile_avx2<8, 1>, tile_avx2<8, 2>},
                                              {tile_avx2<4, 1>, tile_avx2<4, 2>},
                                              {tile_avx2<2, 1>, tile_avx2<2, 2>},
                                              {tile_avx2<1, 1>, tile_avx2<1, 2>}}};

#endif

constexpr ConvolutionKernels portable_kernels = {{{tile_portable<8, 1>, tile_portable<8, 2>},
                                                  {tile_portable<4, 1>, tile_portable<4, 2>},
                                                  {tile_portable<2, 1>, tile_portable<2, 2>},
                                                  {tile_portable<1, 1>, tile_portable<1, 2>}}};

} // namespace

const std::vector<ConvolutionKernels>& convolution_kernels() {
  static const std::vector<ConvolutionKernels> kernels = [] {
    std::vector<ConvolutionKernels> all;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
      all.push_back(avx512_kernels);
    if (__builtin_cpu_supports("avx2"))
      all.push_back(avx2_kernels);
#endif
    all.push_back(portable_kernels);
    return all;
  }();
  return kernels;
}

} // namespace deltatwin
