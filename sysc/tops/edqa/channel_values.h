#pragma once
#include "blocks/edqa_quantizer.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// A lane's values in a stream: one every `stride` bytes.
struct ChannelValues {
  const std::uint8_t* data = nullptr;
  std::size_t stride = 0, count = 0;
};

// What edqa_magnitude(), edqa_quantize() and edqa_dequantize() say of a value, for all of a channel at once,
// in vectors. They take what flags nothing: vectorizable() tells.

/// Whether no value of the channel is one that a float's flags tell, and a maximum keeps results so.
[[nodiscard]] bool vectorizable(EdqaFormat format, const ChannelValues& values);
[[nodiscard]] bool vectorizable(EdqaFormat format, const EdqaScheme& scheme, std::uint32_t maximum);
/// The largest magnitude.
[[nodiscard]] std::uint32_t largest_magnitude(EdqaFormat format, bool is_signed, const ChannelValues& values);
/// v of each value.
void quantize_channel(EdqaFormat format, const EdqaScheme& scheme, bool direct, std::uint32_t maximum,
                      const ChannelValues& values, std::vector<std::int16_t>& quantities);
/// Values back, one every `stride` bytes.
void dequantize_channel(EdqaFormat format, const EdqaScheme& scheme, std::uint32_t maximum,
                        const std::vector<std::int16_t>& quantities, std::uint8_t* out, std::size_t stride);

} // namespace deltatwin
