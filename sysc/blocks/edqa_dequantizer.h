#pragma once
#include "blocks/edqa_quantizer.h"

namespace deltatwin {

/// The parameters of the RTL `edqa_dequantizer`.
struct EdqaDequantizerConfig {
  EdqaFormat format = EdqaFormat::int16;
  int max_bits = 6;  ///< 2..12: of T
  int max_extra = 3; ///< 0..7: of m
};

/// A value as it leaves the dequantizer.
struct EdqaResult {
  std::int64_t value = 0; ///< of a float its 32 bits
  unsigned flags = 0;

  // What a float would have been.
  static constexpr unsigned small = 1; ///< below the smallest normal number: it is +0
  static constexpr unsigned large = 2; ///< above the largest finite number: it is that
};

/// The multiple of maximum / 2^K that a value is: q 2^m + se, or (q + se) 2^m.
[[nodiscard]] constexpr int edqa_factor(const EdqaScheme& scheme, int q, int se) {
  return scheme.raw ? (q + se) * (1 << scheme.extra) : q * (1 << scheme.extra) + se;
}

/// maximum * edqa_factor(), exactly, in units of 1 / 2^K of the input's; of a float in its own unit, rounded
/// to 24 bits half to even.
[[nodiscard]] EdqaResult edqa_dequantize(EdqaFormat format, const EdqaScheme& scheme, int q, int se,
                                         std::uint32_t maximum);

/// One value a cycle; it leaves so many cycles after it came in.
[[nodiscard]] constexpr Cycle edqa_dequantizer_latency(EdqaFormat format) {
  return format == EdqaFormat::float32 ? 5 : 3;
}

/// What the dequantizer takes.
[[nodiscard]] Resources edqa_dequantizer_resources(const EdqaDequantizerConfig& config);

} // namespace deltatwin
