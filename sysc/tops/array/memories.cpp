#include "tops/array/memories.h"
#include "base/resources.h"
#include "tops/bank_images.h"
#include <algorithm>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

} // namespace

ArrayMemories::ArrayMemories(const ArrayConfig& config)
    : weights(size(config.weight_depth) * size(config.outputs * config.window())),
      parameters(size(config.param_depth) * size(config.results)), layers(size(config.layers)),
      steps(size(config.steps)), tables(size(2 * 16 * 256)),
      input(size(config.pixels * config.rows) * size(config.input_depth) * size(config.channels)),
      maps(size(config.pixels * config.rows) * size(config.map_depth) * size(config.channels)),
      skips(size(config.skip_depth) * size(config.pixels * config.outputs)),
      rows(config.has_stage()
               ? size(config.pixels * config.rows) * size(config.stage_row_depth) * size(config.channels)
               : 0) {}

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

void ArrayUndo::keep(std::vector<std::int8_t>& memory, std::size_t at, int count, Cycle written) {
  const auto first = memory.begin() + static_cast<std::ptrdiff_t>(at);
  kept_.push_back({&memory, at, written, {first, first + count}});
  if (kept_.size() > most)
    kept_.pop_front();
}

void ArrayUndo::take_back(Cycle last) {
  for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept)
    if (kept->written > last)
      std::copy(kept->bytes.begin(), kept->bytes.end(), kept->memory->data() + kept->at);
  forget();
}

const std::int8_t* ArrayRowOfResults::of(int n, int pixel) const {
  const int column = n / layer.tiles * layer.tile_pixels(config.pixels) + pixel;
  return results.data() + size(column * layer.tiles + n % layer.tiles) *
                              size(layer.max_pool ? config.channels : config.outputs);
}

void ArrayRowOfResults::keep(std::vector<std::int8_t>& memory, std::size_t at, int count, int n) const {
  if (undo)
    undo->keep(memory, at, count, written + static_cast<Cycle>(n) * static_cast<Cycle>(layer.tile_cycles()));
}

void ArrayRowOfResults::write(std::vector<std::int8_t>& map, int depth) const {
  const ArrayWalk walk(layer, step, config.rows, config.channels, config.outputs, config.pixels);
  const int bytes = layer.max_pool ? config.channels : config.outputs;
  for (int n = 0; n < tiles; ++n) {
    const int x = n / layer.tiles, tile = n % layer.tiles, address = walk.result_address(x, tile);
    const int part = layer.max_pool ? 0 : walk.result_part(tile);
    for (int pixel = 0; pixel < walk.tile_pixels() && address < depth; ++pixel) {
      const int bank = walk.result_column_bank(x, pixel) * config.rows + walk.result_bank(tile);
      const std::size_t at =
          (size(bank) * size(depth) + size(address)) * size(config.channels) + size(part * bytes);
      keep(map, at, bytes, n);
      std::copy_n(of(n, pixel), bytes, map.data() + at);
    }
  }
}

// Words of all pixels; those that a tile has not are 0.
void ArrayRowOfResults::write_skips(std::vector<std::int8_t>& skips) const {
  const std::size_t bytes = size(config.outputs), word = size(config.pixels) * bytes;
  for (int n = 0; n < tiles; ++n) {
    const std::size_t at = size(step.skip_write + n) * word;
    if (at >= skips.size())
      return;
    keep(skips, at, static_cast<int>(word), n);
    std::fill_n(skips.data() + at, word, std::int8_t{0});
    for (int pixel = 0; pixel < layer.tile_pixels(config.pixels); ++pixel)
      std::copy_n(of(n, pixel), bytes, skips.data() + at + size(pixel) * bytes);
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
  if (layer.to_skip && !layer.max_pool)
    row.write_skips(array.skips);
}

std::vector<MemoryImage> ArrayMemories::images(const ArrayConfig& config, bool stage) const {
  std::vector<MemoryImage> images;
  const auto is_block = [&](ArrayBuffer of_array, ArrayBuffer of_stage) {
    return (config.lut_ram >> static_cast<int>(stage ? of_stage : of_array) & 1) == 0;
  };
  const std::string inside = stage ? "gen_stage.u_stage." : "";
  const auto of = [&](const std::string& array, int index) {
    return inside + array + "[" + std::to_string(index) + "].";
  };
  std::vector<std::uint64_t> words;

  // The stage holds of each lane and channel the weight of the one output that it belongs to.
  constexpr std::size_t column_bytes = 8;
  const std::size_t window = size(config.window()), outputs = size(config.outputs);
  const auto weight = [&](std::size_t word, std::size_t at) {
    return weights[stage ? (word * outputs + at % outputs) * window + at : word * outputs * window + at];
  };
  for (std::size_t c = 0; c < (stage ? 1 : outputs) * window / column_bytes; ++c) {
    words.assign(size(config.weight_depth), 0);
    for (std::size_t word = 0; word < words.size(); ++word)
      for (std::size_t b = column_bytes; b-- > 0;)
        words[word] = words[word] << 8 | static_cast<std::uint8_t>(weight(word, c * column_bytes + b));
    append_bank(images, of("gen_weights", static_cast<int>(c)) + "u_words", words, 0,
                is_block(ArrayBuffer::weights, ArrayBuffer::stage_weights));
  }

  // Bias, multiplier and shift, 69 bits, of which an image holds 64.
  for (int r = 0; r < config.results; ++r) {
    std::vector<std::uint64_t> low, high;
    for (std::size_t word = 0; word < size(config.param_depth); ++word) {
      const Parameter& is = parameters[word * size(config.results) + size(r)];
      const auto shift = static_cast<std::uint64_t>(is.shift);
      low.push_back(static_cast<std::uint32_t>(is.bias) |
                    std::uint64_t{static_cast<std::uint32_t>(is.multiplier)} << 32 | shift << 63);
      high.push_back(shift >> 1);
    }
    const std::string path = of("u_results.gen_params", r) + "u_words";
    append_bank(images, path, low, 0, is_block(ArrayBuffer::parameters, ArrayBuffer::stage_parameters));
    append_bank(images, path, high, 64, is_block(ArrayBuffer::parameters, ArrayBuffer::stage_parameters));
  }

  const auto append_pieces = [&](const auto& records, std::size_t first, std::size_t last, auto path,
                                 bool block) {
    for (std::size_t piece = first; piece < last; ++piece) {
      words.clear();
      for (const auto& record : records)
        words.push_back(record[piece]);
      append_bank(images, path(static_cast<int>(piece)), words, 0, block);
    }
  };
  append_pieces(
      layers, 0, array_layer_words, [&](int p) { return of("u_scheduler.gen_layer", p) + "u_words"; }, false);
  append_pieces(
      layers, 8, 9, [&](int) { return inside + "u_results.u_scale_words"; }, false);
  if (config.pages > 0)
    append_pieces(
        layers, 9, array_layer_words,
        [&](int p) { return of("u_results.gen_add.gen_words", p - 9) + "u_words"; }, false);
  append_pieces(
      steps, 0, array_step_words, [&](int p) { return of("u_scheduler.gen_step", p) + "u_words"; },
      is_block(ArrayBuffer::steps, ArrayBuffer::stage_steps));

  constexpr std::size_t side_words = 16 * 256;
  for (int r = 0; config.pages > 0 && r < config.results; ++r)
    for (const std::size_t side : {0, 1}) {
      const auto first = tables.begin() + static_cast<std::ptrdiff_t>(side * side_words);
      append_bank(images,
                  of("u_results.gen_result", r) + "gen_add_lane.u_add.gen_tables.u_table_" +
                      (side ? "b" : "a"),
                  std::vector<std::int32_t>(first, first + 256 * config.pages));
    }
  return images;
}

} // namespace deltatwin
