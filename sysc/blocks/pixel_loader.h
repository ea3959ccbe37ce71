#pragma once
#include "blocks/fields.h"
#include "blocks/record.h"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

inline constexpr std::size_t input_words = 4; ///< registers INPUT0 to INPUT3

/// How pixels become words, as in registers INPUT0 to INPUT3; rtl/pixel_loader.sv has the contract.
struct PixelInput {
  int columns = 1, rows = 1, channels = 1;
  int kernel_columns = 1, left = 0, stride = 1, right = 0;
  int padding = 0; ///< a byte of fields
  int code = 0;    ///< of the map: a value's lowest bits are a field (blocks/fields.h)
  int groups = 1;  ///< words a column
  int pitch = 1;   ///< words a slot
  int held = 0;    ///< rows that the map holds, one a slot; 0 without a ring: all of the image's

  using Words = std::array<std::uint32_t, input_words>;
  [[nodiscard]] Words pack() const;
  [[nodiscard]] static PixelInput unpack(const Words& words);

  /// Values of a row, and cycles of padding behind it.
  [[nodiscard]] int row_values() const { return columns * channels; }
  [[nodiscard]] int row_padding() const { return right * channels; }

  [[nodiscard]] int held_rows() const { return held ? held : rows; }
  /// Where a row's words begin in its bank, of `banks`.
  [[nodiscard]] int address_of_row(int row, int banks) const { return row % held_rows() / banks * pitch; }
  /// Channels of a word of so many bytes.
  [[nodiscard]] int word_channels(int size) const { return size << code; }
  /// A row's words, of `size` bytes, in the order of their addresses: visit(bytes).
  template <class Visit> void words_of(const std::int8_t* row, int size, Visit visit) const {
    words_by_value(row, size, [&](const std::int8_t* bytes, int) { visit(bytes); });
  }
  /// The same with the number of the row's value, or padding behind it, that completes the word.
  template <class Visit> void words_by_value(const std::int8_t* row, int size, Visit visit) const {
    if (code == 0) {
      fields_by_value(row, size, visit);
      return;
    }
    std::vector<std::int8_t> bytes(static_cast<std::size_t>(size));
    fields_by_value(row, size, [&](const std::int8_t* fields, int value) {
      for (int f = 0; f < word_channels(size); ++f)
        set_field(bytes.data(), f, code, fields[f]);
      visit(bytes.data(), value);
    });
  }
  /// The same by field: visit(values, number).
  template <class Visit> void fields_by_value(const std::int8_t* row, int size, Visit visit) const {
    const int fields = word_channels(size), bits = width_bits(code);
    const auto byte = static_cast<std::int8_t>(padding);
    std::vector<std::int8_t> all(static_cast<std::size_t>(fields + row_values() + row_padding()),
                                 static_cast<std::int8_t>(field_of(&byte, 0, code)));
    for (int f = 0; f < fields; ++f)
      all[static_cast<std::size_t>(f)] =
          static_cast<std::int8_t>(field_of(&byte, f % fields_of_byte(code), code));
    std::transform(row, row + row_values(), all.begin() + fields, [bits](std::int8_t value) {
      return static_cast<std::int8_t>(sign_extended(value, bits));
    });
    int until = kernel_columns - 1 - left;
    for (int pixel = 0; pixel < columns + right; ++pixel, --until) {
      if (until > 0)
        continue;
      for (int values = std::min(fields, channels);; values = std::min(values + fields, channels)) {
        visit(all.data() + pixel * channels + values, pixel * channels + values - 1);
        if (values == channels)
          break;
      }
      until = stride;
    }
  }

private:
  template <class Self, class Visit> static void fields(Self& self, Visit visit);
};

} // namespace deltatwin
