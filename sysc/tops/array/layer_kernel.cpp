#include "tops/array/layer_kernel.h"
#include "base/clones.h"
#include "base/resources.h"
#include "blocks/scaler.h"
#include "blocks/threshold_search.h"
#include <algorithm>
#include <cstdlib>
#include <utility>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

constexpr std::int64_t most_scaled = std::int64_t{1} << 30; ///< below: no rule leaves 64 bits

DELTATWIN_CLONES void most_of(std::int16_t* most, const std::int16_t* x, int count) {
  for (int c = 0; c < count; ++c)
    most[c] = most[c] > x[c] ? most[c] : x[c];
}

DELTATWIN_CLONES void add_products(std::int32_t* sums, const std::int16_t* x, const std::int16_t* w,
                                   int count) {
  for (int c = 0; c < count; ++c)
    sums[c] += x[c] * w[c];
}

// Whether sums of up to `reach` can be scaled by RowRequantizer.
bool can_scale(Rounding rounding, std::int64_t reach, int shift) {
  const int left = rounding == Rounding::tflite && shift < 31 ? 31 - shift : 0;
  return reach < most_scaled && reach << left < most_scaled << 1;
}

} // namespace

LayerKernel::LayerKernel(const ArrayConfig& config, const ArrayLayer& layer)
    : config_(config), layer_(layer), columns_(layer.result_columns(config.pixels)),
      column_stride_(layer.tile_pixels(config.pixels) > 1 ? 1 : layer.column_stride),
      rows_(layer.max_pool     ? layer.kernel_rows
            : layer.group_mode ? 1
                               : layer.row_groups * config.rows),
      width_(layer.groups * group_channels()), channels_(layer.max_pool ? layer.tiles * group_channels() : 0),
      outputs_(layer.tiles * (layer.max_pool ? group_channels() : config.outputs)),
      blocks_(ceil_div(outputs_, kernel_channels)),
      sums_step_(layer.depthwise ? outputs_ : blocks_ * kernel_channels), reach_(size(outputs_)) {
  const auto byte = static_cast<std::int8_t>(layer.padding);
  padding_ = static_cast<std::int16_t>(layer.max_pool ? -(1 << (width_bits(layer.read_code) - 1))
                                                      : field_of(&byte, 0, layer.read_code));
}

bool LayerKernel::has_even_padding() const {
  return layer_.max_pool ||
         byte_of_fields(padding_, layer_.read_code) == static_cast<std::int8_t>(layer_.padding);
}

bool LayerKernel::keeps_results() const {
  if (counts()) // until they are counted
    return true;
  if (looks_up())
    return keeps_results(-(1 << (config_.skip_bits() - 1)), (1 << (config_.skip_bits() - 1)) - 1);
  const int low = layer_.add && config_.pages ? layer_.add_low : layer_.low,
            high = layer_.add && config_.pages ? layer_.add_high : layer_.high;
  return keeps_results(low, high);
}

bool LayerKernel::keeps_results(int low, int high) const {
  const auto holds = [&](int bits) {
    return std::min(low, high) >= -(1 << (bits - 1)) && std::max(low, high) < 1 << (bits - 1);
  };
  if (layer_.max_pool)
    return layer_.read_code == layer_.write_code;
  return (!(layer_.to_map || layer_.to_stage) || holds(width_bits(layer_.write_code))) &&
         (!layer_.to_skip || holds(config_.skip_bits()));
}

std::shared_ptr<const LayerKernel> LayerKernel::of(const ArrayConfig& config, const ArrayMemories& memories,
                                                   const ArrayLayer& layer) {
  const bool by_tile = layer.depthwise || layer.max_pool;
  const bool whole = layer.group_mode ? layer.row_groups == 1
                     : by_tile        ? layer.group_steps == 1
                                      : layer.group_steps == layer.groups;
  if (!whole || ((layer.sum_bytes || layer.direct) && config.wide_sums) ||
      (layer.max_pool && layer.group_mode) ||
      (config.has_sweeps() ? layer.block_pixels != layer.columns * layer.block_rows
                           : layer.entries != layer.columns * layer.tiles))
    return nullptr;
  if (!config.has_width(layer.read_code)) // no step has such a layer
    return nullptr;
  if (const int pixels = layer.tile_pixels(config.pixels);
      pixels > 1 && (layer.max_pool || layer.column_stride != pixels))
    return nullptr;
  std::shared_ptr<LayerKernel> kernel(new LayerKernel(config, layer));
  if ((by_tile && kernel->outputs_ > kernel->width_) || !kernel->has_even_padding() ||
      !kernel->keeps_results() || (!layer.max_pool && layer.read_code && !uses_planes(config, layer)))
    return nullptr;
  if (layer.max_pool)
    return kernel->rows_ > 0 && kernel->rows_ <= layer.row_groups * config.rows ? kernel : nullptr;
  if (!kernel->take_weights(memories) || !kernel->take_parameters(memories) ||
      !kernel->take_addition(memories))
    return nullptr;
  return kernel;
}

// A weight where the kernel wants it; false: it has no place.
bool LayerKernel::put_weight(int output, int row, int column, int group, int byte, std::int16_t weight) {
  if (layer_.depthwise) {
    if (group * group_channels() + byte != output)
      return false;
    weights_[size((row * layer_.kernel_columns + column) * outputs_ + output)] = weight;
    return true;
  }
  if (group >= layer_.groups)
    return false;
  const int pairs = layer_.kernel_columns * width_ / 2;
  const int element = column * width_ + group * group_channels() + byte;
  const std::size_t run = size(output / kernel_channels * rows_ + row) * size(pairs);
  weights_[(run + size(element / 2)) * 2 * kernel_channels +
           size(output % kernel_channels * 2 + element % 2)] = weight;
  return true;
}

// Planes' weights become those of a product: d * 2^s, and where the total counts r more.
bool LayerKernel::take_weights(const ArrayMemories& memories) {
  const int steps = layer_.pass_steps(), channels = group_channels();
  const bool totals = config_.reference_bits > 0 && uses_planes(config_, layer_);
  const int shift = config_.reference_bits > 0 ? layer_.reference_shift : 0;
  const std::int64_t most = 1 << (width_bits(layer_.read_code) - 1),
                     half = std::int64_t{1} << (config_.accumulator_bits() - 1);
  std::vector<std::uint32_t> weights, mask;
  std::vector<std::int8_t> swept;
  if (config_.has_sweeps()) {
    for (const std::optional<TileFault>& fault : memories.decoded(config_, layer_).faults)
      if (fault)
        return false;
    swept = memories.swept_weights(config_, layer_);
  }
  // Rows of the window behind the kernel's last one have no weights.
  int used = 1;
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 1) {
      rows_ = used;
      weights_.assign(layer_.depthwise
                          ? size(rows_ * layer_.kernel_columns) * size(outputs_)
                          : size(blocks_ * rows_) * size(layer_.kernel_columns * width_) * kernel_channels,
                      0);
    }
    for (int o = 0; o < outputs_; ++o) {
      const ArrayMemories::Parameter* const parameter = memories.parameter_of(config_, layer_, o);
      const int reference = totals && parameter ? parameter->reference : 0;
      const int tile = o / config_.outputs;
      std::int64_t sum = 0, total = 0;
      for (int k = 0; k < steps; ++k) {
        if (config_.has_sweeps()) {
          const std::ptrdiff_t at = (tile * steps + k) * config_.outputs + o % config_.outputs;
          weights.assign(swept.begin() + at * channels, swept.begin() + (at + 1) * channels);
        } else if (!memories.weights_of(config_, layer_, o, k, weights) ||
                   (totals && !memories.mask_of(config_, layer_, tile, k, mask))) {
          return false;
        }
        const int kg = k % layer_.group_steps, column = k / layer_.group_steps % layer_.kernel_columns,
                  first = k / (layer_.group_steps * layer_.kernel_columns) * config_.rows;
        for (int i = 0; i < static_cast<int>(weights.size()); ++i) {
          const std::int64_t delta = static_cast<std::int32_t>(weights[size(i)]),
                             counts = totals ? mask[size(i)] : 0;
          if (delta == 0 && counts == 0)
            continue;
          sum += std::abs(delta) * most;
          total += counts * most;
          const std::int64_t weight = delta * (1 << shift) + reference * counts;
          if (weight == 0)
            continue;
          if (weight != static_cast<std::int16_t>(weight))
            return false;
          const int lane = i / channels, field = i % channels;
          const int row = layer_.group_mode ? 0 : first + lane;
          const int group = layer_.group_mode  ? kg * config_.rows + lane
                            : layer_.depthwise ? tile / std::max(1, config_.parts(layer_.read_code))
                                               : kg;
          used = std::max(used, row + 1);
          if (pass == 0)
            reach_[size(o)] += std::abs(weight) * most;
          else if (!put_weight(o, row, column, group, field, static_cast<std::int16_t>(weight)))
            return false;
          channels_ = std::max(channels_, group * channels + field + 1);
        }
      }
      if (sum >= half || total >= half)
        return false;
    }
  }
  return true;
}

// Of ascending ones; without those that no sum reaches.
bool LayerKernel::take_thresholds(const ArrayMemories& memories) {
  const int nodes = config_.threshold_nodes();
  Requantization scale;
  scale.rounding = Rounding::thresholds;
  scale.multipliers.clear();
  scale.shifts.clear();
  int steps = 1;
  for (int o = 0; o < outputs_; ++o) {
    std::vector<std::int32_t> row(size(nodes - 1));
    for (int node = 1; node < nodes; ++node)
      row[size(threshold_of_node(config_.threshold_bits, node))] =
          memories.threshold_of(config_, layer_, o, node);
    if (!std::is_sorted(row.begin(), row.end()))
      return false;
    for (int i = 0; i < nodes - 1; ++i)
      if (row[size(i)] <= reach_[size(o)] + bias_[size(o)])
        steps = std::max(steps, i + 1);
    scale.thresholds.insert(scale.thresholds.end(), row.begin(), row.end());
  }
  const auto rows = std::exchange(scale.thresholds, {});
  for (int o = 0; o < outputs_; ++o)
    scale.thresholds.insert(scale.thresholds.end(), rows.begin() + o * (nodes - 1),
                            rows.begin() + o * (nodes - 1) + steps);
  scale.low = layer_.low;
  scale.high = layer_.low + steps;
  if (!keeps_results(scale.low, scale.high) || scale.high > 127)
    return false;
  requantizer_ = std::make_unique<RowRequantizer>(scale, outputs_, Format{}, 0);
  return true;
}

bool LayerKernel::take_parameters(const ArrayMemories& memories) {
  Requantization scale;
  scale.rounding = scaling_rounding(layer_.rule);
  scale.low = layer_.low;
  scale.high = layer_.high;
  scale.multipliers.clear();
  scale.shifts.clear();
  bias_.assign(size(sums_step_), 0);
  for (int o = 0; o < outputs_; ++o) {
    const ArrayMemories::Parameter* const parameter = memories.parameter_of(config_, layer_, o);
    if (!parameter)
      return false;
    const std::int64_t biased = reach_[size(o)] + std::abs(std::int64_t{parameter->bias});
    if (biased >= std::int64_t{1} << (config_.sum_bits - 1) ||
        (!counts() && !can_scale(scale.rounding, biased, parameter->shift)))
      return false;
    bias_[size(o)] = parameter->bias;
    scale.multipliers.push_back(config_.scale_multiply ? parameter->multiplier : 1);
    scale.shifts.push_back(parameter->shift);
  }
  if (counts())
    return take_thresholds(memories);
  requantizer_ = std::make_unique<RowRequantizer>(scale, outputs_, Format{}, layer_.zero);
  return true;
}

bool LayerKernel::take_addition(const ArrayMemories& memories) {
  if (!layer_.add || config_.pages == 0 || counts())
    return true;
  if (layer_.page >= config_.pages)
    return false;
  if (config_.lookup) {
    for (int index = 0; index < 1 << 16; ++index)
      added_.push_back(static_cast<std::int8_t>(
          memories.tables[size(layer_.page << 8 | (index >> 8 & 0xf) << 4 | (index & 0xf))]));
    return true;
  }
  std::int64_t reach = 0;
  for (int side = 0; side < 2; ++side) {
    std::int64_t most = 0;
    for (int index = 0; index < 256; ++index)
      most = std::max<std::int64_t>(
          most, std::abs(std::int64_t{memories.tables[size(side << 12 | layer_.page << 8 | index)]}));
    reach += most;
  }
  Requantization scale;
  scale.rounding = scaling_rounding(layer_.add_rule);
  scale.low = layer_.add_low;
  scale.high = layer_.add_high;
  scale.multipliers = {config_.scale_multiply ? layer_.add_multiplier : 1};
  scale.shifts = {layer_.add_shift};
  if (!can_scale(scale.rounding, reach, layer_.add_shift))
    return false;
  const RowRequantizer addition(scale, 1, Format{}, layer_.add_zero);
  const std::int32_t* tables[2];
  for (int side = 0; side < 2; ++side)
    tables[side] = memories.tables.data() + size(side << 12 | layer_.page << 8);
  std::vector<std::int32_t> sums;
  for (int result = 0; result < 256; ++result)
    for (int skip = 0; skip < 256; ++skip)
      sums.push_back(tables[0][result] + tables[1][skip]);
  added_.resize(sums.size());
  addition.run(sums.data(), nullptr, static_cast<int>(sums.size()), 1, added_.data(), 1);
  return true;
}

void LayerKernel::sum_blocks(const MapRows<const std::int16_t>& map, int columns, std::int32_t* sums) const {
  const ConvolutionKernels& kernels = convolution_kernels().front();
  ConvolutionTile tile;
  tile.pixel_step = std::ptrdiff_t{column_stride_} * width_;
  tile.row_step = map.row_step;
  tile.rows = rows_;
  tile.pairs = layer_.kernel_columns * width_ / 2;
  tile.sums_step = sums_step_;
  const std::ptrdiff_t block = std::ptrdiff_t{rows_} * tile.pairs * 2 * kernel_channels;
  for (int b = 0; b < blocks_; b += 2) {
    const int beside = b + 1 < blocks_ ? 1 : 0;
    tile.weights = weights_.data() + b * block;
    int c = 0;
    for (int kind = 0; kind < 4; ++kind)
      for (; c + ConvolutionKernels::pixels(kind) <= columns; c += ConvolutionKernels::pixels(kind)) {
        tile.x = map.first + c * tile.pixel_step;
        tile.sums = sums + c * tile.sums_step + b * kernel_channels;
        kernels.tile[kind][beside](tile);
      }
  }
}

void LayerKernel::sum_channels(const MapRows<const std::int16_t>& map, std::int32_t* sums) const {
  for (int x = 0; x < columns_; ++x, sums += sums_step_) {
    std::fill_n(sums, sums_step_, 0);
    const std::int16_t* weights = weights_.data();
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < layer_.kernel_columns; ++column, weights += outputs_)
        add_products(sums, map.row(row) + (x * column_stride_ + column) * width_, weights, outputs_);
  }
}

void LayerKernel::find_maxima(const MapRows<const std::int16_t>& map, std::int16_t* results,
                              std::ptrdiff_t column_step) const {
  for (int x = 0; x < columns_; ++x, results += column_step) {
    std::fill_n(results, outputs_, padding());
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < layer_.kernel_columns; ++column)
        most_of(results, map.row(row) + (x * column_stride_ + column) * width_, outputs_);
  }
}

void LayerKernel::add(const std::int16_t* skip, std::int16_t* results) const {
  for (int o = 0; o < outputs_; ++o)
    results[o] =
        added_[size(static_cast<std::uint8_t>(results[o]) << 8 | static_cast<std::uint8_t>(skip[o]))];
}

void LayerKernel::run(const MapRows<const std::int16_t>& map, int row_stride, int count,
                      const MapRows<const std::int16_t>& skip, const MapRows<std::int16_t>& results,
                      std::vector<std::int32_t>& sums) const {
  // Where windows are single columns that lie one behind the other over the rows, some rows are as one.
  constexpr int enough_columns = 64;
  const bool one_by_one = !layer_.depthwise && !layer_.max_pool && rows_ == 1 && row_stride == 1 &&
                          layer_.kernel_columns == 1 && column_stride_ == 1 &&
                          map.row_step == std::ptrdiff_t{columns_} * width_;
  const int together = one_by_one ? std::min(count, ceil_div(enough_columns, columns_)) : 1;
  sums.resize(size(together * columns_) * size(sums_step_));
  for (int first = 0; first < count; first += together) {
    const int rows = std::min(together, count - first);
    const auto windows = map.from(first * row_stride);
    if (layer_.max_pool) {
      find_maxima(windows, results.row(first), results.column_step);
      continue;
    }
    layer_.depthwise ? sum_channels(windows, sums.data()) : sum_blocks(windows, rows * columns_, sums.data());
    for (int row = 0; row < rows; ++row) {
      std::int16_t* const values = results.row(first + row);
      requantizer_->run(sums.data() + size(row * columns_) * size(sums_step_), bias_.data(), columns_,
                        sums_step_, values, results.column_step);
      for (int x = 0; x < columns_ && !added_.empty(); ++x)
        add(skip.row(first + row) + x * skip.column_step, values + x * results.column_step);
    }
  }
}

} // namespace deltatwin
