#include "core/delta_mac.h"

namespace deltatwin {

std::vector<std::int32_t> delta_mac_sums(const MacBurst& burst) {
  std::vector<std::int32_t> sums;
  for (int lane = 0; lane < burst.lanes; ++lane) {
    std::uint32_t accumulator = 0, reference_sum = 0, block_sum = 0;
    int operand = 0;
    for (std::size_t i = 0; i < burst.x.size(); ++i) {
      const std::size_t block = i / static_cast<std::size_t>(burst.block_length);
      const bool block_first = i % static_cast<std::size_t>(burst.block_length) == 0;
      const std::size_t stride = static_cast<std::size_t>(burst.lanes);
      operand = lane_operand(burst.consecutive, block_first, operand,
                             burst.deltas[i * stride + static_cast<std::size_t>(lane)]);
      accumulator += static_cast<std::uint32_t>(operand * burst.x[i]);
      block_sum = (block_first ? 0u : block_sum) + static_cast<std::uint32_t>(burst.x[i]);
      if (i + 1 == burst.x.size() || (i + 1) % static_cast<std::size_t>(burst.block_length) == 0)
        reference_sum += block_sum * static_cast<std::uint32_t>(
                                         burst.references[block * stride + static_cast<std::size_t>(lane)]);
    }
    sums.push_back(static_cast<std::int32_t>((accumulator << burst.shift) + reference_sum));
  }
  return sums;
}

} // namespace deltatwin
