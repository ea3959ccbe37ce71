#include "blocks/huffman_area.h"

namespace deltatwin {
namespace {

// Of 2^symbol_bits symbols: a complete code of n symbols has none of n bits.
int longest_code(int symbol_bits) { return symbol_bits < 4 ? (1 << symbol_bits) - 1 : 8; }

} // namespace

Resources huffman_builder_resources(int symbols, int limit, int count_bits) {
  constexpr double shared = 97, per_count_bit = 3.2, per_level_bit = 2.4;
  const int bits = address_bits(symbols), reach_bits = limit * (bits + 1);
  const int counts = 2 * count_bits, sorted = 4 * ceil_div(count_bits, 2); // two and three read ports
  Resources all = lut_ram_resources(bits + 1, 1 << bits) +                 // ranks
                  lut_ram_resources(count_bits + 8, 2 << bits) +           // packages
                  lut_ram_resources(bits + 1, 16 << bits) +                // reaches
                  Resources{counts + sorted, 0, 0, 0, 0, counts + sorted};
  all.lut += static_cast<int>(shared + per_count_bit * count_bits + per_level_bit * reach_bits);
  all.ff = 8 + 3 * bits + 8 * (bits + 1) - (symbols > 2) + 3 * (count_bits + 8) + reach_bits;
  return all;
}

Resources huffman_code_book_resources(int symbol_bits, int books, int limit) {
  constexpr double shared = 118, per_symbol_bit = 15, per_length = 2.5;
  constexpr double ff = 86, ff_per_symbol_bit = 13, ff_per_length = 4.75;
  const int tally = 4 * ceil_div(symbol_bits + 1, 4), codes = 4; // LUT-RAM, written where it is read
  Resources all =
      lut_ram_resources(4, books << symbol_bits) + Resources{tally + codes, 0, 0, 0, 0, tally + codes};
  for (int length = 1; length <= 8; ++length)
    all += lut_ram_resources(length + 1 + symbol_bits, books); // limits and bases
  all.lut += static_cast<int>(shared + per_symbol_bit * symbol_bits + per_length * limit);
  all.ff = static_cast<int>(ff + ff_per_symbol_bit * symbol_bits + ff_per_length * limit);
  return all;
}

Resources huffman_encoder_resources(int symbol_bits) {
  constexpr int row = 12, packer = 193, ff = 96; // {length, code}; two words, a code and counters
  Resources all = lut_ram_resources(row, 1 << symbol_bits);
  all.lut += packer + mux_luts(row, ceil_div(1 << symbol_bits, 64));
  all.ff = ff;
  return all;
}

Resources huffman_decoder_resources(int symbol_bits, int books) {
  constexpr double shared = 55, per_length = 7, per_symbol_bit = 1.7;
  constexpr int words = 118; // two of 36 bits, two chunks of 9, state
  const int longest = longest_code(symbol_bits);
  const int entries = books << symbol_bits;
  Resources all = lut_ram_resources(symbol_bits, entries);
  all.lut += static_cast<int>(shared + per_length * longest + per_symbol_bit * symbol_bits) +
             mux_luts(symbol_bits, ceil_div(entries, 64));
  all.ff = words + longest + address_bits(longest) + longest * symbol_bits;
  return all;
}

Resources channel_decoder_resources(int symbol_bits, int books) {
  constexpr double shared = 82, per_length = 6, per_symbol_bit = 4.5;
  constexpr int words = 117; // two of 36 bits, two chunks of 9, a window of 8, state
  const int longest = longest_code(symbol_bits), length_bits = address_bits(longest);
  const int entries = books << symbol_bits;
  Resources all = lut_ram_resources(symbol_bits, entries);
  all.lut += static_cast<int>(shared + per_length * longest + per_symbol_bit * symbol_bits) +
             mux_luts(symbol_bits, ceil_div(entries, 64));
  all.ff = words + length_bits + (symbol_bits << length_bits) + address_bits(books);
  return all;
}

Resources channel_store_resources(int words) {
  const int address = address_bits(words), banks = ceil_div(words, 128); // of flags, a RAM128X1D each
  Resources all = memory_resources(36, words, true) + Resources{4 * banks, 0, 0, 0, 0, 4 * banks};
  all.lut += 2 * address + 40; // a word that waits
  all.ff += 4 * (address + 1) + 40;
  if (banks > 1) {
    all.lut += 5 * banks / 4;
    all.ff += banks - 1 + address_bits(banks);
  }
  return all;
}

} // namespace deltatwin
