#include "blocks/huffman_decoder.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

constexpr std::size_t chunk_bits = 9;
constexpr std::size_t chunks_in_word = 4;
constexpr Cycle drain_cycles = 5; ///< of 8 bits each: a word

} // namespace

const char* to_string(StreamFault fault) {
  constexpr const char* names[] = {"none", "bad code", "stream too short", "bits left over"};
  return names[static_cast<int>(fault)];
}

void HuffmanDecoderCore::reset(Cycle clean) {
  *this = {};
  words_from_ = open_from_ = clean;
}

void HuffmanDecoderCore::resume(Cycle cycle) {
  *this = {};
  words_from_ = cycle + 1;
  open_from_ = cycle + drain_cycles + 1;
}

void HuffmanDecoderCore::stream(std::vector<std::uint64_t> words, Offer offer) {
  words_ = std::move(words);
  offer_ = std::move(offer);
  first_word_ = accepted_.size();
  words_opened_ = 0;
  opened_ = words_from_;
  current_ = 0;
  position_ = 0;
  accept_word();
  entered_ = next_ = never;
  if (accepted_.size() == first_word_)
    return;
  opened_ = std::max(accepted_.back() + 1, open_from_);
  words_opened_ = 1;
  accept_word();
  entered_ = opened_ + 2; // by way of `next`
  receive_next();
}

// A word is taken when the one before it moves on, or later.
void HuffmanDecoderCore::accept_word() {
  const std::size_t index = accepted_.size() - first_word_;
  if (index == words_.size())
    return;
  const Cycle cycle = offer_(index, opened_);
  if (cycle != never)
    accepted_.push_back(cycle);
}

// The chunk behind the current one leaves its word when the current one makes room; a word's last
// chunk lets the word behind it move on.
void HuffmanDecoderCore::receive_next() {
  const std::size_t chunk = current_ + 1;
  next_ = never;
  if (chunk >= chunks() || chunk / chunks_in_word >= words_opened_)
    return;
  next_ = std::max(opened_ + 1, entered_);
  const std::size_t word = chunk / chunks_in_word + 1;
  if (chunk % chunks_in_word + 1 == chunks_in_word && first_word_ + word < accepted_.size()) {
    opened_ = std::max(accepted_[first_word_ + word] + 1, next_);
    ++words_opened_;
    accept_word();
  }
}

void HuffmanDecoderCore::advance(Cycle vacated) {
  ++current_;
  entered_ = next_ == never ? never : std::max(next_ + 1, vacated);
  receive_next();
}

Cycle HuffmanDecoderCore::ready(Cycle from) const {
  if (failed())
    return std::max(from, failed_from_);
  if (current_ + 1 < chunks())
    return next_ == never || entered_ == never ? never : std::max({from, entered_ + 1, next_ + 1});
  return from; // exhausted: whatever is asked for now is there, or is too much
}

// 8 bits of the stream; what follows its last word is 0.
unsigned HuffmanDecoderCore::window(std::size_t position) const {
  const std::size_t word = position / stream_word_bits, offset = position % stream_word_bits;
  const std::uint64_t here = word < words_.size() ? words_[word] : 0,
                      behind = word + 1 < words_.size() ? words_[word + 1] : 0;
  // The 64 bits from the word's first one on.
  const std::uint64_t bits = here << (64 - stream_word_bits) | behind >> (2 * stream_word_bits - 64);
  return static_cast<unsigned>(bits << offset >> 56);
}

HuffmanDecoderCore::Symbol HuffmanDecoderCore::take(const CodeTable& book, Cycle cycle) {
  if (failed())
    return {};
  const std::size_t at = chunk_bits * current_ + static_cast<std::size_t>(position_);
  const int bits = static_cast<int>(window(at));
  int length = 1;
  while (length <= max_code_length && bits >= book.limit[static_cast<std::size_t>(length)])
    ++length;
  const std::size_t there = chunk_bits * std::min(current_ + 2, chunks());
  const bool bad = length > max_code_length;
  if (bad || at + static_cast<std::size_t>(length) > there) {
    failed_from_ = cycle + 1;
    return {0, bad ? StreamFault::bad_code : StreamFault::too_short};
  }
  const auto mask = book.lengths.size() - 1;
  const auto rank = static_cast<std::size_t>((bits >> (max_code_length - length)) +
                                             book.base[static_cast<std::size_t>(length)]) &
                    mask;
  position_ += length;
  if (position_ >= static_cast<int>(chunk_bits)) {
    position_ -= static_cast<int>(chunk_bits);
    advance(cycle);
  }
  return {book.symbols[rank], StreamFault::none};
}

HuffmanDecoderCore::End HuffmanDecoderCore::end(Cycle cycle) {
  if (failed())
    return {};
  if (chunks() - current_ > chunks_in_word) {
    failed_from_ = cycle + 1;
    return {StreamFault::left_over, cycle + 1};
  }
  words_from_ = cycle + 1;
  open_from_ = cycle + drain_cycles + 1;
  const std::size_t at = chunk_bits * current_ + static_cast<std::size_t>(position_);
  for (Cycle i = 0; i < drain_cycles; ++i)
    if (window(at + 8 * static_cast<std::size_t>(i))) {
      failed_from_ = cycle + i + 2;
      return {StreamFault::left_over, failed_from_};
    }
  return {};
}

} // namespace deltatwin
