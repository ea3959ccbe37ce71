#include "blocks/max_pool.h"

namespace deltatwin {

// Fitted: LUTs of the maximum of two bytes, and of the one that decides whether a register changes.
Resources max_pool_resources(const MaxPoolConfig& config) {
  constexpr int maximum = 14, kept = 7, two_in_a_row = 5;
  const int pairs = ceil_div(config.lanes, 2), byte = 8;
  const Resources channel{kept + maximum * (config.lanes / 2 + pairs - 1) + (pairs > 2 ? two_in_a_row : 0),
                          byte * (pairs + 2)};
  return config.channels * channel + Resources{3, 7};
}

} // namespace deltatwin
