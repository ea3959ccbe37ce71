#include "base/resources.h"
#include <limits>

namespace deltatwin {
namespace {

// A way to build a memory of block RAMs: `units` of them, where a word's address selects one of
// `pieces` and a word of a piece spans `stride` of the units' `unit_width` bits.
struct BlockRamShape {
  int ramb18 = 0, ramb36 = 0; ///< a unit
  int unit_width = 0, stride = 0, pieces = 0, units = 0;
};

// As Yosys 0.23's memory_libmap chooses it: a RAMB18 costs 129, a RAMB36 257, a cascade of two 513, and
// the multiplexers half a point an input. Widths go in bytes of 9 bits; its costs are cut to integers
// while it looks for a RAM's best width.
BlockRamShape block_ram_shape(int width, int depth) {
  struct Kind {
    int ramb18, ramb36, cost, address_bits, widths;
  };
  constexpr int widths[] = {1, 2, 4, 9, 18, 36, 72};
  constexpr Kind kinds[] = {{1, 0, 129, 14, 6}, {0, 1, 257, 15, 7}, {0, 2, 513, 16, 4}};
  int fitting = 0;
  while (fitting < 7 && widths[fitting] < width)
    ++fitting;
  for (const Kind& kind : {kinds[0], kinds[1]}) // one RAMB18 is the cheapest, then one RAMB36
    if (fitting < kind.widths && depth <= 1 << (kind.address_bits - fitting))
      return {kind.ramb18, kind.ramb36, widths[fitting], width, 1, 1};
  double cheapest = std::numeric_limits<double>::max();
  BlockRamShape best;
  for (const Kind& kind : kinds) {
    double cost = 0, cut = std::numeric_limits<double>::max();
    BlockRamShape of_kind;
    for (int w = 0; w < kind.widths; ++w) {
      const int unit_width = widths[w], byte = std::min(9, unit_width);
      const int stride = ceil_div(width, byte) * byte;
      const int pieces = (depth + (1 << (kind.address_bits - w)) - 1) >> (kind.address_bits - w);
      const int units = ceil_div(pieces * stride, unit_width);
      const double this_cost =
          kind.cost * units + 0.5 * (pieces - 1) * width + (pieces > 1 ? 0.5 * pieces : 0);
      if (this_cost < cut) {
        cost = this_cost;
        cut = static_cast<int>(cost);
        of_kind = {kind.ramb18, kind.ramb36, unit_width, stride, pieces, units};
      }
    }
    if (cost < cheapest) {
      cheapest = cost;
      best = of_kind;
    }
  }
  return best;
}

// Yosys removes the units of which nothing is read.
int units_read(const BlockRamShape& shape, int used) {
  if (used >= shape.stride)
    return shape.units;
  int count = 0, next = 0;
  for (int piece = 0; piece < shape.pieces; ++piece) {
    const int first = std::max(next, shape.stride * piece / shape.unit_width);
    const int end = (shape.stride * piece + used - 1) / shape.unit_width + 1;
    count += std::max(0, end - first);
    next = std::max(next, end);
  }
  return count;
}

} // namespace

bool fits(const Resources& used, const Device& device, double tolerance) {
  return used.lut <= (1 + tolerance) * device.lut && used.ff <= (1 + tolerance) * device.ff &&
         used.dsp <= device.dsp && used.bram36() <= device.bram36;
}

Resources lut_ram_resources(int width, int depth) {
  const int luts = 4 * (depth <= 32 ? ceil_div(width, 6) : ceil_div(width, 3) * ceil_div(depth, 64));
  return {luts, 0, 0, 0, 0, luts};
}

Resources distributed_ram_resources(int width, int depth) {
  const int pieces = ceil_div(depth, 64);
  Resources memory = lut_ram_resources(width, depth);
  memory.lut += mux_luts(width, pieces) + (pieces > 1 ? pieces : 0); // and a write enable each
  memory.ff = width;
  return memory;
}

Resources memory_resources(int width, int depth, bool block, int used) {
  if (depth <= 64 && !block)
    return distributed_ram_resources(width, depth);
  if (const int tail = lut_ram_tail(depth)) { // a word's register, and a multiplexer behind it
    constexpr int range_luts = 1, range_ff = 2;
    return memory_resources(width, depth - tail, block, used) + lut_ram_resources(used, 32) +
           Resources{used + range_luts, used + range_ff};
  }
  const BlockRamShape shape = block_ram_shape(width, depth);
  const int units = units_read(shape, used);
  Resources memory{0, 0, 0, shape.ramb18 * units, shape.ramb36 * units, 0};
  if (shape.pieces > 1) {
    memory.lut = mux_luts(used, shape.pieces);
    memory.ff = address_bits(shape.pieces);
  }
  return memory;
}

} // namespace deltatwin
