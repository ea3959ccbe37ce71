#include "blocks/delta_mac.h"

namespace deltatwin {

const std::vector<std::string>& multiplier_names() {
  static const std::vector<std::string> names = {"lut", "dsp", "dsp_packed", "serial"};
  return names;
}

const char* to_string(Multiplier multiplier) {
  return multiplier_names()[static_cast<std::size_t>(multiplier)].c_str();
}

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

DeltaMacWidths::DeltaMacWidths(const DeltaMacConfig& config) {
  const int inputs = address_bits(config.max_inputs);
  operand = config.consecutive ? 8 : config.delta_bits;
  x_sum = 8 + inputs;
  accumulator = operand + 8 + inputs;
  reference_sum = 16 + inputs;
  sum = std::min(std::max(operand, 2) + 15 + inputs, 32);
}

namespace {

// Fitted: LUTs of a bit of the multiplexer of all lanes' shadows. Up to 4 inputs are one LUT6, and a
// power of four is a tree of those; a table that lanes leave empty costs too.
double shadow_mux_luts(int lanes) {
  const int bits = address_bits(lanes), table = 1 << bits;
  if (lanes <= 4)
    return lanes > 1 ? 1 : 0;
  if (lanes == table && bits % 2 == 0)
    return 0.375 * lanes;
  return 0.43 * lanes + 0.05 * (table - lanes) + 0.2;
}

} // namespace

Resources delta_mac_resources(const DeltaMacConfig& config) {
  const DeltaMacWidths bits(config);
  const int operand = bits.operand, accumulator = bits.accumulator, digits = ceil_div(operand, 2);
  const bool one_bit = operand == 1;
  // A DSP takes the operand's register in, unless the adder of deltas or a decoder's reset is in the way.
  const int before_dsp = config.consecutive || config.decoded ? operand : 0;
  // Of a lane, or of a packed pair.
  constexpr int multiple[] = {10, 19, 29, 42}; // LUTs that select multiples of x, by digits
  const Resources in_lut{accumulator + multiple[digits - 1],
                         accumulator + 8 + operand + (one_bit ? 1 : 2 * digits)};
  const Resources in_serial{accumulator + 10 + 2 * operand, accumulator + operand};
  const Resources in_dsp = one_bit ? Resources{2 * accumulator + 9, accumulator + 10} // LUTs for x * 1 bit
                                   : Resources{0, before_dsp, 1};
  const Resources in_pair{2 * accumulator + (one_bit ? 12 : 0), 2 * accumulator + operand + before_dsp, 1};
  const int running = config.multiplier == Multiplier::lut      ? 13
                      : config.multiplier == Multiplier::serial ? 25
                                                                : 15; // LUTs of a lane's adder of deltas
  constexpr int serial_front = 40;

  const int lanes = config.lanes;
  Resources all = lut_ram_resources(bits.reference_sum, std::max(2, 1 << address_bits(lanes)));
  all.lut += static_cast<int>(5.3 * bits.sum - 11 + accumulator * shadow_mux_luts(lanes)) +
             (config.consecutive ? running * lanes : 0);
  // The sum's own register is the requantizer's DSPs'.
  all.ff += 80 + (lanes + 1) * accumulator + bits.sum + bits.reference_sum + bits.x_sum +
            3 * std::max(1, address_bits(lanes));
  all.dsp += 1; // the references' product
  switch (config.multiplier) {
  case Multiplier::lut:
    all += lanes * in_lut;
    all.lut += digits == 1 ? 14 : 20; // of -x and 3x, which all lanes share
    all.ff += one_bit ? 8 : digits == 1 ? 9 : 19;
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
    all.ff += operand - 14 - (one_bit ? 1 : 0);
    break;
  }
  return all;
}

} // namespace deltatwin
