// Networks on the array: what the compiler lays out, and the model, against the plain reference of graphs.
#include "base/error.h"
#include "base/pacer.h"
#include "base/resources.h"
#include "blocks/sweep_starts.h"
#include "cosim/twins.h"
#include "net/reference.h"
#include "random_graph.h"
#include "random_work.h"
#include "refused_parameters.h"
#include "tops/array/core.h"
#include "tops/array/program.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include "tops/model_runner.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

using namespace deltatwin;

namespace {

// What the array's format holds.
RandomGraphLimits array_limits(RandomWork& random) {
  RandomGraphLimits limits;
  limits.nodes = random.in(1, 8);
  limits.size = random.in(1, 12);
  limits.channels = random.in(1, 40);
  limits.kernel = random.in(1, 7);
  limits.int8 = true;
  return limits;
}

// Edges of all parameters, then any; memories are those that the network takes.
ArrayConfig config_of(RandomWork& random, int round) {
  ArrayConfig config;
  config.leave_open();
  constexpr int edges[][5] = {{8, 16, 3, 2, 25}, {2, 4, 1, 1, 25},   {4, 4, 7, 4, 25}, {32, 32, 2, 32, 32},
                              {2, 32, 3, 2, 25}, {16, 16, 5, 1, 28}, {4, 8, 4, 1, 25}};
  constexpr int count = sizeof edges / sizeof *edges;
  if (round < count) {
    const int* edge = edges[round];
    config.pixels = 1 << round % 3;
    config.outputs = edge[0];
    config.channels = edge[1];
    config.rows = edge[2];
    config.results = edge[3];
    config.sum_bits = edge[4];
    return config;
  }
  const int size = random.in(2, 5), outputs = random.in(1, size);
  config.channels = 1 << size;
  config.outputs = 1 << outputs;
  config.results = 1 << random.in(0, outputs);
  config.rows = random.in(1, 7);
  config.sum_bits = random.in(25, 32);
  config.pixels = 1 << random.in(0, 2);
  return config;
}

// A design with a stage, and networks that use it.
void add_stage(RandomWork& random, ArrayConfig& config, RandomGraphLimits* limits = nullptr) {
  if (config.window() % 8)
    config.rows = config.rows % 6 + 1;
  config.stage_results = 1 << random.in(0, address_bits(config.channels));
  config.stage_multiplier = random.in(0, 1);
  if (limits) {
    limits->depthwise = true;
    limits->nodes += 3;
  }
}

// Precision by layer: planes, with or without bytes, widths, references, scalers; and networks of few bits.
void add_precision(RandomWork& random, ArrayConfig& config, RandomGraphLimits& limits) {
  config.channels = std::max(config.channels, 8);
  config.planes = 1 << random.in(0, 3);
  config.widths = random.in(0, 2) ? random.in(1, 15) | random.in(0, 3) / 2 : 9;
  config.reference_bits = random.in(0, 1) ? random.in(2, 8) : 0;
  config.multiplier = random.in(0, 2);
  config.scale_multiply = random.in(0, 3) != 0;
  if (!config.has_bytes() && random.in(0, 1))
    config.sum_bits = random.in(16, 26);
  const int least = width_bits(config.narrowest()), word = 8 * config.channels;
  config.outputs = 2;
  while (word / least / config.outputs > 32)
    config.outputs *= 2;
  const int more = random.in(0, 5);
  for (int i = 0; i < more && config.outputs * 2 * least <= word && config.outputs < 32; ++i)
    config.outputs *= 2;
  if (!config.has_bytes() && random.in(0, 3) == 0 && 64 * least <= word)
    config.outputs = 64;
  config.results = std::min(config.outputs, 1 << random.in(0, 5));
  while (!complaint(config).empty() && config.rows > 1 && config.weight_bytes() > 4 << 12)
    --config.rows;
  limits.int8 = false;
  limits.precision = true;
  limits.shifts = !config.scale_multiply;
}

// Counts of thresholds, and networks that have any.
void add_thresholds(RandomWork& random, ArrayConfig& config, RandomGraphLimits& limits) {
  config.threshold_bits = random.in(1, 4);
  limits.thresholds = true;
  config.wide_sums = random.in(0, 1);
}

// Sums leave, where the last node has any.
void let_sums_leave(Graph& graph) {
  auto* const convolution = std::get_if<Convolution>(&graph.nodes.back().op);
  if (!convolution)
    return;
  graph.tensors[graph.output].format = {16, true, 0};
  convolution->requantization = {};
  convolution->requantization.low = -(1 << 15);
  convolution->requantization.high = (1 << 15) - 1;
}

// A convolution's sums are added to, where there is such an addition.
void let_sums_be_added(RandomWork& random, Graph& graph) {
  for (Node& node : graph.nodes) {
    auto* const add = std::get_if<Add>(&node.op);
    for (std::size_t side = 0; add && side < 2; ++side)
      for (Node& maker : graph.nodes) {
        auto* const convolution = std::get_if<Convolution>(&maker.op);
        if (!convolution || maker.output != node.inputs[side] || node.inputs[0] == node.inputs[1])
          continue;
        graph.tensors[maker.output].format = {16, true, random.in(-20, 20)};
        convolution->requantization = {};
        convolution->requantization.low = -(1 << 15);
        convolution->requantization.high = (1 << 15) - 1;
        add->left_shift = 0;
        add->inputs[side] = {};
        add->output.multipliers = {random.in(1, 3)};
        add->output.shifts = {random.in(2, 10)};
        if (add->output.rounding == Rounding::thresholds) {
          add->output = {};
          add->output.low = graph.tensors[node.output].format.low();
          add->output.high = graph.tensors[node.output].format.high();
        }
        return;
      }
  }
}

// Sweeps: designs of one width, and networks of few bits.
ArrayConfig sweeps_config(RandomWork& random, RandomGraphLimits& limits) {
  ArrayConfig config;
  config.leave_open();
  config.sweep = 16 << random.in(0, 2);
  config.rows = 1;
  config.multiplier = ArrayConfig::no_multiplier;
  const int code = random.in(0, 3);
  config.widths = 1 << code;
  config.channels = 8 << random.in(0, 1);
  config.planes = 1 << random.in(0, 3);
  config.decoders = 1 << random.in(0, 2);
  config.symbol_weights = 1 << random.in(0, 3);
  while (config.symbol_weights * config.planes > 8)
    config.symbol_weights /= 2;
  config.books = 1 << random.in(0, 3);
  do
    config.outputs = 2 << random.in(0, 4);
  while (config.outputs * config.word_channels(code) > 2048 ||
         config.outputs * width_bits(code) > 8 * config.channels ||
         8 * config.channels > 32 * config.outputs * width_bits(code));
  config.results = std::min(config.outputs, 1 << random.in(0, 5));
  config.lookup = code > 0 && random.in(0, 1);
  config.sum_bits = random.in(0, 2) ? random.in(20, 32) : 25;
  limits.int8 = false;
  limits.precision = true;
  limits.maxima = false;
  limits.most_bits = width_bits(code);
  limits.weight_bits = random.in(2, 8);
  if (limits.weight_bits > config.planes)
    limits.weight_bits = std::max(1, config.planes);
  limits.channels = random.in(1, config.outputs);
  if (random.in(0, 1))
    limits.channels = random.in(1, 40);
  if (random.in(0, 2))
    limits.stride = 1;
  return config;
}

// Whole tiles of weights that are zero: where they are in the walk of a tile of outputs, by kind.
void put_zero_tiles(RandomWork& random, const ArrayConfig& config, Graph& graph) {
  const int size = config.word_channels(config.narrowest());
  for (Node& node : graph.nodes) {
    auto* const convolution = std::get_if<Convolution>(&node.op);
    if (!convolution || random.in(0, 5) == 0)
      continue;
    const int rows = convolution->window.rows, columns = convolution->window.columns,
              channels =
                  static_cast<int>(convolution->weights.size()) / (convolution->outputs * rows * columns);
    const bool by_row = random.in(0, 3) == 0; // whose columns may lie in one word
    const int groups = by_row ? 1 : ceil_div(channels, size), places = by_row ? rows : rows * columns;
    const int count = places * groups;
    for (int first = 0; first < convolution->outputs; first += config.outputs) {
      const int kind = random.in(0, 7), one = random.in(0, count - 1);
      const auto is_zero = [&](int k) {
        switch (kind) {
        case 0:
          return true; // all
        case 1:
          return k == 0;
        case 2:
          return k + 1 == count;
        case 3:
          return k != one;
        case 4:
          return k >= one;
        case 5:
          return k < one;
        case 6:
          return false;
        default:
          return random.in(0, 2) > 0;
        }
      };
      for (int k = 0; k < count; ++k) {
        if (!is_zero(k))
          continue;
        const int place = k / groups, group = k % groups;
        const int width = by_row ? columns * channels : std::min(size, channels - group * size);
        for (int o = first; o < std::min(first + config.outputs, convolution->outputs); ++o)
          std::fill_n(convolution->weights.begin() +
                          (o * places + place) * (by_row ? columns * channels : channels) + group * size,
                      width, std::int16_t{0});
      }
    }
  }
}

// Why a network was refused, without the node's name.
std::string reason_of(const InputError& error, std::size_t length) {
  const std::string what = error.what();
  const std::size_t colon = what.find(": ");
  return what.substr(colon == std::string::npos ? 0 : colon, length);
}

// A line a node, for reports of failures.
std::string text_of(const Graph& graph) {
  const auto shape = [&](std::size_t t) {
    std::string text = graph.tensors[t].name + "[";
    for (const int size : graph.tensors[t].shape)
      text += std::to_string(size) + " ";
    return text + "] ";
  };
  std::string text = "from " + shape(graph.input) + "\n";
  for (const Node& node : graph.nodes) {
    text += shape(node.output) + "= ";
    if (const auto* convolution = std::get_if<Convolution>(&node.op))
      text += "convolution, groups " + std::to_string(convolution->groups) + ", kernel " +
              std::to_string(convolution->window.rows) + " x " + std::to_string(convolution->window.columns);
    else if (const auto* pool = std::get_if<Pool>(&node.op))
      text += std::string(pool->kind == Pool::Kind::max ? "max" : "average") + (pool->raw ? " raw" : "");
    else
      text += std::holds_alternative<Add>(node.op)       ? "add"
              : std::holds_alternative<Rescale>(node.op) ? "rescale"
                                                         : "reshape";
    text += " of ";
    for (const std::size_t input : node.inputs)
      text += shape(input);
    text += "\n";
  }
  return text + "to " + shape(graph.output);
}

// Of small designs those with precision by layer: outputs, bytes of a word, banks, results, multiplier, bits
// of a sum, planes, widths, bits of references, whether scalers multiply, pixels, results of a stage.
constexpr int precise_edges[][12] = {
    {4, 8, 3, 2, 2, 16, 1, 9, 4, 0, 1, 0},   {8, 8, 2, 8, 0, 25, 2, 15, 0, 1, 2, 0},
    {32, 8, 1, 32, 2, 20, 1, 9, 3, 1, 2, 0}, {8, 8, 1, 4, 1, 25, 4, 3, 2, 1, 1, 2},
    {4, 16, 1, 1, 2, 26, 8, 7, 8, 1, 4, 0},  {64, 8, 1, 8, 2, 14, 1, 8, 5, 0, 1, 0},
    {8, 16, 2, 2, 2, 25, 2, 2, 0, 1, 4, 0},  {4, 8, 2, 4, 0, 28, 1, 9, 4, 0, 2, 8}};

void set_precision(ArrayConfig& config, int round) {
  const int* edge = precise_edges[round];
  config.outputs = edge[0];
  config.channels = edge[1];
  config.rows = edge[2];
  config.results = edge[3];
  config.multiplier = edge[4];
  config.sum_bits = edge[5];
  config.planes = edge[6];
  config.widths = edge[7];
  config.reference_bits = edge[8];
  config.scale_multiply = edge[9];
  config.pixels = edge[10];
  config.stage_results = edge[11];
}

// Of small designs those with sweeps: outputs, bytes of a word, results, bits of a sum, planes, widths, most
// pixels, decoders, weights of a symbol, books, whether additions are looked up, bits of multipliers, of a
// word of the input, buffers in LUT-RAM, outputs with DSPs, marks of zeros.
constexpr int sweep_edges[][16] = {{4, 8, 2, 20, 4, 2, 16, 2, 2, 4, 1, 12, 36, 0, 3, 600},
                                   {2, 8, 2, 25, 8, 1, 32, 1, 1, 1, 0, 31, 0, 0x3f, 0, 1024},
                                   {8, 8, 1, 22, 2, 4, 64, 4, 2, 2, 1, 20, 12, 0, 0, 0},
                                   {16, 8, 16, 32, 1, 8, 16, 2, 8, 1, 0, 31, 0, 0, 0, 100},
                                   {4, 16, 4, 18, 4, 2, 64, 4, 1, 2, 0, 17, 68, 0x20, 0, 300}};

void set_sweeps(ArrayConfig& config, int round) {
  const int* edge = sweep_edges[static_cast<std::size_t>(round) % (sizeof sweep_edges / sizeof *sweep_edges)];
  config.rows = config.pixels = 1;
  config.multiplier = ArrayConfig::no_multiplier;
  config.outputs = edge[0];
  config.channels = edge[1];
  config.results = edge[2];
  config.sum_bits = edge[3];
  config.planes = edge[4];
  config.widths = edge[5];
  config.sweep = edge[6];
  config.decoders = edge[7];
  config.symbol_weights = edge[8];
  config.books = edge[9];
  config.lookup = edge[10];
  config.scale_bits = edge[11];
  config.input_bits = edge[12];
  config.lut_ram = edge[13];
  config.dsp_outputs = edge[14];
  config.zero_depth = edge[15];
}

// Designs whose RTL is built: small ones, and networks of few weights, whose loads take the most cycles. The
// second eight have precision by layer, the third ones sweeps; the fourth ones are some of these that count
// thresholds.
constexpr int twins_edges[][5] = {{4, 8, 3, 2, 25}, {2, 4, 1, 1, 32}, {8, 8, 2, 8, 26}, {4, 16, 7, 1, 25}};

ArrayConfig twins_config(int round) {
  if (round >= 24) {
    constexpr int of[] = {1, 11, 18}, bits[] = {3, 2, 4};
    const auto design = static_cast<std::size_t>(round) % (sizeof of / sizeof *of);
    ArrayConfig config = twins_config(of[design]);
    config.threshold_bits = bits[design];
    config.wide_sums = design != 1;
    return config;
  }
  const int* edge = twins_edges[static_cast<std::size_t>(round) % (sizeof twins_edges / sizeof *twins_edges)];
  ArrayConfig config;
  config.outputs = edge[0];
  config.channels = edge[1];
  config.rows = edge[2];
  config.results = edge[3];
  config.sum_bits = edge[4];
  config.multiplier = round % 2;
  constexpr int pixels[] = {2, 4, 1, 1, 1, 4, 2, 2};
  config.pixels = pixels[round % 8];
  if (round >= 16)
    set_sweeps(config, round - 16);
  else if (round >= 8)
    set_precision(config, round % 8);
  else if (round % 8 >= 4) // with a stage, which takes an even number of columns of weights
    config.stage_results = std::min(1 << round % 4, config.channels);
  if (config.stage_results) {
    config.rows += config.window() % 8 != 0;
    config.stage_multiplier = config.multiplier & 1;
    config.stage_map_depth = config.stage_row_depth = 300;
    config.stage_weight_depth = 200;
    config.stage_param_depth = 100;
    config.stage_steps = 64;
    config.lut_ram = round % 8 == 6 ? 0x7ff : round % 8 == 5 ? 0x4c6 : 0;
  }
  config.map_depth = 400;
  config.input_depth = config.has_sweeps() && round % 2 ? 16 : 300;
  config.weight_depth = 500;
  config.param_depth = 200;
  config.skip_depth = 300;
  config.output_depth = 64;
  config.layers = 16;
  config.steps = config.has_sweeps() ? 65 : 64;
  config.pages = 2;
  return config;
}

RandomGraphLimits twins_limits(RandomWork& random, const ArrayConfig& config = {}) {
  RandomGraphLimits limits;
  limits.nodes = random.in(1, 6);
  limits.size = random.in(1, 8);
  limits.channels = random.in(1, 14);
  limits.kernel = random.in(1, 4);
  limits.int8 = !config.has_planes();
  limits.precision = config.has_planes();
  limits.shifts = !config.scale_multiply;
  limits.thresholds = config.has_thresholds();
  if (config.has_sweeps()) {
    limits.maxima = false;
    limits.most_bits = width_bits(config.narrowest());
    limits.weight_bits = std::max(1, std::min(8, config.planes));
    if (random.in(0, 1))
      limits.channels = random.in(1, config.outputs);
    if (random.in(0, 2))
      limits.stride = 1;
  }
  return limits;
}

struct Images {
  std::vector<std::uint8_t> bytes, tlast;
};

Images images_of(const ArrayProgram& program, const std::vector<int>& values) {
  Images images;
  for (std::size_t i = 0; i < values.size(); ++i) {
    images.bytes.push_back(static_cast<std::uint8_t>(program.input_format.held(values[i])));
    images.tlast.push_back((i + 1) % program.input_values == 0);
  }
  return images;
}

std::vector<std::uint8_t> expected(const Graph& graph, const ArrayProgram& program,
                                   const std::vector<int>& values) {
  std::vector<std::uint8_t> bytes;
  const auto size = static_cast<std::ptrdiff_t>(program.input_values);
  for (auto image = values.begin(); image != values.end(); image += size) {
    const std::vector<std::vector<int>> tensors = reference_tensors(graph, {image, image + size});
    for (const int y : tensors[graph.output])
      for (int byte = 0; byte < program.output_bytes; ++byte)
        bytes.push_back(static_cast<std::uint8_t>(program.output_byte(y, byte)));
  }
  return bytes;
}

// What a table is made to say, and of which engine's step.
struct Broken {
  std::string what; ///< empty: it is as it was
  bool in_stage = false, in_window = false;
  std::size_t step = 0; ///< the first one that says so
  int moved = 0;        ///< by how much a layer's field is more
};

// A table that cannot be, of the kinds that are refused.
Broken break_tables(RandomWork& random, const ArrayConfig& config, ArrayProgram& program) {
  constexpr int most = (1 << 16) - 1;
  Broken broken;
  broken.in_stage = !program.stage.steps.empty() && random.in(0, 1);
  ArrayTables& tables = broken.in_stage ? program.stage : program;
  const ArrayTables& others = broken.in_stage ? static_cast<const ArrayTables&>(program) : program.stage;
  broken.step = static_cast<std::size_t>(random.in(0, static_cast<int>(tables.steps.size()) - 1));
  ArrayStep& step = tables.steps[broken.step];
  ArrayLayer& layer = tables.layers[static_cast<std::size_t>(step.layer)];
  const ArrayConfig engine = broken.in_stage ? config.stage() : config;
  const int number = step.layer, weights = (layer.shared ? 1 : layer.tiles) * layer.steps();
  const auto of_layer = [&](const char* what, int& field, int low, int high) {
    if (low > high)
      return;
    broken.moved = -field;
    field = random.in(low, high);
    broken.moved += field;
    broken.what = what;
    broken.step = 0;
    while (tables.steps[broken.step].layer != number)
      ++broken.step;
  };
  const auto of_step = [&](const char* what, int& field, int low, int high) {
    field = random.in(low, high);
    broken.what = what;
  };
  const auto of_code = [&](const char* what, int& field, bool is_written) {
    for (int code = 0; code < width_codes && config.has_planes(); ++code)
      if (!config.has_width(code) || (is_written && !config.writes_width(code)))
        of_layer(what, field, code, code);
  };
  const bool sweeps = config.has_sweeps();
  switch (random.in(0, sweeps ? 21 : 12)) {
  case 21:
    if (config.has_marks())
      of_layer("marks", layer.marks, config.zero_depth, random.in(0, 1) ? most : config.zero_depth);
    break;
  case 13:
    of_layer("maxima", layer.max_pool, 1, 1);
    break;
  case 14:
    of_layer("loads", layer.loads, 0, 0);
    break;
  case 15:
    of_layer("book", layer.book, config.books, 15);
    break;
  case 16:
    of_layer("no pixels", layer.block_pixels, 0, 0);
    break;
  case 17:
    of_layer("pixels", layer.block_pixels, config.sweep + 1, random.in(0, 1) ? most : config.sweep + 1);
    break;
  case 18:
    if (layer.block_rows < 256)
      of_step("rows", step.rows, layer.block_rows + 1, 256);
    break;
  case 19: { // no complete code: nothing begins
    std::vector<int>& book = program.books[static_cast<std::size_t>(random.in(0, config.books - 1))];
    std::fill(book.begin(), book.end(), random.in(0, 1));
    broken.what = "book without codes";
    broken.step = 0;
    break;
  }
  case 20: { // whose only code is a 0
    std::vector<int>& book = program.books[static_cast<std::size_t>(layer.book)];
    std::fill(book.begin(), book.end(), 0);
    book[static_cast<std::size_t>(random.in(0, static_cast<int>(book.size()) - 1))] = 1;
    broken.what = "bad codes";
    broken.step = 0;
    break;
  }
  case 11:
    if (!broken.in_stage && config.planes > 0) // without planes codes are not held
      of_code("read code", layer.read_code, false);
    break;
  case 12:
    if (!broken.in_stage && config.planes > 0)
      of_code("write code", layer.write_code, layer.to_map || layer.to_stage);
    break;
  case 0:
    of_step("layer", step.layer, config.layers, 63);
    break;
  case 1:
    of_step("bank", step.bank, config.rows, 7);
    break;
  case 2:
    of_step("result bank", step.result_bank, config.rows, 7);
    break;
  case 3:
    of_step("need", step.need, broken.in_stage ? 1 : program.input.rows + 1, most);
    break;
  case 4:
    of_step("other need", step.other_need, static_cast<int>(others.steps.size()) + 1, most);
    break;
  case 5:
    if (layer.to_output && !broken.in_stage)
      of_layer("entries beyond the queue", layer.entries, config.output_depth + 1, most);
    break;
  case 6:
    if (layer.to_output && !broken.in_stage)
      of_layer("entries", layer.entries, 0, layer.entries - 1);
    break;
  case 7:
    if (!layer.max_pool && !sweeps)
      of_layer("pause", layer.pause, 0,
               (broken.in_stage ? config.stage_beats() : config.drain_beats()) - layer.steps() - 1);
    break;
  case 8:
    if (!layer.max_pool)
      of_layer("weights", layer.weight_base, engine.weight_depth - (sweeps ? 0 : weights - 1),
               random.in(0, 1) ? most : engine.weight_depth);
    break;
  case 9:
    if (!layer.max_pool && !sweeps)
      of_layer("parameters", layer.param_base, engine.param_depth - layer.tiles * engine.beats() + 1,
               random.in(0, 1) ? most : engine.param_depth);
    break;
  default:
    if (layer.add && config.pages > 0 && !layer.max_pool && !sweeps)
      of_step("skips", step.skip_read, config.skip_depth - layer.row_tiles() + 1,
              random.in(0, 1) ? most : config.skip_depth);
  }
  broken.in_window = broken.what == "weights" || broken.what == "parameters" || broken.what == "skips";
  return broken;
}

// A run of the model with its beats.
struct Recorded {
  explicit Recorded(const ArrayConfig& config)
      : trace(ArrayCore::interfaces(config).size()), core(config), names(ArrayCore::interfaces(config)) {
    core.record(&trace);
  }
  void run(const ArrayConfig& config, const ArrayProgram& program, const Images& images) {
    Session session;
    load_array_program(session, config, program);
    session.write(array_reg::control, array_start);
    for (const HostAction& action : session.actions)
      REQUIRE(core.write(action.address, action.data, 0xf, ++start));
    Cycle from = start + 1;
    (void)core.offer(0, {images.bytes.data(), images.bytes.size(), images.tlast.data()}, from, nullptr);
  }
  [[nodiscard]] const std::vector<Beat>& beats(const std::string& name) const {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const Interface& interface) { return interface.name == name; });
    return trace.beats[static_cast<std::size_t>(found - names.begin())];
  }

  BeatTrace trace;
  ArrayCore core;
  std::vector<Interface> names;
  Cycle start = 0;
};

// Addresses of a step's maps, or of the skip words that it writes, where no word is: reads of 0, no write.
std::string lose_words(RandomWork& random, ArrayProgram& program) {
  constexpr int beyond = 1000, most = 50000;
  const bool in_stage = !program.stage.steps.empty() && random.in(0, 1);
  ArrayTables& tables = in_stage ? program.stage : program;
  ArrayStep& step =
      tables.steps[static_cast<std::size_t>(random.in(0, static_cast<int>(tables.steps.size()) - 1))];
  const bool to_skip = tables.layers[static_cast<std::size_t>(step.layer)].to_skip;
  const int kind = random.in(0, to_skip && !in_stage ? 2 : 1);
  (kind == 0 ? step.slot : kind == 1 ? step.result_slot : step.skip_write) = random.in(beyond, most);
  return "words";
}

} // namespace

namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<int> ints(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

// The model, whole images and row by row, against the reference and the timing.
void check_images(RandomWork& random, const Graph& graph, const ArrayConfig& config,
                  const ArrayProgram& program, bool by_rows) {
  const int count = random.in(1, 3);
  const std::vector<int> values = random_inputs(random, graph, count);
  const Images images = images_of(program, values);
  const Bytes right = expected(graph, program, values);
  Session session;
  load_array_program(session, config, program);
  session.write(array_reg::control, array_start);
  HostAction& stream = session.add(HostAction::stream);
  stream.values = images.bytes;
  stream.tlast = images.tlast;
  session.add(HostAction::wait_stop);
  for (const std::uint32_t address : {array_reg::status, array_reg::images, array_reg::cycles})
    session.read(address);
  ModelRunner model{ArrayTop(config)};
  REQUIRE(ints(model.run(session)) == ints(right));
  CHECK(model.record().reads[0] == 0);
  CHECK(model.record().reads[1] == static_cast<std::uint32_t>(count));
  CHECK(model.record().reads[2] == array_run(config, program, count).cycles());
  if (!by_rows)
    return;
  Recorded recorded(config);
  recorded.run(config, program, images);
  Bytes rows;
  for (const Beat& beat : recorded.beats("values out"))
    rows.push_back(static_cast<std::uint8_t>(beat.payload));
  REQUIRE(ints(rows) == ints(right));
}

} // namespace

TEST_CASE("array: random networks compute what the reference does, whatever the design and the order") {
  RandomWork random(base_seed());
  std::map<std::string, int> refusals;
  int ran = 0, with_stage = 0;
  for (int round = 0; round < repeats(150); ++round) {
    CAPTURE(round);
    RandomGraphLimits limits = array_limits(random);
    ArrayConfig config = config_of(random, round % 30);
    if (random.in(0, 1))
      add_stage(random, config, &limits);
    const Graph graph = random_graph(random, limits);
    CAPTURE(config.outputs, config.channels, config.rows, config.pixels, config.stage_results);
    ArrayProgram program;
    const ArrayOrder order = random.in(0, 2) ? ArrayOrder::depth_first : ArrayOrder::by_layers;
    try {
      program = compile_to_fit(graph, config, order);
    } catch (const InputError& error) {
      ++refusals[error.what()];
      continue;
    }
    ++ran;
    with_stage += !program.stage.steps.empty();
    CAPTURE(text_of(graph));
    check_images(random, graph, config, program, round % 8 == 0);
  }
  for (const auto& [what, times] : refusals)
    UNSCOPED_INFO(times << ": " << what);
  INFO(ran << " ran");
  CHECK(ran > repeats(150) / 2);
  CHECK(with_stage > repeats(150) / 10);
}

TEST_CASE("array: an image that dense layers alone read comes in as one pixel, and fills their windows") {
  RandomWork random(base_seed() + 5);
  constexpr int rows = 5, columns = 7, outputs = 12;
  for (const int channels : {1, 3}) {
    CAPTURE(channels);
    Graph graph;
    graph.name = "dense";
    graph.tensors = {{"image", {rows, columns, channels}, {8, true, 0}, 0},
                     {"sums", {1, 1, outputs}, {8, true, 0}, 0}};
    Convolution dense;
    dense.window.rows = rows;
    dense.window.columns = columns;
    dense.outputs = outputs;
    for (int i = 0; i < outputs * rows * columns * channels; ++i)
      dense.weights.push_back(static_cast<std::int16_t>(random.in(-128, 127)));
    dense.bias.assign(outputs, random.in(-1000, 1000));
    dense.requantization.shifts = {12};
    graph.nodes = {{"dense", {0}, 1, dense}};
    graph.output = 1;
    validate(graph, graph.name);
    ArrayConfig config;
    config.leave_open();
    config.outputs = 4;
    config.channels = 8;
    const ArrayProgram program = compile_to_fit(graph, config);
    CHECK(program.layers[0].steps() == ceil_div(rows * columns * channels, config.channels * config.rows));
    check_images(random, graph, config, program, true);
  }
}

TEST_CASE("array: a scale, or thresholds, for each channel of a reshaped map are refused") {
  for (const bool thresholds : {false, true}) {
    Rescale by_channel;
    Requantization& by = by_channel.requantization;
    by.low = 0;
    by.high = 1;
    if (thresholds) {
      by.rounding = Rounding::thresholds;
      by.thresholds = {1, 2, 3, 4};
    } else {
      by.multipliers = {1, 2, 3, 4};
      by.shifts = {2, 2, 2, 2};
    }
    Graph graph;
    graph.name = "reshaped";
    const Format format{8, true, 0};
    graph.tensors = {{"image", {2, 2, 1}, format, 0},
                     {"copied", {2, 2, 1}, format, 0},
                     {"flat", {1, 1, 4}, format, 0},
                     {"scaled", {1, 1, 4}, format, 0}};
    graph.nodes = {
        {"copy", {0}, 1, Rescale{}}, {"flatten", {1}, 2, Reshape{}}, {"scale", {2}, 3, by_channel}};
    graph.output = 3;
    validate(graph, graph.name);
    ArrayConfig config;
    config.leave_open();
    config.threshold_bits = 1;
    CHECK_THROWS_WITH(compile_to_fit(graph, config), Catch::Contains("before it is reshaped"));
  }
}

namespace {

// Into fewer words of maps, or of the input, than it takes, if it can be.
bool compile_tighter(RandomWork& random, const Graph& graph, ArrayConfig& config, ArrayProgram& program) {
  ArrayConfig less = config;
  auto& words = random.in(0, 1) ? less.map_depth : less.input_depth;
  words = std::max(2, words * random.in(40, 99) / 100);
  less.steps = 1024;
  try {
    program = compile(graph, less);
  } catch (const InputError&) {
    return false;
  }
  config = less;
  return true;
}

} // namespace

namespace {

// With or without marks of zeros, and tiles of them.
void add_marks(RandomWork& random, ArrayConfig& config, Graph& graph) {
  if (random.in(0, 2) == 0)
    return;
  config.zero_depth = ArrayConfig::open_depth;
  put_zero_tiles(random, config, graph);
}

// Of a layer's tiles that are left out, those in places of their own.
void count_zeros(const std::vector<Sweep>& sweeps, const ArrayLayer& layer,
                 std::map<std::string, int>& kinds) {
  constexpr int many = 8;
  for (const Sweep& sweep : sweeps) {
    kinds["zeros first"] += sweep.first && sweep.k > 0;
    kinds["zeros last"] += sweep.last && sweep.k + 1 < layer.steps();
    kinds["many zeros"] += sweep.zeros >= many;
    kinds["zeros over tiles"] += sweep.first && sweep.zeros > sweep.k && sweep.k > 0;
    kinds["zeros of depthwise"] += layer.depthwise && sweep.zeros > 0;
    kinds["zeros of several groups"] += layer.group_steps > 1 && layer.block_pixels > 1 && sweep.zeros > 0;
    kinds["more zeros than a sweep has cycles"] +=
        sweep.zeros > SweepTiming::sweep_cycles(layer.block_pixels);
  }
  if (!sweeps.empty())
    kinds["more zeros at the end"] +=
        layer.steps() - sweeps.back().k > SweepTiming::sweep_cycles(layer.block_pixels);
}

} // namespace

TEST_CASE("array: networks compute by sweeps what the reference does") {
  RandomWork random(base_seed() + 9);
  std::map<std::string, int> refusals, kinds;
  int ran = 0;
  for (int round = 0; round < repeats(600); ++round) {
    CAPTURE(round, base_seed());
    RandomGraphLimits limits = array_limits(random);
    ArrayConfig config = sweeps_config(random, limits);
    Graph graph = random_graph(random, limits);
    add_marks(random, config, graph);
    CAPTURE(config.outputs, config.channels, config.results, config.widths, config.planes, config.sweep);
    CAPTURE(config.decoders, config.symbol_weights, config.books, config.lookup, config.sum_bits);
    ArrayProgram program;
    try {
      program =
          compile_to_fit(graph, config, random.in(0, 2) ? ArrayOrder::depth_first : ArrayOrder::by_layers);
    } catch (const InputError& error) {
      ++refusals[reason_of(error, 70)];
      continue;
    }
    ++ran;
    if (random.in(0, 1))
      kinds["fewer words"] += compile_tighter(random, graph, config, program);
    kinds["ring of the input"] += program.input.held < program.input.rows;
    kinds["skips"] += program.skip_words > 0;
    kinds["looked up"] += !program.lookups.empty();
    kinds["bits of the input"] += config.input_bits > 0;
    for (const ArrayLayer& layer : program.layers) {
      kinds["blocks of rows"] += layer.block_rows > 1;
      kinds["still"] += layer.still;
      kinds["depthwise"] += layer.depthwise;
      kinds["books"] += layer.book > 0;
      count_zeros(program.sweeps_of(layer), layer, kinds);
    }
    for (const ArrayStep& step : program.steps) {
      const ArrayLayer& layer = program.layers[static_cast<std::size_t>(step.layer)];
      kinds["smaller blocks"] += step.rows < layer.block_rows;
    }
    CAPTURE(text_of(graph));
    check_images(random, graph, config, program, round % 2 == 0);
  }
  for (const auto& [what, times] : refusals)
    UNSCOPED_INFO(times << ": " << what);
  INFO(ran << " ran");
  CHECK(ran > repeats(600) / 3);
  for (const char* kind : {"skips", "looked up", "bits of the input", "ring of the input", "fewer words",
                           "blocks of rows", "still", "depthwise", "books", "smaller blocks", "zeros first",
                           "zeros last", "many zeros", "zeros over tiles", "zeros of depthwise"}) {
    INFO(kind << " " << kinds[kind]);
    CHECK(kinds[kind] > 0);
  }
}

namespace {

// A memory's words as they are used step by step: what is read was written before, and is not yet
// overwritten.
class UsedWords {
public:
  void write(int address, Cycle cycle) {
    Word& word = words_[address];
    CHECK(cycle > word.read);
    word.written = cycle;
  }
  // Words that nobody writes are outside of the map.
  void read(int address, Cycle cycle) {
    Word& word = words_[address];
    CHECK(cycle >= word.written);
    word.read = std::max(word.read, cycle);
  }

private:
  struct Word {
    Cycle written = 0, read = 0;
  };
  std::map<int, Word> words_;
};

// Sweeps of a step as the contract has them, cycle by cycle: a mark a cycle is looked at.
class PlainSweeps {
public:
  explicit PlainSweeps(const SweepTiming& timing) : timing_(timing), tiles_(timing.tiles) { tiles_.reset(0); }
  void stream(Cycle begin, int loads) { tiles_.begin(begin, loads); }
  std::vector<Cycle> run(const ArrayProgram& program, const ArrayLayer& layer, int pixels, Cycle cycle) {
    std::vector<Cycle> begins;
    Cycle free = cycle;
    bool begun = false; // of the tile of outputs
    for (int at = 0; at < layer.tiles * layer.steps(); ++cycle) {
      const int k = at % layer.steps();
      const int mark = program.marks.empty() ? (k + 1 == layer.steps() ? 2 : 0)
                                             : program.marks[static_cast<std::size_t>(layer.marks + at)];
      const bool zero = mark % 2 != 0, last = mark >= 2, takes = !begun || !layer.still;
      const bool begins_now =
          !zero && cycle >= free && (!takes || cycle >= tiles_.full()) && (!last || cycle >= drained_);
      if (!zero && !begins_now)
        continue;
      if (begins_now) {
        begins.push_back(cycle);
        if (takes)
          tiles_.copy(cycle + 3);
        free = cycle + static_cast<Cycle>(std::max(pixels, 4));
        begun = true;
        if (last)
          drained_ = std::max(drained_, cycle + static_cast<Cycle>(timing_.drained)) +
                     static_cast<Cycle>(pixels * timing_.beats);
        if (last && at / layer.steps() + 1 == layer.tiles)
          break;
      }
      begun = begun && k + 1 < layer.steps();
      ++at;
    }
    return begins;
  }

private:
  SweepTiming timing_;
  TileTimes tiles_;
  Cycle drained_ = 0;
};

// Two images, steps of which begin later than they could.
void check_sweeps(RandomWork& random, const ArrayConfig& config, const ArrayProgram& program) {
  SweepStarts starts(config.sweep_timing());
  starts.start(0);
  PlainSweeps plain(config.sweep_timing());
  UsedWords maps, skips;
  const int often = random.in(0, 3);
  for (std::size_t s = 0; s < 2 * program.steps.size(); ++s) {
    const ArrayStep& step = program.steps[s % program.steps.size()];
    const ArrayLayer& layer = program.layers[static_cast<std::size_t>(step.layer)];
    const auto later = static_cast<Cycle>(often && random.in(1, often) == 1 ? random.in(0, 300) : 0);
    const Cycle stream = starts.stream(layer).begin;
    REQUIRE(stream != never);
    plain.stream(stream, layer.loads);
    const std::vector<Sweep> sweeps = program.sweeps_of(layer);
    const int pixels = layer.columns * step.rows;
    const Cycle begin = starts.next(step, starts.refused() + later, 0);
    REQUIRE(starts.begin(sweeps, pixels, begin));
    REQUIRE(starts.sweeps() == plain.run(program, layer, pixels, begin));
    const ArrayWalk walk(layer, step, config.rows, config.channels, config.outputs, config.pixels);
    for (std::size_t sweep = 0; sweep < sweeps.size() && !layer.from_input; ++sweep)
      for (int pixel = 0; pixel < pixels; ++pixel) {
        const ArrayWindow window = walk.window(pixel, sweeps[sweep].tile, sweeps[sweep].k);
        if (!walk.outside(window, 0))
          maps.read(walk.address(window, 0), starts.sweeps()[sweep] + static_cast<Cycle>(pixel));
      }
    for (int tile = 0; tile < layer.tiles; ++tile)
      for (int pixel = 0; pixel < pixels; ++pixel) {
        const Cycle tag =
            starts.tags()[static_cast<std::size_t>(tile)] + static_cast<Cycle>(pixel * config.beats());
        const Cycle written = tag + static_cast<Cycle>(config.write_latency());
        if (layer.add)
          skips.read(step.skip_read + pixel * layer.tiles + tile, tag);
        if (layer.to_skip)
          skips.write(step.skip_write + pixel * layer.tiles + tile, written);
        if (layer.to_map)
          maps.write(walk.result_address(pixel, tile), written);
      }
  }
}

} // namespace

TEST_CASE("array: whatever holds sweeps up, they read what was written before, and nothing later") {
  RandomWork random(base_seed() + 10);
  for (int round = 0; round < repeats(100); ++round) {
    CAPTURE(round, base_seed());
    RandomGraphLimits limits = array_limits(random);
    limits.nodes += 4;
    ArrayConfig config = sweeps_config(random, limits);
    Graph graph = random_graph(random, limits);
    add_marks(random, config, graph);
    ArrayProgram program;
    try {
      program = compile_to_fit(graph, config);
    } catch (const InputError&) {
      continue;
    }
    CAPTURE(config.outputs, config.channels, config.results, config.sweep, config.decoders);
    CAPTURE(text_of(graph));
    check_sweeps(random, config, program);
    if (compile_tighter(random, graph, config, program))
      check_sweeps(random, config, program);
  }
}

namespace {

// A map of 8 x 8 pixels of 32 channels, 3 x 3 to 24 outputs: with tiles of 8 x 16 3 tiles of outputs of 18 of
// weights each, of which `zeros` says which are zero.
template <class IsZero> Graph tiled_graph(RandomWork& random, IsZero is_zero) {
  constexpr int size = 8, channels = 32, outputs = 24, places = 9;
  const Format format{4, true, 0};
  Graph graph;
  graph.name = "tiled";
  graph.tensors = {
      {"x", {size, size, channels}, format}, {"y", {size, size, outputs}, format}, {"z", {1, 1, 1}, format}};
  Convolution tiled;
  tiled.window = {3, 3, 1, 1, 1, 1, 1, 1};
  tiled.outputs = outputs;
  for (int o = 0; o < outputs; ++o)
    for (int place = 0; place < places; ++place)
      for (int channel = 0; channel < channels; ++channel)
        tiled.weights.push_back(static_cast<std::int16_t>(
            is_zero(o / 8, place * 2 + channel / 16) ? 0 : 2 * random.in(-4, 3) + 1));
  tiled.bias.assign(outputs, 0);
  tiled.requantization.multipliers = {1};
  tiled.requantization.shifts = {6};
  tiled.requantization.low = format.low();
  tiled.requantization.high = format.high();
  Convolution sum; // to one result
  sum.window = {size, size, 1, 1, 0, 0, 0, 0};
  sum.outputs = 1;
  sum.weights.assign(static_cast<std::size_t>(size * size * outputs), 1);
  sum.bias = {0};
  sum.requantization = tiled.requantization;
  graph.nodes = {{"tiled", {0}, 1, tiled}, {"sum", {1}, 2, sum}};
  graph.input = 0;
  graph.output = 2;
  return graph;
}

} // namespace

TEST_CASE("array: a tile of weights of zeros takes no cycle, one of a tile of outputs at least is swept") {
  RandomWork random(base_seed() + 12);
  ArrayConfig config;
  config.leave_open();
  config.outputs = config.channels = 8;
  config.rows = 1;
  config.results = config.planes = 4;
  config.multiplier = ArrayConfig::no_multiplier;
  config.widths = 0b0010;
  config.sweep = 64;
  constexpr int tiles = 3, steps = 18, pixels = 64;
  const auto cycles_of = [&](const Graph& graph, bool marks, ArrayProgram& program) {
    ArrayConfig design = config;
    design.zero_depth = marks ? ArrayConfig::open_depth : 0;
    program = compile_to_fit(graph, design);
    if (marks) {
      CHECK(design.zero_depth == static_cast<int>(program.marks.size()));
      check_images(random, graph, design, program, true);
    }
    return array_run(design, program, 1).cycles();
  };
  for (int round = 0; round < repeats(20); ++round) {
    // The first tile is none, and enough are swept for the drain of the one before.
    bool zero[tiles][steps] = {};
    int left_out = 0, loads = 0;
    for (auto& of_tile : zero)
      for (int k = 3; k + 3 < steps; ++k)
        left_out += of_tile[k] = random.in(0, round % 5) == 0;
    loads = tiles * steps - left_out;
    const Graph graph = tiled_graph(random, [&](int tile, int k) { return zero[tile][k]; });
    ArrayProgram dense, sparse;
    const Cycle before = cycles_of(graph, false, dense), now = cycles_of(graph, true, sparse);
    CHECK(before - now == static_cast<Cycle>(left_out * pixels));
    CHECK(sparse.layers[0].loads == loads);
    CHECK(std::count(sparse.marks.begin(), sparse.marks.begin() + tiles * steps, mark_zero) == left_out);
  }
  const Graph nothing = tiled_graph(random, [](int tile, int) { return tile == 1; });
  ArrayProgram program;
  (void)cycles_of(nothing, true, program);
  CHECK(program.layers[0].loads == 2 * steps + 1);
  CHECK(program.marks[steps] == mark_last);
  const Graph all = tiled_graph(random, [](int, int) { return true; });
  (void)cycles_of(all, true, program);
  CHECK(program.layers[0].loads == tiles);
}

TEST_CASE("array: marks of zeros take sweeps, and as many words as there are tiles of weights") {
  const auto text_of_error = [](auto act) {
    try {
      act();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  ArrayConfig config;
  config.zero_depth = 100;
  CHECK(complaint(config) == "tiles of zeros are left out by sweeps alone: marks of them take sweeps");
  set_sweeps(config, 0);
  for (const int words : {1, 65536, -2}) {
    config.zero_depth = words;
    CHECK(complaint(config) ==
          "memory of marks of tiles of zeros is " + std::to_string(words) + ", possible are 2..65535");
  }
  for (const int words : {0, 2, 65535}) {
    config.zero_depth = words;
    CHECK(complaint(config).empty());
  }
  RandomWork random(base_seed() + 13);
  const Graph graph = tiled_graph(random, [](int, int k) { return k > 4; });
  config.leave_open();
  config.input_bits = 0;
  config.sweep = 64;
  config.zero_depth = 2;
  const std::string what = text_of_error([&] { (void)compile_to_fit(graph, config); });
  CHECK(what == "the network takes 236 marks of tiles of weights, there are 2");
}

TEST_CASE("array: networks that count thresholds compute what the reference does") {
  RandomWork random(base_seed() + 11);
  std::map<std::string, int> refusals, kinds;
  int ran = 0;
  for (int round = 0; round < repeats(250); ++round) {
    CAPTURE(round, base_seed());
    RandomGraphLimits limits = array_limits(random);
    ArrayConfig config = round % 3 == 0 ? sweeps_config(random, limits) : config_of(random, round % 30);
    if (round % 3 == 1)
      add_precision(random, config, limits);
    if (!config.has_sweeps() && config.writes_width(0) && random.in(0, 1))
      add_stage(random, config, &limits);
    add_thresholds(random, config, limits);
    Graph graph = random_graph(random, limits);
    if (config.wide_sums)
      random.in(0, 1) ? let_sums_leave(graph) : let_sums_be_added(random, graph);
    CAPTURE(config.outputs, config.channels, config.rows, config.results, config.pixels,
            config.threshold_bits);
    CAPTURE(config.multiplier, config.planes, config.widths, config.sweep, config.sum_bits);
    ArrayProgram program;
    try {
      program = compile_to_fit(graph, config);
    } catch (const InputError& error) {
      ++refusals[reason_of(error, 40)];
      continue;
    }
    ++ran;
    const int most = config.threshold_nodes() - 1;
    for (const ArrayLayer& layer : program.layers) {
      kinds["counts"] += layer.counts;
      kinds["bytes of sums"] += layer.sum_bytes;
      kinds["sums that are added to"] += layer.direct;
      kinds["counts of sweeps"] += layer.counts && config.has_sweeps();
      kinds["depthwise counts"] += layer.counts && layer.depthwise;
      kinds["counts of planes"] += layer.counts && config.has_planes();
      kinds["counts of fewer bits"] += layer.counts && layer.write_code > 0;
      kinds["counts beside scales"] += !layer.counts;
      kinds["whole trees"] += layer.counts && layer.high - layer.low == most;
      kinds["trees with room"] += layer.counts && layer.high - layer.low < most;
    }
    CAPTURE(text_of(graph));
    check_images(random, graph, config, program, round % 2 == 0);
  }
  for (const auto& [what, times] : refusals)
    UNSCOPED_INFO(times << ": " << what);
  for (const auto& [what, times] : kinds)
    UNSCOPED_INFO(times << " with " << what);
  INFO(ran << " ran");
  CHECK(ran > repeats(250) / 4);
  for (const char* kind : {"counts", "counts of sweeps", "depthwise counts", "counts of planes",
                           "counts of fewer bits", "counts beside scales", "bytes of sums",
                           "sums that are added to", "whole trees", "trees with room"}) {
    CAPTURE(kind);
    CHECK(kinds[kind] > 0);
  }
}

TEST_CASE("array: networks of tensors of 1 to 8 bits compute what the reference does, by planes or bytes") {
  RandomWork random(base_seed() + 7);
  std::map<std::string, int> refusals, kinds;
  int ran = 0;
  for (int round = 0; round < repeats(250); ++round) {
    CAPTURE(round, base_seed());
    RandomGraphLimits limits = array_limits(random);
    ArrayConfig config = config_of(random, round % 30);
    add_precision(random, config, limits);
    if (config.writes_width(0) && random.in(0, 1))
      add_stage(random, config, &limits);
    const Graph graph = random_graph(random, limits);
    CAPTURE(config.outputs, config.channels, config.rows, config.pixels, config.stage_results);
    CAPTURE(config.multiplier, config.planes, config.widths, config.reference_bits, config.scale_multiply);
    ArrayProgram program;
    try {
      program =
          compile_to_fit(graph, config, random.in(0, 2) ? ArrayOrder::depth_first : ArrayOrder::by_layers);
    } catch (const InputError& error) {
      ++refusals[reason_of(error, 24)];
      continue;
    }
    ++ran;
    kinds["stage"] += !program.stage.steps.empty();
    kinds["skips"] += program.skip_words > 0;
    kinds["input of fewer bits"] += program.input.code > 0;
    for (const ArrayLayer& layer : program.layers) {
      kinds["planes beside bytes"] += config.has_bytes() && layer.planes;
      kinds["bytes beside planes"] += config.has_bytes() && !layer.planes && !layer.max_pool;
      kinds["several passes"] += layer.passes > 1;
      kinds["references"] += layer.reference_shift > 0;
      kinds["maxima of fewer bits"] += layer.max_pool && layer.read_code > 0;
      kinds["depthwise of fewer bits"] += layer.depthwise && layer.read_code > 0;
      kinds["part of fewer bits"] += layer.to_map && config.parts(layer.write_code) > 1 && layer.write_code;
      kinds["64 outputs"] += layer.last_outputs == 0;
    }
    CAPTURE(text_of(graph));
    check_images(random, graph, config, program, round % 3 == 0);
  }
  for (const auto& [what, times] : refusals)
    UNSCOPED_INFO(times << ": " << what);
  for (const auto& [what, times] : kinds)
    UNSCOPED_INFO(times << " with " << what);
  INFO(ran << " ran");
  CHECK(ran > repeats(250) / 2);
  for (const char* kind : {"stage", "skips", "input of fewer bits", "planes beside bytes",
                           "bytes beside planes", "several passes", "references", "maxima of fewer bits",
                           "depthwise of fewer bits", "part of fewer bits", "64 outputs"}) {
    CAPTURE(kind);
    CHECK(kinds[kind] > 0);
  }
}

namespace {

constexpr int bytes = 0, planes = 8, sweeps = 16, counts = 24; // the first design

// A few channels, of which a convolution makes more than a word has, of these the next one several tiles, and
// of all of them the last one a result: each with tiles of weights that are many to an output tile.
Graph grouped_graph(RandomWork& random, const ArrayConfig& config) {
  const int kernel = random.in(0, 2) ? 3 : 1;
  const int size = random.in(1, config.sweep == 16 && random.in(0, 1) ? 10 : 5); // more than one block
  const int word = config.word_channels(config.narrowest());
  const int channels[] = {random.in(1, 4), random.in(word + 1, 3 * word), random.in(1, 3 * config.outputs),
                          1};
  const Format format{width_bits(config.narrowest()), true, 0};
  Graph graph;
  graph.name = "grouped";
  graph.output = std::size(channels) - 1;
  graph.tensors = {{"input", {size, size, channels[0]}, format}};
  for (std::size_t n = 0; n < graph.output; ++n) {
    const bool last = n + 1 == graph.output;
    const int taps = last ? size : n ? kernel : 1, pad = last ? 0 : taps / 2, rest = last ? 1 : size;
    Convolution convolution;
    convolution.window = {taps, taps, 1, 1, pad, pad, pad, pad};
    convolution.outputs = channels[n + 1];
    for (int weight = taps * taps * channels[n] * channels[n + 1]; weight > 0; --weight)
      convolution.weights.push_back(static_cast<std::int16_t>(2 * random.in(-4, 3) + 1));
    convolution.bias.assign(static_cast<std::size_t>(channels[n + 1]), 0);
    convolution.requantization.multipliers = {1};
    convolution.requantization.shifts = {4};
    convolution.requantization.low = format.low();
    convolution.requantization.high = format.high();
    graph.tensors.push_back({"t" + std::to_string(n), {rest, rest, channels[n + 1]}, format});
    graph.nodes.push_back({"n" + std::to_string(n), {n}, n + 1, convolution});
  }
  return graph;
}

// Of designs from number `first` on.
void check_sessions(int first) {
  RandomWork random(base_seed() + 2 + static_cast<std::uint64_t>(first));
  int with_stage = 0;
  std::map<std::string, int> kinds;
  for (int round = 0, ran = 0; ran < repeats(first == sweeps ? 24 : 8); ++round) {
    CAPTURE(round, base_seed());
    const ArrayConfig config = twins_config(first + ran % 8);
    RandomGraphLimits limits = twins_limits(random, config);
    if (config.has_stage()) {
      limits.depthwise = true;
      limits.nodes += 3;
    }
    const bool grouped = config.has_marks() && width_bits(config.narrowest()) >= 4 && random.in(0, 2);
    Graph graph = grouped ? grouped_graph(random, config) : random_graph(random, limits);
    if (config.wide_sums)
      random.in(0, 1) ? let_sums_leave(graph) : let_sums_be_added(random, graph);
    if (config.has_marks() && random.in(0, 7))
      put_zero_tiles(random, config, graph);
    ArrayProgram program;
    try {
      program = compile(graph, config, random.in(0, 3) ? ArrayOrder::depth_first : ArrayOrder::by_layers);
    } catch (const InputError&) {
      continue;
    }
    if (config.has_marks() && random.in(0, 3) &&
        std::count(program.marks.begin(), program.marks.end(), mark_zero) == 0)
      continue;
    if (config.has_stage() && program.stage.steps.empty() && random.in(0, first ? 99 : 7))
      continue;
    const auto is_direct = [](const ArrayLayer& layer) { return layer.direct != 0; };
    if (config.has_thresholds() && program.thresholds.empty() &&
        std::none_of(program.layers.begin(), program.layers.end(), is_direct))
      continue;
    ++ran;
    with_stage += !program.stage.steps.empty();
    for (const ArrayLayer& layer : program.layers)
      if (config.has_marks())
        count_zeros(program.sweeps_of(layer), layer, kinds);
    // Not all bits of an activation need have the same weight bit; what is never read keeps none.
    if (first == planes && random.in(0, 2) == 0)
      for (std::int8_t& weight : program.weights)
        weight = static_cast<std::int8_t>(weight & random.in(0, 255));
    CAPTURE(text_of(graph));
    Twins twins(ArrayTop(config), round % 3 ? 0.01 * random.in(1, 60) : 0,
                base_seed() + static_cast<unsigned>(round));
    for (int session = 0; session < 3; ++session) {
      Images images = images_of(program, random_inputs(random, graph, random.in(1, 4)));
      const CosimResult result = twins.run([&](Session& work) {
        work.write(array_reg::control, array_reset);
        load_array_program(work, config, program);
        work.write(array_reg::control, array_start);
        if (random.in(0, 3) == 0) // a wrong TLAST
          images.tlast[static_cast<std::size_t>(random.in(0, static_cast<int>(images.tlast.size()) - 1))] ^=
              1;
        HostAction& stream = work.add(HostAction::stream);
        stream.values = images.bytes;
        stream.tlast = images.tlast;
        if (config.has_sweeps() && random.in(0, 3)) // books are built first
          work.add(HostAction::wait).cycles = config.sweep_timing().books();
        for (int access = random.in(0, 40); access > 0; --access) {
          work.add(HostAction::wait).cycles =
              static_cast<Cycle>(random.in(0, 3) ? random.in(0, 20) : random.in(0, 400));
          const auto address = static_cast<std::uint32_t>(random.in(0, 2)   ? 4 * random.in(0, 24)
                                                          : random.in(0, 1) ? 4 * random.in(0, 1023)
                                                                            : random.in(0, 4095));
          if (random.in(0, 3)) {
            work.read(address).posted = random.in(0, 1);
          } else { // refused while an image is inside; what is idle takes no harm from these
            const bool resets = random.in(0, 7) == 0;
            const bool tables = address >= array_reg::input && address <= array_reg::load_data;
            HostAction& write = work.write(resets || tables ? array_reg::control : address,
                                           static_cast<std::uint32_t>(resets ? 2 : random.in(0, 1)));
            write.posted = random.in(0, 1);
            write.strobe = random.in(0, 4) ? 0xf : static_cast<unsigned>(random.in(0, 15));
          }
          if (random.in(0, 60) == 0)
            work.add(HostAction::hard_reset).cycles = static_cast<Cycle>(random.in(1, 5));
        }
        work.add(HostAction::wait).cycles = grouped ? 12000 : config.has_sweeps() ? 3000 : 300;
        work.read(array_reg::status);
        work.write(array_reg::control, array_reset); // nothing takes what is left
        work.add(HostAction::flush);
      });
      if (result.divergence)
        FAIL(result.divergence->report());
    }
  }
  if (first < sweeps)
    CHECK(with_stage >= (first ? 1 : repeats(2)));
  for (const auto& [what, times] : kinds)
    UNSCOPED_INFO(times << " with " << what);
  for (const char* kind :
       {"zeros first", "zeros last", "zeros of several groups", "more zeros than a sweep has cycles"})
    if (first == sweeps)
      CHECK(kinds[kind] > 0);
}

// The same.
void check_refusals(int first) {
  RandomWork random(base_seed() + 5 + static_cast<std::uint64_t>(first));
  std::map<std::string, int> kinds;
  for (int round = 0, ran = 0; ran < repeats(8); ++round) {
    CAPTURE(round, base_seed());
    const ArrayConfig config = twins_config(first + ran % 8);
    RandomGraphLimits limits = twins_limits(random, config);
    limits.depthwise = config.has_stage();
    limits.nodes += 3;
    Graph graph = random_graph(random, limits);
    if (config.has_marks())
      put_zero_tiles(random, config, graph);
    ArrayProgram program;
    try {
      program = compile(graph, config);
    } catch (const InputError&) {
      continue;
    }
    if (config.has_stage() && program.stage.steps.empty() && random.in(0, first ? 99 : 7))
      continue;
    ++ran;
    CAPTURE(text_of(graph));
    Twins twins(ArrayTop(config), round % 3 ? 0.01 * random.in(1, 60) : 0,
                base_seed() + static_cast<unsigned>(round));
    for (int session = 0; session < 12; ++session) {
      ArrayProgram broken = program;
      std::string what;
      if (random.in(0, 4) == 0) {
        what = lose_words(random, broken);
      } else {
        const Broken tables = break_tables(random, config, broken);
        what = tables.what + (tables.in_stage ? " of the stage" : "");
        if (tables.what.empty())
          continue;
      }
      CAPTURE(session, what);
      const Images images = images_of(program, random_inputs(random, graph, random.in(1, 2)));
      const CosimResult result = twins.run([&](Session& work) {
        work.write(array_reg::control, array_reset);
        load_array_program(work, config, broken);
        work.write(array_reg::control, array_start);
        HostAction& stream = work.add(HostAction::stream);
        stream.values = images.bytes;
        stream.tlast = images.tlast;
        for (int access = random.in(0, 20); access > 0; --access) {
          work.add(HostAction::wait).cycles = static_cast<Cycle>(random.in(0, 40));
          work.read(array_reg::status + 4 * static_cast<std::uint32_t>(random.in(0, 1))).posted = true;
        }
        work.add(HostAction::wait).cycles = config.has_sweeps() ? 3000 : 300;
        work.read(array_reg::status);
        work.read(array_reg::cycles);
        work.write(array_reg::control, array_reset);
        work.add(HostAction::flush);
      });
      if (result.divergence)
        FAIL(result.divergence->report());
      kinds[what] +=
          result.record.reads[result.record.reads.size() - 2] == (what == "bad codes" ? 0x403u : 0x203u);
    }
  }
  for (const auto& [what, times] : kinds)
    UNSCOPED_INFO(times << ": " << what);
  CHECK(kinds.size() >= 12);
}

} // namespace

TEST_CASE("array: stalls, errors, resets in mid-image, accesses at any time") { check_sessions(bytes); }

TEST_CASE("array of planes: stalls, errors, resets in mid-image, accesses at any time") {
  check_sessions(planes);
}

TEST_CASE("array of sweeps: stalls, errors, resets in mid-image, accesses at any time") {
  check_sessions(sweeps);
}

TEST_CASE("array that counts thresholds: stalls, errors, resets in mid-image, accesses at any time") {
  check_sessions(counts);
}

TEST_CASE("array: steps that cannot be are refused, and windows of words that are not there, in one cycle") {
  check_refusals(bytes);
}

TEST_CASE("array of planes: steps that cannot be are refused in one cycle") { check_refusals(planes); }

TEST_CASE("array of sweeps: steps that cannot be are refused, and codes and books that are none found, in "
          "one cycle") {
  check_refusals(sweeps);
}

TEST_CASE("array: registers refuse what they should, and the tables go piece by piece") {
  const int kind = GENERATE(0, 1, 2, 3);
  ArrayConfig config;
  if (kind == 1)
    set_precision(config, 0);
  if (kind == 2)
    config.threshold_bits = 3, config.wide_sums = 1;
  if (kind == 3) {
    set_sweeps(config, 0);
    config.zero_depth = 6;
  }
  config.map_depth = config.input_depth = config.weight_depth = 8;
  Twins twins(ArrayTop(config), 0.2, base_seed());
  RandomWork random(base_seed() + 3);
  const CosimResult result = twins.run([&](Session& work) {
    work.write(array_reg::steps, 0);
    work.write(array_reg::control, array_start); // no step
    work.read(array_reg::status);
    work.write(array_reg::steps, 1); // in error
    work.write(array_reg::control, array_reset | array_start);
    work.read(array_reg::status);
    work.write(array_reg::steps, static_cast<std::uint32_t>(config.steps) + 1);
    work.write(array_reg::control, array_start); // too many
    work.read(array_reg::status);
    work.write(array_reg::control, array_reset);
    for (std::uint32_t space = 0; space < 16; ++space) {
      // Where a weight, or a result's parameters, begins: what is held of pieces before has no reset.
      work.write(array_reg::load_address, space << 28 | static_cast<std::uint32_t>(random.in(0, 7)) << 12 |
                                              6 * static_cast<std::uint32_t>(random.in(0, 2)));
      for (int piece = random.in(1, 40); piece > 0; --piece) {
        work.write(array_reg::load_data, static_cast<std::uint32_t>(random.word(32)));
        work.read(array_reg::load_address);
      }
    }
    for (std::uint32_t address = 0; address < 0x68; address += 2) {
      work.read(address);
      if (address != array_reg::control)
        work.write(address, static_cast<std::uint32_t>(random.word(32)));
      work.read(address);
    }
  });
  if (result.divergence)
    FAIL(result.divergence->report());
  CHECK(result.record.reads[0] == 0x203);
  CHECK(result.record.reads[1] == 0);
  CHECK(result.record.reads[2] == 0x203);
}

TEST_CASE("array: whether images are computed as a whole or row by row, the state is the same at any time") {
  RandomWork random(base_seed() + 4);
  int ran = 0;
  for (int round = 0; round < repeats(40); ++round) {
    CAPTURE(round);
    RandomGraphLimits limits = array_limits(random);
    ArrayConfig config = config_of(random, random.in(0, 30));
    if (random.in(0, 1))
      add_precision(random, config, limits);
    if (random.in(0, 1) && config.writes_width(0))
      add_stage(random, config);
    const Graph graph = random_graph(random, limits);
    ArrayProgram program;
    try {
      program = compile_to_fit(graph, config);
    } catch (const InputError&) {
      continue;
    }
    CAPTURE(text_of(graph), config.pixels, config.stage_results);
    ++ran;
    BeatTrace trace(ArrayCore::interfaces(config).size());
    ArrayCore whole(config), by_rows(config);
    by_rows.record(&trace);
    Session session;
    load_array_program(session, config, program);
    session.write(array_reg::control, array_start);
    Cycle cycle = 0;
    for (const HostAction& action : session.actions)
      for (ArrayCore* const core : {&whole, &by_rows})
        REQUIRE(core->write(action.address, action.data, 0xf, core == &whole ? ++cycle : cycle));
    const Images images = images_of(program, random_inputs(random, graph, 3));
    Cycle from[2] = {cycle + 1, cycle + 1};
    for (std::size_t first = 0; first < images.bytes.size();) {
      const std::size_t count =
          std::min(images.bytes.size() - first,
                   static_cast<std::size_t>(random.in(1, static_cast<int>(2 * program.input_values))));
      const StreamBurst burst{images.bytes.data() + first, count, images.tlast.data() + first};
      REQUIRE(whole.offer(0, burst, from[0], nullptr) == count);
      REQUIRE(by_rows.offer(0, burst, from[1], nullptr) == count);
      first += count;
      if (random.in(0, 2) == 0)
        CHECK(whole.save() == by_rows.save());
      if (random.in(0, 5) == 0) { // goes on in another core, and row by row to the image's end
        const std::string state = whole.save();
        whole.restore(state);
      }
    }
    CHECK(from[0] == from[1]);
    CHECK(whole.save() == by_rows.save());
  }
  CHECK(ran > repeats(40) / 2);
}

TEST_CASE("array: what a table cannot say is refused when its turn comes") {
  RandomWork random(base_seed() + 5);
  std::map<std::string, int> kinds;
  for (int round = 0; round < repeats(1000); ++round) {
    CAPTURE(round);
    RandomGraphLimits limits = twins_limits(random);
    ArrayConfig config = config_of(random, round % 30);
    if (random.in(0, 2) == 0)
      add_precision(random, config, limits);
    if (random.in(0, 1) && config.writes_width(0))
      add_stage(random, config, &limits);
    const Graph graph = random_graph(random, limits);
    ArrayProgram program;
    try {
      program = compile_to_fit(graph, config);
    } catch (const InputError&) {
      continue;
    }
    const Images images = images_of(program, random_inputs(random, graph, random.in(1, 2)));
    Recorded good(config), bad(config);
    good.run(config, program, images);
    const ArrayTables tables[] = {program, program.stage};
    const Broken broken = break_tables(random, config, program);
    if (broken.what.empty())
      continue;
    CAPTURE(broken.what, broken.in_stage, broken.step);
    ++kinds[broken.what + (broken.in_stage ? " of the stage" : "")];
    bad.run(config, program, images);
    const std::string name = broken.in_stage ? "stage issue" : "issue";
    const std::vector<Beat>&beats = bad.beats(name), &were = good.beats(name);
    // It is refused behind the windows of the steps before, or in the first window that it does not issue.
    Cycle at = bad.start + 5;
    std::size_t before = 0;
    const ArrayTables& of = tables[broken.in_stage];
    for (std::size_t s = 0; s < broken.step; ++s) {
      const ArrayLayer& layer = of.layers[static_cast<std::size_t>(of.steps[s].layer)];
      before += static_cast<std::size_t>(layer.row_tiles() * layer.steps());
      const Cycle last = were[before - 1].cycle,
                  begin = last + 1 - static_cast<Cycle>(layer.row_tiles() * layer.tile_cycles());
      at = std::max(last + 1, begin + 4);
    }
    if (broken.in_window) {
      REQUIRE(beats.size() >= before);
      REQUIRE(beats.size() < were.size());
      const Beat& missing = were[beats.size()];
      at = missing.cycle;
      const auto weight = [&](const Beat& beat) { // of were
        return static_cast<int>(beat.payload + static_cast<std::uint64_t>(broken.moved)) & 0xffff;
      };
      const int depth = broken.in_stage ? config.stage_weight_depth : config.weight_depth;
      if (broken.what == "weights")
        CHECK(weight(missing) >= depth);
      else
        CHECK((missing.payload >> 20 & 1) == 1); // a tile's last window
    } else {
      REQUIRE(beats.size() == before);
    }
    for (std::size_t b = 0; b < beats.size(); ++b)
      REQUIRE(beats[b].cycle == were[b].cycle);
    CHECK(bad.core.read(array_reg::status, at).data != 0x203);
    CHECK(bad.core.read(array_reg::status, at + 1).data == 0x203);
    CHECK(good.core.read(array_reg::status, at + 1).data < 2);
  }
  CHECK(kinds.size() >= 19); // all of the array, those without queue and skips of its stage
}

TEST_CASE("array: impossible parameters stop elaboration") {
  check_refused("array", {{"Outputs", {1, 3, 32}},
                          {"Results", {3, 16}},
                          {"Layers", {1, 64}},
                          {"StageResults", {3, 32}},
                          {"LutRam", {2048}},
                          {"Pixels", {0, 3, 8}},
                          {"Multiplier", {2, 3}},
                          {"Planes", {3, 16}},
                          {"Widths", {0, 2, 16}},
                          {"ReferenceBits", {1, 4, 9}},
                          {"ScaleMultiply", {2}},
                          {"ZeroDepth", {2}},
                          {"InputBits", {4}},
                          {"DspOutputs", {3}},
                          {"ThresholdBits", {5, -1}},
                          {"WideSums", {-1, 2}}});
}
