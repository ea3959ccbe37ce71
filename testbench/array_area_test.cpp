// The area model of the array against synthesis.
#include "top_area.h"
#include "tops/array/top.h"

using namespace deltatwin;

namespace {

struct Design {
  int outputs, channels, rows, results, multiplier, sum_bits;
  int map_depth, input_depth, weight_depth, param_depth, skip_depth, output_depth, layers, steps, pages;
  int lut_ram = 0; ///< a bit a buffer
  int stage_results = 0, stage_multiplier = 0, stage_map_depth = 0, stage_row_depth = 0;
  int stage_weight_depth = 0, stage_param_depth = 0, stage_steps = 0;
  int pixels = 1;
};

ArrayConfig config_of(const Design& design) {
  ArrayConfig config;
  config.outputs = design.outputs;
  config.channels = design.channels;
  config.rows = design.rows;
  config.results = design.results;
  config.multiplier = design.multiplier;
  config.sum_bits = design.sum_bits;
  config.map_depth = design.map_depth;
  config.input_depth = design.input_depth;
  config.weight_depth = design.weight_depth;
  config.param_depth = design.param_depth;
  config.skip_depth = design.skip_depth;
  config.output_depth = design.output_depth;
  config.layers = design.layers;
  config.steps = design.steps;
  config.pages = design.pages;
  config.lut_ram = design.lut_ram;
  config.pixels = design.pixels;
  if (design.stage_results == 0)
    return config;
  config.stage_results = design.stage_results;
  config.stage_multiplier = design.stage_multiplier;
  config.stage_map_depth = design.stage_map_depth;
  config.stage_row_depth = design.stage_row_depth;
  config.stage_weight_depth = design.stage_weight_depth;
  config.stage_param_depth = design.stage_param_depth;
  config.stage_steps = design.stage_steps;
  return config;
}

// Those that the model is fitted to, ...
const std::vector<Design> fitted = {
    {2, 4, 1, 1, 0, 25, 64, 64, 256, 64, 64, 16, 4, 64, 0, 0x7ff},
    {2, 4, 3, 2, 1, 25, 256, 128, 512, 128, 256, 16, 8, 128, 1},
    {2, 8, 3, 1, 0, 25, 512, 256, 512, 256, 128, 32, 16, 256, 2, 0, 2, 0, 128, 64, 64, 32, 64},
    {2, 8, 3, 2, 1, 32, 1024, 512, 1024, 256, 512, 32, 16, 256, 2},
    {2, 16, 3, 1, 1, 25, 512, 512, 2048, 512, 1024, 64, 32, 512, 4},
    {2, 16, 2, 2, 0, 25, 300, 100, 700, 200, 2, 16, 16, 128, 0},
    {4, 4, 1, 4, 1, 25, 1024, 1024, 4096, 512, 1024, 64, 32, 1024, 4},
    {4, 4, 2, 2, 0, 28, 512, 256, 1024, 256, 512, 32, 16, 256, 1, 0, 4, 1, 256, 256, 256, 64, 128},
    {4, 4, 3, 1, 1, 25, 2048, 512, 2048, 512, 2048, 64, 32, 512, 2},
    {4, 4, 3, 4, 0, 25, 256, 256, 512, 128, 256, 16, 8, 128, 0, 0x23},
    {4, 4, 5, 2, 1, 25, 512, 512, 1024, 256, 512, 32, 16, 256, 3},
    {4, 4, 7, 1, 0, 25, 128, 64, 512, 128, 128, 16, 8, 64, 1},
    {4, 8, 1, 2, 0, 25, 512, 256, 1024, 512, 512, 32, 16, 256, 2, 0, 1, 1, 512, 256, 512, 128, 256},
    {4, 8, 2, 4, 1, 25, 1024, 512, 1024, 256, 1024, 64, 32, 512, 4},
    {4, 8, 3, 1, 1, 25, 1024, 512, 1024, 512, 1024, 64, 32, 512, 4, 0, 4, 1, 512, 512, 256, 128, 256},
    {4, 8, 3, 2, 0, 25, 1024, 512, 512, 256, 512, 32, 16, 256, 2},
    {4, 8, 3, 4, 1, 30, 700, 300, 1500, 300, 900, 128, 32, 512, 8},
    {4, 8, 4, 4, 0, 25, 256, 128, 512, 128, 256, 16, 8, 128, 0, 0x7eb, 8, 0, 64, 64, 64, 32, 64},
    {4, 8, 5, 1, 1, 25, 512, 256, 512, 256, 512, 32, 16, 256, 1},
    {2, 4, 1, 2, 1, 25, 512, 256, 1024, 256, 512, 32, 16, 256, 1},
    {2, 4, 4, 1, 0, 25, 256, 128, 512, 256, 256, 32, 16, 256, 2},
    {2, 4, 5, 2, 1, 25, 512, 256, 512, 128, 512, 32, 16, 256, 2},
    {2, 4, 6, 1, 1, 25, 256, 256, 512, 256, 256, 32, 16, 128, 1},
    {2, 4, 7, 2, 1, 25, 256, 128, 512, 128, 256, 16, 8, 128, 0},
    {2, 8, 1, 1, 1, 25, 1024, 512, 2048, 512, 1024, 64, 32, 512, 4},
    {2, 8, 2, 2, 1, 30, 512, 512, 1024, 256, 512, 32, 16, 256, 2},
    {2, 8, 2, 1, 0, 25, 512, 256, 1024, 512, 512, 32, 16, 256, 1},
    {2, 8, 4, 1, 1, 25, 512, 256, 1024, 512, 512, 32, 16, 256, 0},
    {2, 16, 1, 2, 1, 25, 512, 256, 1024, 256, 512, 32, 16, 256, 2},
    {2, 16, 2, 1, 1, 25, 512, 256, 1024, 512, 512, 64, 32, 512, 2, 0, 4, 1, 256, 256, 256, 128, 256},
    {4, 4, 1, 1, 0, 25, 512, 256, 1024, 512, 512, 32, 16, 256, 1},
    {4, 4, 2, 4, 1, 25, 1024, 512, 1024, 256, 1024, 64, 32, 512, 3},
    {4, 4, 2, 2, 1, 25, 512, 256, 512, 256, 512, 32, 16, 256, 1, 0, 2, 1, 256, 256, 128, 64, 128},
    {4, 4, 3, 2, 1, 25, 700, 300, 900, 200, 600, 32, 16, 256, 2},
    {4, 4, 6, 1, 1, 25, 256, 256, 512, 256, 256, 32, 16, 256, 1},
    {4, 8, 1, 4, 1, 25, 512, 512, 2048, 256, 512, 64, 32, 512, 2},
    {4, 8, 1, 2, 1, 25, 512, 512, 1024, 256, 512, 64, 32, 512, 2, 0, 8, 1, 256, 256, 256, 64, 256},
    {8, 8, 1, 4, 1, 25, 512, 512, 1024, 256, 512, 64, 32, 512, 1},
    {2, 4, 2, 2, 1, 25, 256, 256, 512, 128, 256, 32, 16, 256, 1, 0, 0, 1, 0, 0, 0, 0, 0, 2},
    {4, 4, 1, 2, 1, 25, 256, 256, 512, 128, 256, 32, 16, 256, 2, 0, 0, 1, 0, 0, 0, 0, 0, 2}};
// ... and those that it is not.
const std::vector<Design> held_out = {
    {2, 4, 2, 1, 1, 25, 512, 256, 1024, 256, 512, 32, 16, 256, 1},
    {2, 8, 1, 2, 0, 25, 1024, 512, 2048, 512, 1024, 64, 32, 512, 2, 0, 8, 1, 512, 512, 512, 128, 512},
    {2, 8, 5, 1, 1, 27, 256, 256, 512, 128, 256, 16, 8, 128, 0},
    {2, 16, 3, 2, 0, 25, 512, 256, 512, 256, 512, 32, 16, 256, 1},
    {2, 32, 1, 1, 1, 25, 512, 256, 1024, 512, 512, 32, 16, 256, 2},
    {4, 4, 4, 4, 1, 25, 700, 300, 900, 200, 400, 64, 32, 512, 4},
    {4, 4, 6, 2, 0, 25, 256, 256, 512, 256, 256, 32, 16, 256, 2, 0x10, 2, 0, 128, 128, 128, 64, 128},
    {4, 8, 2, 1, 0, 32, 512, 512, 512, 512, 512, 64, 32, 512, 3, 0x21},
    {4, 8, 3, 2, 1, 25, 2048, 1024, 1024, 512, 2048, 128, 32, 1024, 6},
    {2, 4, 1, 1, 0, 25, 512, 512, 1024, 512, 512, 32, 16, 256, 2},
    {2, 4, 3, 1, 1, 28, 512, 256, 1024, 256, 512, 64, 32, 512, 1},
    {2, 4, 4, 2, 1, 25, 512, 256, 512, 128, 256, 32, 16, 256, 0},
    {2, 8, 1, 2, 1, 25, 256, 256, 1024, 256, 256, 32, 16, 256, 1},
    {2, 8, 3, 2, 1, 25, 1024, 256, 512, 128, 512, 32, 32, 512, 4, 0, 4, 1, 256, 128, 128, 64, 256},
    {2, 16, 1, 1, 1, 25, 1024, 512, 1024, 512, 1024, 64, 32, 512, 3},
    {4, 4, 1, 2, 1, 25, 512, 512, 2048, 512, 512, 64, 32, 512, 2},
    {4, 4, 3, 4, 1, 25, 300, 200, 512, 128, 256, 32, 16, 256, 1},
    {4, 8, 1, 1, 1, 25, 1024, 512, 2048, 1024, 1024, 64, 32, 512, 4, 0x20},
    {8, 8, 1, 2, 1, 25, 512, 256, 1024, 512, 512, 64, 32, 512, 2},
    {2, 8, 1, 2, 1, 25, 256, 256, 512, 128, 256, 32, 16, 256, 1, 0, 0, 1, 0, 0, 0, 0, 0, 2}};

void compare_area(const ArrayConfig& config, bool print) {
  std::string described;
  for (const auto& [name, value] : config.parameters())
    described += (described.empty() ? "" : " ") + name + "=" + std::to_string(value);
  compare_area(ArrayTop(config), described, print);
}

// Those with sweeps: outputs, bytes of a word, results, bits of a sum, planes, widths, most pixels, decoders,
// weights of a symbol, books, whether additions are looked up, bits of multipliers, outputs with DSPs, bits
// of a word of the input, buffers in LUT-RAM.
constexpr int sweeps[][15] = {{4, 8, 2, 18, 4, 2, 16, 2, 2, 1, 1, 12, 3, 36, 0x20},
                              {8, 8, 4, 18, 4, 2, 64, 2, 2, 1, 1, 12, 3, 36, 0},
                              {8, 8, 4, 18, 4, 2, 64, 2, 2, 1, 1, 16, 0, 20, 0},
                              {4, 8, 4, 20, 2, 4, 32, 1, 2, 2, 0, 31, 0, 0, 0}};

void compare_sweeps(int number, bool print) {
  const int* const is = sweeps[number];
  ArrayConfig config;
  config.rows = 1;
  config.multiplier = ArrayConfig::no_multiplier;
  config.outputs = is[0];
  config.channels = is[1];
  config.results = is[2];
  config.sum_bits = is[3];
  config.planes = is[4];
  config.widths = is[5];
  config.sweep = is[6];
  config.decoders = is[7];
  config.symbol_weights = is[8];
  config.books = is[9];
  config.lookup = is[10];
  config.scale_bits = is[11];
  config.dsp_outputs = is[12];
  config.input_bits = is[13];
  config.lut_ram = is[14];
  config.map_depth = 1536;
  config.weight_depth = 2048;
  config.param_depth = 64;
  config.output_depth = 32;
  config.layers = 16;
  config.steps = 64;
  config.pages = 1;
  compare_area(ArrayTop(config), "sweeps " + std::to_string(number), print);
}

} // namespace

TEST_CASE("array_area: the area model is close to synthesis") { compare_area(config_of(held_out[0]), false); }

TEST_CASE("array_area: the area model of sweeps is close to synthesis") { compare_sweeps(0, false); }

TEST_CASE("array_area: the area model against synthesis of many designs, as CSV", "[.fit]") {
  std::printf("parameters,part,lut,lut_ram,ff,dsp,ramb18,ramb36,model_lut,model_ff\n");
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    compare_area(config_of(fitted[2 * i]), true);
    compare_area(config_of(fitted[2 * i + 1]), true);
    compare_area(config_of(held_out[i]), true);
  }
  for (int i = 0; i < 4; ++i)
    compare_sweeps(i, true);
}
