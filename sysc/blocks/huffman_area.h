#pragma once
#include "base/resources.h"

namespace deltatwin {

// What the Huffman blocks take outside the accelerator's banks, by the rules of base/resources.h; the
// coefficients are fitted to the codec's synthesis at 4, 8 and 32 symbols, those of the channel's decoder
// and store to their own.

/// A builder of codes of at most `limit` bits from counts of `count_bits`.
[[nodiscard]] Resources huffman_builder_resources(int symbols, int limit, int count_bits);
/// A code book memory of `books` (2 or more) books of codes of at most `limit` bits.
[[nodiscard]] Resources huffman_code_book_resources(int symbol_bits, int books, int limit);
/// An encoder with a table of 2^symbol_bits codes.
[[nodiscard]] Resources huffman_encoder_resources(int symbol_bits);
/// A decoder of complete codes with tables of `books` books.
[[nodiscard]] Resources huffman_decoder_resources(int symbol_bits, int books);
/// The same of coded channels.
[[nodiscard]] Resources channel_decoder_resources(int symbol_bits, int books);
/// A ring of `words` words of coded channels.
[[nodiscard]] Resources channel_store_resources(int words);

} // namespace deltatwin
