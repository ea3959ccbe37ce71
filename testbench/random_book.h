#pragma once
#include "base/huffman.h"
#include "random_work.h"

namespace deltatwin {

/// Random code lengths of a good book for 2^symbol_bits symbols: of all shapes, among them one
/// symbol alone, all of one length, and 1, 2, 3, ... 8, 8.
inline std::vector<int> random_book(RandomWork& random, int symbol_bits) {
  const int symbols = 1 << symbol_bits;
  std::vector<std::uint64_t> histogram(static_cast<std::size_t>(symbols));
  const int shape = random.in(0, 5);
  if (shape == 0) {
    histogram[static_cast<std::size_t>(random.in(0, symbols - 1))] = 1;
  } else if (shape == 1) {
    histogram.assign(histogram.size(), 1);
  } else {
    const int steepness = random.in(0, 3), absent = random.in(0, 2);
    for (std::size_t s = 0; s < histogram.size(); ++s)
      if (random.in(0, 3) >= absent)
        histogram[s] = std::uint64_t{1} << random.in(0, 3) * steepness * static_cast<int>(s % 16 + 1) / 4;
    histogram[0] += 1;
  }
  return huffman_lengths(histogram);
}

/// A stream's words from the codes of symbols, said as plainly as can be: by way of a string.
inline std::vector<std::uint64_t> words_of(std::string bits) {
  bits.append((36 - bits.size() % 36) % 36, '0');
  std::vector<std::uint64_t> words;
  for (std::size_t at = 0; at < bits.size(); at += 36)
    words.push_back(std::stoull(bits.substr(at, 36), nullptr, 2));
  return words;
}

/// RFC 1951, 3.2.2, step by step: each symbol's code.
inline std::vector<unsigned> rfc1951_codes(const std::vector<int>& lengths) {
  unsigned bl_count[16] = {}, next_code[16] = {};
  for (const int length : lengths)
    ++bl_count[length];
  unsigned code = 0;
  bl_count[0] = 0;
  for (int bits = 1; bits < 16; ++bits) {
    code = (code + bl_count[bits - 1]) << 1;
    next_code[bits] = code;
  }
  std::vector<unsigned> codes(lengths.size());
  for (std::size_t n = 0; n < lengths.size(); ++n)
    if (lengths[n] != 0)
      codes[n] = next_code[lengths[n]]++;
  return codes;
}

/// The same codes as text, empty for a symbol without one.
inline std::vector<std::string> reference_codes(const std::vector<int>& lengths) {
  std::vector<std::string> texts;
  for (const unsigned code : rfc1951_codes(lengths)) {
    const int length = lengths[texts.size()];
    std::string& text = texts.emplace_back();
    for (int bit = length - 1; bit >= 0; --bit)
      text += code >> bit & 1 ? '1' : '0';
  }
  return texts;
}

} // namespace deltatwin
