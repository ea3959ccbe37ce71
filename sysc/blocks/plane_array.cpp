#include "blocks/plane_array.h"
#include <algorithm>

namespace deltatwin {
namespace {

// Of a plane: the activations whose bit is set, summed.
std::uint32_t sum_of_plane(const std::int8_t* x, const std::int8_t* w, int bytes, int bits) {
  std::uint32_t counts[8] = {};
  for (int i = 0; i < bytes; ++i) {
    const unsigned both = static_cast<std::uint8_t>(x[i]) & static_cast<std::uint8_t>(w[i]);
    for (int bit = 0; bit < 8; ++bit)
      counts[bit] += both >> bit & 1;
  }
  std::uint32_t sum = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const std::uint32_t count = counts[bit] << bit % bits;
    sum += bit % bits == bits - 1 ? 0 - count : count;
  }
  return sum;
}

} // namespace

void PlaneArrayCore::beat(const Beat& beat, const std::int8_t* x, const std::int8_t* w) {
  const int window = config_.window(), bits = width_bits(beat.code);
  for (std::uint32_t& sum : sums_) {
    std::uint32_t planes = 0;
    for (int u = 0; u < config_.planes; ++u, w += window) {
      const std::uint32_t plane = sum_of_plane(x, w, window, bits) << u;
      planes += beat.top && u + 1 == config_.planes ? 0 - plane : plane;
    }
    sum = (beat.first ? 0 : beat.shift ? sum << config_.planes : sum) + planes;
  }
  if (config_.references && (beat.first || beat.top))
    total_ = (beat.first ? 0 : total_) + sum_of_plane(x, w, window, bits);
}

namespace {

// A tree of `terms` counts of so many bits, with a register a level.
Resources count_tree(int terms, int bits) {
  Resources tree;
  for (; terms > 1; terms = ceil_div(terms, 2), ++bits)
    tree += {terms / 2 * bits, ceil_div(terms, 2) * (bits + 1)};
  return tree;
}

} // namespace

// Held against two syntheses alone (2 outputs, 8 x 3, one plane of 1 bit, and of 8 and 1): of a plane three
// pairs of bits are counted in two LUTs, a tree for each bit of a byte, three levels that join the bits; then
// the planes and the accumulator.
Resources plane_array_resources(const PlaneArrayConfig& config) {
  constexpr int bits_of_byte = 8;
  const int triples = ceil_div(config.window(), 3), bits = 2 + address_bits(triples);
  Resources plane = bits_of_byte * (triples * Resources{2, 2} + count_tree(triples, 2));
  const bool several = (config.widths & (config.widths - 1)) != 0;
  for (int level = 0, sums = 4; level < 3; ++level, sums /= 2) {
    const int wide = bits + (2 << level);
    plane += {several ? sums * wide : sums * wide * 5 / 8, sums * (wide + 1)};
  }
  const int of_plane = bits + bits_of_byte + 1;
  const Resources accumulator{config.accumulator_bits, config.accumulator_bits};
  const Resources output = config.planes * plane + count_tree(config.planes, of_plane) + accumulator;
  const Resources total = config.references ? plane + accumulator : Resources{};
  const int latency = static_cast<int>(PlaneArrayTiming(config).sums);
  return config.outputs * output + total + Resources{latency + 6, latency, 0, 0, 0, 4};
}

} // namespace deltatwin
