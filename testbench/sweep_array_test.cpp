#include "block_bench.h"
#include "block_top.h"
#include "blocks/sweep_array.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <algorithm>
#include <map>

using namespace deltatwin;

namespace {

RtlSource block_of(const SweepArrayConfig& config) {
  return {"sweep_array",
          {{"Outputs", config.outputs},
           {"Channels", config.channels},
           {"Planes", config.planes},
           {"Widths", config.widths},
           {"AccBits", config.accumulator_bits},
           {"Pixels", config.pixels},
           {"DspOutputs", config.dsp_outputs}},
          false,
          ""};
}

using Bytes = std::vector<std::int8_t>;
using Beat = PlaneArrayCore::Beat;
using Sums = std::vector<std::int64_t>;

/// Of each output what a beat adds, activation by activation.
Sums products(const SweepArrayConfig& config, const Beat& beat, const Bytes& x, const Bytes& w) {
  const int bits = width_bits(beat.code), fields = config.channels << beat.code;
  Sums sums;
  for (int p = 0; p < config.outputs; ++p) {
    std::int64_t sum = 0;
    for (int i = 0; i < fields; ++i)
      for (int u = 0; u < config.planes; ++u) {
        // A weight bit for each of the activation's bits: they may differ.
        const auto at = static_cast<std::size_t>((p * config.planes + u) * config.channels);
        const unsigned mask = static_cast<unsigned>(field_of(w.data() + at, i, beat.code));
        const unsigned masked = static_cast<unsigned>(field_of(x.data(), i, beat.code)) & mask;
        const std::int64_t value = sign_extended(static_cast<std::int32_t>(masked), bits);
        sum += (beat.top && u + 1 == config.planes ? -value : value) * (std::int64_t{1} << u);
      }
    sums.push_back(sum);
  }
  return sums;
}

/// Beats, reads and resets, a cycle after another; what is read by the definition, and of the model.
class Work {
public:
  explicit Work(const SweepArrayConfig& config) : config_(config), model_(config) {
    int levels = 0, counts = 1;
    while (3 * counts < config.channels)
      counts *= 2, ++levels;
    for (int u = 1; u < config.planes; u *= 2)
      ++levels;
    seen_ = static_cast<Cycle>(5 + levels);
    CHECK(SweepArrayTiming(config).seen == seen_);
  }

  /// What is done in this cycle, one of each at most; then cycle().
  void beat(int pixel, const Beat& beat, bool last, const Bytes& x, const Bytes& w) {
    Step& step = this->step();
    step.valid = true;
    step.beat = beat;
    step.last = last;
    step.pixel = pixel;
    step.x = x;
    step.w = w;
    model_.beat(now(), pixel, beat, last, x.data(), w.data());
    std::map<Cycle, Made>& history = history_[pixel];
    Sums sums = products(config_, beat, x, w);
    if (!beat.first)
      for (std::size_t p = 0; p < sums.size(); ++p)
        sums[p] += history.rbegin()->second.sums[p] * (beat.shift ? 1 << config_.planes : 1);
    for (std::int64_t& sum : sums)
      sum = wrapped(sum);
    history[now()] = {sums, last};
  }
  /// Gives what is read.
  Sums read(int pixel) {
    Step& step = this->step();
    step.read = true;
    step.read_pixel = pixel;
    const std::map<Cycle, Made>& history = history_.at(pixel);
    auto made = history.upper_bound(now() - seen_); // the first beat that is not seen
    do
      REQUIRE(made != history.begin());
    while (!(--made)->second.last);
    const Sums& sums = made->second.sums;
    const std::vector<std::int32_t> modelled = model_.read(now(), pixel);
    WideValue value(config_.outputs * config_.accumulator_bits);
    for (std::size_t p = 0; p < sums.size(); ++p) {
      equal_ = equal_ && sums[p] == modelled[p];
      value.put(static_cast<int>(p) * config_.accumulator_bits, config_.accumulator_bits,
                static_cast<std::uint64_t>(std::int64_t{modelled[p]}));
    }
    results_.insert_or_assign(now() + 2, value);
    return sums;
  }
  void reset() {
    step().reset = true;
    model_.reset(now());
    for (auto& [pixel, history] : history_)
      history.erase(history.upper_bound(now() - seen_), history.end());
    results_.erase(results_.lower_bound(now()), results_.end());
  }
  void cycle() { ++now_; }
  void wait(Cycle cycles) { now_ += cycles; }
  [[nodiscard]] Cycle now() const { return now_; }
  [[nodiscard]] Cycle seen() const { return seen_; }
  /// Whether this pixel may have a beat now.
  [[nodiscard]] bool apart(int pixel) const {
    const auto history = history_.find(pixel);
    return history == history_.end() || history->second.rbegin()->first + 4 <= now_;
  }

  static BlockBench bench(const SweepArrayConfig& config) { return bench(config, block_of(config)); }
  static BlockBench bench(const SweepArrayConfig& config, const RtlSource& source) {
    return {source, WideValue::interfaces("sums_o", config.outputs * config.accumulator_bits,
                                          {{"valid_o"}, {"rst_ni"}})};
  }
  void run(BlockBench& bench) {
    CHECK(equal_);
    wait(8);
    steps_.resize(now_);
    BeatTrace trace = bench.trace();
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (steps_[s].reset)
        trace.resets.push_back(s);
    for (const auto& [cycle, value] : results_)
      value.add_to(trace, cycle);
    bench.set("valid_i", 0);
    bench.set("read_i", 0);
    bench.reset();
    RandomWork random(base_seed());
    bench.run(trace, steps_.size(), [&](Cycle cycle) {
      const Step& step = steps_[cycle];
      bench.set("rst_ni", !step.reset);
      bench.set("valid_i", step.valid || (step.reset && random.in(0, 1)));
      for (const auto& [pin, value] :
           {std::pair("first_i", step.beat.first), std::pair("last_i", step.last),
            std::pair("top_i", step.beat.top), std::pair("shift_i", step.beat.shift)})
        bench.set(pin, step.valid ? value : random.word(1));
      bench.set("width_i", step.valid ? static_cast<std::uint64_t>(step.beat.code) : random.word(2));
      const int bits = address_bits(config_.pixels);
      bench.set("pixel_i", step.valid ? static_cast<std::uint64_t>(step.pixel) : random.word(bits));
      bench.set("read_i", step.read || (step.reset && random.in(0, 1)));
      bench.set("read_pixel_i", step.read ? static_cast<std::uint64_t>(step.read_pixel) : random.word(bits));
      if (!step.valid)
        return;
      WideValue(step.x).drive(bench.rtl().signal("x_i"));
      WideValue(step.w).drive(bench.rtl().signal("w_i"));
    });
  }

private:
  struct Step {
    bool reset = false, valid = false, read = false;
    Beat beat;
    bool last = false;
    int pixel = 0, read_pixel = 0;
    Bytes x, w;
  };
  struct Made {
    Sums sums;
    bool last; ///< they can be read
  };

  Step& step() {
    if (steps_.size() <= now_)
      steps_.resize(now_ + 1);
    return steps_[now_];
  }
  [[nodiscard]] std::int64_t wrapped(std::int64_t sum) const {
    const std::int64_t range = std::int64_t{1} << config_.accumulator_bits, low = sum & (range - 1);
    return low < range / 2 ? low : low - range;
  }

  SweepArrayConfig config_;
  SweepArrayCore model_;
  Cycle seen_ = 0, now_ = 0;
  std::map<int, std::map<Cycle, Made>> history_; ///< sums of a pixel, by the beat that made them
  std::vector<Step> steps_;
  std::map<Cycle, WideValue> results_;
  bool equal_ = true;
};

int any_code(RandomWork& random, int widths) {
  for (;;)
    if (const int code = random.in(0, width_codes - 1); widths >> code & 1)
      return code;
}

Bytes any_bytes(RandomWork& random, int count,
                int kind) { // all the same, extremes of all widths, mixed, anything
  constexpr int extremes[] = {-1, 0, 127, -128, 0x55, 0x2a, 0x77, -0x78};
  Bytes bytes;
  const int same = random.in(0, 1) ? -1 : extremes[random.in(0, 7)];
  for (int i = 0; i < count; ++i)
    bytes.push_back(static_cast<std::int8_t>(kind == 0                     ? same
                                             : kind < 3 && random.in(0, 1) ? extremes[random.in(0, 7)]
                                                                           : random.in(-128, 127)));
  return bytes;
}

// Of DSPs' outputs an activation's four weight bits are equal.
Bytes any_weights(RandomWork& random, const SweepArrayConfig& config, int kind) {
  Bytes bytes = any_bytes(random, config.outputs * config.planes * config.channels, kind);
  constexpr int low = 1, high = 0x10, all = 0xf;
  for (int i = 0; i < config.dsp_outputs * config.planes * config.channels; ++i) {
    std::int8_t& byte = bytes[static_cast<std::size_t>(i)];
    byte = static_cast<std::int8_t>((byte & low ? all : 0) | (byte & high ? all << 4 : 0));
  }
  if (kind == 0 && random.in(0, 1)) { // all weights the most negative, or the most positive
    const bool negative = random.in(0, 1) != 0;
    for (int i = 0; i < config.outputs * config.planes * config.channels; ++i)
      bytes[static_cast<std::size_t>(i)] =
          ((i / config.channels + 1) % config.planes == 0) == negative ? -1 : 0;
  }
  return bytes;
}

int window(const SweepArrayConfig& config) { return config.channels; }
int word(const SweepArrayConfig& config) { return config.outputs * config.planes * config.channels; }
bool any_top(RandomWork& random, const SweepArrayConfig& config) {
  return random.in(0, 1) != 0 || config.dsp_outputs > 0;
}

// A first beat for all sums, so that they are known.
void begin_all(Work& work, const SweepArrayConfig& config, RandomWork& random) {
  for (int pixel = 0; pixel < config.pixels; ++pixel, work.cycle())
    work.beat(pixel, {true, true, false, any_code(random, config.widths)}, true,
              any_bytes(random, window(config), 3), any_weights(random, config, 3));
  work.wait(work.seen());
}

void agree(const SweepArrayConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.outputs, config.channels, config.planes, config.widths, config.accumulator_bits,
          config.pixels, config.dsp_outputs);
  BlockBench bench = Work::bench(config, source);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    Work work(config);
    begin_all(work, config, random);
    // Often the same few pixels, and reads of what has just changed.
    int latest = 0;
    for (int cycle = 0; cycle < 700; ++cycle, work.cycle()) {
      if (random.in(0, 99) == 0) {
        work.reset();
        continue;
      }
      const int pixels = cycle / 100 % 2 ? config.pixels : 6, kind = random.in(0, 3);
      const int pixel = random.in(0, pixels - 1);
      if (work.apart(pixel) && random.in(0, 9)) {
        const Beat beat{random.in(0, 5) == 0, any_top(random, config), random.in(0, 2) == 0,
                        any_code(random, config.widths)};
        work.beat(pixel, beat, random.in(0, 2) == 0, any_bytes(random, window(config), kind),
                  any_weights(random, config, kind));
        latest = pixel;
      }
      if (random.in(0, 3))
        work.read(random.in(0, 1) ? latest : random.in(0, pixels - 1));
    }
    work.run(bench);
  }
}

} // namespace

TEST_CASE("sweep_array twins give all sums, read at any time, of beats of any flags, with wraps and resets") {
  for (const SweepArrayConfig& config :
       {SweepArrayConfig{8, 8, 4, 2, 18, 64}, SweepArrayConfig{2, 8, 1, 15, 12, 16},
        SweepArrayConfig{3, 16, 2, 9, 25, 32}, SweepArrayConfig{2, 8, 8, 8, 20, 64},
        SweepArrayConfig{2, 32, 1, 6, 25, 32}})
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("sweep_array twins agree, too, where outputs are summed in DSPs") {
  for (const SweepArrayConfig& config :
       {SweepArrayConfig{8, 8, 4, 2, 18, 64, 3}, SweepArrayConfig{6, 16, 4, 2, 12, 16, 6},
        SweepArrayConfig{4, 32, 4, 2, 25, 32, 3}})
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("sweep_array of DSPs: what Yosys makes of it does the same", "[.netlist]") {
  for (const SweepArrayConfig& config :
       {SweepArrayConfig{3, 8, 4, 2, 18, 16, 3}, SweepArrayConfig{7, 16, 4, 2, 14, 32, 6}}) {
    const Netlist netlist(block_of(config));
    agree(config, netlist.source(), repeats(2));
  }
}

// Tiles of weights as the array sweeps them: a tile takes passes of planes, a pass the windows of a kernel,
// one after another, each over all pixels; it is drained while the next one is summed, up to its last sweep.
TEST_CASE("sweep_array twins multiply what sweeps over pixels by weights of 1 to 8 bits that stand still") {
  for (const SweepArrayConfig& config :
       {SweepArrayConfig{4, 8, 4, 14, 20, 16}, SweepArrayConfig{2, 8, 1, 15, 25, 64}}) {
    CAPTURE(config.planes, base_seed());
    BlockBench bench = Work::bench(config);
    RandomWork random(base_seed());
    Work work(config);
    struct Drain {
      int pixel;
      Cycle from; ///< when its sum stands
      std::vector<std::int64_t> expected;
    };
    std::vector<Drain> drains;
    std::size_t drained = 0;
    const auto cycle = [&] {
      if (drained < drains.size() && drains[drained].from <= work.now()) {
        CHECK(work.read(drains[drained].pixel) == drains[drained].expected);
        ++drained;
      }
      work.cycle();
    };
    for (int tile = 0; tile < repeats(8); ++tile) {
      const int code = any_code(random, config.widths), bits = width_bits(code);
      const int terms = config.channels << code, windows = random.in(1, 3),
                pixels = random.in(1, config.pixels);
      const int weight_bits = random.in(1, 8), passes = (weight_bits + config.planes - 1) / config.planes;
      std::vector<std::vector<Bytes>> x;                  // [window][pixel]
      std::vector<std::vector<std::vector<int>>> weights; // [window][output][term]
      std::vector<Sums> sums(static_cast<std::size_t>(pixels),
                             Sums(static_cast<std::size_t>(config.outputs)));
      for (int k = 0; k < windows; ++k) {
        x.emplace_back();
        weights.emplace_back();
        for (int p = 0; p < config.outputs; ++p) {
          weights.back().emplace_back();
          for (int t = 0; t < terms; ++t)
            weights.back().back().push_back(
                random.in(-(1 << (weight_bits - 1)), (1 << (weight_bits - 1)) - 1));
        }
        for (Sums& sum : sums) {
          x.back().push_back(random.bytes(static_cast<std::size_t>(config.channels)));
          for (std::size_t p = 0; p < sum.size(); ++p)
            for (int t = 0; t < terms; ++t) {
              const int value = field_of(x.back().back().data(), t, code);
              REQUIRE(value >= -(1 << (bits - 1)));
              sum[p] += value * weights.back()[p][static_cast<std::size_t>(t)];
            }
        }
      }
      for (int n = 0; n < passes; ++n)
        for (int k = 0; k < windows; ++k) {
          Bytes w(static_cast<std::size_t>(word(config)));
          for (int p = 0; p < config.outputs; ++p)
            for (int u = 0; u < config.planes; ++u)
              for (int t = 0; t < terms; ++t) {
                const int weight = weights[static_cast<std::size_t>(k)][static_cast<std::size_t>(p)]
                                          [static_cast<std::size_t>(t)];
                const int bit = weight >> ((passes - 1 - n) * config.planes + u) & 1;
                set_field(&w[static_cast<std::size_t>((p * config.planes + u) * config.channels)], t, code,
                          -bit);
              }
          const bool last = n + 1 == passes && k + 1 == windows;
          while (last && drained < drains.size())
            cycle(); // what it would write over is still read
          for (int pixel = 0; pixel < std::max(pixels, 4); ++pixel) {
            if (pixel < pixels) {
              work.beat(pixel, {n == 0 && k == 0, n == 0, n > 0 && k == 0, code}, last,
                        x[static_cast<std::size_t>(k)][static_cast<std::size_t>(pixel)], w);
              if (last)
                drains.push_back({pixel, work.now() + work.seen(), sums[static_cast<std::size_t>(pixel)]});
            }
            cycle();
          }
        }
    }
    while (drained < drains.size())
      cycle();
    work.run(bench);
  }
}

TEST_CASE("sweep_array: impossible parameters stop elaboration") {
  check_refused("sweep_array", {{"Outputs", {1, 33}},
                                {"Channels", {4, 12, 64}},
                                {"Planes", {3, 16}},
                                {"Widths", {0, 16}},
                                {"AccBits", {11, 26}},
                                {"Pixels", {8, 48, 128}},
                                {"DspOutputs", {-3, 1, 9}}});
  CHECK_THROWS_WITH(build_rtl(block_of({8, 8, 4, 1, 18, 64, 3})), Catch::Contains("u_error"));
  CHECK_THROWS_WITH(build_rtl(block_of({8, 8, 2, 2, 18, 64, 3})), Catch::Contains("u_error"));
}

TEST_CASE("sweep_array: LUT-RAM is as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<SweepArrayConfig> configs = {{2, 8, 4, 2, 18, 64},
                                                 {3, 8, 1, 9, 20, 16},
                                                 {2, 16, 2, 2, 25, 32},
                                                 {2, 32, 1, 15, 25, 64},
                                                 {4, 8, 8, 8, 12, 64}};
  for (int i = 0; i < std::min(2 * repeats(1), 5); ++i) {
    const SweepArrayConfig& config = configs[static_cast<std::size_t>(i)];
    check_area(sweep_array_resources(config), block_of(config));
  }
}

TEST_CASE("sweep_array of DSPs: DSPs and LUT-RAM are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<SweepArrayConfig> configs = {
      {3, 8, 4, 2, 18, 64, 3}, {4, 16, 4, 2, 18, 32, 3}, {6, 8, 4, 2, 20, 16, 6}};
  for (int i = 0; i < std::min(repeats(1), 3); ++i) {
    const SweepArrayConfig& config = configs[static_cast<std::size_t>(i)];
    check_area(sweep_array_resources(config), block_of(config));
  }
}

TEST_CASE("sweep_array of 8 outputs of 16 activations of 4 bits by weights of 4 takes less than 4,000 LUTs") {
  const Resources area = sweep_array_resources({});
  CHECK(area.lut < 4000);
  CHECK(area.ff < 4500);
  SweepArrayConfig dsps;
  dsps.dsp_outputs = 3;
  const Resources less = sweep_array_resources(dsps);
  CHECK(less.lut < area.lut - 1000);
  CHECK(less.dsp == 16);
}

// To fit the coefficients in sysc/blocks/plane_product.cpp again.
TEST_CASE("sweep_array: what the area model is fitted to, as CSV", "[.fit]") {
  for (const int widths : {1, 2, 4, 8, 9, 15, 6})
    for (const auto& [channels, planes] :
         {std::pair(8, 1), std::pair(8, 4), std::pair(16, 2), std::pair(32, 1)}) {
      const SweepArrayConfig config{2, channels, planes, widths, 18, 64};
      print_area(sweep_array_resources(config), block_of(config));
    }
}
