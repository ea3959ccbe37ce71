#include "tops/array/config.h"
#include "base/error.h"
#include "base/resources.h"
#include "blocks/huffman_tiles.h"
#include "blocks/plane_array.h"
#include "blocks/sweep_array.h"
#include "blocks/sweep_starts.h"
#include "blocks/threshold_search.h"
#include <algorithm>

namespace deltatwin {

int ArrayConfig::dot_latency() const {
  if (has_sweeps())
    return 0;
  const int of_bytes = has_bytes() ? 4 + address_bits(window()) : 0;
  if (!has_planes())
    return of_bytes;
  return std::max(of_bytes, static_cast<int>(PlaneArrayTiming(plane_array()).sums));
}

PlaneArrayConfig ArrayConfig::plane_array() const {
  return {outputs, channels, rows, planes, widths, reference_bits > 0, accumulator_bits()};
}

SweepArrayConfig ArrayConfig::sweep_array() const {
  return {outputs, channels, planes, widths, accumulator_bits(), sweep, dsp_outputs};
}

HuffmanTilesConfig ArrayConfig::huffman_tiles() const {
  return {outputs * word_channels(narrowest()), planes, symbol_weights, decoders, books, weight_depth};
}

ThresholdSearchConfig ArrayConfig::threshold_search() const {
  return {threshold_bits, sum_bits, param_depth,
          (lut_ram >> static_cast<int>(ArrayBuffer::parameters) & 1) == 0};
}

SweepTiming ArrayConfig::sweep_timing() const {
  SweepTiming timing;
  timing.tiles = huffman_tiles();
  timing.beats = beats();
  timing.drained = SweepTiming::drained_behind(static_cast<int>(SweepArrayTiming(sweep_array()).seen),
                                               outputs, timing.beats);
  timing.written = write_latency();
  return timing;
}

int ArrayConfig::stage_dot_latency() const { return 4 + address_bits(rows); }

ArrayConfig ArrayConfig::stage() const {
  constexpr int least = 2;
  ArrayConfig stage = *this;
  stage.outputs = channels;
  stage.results = has_stage() ? stage_results : channels;
  stage.map_depth = has_stage() ? stage_map_depth : least;
  stage.weight_depth = has_stage() ? stage_weight_depth : least;
  stage.param_depth = has_stage() ? stage_param_depth : least;
  stage.steps = has_stage() ? stage_steps : least;
  stage.input_depth = stage.skip_depth = least;
  stage.pages = stage.stage_results = 0;
  stage.multiplier = 1;
  stage.planes = stage.reference_bits = stage.sweep = stage.zero_depth = stage.input_bits = 0;
  stage.threshold_bits = stage.wide_sums = 0;
  stage.widths = 1;
  return stage;
}

void ArrayConfig::leave_open() {
  map_depth = input_depth = weight_depth = param_depth = skip_depth = output_depth = 0;
  layers = steps = pages = 0;
  stage_map_depth = stage_row_depth = stage_weight_depth = stage_param_depth = stage_steps = 0;
}

std::vector<std::pair<std::string, int>> ArrayConfig::parameters() const {
  return {{"Outputs", outputs},
          {"Channels", channels},
          {"Banks", rows},
          {"Results", results},
          {"Multiplier", multiplier},
          {"SumBits", sum_bits},
          {"MapDepth", map_depth},
          {"InputDepth", input_depth},
          {"WeightDepth", weight_depth},
          {"ParamDepth", param_depth},
          {"SkipDepth", skip_depth},
          {"OutputDepth", output_depth},
          {"Layers", layers},
          {"Steps", steps},
          {"Pages", pages},
          {"StageResults", stage_results},
          {"StageMultiplier", stage_multiplier},
          {"StageMapDepth", stage_map_depth},
          {"StageRowDepth", stage_row_depth},
          {"StageWeightDepth", stage_weight_depth},
          {"StageParamDepth", stage_param_depth},
          {"StageSteps", stage_steps},
          {"LutRam", lut_ram},
          {"Pixels", pixels},
          {"Planes", planes},
          {"Widths", widths},
          {"ReferenceBits", reference_bits},
          {"ScaleMultiply", scale_multiply},
          {"Sweep", sweep},
          {"Decoders", decoders},
          {"SymbolWeights", symbol_weights},
          {"Books", books},
          {"ScaleBits", scale_bits},
          {"Lookup", lookup},
          {"ZeroDepth", zero_depth},
          {"InputBits", input_bits},
          {"DspOutputs", dsp_outputs},
          {"ThresholdBits", threshold_bits},
          {"WideSums", wide_sums}};
}

namespace {

// Of what designs with sweeps take.
std::string complaint_of_sweeps(const ArrayConfig& config) {
  std::string what;
  const auto needs = [&what](bool has, const std::string& text) {
    if (what.empty() && !has)
      what = text;
  };
  const auto is_power = [](int value, int low, int high) {
    return value >= low && value <= high && (value & (value - 1)) == 0;
  };
  needs(is_power(config.sweep, 16, 64),
        "pixels of a sweep is " + std::to_string(config.sweep) + ", possible are 0, 16, 32 and 64");
  needs(config.rows == 1, "sweeps take one row bank");
  needs(config.pixels == 1, "sweeps take one pixel at a time");
  needs(!config.has_bytes(), "sweeps take planes of weights alone: no multiplier");
  needs(config.reference_bits == 0, "sweeps have no references");
  needs(config.stage_results == 0, "sweeps have no depthwise stage");
  needs(is_power(config.widths, 1, 8), "sweeps take one width of activations");
  needs(config.outputs <= 32,
        "number of outputs a tile is " + std::to_string(config.outputs) + ", possible with sweeps are 2..32");
  needs(is_power(config.decoders, 1, 4),
        "number of decoders is " + std::to_string(config.decoders) + ", possible are 1, 2 and 4");
  needs(is_power(config.symbol_weights, 1, 8) && config.symbol_weights * config.planes <= 8,
        "weights of a symbol is " + std::to_string(config.symbol_weights) +
            ", possible are powers of two whose weights of " + std::to_string(config.planes) +
            " bits have 8 bits at most");
  needs(is_power(config.books, 1, 16),
        "number of code books is " + std::to_string(config.books) + ", possible are powers of two up to 16");
  if (!what.empty())
    return what;
  const int weights = config.outputs * config.word_channels(config.narrowest()),
            each = config.symbol_weights * config.decoders;
  needs(weights >= 16 && weights <= 2048 && weights % each == 0,
        "a tile has " + std::to_string(weights) + " weights, possible are multiples of " +
            std::to_string(each) + " from 16 to 2048");
  constexpr int least_words = 4;
  needs(config.weight_depth >= least_words,
        "weight memory is " + std::to_string(config.weight_depth) + ", possible with sweeps are 4..65535");
  return what;
}

} // namespace

std::string complaint(const ArrayConfig& config) {
  constexpr int most_words = (1 << 16) - 1;
  std::string what;
  const auto range = [&what](const char* name, int value, int low, int high) {
    if (what.empty() && (value < low || value > high))
      what = std::string(name) + " is " + std::to_string(value) + ", possible are " + std::to_string(low) +
             ".." + std::to_string(high);
  };
  const auto power = [&](const char* name, int value, int low, int high) {
    range(name, value, low, high);
    if (what.empty() && (value & (value - 1)))
      what = std::string(name) + " is " + std::to_string(value) + ", possible are powers of two from " +
             std::to_string(low) + " to " + std::to_string(high);
  };
  power("number of channels a word", config.channels, 4, 32);
  range("multiplier", config.multiplier, 0, ArrayConfig::no_multiplier);
  if (config.planes != 0)
    power("number of planes of weights", config.planes, 1, 8);
  const auto needs = [&what](bool has, const char* text) {
    if (what.empty() && !has)
      what = text;
  };
  needs(config.has_planes() || config.has_bytes(),
        "there is no multiplier, which takes planes of weights: 1, 2, 4 or 8");
  range("choice of widths", config.widths, 1, (1 << width_codes) - 1);
  needs(config.has_planes() || config.widths == 1,
        "activations of other widths than 8 bits take planes of weights: 1, 2, 4 or 8");
  needs(config.has_planes() || config.reference_bits == 0, "references take planes of weights: 1, 2, 4 or 8");
  needs(!config.has_planes() || config.channels >= 8, "planes of weights take words of 8 bytes at least");
  if (config.reference_bits != 0)
    range("bits of a reference", config.reference_bits, 2, 8);
  range("whether scalers multiply", config.scale_multiply, 0, 1);
  range("bits of a multiplier", config.scale_bits, 8, 31);
  range("whether additions are looked up", config.lookup, 0, 1);
  needs(!config.lookup || !config.has_width(0),
        "additions that are looked up take activations of 4 bits at most");
  if (config.has_marks()) {
    needs(config.has_sweeps(), "tiles of zeros are left out by sweeps alone: marks of them take sweeps");
    range("memory of marks of tiles of zeros", config.zero_depth, 2, most_words);
  }
  range("bits of a word of the input", config.input_bits, 0, config.has_sweeps() ? 8 * config.channels : 0);
  needs(config.input_bits % 4 == 0, "bits of a word of the input are a multiple of 4");
  range("outputs with DSPs", config.dsp_outputs, 0, config.has_sweeps() ? config.outputs : 0);
  needs(config.dsp_outputs % 3 == 0, "outputs with DSPs are a multiple of 3");
  needs(config.dsp_outputs == 0 || (config.planes == 4 && config.widths == 2),
        "outputs with DSPs take 4 planes of weights and activations of 4 bits");
  range("bits of a count of thresholds", config.threshold_bits, 0, 4);
  range("whether sums are wide", config.wide_sums, 0, 1);
  if (config.has_sweeps() && what.empty())
    what = complaint_of_sweeps(config);
  if (what.empty()) {
    constexpr int most_pieces = 32;
    const int least = width_bits(config.narrowest()), word = 8 * config.channels;
    power("number of outputs a tile", config.outputs, std::max(2, word / most_pieces / least),
          std::min(config.has_bytes() ? 32 : 64, word / least));
  }
  range("number of row banks", config.rows, 1, 7);
  power("number of results a cycle", config.results, 1, config.outputs);
  range("bits of a sum", config.sum_bits, config.has_bytes() ? 25 : 12, 32);
  range("map memory", config.map_depth, 2, most_words);
  range("input memory", config.input_depth, 2, most_words);
  range("weight memory", config.weight_depth, 2, most_words);
  range("parameter memory", config.param_depth, 2,
        config.has_thresholds() ? (most_words + 1) / ArrayConfig::threshold_places : most_words);
  range("memory of skips", config.skip_depth, 2, most_words);
  power("depth of the output FIFO", config.output_depth, 2, 1 << 15);
  power("number of layers", config.layers, 2, 32);
  if (config.has_sweeps())
    range("number of steps", config.steps, 2, 1024);
  else
    power("number of steps", config.steps, 2, 1024);
  range("number of table pages", config.pages, 0, 16);
  power("number of pixels at a time", config.pixels, 1, 4);
  range("choice of buffers in LUT-RAM", config.lut_ram, 0, (1 << array_buffer_count) - 1);
  range("multiplier of the stage", config.stage_multiplier, 0, 1);
  constexpr int most_pieces = 1 << 12;
  if (what.empty() && !config.has_sweeps() && config.weight_bytes() / 4 > most_pieces)
    what = "a word of weights has " + std::to_string(config.weight_bytes() / 4) + " pieces of 32 bits, " +
           "possible are " + std::to_string(most_pieces);
  if (config.stage_results != 0) {
    needs(config.writes_width(0), "a depthwise stage takes 8 bits among the widths, and no more outputs a "
                                  "tile than bytes of a word");
    power("number of results a cycle of the stage", config.stage_results, 1, config.channels);
    range("memory of the stage's maps", config.stage_map_depth, 2, most_words);
    range("memory of the stage's rows", config.stage_row_depth, 2, most_words);
    range("weight memory of the stage", config.stage_weight_depth, 2, most_words);
    range("parameter memory of the stage", config.stage_param_depth, 2, most_words);
    power("number of steps of the stage", config.stage_steps, 2, 1024);
    if (what.empty() && config.window() % 8 != 0)
      what = "number of row banks is " + std::to_string(config.rows) + ", possible with " +
             std::to_string(config.channels) + " channels and a stage are even ones";
  }
  if (what.empty() && !(config.clock_mhz >= 0.001 && config.clock_mhz <= 10000))
    what = "clock is " + std::to_string(config.clock_mhz) + " MHz, possible are 0.001 to 10000";
  return what;
}

void validate(const ArrayConfig& config) {
  if (const std::string text = complaint(config); !text.empty())
    throw InputError(text);
}

bool has_space(const ArrayConfig& config, std::uint32_t space) {
  if (space == static_cast<std::uint32_t>(ArraySpace::books))
    return config.has_sweeps();
  if (space == static_cast<std::uint32_t>(ArraySpace::marks))
    return config.has_marks();
  if (space == static_cast<std::uint32_t>(ArraySpace::thresholds))
    return config.has_thresholds();
  return space <=
         static_cast<std::uint32_t>(config.has_stage() ? ArraySpace::stage_steps : ArraySpace::tables);
}

int load_pieces(const ArrayConfig& config, ArraySpace space) {
  switch (space) {
  case ArraySpace::weights:
    return config.weight_bytes() / 4;
  case ArraySpace::parameters:
    return 3 * config.results;
  case ArraySpace::layers:
  case ArraySpace::stage_layers:
    return config.has_sweeps() ? array_layer_words : array_sweep_word;
  case ArraySpace::steps:
  case ArraySpace::stage_steps:
    return array_step_words;
  case ArraySpace::stage_weights:
    return config.window() / 4;
  case ArraySpace::stage_parameters:
    return 3 * config.stage_results;
  case ArraySpace::thresholds:
    return config.results;
  case ArraySpace::tables:
  case ArraySpace::books:
  case ArraySpace::marks:
    return 1;
  }
  return 0;
}

bool has_word(const ArrayConfig& config, ArraySpace space, std::uint32_t word) {
  const auto below = [word](int depth) { return word < static_cast<std::uint32_t>(depth); };
  switch (space) {
  case ArraySpace::weights:
    return below(config.weight_depth);
  case ArraySpace::parameters:
    return below(config.param_depth);
  case ArraySpace::layers:
  case ArraySpace::stage_layers:
    return below(config.layers);
  case ArraySpace::steps:
    return below(config.steps);
  case ArraySpace::stage_weights:
    return below(config.stage_weight_depth);
  case ArraySpace::stage_parameters:
    return below(config.stage_param_depth);
  case ArraySpace::stage_steps:
    return below(config.stage_steps);
  case ArraySpace::tables: // {B?, page, index}
    return word >> (config.lookup ? 12 : 13) == 0 &&
           (word >> 8 & 15) < static_cast<std::uint32_t>(config.pages);
  case ArraySpace::books: // {book, symbol}
    return below(config.books * config.symbols());
  case ArraySpace::marks:
    return below(config.zero_depth);
  case ArraySpace::thresholds: { // {word of parameters, node}
    const std::uint32_t node = word % ArrayConfig::threshold_places;
    return below(config.param_depth * ArrayConfig::threshold_places) && node > 0 &&
           node < static_cast<std::uint32_t>(config.threshold_nodes());
  }
  }
  return false;
}

std::uint32_t design_register(const ArrayConfig& config, std::size_t index) {
  const auto bytes = [](int a, int b, int c, int d) {
    return static_cast<std::uint32_t>(a << 24 | b << 16 | c << 8 | d);
  };
  const auto halves = [](int a, int b) {
    return static_cast<std::uint32_t>(a) << 16 | (static_cast<std::uint32_t>(b) & 0xffff);
  };
  switch (index) {
  case 0:
    return bytes(config.results, config.rows, config.channels, config.outputs);
  case 1:
    return bytes(config.sum_bits, config.pages, config.multiplier, config.layers);
  case 2:
    return halves(config.map_depth, config.input_depth);
  case 3:
    return halves(config.weight_depth, config.param_depth);
  case 4:
    return halves(config.skip_depth, config.output_depth);
  case 5:
    return static_cast<std::uint32_t>(config.steps);
  case 6:
    return halves((config.has_stage() ? config.stage_results << 8 | config.stage_multiplier << 4 : 0) |
                      config.pixels,
                  config.lut_ram);
  case 7:
    return config.has_stage() ? halves(config.stage_map_depth, config.stage_row_depth) : 0;
  case 8:
    return config.has_stage() ? halves(config.stage_weight_depth, config.stage_param_depth) : 0;
  case 9:
    return static_cast<std::uint32_t>(config.has_stage() ? config.stage_steps : 0);
  case 11: {
    const int of_sweeps = config.books << 21 | config.symbol_weights << 12 | config.decoders << 8 |
                          config.sweep | config.has_marks() << 26;
    return static_cast<std::uint32_t>(config.lookup << 27 | config.scale_bits << 16 |
                                      (config.has_sweeps() ? of_sweeps : 0));
  }
  case 12: {
    constexpr int unit = 4;
    return static_cast<std::uint32_t>(config.dsp_outputs << 8 | config.input_bits / unit);
  }
  default:
    return static_cast<std::uint32_t>(config.wide_sums << 24 | config.threshold_bits << 21 |
                                      config.scale_multiply << 20 | config.reference_bits << 16 |
                                      config.widths << 12 | config.planes << 8);
  }
}

std::vector<Register> array_registers() {
  using namespace array_reg;
  std::vector<Register> registers = {
      {id, "ID", Register::read_only},
      {control, "CONTROL", Register::write_only, {{"start", 1, 0}, {"reset", 1, 1}}},
      {status,
       "STATUS",
       Register::read_only,
       {{"status", 2, 0, {"idle", "running", "2", "error"}},
        {"error", 5, 8, {"none", "input", "program", "3", "weights"}}}},
      {images, "IMAGES", Register::read_only},
      {input, "INPUT0", Register::read_write, {{"columns", 12, 0}, {"rows", 12, 12}}},
      {input + 4,
       "INPUT1",
       Register::read_write,
       {{"channels", 12, 0},
        {"kernel columns", 4, 12},
        {"left", 4, 16},
        {"stride", 4, 20},
        {"right", 4, 24}}},
      {input + 8, "INPUT2", Register::read_write, {{"zero point", 8, 0}, {"words a pixel", 16, 16}}},
      {input + 12, "INPUT3", Register::read_write, {{"pitch", 16, 0}}},
      {steps, "STEPS", Register::read_write, {{"steps", 16, 0}, {"steps of the stage", 16, 16}}},
      {array_reg::load_address,
       "LOAD_ADDRESS",
       Register::read_write,
       {{"space",
         4,
         28,
         {"weights", "parameters", "layers", "steps", "tables", "stage weights", "stage parameters",
          "stage layers", "stage steps", "books", "marks", "thresholds"}},
        {"word", 16, 12},
        {"piece", 12, 0}}},
      {load_data, "LOAD_DATA", Register::write_only},
      {cycles, "CYCLES", Register::read_only}};
  for (std::uint32_t i = 0; i < array_designs; ++i)
    registers.push_back({design + 4 * i, "DESIGN" + std::to_string(i), Register::read_only});
  return registers;
}

} // namespace deltatwin
