#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Output channels whose sums lie in one vector, and pixels of the largest tile.
inline constexpr int kernel_channels = 16, kernel_pixels = 8;

/// The sums of some pixels of one row, and of one or two blocks of 16 output channels. A pixel's window is
/// `rows` runs of `pairs` pairs of 16-bit elements; weights lie [blocks][rows][pairs][16][2].
struct ConvolutionTile {
  const std::int16_t* x = nullptr; ///< the first pixel's window
  std::ptrdiff_t pixel_step = 0;   ///< from one pixel's window to the next
  std::ptrdiff_t row_step = 0;     ///< from one run to the next
  int rows = 0, pairs = 0;
  const std::int16_t* weights = nullptr;
  std::int32_t* sums = nullptr; ///< [pixels][sums_step], the blocks beside each other
  std::ptrdiff_t sums_step = 0;
};

/// By how many pixels (8, 4, 2, 1) and blocks (1, 2) a tile has.
struct ConvolutionKernels {
  using Kernel = void (*)(const ConvolutionTile&);
  Kernel tile[4][2];
  [[nodiscard]] static constexpr int pixels(int index) { return kernel_pixels >> index; }
};

/// All variants that this processor has, the fastest first: AVX-512 VNNI, AVX2, portable.
[[nodiscard]] const std::vector<ConvolutionKernels>& convolution_kernels();

} // namespace deltatwin
