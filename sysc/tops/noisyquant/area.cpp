#include "tops/noisyquant/area.h"
#include "blocks/output_fifo.h"
#include "blocks/weight_bank.h"

namespace deltatwin {
namespace {

// Registers and AXI4-Lite, and steps and offsets, which synthesis counts to them: what was found is
// LUT-RAM.
Resources control_resources(const NoisyQuantConfig& config) {
  Resources control = lut_ram_resources(32, noisyquant_found);
  control.lut += 388 + 25 * address_bits(config.max_width);
  control.ff = 264 + 10 * address_bits(config.max_width);
  return control;
}

// A channel's values and their addresses.
Resources values_resources(const NoisyQuantConfig& config) {
  const int values = config.max_width * config.max_width;
  return weight_bank_resources({config.data_bits, values, 1, values > 64}) + Resources{16, 9};
}

} // namespace

std::vector<Part> noisyquant_parts(const NoisyQuantConfig& config) {
  return {{"noisyquant_control", {"u_control"}, control_resources(config)},
          {"values", {"u_values"}, values_resources(config)},
          {"noisy_quantizer", {"u_quantizer"}, noisy_quantizer_resources(config.quantizer())},
          {"noisy_lanes", {"u_lanes"}, noisy_lanes_resources(config.lanes())},
          {"noisy_loss", {"u_loss"}, noisy_loss_resources(config.loss())},
          {"output_fifo", {"u_output"}, output_fifo_resources({33, 16})},
          {"noisyquant", {}, {108, 36}}};
}

} // namespace deltatwin
