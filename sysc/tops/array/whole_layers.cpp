#include "tops/array/whole_layers.h"
#include "base/resources.h"
#include <algorithm>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

// What lies in a word: of which image's layer, and what of it.
struct Tag {
  int image, layer, row, column, group;
  bool operator==(const Tag& other) const {
    return image == other.image && layer == other.layer && row == other.row && column == other.column &&
           group == other.group;
  }
};

int words_of_row(const PixelInput& input, int channels) {
  const std::vector<std::int8_t> row(size(input.row_values()));
  int words = 0;
  input.words_of(row.data(), channels, [&](const std::int8_t*) { ++words; });
  return words;
}

} // namespace

// Follows images through the memories, word by word: finds what each layer reads, and whether it is always
// the same. From the second image on all are alike.
class WholeLayers::Check {
public:
  Check(const ArrayConfig& config, const PixelInput& input, std::vector<Layer>& layers,
        std::vector<Step>& steps)
      : config_(config), input_(input), layers_(layers), steps_(steps),
        input_columns_(words_of_row(input, config.channels) / ceil_div(input.channels, config.channels)),
        maps_(size(config.rows) * size(config.map_depth), Tag{nobody, 0, 0, 0, 0}),
        skips_(size(config.skip_depth), Tag{nobody, 0, 0, 0, 0}) {}

  [[nodiscard]] bool passes() {
    constexpr int images = 2;
    for (image_ = 0; image_ < images; ++image_) {
      rows_there_ = rows_gone_ = 0;
      for (Layer& layer : layers_)
        layer.rows = 0;
      for (Step& step : steps_)
        if (!follow(step))
          return false;
    }
    return true;
  }

private:
  bool follow(Step& step) {
    Layer& layer = layers_[size(step.does.layer)];
    const auto index = step.does.layer;
    if (!layer.kernel)
      return false;
    step.row = layer.rows++;
    const int first = step.does.first_row;
    if (image_ == 0 && step.row == 0)
      layer.first_row = first;
    if (image_ == 0 && step.row == 1)
      layer.row_stride = first - layer.first_row;
    if (first != layer.first_row + step.row * layer.row_stride || layer.row_stride < 0)
      return false;
    rows_there_ = std::max(rows_there_, step.does.need);
    const ArrayWalk walk(layer.does, step.does, config_.rows, config_.channels, config_.outputs);
    if (!follow_reads(layer, step, walk) || (layer.does.add && config_.pages && !follow_skip(layer, step)) ||
        layer.source >= index || layer.skip >= index)
      return false;
    rows_gone_ += step.does.frees;
    return follow_writes(layer, step, walk);
  }

  bool follow_reads(Layer& layer, const Step& step, const ArrayWalk& walk) {
    const ArrayLayer& does = layer.does;
    const int columns = (does.columns - 1) * does.column_stride + does.kernel_columns;
    for (int row = 0; row < layer.kernel->rows(); ++row) {
      const int y = step.does.first_row + row;
      if (y < 0 || y >= does.map_rows)
        continue;
      const ArrayWindow window =
          walk.window(0, 0, row / config_.rows * does.kernel_columns * does.group_steps);
      const int first =
          walk.address(window, does.group_mode ? 0 : row % config_.rows) - does.first_column * does.groups;
      for (int column = std::max(0, does.first_column);
           column < std::min(does.map_columns, does.first_column + columns); ++column)
        for (int group = 0; group * config_.channels < layer.kernel->channels(); ++group) {
          const int address = static_cast<std::uint16_t>(first + column * does.groups + group);
          if (!reads(layer, y, column, group, (step.does.bank + row + group) % config_.rows, address))
            return false;
        }
    }
    return true;
  }

  bool reads(Layer& layer, int row, int column, int group, int bank, int address) const {
    if (layer.does.from_input) {
      layer.source = image_input;
      return layer.does.groups == ceil_div(input_.channels, config_.channels) && row < rows_there_ &&
             row >= rows_gone_ && column < input_columns_ && bank == (row + group) % config_.rows &&
             address < config_.input_depth &&
             address == row / config_.rows * input_.pitch + column * layer.does.groups + group;
    }
    if (address >= config_.map_depth)
      return false;
    const Tag& tag = maps_[size(bank) * size(config_.map_depth) + size(address)];
    if (layer.source == nobody && tag.image != nobody)
      layer.source = tag.layer;
    return layer.source != nobody && tag == Tag{image_, layer.source, row, column, group} &&
           layer.kernel->channels() <= layers_[size(layer.source)].kernel->outputs();
  }

  bool follow_skip(Layer& layer, const Step& step) const {
    for (int entry = 0; entry < layer.does.entries; ++entry) {
      const int address = step.does.skip_read + entry;
      if (address >= config_.skip_depth)
        return false;
      const Tag& tag = skips_[size(address)];
      if (layer.skip == nobody && tag.image != nobody)
        layer.skip = tag.layer;
      if (!(tag == Tag{image_, layer.skip, step.row, entry, layer.does.tiles}))
        return false;
    }
    return true;
  }

  bool follow_writes(const Layer& layer, const Step& step, const ArrayWalk& walk) {
    const ArrayLayer& does = layer.does;
    if (does.max_pool && (does.to_skip || does.to_output))
      return false;
    for (int x = 0; x < does.columns; ++x)
      for (int tile = 0; tile < does.tiles; ++tile) {
        const int entry = x * does.tiles + tile;
        if (does.to_map) {
          const int address = walk.result_address(x, tile);
          if (address >= config_.map_depth)
            return false;
          maps_[size(walk.result_bank(tile)) * size(config_.map_depth) + size(address)] =
              Tag{image_, step.does.layer, step.row, x, walk.result_group(tile)};
        }
        if (does.to_skip) {
          if (step.does.skip_write + entry >= config_.skip_depth)
            return false;
          skips_[size(step.does.skip_write + entry)] =
              Tag{image_, step.does.layer, step.row, entry, does.tiles};
        }
      }
    return true;
  }

  const ArrayConfig& config_;
  const PixelInput& input_;
  std::vector<Layer>& layers_;
  std::vector<Step>& steps_;
  int input_columns_;
  std::vector<Tag> maps_, skips_;
  int image_ = 0, rows_there_ = 0, rows_gone_ = 0;
};

std::optional<WholeLayers> WholeLayers::of(const ArrayConfig& config, const ArrayMemories& memories,
                                           const PixelInput& input, std::size_t steps) {
  WholeLayers whole(config, input);
  std::size_t layers = 0;
  for (std::size_t s = 0; s < steps; ++s) {
    whole.steps_.push_back({ArrayStep::unpack(memories.steps[s]), 0});
    layers = std::max(layers, size(whole.steps_.back().does.layer) + 1);
  }
  if (layers > memories.layers.size() || input.channels == 0)
    return std::nullopt;
  for (std::size_t l = 0; l < layers; ++l) {
    whole.layers_.emplace_back();
    whole.layers_[l].does = ArrayLayer::unpack(memories.layers[l]);
    whole.layers_[l].kernel = LayerKernel::of(config, memories, whole.layers_[l].does);
  }
  if (!Check(config, input, whole.layers_, whole.steps_).passes())
    return std::nullopt;
  whole.lay_out();
  return whole;
}

void WholeLayers::lay_out() {
  image_.resize(size(input_.rows) * size(input_.row_values()));
  const int input_columns =
      words_of_row(input_, config_.channels) / ceil_div(input_.channels, config_.channels);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    if (layer.rows == 0)
      continue;
    const ArrayLayer& does = layer.does;
    const bool from_input = layer.source == image_input;
    Layer* const source = from_input ? nullptr : &layers_[size(layer.source)];
    if (source && source->read_by == nobody)
      source->read_by = static_cast<int>(l);
    const int top = std::min(0, layer.first_row), left = std::min(0, does.first_column);
    const int bottom = std::max(layer.first_row + (layer.rows - 1) * layer.row_stride + layer.kernel->rows(),
                                source ? source->rows : input_.rows);
    const int right =
        std::max(does.first_column + (does.columns - 1) * does.column_stride + does.kernel_columns,
                 source ? source->does.columns : input_columns);
    layer.row_step = std::ptrdiff_t{right - left} * layer.kernel->width();
    layer.origin = -top * layer.row_step - std::ptrdiff_t{left} * layer.kernel->width();
    layer.map.assign(size(bottom - top) * static_cast<std::size_t>(layer.row_step), layer.kernel->padding());
  }
  for (Layer& layer : layers_)
    if (layer.rows && layer.read_by == nobody)
      layer.own.resize(size(layer.rows * layer.does.columns) * size(layer.kernel->outputs()));
}

MapRows<std::int16_t> WholeLayers::map_of(Layer& layer) {
  return {layer.map.data() + layer.origin, layer.row_step, layer.kernel->width()};
}

MapRows<std::int16_t> WholeLayers::results_of(Layer& layer) {
  if (layer.read_by != nobody)
    return map_of(layers_[size(layer.read_by)]);
  const std::ptrdiff_t column = layer.kernel->outputs();
  return {layer.own.data(), layer.does.columns * column, column};
}

void WholeLayers::put_row(const std::vector<std::int8_t>& values) {
  if (rows_in_ == input_.rows) {
    make_rows();
    for (Layer& layer : layers_)
      layer.wanted = layer.made = 0;
    rows_in_ = 0;
    next_ = 0;
    had_image_ = true;
  }
  std::copy(values.begin(), values.end(), image_.begin() + std::ptrdiff_t{rows_in_} * input_.row_values());
  for (Layer& layer : layers_) {
    if (layer.source != image_input)
      continue;
    std::int16_t* to = map_of(layer).row(rows_in_);
    input_.words_of(values.data(), config_.channels,
                    [&](const std::int8_t* bytes) { to = std::copy_n(bytes, config_.channels, to); });
  }
  ++rows_in_;
}

void WholeLayers::make() {
  const Step& step = steps_[next_++];
  layers_[size(step.does.layer)].wanted = step.row + 1;
}

void WholeLayers::make_rows() {
  for (std::size_t l = 0; l < layers_.size(); ++l)
    if (layers_[l].made < layers_[l].wanted)
      make_rows(l);
}

void WholeLayers::make_rows(std::size_t l) {
  Layer& layer = layers_[l];
  const int first = layer.made, count = layer.wanted - layer.made;
  const ArrayLayer& does = layer.does;
  const MapRows<std::int16_t> map = map_of(layer), results = results_of(layer);
  const MapRows<std::int16_t> skip =
      layer.skip == nobody ? MapRows<std::int16_t>{} : results_of(layers_[size(layer.skip)]).from(first);
  const std::int16_t* const window =
      map.row(layer.first_row + first * layer.row_stride) + does.first_column * map.column_step;
  layer.kernel->run({window, map.row_step, map.column_step}, layer.row_stride, count,
                    {skip.first, skip.row_step, skip.column_step}, results.from(first), sums_);
  layer.made = layer.wanted;
  const int outputs = layer.kernel->outputs();
  for (std::size_t reader = l + 1; reader < layers_.size(); ++reader) {
    if (layers_[reader].source != static_cast<int>(l) || static_cast<int>(reader) == layer.read_by)
      continue;
    const MapRows<std::int16_t> copy = map_of(layers_[reader]);
    for (int row = first; row < first + count; ++row)
      for (int x = 0; x < does.columns; ++x)
        std::copy_n(results.row(row) + x * results.column_step, outputs,
                    copy.row(row) + x * copy.column_step);
  }
}

void WholeLayers::take_row(const Step& step, std::vector<std::int8_t>& bytes) {
  Layer& layer = layers_[size(step.does.layer)];
  const MapRows<std::int16_t> results = results_of(layer);
  bytes.resize(size(layer.does.columns) * size(layer.kernel->outputs()));
  std::int8_t* to = bytes.data();
  for (int x = 0; x < layer.does.columns; ++x)
    to = std::transform(results.row(step.row) + x * results.column_step,
                        results.row(step.row) + x * results.column_step + layer.kernel->outputs(), to,
                        [](std::int16_t value) { return static_cast<std::int8_t>(value); });
}

void WholeLayers::results(std::vector<std::int8_t>& bytes) {
  make_rows();
  take_row(steps_[next_ - 1], bytes);
}

// Later rows overwrite earlier ones in the steps' order, so that each word is as its latest step left it.
void WholeLayers::write_back(ArrayMemories& memories) {
  make_rows();
  const int rows = had_image_ ? input_.rows : rows_in_;
  for (int y = 0; y < rows; ++y)
    memories.write_input(config_, input_, y, &image_[size(y * input_.row_values())]);
  std::vector<std::int8_t> bytes;
  const auto replay = [&](std::size_t steps) {
    for (std::size_t s = 0; s < steps; ++s) {
      take_row(steps_[s], bytes);
      const ArrayLayer& layer = layers_[size(steps_[s].does.layer)].does;
      memories.write_results({config_, layer, steps_[s].does, bytes, layer.row_tiles()});
    }
  };
  if (had_image_)
    replay(steps_.size());
  replay(next_);
}

} // namespace deltatwin
