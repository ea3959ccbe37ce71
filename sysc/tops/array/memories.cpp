#include "tops/array/memories.h"
#include "base/resources.h"
#include <algorithm>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

} // namespace

ArrayMemories::ArrayMemories(const ArrayConfig& config)
    : weights(size(config.weight_depth) * size(config.outputs * config.window())),
      parameters(size(config.param_depth) * size(config.results)), layers(size(config.layers)),
      steps(size(config.steps)), tables(size(2 * 16 * 256)),
      input(size(config.rows) * size(config.input_depth) * size(config.channels)),
      maps(size(config.rows) * size(config.map_depth) * size(config.channels)),
      skips(size(config.skip_depth) * size(config.outputs)),
      rows(config.has_stage() ? size(config.rows * config.stage_row_depth) * size(config.channels) : 0) {}

ArrayMemories::Source ArrayMemories::source_of(const ArrayConfig& config, const ArrayLayer& layer) const {
  if (layer.from_input)
    return {input, size(config.input_depth)};
  if (layer.from_stage && config.has_stage())
    return {rows, size(config.stage_row_depth)};
  return {maps, size(config.map_depth)};
}

const std::int8_t* ArrayMemories::weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                                             int window) const {
  const std::size_t word =
      size(layer.weight_base + (layer.shared ? 0 : output / config.outputs * layer.steps()) + window);
  return word < size(config.weight_depth)
             ? weights.data() +
                   (word * size(config.outputs) + size(output % config.outputs)) * size(config.window())
             : nullptr;
}

const ArrayMemories::Parameter* ArrayMemories::parameter_of(const ArrayConfig& config,
                                                            const ArrayLayer& layer, int output) const {
  const std::size_t at = size(layer.param_base) * size(config.results) + size(output);
  return at < parameters.size() ? &parameters[at] : nullptr;
}

void ArrayMemories::write_input(const ArrayConfig& config, const PixelInput& image, int row,
                                const std::int8_t* values) {
  const int groups = ceil_div(image.channels, config.channels);
  int address = row / config.rows * image.pitch, word = 0;
  image.words_of(values, config.channels, [&](const std::int8_t* bytes) {
    const int bank = (row + word++ % groups) % config.rows;
    if (address < config.input_depth)
      std::copy_n(bytes, config.channels,
                  input.data() + size(bank * config.input_depth + address) * size(config.channels));
    ++address;
  });
}

void ArrayRowOfResults::write(std::vector<std::int8_t>& map, int depth) const {
  const ArrayWalk walk(layer, step, config.rows, config.channels, config.outputs);
  const int bytes = layer.max_pool ? config.channels : config.outputs;
  const std::int8_t* result = results.data();
  for (int n = 0; n < tiles; ++n, result += bytes) {
    const int tile = n % layer.tiles, address = walk.result_address(n / layer.tiles, tile);
    const int part = layer.max_pool ? 0 : walk.result_part(tile);
    if (address < depth)
      std::copy_n(result, bytes,
                  map.data() + size(walk.result_bank(tile) * depth + address) * size(config.channels) +
                      size(part * bytes));
  }
}

void write_results(const ArrayRowOfResults& row, std::size_t engine, ArrayMemories& array,
                   ArrayMemories& stage) {
  const ArrayLayer& layer = row.layer;
  if (engine == 1) {
    if (layer.to_map)
      row.write(array.rows, row.config.stage_row_depth);
    return;
  }
  if (layer.to_map)
    row.write(array.maps, row.config.map_depth);
  if (layer.to_stage && row.config.has_stage())
    row.write(stage.maps, row.config.stage_map_depth);
  const std::size_t at = size(row.step.skip_write) * size(row.config.outputs),
                    bytes = size(row.tiles * row.config.outputs);
  if (layer.to_skip && !layer.max_pool && at < array.skips.size())
    std::copy_n(row.results.data(), std::min(bytes, array.skips.size() - at), array.skips.data() + at);
}

} // namespace deltatwin
