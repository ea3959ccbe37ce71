#include "block_top.h"
#include "blocks/dot_array.h"
#include "dot_work.h"
#include "netlist_bench.h"
#include "refused_parameters.h"

using namespace deltatwin;

namespace {

RtlSource block_of(const DotArrayConfig& config) {
  return {"dot_array",
          {{"Outputs", config.outputs},
           {"Channels", config.channels},
           {"Lanes", config.lanes},
           {"Multiplier", static_cast<int>(config.multiplier)},
           {"AccBits", config.accumulator_bits}},
          false,
          ""};
}

struct Block {
  using Config = DotArrayConfig;
  using Core = DotArrayCore;
  static constexpr int longest = 60;
  static Cycle latency(const Config& config) { return DotArrayTiming(config).sums; }
  static int sums(const Config& config) { return config.outputs; }
  static int bits(const Config& config) { return config.accumulator_bits; }
  static int terms(const Config& config) { return config.lanes * config.channels; }
  static std::size_t weights(const Config& config) {
    return static_cast<std::size_t>(config.terms() * config.outputs);
  }
  static std::int64_t products(const Config& config, int output, const std::vector<std::int8_t>& x,
                               const std::vector<std::int8_t>& w) {
    std::int64_t sum = 0;
    for (int j = 0; j < config.lanes; ++j)
      for (int c = 0; c < config.channels; ++c)
        sum += std::int64_t{x[static_cast<std::size_t>(j * config.channels + c)]} *
               w[static_cast<std::size_t>((output * config.lanes + j) * config.channels + c)];
    return sum;
  }
};
using Work = DotWork<Block>;

const DotMultiplier multipliers[] = {DotMultiplier::lut, DotMultiplier::dsp_pairs};

void agree(const DotArrayConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.outputs, config.channels, config.lanes, static_cast<int>(config.multiplier));
  agree_on_sums<Block>(config, source, rounds);
}

} // namespace

TEST_CASE("dot_array twins give all sums of beats with gaps, extremes, wraps and resets, to the cycle") {
  for (const DotMultiplier multiplier : multipliers)
    for (const DotArrayConfig& config :
         {DotArrayConfig{4, 4, 3, multiplier, 25}, DotArrayConfig{2, 8, 5, multiplier, 23},
          DotArrayConfig{2, 4, 1, multiplier, 32}, DotArrayConfig{6, 4, 7, multiplier, 24}})
      agree(config, block_of(config), repeats(2));
}

TEST_CASE("dot_array: what Yosys makes of it does the same", "[.netlist]") {
  for (const DotArrayConfig& config : {DotArrayConfig{2, 4, 5, DotMultiplier::dsp_pairs, 25},
                                       DotArrayConfig{2, 4, 1, DotMultiplier::lut, 25}})
    agree(config, Netlist(block_of(config)).source(), repeats(1));
}

TEST_CASE("dot_array twins multiply every activation by every weight, whatever lies beside it") {
  for (const DotMultiplier multiplier : multipliers) {
    const DotArrayConfig config{2, 4, 1, multiplier, 25};
    CAPTURE(static_cast<int>(multiplier));
    BlockBench bench = dot_bench<Block>(config, block_of(config));
    RandomWork random(base_seed());
    Work work(config);
    for (int x = -128; x < 128; ++x)
      for (int w = -128; w < 128; ++w) {
        std::vector<std::int8_t> xs, ws;
        for (int i = 0; i < 12; ++i) {
          const int extremes[] = {-128, 127, 0, random.in(-128, 127)};
          (i < 4 ? xs : ws).push_back(static_cast<std::int8_t>(extremes[random.in(0, 3)]));
        }
        const auto term = static_cast<std::size_t>(random.in(0, 3)), output = static_cast<std::size_t>(w & 1);
        xs[term] = static_cast<std::int8_t>(x);
        ws[4 * output + term] = static_cast<std::int8_t>(w);
        work.beat(true, true, xs, ws);
      }
    work.run(bench);
  }
}

TEST_CASE("dot_array twins of 8 outputs, 16 channels and 3 lanes agree") {
  const DotArrayConfig config;
  BlockBench bench = dot_bench<Block>(config, block_of(config));
  RandomWork random(base_seed());
  Work work(config);
  for (int beat = 0; beat < repeats(200); ++beat)
    work.beat(beat % 5 == 0, beat % 5 == 4, random.bytes(48), random.bytes(8 * 48));
  work.run(bench);
}

TEST_CASE("dot_array: impossible parameters stop elaboration") {
  check_refused("dot_array", {{"Outputs", {1, 3, 34}},
                              {"Channels", {2, 6, 64}},
                              {"Lanes", {8}},
                              {"Multiplier", {2}},
                              {"AccBits", {22, 33}}});
}

TEST_CASE("dot_array: DSPs are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<DotArrayConfig> configs = {{4, 4, 3, DotMultiplier::dsp_pairs, 25},
                                               {2, 4, 5, DotMultiplier::dsp_pairs, 32},
                                               {2, 4, 3, DotMultiplier::lut, 23},
                                               {8, 16, 3, DotMultiplier::dsp_pairs, 25},
                                               {2, 8, 7, DotMultiplier::lut, 25}};
  for (int i = 0; i < std::min(2 * repeats(1), 5); ++i)
    check_area(dot_array_resources(configs[static_cast<std::size_t>(i)]),
               block_of(configs[static_cast<std::size_t>(i)]));
}

TEST_CASE(
    "dot_array of 8 outputs, 16 channels and 3 lanes takes a DSP48E1 for two products, and 3,400 LUTs") {
  const Resources area = dot_array_resources({});
  CHECK(area.dsp == 192);
  CHECK(area.lut < 3400);
  CHECK(area.ff < 5200);
}

// To fit the coefficients in sysc/blocks/dot_array.cpp again.
TEST_CASE("dot_array: what the area model is fitted to, as CSV", "[.fit]") {
  for (const DotMultiplier multiplier : multipliers)
    for (const auto& [channels, lanes] :
         {std::pair(4, 1), std::pair(4, 3), std::pair(4, 5), std::pair(8, 2), std::pair(4, 7)})
      for (const int outputs : {2, 4})
        print_area(dot_array_resources({outputs, channels, lanes, multiplier, 25}),
                   block_of({outputs, channels, lanes, multiplier, 25}));
}
