#include "base/huffman.h"
#include "base/error.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <tuple>

namespace deltatwin {

std::vector<int> huffman_lengths(const std::vector<std::uint64_t>& histogram, int limit) {
  std::vector<std::size_t> symbols; // that occur, rarest first
  for (std::size_t s = 0; s < histogram.size(); ++s)
    if (histogram[s])
      symbols.push_back(s);
  std::sort(symbols.begin(), symbols.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(histogram[a], a) < std::tie(histogram[b], b);
  });
  const std::size_t n = symbols.size();
  if (n > (std::size_t{1} << limit))
    throw InputError(std::to_string(n) + " symbols occur, codes of at most " + std::to_string(limit) +
                     " bits are " + std::to_string(1 << limit));
  std::vector<int> lengths(histogram.size());
  if (n == 1)
    lengths[symbols[0]] = 1;
  if (n < 2)
    return lengths;

  // A list a level: the symbols, merged with the pairs of the level below, at most 2n - 1 items. Only which
  // items are symbols matters afterwards.
  const std::size_t row = 2 * n;
  const auto levels = static_cast<std::size_t>(limit);
  std::vector<std::uint8_t> is_symbol(levels * row);
  std::vector<std::uint64_t> below(row), list(row);
  std::size_t items = 0;
  for (std::size_t level = 0; level < levels; ++level) {
    std::uint8_t* const flags = is_symbol.data() + level * row;
    std::size_t at = 0;
    for (std::size_t symbol = 0, pair = 0; symbol < n || pair + 1 < items; ++at) {
      const bool take =
          pair + 1 >= items || (symbol < n && histogram[symbols[symbol]] <= below[pair] + below[pair + 1]);
      list[at] = take ? histogram[symbols[symbol]] : below[pair] + below[pair + 1];
      flags[at] = take;
      symbol += take;
      pair += take ? 0 : 2;
    }
    items = at;
    below.swap(list);
  }
  // The 2n - 2 cheapest items of the last level; each pair among them stands for two below.
  for (std::size_t level = levels, taken = 2 * n - 2; level-- > 0;) {
    const auto first = is_symbol.begin() + static_cast<std::ptrdiff_t>(level * row);
    const auto chosen =
        static_cast<std::size_t>(std::count(first, first + static_cast<std::ptrdiff_t>(taken), 1));
    for (std::size_t i = 0; i < chosen; ++i)
      ++lengths[symbols[i]];
    taken = 2 * (taken - chosen);
  }
  return lengths;
}

BookFault check_book(const std::vector<int>& lengths) {
  int kraft = 0, used = 0; // Kraft's sum in units of 2^-8
  bool too_long = false;
  for (const int length : lengths) {
    kraft += length && length <= max_code_length ? 256 >> length : 0;
    used += length != 0;
    too_long |= length > max_code_length;
  }
  if (used == 0)
    return BookFault::empty;
  if (too_long || kraft > 256)
    return BookFault::oversubscribed;
  return kraft == 256 || (used == 1 && kraft == 128) ? BookFault::none : BookFault::incomplete;
}

const char* to_string(BookFault fault) {
  constexpr const char* names[] = {"none", "empty", "oversubscribed", "incomplete"};
  return names[static_cast<int>(fault)];
}

std::vector<unsigned> canonical_codes(const std::vector<int>& lengths) {
  std::vector<unsigned> codes(lengths.size());
  unsigned next = 0;
  for (int length = 1; length <= max_code_length; ++length, next <<= 1)
    for (std::size_t s = 0; s < lengths.size(); ++s)
      if (lengths[s] == length)
        codes[s] = next++;
  return codes;
}

std::optional<std::uint64_t> BitPacker::put(unsigned code, int length) {
  rest_ = rest_ << length | code;
  count_ += length;
  if (count_ < stream_word_bits)
    return std::nullopt;
  count_ -= stream_word_bits;
  const std::uint64_t word = rest_ >> count_;
  rest_ &= (std::uint64_t{1} << count_) - 1;
  return word;
}

std::uint64_t BitPacker::flush() {
  const std::uint64_t word = rest_ << (stream_word_bits - count_);
  *this = {};
  return word;
}

std::uint64_t coded_bits(const std::vector<std::uint64_t>& histogram, const std::vector<int>& lengths) {
  return std::inner_product(histogram.begin(), histogram.end(), lengths.begin(), std::uint64_t{0});
}

double entropy_bits(const std::vector<std::uint64_t>& histogram) {
  const double total =
      static_cast<double>(std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0}));
  double bits = 0;
  for (const std::uint64_t count : histogram)
    if (count)
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / total);
  return bits;
}

} // namespace deltatwin
