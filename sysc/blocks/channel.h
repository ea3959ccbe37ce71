#pragma once
#include "base/cycle.h"
#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace deltatwin {

/// A bounded channel in max-plus arithmetic: FIFO credits, ping-pong halves, a slot that drains. An
/// item takes one of `depth` places when it is pushed and gives it back when it is popped; a push comes
/// later where there is no room, a pop where there is no item. Cycles only grow, for pushes and for pops.
/// The depth is the template's, or the constructor's where that is 0.
///
///     Channel<2> halves(0);                    // both free from cycle 0 on
///     const Cycle first = halves.room();       // write one from here on
///     halves.push(first + 10);                 // it can be read from first + 10 on,
///     halves.pop(halves.item() + 20);          // and its place is free 20 cycles after that
template <std::size_t Depth = 0> class Channel {
public:
  /// All places are free from cycle `open` on.
  explicit Channel(Cycle open) { times_.fill(open); }
  Channel(std::size_t depth, Cycle open) : times_(depth, open) {}

  /// The first cycle in which so many items more have room; `never` while pops that make it are not known.
  [[nodiscard]] Cycle room(std::size_t items = 1) const {
    return inside_ + items > times_.size() ? never : items == 0 ? 0 : times_[wrapped(next_ + items - 1)];
  }
  /// An item takes a place; it can be popped from cycle `there` on.
  void push(Cycle there) {
    times_[next_] = there;
    next_ = wrapped(next_ + 1);
    ++inside_;
  }
  /// The first cycle in which the oldest item can be popped; `never` while there is none.
  [[nodiscard]] Cycle item() const { return inside_ ? times_[oldest()] : never; }
  /// The oldest item is popped; its place is free from cycle `free` on.
  void pop(Cycle free) {
    times_[oldest()] = free;
    --inside_;
  }

  /// Appends where the channel stands, relative to `origin`, as pushes from cycle `from` on and pops see
  /// it: equal phases have equal futures.
  void append_phase(Cycle origin, Cycle from, std::vector<Cycle>& phase) const {
    phase.push_back(inside_);
    for (std::size_t i = 0; i < inside_; ++i)
      phase.push_back(times_[wrapped(oldest() + i)] - origin);
    // Free places from the latest one back: it lies before the oldest item's.
    std::size_t place = oldest();
    for (std::size_t free = times_.size() - inside_; free > 0; --free) {
      place = (place == 0 ? times_.size() : place) - 1;
      if (times_[place] <= from)
        return;
      phase.push_back(times_[place] - origin);
    }
  }

  template <class Archive> void archive(Archive& bytes) { bytes(times_, next_, inside_); }

private:
  [[nodiscard]] std::size_t wrapped(std::size_t place) const {
    return place < times_.size() ? place : place - times_.size();
  }
  [[nodiscard]] std::size_t oldest() const { return wrapped(next_ + times_.size() - inside_); }

  /// By place: of an item, when it can be popped; of a free one, from when on it is free.
  std::conditional_t<Depth == 0, std::vector<Cycle>, std::array<Cycle, Depth>> times_;
  std::size_t next_ = 0, inside_ = 0; ///< the next push's place; items that are not popped
};

} // namespace deltatwin
