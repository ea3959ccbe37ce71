#pragma once
#include "base/rounding.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A row of the scheduler's program table.
struct LayerDescriptor {
  int inputs = 1, outputs = 1; ///< 1..4096
  Activation activation = Activation::none;
  bool consecutive = false;
  bool huffman = false; ///< deltas are coded with the layer's book
  int block_length = 1; ///< inputs that share a reference
  int delta_shift = 0;  ///< s, 0..7
  int shift = 0;        ///< k, the requantizer's shift less 8, 0..31

  /// The two 32-bit words of the table; see the RTL program_table for the fields.
  [[nodiscard]] std::uint32_t word(int index) const;
  [[nodiscard]] static LayerDescriptor from_words(std::uint32_t word0, std::uint32_t word1);
};

/// The descriptors in a whole program table, two words each.
[[nodiscard]] std::vector<LayerDescriptor> read_table(const std::vector<std::uint32_t>& words);

} // namespace deltatwin
