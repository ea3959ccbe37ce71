#include "block_top.h"
#include "blocks/depthwise_array.h"
#include "dot_work.h"
#include "netlist_bench.h"
#include "refused_parameters.h"

using namespace deltatwin;

namespace {

RtlSource block_of(const DepthwiseArrayConfig& config) {
  return {"depthwise_array",
          {{"Channels", config.channels},
           {"Lanes", config.lanes},
           {"Multiplier", static_cast<int>(config.multiplier)}},
          false,
          ""};
}

struct Block {
  using Config = DepthwiseArrayConfig;
  using Core = DepthwiseArrayCore;
  static constexpr int longest = 400;
  static Cycle latency(const Config& config) { return DepthwiseArrayTiming(config).sums; }
  static int sums(const Config& config) { return config.channels; }
  static int bits(const Config&) { return Config::accumulator_bits; }
  static int terms(const Config& config) { return config.lanes; }
  static std::size_t weights(const Config& config) { return static_cast<std::size_t>(config.terms()); }
  static std::int64_t products(const Config& config, int channel, const std::vector<std::int8_t>& x,
                               const std::vector<std::int8_t>& w) {
    std::int64_t sum = 0;
    for (int j = 0; j < config.lanes; ++j) {
      const auto byte = static_cast<std::size_t>(j * config.channels + channel);
      sum += std::int64_t{x[byte]} * w[byte];
    }
    return sum;
  }
};
using Work = DotWork<Block>;

const DepthwiseMultiplier multipliers[] = {DepthwiseMultiplier::lut, DepthwiseMultiplier::dsp};

void agree(const DepthwiseArrayConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.channels, config.lanes, static_cast<int>(config.multiplier));
  agree_on_sums<Block>(config, source, rounds);
}

} // namespace

TEST_CASE(
    "depthwise_array twins give all sums of beats with gaps, extremes, wraps and resets, to the cycle") {
  for (const DepthwiseMultiplier multiplier : multipliers)
    for (const DepthwiseArrayConfig& config :
         {DepthwiseArrayConfig{4, 3, multiplier}, DepthwiseArrayConfig{8, 5, multiplier},
          DepthwiseArrayConfig{4, 1, multiplier}, DepthwiseArrayConfig{4, 7, multiplier}})
      agree(config, block_of(config), repeats(2));
}

TEST_CASE("depthwise_array: what Yosys makes of it does the same", "[.netlist]") {
  for (const DepthwiseArrayConfig& config : {DepthwiseArrayConfig{4, 5, DepthwiseMultiplier::dsp},
                                             DepthwiseArrayConfig{4, 3, DepthwiseMultiplier::lut}})
    agree(config, Netlist(block_of(config)).source(), repeats(1));
}

TEST_CASE("depthwise_array twins multiply every activation by every weight, whatever lies beside it") {
  for (const DepthwiseMultiplier multiplier : multipliers) {
    const DepthwiseArrayConfig config{4, 1, multiplier};
    CAPTURE(static_cast<int>(multiplier));
    BlockBench bench = dot_bench<Block>(config, block_of(config));
    RandomWork random(base_seed());
    Work work(config);
    for (int x = -128; x < 128; ++x)
      for (int w = -128; w < 128; ++w) {
        std::vector<std::int8_t> xs, ws;
        for (int i = 0; i < 8; ++i) {
          const int extremes[] = {-128, 127, 0, random.in(-128, 127)};
          (i < 4 ? xs : ws).push_back(static_cast<std::int8_t>(extremes[random.in(0, 3)]));
        }
        const auto channel = static_cast<std::size_t>(random.in(0, 3));
        xs[channel] = static_cast<std::int8_t>(x);
        ws[channel] = static_cast<std::int8_t>(w);
        work.beat(true, true, xs, ws);
      }
    work.run(bench);
  }
}

TEST_CASE("depthwise_array twins of 16 channels and 3 lanes agree") {
  const DepthwiseArrayConfig config;
  BlockBench bench = dot_bench<Block>(config, block_of(config));
  RandomWork random(base_seed());
  Work work(config);
  for (int beat = 0; beat < repeats(200); ++beat)
    work.beat(beat % 5 == 0, beat % 5 == 4, random.bytes(48), random.bytes(48));
  work.run(bench);
}

TEST_CASE("depthwise_array: impossible parameters stop elaboration") {
  check_refused("depthwise_array", {{"Channels", {2, 6, 64}}, {"Lanes", {8}}, {"Multiplier", {2}}});
}

TEST_CASE("depthwise_array: DSPs are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<DepthwiseArrayConfig> configs = {{4, 5, DepthwiseMultiplier::lut},
                                                     {4, 7, DepthwiseMultiplier::dsp},
                                                     {8, 2, DepthwiseMultiplier::lut},
                                                     {16, 3, DepthwiseMultiplier::dsp}};
  for (int i = 0; i < std::min(2 * repeats(1), 4); ++i)
    check_area(depthwise_array_resources(configs[static_cast<std::size_t>(i)]),
               block_of(configs[static_cast<std::size_t>(i)]));
}

TEST_CASE("depthwise_array of 16 channels and 3 lanes takes a DSP48E1 a product, and 1,000 LUTs") {
  const Resources area = depthwise_array_resources({});
  CHECK(area.dsp == 48);
  CHECK(area.lut < 1000);
  CHECK(area.ff < 1300);
}

// To fit the coefficients in sysc/blocks/depthwise_array.cpp again.
TEST_CASE("depthwise_array: what the area model is fitted to, as CSV", "[.fit]") {
  for (const DepthwiseMultiplier multiplier : multipliers)
    for (int lanes = 1; lanes < 8; ++lanes)
      print_area(depthwise_array_resources({4, lanes, multiplier}), block_of({4, lanes, multiplier}));
}
