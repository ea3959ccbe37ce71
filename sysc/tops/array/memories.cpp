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
      skips(size(config.skip_depth) * size(config.outputs)) {}

const std::int8_t* ArrayMemories::weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                                             int window) const {
  const std::size_t word = size(layer.weight_base + output / config.outputs * layer.steps() + window);
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

void ArrayMemories::write_results(const ArrayConfig& config, const ArrayLayer& layer, const ArrayStep& step,
                                  const std::vector<std::int8_t>& results) {
  const ArrayWalk walk(layer, step, config.rows, config.channels, config.outputs);
  const int bytes = layer.max_pool ? config.channels : config.outputs;
  const std::int8_t* result = results.data();
  for (int x = 0; layer.to_map && x < layer.columns; ++x)
    for (int tile = 0; tile < layer.tiles; ++tile, result += bytes) {
      const int address = walk.result_address(x, tile), part = layer.max_pool ? 0 : walk.result_part(tile);
      if (address < config.map_depth)
        std::copy_n(result, bytes,
                    maps.data() +
                        size(walk.result_bank(tile) * config.map_depth + address) * size(config.channels) +
                        size(part * bytes));
    }
  const std::size_t at = size(step.skip_write) * size(config.outputs);
  if (layer.to_skip && !layer.max_pool && at < skips.size())
    std::copy_n(results.data(), std::min(results.size(), skips.size() - at), skips.data() + at);
}

} // namespace deltatwin
