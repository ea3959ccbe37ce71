#include "block_bench.h"
#include "block_top.h"
#include "blocks/max_pool.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <map>

using namespace deltatwin;

namespace {

RtlSource block_of(const MaxPoolConfig& config) {
  return {"max_pool",
          {{"Channels", config.channels}, {"Lanes", config.lanes}, {"Widths", config.widths}},
          false,
          ""};
}

struct Step {
  bool reset = false, valid = false, first = false, last = false;
  std::vector<std::int8_t> window;
  unsigned lanes = 0;
  int code = 0;
};

// Of 8 >> code bits, signed: number `index` of a word's.
int field(const std::int8_t* word, int index, int code) {
  const int bits = 8 >> code, range = 1 << bits, lsb = index * bits;
  const int low = static_cast<std::uint8_t>(word[lsb / 8]) >> lsb % 8 & (range - 1);
  return low < range / 2 ? low : low - range;
}

// Random work.
void agree(const MaxPoolConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.channels, config.lanes, config.widths);
  BlockBench bench(source, WideValue::interfaces("y_o", 8 * config.channels, {"valid_o", "rst_ni"}));
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    MaxPoolCore model(config);
    std::vector<Step> steps;
    std::map<Cycle, WideValue> maxima;
    bool equal = true;
    const auto reset = [&] {
      steps.emplace_back();
      steps.back().reset = true;
      maxima.erase(maxima.lower_bound(steps.size() - 1), maxima.end());
    };
    for (int maximum = 0; maximum < 600; ++maximum) {
      const int beats = random.in(1, 4), kind = random.in(0, 3);
      int code = 0;
      do
        code = random.in(0, 3);
      while (!(config.widths >> code & 1));
      const std::size_t begin = steps.size();
      for (int b = 0; b < beats; ++b) {
        while (random.in(0, 4) == 0)
          steps.emplace_back();
        Step step;
        step.valid = true;
        step.code = code;
        step.first = b == 0;
        step.last = b + 1 == beats && random.in(0, 9); // not always before the next first one
        step.lanes = kind == 0 ? 0 : kind == 1 ? ~0u : static_cast<unsigned>(random.word(config.lanes));
        step.lanes &= (1u << config.lanes) - 1;
        for (int i = 0; i < config.lanes * config.channels; ++i) { // equal ones often, extremes, anything
          const int values[] = {-128, 127, random.in(-2, 1), random.in(-128, 127)};
          step.window.push_back(static_cast<std::int8_t>(values[random.in(0, 3)]));
        }
        model.beat(step.first, step.window.data(), step.lanes, code);
        steps.push_back(step);
      }
      if (steps.back().last) {
        for (int f = 0; f < config.channels << code; ++f) {
          int best = -(128 >> (8 - (8 >> code)));
          for (std::size_t i = begin; i < steps.size(); ++i)
            for (int j = 0; steps[i].valid && j < config.lanes; ++j)
              if (steps[i].lanes >> j & 1)
                best = std::max(best, field(steps[i].window.data() + j * config.channels, f, code));
          equal = equal && field(model.maxima().data(), f, code) == best;
        }
        maxima.insert_or_assign(steps.size() - 1 + MaxPoolTiming::maxima, WideValue(model.maxima()));
      }
      if (random.in(0, 30) == 0)
        reset();
    }
    CHECK(equal);
    steps.resize(steps.size() + 5);
    BeatTrace trace = bench.trace();
    for (std::size_t s = 0; s < steps.size(); ++s)
      if (steps[s].reset)
        trace.resets.push_back(s);
    for (const auto& [cycle, value] : maxima)
      value.add_to(trace, cycle);
    bench.set("valid_i", 0);
    bench.reset();
    bench.run(trace, steps.size(), [&](Cycle cycle) {
      const Step& step = steps[cycle];
      bench.set("rst_ni", !step.reset);
      bench.set("valid_i", step.valid);
      bench.set("first_i", step.valid ? step.first : random.word(1));
      bench.set("last_i", step.valid ? step.last : random.word(1));
      bench.set("width_i", step.valid ? static_cast<std::uint64_t>(step.code) : random.word(2));
      bench.set("lanes_i", step.valid ? step.lanes : random.word(config.lanes));
      if (step.valid)
        WideValue(step.window).drive(bench.rtl().signal("window_i"));
    });
  }
}

} // namespace

TEST_CASE("max_pool twins give the maxima of the lanes that count, of none the least, with gaps and resets") {
  for (const MaxPoolConfig& config :
       {MaxPoolConfig{16, 3}, MaxPoolConfig{4, 1}, MaxPoolConfig{8, 2}, MaxPoolConfig{4, 4},
        MaxPoolConfig{4, 5}, MaxPoolConfig{8, 7}, MaxPoolConfig{8, 3, 9}, MaxPoolConfig{8, 1, 8},
        MaxPoolConfig{4, 7, 15}, MaxPoolConfig{8, 2, 2}, MaxPoolConfig{4, 3, 4}})
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("max_pool: what Yosys makes of it does the same", "[.netlist]") {
  for (const MaxPoolConfig& config : {MaxPoolConfig{4, 5}, MaxPoolConfig{4, 3, 11}})
    agree(config, Netlist(block_of(config)).source(), repeats(1));
}

TEST_CASE("max_pool: impossible parameters stop elaboration") {
  check_refused("max_pool", {{"Channels", {2, 12, 64}}, {"Lanes", {8}}, {"Widths", {0, 16}}});
}

TEST_CASE("max_pool: no DSP, no memory, LUT and FF of the model within 15 %") {
  const std::vector<MaxPoolConfig> held_out = {{8, 3}, {4, 7}, {16, 2}, {32, 3}, {8, 5}};
  for (int i = 0; i < std::min(3 * repeats(1), 5); ++i)
    check_area(max_pool_resources(held_out[static_cast<std::size_t>(i)]),
               block_of(held_out[static_cast<std::size_t>(i)]));
}

// To fit the coefficients in sysc/blocks/max_pool.cpp again.
TEST_CASE("max_pool: what the area model is fitted to, as CSV", "[.fit]") {
  const std::vector<MaxPoolConfig> fitted = {{16, 3}, {4, 1}, {8, 2}, {4, 5}, {8, 7}, {32, 4}, {16, 6}};
  for (const MaxPoolConfig& config : fitted)
    print_area(max_pool_resources(config), block_of(config));
}
