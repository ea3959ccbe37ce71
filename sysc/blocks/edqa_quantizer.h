#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/edqa_magnitude.h"
#include <cstdint>

namespace deltatwin {

/// How channels are quantized, and back: what quantizer and dequantizer are told while no value is inside.
struct EdqaScheme {
  int bits = 6;           ///< T = N + m, 2..12
  int extra = 3;          ///< m: at least one bit, and the sign, are left to N
  bool is_signed = true;  ///< else values below 0 are 0
  bool half_down = false; ///< ties go down, as in the authors' accelerator; else to even
  bool raw = false; ///< the dequantizer adds a shifting error as it is, as that accelerator does; else / 2^m

  /// K: the maximum is 2^K steps.
  [[nodiscard]] constexpr int scale_bits() const { return bits - (is_signed ? 1 : 0); }
  /// q and se, of which v is q 2^m + se.
  [[nodiscard]] constexpr int quantized(int v) const { return v >> extra; }
  [[nodiscard]] constexpr int shifting_error(int v) const { return v & ((1 << extra) - 1); }
};

/// Whether blocks of `max_bits` take the scheme.
[[nodiscard]] constexpr bool possible(const EdqaScheme& scheme, int max_bits) {
  return scheme.bits >= 2 && scheme.bits <= max_bits && scheme.extra >= 0 && scheme.extra <= 7 &&
         scheme.extra < scheme.scale_bits();
}

/// The parameters of the RTL `edqa_quantizer`.
struct EdqaQuantizerConfig {
  EdqaFormat format = EdqaFormat::int16;
  int max_bits = 6; ///< 2..12: of T
};

/// v = round(|a| 2^K / maximum) with a's sign, clamped to -2^K .. 2^K - 1 (unsigned: from 0 on), exactly; of
/// a direct channel, which keeps N bits alone, that with N for T, times 2^m. A maximum of 0 makes all 0. A
/// float whose exponent is 0 is 0, one of 255 is as any other.
[[nodiscard]] int edqa_quantize(EdqaFormat format, const EdqaScheme& scheme, const EdqaMagnitude& a,
                                std::uint32_t maximum, bool direct);

/// One value a cycle; its v leaves so many cycles after it came in, at T bits.
[[nodiscard]] constexpr Cycle edqa_quantizer_latency(int bits) { return static_cast<Cycle>(bits) + 3; }

/// What the quantizer takes.
[[nodiscard]] Resources edqa_quantizer_resources(const EdqaQuantizerConfig& config);

} // namespace deltatwin
