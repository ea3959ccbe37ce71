#pragma once
#include "blocks/edqa_quantizer.h"
#include "random_work.h"
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace deltatwin {

/// Bits as the number that they are.
inline long double edqa_number(EdqaFormat format, std::uint32_t bits) {
  if (format == EdqaFormat::int16)
    return static_cast<std::int16_t>(bits);
  if (format == EdqaFormat::int32)
    return static_cast<std::int32_t>(bits);
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

/// The bits of the number that a format has nearest, or for integers below.
inline std::uint32_t edqa_bits(EdqaFormat format, long double number) {
  if (format == EdqaFormat::float32) {
    const auto single = static_cast<float>(std::clamp(number, -1.0L * FLT_MAX, 1.0L * FLT_MAX));
    std::uint32_t bits = 0;
    std::memcpy(&bits, &single, sizeof bits);
    return bits;
  }
  const long double end = std::ldexp(1.0L, edqa_value_bits(format) - 1);
  const auto whole = static_cast<std::int64_t>(std::clamp(std::floor(number), -end, end - 1));
  return static_cast<std::uint32_t>(whole) & (format == EdqaFormat::int16 ? 0xffff : 0xffffffff);
}

/// The number that a value means: of floats, what is none is 0, and the largest stand for infinity.
inline long double edqa_meaning(EdqaFormat format, std::uint32_t bits) {
  const long double number = edqa_number(format, bits);
  if (std::isnan(number) || std::fabs(number) == 0 ||
      (format == EdqaFormat::float32 && std::fabs(number) < FLT_MIN))
    return 0;
  return std::isinf(number) ? std::copysign(static_cast<long double>(FLT_MAX), number) : number;
}

/// The number that a magnitude means: an integer, or exponent and fraction of a float, of which all
/// exponents but 0 are ordinary.
inline long double edqa_size(EdqaFormat format, std::uint32_t magnitude) {
  if (format != EdqaFormat::float32)
    return magnitude;
  if (magnitude >> 23 == 0)
    return 0;
  return std::ldexp(static_cast<long double>((magnitude & 0x7fffff) | 0x800000),
                    static_cast<int>(magnitude >> 23) - 150);
}

/// The paper's Round(a / delta) with delta = maximum / 2^K, clamped, in long double, whose 64 bits hold
/// all of it exactly: of the steps around a that which is nearest; of two the even or the lower one.
inline int edqa_reference(const EdqaScheme& scheme, long double a, long double maximum, bool direct) {
  const int dropped = direct ? scheme.extra : 0, steps = scheme.scale_bits() - dropped;
  const int low = scheme.is_signed ? -(1 << steps) : 0, high = (1 << steps) - 1;
  if (maximum == 0)
    return 0;
  const long double delta = std::ldexp(maximum, -steps);
  const auto near = static_cast<int>(std::clamp(std::floor(a / delta), low - 2.0L, high + 2.0L));
  int best = near - 1;
  for (int v = near; v <= near + 2; ++v) {
    const long double error = std::fabs(a - v * delta), least = std::fabs(a - best * delta);
    if (error < least || (error == least && !scheme.half_down && v % 2 == 0))
      best = v;
  }
  return std::clamp(best, low, high) * (1 << dropped);
}

/// Values and maxima in which all that is special comes often.
class EdqaWork {
public:
  EdqaWork(EdqaFormat format, std::uint64_t seed) : random(seed), format_(format) {}

  /// T up to `max_bits`, m up to `max_extra`, and the rest.
  EdqaScheme scheme(int max_bits, int max_extra) {
    EdqaScheme scheme;
    scheme.bits = random.in(2, max_bits);
    scheme.is_signed = random.in(0, 1) != 0;
    scheme.extra = random.in(0, std::min(max_extra, scheme.scale_bits() - 1));
    scheme.half_down = random.in(0, 1) != 0;
    scheme.raw = random.in(0, 1) != 0;
    return scheme;
  }

  /// A magnitude.
  std::uint32_t maximum() {
    const int bits = edqa_magnitude_bits(format_);
    const auto any = static_cast<std::uint32_t>(random.word(bits));
    if (format_ == EdqaFormat::float32) {
      const std::uint32_t exponent = static_cast<std::uint32_t>(random.in(0, 3)   ? random.in(100, 150)
                                                                : random.in(0, 1) ? random.in(0, 12)
                                                                                  : random.in(245, 254))
                                     << 23;
      switch (random.in(0, 9)) {
      case 0:
        return any; // exponent 255 too
      case 1:
        return 0;
      case 2:
        return exponent; // a power of two
      case 3:
        return exponent | 0x7fffff;
      case 4:
      case 5:
        return exponent | (any & 0x7fffff);
      default: // few bits: ties
        return exponent | (any & (0x7fffffu << random.in(12, 22) & 0x7fffff));
      }
    }
    switch (random.in(0, 9)) {
    case 0:
      return static_cast<std::uint32_t>(random.in(0, 3));
    case 1:
      return static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1 -
                                        static_cast<unsigned>(random.in(0, 1)));
    case 2:
      return std::uint32_t{1} << (bits - 1); // of the lowest value
    case 3:
      return any;
    case 4:
      return static_cast<std::uint32_t>(random.in(1, 300));
    default: // zeros at the end: ties
      return any >> random.in(0, bits / 2) << random.in(0, bits / 2) & (bits == 32 ? ~0u : 0xffffu);
    }
  }

  /// The bits of a value.
  std::uint32_t value(const EdqaScheme& scheme, std::uint32_t maximum, bool direct) {
    const long double size = edqa_size(format_, maximum);
    const int steps = scheme.scale_bits() - (direct ? scheme.extra : 0);
    const long double delta = std::ldexp(size, -steps);
    const int v = random.in(0, 2) ? random.in(-(1 << steps), 1 << steps) : random.in(-2, 2);
    const auto off = static_cast<std::uint32_t>(random.in(-1, 1));
    switch (random.in(0, 11)) {
    case 0:
      return random_bits();
    case 1:
      return special();
    case 2:
      return bits_of(size * (random.in(0, 1) ? 1 : -1)) + off;
    case 3: // far below
      return bits_of(std::ldexp(size, -random.in(0, random.in(0, 1) ? 20 : 250))) + off;
    case 4:
    case 5:
      return bits_of(v * delta) + off;
    case 6:
    case 7:
      return bits_of((v + 0.5L) * delta);
    case 8:
      return bits_of((v + 0.5L) * delta) + off;
    default:
      return bits_of(size * random.in(-1100, 1100) / 1000);
    }
  }

  RandomWork random;

private:
  [[nodiscard]] std::uint32_t bits_of(long double number) const { return edqa_bits(format_, number); }
  std::uint32_t random_bits() { return masked(static_cast<std::uint32_t>(random.word(32))); }
  std::uint32_t special() {
    if (format_ == EdqaFormat::float32) {
      constexpr std::uint32_t specials[] = {0,          0x7f800000, 0x7fc00000, 0x7f800001,
                                            0x00000001, 0x007fffff, 0x00800000, 0x7f7fffff};
      return specials[random.in(0, 7)] | static_cast<std::uint32_t>(random.in(0, 1)) << 31;
    }
    const std::uint32_t lowest = std::uint32_t{1} << (edqa_value_bits(format_) - 1);
    return masked(lowest * static_cast<std::uint32_t>(random.in(0, 1)) +
                  static_cast<std::uint32_t>(random.in(-1, 1)));
  }
  [[nodiscard]] std::uint32_t masked(std::uint32_t bits) const {
    return format_ == EdqaFormat::int16 ? bits & 0xffff : bits;
  }

  EdqaFormat format_;
};

} // namespace deltatwin
