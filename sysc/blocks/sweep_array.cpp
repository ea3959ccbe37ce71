#include "blocks/sweep_array.h"
#include "blocks/plane_product.h"
#include <utility>

namespace deltatwin {

void SweepArrayCore::beat(Cycle cycle, Place place, const PlaneArrayCore::Beat& beat, const std::int8_t* x,
                          const std::int8_t* w) {
  PlaneArrayCore& sums = latest_[index(place)];
  sums.beat(beat, x, w);
  changes_.push_back({cycle, index(place), sums});
}

// What a read in this cycle sees.
void SweepArrayCore::look(Cycle cycle) {
  for (; !changes_.empty() && changes_.front().cycle + timing_.seen <= cycle; changes_.pop_front())
    seen_[changes_.front().at] = std::move(changes_.front().sums);
}

std::vector<std::int32_t> SweepArrayCore::read(Cycle cycle, Place place) {
  look(cycle);
  std::vector<std::int32_t> sums;
  for (int output = 0; output < config_.outputs; ++output)
    sums.push_back(seen_[index(place)].sum(output));
  return sums;
}

void SweepArrayCore::reset(Cycle cycle) {
  look(cycle);
  for (const Change& lost : changes_)
    latest_[lost.at] = seen_[lost.at];
  changes_.clear();
}

Resources sweep_array_resources(const SweepArrayConfig& config) {
  const int bits = config.outputs * config.accumulator_bits, place = 1 + address_bits(config.pixels);
  const int beats = static_cast<int>(SweepArrayTiming(config).seen); // on their way
  // Two read ports: of one memory, or of a memory a half.
  const bool halves = 2 * config.pixels > 64;
  const Resources memories =
      (halves ? 4 : 2) * lut_ram_resources(bits, halves ? config.pixels : 2 * config.pixels);
  // What was there, with the half that is read in the same LUT; sums; what is read, of either half.
  const Resources sums{2 * bits + (halves ? bits : 0), 3 * bits};
  constexpr int write_enables = 2, flags = 2;
  const Resources control{write_enables + flags + place, beats + flags + 3 * place, 0, 0, 0, flags + place};
  return config.outputs * plane_product_resources(config.channels, config.planes, config.widths) +
         plane_product_control_resources(config.channels, config.planes, config.widths) + memories + sums +
         control;
}

} // namespace deltatwin
