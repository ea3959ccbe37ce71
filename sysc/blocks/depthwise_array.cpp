#include "blocks/depthwise_array.h"
#include <algorithm>

namespace deltatwin {

void DepthwiseArrayCore::beat(bool first, const std::int8_t* x, const std::int8_t* w) {
  if (first)
    std::fill(sums_.begin(), sums_.end(), 0u);
  for (int lane = 0; lane < config_.lanes; ++lane)
    for (std::uint32_t& sum : sums_)
      sum += static_cast<std::uint32_t>(*x++ * *w++);
}

std::int32_t DepthwiseArrayCore::sum(int channel) const {
  constexpr int unused = 32 - DepthwiseArrayConfig::accumulator_bits;
  return static_cast<std::int32_t>(sums_[static_cast<std::size_t>(channel)] << unused) >> unused;
}

namespace {

// A channel's `adder_tree`: a LUT a bit of two terms, a register a bit of each sum; a term that is alone goes
// on with a sign that is the same register. Three registers in a row are a shift register: a product in LUTs
// ends with one, and has one more of its four lowest bits; a DSP's are its own.
Resources lane_tree_resources(int terms, bool lut) {
  Resources tree;
  int alone = 0; // levels in a row
  for (int level = 0, bits = 16; terms > 1; terms = ceil_div(terms, 2), ++bits, ++level) {
    alone = terms % 2 ? alone + 1 : 0;
    tree += {terms / 2 * bits, ceil_div(terms, 2) * (bits + 1) - alone};
    if (lut && alone == level + 1) {
      const int early = 4, shifted = alone == 1 ? early : 16 - early;
      tree += {shifted, alone == 1 ? -3 * early : -3 * shifted - early, 0, 0, 0, shifted};
    }
  }
  return tree;
}

} // namespace

Resources depthwise_array_resources(const DepthwiseArrayConfig& config) {
  const bool lut = config.multiplier == DepthwiseMultiplier::lut;
  const int latency = static_cast<int>(DepthwiseArrayTiming(config).sums);
  const Resources product = lut ? Resources{47, 92} : Resources{0, 0, 1};
  const Resources accumulator{DepthwiseArrayConfig::accumulator_bits, DepthwiseArrayConfig::accumulator_bits};
  return config.channels * (config.lanes * product + lane_tree_resources(config.lanes, lut) + accumulator) +
         Resources{3, latency, 0, 0, 0, 2};
}

} // namespace deltatwin
