#pragma once
#include "base/cycle.h"
#include <systemc>

namespace deltatwin {

/// The cycles of a clock on SystemC's time.
class Clock {
public:
  /// The period is rounded to picoseconds. Throws InputError when SystemC's time resolution cannot tell it.
  explicit Clock(double mhz);
  /// The cycle that is under way `delay` from now. Throws std::overflow_error beyond the end of SystemC's
  /// time.
  [[nodiscard]] Cycle cycle(const sc_core::sc_time& delay = sc_core::SC_ZERO_TIME) const;
  /// The delay, from now, to the beginning of a cycle; zero if it has begun. Throws std::overflow_error
  /// where the cycle lies beyond the end of SystemC's time.
  [[nodiscard]] sc_core::sc_time until(Cycle cycle) const;
  [[nodiscard]] const sc_core::sc_time& period() const { return period_; }

private:
  sc_core::sc_time period_;
};

} // namespace deltatwin
