#include "tops/array/area.h"
#include "blocks/dot_array.h"
#include "blocks/line_buffer.h"
#include "blocks/max_pool.h"
#include "blocks/residual_add.h"
#include "blocks/scaler.h"
#include "blocks/weight_bank.h"

namespace deltatwin {
namespace {

// A word that is late: shift registers of up to 32 bits, and a register behind each.
Resources delay_resources(int width, int cycles) {
  constexpr int srl = 32;
  const int luts = width * ceil_div(cycles - 1, srl);
  return {luts, width, 0, 0, 0, luts};
}

// Words of 64 bits behind one address.
Resources weight_resources(const ArrayConfig& config) {
  constexpr int width = 64;
  const int columns = config.outputs * config.window() * 8 / width;
  Resources weights = columns * weight_bank_resources({width, config.weight_depth, 2, true});
  weights.ff += columns * width;
  return weights;
}

// Tables of layers in LUT-RAM, of steps in block RAM, and the walk.
Resources scheduler_resources(const ArrayConfig& config) {
  Resources scheduler = array_layer_words * weight_bank_resources({32, config.layers, 1, false}) +
                        array_step_words * weight_bank_resources({32, config.steps, 2, true});
  scheduler.lut += 620 + 40 * config.rows;
  scheduler.ff += 640;
  return scheduler;
}

Resources result_resources(const ArrayConfig& config) {
  constexpr int parameter_bits = 32 + 31 + 6;
  const int words = config.outputs * 8, latency = config.write_latency();
  Resources results =
      config.results * (weight_bank_resources({parameter_bits, config.param_depth, 2, true}) +
                        scaler_resources({config.sum_bits}) + residual_add_resources({config.pages}));
  if (config.pages > 0)
    results += weight_bank_resources({words, config.skip_depth, 2, true}) +
               3 * weight_bank_resources({32, config.layers, 1, false});
  results += weight_bank_resources({32, config.layers, 1, false}) + delay_resources(51, latency) +
             delay_resources(8 * config.channels, latency - 7);
  results.lut += 16 * config.channels + 90 * config.results;
  results.ff += 3 * words + 140 * config.results;
  return results;
}

Resources output_resources(const ArrayConfig& config) {
  const int width = 7 + 8 * config.outputs;
  Resources output = memory_resources(width, config.output_depth, config.output_depth > 64);
  output.lut += 3 * config.outputs + 30;
  output.ff += width + 3 * address_bits(config.output_depth) + 8;
  return output;
}

} // namespace

std::vector<Part> array_parts(const ArrayConfig& config) {
  const auto multiplier = config.multiplier ? DotMultiplier::dsp_pairs : DotMultiplier::lut;
  const auto buffer = [&](int outputs, int depth) {
    return line_buffer_resources({config.channels, config.rows, outputs, depth});
  };
  return {{"array_control", {"u_control"}, {430, 330}},
          {"pixel_loader", {"u_loader"}, {190 + 8 * config.channels, 130 + 8 * config.channels}},
          {"array_scheduler", {"u_scheduler"}, scheduler_resources(config)},
          {"input map", {"u_input"}, buffer(config.channels, config.input_depth)},
          {"map", {"u_map"}, buffer(config.outputs, config.map_depth)},
          {"weights", {"gen_weights"}, weight_resources(config)},
          {"dot_array",
           {"u_dot_array"},
           dot_array_resources({config.outputs, config.channels, config.rows, multiplier, array_sum_bits})},
          {"max_pool", {"u_max_pool"}, max_pool_resources({config.channels, config.rows})},
          {"array_results", {"u_results"}, result_resources(config)},
          {"value_output", {"u_output"}, output_resources(config)},
          {"array", {}, {8 * config.window(), 64 * config.outputs * config.window() / 8}}};
}

} // namespace deltatwin
