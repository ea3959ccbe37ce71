#pragma once
#include "base/cycle.h"
#include "tlm/extension.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <systemc>
#include <tlm>
#include <vector>

namespace deltatwin {

/// Carried by a generic payload that is a burst of stream beats (a WRITE command; the data are the
/// beats' payloads, the address has no meaning). The annotated delay is the first beat's earliest
/// cycle on the way in, and the cycle after the last beat taken on the way back. Without the
/// extension, beats come one a cycle and TLAST is right by construction.
struct StreamExtension : StackExtension<StreamExtension> {
  std::vector<unsigned> gaps;      ///< idle cycles before each beat, after the one before was taken
  std::vector<std::uint8_t> tlast; ///< of each beat
  std::vector<Cycle> taken;        ///< filled by the target: the cycle of each beat that was taken
};

/// The clock of a model: converts between time and cycles.
class Clock {
public:
  explicit Clock(double mhz) : period_(std::max(1.0, std::round(1e6 / mhz)), sc_core::SC_PS) {}
  [[nodiscard]] Cycle cycle(const sc_core::sc_time& delay) const {
    return (sc_core::sc_time_stamp() + delay).value() / period_.value();
  }
  /// The delay, from now, to the beginning of a cycle.
  [[nodiscard]] sc_core::sc_time until(Cycle cycle) const {
    return sc_core::sc_time::from_value(cycle * period_.value()) - sc_core::sc_time_stamp();
  }
  [[nodiscard]] const sc_core::sc_time& period() const { return period_; }

private:
  sc_core::sc_time period_;
};

} // namespace deltatwin
