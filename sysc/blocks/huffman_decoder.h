#pragma once
#include "base/cycle.h"
#include "blocks/huffman_code_book.h"
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace deltatwin {

/// Why a decoder stopped.
enum class StreamFault {
  none,
  bad_code,  ///< the next bits are no code of the book
  too_short, ///< the next code goes beyond the stream's last word
  left_over  ///< after the end, more than 36 bits or a bit that is not 0
};
[[nodiscard]] const char* to_string(StreamFault fault);

/// One stream of 36-bit words to one symbol a cycle, whatever the code lengths: 4 chunks of 9 bits
/// a word, of which a cycle needs one at most, since no code is longer than 8 bits. Two chunks
/// stand before the decoder (`current`, `next`), behind them the word they come from and one more
/// held ready. Whoever offers a word at least every fourth cycle never lets it wait.
///
/// The cost of a call is that of a beat, however far apart the beats are.
class HuffmanDecoderCore {
public:
  /// The first cycle from `from` on in which word `index` of the stream is offered.
  using Offer = std::function<Cycle(std::size_t index, Cycle from)>;

  /// A reset: clean in cycle `clean`.
  void reset(Cycle clean);
  /// As it is after a stream that ended in `cycle` without a fault.
  void resume(Cycle cycle);
  /// The next stream's words, the last one with its flag: after a reset, or after the end of the
  /// stream before. At least one word.
  void stream(std::vector<std::uint64_t> words, Offer offer);
  /// All but who offers the words, which is to be said again after the state has been restored.
  template <class Archive> void archive(Archive& bytes) {
    bytes(words_, words_from_, open_from_, accepted_, first_word_, opened_, words_opened_, current_, entered_,
          next_, position_, failed_from_);
  }
  void offered_by(Offer offer) { offer_ = std::move(offer); }

  /// The first cycle from `from` on in which a symbol can be taken (or the stream's end be said).
  [[nodiscard]] Cycle ready(Cycle from) const;
  struct Symbol {
    int symbol = 0; ///< on the output one cycle after the take; 0 with a fault and after it
    StreamFault fault = StreamFault::none; ///< raised one cycle after the take
  };
  Symbol take(const CodeTable& book, Cycle cycle);
  struct End {
    StreamFault fault = StreamFault::none;
    Cycle raised = never; ///< the cycle in which it is raised
  };
  /// The stream ends in `cycle`, after the take of the same cycle.
  End end(Cycle cycle);

  [[nodiscard]] bool failed() const { return failed_from_ != never; }
  /// The first cycle in which it has failed: it takes no word any more.
  [[nodiscard]] Cycle failed_from() const { return failed_from_; }
  /// Cycles of the word beats of all streams since the reset, computed as far ahead as the takes so
  /// far allow.
  [[nodiscard]] const std::vector<Cycle>& accepted() const { return accepted_; }

  /// From an end, or the last cycle of a reset, to the first take of the next stream, when its
  /// first word comes within 5 cycles.
  static constexpr Cycle restart_latency = 9;

private:
  void accept_word();
  void receive_next();
  void advance(Cycle vacated);
  [[nodiscard]] unsigned window(std::size_t position) const;
  [[nodiscard]] std::size_t chunks() const { return 4 * words_.size(); }

  std::vector<std::uint64_t> words_;
  Offer offer_;
  Cycle words_from_ = 0; ///< first cycle in which the stream's first word is taken
  Cycle open_from_ = 0;  ///< first cycle in which it moves on

  std::vector<Cycle> accepted_; ///< of all streams
  std::size_t first_word_ = 0;  ///< in accepted_, of this stream
  Cycle opened_ = 0;            ///< when the latest word moved on, out of the way of the next one
  std::size_t words_opened_ = 0;

  std::size_t current_ = 0; ///< index of the chunk before the decoder
  Cycle entered_ = 0;       ///< when it moved there
  Cycle next_ = never;      ///< when the chunk behind it left its word
  int position_ = 0;        ///< of the next bit in the current chunk
  Cycle failed_from_ = never;
};

} // namespace deltatwin
