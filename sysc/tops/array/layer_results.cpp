#include "tops/array/layer_results.h"
#include "blocks/scaler.h"
#include "net/dot_kernel.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

} // namespace

LayerResults::LayerResults(const ArrayConfig& config, const ArrayMemories& memories, const ArrayLayer& layer)
    : config_(config), layer_(layer) {
  if (layer.max_pool)
    return;
  const std::size_t window = size(config.window()), outputs = size(config.outputs * layer.tiles);
  const std::size_t steps = size(layer.steps());
  for (std::size_t o = 0; o < outputs; ++o) {
    const ArrayMemories::Parameter* const parameter =
        memories.parameter_of(config, layer, static_cast<int>(o));
    parameters_.push_back(parameter ? *parameter : ArrayMemories::Parameter{});
  }
  const auto weights_of = [&](std::size_t o, std::size_t k) {
    return memories.weights_of(config, layer, static_cast<int>(o), static_cast<int>(k));
  };
  if (layer.depthwise) {
    taps_.resize(outputs);
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t k = 0; k < steps; ++k)
        if (const std::int8_t* weights = weights_of(o, k))
          for (std::size_t i = 0; i < window; ++i)
            if (weights[i])
              taps_[o].push_back({static_cast<int>(k * window + i), weights[i]});
    return;
  }
  stride_ = static_cast<int>((steps * window + dot_padding - 1) / dot_padding * dot_padding);
  weights_.assign((outputs + dot_tile - 1) / dot_tile * dot_tile * size(stride_), 0);
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t k = 0; k < steps; ++k)
      if (const std::int8_t* weights = weights_of(o, k))
        std::copy(weights, weights + window, weights_.data() + o * size(stride_) + k * window);
}

void LayerResults::read_window(const ArrayMemories& memories, const ArrayWalk& walk,
                               const ArrayWindow& window, int pixel, std::int8_t* bytes) const {
  const auto [memory, depth] = memories.source_of(config_, layer_);
  const std::size_t word = size(config_.channels);
  const int first_bank = walk.column_bank(window, pixel) * config_.rows;
  for (int j = 0; j < config_.rows; ++j, bytes += word) {
    const std::size_t address = walk.address(window, j, pixel);
    const bool outside = walk.outside(window, j, pixel);
    if (outside || address >= depth)
      std::fill_n(bytes, word, static_cast<std::int8_t>(outside ? layer_.padding : 0));
    else
      std::copy_n(memory.data() + (size(first_bank + walk.bank(window, j)) * depth + address) * word, word,
                  bytes);
  }
}

// Four columns at a time.
void LayerResults::sum_dense(const ArrayMemories& memories, const ArrayStep& step) {
  static const DotKernel dot = select_dot_kernel();
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const int all = layer_.result_columns(config_.pixels), pixels = walk.tile_pixels();
  const int outputs = layer_.tiles * config_.outputs;
  const std::size_t width = size(config_.window());
  std::vector<std::int8_t> bytes(width);
  std::vector<std::int16_t> windows(size(dot_tile) * size(stride_));
  std::int32_t sums[dot_tile * dot_tile];
  for (int first = 0; first < all; first += dot_tile) {
    const int columns = std::min(dot_tile, all - first);
    for (int i = 0; i < columns; ++i)
      for (int k = 0; k < layer_.steps(); ++k) {
        const int column = first + i;
        read_window(memories, walk, walk.window(column / pixels, 0, k), column % pixels, bytes.data());
        std::copy(bytes.begin(), bytes.end(), windows.data() + size(i) * size(stride_) + size(k) * width);
      }
    for (int o = 0; o < outputs; o += dot_tile) {
      dot(windows.data(), weights_.data() + size(o) * size(stride_), stride_, sums);
      for (int i = 0; i < columns; ++i)
        for (int n = 0; n < std::min(dot_tile, outputs - o); ++n)
          sums_[size(first + i) * size(outputs) + size(o + n)] = sums[dot_tile * i + n];
    }
  }
}

void LayerResults::sum_taps(const ArrayMemories& memories, const ArrayStep& step) {
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const int outputs = layer_.tiles * config_.outputs, pixels = walk.tile_pixels();
  const std::size_t width = size(config_.window());
  std::vector<std::int8_t> windows(size(layer_.steps()) * width);
  for (int column = 0; column < layer_.result_columns(config_.pixels); ++column)
    for (int tile = 0, group = -1; tile < layer_.tiles; ++tile) {
      if (const int next = walk.result_group(tile); next != group) {
        group = next;
        for (int k = 0; k < layer_.steps(); ++k)
          read_window(memories, walk, walk.window(column / pixels, tile, k), column % pixels,
                      windows.data() + size(k) * width);
      }
      for (int o = tile * config_.outputs; o < (tile + 1) * config_.outputs; ++o) {
        std::uint32_t sum = 0;
        for (const Tap& tap : taps_[size(o)])
          sum += static_cast<std::uint32_t>(windows[size(tap.at)] * tap.weight);
        sums_[size(column) * size(outputs) + size(o)] = static_cast<std::int32_t>(sum);
      }
    }
}

// Pixel 0's, which in wide layers the others have too.
void LayerResults::find_maxima(const ArrayMemories& memories, const ArrayStep& step,
                               std::vector<std::int8_t>& results) const {
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const std::size_t word = size(config_.channels);
  std::vector<std::int8_t> bytes(size(config_.window()));
  results.assign(size(layer_.result_columns(config_.pixels) * layer_.tiles) * word, -128);
  std::int8_t* most = results.data();
  for (int column = 0; column < layer_.result_columns(config_.pixels); ++column)
    for (int tile = 0; tile < layer_.tiles; ++tile, most += word)
      for (int k = 0; k < layer_.steps(); ++k) {
        const ArrayWindow window = walk.window(column / walk.tile_pixels(), tile, k);
        read_window(memories, walk, window, 0, bytes.data());
        for (int j = 0; j < config_.rows; ++j)
          for (std::size_t s = 0; walk.counts(window, j) && s < word; ++s)
            most[s] = std::max(most[s], bytes[size(j) * word + s]);
      }
}

std::int8_t LayerResults::result(const ArrayMemories& memories, int output, std::int32_t sum,
                                 std::int8_t skip) const {
  const ArrayMemories::Parameter& parameter = parameters_[size(output)];
  const Scaling scaling{parameter.multiplier, parameter.shift, scaling_rounding(layer_.rule),
                        layer_.zero,          layer_.low,      layer_.high};
  const std::int8_t y = scaled(scaling, saturated(std::int64_t{sum} + parameter.bias, config_.sum_bits));
  if (!layer_.add || config_.pages == 0)
    return y;
  const auto entry = [&](int side, std::int8_t index) -> std::int64_t {
    const std::size_t at =
        size(side << 12 | layer_.page << 8 | static_cast<int>(static_cast<std::uint8_t>(index)));
    return layer_.page < config_.pages ? memories.tables[at] : 0;
  };
  constexpr int add_bits = 32;
  const Scaling addition{layer_.add_multiplier, layer_.add_shift, scaling_rounding(layer_.add_rule),
                         layer_.add_zero,       layer_.add_low,   layer_.add_high};
  return scaled(addition, saturated(entry(0, y) + entry(1, skip), add_bits));
}

// Where in the skips what is added lies.
std::size_t LayerResults::skip_of(const ArrayStep& step, int column, int output) const {
  const int pixels = layer_.tile_pixels(config_.pixels);
  const int tile = column / pixels * layer_.tiles + output / config_.outputs;
  return (size(step.skip_read + tile) * size(config_.pixels) + size(column % pixels)) *
             size(config_.outputs) +
         size(output % config_.outputs);
}

void LayerResults::row(const ArrayMemories& memories, const ArrayStep& step,
                       std::vector<std::int8_t>& results, std::vector<std::int32_t>* sums) {
  if (layer_.max_pool) {
    find_maxima(memories, step, results);
    return;
  }
  const int outputs = layer_.tiles * config_.outputs;
  sums_.resize(size(layer_.result_columns(config_.pixels)) * size(outputs));
  layer_.depthwise ? sum_taps(memories, step) : sum_dense(memories, step);
  results.resize(sums_.size());
  constexpr int above = 32 - array_sum_bits;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums_[i]) << above) >> above;
    const std::size_t column = i / size(outputs), output = i % size(outputs);
    const std::size_t skip = skip_of(step, static_cast<int>(column), static_cast<int>(output));
    results[i] = result(memories, static_cast<int>(output), sums_[i],
                        skip < memories.skips.size() ? memories.skips[skip] : std::int8_t{0});
  }
  if (sums)
    *sums = sums_;
}

} // namespace deltatwin
