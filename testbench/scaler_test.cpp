#include "block_bench.h"
#include "block_top.h"
#include "blocks/scaler.h"
#include "netlist_bench.h"
#include "scaling_work.h"
#include <algorithm>
#include <optional>
#include <vector>

using namespace deltatwin;

namespace {

RtlSource block_of(const ScalerConfig& config) {
  return {"scaler",
          {{"SumBits", config.sum_bits}, {"Multiply", config.multiply}, {"FactorBits", config.factor_bits}},
          false,
          ""};
}

// Where scalers shift alone any multiplier is 1: then shifts of sums, and ties.
ScalingWork any_scaling(RandomWork& random, const ScalerConfig& config) {
  ScalingWork work = random_scaling(random, config.sum_bits, config.factor_bits);
  if (config.multiply)
    return work;
  const std::int64_t end = std::int64_t{1} << (config.sum_bits - 1);
  work.scaling.shift = random.in(0, 3) ? random.in(0, config.sum_bits - 8) : random.in(0, 63);
  const int tie = std::min(work.scaling.shift, config.sum_bits - 2);
  if (random.in(0, 1))
    work.sum = (2 * random.in(-100, 100) + 1) * (std::int64_t{1} << tie) / 2 + random.in(-1, 1);
  work.sum = std::clamp(work.sum, -end, end - 1);
  return work;
}

// Beats with gaps, and resets among them, on the RTL, the model, and the reference.
void agree(const ScalerConfig& config, const RtlSource& source, int beats) {
  const int sum_bits = config.sum_bits;
  BlockBench bench(source, {{"", "value", {"valid_o"}, {{"y_o", 8}}}});
  RandomWork random(base_seed() + static_cast<std::uint64_t>(sum_bits));
  bench.reset();
  std::vector<std::optional<ScalingWork>> pins;
  std::vector<bool> resets;
  BeatTrace trace = bench.trace();
  int ties = 0, stepped = 0, clamped = 0;
  for (int beat = 0; beat < beats; ++beat) {
    const bool valid = random.in(0, 7) != 0;
    const ScalingWork work = any_scaling(random, config);
    Scaling scaling = work.scaling;
    if (!config.multiply)
      scaling.multiplier = 1;
    const bool reset = random.in(0, 199) == 0;
    if (reset) // what is on its way is gone
      trace.beats[0].erase(std::remove_if(trace.beats[0].begin(), trace.beats[0].end(),
                                          [&](const Beat& sent) { return sent.cycle > pins.size(); }),
                           trace.beats[0].end());
    if (valid && !reset) {
      CAPTURE(sum_bits, work.sum, scaling.multiplier, scaling.shift, scaling_rule(scaling.rounding),
              scaling.zero, scaling.low, scaling.high, base_seed());
      const int y = reference_scaled(scaling, work.sum);
      REQUIRE(scaled(config, work.scaling, static_cast<std::int32_t>(work.sum)) == y);
      const Wide product = Wide{work.sum} * scaling.multiplier, unit = Wide{1} << scaling.shift;
      ties += scaling.shift > 0 && (product - unit / 2) % unit == 0;
      stepped += reference_rounded(scaling.rounding, work.sum, scaling.multiplier, scaling.shift) !=
                 reference_rounded(Rounding::half_up, work.sum, scaling.multiplier, scaling.shift);
      clamped += y == scaling.low || y == scaling.high;
      const Cycle now = pins.size();
      trace.add(0, {now + ScalerTiming::latency, static_cast<std::uint8_t>(y), {}, now});
    }
    pins.push_back(valid ? std::optional(work) : std::nullopt);
    resets.push_back(reset);
  }
  pins.resize(pins.size() + ScalerTiming::latency + 1);
  resets.resize(pins.size());
  CHECK(ties > beats / 20);
  CHECK((stepped > beats / 100 || !config.multiply));
  CHECK(clamped > beats / 10);
  CHECK(clamped < beats * 8 / 10);
  bench.run(trace, pins.size(), [&](Cycle cycle) {
    bench.set("rst_ni", !resets[cycle]);
    bench.set("valid_i", pins[cycle].has_value());
    const ScalingWork work = pins[cycle] ? *pins[cycle] : any_scaling(random, config);
    const Scaling& scaling = work.scaling;
    const int rule = scaling_rule(scaling.rounding);
    bench.set("v_i", static_cast<std::uint64_t>(work.sum) & ((std::uint64_t{1} << sum_bits) - 1));
    bench.set("m_i", static_cast<std::uint64_t>(scaling.multiplier));
    bench.set("shift_i", static_cast<std::uint64_t>(scaling.shift));
    bench.set("rule_i", static_cast<std::uint64_t>(rule ? rule : 3 * random.in(0, 1)));
    bench.set("zero_i", static_cast<std::uint8_t>(scaling.zero));
    bench.set("low_i", static_cast<std::uint8_t>(scaling.low));
    bench.set("high_i", static_cast<std::uint8_t>(scaling.high));
  });
}

} // namespace

TEST_CASE("scaler twins agree with each other and with a plain reference, by every rule") {
  for (const int sum_bits : {25, 26, 28, 31, 32})
    agree({sum_bits}, block_of({sum_bits}), repeats(20000));
}

TEST_CASE("scaler twins of sums of fewer bits, and those that shift alone, agree too") {
  for (const ScalerConfig& config :
       {ScalerConfig{12}, ScalerConfig{20}, ScalerConfig{12, false}, ScalerConfig{17, false},
        ScalerConfig{25, false}, ScalerConfig{32, false}})
    agree(config, block_of(config), repeats(20000));
}

TEST_CASE("scaler twins of multipliers of fewer bits agree, too") {
  for (const ScalerConfig& config :
       {ScalerConfig{18, true, 16}, ScalerConfig{25, true, 17}, ScalerConfig{12, true, 8},
        ScalerConfig{25, true, 18}, ScalerConfig{32, true, 8}, ScalerConfig{26, true, 17},
        ScalerConfig{32, true, 18}, ScalerConfig{29, true, 24}})
    agree(config, block_of(config), repeats(20000));
}

TEST_CASE("scaler: what Yosys makes of it does the same", "[.netlist]") {
  for (const ScalerConfig& config :
       {ScalerConfig{25}, ScalerConfig{29}, ScalerConfig{32}, ScalerConfig{16}, ScalerConfig{20, false},
        ScalerConfig{18, true, 16}, ScalerConfig{30, true, 12}}) {
    const Netlist netlist(block_of(config));
    agree(config, netlist.source(), repeats(5000));
  }
}

TEST_CASE("scaler rounds by rule, and ties of TensorFlow Lite's two steps go their own ways") {
  const auto y = [](Rounding rounding, int v, std::int32_t m, int shift) {
    return static_cast<int>(scaled({m, shift, rounding, 0, -128, 127}, v));
  };
  const std::int32_t half = 1 << 30; // of 2^31
  for (const Rounding rounding : {Rounding::half_up, Rounding::tflite}) {
    CHECK(y(rounding, 5, 1, 1) == 3);
    CHECK(y(rounding, -5, 1, 1) == -2);
    CHECK(y(rounding, -1, half, 31) == 0);
  }
  CHECK(y(Rounding::half_even, 5, 1, 1) == 2);
  CHECK(y(Rounding::half_even, -5, 1, 1) == -2);
  CHECK(y(Rounding::half_even, 7, 1, 1) == 4);
  CHECK(y(Rounding::tflite, -10, half, 32) == -3); // -2.5, away from zero
  CHECK(y(Rounding::half_up, -10, half, 32) == -2);
  CHECK(y(Rounding::tflite, 9, half, 32) == 3); // 2.25, to 2.5 and then away from zero
  CHECK(y(Rounding::half_up, 9, half, 32) == 2);
  CHECK(y(Rounding::tflite, -3, half, 32) == -1); // -0.75, to -0.5 and then away from zero
  CHECK(y(Rounding::tflite, -1, half, 32) == 0);  // -0.25, to 0
  CHECK(y(Rounding::half_up, INT32_MIN, INT32_MAX, 0) == -128);
  CHECK(y(Rounding::tflite, INT32_MAX, INT32_MAX, 0) == 127);
  CHECK(y(Rounding::half_even, INT32_MAX, INT32_MAX, 63) == 0);
  CHECK(y(Rounding::half_up, INT32_MIN, INT32_MAX, 62) == -1);
}

TEST_CASE("scaler: DSPs are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<ScalerConfig> all = {{25}, {18, true, 16}, {28, true, 14}, {27},
                                         {32}, {25, true, 17}, {16, true, 8},  {25, true, 20}};
  for (int i = 0; i < std::min(3 * repeats(1), 8); ++i) // the deep run has them all
    check_area(scaler_resources(all[static_cast<std::size_t>(i)]),
               block_of(all[static_cast<std::size_t>(i)]));
}

TEST_CASE("scaler: a network that counts thresholds is refused, not scaled") {
  CHECK_THROWS_AS(scaling_rule(Rounding::thresholds), InputError);
}

TEST_CASE("scaler: impossible parameters stop elaboration") {
  for (const int sum_bits : {11, 33}) {
    CAPTURE(sum_bits);
    CHECK_THROWS_WITH(build_rtl(block_of({sum_bits})), Catch::Contains("u_error"));
  }
  for (const int factor_bits : {7, 32}) {
    CAPTURE(factor_bits);
    CHECK_THROWS_WITH(build_rtl(block_of({25, true, factor_bits})), Catch::Contains("u_error"));
  }
}
