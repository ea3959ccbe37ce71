#pragma once
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
  int padding = 0;
  int groups = 1; ///< words a column
  int pitch = 1;  ///< words a slot

  using Words = std::array<std::uint32_t, input_words>;
  [[nodiscard]] Words pack() const;
  [[nodiscard]] static PixelInput unpack(const Words& words);

  /// Values of a row, and cycles of padding behind it.
  [[nodiscard]] int row_values() const { return columns * channels; }
  [[nodiscard]] int row_padding() const { return right * channels; }

  /// A row's words, of `size` bytes, in the order of their addresses: visit(bytes).
  template <class Visit> void words_of(const std::int8_t* row, int size, Visit visit) const {
    words_by_value(row, size, [&](const std::int8_t* bytes, int) { visit(bytes); });
  }
  /// The same with the number of the row's value, or padding behind it, that completes the word.
  template <class Visit> void words_by_value(const std::int8_t* row, int size, Visit visit) const {
    std::vector<std::int8_t> all(static_cast<std::size_t>(size + row_values() + row_padding()),
                                 static_cast<std::int8_t>(padding));
    std::copy(row, row + row_values(), all.begin() + size);
    int until = kernel_columns - 1 - left;
    for (int pixel = 0; pixel < columns + right; ++pixel, --until) {
      if (until > 0)
        continue;
      for (int values = std::min(size, channels);; values = std::min(values + size, channels)) {
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
