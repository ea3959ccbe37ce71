#pragma once
#include "base/resources.h"
#include <cstdint>

namespace deltatwin {

/// What values come in: integers, whose scale is known elsewhere, or floats. The RTL's `Format`.
enum class EdqaFormat { int16, int32, float32 };

/// Bits of a value that comes in, of its magnitude, and of one that goes out.
[[nodiscard]] constexpr int edqa_value_bits(EdqaFormat format) {
  return format == EdqaFormat::int16 ? 16 : 32;
}
[[nodiscard]] constexpr int edqa_magnitude_bits(EdqaFormat format) {
  return format == EdqaFormat::float32 ? 31 : edqa_value_bits(format);
}
[[nodiscard]] constexpr int edqa_result_bits(EdqaFormat format) {
  return format == EdqaFormat::int32 ? 64 : 32;
}

/// A value taken apart. Magnitudes are in the order of the unsigned numbers that they are: integers, or
/// exponent and fraction of a float. One of 0 has no sign.
struct EdqaMagnitude {
  std::uint32_t magnitude = 0;
  bool negative = false;
  unsigned flags = 0;

  // What a float was, and is no more.
  static constexpr unsigned nan = 1;      ///< became 0
  static constexpr unsigned infinite = 2; ///< became the largest finite number
  static constexpr unsigned denormal = 4; ///< became 0
};

/// `value`: the bits of one that comes in, the lower 16 of an int16. Unsigned, what is below 0 is 0.
[[nodiscard]] constexpr EdqaMagnitude edqa_magnitude(EdqaFormat format, bool is_signed, std::uint32_t value) {
  const bool below = value >> (edqa_value_bits(format) - 1) & 1;
  EdqaMagnitude result;
  if (format == EdqaFormat::float32) {
    constexpr std::uint32_t infinity = 0x7f800000, largest = 0x7f7fffff, smallest = 0x00800000;
    const std::uint32_t magnitude = value & 0x7fffffff;
    if (magnitude > infinity)
      return {0, false, EdqaMagnitude::nan};
    if (magnitude == infinity)
      result = {largest, false, EdqaMagnitude::infinite};
    else if (magnitude < smallest)
      return {0, false, magnitude ? EdqaMagnitude::denormal : 0};
    else
      result.magnitude = magnitude;
  } else if (format == EdqaFormat::int16) {
    result.magnitude = (below ? 0 - value : value) & 0xffff;
  } else {
    result.magnitude = below ? 0 - value : value;
  }
  result.negative = below && is_signed;
  if (below && !is_signed)
    result.magnitude = 0;
  return result;
}

/// What the RTL `edqa_magnitude` takes.
[[nodiscard]] Resources edqa_magnitude_resources(EdqaFormat format);

} // namespace deltatwin
