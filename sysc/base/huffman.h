#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// Canonical Huffman codes of at most 8 bits. A book is its code lengths, one a symbol, 0 for a
/// symbol that does not occur. Codes are given out in the order of length, then of value, as in
/// DEFLATE (RFC 1951, 3.2.2); in a stream a code's highest bit comes first.
inline constexpr int max_code_length = 8;
/// Bits of a stream's word, a block RAM's; its first bit is the highest one. What the last code
/// leaves of a stream's last word is 0.
inline constexpr int stream_word_bits = 36;

/// The lengths with the fewest bits for this histogram among those of at most `limit` (1..8) bits
/// (package-merge: Larmore and Hirschberg, J. ACM 37, 1990). A lone symbol gets one bit; an empty
/// histogram gives an empty book. Throws InputError where 2^limit codes are too few.
[[nodiscard]] std::vector<int> huffman_lengths(const std::vector<std::uint64_t>& histogram,
                                               int limit = max_code_length);

/// What is wrong with a book.
enum class BookFault {
  none,
  empty,          ///< no symbol has a code
  oversubscribed, ///< Kraft's sum is above 1, or a length above 8
  incomplete      ///< Kraft's sum is under 1, and it is not the book of one symbol with one bit
};
[[nodiscard]] BookFault check_book(const std::vector<int>& lengths);
[[nodiscard]] const char* to_string(BookFault fault);

/// The codes of a good book, one a symbol, right-aligned.
[[nodiscard]] std::vector<unsigned> canonical_codes(const std::vector<int>& lengths);

/// Packs codes into the words of a stream.
class BitPacker {
public:
  /// Appends a code of at most max_code_length bits; gives the word that becomes full, if one does.
  std::optional<std::uint64_t> put(unsigned code, int length);
  /// No bits wait for a word to become full.
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// The word that is not full, padded with zeros; the next one begins.
  [[nodiscard]] std::uint64_t flush();

private:
  std::uint64_t rest_ = 0; ///< bits of the word that is not full, right-aligned
  int count_ = 0;          ///< how many
};

/// Bits of all symbols of a histogram under a book.
[[nodiscard]] std::uint64_t coded_bits(const std::vector<std::uint64_t>& histogram,
                                       const std::vector<int>& lengths);
/// What no code of one symbol at a time can beat: count times entropy (Shannon).
[[nodiscard]] double entropy_bits(const std::vector<std::uint64_t>& histogram);

} // namespace deltatwin
