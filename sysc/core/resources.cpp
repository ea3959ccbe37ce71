#include "core/resources.h"
#include <limits>

namespace deltatwin {

Resources& Resources::operator+=(const Resources& other) {
  lut += other.lut;
  ff += other.ff;
  dsp += other.dsp;
  ramb18 += other.ramb18;
  ramb36 += other.ramb36;
  lut_ram += other.lut_ram;
  return *this;
}

Resources sum(const BlockResources& blocks) {
  Resources total;
  for (const Resources& block : blocks)
    total += block;
  return total;
}

// One RAMB18 where that is enough, else the fewest RAMB36, by the shapes that the 7 series offers
// (UG473): what Yosys infers.
Resources memory_resources(int width, int depth, bool block) {
  if (depth <= 64 && !block)
    return {};
  struct Shape {
    int width, depth;
  };
  constexpr Shape half[] = {{36, 512}, {18, 1024}, {9, 2048}, {4, 4096}, {2, 8192}, {1, 16384}};
  constexpr Shape full[] = {{72, 512}, {36, 1024}, {18, 2048}, {9, 4096}, {4, 8192}, {2, 16384}, {1, 32768}};
  for (const Shape& shape : half)
    if (width <= shape.width && depth <= shape.depth)
      return {0, 0, 0, 1, 0, 0};
  int fewest = std::numeric_limits<int>::max();
  for (const Shape& shape : full)
    fewest = std::min(fewest,
                      ((width + shape.width - 1) / shape.width) * ((depth + shape.depth - 1) / shape.depth));
  return {0, 0, 0, 0, fewest, 0};
}

Resources resources(const Design& design) {
  Resources total;
  const auto add = [&total](int width, int depth, bool block) {
    const Resources memory = memory_resources(width, depth, block);
    total.ramb18 += memory.ramb18;
    total.ramb36 += memory.ramb36;
  };
  for (int bank = 0; bank < design.banks(); ++bank)
    add(design.bank_width(), design.bank_depth, true);
  add(8, 2 * design.in_depth, false);
  add(8, 2 * design.act_depth, false);
  add(8, design.ref_depth, false);
  add(36, design.param_depth, false);
  constexpr int shared = 3; // the reference product and the requantizer's 32 x 16 product
  total.dsp = shared + (design.multiplier == Multiplier::dsp          ? design.lanes
                        : design.multiplier == Multiplier::dsp_packed ? (design.lanes + 1) / 2
                                                                      : 0);
  return total;
}

} // namespace deltatwin
