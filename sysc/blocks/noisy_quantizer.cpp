#include "blocks/noisy_quantizer.h"

namespace deltatwin {
namespace {

// 32 bits hold twice any t and the step. Half more over the divisor is never within a double's error of an
// integer. No branch: nobody could predict it.
inline __attribute__((always_inline)) void words_of(const NoisyQuantizerConfig& config,
                                                    const std::int16_t* values, std::size_t count, int step,
                                                    int offset, std::uint32_t* words) {
  const int factor = config.factor(), most = config.most();
  const double by = step ? 1 / (2.0 * step) : 0; // a step of 0: code 0
  for (std::size_t i = 0; i < count; ++i) {
    const int t = factor * values[i] + offset;
    const int up = t > 0, sign = 2 * up - 1;
    const int quotient = static_cast<int>((2 * t * sign + step - up + 0.5) * by);
    const int held = quotient < most + 1 - up ? quotient : most + 1 - up;
    const int code = held * sign;
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
