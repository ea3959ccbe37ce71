#pragma once
#include <cstdint>
#include <limits>

namespace deltatwin {

/// A clock cycle since the hardware reset. A beat at cycle c is transferred at the rising edge
/// that ends c; what it changes is visible in c + 1.
using Cycle = std::uint64_t;
/// The cycle of what never happens.
inline constexpr Cycle never = std::numeric_limits<Cycle>::max();

} // namespace deltatwin
