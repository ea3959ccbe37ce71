#include "blocks/scheduler_config.h"
#include <algorithm>

namespace deltatwin {

Resources scheduler_resources(const SchedulerConfig& config) {
  // Fitted. Of addresses, a bit's counter, comparison and multiplexer.
  constexpr double logic = 522, per_weight_bit = 1.2, per_reference_bit = 4.1, per_parameter_bit = 2.1,
                   per_layer_bit = 11.4;
  constexpr double builds = 14, per_coded_lane = 5.3;
  constexpr int flip_flops = 368, of_builds = 5;
  const int weight_bits = config.huffman ? 0 : address_bits(config.bank_depth + 1);
  const int reference_bits = address_bits(config.ref_depth),
            parameter_bits = address_bits(config.param_depth);
  const int layer_bits = std::max(1, address_bits(config.max_layers));
  constexpr int table = 52; // LUT-RAM
  Resources all;
  all.lut =
      table + static_cast<int>(logic + per_weight_bit * weight_bits + per_reference_bit * reference_bits +
                               per_parameter_bit * parameter_bits + per_layer_bit * layer_bits +
                               (config.huffman ? builds + per_coded_lane * config.lanes : 0));
  all.lut_ram = table;
  all.ff = flip_flops + 7 * layer_bits + (config.huffman ? of_builds : 0) + weight_bits + 3 * reference_bits +
           parameter_bits + address_bits(config.out_depth + 1) + address_bits(config.mac.cycles_per_mac);
  return all;
}

} // namespace deltatwin
