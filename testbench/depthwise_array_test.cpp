#include "block_bench.h"
#include "block_top.h"
#include "blocks/depthwise_array.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <map>

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

struct Step {
  bool reset = false, valid = false, first = false, last = false;
  std::vector<std::int8_t> x, w;
};

// What comes out, computed from the definition alone, and of the model.
struct Work {
  explicit Work(const DepthwiseArrayConfig& c) : config(c), model(c) {}

  void beat(bool first, bool last, const std::vector<std::int8_t>& x, const std::vector<std::int8_t>& w) {
    steps.push_back({false, true, first, last, x, w});
    const Cycle cycle = steps.size() - 1;
    model.beat(first, x.data(), w.data());
    if (first)
      begin = steps.size() - 1;
    if (!last)
      return;
    WideValue modelled(config.channels * DepthwiseArrayConfig::accumulator_bits), plain = modelled;
    for (int c = 0; c < config.channels; ++c) {
      std::int64_t sum = 0;
      for (std::size_t s = begin; s < steps.size(); ++s)
        for (int j = 0; steps[s].valid && j < config.lanes; ++j) {
          const auto byte = static_cast<std::size_t>(j * config.channels + c);
          sum += std::int64_t{steps[s].x[byte]} * steps[s].w[byte];
        }
      const int bits = DepthwiseArrayConfig::accumulator_bits;
      plain.put(c * bits, bits, static_cast<std::uint64_t>(sum));
      modelled.put(c * bits, bits, static_cast<std::uint64_t>(std::int64_t{model.sum(c)}));
      equal = equal && model.sum(c) == wrapped(sum);
    }
    sums.insert_or_assign(cycle + DepthwiseArrayTiming(config).sums, modelled);
  }
  void reset() {
    steps.emplace_back();
    steps.back().reset = true;
    sums.erase(sums.lower_bound(steps.size() - 1), sums.end());
  }
  void wait(int cycles) { steps.resize(steps.size() + static_cast<std::size_t>(cycles)); }

  void run(BlockBench& bench) {
    CHECK(equal);
    int levels = 0; // of adders of two
    while (1 << levels < config.lanes)
      ++levels;
    CHECK(DepthwiseArrayTiming(config).sums == static_cast<Cycle>(4 + levels));
    wait(20);
    BeatTrace trace = bench.trace();
    for (std::size_t s = 0; s < steps.size(); ++s)
      if (steps[s].reset)
        trace.resets.push_back(s);
    for (const auto& [cycle, value] : sums)
      value.add_to(trace, cycle);
    bench.set("valid_i", 0);
    bench.reset();
    RandomWork random(base_seed());
    bench.run(trace, steps.size(), [&](Cycle cycle) {
      const Step& step = steps[cycle];
      bench.set("rst_ni", !step.reset);
      bench.set("valid_i", step.valid);
      bench.set("first_i", step.valid ? step.first : random.word(1));
      bench.set("last_i", step.valid ? step.last : random.word(1));
      if (!step.valid)
        return;
      WideValue(step.x).drive(bench.rtl().signal("x_i"));
      WideValue(step.w).drive(bench.rtl().signal("w_i"));
    });
  }

  [[nodiscard]] static std::int64_t wrapped(std::int64_t sum) {
    const std::int64_t range = std::int64_t{1} << DepthwiseArrayConfig::accumulator_bits,
                       low = sum & (range - 1);
    return low < range / 2 ? low : low - range;
  }

  DepthwiseArrayConfig config;
  DepthwiseArrayCore model;
  std::vector<Step> steps;
  std::map<Cycle, WideValue> sums;
  std::size_t begin = 0;
  bool equal = true;
};

BlockBench bench_of(const DepthwiseArrayConfig& config, const RtlSource& source) {
  return {source, WideValue::interfaces("sums_o", config.channels * DepthwiseArrayConfig::accumulator_bits,
                                        {"valid_o", "rst_ni"})};
}

const DepthwiseMultiplier multipliers[] = {DepthwiseMultiplier::lut, DepthwiseMultiplier::dsp};

// Beats with gaps, extremes, wraps and resets.
void agree(const DepthwiseArrayConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.channels, config.lanes, static_cast<int>(config.multiplier));
  BlockBench bench = bench_of(config, source);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    Work work(config);
    for (int sum = 0; sum < 80; ++sum) {
      const int beats = random.in(0, 9) ? random.in(1, 6) : random.in(30, 400), kind = random.in(0, 3);
      const auto any = [&] { // all -128, the extremes, mixed, anything
        const int extreme = kind == 0 || random.in(0, 1) ? -128 : 127;
        return static_cast<std::int8_t>(kind < 2 || (kind == 2 && random.in(0, 1)) ? extreme
                                                                                   : random.in(-128, 127));
      };
      for (int b = 0; b < beats; ++b) {
        while (random.in(0, 4) == 0)
          work.wait(1);
        std::vector<std::int8_t> x(static_cast<std::size_t>(config.terms())), w(x.size());
        for (auto* operands : {&x, &w})
          for (std::int8_t& operand : *operands)
            operand = any();
        // A first beat may come before the sum before it had a last one.
        work.beat(b == 0, b + 1 == beats && random.in(0, 5), x, w);
        if (b + 1 < beats && random.in(0, 60) == 0) {
          work.reset();
          break;
        }
      }
      if (random.in(0, 12) == 0)
        work.reset();
    }
    work.run(bench);
  }
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
    BlockBench bench = bench_of(config, block_of(config));
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
  BlockBench bench = bench_of(config, block_of(config));
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
