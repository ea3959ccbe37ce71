#include "blocks/delta_mac.h"

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

DeltaMacWidths::DeltaMacWidths(const Design& design) {
  const int inputs = address_bits(std::max(design.in_depth, design.act_depth));
  operand = design.consecutive ? 8 : design.delta_bits;
  x_sum = 8 + inputs;
  accumulator = operand + 8 + inputs;
  reference_sum = 16 + inputs;
  sum = std::min(std::max(operand, 2) + 15 + inputs, 32);
}

Resources delta_mac_resources(const Design& design) {
  // Of a lane, or of a packed pair; the accumulators have 32 bits each.
  constexpr int accumulator = 32, shadow = 32;
  const int operand = design.consecutive ? 8 : design.delta_bits, digits = ceil_div(operand, 2);
  const bool one_bit = operand == 1;
  // A DSP takes the operand's register in, unless the adder of deltas or a decoder's reset is in the way.
  const int before_dsp = design.consecutive || design.huffman ? operand : 0;
  const Resources in_lut{61 + 10 * digits, accumulator + 8 + operand + (one_bit ? 1 : 2 * digits)};
  const Resources in_serial{(design.consecutive ? 68 : 59) + operand, accumulator + operand};
  const Resources in_dsp = one_bit ? Resources{72, 42} : Resources{0, before_dsp, 1}; // LUTs for x * 1 bit
  const Resources in_pair{126, 2 * accumulator + operand + before_dsp, 1};
  constexpr int running = 15; // LUTs of a lane's adder of deltas
  constexpr int front = 155, lut_front = 65, serial_front = 40;
  constexpr int lut_multiples = 19; // FF of 3x and -x

  const int lanes = design.lanes;
  Resources all = lut_ram_resources(32, std::max(2, 1 << address_bits(lanes))); // sums of references
  all.lut += front + mux_luts(32, lanes) + (design.consecutive ? running * lanes : 0);
  all.ff += 128 + shadow * lanes + 3 * address_bits(lanes);
  all.dsp += 1; // the references' product
  switch (design.multiplier) {
  case Multiplier::lut:
    all += lanes * in_lut;
    all.lut += lut_front;
    all.ff += lut_multiples;
    break;
  case Multiplier::dsp:
    all += lanes * in_dsp;
    break;
  case Multiplier::dsp_packed:
    all += lanes / 2 * in_pair;
    all += lanes % 2 * in_dsp;
    break;
  case Multiplier::serial:
    all += lanes * in_serial;
    all.lut += serial_front;
    all.ff -= 6;
    break;
  }
  return all;
}

} // namespace deltatwin
