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

// Words side by side in a row of the image.
int columns_of(const PixelInput& input, int channels) {
  const std::vector<std::int8_t> row(size(input.row_values()));
  int words = 0;
  input.words_of(row.data(), channels, [&](const std::int8_t*) { ++words; });
  return words / ceil_div(input.channels, input.word_channels(channels));
}

} // namespace

// Follows images through the memories, word by word: finds what each layer reads, and whether it is always
// the same. From the second image on all are alike.
class WholeLayers::Check {
public:
  explicit Check(WholeLayers& whole)
      : whole_(whole), config_(whole.walks_[0].config), input_(whole.input_),
        input_columns_(columns_of(input_, config_.channels)),
        maps_(config_.pixels * config_.rows, config_.map_depth),
        rows_(config_.pixels * config_.rows, config_.stage_row_depth),
        stage_maps_(config_.pixels * config_.rows, config_.stage_map_depth), skips_(1, config_.skip_depth) {}

  [[nodiscard]] bool passes() {
    constexpr int images = 2;
    for (image_ = 0; image_ < images; ++image_) {
      rows_there_ = rows_gone_ = 0;
      for (Layer& layer : whole_.layers_)
        layer.rows = 0;
      if (!follow_image())
        return false;
    }
    return true;
  }

private:
  // Words of some banks.
  struct Tags {
    Tags(int banks, int words)
        : depth(words), tags(size(banks) * size(words), Tag{nobody, nobody, 0, 0, 0}) {}
    [[nodiscard]] Tag* at(int bank, int address) {
      return address < depth ? &tags[size(bank) * size(depth) + size(address)] : nullptr;
    }
    int depth;
    std::vector<Tag> tags;
  };

  // Each engine's steps as soon as it has those of the other one that it needs.
  bool follow_image() {
    std::vector<Walk>& walks = whole_.walks_;
    std::size_t at[2] = {0, 0};
    for (bool moves = true; moves;) {
      moves = false;
      for (const std::size_t engine : {0, 1})
        while (at[engine] < walks[engine].steps.size() &&
               size(walks[engine].steps[at[engine]].does.other_need) <= at[1 - engine]) {
          if (!follow(walks[engine].steps[at[engine]]))
            return false;
          ++at[engine];
          moves = true;
        }
    }
    return at[0] == walks[0].steps.size() && at[1] == walks[1].steps.size() &&
           size(walks[0].steps.back().does.other_need) == at[1];
  }

  bool follow(Step& step) {
    Layer& layer = whole_.layers_[size(step.layer)];
    if (!layer.kernel)
      return false;
    step.row = layer.rows;
    layer.rows += step.does.rows;
    const int first = step.does.first_row;
    if (image_ == 0 && step.row == 0) {
      layer.first_row = first;
      whole_.order_.push_back(step.layer);
    }
    if (image_ == 0 && step.row == 1)
      layer.row_stride = first - layer.first_row;
    if (config_.has_sweeps())
      layer.row_stride = layer.does.column_stride;
    if (first != layer.first_row + step.row * layer.row_stride || layer.row_stride < 0)
      return false;
    rows_there_ = std::max(rows_there_, step.does.need);
    const ArrayConfig& config = whole_.walks_[layer.engine].config;
    const ArrayWalk walk(layer.does, step.does, config.rows, config.channels, config.outputs, config.pixels);
    if (!follow_reads(layer, step, walk) || (layer.does.add && config.pages && !follow_skip(layer, step)))
      return false;
    rows_gone_ += step.does.frees;
    return follow_writes(layer, step, walk);
  }

  bool follow_reads(Layer& layer, const Step& step, const ArrayWalk& walk) {
    const ArrayLayer& does = layer.does;
    const int pixels = config_.pixels;
    const int columns = (layer.kernel->columns() - 1) * layer.kernel->column_stride() + does.kernel_columns;
    const int rows = layer.kernel->rows();
    for (int i = 0; i < step.does.rows * rows; ++i) {
      const int of_block = i / rows, row = i % rows;
      const int y = step.does.first_row + of_block * layer.row_stride + row;
      if (y < 0 || y >= does.map_rows)
        continue;
      const ArrayWindow window = walk.window(of_block * does.columns, 0,
                                             row / config_.rows * does.kernel_columns * does.group_steps);
      const int first = walk.address(window, does.group_mode ? 0 : row % config_.rows) -
                        (window.column - window.column_bank) / pixels * does.groups;
      for (int column = std::max(0, does.first_column);
           column < std::min(does.map_columns, does.first_column + columns); ++column)
        for (int group = 0; group * config_.word_channels(does.read_code) < layer.kernel->channels();
             ++group) {
          const int address = static_cast<std::uint16_t>(first + column / pixels * does.groups + group);
          const int bank = (step.does.bank + row + group) % config_.rows;
          if (!reads(layer, y, column, group, bank, address))
            return false;
        }
    }
    return layer.source != nobody; // a layer without weights reads nothing
  }

  bool reads(Layer& layer, int row, int column, int group, int bank, int address) {
    if (layer.does.from_input) {
      layer.source = image_input;
      return layer.does.groups == ceil_div(input_.channels, input_.word_channels(config_.channels)) &&
             layer.does.read_code == input_.code && row < rows_there_ && row >= rows_gone_ &&
             column < input_columns_ && bank == (row + group) % config_.rows &&
             address < config_.input_depth &&
             address == input_.address_of_row(row, config_.rows) +
                            column / config_.pixels * layer.does.groups + group;
    }
    const Tag* const tag = (layer.engine == 1       ? stage_maps_
                            : layer.does.from_stage ? rows_
                                                    : maps_)
                               .at(column % config_.pixels * config_.rows + bank, address);
    if (!tag)
      return false;
    if (layer.source == nobody)
      layer.source = tag->layer;
    return layer.source != nobody && *tag == Tag{image_, layer.source, row, column, group} &&
           whole_.layers_[size(layer.source)].does.write_code == layer.does.read_code &&
           layer.kernel->channels() <= whole_.layers_[size(layer.source)].kernel->outputs();
  }

  bool follow_skip(Layer& layer, const Step& step) {
    const int of_row = layer.does.row_tiles();
    for (int entry = 0; entry < step.does.rows * of_row; ++entry) {
      const Tag* const tag = skips_.at(0, step.does.skip_read + entry);
      if (!tag)
        return false;
      if (layer.skip == nobody)
        layer.skip = tag->layer;
      if (layer.skip == nobody ||
          whole_.layers_[size(layer.skip)].kernel->columns() != layer.kernel->columns())
        return false;
      if (!(*tag == Tag{image_, layer.skip, step.row + entry / of_row, entry % of_row, layer.does.tiles}))
        return false;
    }
    return true;
  }

  bool follow_writes(const Layer& layer, const Step& step, const ArrayWalk& walk) {
    const ArrayLayer& does = layer.does;
    if (does.max_pool && (does.to_skip || does.to_output))
      return false;
    for (int x = 0; x < step.does.rows * does.columns; ++x)
      for (int tile = 0; tile < does.tiles; ++tile) {
        const int row = step.row + x / does.columns, column = x % does.columns;
        const int address = walk.result_address(x, tile);
        for (int pixel = 0; pixel < walk.tile_pixels(); ++pixel) {
          const Tag made{image_, step.layer, row, column * walk.tile_pixels() + pixel,
                         walk.result_group(tile)};
          const int bank = walk.result_column_bank(x, pixel) * config_.rows + walk.result_bank(tile);
          if ((does.to_map && !put(layer.engine == 1 ? rows_ : maps_, bank, address, made)) ||
              (does.to_stage && !put(stage_maps_, bank, address, made)))
            return false;
        }
        if (does.to_skip && !put(skips_, 0, step.does.skip_write + x * does.tiles + tile,
                                 Tag{image_, step.layer, row, column * does.tiles + tile, does.tiles}))
          return false;
      }
    return true;
  }
  static bool put(Tags& tags, int bank, int address, const Tag& made) {
    Tag* const tag = tags.at(bank, address);
    if (tag)
      *tag = made;
    return tag != nullptr;
  }

  WholeLayers& whole_;
  const ArrayConfig& config_;
  const PixelInput& input_;
  int input_columns_;
  Tags maps_, rows_, stage_maps_, skips_;
  int image_ = 0, rows_there_ = 0, rows_gone_ = 0;
};

std::optional<WholeLayers> WholeLayers::of(const Engine& array, const Engine& stage,
                                           const PixelInput& input) {
  if (input.channels == 0 || array.steps == 0)
    return std::nullopt;
  WholeLayers whole(input);
  if (const int kept = array.config.input_bits; kept > 0) {
    const int lost = 8 * array.config.channels - kept;
    if (lost % width_bits(input.code))
      return std::nullopt;
    whole.lost_ = lost / width_bits(input.code);
  }
  for (const Engine* engine : {&array, &stage}) {
    const int before = static_cast<int>(whole.layers_.size());
    Walk& walk = whole.walks_.emplace_back();
    walk.config = engine->config;
    std::size_t layers = 0;
    for (std::size_t s = 0; s < engine->steps; ++s) {
      ArrayStep step = ArrayStep::unpack(engine->memories.steps[s]);
      if (!engine->config.has_sweeps())
        step.rows = 1;
      walk.steps.push_back({step, before + step.layer, 0});
      layers = std::max(layers, size(step.layer) + 1);
    }
    for (std::size_t l = 0; l < layers; ++l) {
      Layer& layer = whole.layers_.emplace_back();
      const ArrayLayer does = ArrayLayer::unpack(engine->memories.layers[l]);
      layer.engine = whole.walks_.size() - 1;
      layer.does = layer.engine == 1             ? does.of_stage()
                   : engine->config.has_sweeps() ? does.of_sweeps()
                                                 : does;
      layer.kernel = LayerKernel::of(engine->config, engine->memories, layer.does);
    }
  }
  if (!Check(whole).passes())
    return std::nullopt;
  whole.lay_out();
  return whole;
}

void WholeLayers::lay_out() {
  image_.resize(size(input_.rows) * size(input_.row_values()));
  const int channels = walks_[0].config.channels;
  const int input_columns = columns_of(input_, channels);
  for (const int l : order_) {
    Layer& layer = layers_[size(l)];
    const ArrayLayer& does = layer.does;
    Layer* const source = layer.source == image_input ? nullptr : &layers_[size(layer.source)];
    if (source)
      source->readers.push_back(l);
    const int top = std::min(0, layer.first_row), left = std::min(0, does.first_column);
    const int bottom = std::max(layer.first_row + (layer.rows - 1) * layer.row_stride + layer.kernel->rows(),
                                source ? source->rows : input_.rows);
    const LayerKernel& kernel = *layer.kernel;
    const int right =
        std::max(does.first_column + (kernel.columns() - 1) * kernel.column_stride() + does.kernel_columns,
                 source ? std::min(does.map_columns, source->kernel->columns()) : input_columns);
    layer.row_step = std::ptrdiff_t{right - left} * layer.kernel->width();
    layer.origin = -top * layer.row_step - std::ptrdiff_t{left} * layer.kernel->width();
    layer.map.assign(size(bottom - top) * static_cast<std::size_t>(layer.row_step), layer.kernel->padding());
  }
  // Columns beyond a reader's map are padding there.
  for (const int l : order_) {
    Layer& layer = layers_[size(l)];
    layer.in_reader = !layer.readers.empty() &&
                      layers_[size(layer.readers.front())].does.map_columns >= layer.kernel->columns();
    if (!layer.in_reader)
      layer.own.resize(size(layer.rows * layer.kernel->columns()) * size(layer.kernel->outputs()));
  }
}

MapRows<std::int16_t> WholeLayers::map_of(Layer& layer) {
  return {layer.map.data() + layer.origin, layer.row_step, layer.kernel->width()};
}

MapRows<std::int16_t> WholeLayers::results_of(Layer& layer) {
  if (layer.in_reader)
    return map_of(layers_[size(layer.readers.front())]);
  const std::ptrdiff_t column = layer.kernel->outputs();
  return {layer.own.data(), layer.kernel->columns() * column, column};
}

void WholeLayers::put_row(const std::vector<std::int8_t>& values) {
  if (rows_in_ == input_.rows) {
    make_rows();
    for (Layer& layer : layers_)
      layer.wanted = layer.made = 0;
    for (Walk& walk : walks_)
      walk.next = 0;
    rows_in_ = 0;
    had_image_ = true;
  }
  std::copy(values.begin(), values.end(), image_.begin() + std::ptrdiff_t{rows_in_} * input_.row_values());
  const int channels = walks_[0].config.channels;
  for (const int l : order_) {
    Layer& layer = layers_[size(l)];
    if (layer.source != image_input)
      continue;
    std::int16_t* to = map_of(layer).row(rows_in_);
    input_.fields_by_value(values.data(), channels, [&](const std::int8_t* fields, int) {
      to = std::fill_n(to, lost_, std::int16_t{0});
      to = std::copy(fields + lost_, fields + input_.word_channels(channels), to);
    });
  }
  ++rows_in_;
}

void WholeLayers::make(std::size_t engine) {
  Walk& walk = walks_[engine];
  const Step& step = walk.steps[walk.next++];
  layers_[size(step.layer)].wanted = step.row + step.does.rows;
}

void WholeLayers::make_rows() {
  for (const int l : order_)
    if (Layer& layer = layers_[size(l)]; layer.made < layer.wanted)
      make_rows(layer);
}

void WholeLayers::make_rows(Layer& layer) {
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
  for (std::size_t reader = layer.in_reader ? 1 : 0; reader < layer.readers.size(); ++reader) {
    Layer& to = layers_[size(layer.readers[reader])];
    const MapRows<std::int16_t> copy = map_of(to);
    for (int row = first; row < first + count; ++row)
      for (int x = 0; x < std::min(to.does.map_columns, layer.kernel->columns()); ++x)
        std::copy_n(results.row(row) + x * results.column_step, layer.kernel->outputs(),
                    copy.row(row) + x * copy.column_step);
  }
}

// Values, of maxima words.
void WholeLayers::take_row(const Step& step, std::vector<std::int8_t>& bytes) {
  Layer& layer = layers_[size(step.layer)];
  const MapRows<std::int16_t> results = results_of(layer);
  const int outputs = layer.kernel->outputs(), code = layer.does.max_pool ? layer.does.write_code : 0;
  bytes.resize(size(step.does.rows * layer.kernel->columns() * outputs) >> code);
  std::int8_t* to = bytes.data();
  const int columns = layer.kernel->columns();
  for (int x = 0; x < step.does.rows * columns; ++x) {
    const std::int16_t* const from = results.row(step.row + x / columns) + x % columns * results.column_step;
    if (code == 0) {
      to = std::transform(from, from + outputs, to,
                          [](std::int16_t value) { return static_cast<std::int8_t>(value); });
      continue;
    }
    for (int f = 0; f < outputs; ++f)
      set_field(to, f, code, from[f]);
    to += outputs >> code;
  }
}

void WholeLayers::results(std::vector<std::int8_t>& bytes) {
  make_rows();
  take_row(walks_[0].steps[walks_[0].next - 1], bytes);
}

// Later rows overwrite earlier ones in the steps' order, so that each word is as its latest step left it.
void WholeLayers::write_back(ArrayMemories& array, ArrayMemories& stage) {
  make_rows();
  const ArrayConfig& config = walks_[0].config;
  for (int y = 0; y < (had_image_ ? input_.rows : rows_in_); ++y)
    array.write_input(config, input_, y, &image_[size(y * input_.row_values())]);
  std::vector<std::int8_t> bytes;
  const auto replay = [&](const Walk& walk, std::size_t steps) {
    for (std::size_t s = 0; s < steps; ++s) {
      const Step& step = walk.steps[s];
      const Layer& layer = layers_[size(step.layer)];
      take_row(step, bytes);
      write_results({walk.config, layer.does, step.does, bytes, step.does.rows * layer.does.row_tiles()},
                    layer.engine, array, stage);
    }
  };
  for (const Walk& walk : walks_) {
    if (had_image_)
      replay(walk, walk.steps.size());
    replay(walk, walk.next);
  }
}

} // namespace deltatwin
