#include "blocks/dot_array.h"
#include <algorithm>

namespace deltatwin {

void DotArrayCore::beat(bool first, const std::int8_t* x, const std::int8_t* w) {
  const int terms = config_.terms();
  if (first)
    std::fill(sums_.begin(), sums_.end(), 0u);
  for (std::uint32_t& sum : sums_) {
    std::int32_t products = 0; // at most 224 * 2^14
    for (int t = 0; t < terms; ++t)
      products += x[t] * w[t];
    sum += static_cast<std::uint32_t>(products);
    w += terms;
  }
}

std::int32_t DotArrayCore::sum(int output) const {
  const int unused = 32 - config_.accumulator_bits;
  return static_cast<std::int32_t>(sums_[static_cast<std::size_t>(output)] << unused) >> unused;
}

namespace {

// The RTL's `adder_tree` of terms of 16 bits: a LUT a bit of two terms, a register a bit of each sum. A
// term that is alone goes on with a sign that is one more bit: the other way round, where there is an
// excess, else the same register. Alone twice, it is a shift register.
Resources tree_resources(int terms, bool excess) {
  Resources tree;
  int alone = 0; // levels in a row
  for (int bits = 16; terms > 1; terms = ceil_div(terms, 2), ++bits) {
    alone = terms % 2 ? alone + 1 : 0;
    tree += {terms / 2 * bits, ceil_div(terms, 2) * (bits + 1)};
    if (alone && excess)
      ++tree.lut;
    else
      tree.ff -= alone;
    if (alone == 2) { // of lanes from 1 to 7, five make one so; it was added to another one before
      const int shifted = bits - 2 + !excess;
      tree += {shifted, -3 * shifted, 0, 0, 0, shifted};
    }
  }
  return tree;
}

} // namespace

Resources dot_array_resources(const DotArrayConfig& config) {
  const bool pairs = config.multiplier == DotMultiplier::dsp_pairs;
  const int terms = config.terms(), latency = static_cast<int>(DotArrayTiming(config).sums);
  // A DSP's first register of one weight stays outside, as Yosys sees it.
  const Resources pair{0, 8, 1}, product{40, 40}, multiples{14, 52};
  const Resources accumulator{config.accumulator_bits, config.accumulator_bits};
  const Resources each = tree_resources(pairs ? terms / 2 : terms, pairs) + accumulator +
                         (pairs ? Resources{1} : terms * product);
  const Resources beats{latency + 2, latency, 0, 0, 0, 2};
  return config.outputs * each + beats + (pairs ? config.outputs / 2 * terms * pair : terms * multiples);
}

} // namespace deltatwin
