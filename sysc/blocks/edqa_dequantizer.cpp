#include "blocks/edqa_dequantizer.h"
#include <cstdlib>

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
  const std::uint64_t product =
      std::uint64_t{(maximum & fraction) | one} * static_cast<std::uint64_t>(std::abs(factor));
  int dropped = 0; // bits of the product, below its highest 24
  while (product >> (24 + dropped))
    ++dropped;
  const std::uint64_t unit = std::uint64_t{1} << dropped, rest = product & (unit - 1);
  std::uint64_t kept = product >> dropped;
  if (2 * rest > unit || (2 * rest == unit && kept & 1))
    ++kept;
  int exponent = static_cast<int>(maximum >> 23) + dropped - scheme.scale_bits();
  if (kept == 2 * std::uint64_t{one}) {
    kept = one;
    ++exponent;
  }
  if (exponent < 1)
    return {0, EdqaResult::small};
  const std::int64_t negative = factor < 0 ? sign : 0;
  if (exponent > largest_exponent)
    return {negative | largest, EdqaResult::large};
  return {negative | static_cast<std::int64_t>(exponent) << 23 | static_cast<std::int64_t>(kept & fraction),
          0};
}

} // namespace deltatwin
