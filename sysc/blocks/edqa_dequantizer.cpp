#include "blocks/edqa_dequantizer.h"
#include <cstdlib>
#include <cstring>

namespace deltatwin {

EdqaResult edqa_dequantize(EdqaFormat format, const EdqaScheme& scheme, int q, int se,
                           std::uint32_t maximum) {
  const int factor = edqa_factor(scheme, q, se);
  if (format != EdqaFormat::float32)
    return {static_cast<std::int64_t>(maximum) * factor, 0};
  constexpr std::uint32_t one = 0x00800000, fraction = one - 1;
  constexpr int largest_exponent = 254;
  constexpr std::int64_t sign = 0x80000000, largest = 0x7f7fffff;
  if (factor == 0 || maximum < one)
    return {};
  // The product has 39 bits at most: as a float it is rounded, half to even.
  const auto product = static_cast<float>(std::int64_t{(maximum & fraction) | one} * std::abs(factor));
  std::uint32_t rounded = 0;
  std::memcpy(&rounded, &product, sizeof rounded);
  constexpr int exponent_of_one = 150; // of 2^23
  const int exponent = static_cast<int>(rounded >> 23) + static_cast<int>(maximum >> 23) - exponent_of_one -
                       scheme.scale_bits();
  if (exponent < 1)
    return {0, EdqaResult::small};
  const std::int64_t negative = factor < 0 ? sign : 0;
  if (exponent > largest_exponent)
    return {negative | largest, EdqaResult::large};
  return {negative | static_cast<std::int64_t>(exponent) << 23 |
              static_cast<std::int64_t>(rounded & fraction),
          0};
}

} // namespace deltatwin
