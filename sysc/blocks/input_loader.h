#pragma once
#include "blocks/channel.h"
#include <algorithm>
#include <vector>

namespace deltatwin {

/// When the scheduler's input loader takes beats: it fills the halves of the input buffer in turn, one
/// beat per cycle, each half as soon as the inference before the last has been issued.
class InputLoader {
public:
  explicit InputLoader(Cycle first) : halves_(first), free_(first) {}

  /// The earliest cycle in which the next inference's first beat can be taken.
  [[nodiscard]] Cycle ready() const { return std::max(halves_.room(), free_); }
  /// Its last beat was at this cycle.
  void load(Cycle last_beat) {
    free_ = last_beat + 1;
    halves_.push(free_);
  }
  /// The first cycle in which the issue side sees the oldest inference; `never` while there is none.
  [[nodiscard]] Cycle loaded() const { return halves_.item(); }
  /// The last slot that reads it was in this cycle.
  void release(Cycle last_slot) { halves_.pop(last_slot + 1); }

  void append_phase(Cycle origin, std::vector<Cycle>& phase) const {
    phase.push_back(free_ - origin);
    halves_.append_phase(origin, free_, phase);
  }

  template <class Archive> void archive(Archive& bytes) { bytes(halves_, free_); }

private:
  Channel<2> halves_;
  Cycle free_; ///< the cycle after the latest beat
};

} // namespace deltatwin
