#include "blocks/edqa_quantizer.h"
#include <algorithm>

namespace deltatwin {

int edqa_quantize(EdqaFormat format, const EdqaScheme& scheme, const EdqaMagnitude& a, std::uint32_t maximum,
                  bool direct) {
  const int dropped = direct ? scheme.extra : 0, steps = scheme.scale_bits() - dropped;
  const int largest = (1 << steps) - (a.negative ? 0 : 1);
  std::uint64_t dividend = a.magnitude, divisor = maximum;
  int size = largest;
  if (format == EdqaFormat::float32) {
    constexpr std::uint32_t one = 0x00800000, fraction = one - 1;
    if (maximum < one || a.magnitude < one)
      return 0;
    if (a.magnitude < maximum) {
      const auto apart = static_cast<int>((maximum >> 23) - (a.magnitude >> 23));
      if (apart > steps + 1) // below half a step
        return 0;
      dividend = (a.magnitude & fraction) | one;
      divisor = std::uint64_t{(maximum & fraction) | one} << apart;
    }
  }
  if (maximum == 0)
    return 0;
  if (a.magnitude < maximum) {
    // Halves of a step, fewer than 2^14, by a divisor below 2^38: a double's quotient is never rounded up to
    // an integer, and faster than an integer's.
    dividend <<= steps + 1;
    const auto halves =
        static_cast<std::uint64_t>(static_cast<double>(dividend) / static_cast<double>(divisor));
    const bool exact = halves * divisor == dividend;
    size = static_cast<int>(halves >> 1);
    const bool tie_goes_up = scheme.half_down ? a.negative : size & 1; // in size
    size += static_cast<int>(halves & 1) & (!exact | tie_goes_up);     // no branch: who could predict it?
    size = std::min(size, largest);
  }
  return (a.negative ? -size : size) * (1 << dropped);
}

} // namespace deltatwin
