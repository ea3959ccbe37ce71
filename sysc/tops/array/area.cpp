#include "tops/array/area.h"
#include "blocks/depthwise_array.h"
#include "blocks/dot_array.h"
#include "blocks/huffman_tiles.h"
#include "blocks/line_buffer.h"
#include "blocks/max_pool.h"
#include "blocks/output_fifo.h"
#include "blocks/plane_array.h"
#include "blocks/residual_add.h"
#include "blocks/scaler.h"
#include "blocks/sweep_array.h"
#include "blocks/threshold_search.h"
#include "blocks/weight_bank.h"

namespace deltatwin {
namespace {

// A word that is late: shift registers of up to 32 bits, and a register behind each.
Resources delay_resources(int width, int cycles) {
  constexpr int srl = 32;
  const int luts = width * ceil_div(cycles - 1, srl);
  return {luts, width, 0, 0, 0, luts};
}

bool in_lut_ram(const ArrayConfig& config, ArrayBuffer buffer) {
  return config.lut_ram >> static_cast<int>(buffer) & 1;
}

// A buffer whose words come in two cycles.
Resources buffer_resources(const ArrayConfig& config, ArrayBuffer buffer, int width, int depth) {
  if (!in_lut_ram(config, buffer))
    return weight_bank_resources({width, depth, 2, true});
  Resources memory = distributed_ram_resources(width, depth);
  memory.ff += width;
  return memory;
}

// Words of 64 bits behind one address.
Resources weight_resources(const ArrayConfig& config, ArrayBuffer buffer, int bytes, int depth) {
  constexpr int width = 64;
  const int columns = bytes * 8 / width;
  Resources weights = columns * buffer_resources(config, buffer, width, depth);
  weights.ff += columns * width;
  return weights;
}

// Steps: LUT-RAM has the bits alone that mean something, and nobody reads places of skips where nothing is
// added.
Resources step_resources(const ArrayConfig& config, ArrayBuffer buffer, int steps, bool skips) {
  constexpr int block_width = 32;
  if (config.has_sweeps()) { // one word behind the other, into a shift register
    const int words = array_step_words * steps;
    const Resources fetch{8 + 2 * address_bits(words), 5 + address_bits(words) + 4 * block_width};
    return fetch + (in_lut_ram(config, buffer) ? distributed_ram_resources(block_width, words)
                                               : weight_bank_resources({block_width, words, 1, true}));
  }
  Resources table;
  for (const int width : {13, 29, 32, 32, skips ? 32 : 0})
    if (width > 0)
      table += buffer_resources(config, buffer, in_lut_ram(config, buffer) ? width : block_width, steps);
  return table;
}

// Tables of layers in LUT-RAM, of steps, and the walk, with an address for each lane of a column bank.
Resources scheduler_resources(const ArrayConfig& config, ArrayBuffer buffer, int steps, bool skips) {
  const int layer_words = config.has_sweeps()   ? array_layer_words
                          : config.has_planes() ? array_sweep_word
                                                : array_precision_word;
  Resources scheduler = layer_words * weight_bank_resources({32, config.layers, 1, false}) +
                        step_resources(config, buffer, steps, skips);
  if (config.has_marks()) { // and of the sweep that runs what it was looked up with
    constexpr int mark_bits = 2;
    scheduler += Resources{20, 49 + address_bits(config.zero_depth)};
    scheduler += in_lut_ram(config, buffer) ? distributed_ram_resources(mark_bits, config.zero_depth)
                                            : weight_bank_resources({mark_bits, config.zero_depth, 1, true});
  }
  scheduler.lut += 965 + 46 * config.rows * config.pixels + (config.pixels > 1 ? 45 * config.pixels : 0);
  scheduler.ff += 595 + (skips ? 70 : 0) + (config.has_stage() ? 26 : 0);
  return scheduler;
}

// Of the array, or of its stage as an array.
Resources result_resources(const ArrayConfig& config, ArrayBuffer parameters, int latency) {
  const int parameter_bits = (config.has_sweeps() ? config.sum_bits : 32) +
                             (config.scale_multiply ? config.scale_bits : 0) + 6 + config.reference_bits;
  // Tables of both values are LUT-RAM of one port, 256 words in four LUTs; then two registers, and what
  // waits.
  const int table_luts = 4 * config.skip_bits() * config.pages;
  const Resources add =
      config.lookup && config.pages > 0
          ? Resources{34 + table_luts, 38, 0, 0, 0, 8 + table_luts}
          : residual_add_resources({config.pages, config.scale_multiply != 0, config.wide_sums != 0});
  const int words = config.pixels * config.outputs * config.skip_bits();
  const bool multiply = config.scale_multiply != 0;
  Resources results =
      config.results * (scaler_resources({config.sum_bits, multiply, config.scale_bits}) + add);
  if (config.has_sweeps()) { // one by one into what a tile's beats have in turn
    constexpr int counters = 40;
    results += buffer_resources(config, parameters, parameter_bits, config.param_depth * config.results) +
               config.results * weight_bank_resources({parameter_bits, config.beats(), 1, false}) +
               Resources{counters, counters};
  } else {
    results += config.results * buffer_resources(config, parameters, parameter_bits, config.param_depth);
  }
  // Of a result: its reference times the total, and the shift of its sum; not fitted.
  if (config.reference_bits > 0)
    results += config.results * Resources{20 * config.reference_bits + 3 * config.sum_bits,
                                          config.sum_bits + 20 * config.reference_bits};
  constexpr int behind = 17; // cycles from a sum to its result
  if (config.wide_sums) {
    results += config.results * (delay_resources(8, behind) + Resources{12, 0});
    if (config.pages > 0 && !config.lookup)
      results += config.results * delay_resources(config.sum_bits, 7);
  }
  if (config.has_thresholds()) {
    const int bits = config.threshold_bits;
    const Resources lane{16 + bits, 8 + bits, 0, 0, 0, bits};
    results += config.results * (threshold_search_resources(config.threshold_search()) + lane) +
               delay_resources(9, behind) + delay_resources(address_bits(config.param_depth), 3) +
               weight_bank_resources({1, config.layers, 1, false});
  }
  if (config.widths > 1)
    results.lut += 8 * config.pixels * config.channels;
  if (config.pages > 0)
    results += buffer_resources(config, ArrayBuffer::skips, words, config.skip_depth) +
               (config.lookup ? 1 : 3) * weight_bank_resources({32, config.layers, 1, false});
  results += weight_bank_resources({32, config.layers, 1, false}) + delay_resources(51, latency) +
             delay_resources(8 * config.channels, latency - 7);
  const int tile = config.pixels * config.outputs;
  results.lut += 69 + 9 * config.results + 35 * tile + 8 * config.pixels * config.channels;
  results.ff += 102 - (config.pages > 0 ? 24 * config.results : 0) +
                (config.results < tile ? 41 : 27) * tile - 7 * config.channels;
  return results;
}

// All column banks.
Resources map_resources(const ArrayConfig& config, ArrayBuffer buffer, int part_bits, int depth) {
  const int kept = buffer == ArrayBuffer::input ? config.input_bits : 0;
  return config.pixels * line_buffer_resources({config.channels, config.rows, part_bits, depth,
                                                !in_lut_ram(config, buffer), kept});
}

// Of the map beside that of the image: both turn the same banks and addresses.
Resources second_map(const ArrayConfig& config, const Resources& map) {
  const int rows = config.rows;
  return map + config.pixels * Resources{-4 * rows * (rows - 1), -15 * rows};
}

// From the windows of the memories' column banks to those of pixels.
Resources window_resources(const ArrayConfig& config) {
  const int bits = 8 * config.window(), memories = config.has_stage() ? 3 : 2;
  if (config.pixels == 1)
    return {bits, 0};
  if (config.pixels == 2) // of 5 inputs, or 7
    return {config.pixels * (memories - 1) * bits, 0};
  return {2 * config.pixels * bits, 0};
}

// Of a loop's blocks.
std::vector<std::string> instances(int count, const std::string& block, const std::string& instance) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i)
    names.push_back(block + "[" + std::to_string(i) + "]." + instance);
  return names;
}

// The array's parts once more, smaller.
Resources stage_resources(const ArrayConfig& config) {
  const auto multiplier = config.stage_multiplier ? DepthwiseMultiplier::dsp : DepthwiseMultiplier::lut;
  ArrayConfig one_pixel = config.stage();
  one_pixel.pixels = 1;
  // Neither image, nor outputs, nor additions.
  const Resources without{-250, -150}, windows{config.pixels > 1 ? 8 * config.window() : 0, 0};
  return scheduler_resources(config, ArrayBuffer::stage_steps, config.stage_steps, false) + without +
         windows +
         map_resources(config, ArrayBuffer::stage_maps, config.piece_bits(), config.stage_map_depth) +
         map_resources(config, ArrayBuffer::stage_rows, 8 * config.channels, config.stage_row_depth) +
         weight_resources(config, ArrayBuffer::stage_weights, config.window(), config.stage_weight_depth) +
         depthwise_array_resources({config.channels, config.rows, multiplier}) +
         result_resources(one_pixel, ArrayBuffer::stage_parameters, config.stage_write_latency());
}

Resources output_resources(const ArrayConfig& config) {
  constexpr int ways = 4; // of a LUT's multiplexer
  return output_fifo_resources({7 + 8 * config.outputs, config.output_depth}) +
         Resources{2 + 8 * ceil_div(config.outputs, ways), address_bits(config.outputs)};
}

// What comes to weights and products behind block RAM: words are late once more, and a product in LUTs takes
// a digit of its weight from the word before.
Resources product_resources(const ArrayConfig& config) {
  if (config.has_sweeps())
    return {15, 48};
  if (!config.has_bytes())
    return {15, 48 + 8 * config.weight_bytes()};
  const int products = config.outputs * config.window();
  return config.multiplier ? Resources{15, 8 * products + 48}
                           : Resources{config.pixels * 41 * products / 10, 48 - 4 * products};
}

Resources loader_resources(const ArrayConfig& config) {
  const Resources columns{24, 20}; // a word's place is that of its neighbors in other column banks
  const Resources ring{38, 12};
  return Resources{215 + 17 * config.channels / 2, 118 + 8 * config.channels} +
         (config.pixels > 1 ? columns : Resources{}) + (config.has_sweeps() ? ring : Resources{});
}

} // namespace

std::vector<Part> array_parts(const ArrayConfig& config) {
  const auto multiplier = config.multiplier ? DotMultiplier::dsp_pairs : DotMultiplier::lut;
  std::vector<Part> parts = {
      {"array_control", {"u_control"}, {660, 382}},
      {"pixel_loader", {"u_loader"}, loader_resources(config)},
      {"array_scheduler",
       {"u_scheduler"},
       scheduler_resources(config, ArrayBuffer::steps, config.steps, config.pages > 0)},
      {"input map", instances(config.pixels, "gen_column", "u_input"),
       map_resources(config, ArrayBuffer::input, 8 * config.channels, config.input_depth)},
      {"map", instances(config.pixels, "gen_column", "u_map"),
       second_map(config, map_resources(config, ArrayBuffer::maps, config.piece_bits(), config.map_depth))},
      {"array_results",
       {"u_results"},
       result_resources(config, ArrayBuffer::parameters, config.write_latency())},
      {"value_output", {"u_output"}, output_resources(config)},
      {"array", {}, window_resources(config) + product_resources(config)}};
  if (config.has_sweeps()) {
    parts.push_back({"huffman_tiles", {"gen_tiles"}, huffman_tiles_resources(config.huffman_tiles())});
    parts.push_back({"sweep_array", {"gen_sweep_array"}, sweep_array_resources(config.sweep_array())});
    return parts;
  }
  parts.push_back(
      {"weights", instances(config.weight_bytes() / 8, "gen_weights", "u_words"),
       weight_resources(config, ArrayBuffer::weights, config.weight_bytes(), config.weight_depth)});
  parts.push_back({"max_pool",
                   {"gen_max_pool.u_max_pool"},
                   max_pool_resources({config.channels, config.rows, config.widths})});
  if (config.has_bytes())
    parts.push_back({"dot_array", instances(config.pixels, "gen_dot_array", "u_dot_array"),
                     config.pixels * dot_array_resources({config.outputs, config.channels, config.rows,
                                                          multiplier, array_sum_bits})});
  if (config.has_planes())
    parts.push_back({"plane_array", instances(config.pixels, "gen_plane_array", "u_plane_array"),
                     config.pixels * plane_array_resources(config.plane_array())});
  if (config.has_stage())
    parts.push_back({"depthwise_stage", {"gen_stage"}, stage_resources(config)});
  return parts;
}

} // namespace deltatwin
