#pragma once
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Images and neurons that one call works on, and the elements that rows are padded to.
inline constexpr int dot_tile = 4, dot_padding = 32;

/// sums[4 * i + o] = dot product of image row i and weight row o, modulo 2^32, over rows of `stride`
/// 16-bit elements. The fastest variant that this processor has: AVX-512 VNNI, AVX2, or portable.
using DotKernel = void (*)(const std::int16_t* x, const std::int16_t* w, int stride, std::int32_t* sums);
[[nodiscard]] DotKernel select_dot_kernel();
/// All variants that this processor has, for tests; the fastest is first.
[[nodiscard]] std::vector<DotKernel> dot_kernels();

} // namespace deltatwin
