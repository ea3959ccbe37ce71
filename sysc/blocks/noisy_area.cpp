#include "blocks/noisy_lanes.h"
#include "blocks/noisy_loss.h"
#include "blocks/noisy_quantizer.h"
#include "blocks/weight_bank.h"

namespace deltatwin {

Resources noisy_quantizer_resources(const NoisyQuantizerConfig& config) {
  return {400 + 0 * config.bits, 600};
}

Resources noisy_lanes_resources(const NoisyLanesConfig& config) {
  const Resources bank = weight_bank_resources({config.data_bits, config.depth(), 1, config.depth() > 64});
  return config.lanes * (bank + Resources{config.sum_bits(), config.sum_bits(), 1});
}

Resources noisy_loss_resources(const NoisyLossConfig& config) {
  return {3 * config.loss_bits(), 4 * config.loss_bits(), 6};
}

} // namespace deltatwin
