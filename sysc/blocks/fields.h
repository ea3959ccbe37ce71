#pragma once
#include <cstdint>

namespace deltatwin {

// Activations of 8, 4, 2 or 1 bits, whose code is 0 to 3, lie side by side in bytes, the first one lowest,
// two's complement: one bit is 0 or -1.

inline constexpr int width_codes = 4;

[[nodiscard]] constexpr int width_bits(int code) { return 8 >> code; }
[[nodiscard]] constexpr int fields_of_byte(int code) { return 1 << code; }

/// The lowest `bits` bits, signed.
[[nodiscard]] constexpr std::int32_t sign_extended(std::int32_t value, int bits) {
  const int above = 32 - bits;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << above) >> above;
}

/// Field `index` of some bytes.
[[nodiscard]] inline int field_of(const std::int8_t* bytes, int index, int code) {
  const int bits = width_bits(code), in_byte = index % fields_of_byte(code);
  return sign_extended(static_cast<std::uint8_t>(bytes[index >> code]) >> (in_byte * bits), bits);
}

/// The value's lowest bits become it.
inline void set_field(std::int8_t* bytes, int index, int code, int value) {
  const int bits = width_bits(code), lsb = index % fields_of_byte(code) * bits;
  const unsigned mask = ((1u << bits) - 1) << lsb;
  const auto old = static_cast<std::uint8_t>(bytes[index >> code]);
  bytes[index >> code] =
      static_cast<std::int8_t>((old & ~mask) | (static_cast<unsigned>(value) << lsb & mask));
}

/// A byte whose fields are all this value.
[[nodiscard]] constexpr std::int8_t byte_of_fields(int value, int code) {
  const int bits = width_bits(code);
  unsigned byte = 0;
  for (int lsb = 0; lsb < 8; lsb += bits)
    byte |= (static_cast<unsigned>(value) & ((1u << bits) - 1)) << lsb;
  return static_cast<std::int8_t>(byte);
}

} // namespace deltatwin
