#include "tlm/clock.h"
#include "base/error.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace deltatwin {

Clock::Clock(double mhz) : period_(std::max(1.0, std::round(1e6 / mhz)), sc_core::SC_PS) {
  const double period = std::max(1.0, std::round(1e6 / mhz)); // ps
  if (std::abs(period_.to_seconds() * 1e12 - period) > 1e-6 * period)
    throw InputError("a cycle takes " + std::to_string(static_cast<std::uint64_t>(period)) +
                     " ps, which SystemC's time resolution of " +
                     sc_core::sc_get_time_resolution().to_string() +
                     " cannot tell; sc_set_time_resolution(1, SC_PS) can");
}

Cycle Clock::cycle(const sc_core::sc_time& delay) const {
  const std::uint64_t now = sc_core::sc_time_stamp().value();
  if (delay.value() > sc_core::sc_max_time().value() - now)
    throw std::overflow_error("a delay of " + delay.to_string() + " ends beyond SystemC's time");
  return (now + delay.value()) / period_.value();
}

sc_core::sc_time Clock::until(Cycle cycle) const {
  const std::uint64_t now = sc_core::sc_time_stamp().value();
  if (cycle > sc_core::sc_max_time().value() / period_.value())
    throw std::overflow_error("cycle " + std::to_string(cycle) + " of " + period_.to_string() +
                              " lies beyond the end of SystemC's time");
  return sc_core::sc_time::from_value(std::max<std::uint64_t>(now, cycle * period_.value()) - now);
}

} // namespace deltatwin
