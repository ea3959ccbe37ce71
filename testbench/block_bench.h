#pragma once
#include "cosim/lockstep.h"
#include <catch2/catch.hpp>
#include <functional>

namespace deltatwin {

/// One block's RTL, driven pin by pin, in lockstep with a model's beats.
class BlockBench {
public:
  BlockBench(RtlSource source, std::vector<Interface> interfaces)
      : interfaces_(std::move(interfaces)), rtl_(source) {
    for (Interface& interface : interfaces_)
      interface.block = source.top;
  }

  [[nodiscard]] RtlModel& rtl() { return rtl_; }
  [[nodiscard]] BeatTrace trace() const { return BeatTrace(interfaces_.size()); }
  void set(const std::string& port, std::uint64_t value) { rtl_.signal(port).set(value); }

  void reset() {
    set("rst_ni", 0);
    rtl_.settle();
    rtl_.edge();
    set("rst_ni", 1);
  }

  /// Runs `cycles` cycles; `drive(cycle)` sets the inputs of each. Beats are compared from cycle
  /// `first` on.
  void run(const BeatTrace& model, Cycle cycles, const std::function<void(Cycle)>& drive, Cycle first = 0) {
    Lockstep lockstep(interfaces_, model, rtl_);
    for (Cycle cycle = 0; cycle < cycles; ++cycle) {
      drive(cycle);
      rtl_.settle();
      if (cycle >= first && !lockstep.check(cycle))
        break;
      rtl_.edge();
    }
    lockstep.finish();
    if (lockstep.divergence())
      FAIL(lockstep.divergence()->report());
    CHECK(lockstep.beats() > 0);
  }

private:
  std::vector<Interface> interfaces_;
  RtlModel rtl_;
};

} // namespace deltatwin
