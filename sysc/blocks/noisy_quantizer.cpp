#include "blocks/noisy_quantizer.h"

namespace deltatwin {
namespace {

// The code is the ceiling of (2t - s) / 2s, as a number less a floor, held in what a code can be before.
// Half less of 2t - s is the same ceiling, and never within a double's error of an integer.
inline __attribute__((always_inline)) void words_of(const NoisyQuantizerConfig& config,
                                                    const std::int16_t* values, std::size_t count, int step,
                                                    int offset, std::uint32_t* words) {
  const int factor = config.factor(), most = config.most();
  constexpr double above = 64;                   // of all codes
  const double by = step ? 1 / (2.0 * step) : 0; // a step of 0: code 0
  const double from = above + (step + 0.5) * by, least = above - most, largest = above + most + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const int t = factor * values[i] + offset;
    double less = from - t * (2 * by);
    less = less > least ? less : least;
    less = less < largest ? less : largest;
    const int code = static_cast<int>(above) - static_cast<int>(less);
    words[i] = noisy_word({code, 0, code * step - offset});
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void words_avx2(const NoisyQuantizerConfig& config,
                                                const std::int16_t* values, std::size_t count, int step,
                                                int offset, std::uint32_t* words) {
  words_of(config, values, count, step, offset, words);
}
#endif

} // namespace

void noisy_words(const NoisyQuantizerConfig& config, const std::int16_t* values, std::size_t count,
                 std::int64_t step, std::int64_t offset, std::uint32_t* words) {
  const int s = static_cast<int>(step), c = static_cast<int>(offset);
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2)
    return words_avx2(config, values, count, s, c, words);
#endif
  words_of(config, values, count, s, c, words);
}

} // namespace deltatwin
