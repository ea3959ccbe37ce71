#include "blocks/threshold_search.h"
#include "blocks/weight_bank.h"

namespace deltatwin {

Resources threshold_search_resources(const ThresholdSearchConfig& config) {
  const int bits = config.bits;
  Resources all{bits * (3 + 7 * config.sum_bits / 10), (2 * bits - 1) * config.sum_bits +
                                                           (2 * bits - 2) * address_bits(config.depth) +
                                                           bits * (bits + 2)};
  for (int level = 0; level < bits; ++level) {
    const int words = config.depth << level;
    all += config.block ? weight_bank_resources({config.sum_bits, words, 1, true})
                        : distributed_ram_resources(config.sum_bits, words);
  }
  return all;
}

} // namespace deltatwin
