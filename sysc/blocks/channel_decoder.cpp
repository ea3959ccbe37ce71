#include "blocks/channel_decoder.h"
#include <algorithm>
#include <utility>

namespace deltatwin {
namespace {

constexpr std::size_t chunk_bits = 9;
constexpr std::size_t chunks_in_word = 4;

} // namespace

void ChannelDecoderCore::reset(Cycle clean) {
  Offer offer = std::move(offer_);
  *this = {};
  offer_ = std::move(offer);
  vacated_ = clean;
}

void ChannelDecoderCore::channel(std::vector<std::uint64_t> words) {
  given_ += words.size();
  channels_.push_back(std::move(words));
  accept_word();
  if (failed())
    move_past_fault();
  else
    begin();
}

// A word is taken when the one before it moves on, or later.
void ChannelDecoderCore::accept_word() {
  if (holds() || accepted_words_ == given_)
    return;
  const Cycle cycle = offer_(accepted_words_, vacated_);
  if (cycle == never)
    return;
  accepted_.push_back(cycle);
  accepted_at_ = cycle;
  ++accepted_words_;
}

void ChannelDecoderCore::word_moves(Cycle cycle) {
  vacated_ = cycle;
  ++moved_words_;
  accept_word();
}

// The first chunk goes straight before the decoder.
void ChannelDecoderCore::begin() {
  if (inside_ || channels_.empty() || !holds())
    return;
  inside_ = true;
  entered_ = opened_ = std::max(accepted_at_ + 1, ended_);
  words_opened_ = 1;
  current_ = 0;
  position_ = 0;
  word_moves(opened_);
  receive_next();
}

// The chunk behind the current one leaves its word when the current one makes room; a word's last
// chunk lets the word behind it move on.
void ChannelDecoderCore::receive_next() {
  const std::size_t chunk = current_ + 1;
  next_ = never;
  if (chunk >= chunks() || chunk / chunks_in_word >= words_opened_)
    return;
  next_ = std::max(opened_ + 1, entered_);
  if (chunk % chunks_in_word + 1 == chunks_in_word && words_opened_ < channels_.front().size() && holds()) {
    opened_ = std::max(accepted_at_ + 1, next_);
    ++words_opened_;
    word_moves(opened_);
  }
}

Cycle ChannelDecoderCore::ready(Cycle from) const {
  if (failed())
    return std::max(from, failed_from_);
  if (!inside_)
    return never;
  if (current_ == 0)
    return std::max(from, entered_ + 1);
  if (current_ + 1 < chunks())
    return next_ == never ? never : std::max(from, next_ + 1);
  return from; // exhausted: whatever is asked for now is there, or is too much
}

// 8 bits of the channel; what follows its last word is 0.
unsigned ChannelDecoderCore::window(std::size_t position) const {
  const std::vector<std::uint64_t>& words = channels_.front();
  const std::size_t word = position / stream_word_bits, offset = position % stream_word_bits;
  const std::uint64_t here = word < words.size() ? words[word] : 0,
                      behind = word + 1 < words.size() ? words[word + 1] : 0;
  // The 64 bits from the word's first one on.
  const std::uint64_t bits = here << (64 - stream_word_bits) | behind >> (2 * stream_word_bits - 64);
  return static_cast<unsigned>(bits << offset >> 56);
}

ChannelDecoderCore::Symbol ChannelDecoderCore::take(const CodeTable* book, Cycle cycle) {
  if (failed() || !book)
    return {};
  const std::size_t at = chunk_bits * current_ + static_cast<std::size_t>(position_);
  const int bits = static_cast<int>(window(at));
  int length = 1;
  while (length <= max_code_length && bits >= book->limit[static_cast<std::size_t>(length)])
    ++length;
  const bool bad = length > max_code_length;
  if (bad || at + static_cast<std::size_t>(length) > chunk_bits * chunks()) {
    failed_from_ = cycle + 1;
    return {0, bad ? StreamFault::bad_code : StreamFault::too_short};
  }
  const auto mask = book->lengths.size() - 1;
  const auto rank = static_cast<std::size_t>((bits >> (max_code_length - length)) +
                                             book->base[static_cast<std::size_t>(length)]) &
                    mask;
  position_ += length;
  if (position_ >= static_cast<int>(chunk_bits)) {
    position_ -= static_cast<int>(chunk_bits);
    ++current_;
    entered_ = cycle;
    receive_next();
  }
  return {book->symbols[rank], StreamFault::none};
}

// Codes end at `position`: is that in the channel's last word, and is what follows there 0?
bool ChannelDecoderCore::leaves_over(std::size_t position) const {
  const std::vector<std::uint64_t>& words = channels_.front();
  const std::size_t begun = std::max<std::size_t>((position + stream_word_bits - 1) / stream_word_bits, 1);
  const std::size_t left = begun * stream_word_bits - position;
  return words.size() > begun || (words[begun - 1] & ((std::uint64_t{1} << left) - 1)) != 0;
}

// What is held moves on at an end, whether there was a fault or not.
void ChannelDecoderCore::move_past_fault() {
  if (faulty_end_ == never || !holds() || accepted_at_ >= faulty_end_)
    return;
  const Cycle cycle = faulty_end_;
  faulty_end_ = never;
  word_moves(cycle);
}

StreamFault ChannelDecoderCore::end(Cycle cycle) {
  if (failed_from_ <= cycle)
    return StreamFault::none;
  const bool left_over =
      !failed() && leaves_over(chunk_bits * current_ + static_cast<std::size_t>(position_));
  if (left_over)
    failed_from_ = cycle + 1;
  if (failed()) {
    faulty_end_ = cycle;
    move_past_fault();
    return left_over ? StreamFault::left_over : StreamFault::none;
  }
  channels_.pop_front();
  inside_ = false;
  ended_ = cycle;
  begin();
  return StreamFault::none;
}

} // namespace deltatwin
