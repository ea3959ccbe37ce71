#include "tops/array/layer_results.h"
#include "blocks/max_pool.h"
#include "blocks/scaler.h"
#include "net/dot_kernel.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

} // namespace

LayerResults::LayerResults(const ArrayConfig& config, const ArrayMemories& memories, const ArrayLayer& layer)
    : config_(config), layer_(layer), bytes_(size(config.window())) {
  if (layer.max_pool)
    return;
  has_totals_ = config.reference_bits > 0 && uses_planes(config, layer);
  for (int o = 0; o < outputs(); ++o) {
    const ArrayMemories::Parameter* const parameter = memories.parameter_of(config, layer, o);
    parameters_.push_back(parameter ? *parameter : ArrayMemories::Parameter{});
  }
  values_ = config.window() << (uses_planes(config, layer) ? layer.read_code : 0);
  taps_.resize(size(rows()));
  if (!take_fields(memories)) {
    by_bit_ = true;
    values_ = 8 * config.window();
    taps_.assign(size(rows()), {});
    take_bits(memories);
  }
  bool is_small = !layer.depthwise && !by_bit_;
  for (const std::vector<Tap>& row : taps_)
    for (const Tap& tap : row)
      is_small = is_small && tap.weight + 0x8000 < 0x10000;
  if (!is_small)
    return;
  stride_ = (layer.pass_steps() * values_ + dot_padding - 1) / dot_padding * dot_padding;
  weights_.assign((size(rows()) + dot_tile - 1) / dot_tile * dot_tile * size(stride_), 0);
  for (std::size_t row = 0; row < taps_.size(); ++row)
    for (const Tap& tap : taps_[row])
      weights_[row * size(stride_) + size(tap.at)] = static_cast<std::int16_t>(tap.weight);
  taps_.clear();
}

void LayerResults::put(int row, int window, const std::vector<std::uint32_t>& weights) {
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i])
      taps_[size(row)].push_back({window * values_ + static_cast<int>(i), weights[i]});
}

void LayerResults::take_streams(const ArrayMemories& memories) {
  const std::vector<std::int8_t> all = memories.swept_weights(config_, layer_);
  const std::int8_t* of_window = all.data();
  for (int tile = 0; tile < layer_.tiles; ++tile)
    for (int k = 0; k < layer_.pass_steps(); ++k)
      for (int p = 0; p < config_.outputs; ++p, of_window += values_)
        put(tile * config_.outputs + p, k, {of_window, of_window + values_});
}

bool LayerResults::take_fields(const ArrayMemories& memories) {
  if (config_.has_sweeps()) {
    take_streams(memories);
    return true;
  }
  std::vector<std::uint32_t> weights;
  for (int k = 0; k < layer_.pass_steps(); ++k)
    for (int row = 0; row < rows(); ++row) {
      const bool whole = row < outputs() ? memories.weights_of(config_, layer_, row, k, weights)
                                         : memories.mask_of(config_, layer_, row - outputs(), k, weights);
      if (!whole)
        return false;
      put(row, k, weights);
    }
  return true;
}

void LayerResults::take_bits(const ArrayMemories& memories) {
  std::vector<std::uint32_t> weights;
  for (int k = 0; k < layer_.pass_steps(); ++k)
    for (int row = 0; row < rows(); ++row) {
      row < outputs() ? memories.bit_weights_of(config_, layer_, row, k, weights)
                      : memories.bit_mask_of(config_, layer_, row - outputs(), k, weights);
      put(row, k, weights);
    }
}

void LayerResults::read_window(const ArrayMemories& memories, const ArrayWalk& walk,
                               const ArrayWindow& window, int pixel) {
  const auto [memory, depth] = memories.source_of(config_, layer_);
  const std::size_t word = size(config_.channels);
  const int first_bank = walk.column_bank(window, pixel) * config_.rows;
  std::int8_t* bytes = bytes_.data();
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

// What weights are multiplied by: fields, or what each bit of one counts.
void LayerResults::read_values(const ArrayMemories& memories, const ArrayWalk& walk,
                               const ArrayWindow& window, int pixel, std::int16_t* values) {
  read_window(memories, walk, window, pixel);
  const int code = uses_planes(config_, layer_) ? layer_.read_code : 0, bits = width_bits(code);
  if (code == 0 && !by_bit_) {
    std::copy(bytes_.begin(), bytes_.end(), values);
    return;
  }
  for (int i = 0; i < values_; ++i) {
    if (!by_bit_) {
      values[i] = static_cast<std::int16_t>(field_of(bytes_.data(), i, code));
      continue;
    }
    const int value = 1 << i % bits, set = static_cast<std::uint8_t>(bytes_[size(i / 8)]) >> i % 8 & 1;
    values[i] = static_cast<std::int16_t>(set * (i % bits == bits - 1 ? -value : value));
  }
}

// Four columns at a time.
void LayerResults::sum_dense(const ArrayMemories& memories, const ArrayStep& step) {
  static const DotKernel dot = select_dot_kernel();
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const int all = columns(step), pixels = walk.tile_pixels();
  std::vector<std::int16_t> windows(size(dot_tile) * size(stride_));
  std::int32_t sums[dot_tile * dot_tile];
  for (int first = 0; first < all; first += dot_tile) {
    const int columns = std::min(dot_tile, all - first);
    for (int i = 0; i < columns; ++i)
      for (int k = 0; k < layer_.pass_steps(); ++k) {
        const int column = first + i;
        read_values(memories, walk, walk.window(column / pixels, 0, k), column % pixels,
                    windows.data() + size(i) * size(stride_) + size(k * values_));
      }
    for (int row = 0; row < rows(); row += dot_tile) {
      dot(windows.data(), weights_.data() + size(row) * size(stride_), stride_, sums);
      for (int i = 0; i < columns; ++i)
        for (int n = 0; n < std::min(dot_tile, rows() - row); ++n)
          sums_[size(first + i) * size(rows()) + size(row + n)] = sums[dot_tile * i + n];
    }
  }
}

void LayerResults::sum_taps(const ArrayMemories& memories, const ArrayStep& step) {
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const int pixels = walk.tile_pixels();
  std::vector<std::int16_t> windows(size(layer_.pass_steps() * values_));
  const auto sum_row = [&](int column, int row) {
    std::uint32_t sum = 0;
    for (const Tap& tap : taps_[size(row)])
      sum += static_cast<std::uint32_t>(windows[size(tap.at)]) * tap.weight;
    sums_[size(column * rows() + row)] = static_cast<std::int32_t>(sum);
  };
  for (int column = 0; column < columns(step); ++column)
    for (int tile = 0, group = -1; tile < layer_.tiles; ++tile) {
      if (const int next = walk.window(column / pixels, tile, 0).group; next != group) {
        group = next;
        for (int k = 0; k < layer_.pass_steps(); ++k)
          read_values(memories, walk, walk.window(column / pixels, tile, k), column % pixels,
                      windows.data() + size(k * values_));
      }
      for (int o = tile * config_.outputs; o < (tile + 1) * config_.outputs; ++o)
        sum_row(column, o);
      if (has_totals_)
        sum_row(column, outputs() + tile);
    }
}

// Pixel 0's, which in wide layers the others have too.
void LayerResults::find_maxima(const ArrayMemories& memories, const ArrayStep& step,
                               std::vector<std::int8_t>& results) {
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs, config_.pixels);
  const std::size_t word = size(config_.channels);
  results.assign(size(layer_.result_columns(config_.pixels) * layer_.tiles) * word, 0);
  MaxPoolCore most({config_.channels, config_.rows, config_.widths});
  std::int8_t* to = results.data();
  for (int column = 0; column < layer_.result_columns(config_.pixels); ++column)
    for (int tile = 0; tile < layer_.tiles; ++tile) {
      for (int k = 0; k < layer_.steps(); ++k) {
        const ArrayWindow window = walk.window(column / walk.tile_pixels(), tile, k);
        read_window(memories, walk, window, 0);
        unsigned lanes = 0;
        for (int j = 0; j < config_.rows; ++j)
          lanes |= static_cast<unsigned>(walk.counts(window, j)) << j;
        most.beat(k == 0, bytes_.data(), lanes, layer_.read_code);
      }
      to = std::copy(most.maxima().begin(), most.maxima().end(), to);
    }
}

std::int8_t LayerResults::result(const ArrayMemories& memories, int output, std::int32_t sum,
                                 std::int32_t total, std::int8_t skip) const {
  const ArrayMemories::Parameter& parameter = parameters_[size(output)];
  const Scaling scaling{parameter.multiplier, parameter.shift, scaling_rounding(layer_.rule),
                        layer_.zero,          layer_.low,      layer_.high};
  const ScalerConfig scaler{config_.sum_bits, config_.scale_multiply != 0};
  const int shift = config_.reference_bits > 0 ? layer_.reference_shift : 0;
  const std::int64_t whole =
      std::int64_t{sum} * (1 << shift) + std::int64_t{parameter.reference} * total + parameter.bias;
  const std::int32_t v = saturated(whole, config_.sum_bits);
  if (layer_.sum_bytes && config_.wide_sums)
    return static_cast<std::int8_t>(v >> (parameter.shift & 8));
  if (layer_.counts && config_.has_thresholds())
    return static_cast<std::int8_t>(layer_.low + memories.count_of(config_, layer_, output, v));
  const std::int8_t y = scaled(scaler, scaling, v);
  if (!layer_.add || config_.pages == 0)
    return y;
  if (config_.lookup) {
    constexpr int bits = 4, mask = 0xf;
    const std::size_t at = size(layer_.page << 8 | (y & mask) << bits | (skip & mask));
    return layer_.page < config_.pages ? static_cast<std::int8_t>(memories.tables[at]) : std::int8_t{0};
  }
  const auto entry = [&](int side, std::int8_t index) -> std::int64_t {
    const std::size_t at =
        size(side << 12 | layer_.page << 8 | static_cast<int>(static_cast<std::uint8_t>(index)));
    return layer_.page < config_.pages ? memories.tables[at] : 0;
  };
  constexpr int add_bits = 32;
  const Scaling addition{layer_.add_multiplier, layer_.add_shift, scaling_rounding(layer_.add_rule),
                         layer_.add_zero,       layer_.add_low,   layer_.add_high};
  const bool direct = layer_.direct && config_.wide_sums && layer_.page < config_.pages;
  return scaled({add_bits, config_.scale_multiply != 0}, addition,
                saturated((direct ? v : entry(0, y)) + entry(1, skip), add_bits));
}

// Where in the skips what is added lies.
std::size_t LayerResults::skip_of(const ArrayStep& step, int column, int output) const {
  const int pixels = layer_.tile_pixels(config_.pixels);
  const int tile = column / pixels * layer_.tiles + output / config_.outputs;
  std::size_t word = size(step.skip_read + tile);
  if (config_.has_sweeps()) // as an address holds it
    word %= std::size_t{1} << address_bits(config_.skip_depth);
  return (word * size(config_.pixels) + size(column % pixels)) * size(config_.outputs) +
         size(output % config_.outputs);
}

void LayerResults::row(const ArrayMemories& memories, const ArrayStep& step,
                       std::vector<std::int8_t>& results, Sums* sums) {
  if (layer_.max_pool) {
    find_maxima(memories, step, results);
    return;
  }
  const int columns = this->columns(step), outputs = this->outputs();
  sums_.resize(size(columns) * size(rows()));
  weights_.empty() ? sum_taps(memories, step) : sum_dense(memories, step);
  for (std::int32_t& sum : sums_)
    sum = sign_extended(sum, config_.accumulator_bits());
  results.resize(size(columns) * size(outputs));
  if (sums) {
    sums->outputs.resize(results.size());
    sums->totals.assign(size(columns) * size(layer_.tiles), 0);
  }
  for (int column = 0; column < columns; ++column) {
    const std::int32_t* const row = sums_.data() + size(column) * size(rows());
    for (int o = 0; o < outputs; ++o) {
      const std::size_t skip = skip_of(step, column, o);
      const std::int32_t total = has_totals_ ? row[outputs + o / config_.outputs] : 0;
      results[size(column * outputs + o)] = result(
          memories, o, row[o], total, skip < memories.skips.size() ? memories.skips[skip] : std::int8_t{0});
    }
    if (sums)
      std::copy_n(row, outputs, sums->outputs.data() + size(column) * size(outputs));
    if (sums && has_totals_)
      std::copy_n(row + outputs, layer_.tiles, sums->totals.data() + size(column) * size(layer_.tiles));
  }
}

} // namespace deltatwin
