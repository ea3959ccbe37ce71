#include "blocks/noisy_lanes.h"
#include "blocks/noisy_loss.h"
#include "blocks/noisy_quantizer.h"
#include "blocks/weight_bank.h"
#include <algorithm>

namespace deltatwin {
namespace {

// Fitted coefficients are of a hundredth of a LUT or FF.
constexpr int hundredths(int count) { return (count + 50) / 100; }

// Yosys makes logic of a product of fewer than 9 bits, and of one bit with any.
int product_dsps(int a, int b) { return std::min(a, b) >= 2 && a + b >= 9; }

} // namespace

// What is divided, and the step, in each stage, and F x beside them in shift registers.
Resources noisy_quantizer_resources(const NoisyQuantizerConfig& config) {
  const int scaled = config.data_bits + address_bits(config.factor() + 1);
  const int rest = std::max(scaled, config.offset_bits()) + 2, stages = config.quotient_bits() + 1;
  Resources quantizer{hundredths(186 * stages * rest + 2486 * config.data_bits + 9693),
                      hundredths(109 * stages * (rest + config.data_bits) + 1440 * config.data_bits + 11948),
                      1};
  quantizer.lut_ram = scaled + 10;
  return quantizer;
}

// A lane's product and sum are in its DSP, unless an error is too wide for one.
Resources noisy_lanes_resources(const NoisyLanesConfig& config) {
  constexpr int dsp_bits = 25;
  const Resources bank = weight_bank_resources({config.data_bits, config.depth(), 1, config.depth() > 64});
  const Resources lane = config.error_bits <= dsp_bits ? Resources{2, 0, 1} : Resources{102, 67, 2};
  return config.lanes * (bank + lane + Resources{config.sum_bits(), config.sum_bits()}) +
         Resources{35, 20 + 3 * address_bits(config.lanes + 1) + 2 * address_bits(config.depth())};
}

Resources noisy_loss_resources(const NoisyLossConfig& config) {
  constexpr int limb_bits = 17;
  const int size = config.sum_bits - 1, loss = config.loss_bits();
  const int limbs[] = {std::min(size, limb_bits), std::clamp(size - limb_bits, 0, limb_bits),
                       std::clamp(size - 2 * limb_bits, 0, limb_bits)};
  Resources losses{hundredths(27 * loss + 942 * size - 8123), hundredths(153 * loss + 632 * size - 4467)};
  for (int a = 0; a < 3; ++a)
    for (int b = a; b < 3; ++b)
      losses.dsp += product_dsps(limbs[a], limbs[b]);
  return losses;
}

} // namespace deltatwin
