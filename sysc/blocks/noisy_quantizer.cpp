#include "blocks/noisy_quantizer.h"

namespace deltatwin {

// 32 bits hold twice any t and the step. Half more over the divisor is never within a double's error of an
// integer.
void noisy_words(const NoisyQuantizerConfig& config, const std::int16_t* values, std::size_t count,
                 std::int64_t step, std::int64_t offset, std::uint8_t* bytes) {
  const int factor = config.factor(), most = config.most(), s = static_cast<int>(step),
            c = static_cast<int>(offset);
  const double by = step ? 1 / (2.0 * s) : 0; // a step of 0: code 0
  for (std::size_t i = 0; i < count; ++i) {
    const int t = factor * values[i] + c;
    const int up = t > 0, sign = 2 * up - 1; // no branch: nobody could predict it
    const int quotient = std::min(static_cast<int>((2 * t * sign + s - up + 0.5) * by), most + 1 - up);
    const int code = quotient * sign;
    const std::uint32_t word = noisy_word({code, 0, std::int64_t{code} * s - c});
    for (std::size_t b = 0; b < 4; ++b)
      bytes[4 * i + b] = static_cast<std::uint8_t>(word >> 8 * b);
  }
}

} // namespace deltatwin
