#include "tops/array/memories.h"
#include "base/resources.h"
#include "blocks/threshold_search.h"
#include "tops/bank_images.h"
#include <algorithm>

namespace deltatwin {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

} // namespace

ArrayMemories::ArrayMemories(const ArrayConfig& config)
    : weights(config.has_sweeps() ? 0 : size(config.weight_depth) * size(config.weight_bytes())),
      parameters(size(config.param_depth) * size(config.results)), layers(size(config.layers)),
      steps(size(config.steps)), tables(size(2 * 16 * 256)),
      input(size(config.pixels * config.rows) * size(config.input_depth) * size(config.channels)),
      maps(size(config.pixels * config.rows) * size(config.map_depth) * size(config.channels)),
      skips(size(config.skip_depth) * size(config.pixels * config.outputs)),
      rows(config.has_stage()
               ? size(config.pixels * config.rows) * size(config.stage_row_depth) * size(config.channels)
               : 0),
      stream_words(config.has_sweeps() ? size(config.weight_depth) : 0),
      code_lengths(config.has_sweeps() ? size(config.books * config.symbols()) : 0),
      marks(size(config.zero_depth)),
      thresholds(config.has_thresholds()
                     ? size(config.param_depth * ArrayConfig::threshold_places) * size(config.results)
                     : 0) {}

std::vector<int> ArrayMemories::book_lengths(const ArrayConfig& config, int book) const {
  const auto first = code_lengths.begin() + book * config.symbols();
  return {first, first + config.symbols()};
}

DecodedTiles ArrayMemories::decoded(const ArrayConfig& config, const ArrayLayer& layer) const {
  const CodeTable book(book_lengths(config, layer.book));
  return decode_tiles(config.huffman_tiles(), stream_words, book,
                      {static_cast<std::uint32_t>(layer.weight_base), layer.loads});
}

std::vector<Sweep> ArrayMemories::sweeps_of(const ArrayLayer& layer) const {
  std::vector<std::uint8_t> of_layer;
  for (int i = 0; i < layer.tiles * layer.pass_steps() && !marks.empty(); ++i) {
    const std::size_t at = size(layer.marks + i);
    of_layer.push_back(at < marks.size() ? marks[at] : std::uint8_t{0});
  }
  return layer_sweeps(layer, of_layer);
}

std::vector<std::int8_t> ArrayMemories::swept_weights(const ArrayConfig& config,
                                                      const ArrayLayer& layer) const {
  const DecodedTiles tiles = decoded(config, layer);
  const int windows = layer.pass_steps();
  const std::size_t each = size(config.outputs * config.word_channels(config.narrowest()));
  std::vector<std::int8_t> swept(size(layer.tiles * windows) * each);
  for (const Sweep& sweep : sweeps_of(layer)) {
    const std::size_t load = size(sweep.load) * each, at = size(sweep.tile * windows + sweep.k) * each;
    for (std::size_t i = 0; i < each && load + i < tiles.weights.size(); ++i)
      swept[at + i] = static_cast<std::int8_t>(sign_extended(tiles.weights[load + i], config.planes));
  }
  return swept;
}

ArrayMemories::Source ArrayMemories::source_of(const ArrayConfig& config, const ArrayLayer& layer) const {
  if (layer.from_input)
    return {input, size(config.input_depth)};
  if (layer.from_stage && config.has_stage())
    return {rows, size(config.stage_row_depth)};
  return {maps, size(config.map_depth)};
}

bool uses_planes(const ArrayConfig& config, const ArrayLayer& layer) {
  return config.has_planes() && (!config.has_bytes() || layer.planes);
}

const std::int8_t* ArrayMemories::word_of(const ArrayConfig& config, const ArrayLayer& layer, int tile,
                                          int k) const {
  const std::size_t word = size(layer.weight_base + (layer.shared ? 0 : tile * layer.steps()) + k);
  return word < size(config.weight_depth) ? weights.data() + word * size(config.weight_bytes()) : nullptr;
}

namespace {

// A plane, with `each` bits for an activation, adds `value` to those for which it has all of them; false
// where it has some.
bool add_plane(const std::int8_t* plane, int each, std::uint32_t value, std::vector<std::uint32_t>& fields) {
  constexpr int byte_bits = 8;
  const unsigned all = (1u << each) - 1;
  bool whole = true;
  for (int f = 0, count = static_cast<int>(fields.size()); f < count; ++f) {
    const unsigned byte = static_cast<std::uint8_t>(plane[f * each / byte_bits]);
    if (byte == 0) {
      f |= byte_bits / each - 1;
      continue;
    }
    const unsigned of_field = byte >> f * each % byte_bits & all;
    whole = whole && (of_field == 0 || of_field == all);
    if (of_field == all)
      fields[size(f)] += value;
  }
  return whole;
}

// What a plane counts, of pass n and number u.
std::uint32_t plane_value(const ArrayConfig& config, const ArrayLayer& layer, int pass, int plane) {
  const int place = (layer.passes - 1 - pass) * config.planes + plane;
  const std::uint32_t value = place < 32 ? std::uint32_t{1} << place : 0;
  return pass == 0 && plane + 1 == config.planes ? 0 - value : value;
}

// Of a plane, for an activation of a width that the design has.
int plane_bits(const ArrayConfig& config, int code) {
  return width_bits(code) / width_bits(config.narrowest());
}

// Each of them several times.
void repeat(std::vector<std::uint32_t>& values, int times) {
  const std::size_t count = values.size();
  values.resize(count * size(times));
  for (std::size_t i = values.size(); i-- > 0;)
    values[i] = values[i / size(times)];
}

} // namespace

bool ArrayMemories::weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output, int window,
                               std::vector<std::uint32_t>& fields) const {
  const int code = uses_planes(config, layer) ? layer.read_code : 0, bytes = config.window();
  const int tile = output / config.outputs, p = output % config.outputs;
  fields.assign(size(bytes << code), 0);
  bool whole = true;
  for (int pass = 0; pass < layer.passes; ++pass) {
    const std::int8_t* const word = word_of(config, layer, tile, pass * layer.pass_steps() + window);
    if (!word)
      continue;
    if (uses_planes(config, layer)) {
      for (int u = 0; u < config.planes; ++u)
        whole = add_plane(word + (p * config.planes + u) * config.plane_bytes(), plane_bits(config, code),
                          plane_value(config, layer, pass, u), fields) &&
                whole;
      continue;
    }
    for (int i = 0; i < bytes; ++i)
      fields[size(i)] += static_cast<std::uint32_t>(word[p * bytes + i]);
  }
  return whole;
}

bool ArrayMemories::mask_of(const ArrayConfig& config, const ArrayLayer& layer, int tile, int window,
                            std::vector<std::uint32_t>& fields) const {
  fields.assign(size(config.window() << layer.read_code), 0);
  const std::int8_t* const word = word_of(config, layer, tile, window);
  return !word || add_plane(word + config.outputs * config.planes * config.plane_bytes(),
                            plane_bits(config, layer.read_code), 1, fields);
}

void ArrayMemories::bit_weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output, int window,
                                   std::vector<std::uint32_t>& bits) const {
  const int tile = output / config.outputs, p = output % config.outputs;
  bits.assign(size(8 * config.plane_bytes()), 0);
  for (int pass = 0; pass < layer.passes; ++pass)
    if (const std::int8_t* const word = word_of(config, layer, tile, pass * layer.pass_steps() + window))
      for (int u = 0; u < config.planes; ++u)
        (void)add_plane(word + (p * config.planes + u) * config.plane_bytes(), 1,
                        plane_value(config, layer, pass, u), bits);
  repeat(bits, width_bits(config.narrowest()));
}

void ArrayMemories::bit_mask_of(const ArrayConfig& config, const ArrayLayer& layer, int tile, int window,
                                std::vector<std::uint32_t>& bits) const {
  bits.assign(size(8 * config.plane_bytes()), 0);
  if (const std::int8_t* const word = word_of(config, layer, tile, window))
    (void)add_plane(word + config.outputs * config.planes * config.plane_bytes(), 1, 1, bits);
  repeat(bits, width_bits(config.narrowest()));
}

const ArrayMemories::Parameter* ArrayMemories::parameter_of(const ArrayConfig& config,
                                                            const ArrayLayer& layer, int output) const {
  std::size_t at = size(layer.param_base) * size(config.results) + size(output);
  if (config.has_sweeps()) // as an address holds it
    at %= std::size_t{1} << address_bits(config.param_depth * config.results);
  return at < parameters.size() ? &parameters[at] : nullptr;
}

std::int32_t ArrayMemories::threshold_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                                         int node) const {
  const std::size_t word = size(layer.param_base) + size(output / config.results),
                    at = (word * ArrayConfig::threshold_places + size(node)) * size(config.results) +
                         size(output % config.results);
  return at < thresholds.size() ? thresholds[at] : 0;
}

int ArrayMemories::count_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                            std::int32_t sum) const {
  ThresholdSearch search{0, sum};
  for (int level = 0; level < config.threshold_bits; ++level)
    search.step(threshold_of(config, layer, output, search.node));
  return search.count(config.threshold_bits);
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
    undo->keep(memory, at, count,
               sweeps ? sweeps->written(n / layer.tiles, n % layer.tiles)
                      : written + static_cast<Cycle>(n) * static_cast<Cycle>(layer.tile_cycles()));
}

void ArrayRowOfResults::word_of(int n, int pixel, std::int8_t* bytes) const {
  const std::int8_t* const result = of(n, pixel);
  if (layer.max_pool) {
    std::copy_n(result, config.channels, bytes);
    return;
  }
  if (layer.write_code == 0) {
    for (int i = 0; i < config.channels; ++i)
      bytes[i] = result[i % config.outputs];
    return;
  }
  for (int f = 0; f < config.word_channels(layer.write_code); ++f)
    set_field(bytes, f, layer.write_code, result[f % config.outputs]);
}

void ArrayRowOfResults::write(std::vector<std::int8_t>& map, int depth) const {
  const ArrayWalk walk(layer, step, config.rows, config.channels, config.outputs, config.pixels);
  const int fields = config.outputs, bits = width_bits(layer.write_code);
  std::vector<std::int8_t> word(size(config.channels));
  for (int n = 0; n < tiles; ++n) {
    const int x = n / layer.tiles, tile = n % layer.tiles, address = walk.result_address(x, tile);
    const int part = layer.max_pool ? 0 : walk.result_part(tile);
    for (int pixel = 0; pixel < walk.tile_pixels() && address < depth; ++pixel) {
      const int bank = walk.result_column_bank(x, pixel) * config.rows + walk.result_bank(tile);
      const std::size_t at = (size(bank) * size(depth) + size(address)) * size(config.channels);
      const int first = layer.max_pool ? 0 : part * fields * bits,
                count = layer.max_pool ? 8 * config.channels : fields * bits;
      const int bytes = ceil_div(first % 8 + count, 8);
      keep(map, at + size(first / 8), bytes, n);
      if (first % 8 == 0 && count % 8 == 0) {
        if (layer.max_pool || layer.write_code == 0) {
          std::copy_n(of(n, pixel), bytes, map.data() + at + size(first / 8));
          continue;
        }
        word_of(n, pixel, word.data());
        std::copy_n(word.data() + first / 8, bytes, map.data() + at + size(first / 8));
        continue;
      }
      for (int f = 0; f < fields; ++f)
        set_field(map.data() + at, part * fields + f, layer.write_code, of(n, pixel)[f]);
    }
  }
}

// Words of all pixels; those that a tile has not are 0.
void ArrayRowOfResults::write_skips(std::vector<std::int8_t>& skips) const {
  const std::size_t values = size(config.outputs), word = size(config.pixels) * values;
  const int bits = config.skip_bits();
  for (int n = 0; n < tiles; ++n) {
    const std::size_t at = size(step.skip_write + n) * word;
    if (at >= skips.size())
      return;
    keep(skips, at, static_cast<int>(word), n);
    std::fill_n(skips.data() + at, word, std::int8_t{0});
    for (int pixel = 0; pixel < layer.tile_pixels(config.pixels); ++pixel)
      std::transform(of(n, pixel), of(n, pixel) + values, skips.data() + at + size(pixel) * values,
                     [bits](std::int8_t y) { return static_cast<std::int8_t>(sign_extended(y, bits)); });
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
    return weights[stage ? (word * outputs + at % outputs) * window + at
                         : word * size(config.weight_bytes()) + at];
  };
  if (config.has_sweeps()) {
    append_bank(images, "gen_tiles.u_weights.u_tiles.u_words", stream_words);
    images.push_back(
        {"gen_tiles.u_weights.u_tiles.u_code_book.lengths_q", {code_lengths.begin(), code_lengths.end()}});
  }
  if (!marks.empty())
    append_bank(images, "u_scheduler.gen_sweep_walk.u_walk.gen_marks.u_marks", marks, 0,
                is_block(ArrayBuffer::steps, ArrayBuffer::stage_steps));
  const std::size_t bytes = stage ? window : config.has_sweeps() ? 0 : size(config.weight_bytes());
  for (std::size_t c = 0; c < bytes / column_bytes; ++c) {
    words.assign(size(config.weight_depth), 0);
    for (std::size_t word = 0; word < words.size(); ++word)
      for (std::size_t b = column_bytes; b-- > 0;)
        words[word] = words[word] << 8 | static_cast<std::uint8_t>(weight(word, c * column_bytes + b));
    append_bank(images, of("gen_weights", static_cast<int>(c)) + "u_words", words, 0,
                is_block(ArrayBuffer::weights, ArrayBuffer::stage_weights));
  }

  // Bias, multiplier and shift, up to 69 bits and those of a reference, of which an image holds 64; without a
  // multiplier where scalers shift alone.
  const int multiplier_bits = config.scale_multiply ? config.scale_bits : 0;
  const int bias_bits = config.has_sweeps() ? config.sum_bits : 32;
  const int below = bias_bits + multiplier_bits;
  std::vector<std::uint64_t> low, high;
  const auto add = [&](const Parameter& is) {
    const std::uint64_t reference = static_cast<unsigned>(is.reference) & ((1u << config.reference_bits) - 1),
                        upper = static_cast<std::uint64_t>(is.shift) | reference << 6;
    const auto lower_bits = [](std::int32_t value, int bits) {
      return static_cast<std::uint32_t>(value) & ((std::uint64_t{1} << bits) - 1);
    };
    low.push_back(lower_bits(is.bias, bias_bits) | lower_bits(is.multiplier, multiplier_bits) << bias_bits |
                  upper << below);
    high.push_back(upper >> (64 - below));
  };
  const auto append_parameters = [&](const std::string& path) {
    const bool block = is_block(ArrayBuffer::parameters, ArrayBuffer::stage_parameters);
    append_bank(images, path, low, 0, block);
    if (below + 6 + config.reference_bits > 64)
      append_bank(images, path, high, 64, block);
  };
  if (config.has_sweeps()) { // all in one
    for (const Parameter& parameter : parameters)
      add(parameter);
    append_parameters(inside + "u_results.gen_by_tile.u_words");
  }
  for (int r = 0; r < config.results && !config.has_sweeps(); ++r) {
    low.clear();
    high.clear();
    for (std::size_t word = 0; word < size(config.param_depth); ++word)
      add(parameters[word * size(config.results) + size(r)]);
    append_parameters(of("u_results.gen_params", r) + "u_words");
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
      layers, 0,
      config.has_sweeps()   ? array_layer_words
      : config.has_planes() ? array_precision_word + 1
                            : array_precision_word,
      [&](int p) { return of("u_scheduler.gen_layer", p) + "u_words"; }, false);
  append_pieces(
      layers, 8, 9, [&](int) { return inside + "u_results.u_scale_words"; }, false);
  if (config.pages > 0)
    append_pieces(
        layers, config.lookup ? 11 : 9, array_precision_word,
        [&](int p) { return of("u_results.gen_add.gen_words", p - 9) + "u_words"; }, false);
  const bool block_steps = is_block(ArrayBuffer::steps, ArrayBuffer::stage_steps);
  if (config.has_sweeps()) {
    words.clear();
    for (const auto& step : steps)
      words.insert(words.end(), step.begin(), step.end());
    append_bank(images, "u_scheduler.gen_step_fetch.u_fetch.u_words", words, 0, block_steps);
  } else {
    append_pieces(
        steps, 0, array_step_words, [&](int p) { return of("u_scheduler.gen_step", p) + "u_words"; },
        block_steps);
  }

  if (config.has_thresholds() || config.wide_sums) {
    words.clear();
    for (const ArrayLayer::Words& layer : layers)
      words.push_back(layer[array_precision_word] >> 11 & 7);
    append_bank(images, "u_results.gen_thresholds.u_counts", words, 0, false);
  }
  if (config.has_thresholds()) {
    const std::uint64_t mask = (std::uint64_t{1} << config.sum_bits) - 1;
    for (int r = 0; r < config.results; ++r)
      for (int level = 0; level < config.threshold_bits; ++level) {
        words.clear();
        for (int word = 0; word < config.param_depth; ++word)
          for (int node = 1 << level; node < 2 << level; ++node)
            words.push_back(
                static_cast<std::uint32_t>(
                    thresholds[size(word * ArrayConfig::threshold_places + node) * size(config.results) +
                               size(r)]) &
                mask);
        append_bank(images,
                    of("u_results.gen_result", r) + "gen_count.u_search.gen_level[" + std::to_string(level) +
                        "].u_thresholds",
                    words, 0, is_block(ArrayBuffer::parameters, ArrayBuffer::stage_parameters));
      }
  }

  constexpr std::size_t side_words = 16 * 256;
  if (config.lookup) {
    for (int r = 0; config.pages > 0 && r < config.results; ++r) {
      words.clear();
      for (int at = 0; at < 256 * config.pages; ++at)
        words.push_back(static_cast<std::uint32_t>(tables[size(at)]) & ((1u << config.skip_bits()) - 1));
      append_bank(images, of("u_results.gen_result", r) + "gen_add_lane.u_add.gen_lookup", words, 0, false);
    }
    return images;
  }
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
