#pragma once
#include "base/cycle.h"
#include "blocks/huffman_decoder.h"
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace deltatwin {

/// Coded channels of 36-bit words to one symbol per cycle, one channel behind another without a pause:
/// each begins at a word, and what is left of its last word is dropped at its end. Two chunks of 9
/// bits stand before the decoder, behind them the word they come from and one more, `held`, which may
/// be the next channel's first. A channel whose first word is held at the end of the one before gives
/// its first symbol in the next cycle; one whose first word comes to an empty decoder in cycle w gives
/// it in w + 2. A word that comes late inside a channel, in cycle w, lets it go on in w + 3. What a
/// fault leaves behind, and each move: rtl/channel_decoder.sv.
///
///     decoder.reset(clean);
///     decoder.offered_by([&](std::size_t, Cycle from) { return from; }); // at once
///     decoder.channel(words);
///     Cycle at = decoder.ready(now);
///     decoder.take(&book, at); // the first symbol, and here the last one
///     decoder.end(at);
///
/// The cost of a call is that of a beat, however far apart the beats are.
class ChannelDecoderCore {
public:
  /// The first cycle from `from` on in which a word is offered: the words of all channels since the
  /// reset, in order, each asked for once and taken then.
  using Offer = std::function<Cycle(std::size_t index, Cycle from)>;

  /// A reset: clean in cycle `clean`. Who offers the words stays.
  void reset(Cycle clean);
  /// Who offers the words; to be said again after the state has been restored.
  void offered_by(Offer offer) { offer_ = std::move(offer); }
  /// The next channel's words, the last one with its flag; at least one. May be given while channels
  /// before it are being decoded, and is to be given before its first ready(). To see whether its
  /// first word is accepted although a channel before it has a fault, it is to be given before that.
  void channel(std::vector<std::uint64_t> words);

  /// Of a decoder between channels, none given: when the latest word moved on from `held`, and the latest
  /// end.
  [[nodiscard]] Cycle vacated() const { return vacated_; }
  [[nodiscard]] Cycle ended() const { return ended_; }
  /// A whole channel of so many words went by, without a fault: its last word was accepted in `accepted` and
  /// moved on in `vacated`.
  void pass(std::size_t words, Cycle accepted, Cycle vacated, Cycle ended) {
    given_ += words;
    accepted_words_ = moved_words_ = given_;
    accepted_at_ = accepted;
    vacated_ = vacated;
    ended_ = ended;
  }

  template <class Archive> void archive(Archive& bytes) {
    bytes(channels_, given_, accepted_words_, moved_words_, accepted_, accepted_at_, vacated_, ended_,
          inside_, opened_, words_opened_, current_, entered_, next_, position_, failed_from_, faulty_end_);
  }

  /// The first cycle from `from` on in which a symbol can be taken; later than the latest take.
  [[nodiscard]] Cycle ready(Cycle from) const;
  struct Symbol {
    int symbol = 0; ///< on the output one cycle after the take; 0 with a fault and after it
    StreamFault fault = StreamFault::none; ///< raised one cycle after the take
  };
  /// `book`: null in a channel without codes.
  Symbol take(const CodeTable* book, Cycle cycle);
  /// The channel ends with the take of the same cycle. A fault is raised one cycle later.
  StreamFault end(Cycle cycle);

  [[nodiscard]] bool failed() const { return failed_from_ != never; }
  /// The first cycle in which it has failed: it takes no word any more.
  [[nodiscard]] Cycle failed_from() const { return failed_from_; }
  /// Cycles of the word beats of all channels since the reset, or the latest forget_accepted(), computed
  /// as far ahead as the takes so far allow; those from failed_from() on do not happen.
  [[nodiscard]] const std::vector<Cycle>& accepted() const { return accepted_; }
  void forget_accepted() { accepted_.clear(); }

private:
  void accept_word();
  void word_moves(Cycle cycle);
  void begin();
  void move_past_fault();
  void receive_next();
  [[nodiscard]] unsigned window(std::size_t position) const;
  [[nodiscard]] bool leaves_over(std::size_t position) const;
  [[nodiscard]] bool holds() const { return accepted_words_ > moved_words_; }
  [[nodiscard]] std::size_t chunks() const { return 4 * channels_.front().size(); }

  Offer offer_;
  std::deque<std::vector<std::uint64_t>> channels_;              ///< the words of those that have not ended
  std::size_t given_ = 0, accepted_words_ = 0, moved_words_ = 0; ///< words: offered, taken, gone from held
  std::vector<Cycle> accepted_;
  Cycle accepted_at_ = 0; ///< the latest word's beat
  Cycle vacated_ = 0;     ///< when the latest word moved on from held
  Cycle ended_ = 0;       ///< the latest channel's end

  // The channel inside.
  bool inside_ = false;
  Cycle opened_ = 0; ///< when its latest word was opened
  std::size_t words_opened_ = 0;
  std::size_t current_ = 0; ///< index of the chunk before the decoder
  Cycle entered_ = 0;       ///< when it moved there
  Cycle next_ = never;      ///< when the chunk behind it left its word
  int position_ = 0;        ///< of the next bit in the current chunk
  Cycle failed_from_ = never;
  Cycle faulty_end_ = never; ///< a channel's end with a fault, which a word that is held then moves at
};

} // namespace deltatwin
