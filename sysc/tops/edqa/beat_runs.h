#pragma once
#include "base/cycle.h"
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
  [[nodiscard]] Cycle at(std::uint64_t number) const {
    auto run = runs_.rbegin();
    while (run->first > number)
      ++run;
    return at(*run, number);
  }
  /// How many values from `number` on are known to have their beats one per cycle, that one included.
  [[nodiscard]] std::uint64_t run_from(std::uint64_t number) const {
    auto run = runs_.rbegin();
    std::uint64_t end = next_;
    for (; run->first > number; ++run)
      end = run->first;
    return end - number;
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
  std::deque<Run> runs_;
  std::uint64_t next_ = 0;
};

} // namespace deltatwin
