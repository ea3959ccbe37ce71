#pragma once
#include "base/cycle.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace deltatwin {

/// When numbered values had their beats: one per cycle, mostly, so that runs of them are kept. Whoever asks
/// never asks for one before what was forgotten.
class BeatRuns {
public:
  /// Of the next value, or of `count` values, one per cycle from `cycle` on; `never`: of none of them.
  void push(Cycle cycle, std::uint64_t count = 1) {
    const bool goes_on =
        !runs_.empty() && (cycle == never ? runs_.back().cycle == never
                                          : runs_.back().cycle != never && at(runs_.back(), next_) == cycle);
    if (!goes_on)
      runs_.push_back({next_, cycle});
    next_ += count;
  }
  [[nodiscard]] Cycle at(std::uint64_t number) const { return at(runs_[run_of(number)], number); }
  /// How many values from `number` on are known to have their beats one per cycle, that one included.
  [[nodiscard]] std::uint64_t run_from(std::uint64_t number) const {
    const std::size_t run = run_of(number);
    return (run + 1 < runs_.size() ? runs_[run + 1].first : next_) - number;
  }
  void forget_before(std::uint64_t number) {
    while (runs_.size() > 1 && runs_[1].first <= number)
      runs_.pop_front();
  }
  [[nodiscard]] std::uint64_t size() const { return next_; }

  template <class Archive> void archive(Archive& bytes) { bytes(runs_, next_); }

private:
  struct Run {
    std::uint64_t first;
    Cycle cycle;
  };
  [[nodiscard]] static Cycle at(const Run& run, std::uint64_t number) {
    return run.cycle == never ? never : run.cycle + (number - run.first);
  }
  // The one that `number` is in; the latest ones are asked for most.
  [[nodiscard]] std::size_t run_of(std::uint64_t number) const {
    if (runs_.back().first <= number)
      return runs_.size() - 1;
    const auto behind = std::upper_bound(runs_.begin(), runs_.end(), number,
                                         [](std::uint64_t n, const Run& run) { return n < run.first; });
    return static_cast<std::size_t>(behind - runs_.begin()) - 1;
  }
  std::deque<Run> runs_;
  std::uint64_t next_ = 0;
};

} // namespace deltatwin
