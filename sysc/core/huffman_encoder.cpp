#include "core/huffman_encoder.h"
#include <algorithm>

namespace deltatwin {

std::vector<CodeEntry> code_entries(const CodeTable& table) {
  std::vector<CodeEntry> entries(table.lengths.size());
  for (std::size_t s = 0; s < table.codes.size(); ++s)
    entries[s] = {static_cast<std::uint8_t>(table.codes[s]), static_cast<std::uint8_t>(table.lengths[s])};
  return entries;
}

void BitPacker::add(const CodeEntry& entry, bool last, std::vector<EncodedWord>& words) {
  rest_ = rest_ << entry.length | entry.code;
  count_ += entry.length;
  bool ended = false;
  if (count_ >= stream_word_bits) {
    count_ -= stream_word_bits;
    ended = last && count_ == 0;
    words.push_back({rest_ >> count_, ended, 0, 0});
    rest_ &= (std::uint64_t{1} << count_) - 1;
  }
  if (last && !ended) {
    words.push_back({rest_ << (stream_word_bits - count_), true, 0, 0});
    rest_ = 0;
    count_ = 0;
  }
}

// Input and packer move in the same cycles, those in which nothing is held or flushed. So a symbol
// that is offered before its predecessor is packed goes in when that one is packed.
Cycle EncoderTiming::take(Cycle offered) {
  const Cycle from = std::max(offered, next_);
  const Cycle beat = from <= packed_ ? packed_ : std::max(from, open_);
  next_ = beat + 1;
  loaded_ = packed_ = std::max(next_, open_);
  return beat;
}

void EncoderTiming::emit(EncodedWord& word, const Pacer& sink) {
  word.offered = loaded_ + 1;
  word.beat = open_ = loaded_ = sink.next_ready(word.offered);
}

} // namespace deltatwin
