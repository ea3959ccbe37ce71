#include "tops/array/row_kernel.h"
#include "base/clones.h"
#include "base/resources.h"
#include "blocks/scaler.h"
#include <algorithm>
#include <cstdlib>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

constexpr int largest_byte = 128;
constexpr std::int64_t most_scaled = std::int64_t{1} << 30; ///< below: no rule leaves 64 bits

DELTATWIN_CLONES void widen(const std::int8_t* bytes, int count, std::int16_t* to) {
  for (int i = 0; i < count; ++i)
    to[i] = bytes[i];
}

DELTATWIN_CLONES void narrow(const std::int16_t* values, std::size_t count, std::int8_t* to) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = static_cast<std::int8_t>(values[i]);
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

RowKernel::RowKernel(const ArrayConfig& config, const ArrayLayer& layer)
    : config_(config), layer_(layer), rows_(layer.group_mode ? 1 : layer.row_groups * config.rows),
      width_(layer.groups * config.channels),
      columns_((layer.columns - 1) * layer.column_stride + layer.kernel_columns),
      outputs_(layer.tiles * config.outputs), blocks_(ceil_div(outputs_, kernel_channels)),
      sums_step_(layer.depthwise ? outputs_ : blocks_ * kernel_channels), reach_(size(outputs_)) {}

std::unique_ptr<RowKernel> RowKernel::of(const ArrayConfig& config, const ArrayMemories& memories,
                                         const ArrayLayer& layer) {
  const bool whole = layer.group_mode  ? layer.row_groups == 1
                     : layer.depthwise ? layer.group_steps == 1
                                       : layer.group_steps == layer.groups;
  if (layer.max_pool || !whole || layer.entries != layer.columns * layer.tiles)
    return nullptr;
  std::unique_ptr<RowKernel> kernel(new RowKernel(config, layer));
  if (layer.depthwise && kernel->outputs_ > kernel->width_)
    return nullptr;
  if (!kernel->take_weights(memories) || !kernel->take_parameters(memories) ||
      !kernel->take_addition(memories))
    return nullptr;
  return kernel;
}

// A weight where the kernel wants it; false: it has no place.
bool RowKernel::put_weight(int output, int row, int column, int group, int byte, std::int8_t weight) {
  if (layer_.depthwise) {
    if (group * config_.channels + byte != output)
      return false;
    weights_[size((row * layer_.kernel_columns + column) * outputs_ + output)] = weight;
    return true;
  }
  if (group >= layer_.groups)
    return false;
  const int pairs = layer_.kernel_columns * width_ / 2;
  const int element = column * width_ + group * config_.channels + byte;
  const std::size_t run = size(output / kernel_channels * rows_ + row) * size(pairs);
  weights_[(run + size(element / 2)) * 2 * kernel_channels +
           size(output % kernel_channels * 2 + element % 2)] = weight;
  return true;
}

bool RowKernel::take_weights(const ArrayMemories& memories) {
  const int window = config_.window(), steps = layer_.steps();
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
    for (int o = 0; o < outputs_; ++o)
      for (int k = 0; k < steps; ++k) {
        const std::int8_t* weights = memories.weights_of(config_, layer_, o, k);
        const int kg = k % layer_.group_steps, column = k / layer_.group_steps % layer_.kernel_columns,
                  first = k / (layer_.group_steps * layer_.kernel_columns) * config_.rows;
        for (int i = 0; weights && i < window; ++i) {
          if (weights[i] == 0)
            continue;
          const int lane = i / config_.channels, byte = i % config_.channels;
          const int row = layer_.group_mode ? 0 : first + lane;
          const int group = layer_.group_mode  ? kg * config_.rows + lane
                            : layer_.depthwise ? o / config_.outputs * config_.outputs / config_.channels
                                               : kg;
          used = std::max(used, row + 1);
          if (pass == 0)
            reach_[size(o)] += std::abs(weights[i]) * largest_byte;
          else if (!put_weight(o, row, column, group, byte, weights[i]))
            return false;
        }
      }
  }
  map_.resize(size(rows_ * columns_) * size(width_));
  return true;
}

bool RowKernel::take_parameters(const ArrayMemories& memories) {
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
    const std::int64_t reach = reach_[size(o)], biased = reach + std::abs(std::int64_t{parameter->bias});
    if (reach >= std::int64_t{1} << (array_sum_bits - 1) ||
        biased >= std::int64_t{1} << (config_.sum_bits - 1) ||
        !can_scale(scale.rounding, biased, parameter->shift))
      return false;
    bias_[size(o)] = parameter->bias;
    scale.multipliers.push_back(parameter->multiplier);
    scale.shifts.push_back(parameter->shift);
  }
  requantizer_ = std::make_unique<RowRequantizer>(scale, outputs_, Format{}, layer_.zero);
  return true;
}

bool RowKernel::take_addition(const ArrayMemories& memories) {
  if (!layer_.add || config_.pages == 0)
    return true;
  if (layer_.page >= config_.pages)
    return false;
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
  scale.multipliers = {layer_.add_multiplier};
  scale.shifts = {layer_.add_shift};
  addition_ = std::make_unique<RowRequantizer>(scale, outputs_, Format{}, layer_.add_zero);
  return can_scale(scale.rounding, reach, layer_.add_shift);
}

// The rows of the map that a row of results reads, with their padding.
void RowKernel::read_rows(const ArrayMemories& memories, const ArrayStep& step) {
  const std::size_t depth = size(layer_.from_input ? config_.input_depth : config_.map_depth),
                    word = size(config_.channels);
  const std::vector<std::int8_t>& memory = layer_.from_input ? memories.input : memories.maps;
  const ArrayWalk walk(layer_, step, config_.rows, config_.channels, config_.outputs);
  const int in_row = layer_.kernel_columns * layer_.group_steps;
  const auto padding = static_cast<std::int16_t>(layer_.padding);
  for (int row = 0; row < rows_; ++row) {
    std::int16_t* to = &map_[size(row * columns_) * size(width_)];
    const ArrayWindow window = walk.window(0, 0, row / config_.rows * in_row);
    const int lane = row % config_.rows, y = step.first_row + row;
    // In a ring of slots the address of a column may wrap, as it does in hardware.
    const int first =
        walk.address(window, layer_.group_mode ? 0 : lane) - layer_.first_column * layer_.groups;
    for (int c = 0; c < columns_; ++c) {
      const int column = layer_.first_column + c;
      if (y < 0 || y >= layer_.map_rows || column < 0 || column >= layer_.map_columns) {
        to = std::fill_n(to, width_, padding);
        continue;
      }
      int bank = (step.bank + row) % config_.rows;
      for (int group = 0; group < layer_.groups; ++group, to += config_.channels) {
        const std::size_t address = static_cast<std::uint16_t>(first + column * layer_.groups + group);
        if (address < depth)
          widen(memory.data() + (size(bank) * depth + address) * word, config_.channels, to);
        else
          std::fill_n(to, config_.channels, padding);
        bank = bank + 1 == config_.rows ? 0 : bank + 1;
      }
    }
  }
}

void RowKernel::sum_blocks() {
  const ConvolutionKernels& kernels = convolution_kernels().front();
  ConvolutionTile tile;
  tile.pixel_step = std::ptrdiff_t{layer_.column_stride} * width_;
  tile.row_step = std::ptrdiff_t{columns_} * width_;
  tile.rows = rows_;
  tile.pairs = layer_.kernel_columns * width_ / 2;
  tile.sums_step = sums_step_;
  const std::ptrdiff_t block = std::ptrdiff_t{rows_} * tile.pairs * 2 * kernel_channels;
  for (int b = 0; b < blocks_; b += 2) {
    const int beside = b + 1 < blocks_ ? 1 : 0;
    tile.weights = weights_.data() + b * block;
    int c = 0;
    for (int kind = 0; kind < 4; ++kind)
      for (; c + ConvolutionKernels::pixels(kind) <= layer_.columns; c += ConvolutionKernels::pixels(kind)) {
        tile.x = map_.data() + c * tile.pixel_step;
        tile.sums = sums_.data() + c * tile.sums_step + b * kernel_channels;
        kernels.tile[kind][beside](tile);
      }
  }
}

void RowKernel::sum_channels() {
  std::fill(sums_.begin(), sums_.end(), 0);
  for (int x = 0; x < layer_.columns; ++x) {
    std::int32_t* sums = sums_.data() + x * sums_step_;
    const std::int16_t* weights = weights_.data();
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < layer_.kernel_columns; ++column, weights += outputs_)
        add_products(sums,
                     map_.data() + size(row * columns_ + x * layer_.column_stride + column) * size(width_),
                     weights, outputs_);
  }
}

void RowKernel::row(const ArrayMemories& memories, const ArrayStep& step, std::vector<std::int8_t>& results) {
  const std::size_t count = size(layer_.columns) * size(outputs_);
  read_rows(memories, step);
  sums_.resize(size(layer_.columns) * size(sums_step_));
  values_.resize(count);
  layer_.depthwise ? sum_channels() : sum_blocks();
  requantizer_->run(sums_.data(), bias_.data(), layer_.columns, sums_step_, values_.data(), outputs_);
  const std::size_t skip = size(step.skip_read) * size(config_.outputs);
  if (addition_) {
    const std::int32_t* tables[2];
    for (int side = 0; side < 2; ++side)
      tables[side] = memories.tables.data() + size(side << 12 | layer_.page << 8);
    sums_.resize(count);
    for (std::size_t i = 0; i < count; ++i)
      sums_[i] =
          tables[0][static_cast<std::uint8_t>(values_[i])] +
          tables[1]
                [skip + i < memories.skips.size() ? static_cast<std::uint8_t>(memories.skips[skip + i]) : 0];
    addition_->run(sums_.data(), nullptr, layer_.columns, outputs_, values_.data(), outputs_);
  }
  results.resize(count);
  narrow(values_.data(), count, results.data());
}

} // namespace deltatwin
