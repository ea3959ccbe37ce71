#include "blocks/sweep_array.h"
#include "blocks/plane_product.h"

namespace deltatwin {

void SweepArrayCore::beat(Cycle cycle, int pixel, const PlaneArrayCore::Beat& beat, bool last,
                          const std::int8_t* x, const std::int8_t* w) {
  const auto at = static_cast<std::size_t>(pixel);
  latest_[at].beat(beat, x, w);
  changes_.push_back({cycle, at, last, latest_[at]});
}

// What a read in this cycle may see.
void SweepArrayCore::arrive(Cycle cycle) {
  for (; !changes_.empty() && changes_.front().cycle + timing_.seen <= cycle; changes_.pop_front()) {
    const Change& change = changes_.front();
    sums_[change.pixel] = change.sums;
    if (change.last)
      whole_[change.pixel] = change.sums;
  }
}

std::vector<std::int32_t> SweepArrayCore::read(Cycle cycle, int pixel) {
  arrive(cycle);
  std::vector<std::int32_t> sums;
  for (int output = 0; output < config_.outputs; ++output)
    sums.push_back(whole_[static_cast<std::size_t>(pixel)].sum(output));
  return sums;
}

void SweepArrayCore::reset(Cycle cycle) {
  arrive(cycle);
  changes_.clear();
  latest_ = sums_;
}

Resources sweep_array_resources(const SweepArrayConfig& config) {
  const int bits = config.outputs * config.accumulator_bits, pixel = address_bits(config.pixels);
  const int beats = static_cast<int>(SweepArrayTiming(config).seen); // on their way
  const Resources memories = 2 * lut_ram_resources(bits, config.pixels);
  const Resources sums{2 * bits, 3 * bits}; // what was there, what is now, what is read
  constexpr int write_enables = 1, flags = 3, read_flags = 2;
  const Resources control{
      write_enables + flags + pixel, beats + read_flags + pixel + 2 * (1 + pixel), 0, 0, 0, flags + pixel};
  constexpr int outputs = 3; // of DSPs
  const int of_planes = config.outputs - config.dsp_outputs;
  return of_planes * plane_product_resources(config.channels, config.planes, config.widths) +
         config.dsp_outputs / outputs * product_triple_resources(config.channels) +
         (of_planes > 0 ? 1 : 0) *
             plane_product_control_resources(config.channels, config.planes, config.widths) +
         memories + sums + control;
}

} // namespace deltatwin
