#include "tops/accelerator/configs.h"
#include <algorithm>

namespace deltatwin {

DeltaMacConfig delta_mac_config(const Design& design) {
  return {design.lanes,
          design.delta_bits,
          design.multiplier,
          design.consecutive,
          std::max(design.in_depth, design.act_depth),
          design.huffman};
}

RequantizerConfig requantizer_config(const Design& design) {
  // Where a result goes: to the stream, the last of it, or its address in the activation buffer.
  return {address_bits(2 * design.act_depth) + 2, DeltaMacWidths(delta_mac_config(design)).sum,
          design.param_depth <= 64};
}

SchedulerConfig scheduler_config(const Design& design) {
  SchedulerConfig config;
  config.lanes = design.lanes;
  config.mac = DeltaMacTiming(delta_mac_config(design));
  config.consecutive = design.consecutive;
  config.huffman = design.huffman;
  config.symbol_bits = design.symbol_bits();
  config.symbol_depth = design.symbol_deltas == 2 ? design.symbol_depth : 0;
  config.bank_depth = design.bank_depth;
  config.in_depth = design.in_depth;
  config.act_depth = design.act_depth;
  config.ref_depth = design.ref_depth;
  config.param_depth = design.param_depth;
  config.max_layers = design.max_layers;
  config.out_depth = design.out_depth;
  return config;
}

HuffmanWeightsConfig huffman_weights_config(const Design& design) {
  return {design.lanes,      design.lanes_per_bank, design.delta_bits,  design.bank_depth,
          design.max_layers, design.symbol_deltas,  design.symbol_depth};
}

AxiControlConfig axi_control_config(const Design& design) {
  AxiControlConfig config;
  config.lanes = design.lanes;
  config.lanes_per_bank = design.lanes_per_bank;
  config.delta_bits = design.delta_bits;
  config.multiplier = static_cast<int>(design.multiplier);
  config.consecutive = design.consecutive;
  config.huffman = design.huffman;
  config.symbol_deltas = design.symbol_deltas;
  config.bank_depth = design.bank_depth;
  config.in_depth = design.in_depth;
  config.act_depth = design.act_depth;
  config.ref_depth = design.ref_depth;
  config.param_depth = design.param_depth;
  config.max_layers = design.max_layers;
  return config;
}

} // namespace deltatwin
