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

Resources delta_mac_resources(const Design& design) {
  const int operand = design.consecutive ? 8 : design.delta_bits, digits = ceil_div(operand, 2);
  const bool consecutive = design.consecutive, one_bit = operand == 1;
  // Of a lane, in the order of Multiplier; the accumulator is 32 bits, and so is the shadow of all.
  constexpr int shadow = 32;
  const Resources lane_of[] = {
      {66 + 10 * digits, 40 + operand + (one_bit ? 1 : 2 * digits)},
      one_bit ? Resources{72, 42} // Yosys leaves a product of one bit to LUTs
              : Resources{0, consecutive ? operand : 0, 1},
      {62, 32 + (consecutive ? operand : operand / 2)},
      {59 + operand, 32 + operand},
  };
  constexpr int running = 15; // the adder of deltas and its operand's choice
  constexpr int front = 150, serial_front = 40;
  const int lanes = design.lanes;
  Resources all = lut_ram_resources(32, std::max(2, 1 << address_bits(lanes))); // sums of references
  const auto add = [&all](int count, const Resources& lane) {
    all.lut += count * lane.lut;
    all.ff += count * lane.ff;
    all.dsp += count * lane.dsp;
  };
  if (design.multiplier == Multiplier::dsp_packed) {
    add(lanes / 2 * 2, lane_of[static_cast<int>(Multiplier::dsp_packed)]);
    all.dsp += lanes / 2;
    add(lanes % 2, lane_of[static_cast<int>(Multiplier::dsp)]); // the odd one has a DSP of its own
  } else {
    add(lanes, lane_of[static_cast<int>(design.multiplier)]);
  }
  all.lut += front + (consecutive ? running * lanes : 0) + mux_luts(32, lanes);
  if (design.multiplier == Multiplier::serial)
    all.lut += serial_front;
  all.ff += 128 + shadow * lanes + 3 * address_bits(lanes);
  all.dsp += 1; // the references' product
  return all;
}

} // namespace deltatwin
