#include "blocks/edqa_dequantizer.h"
#include "blocks/edqa_magnitude.h"
#include "blocks/edqa_quantizer.h"
#include <algorithm>

// Coefficients are fitted to synthesis at T of 2, 4, 6 and 12 in all formats: edqa_quantizer_test and
// edqa_dequantizer_test print it with '[.fit]'.
namespace deltatwin {

Resources edqa_magnitude_resources(EdqaFormat format) {
  return {format == EdqaFormat::float32 ? 65 : edqa_value_bits(format)}; // an integer's is a negation
}

Resources edqa_quantizer_resources(const EdqaQuantizerConfig& config) {
  // A stage subtracts in a LUT a bit; the quotient's bits are a triangle of registers.
  constexpr double around = 2.9, shared = 10, per_stage = 13, per_tap = 0.36, of_float = 52;
  constexpr double ff = 6, ff_per_stage = 10.3, ff_per_tap = 0.4;
  const bool is_float = config.format == EdqaFormat::float32;
  const int bits = config.max_bits, divisor = is_float ? 24 : edqa_value_bits(config.format);
  Resources all;
  all.lut_ram = std::max(bits - 1, 2) + (is_float ? 4 : 0);
  all.lut = static_cast<int>(divisor * (bits + around) + shared + per_stage * bits + per_tap * bits * bits +
                             (is_float ? of_float : 0));
  all.ff = 2 * divisor * (bits + 1) + static_cast<int>(ff + ff_per_stage * bits + ff_per_tap * bits * bits) +
           (is_float ? 4 : 0);
  return all;
}

Resources edqa_dequantizer_resources(const EdqaDequantizerConfig& config) {
  const int size = std::max(config.max_bits, 2 * config.max_extra) + 1; // bits of |w|
  if (config.format == EdqaFormat::float32)
    return {103 + static_cast<int>(8.6 * size), 80 + 3 * size, 1, 0, 0, 25};
  const bool wide = config.format == EdqaFormat::int32;
  const int shifts = static_cast<int>(6 + 2.7 * size + 3.4 * config.max_extra);
  return {shifts, wide ? 20 : 3, wide ? 2 : 1, 0, 0, 1};
}

} // namespace deltatwin
