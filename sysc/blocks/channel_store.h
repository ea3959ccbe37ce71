#pragma once
#include "base/cycle.h"
#include "blocks/channel.h"
#include <algorithm>
#include <cstddef>
#include <deque>

namespace deltatwin {

/// Words of coded channels in a ring: when each is written, and when it is offered, which is when its
/// channel's last word has been written. Words are named in order: a write is of the next one that was
/// not written, offered() and taken() are of the next one that was not taken.
///
///     ChannelStoreTiming store(512);
///     encoder.emit(word, [&](Cycle from) { return store.write(from, word.last); });
///     decoder.offered_by([&](std::size_t, Cycle from) { // a decoder is given whole channels
///       const Cycle beat = std::max(from, store.offered());
///       store.taken(beat);
///       return beat;
///     });
class ChannelStoreTiming {
public:
  explicit ChannelStoreTiming(int words) : places_(static_cast<std::size_t>(words), 0) {}

  /// The beat of a word's write, which is tried from cycle `offered` on, later than that of the word
  /// before; `never`, and nothing is written, while the take that makes room for it is not known.
  Cycle write(Cycle offered, bool last) {
    const Cycle room = places_.room();
    if (offered == never || room == never)
      return never;
    const Cycle beat = std::max(offered, room);
    places_.push(beat + 1);
    if (channels_.empty() || channels_.back().whole != never)
      channels_.push_back({});
    ++channels_.back().words;
    if (last)
      channels_.back().whole = beat;
    return beat;
  }
  /// The first cycle in which so many words more have room.
  [[nodiscard]] Cycle room(std::size_t words) const { return places_.room(words); }
  /// The first cycle in which the next word is offered, the one before being taken; `never` while its
  /// channel is not whole.
  [[nodiscard]] Cycle offered() const {
    if (channels_.empty() || channels_.front().whole == never)
      return never;
    return std::max(channels_.front().whole + 2, free_);
  }
  void taken(Cycle beat) {
    free_ = beat + 1;
    places_.pop(free_);
    if (--channels_.front().words == 0)
      channels_.pop_front();
  }

  template <class Archive> void archive(Archive& bytes) { bytes(places_, channels_, free_); }

private:
  struct Stored {
    std::size_t words = 0; ///< written, not taken
    Cycle whole = never;   ///< when its last word was written
  };
  Channel<> places_;
  std::deque<Stored> channels_; ///< the last one may not be whole yet
  Cycle free_ = 0;              ///< the cycle after the latest take
};

} // namespace deltatwin
