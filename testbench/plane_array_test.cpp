#include "block_bench.h"
#include "block_top.h"
#include "blocks/plane_array.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <map>

using namespace deltatwin;

namespace {

RtlSource block_of(const PlaneArrayConfig& config) {
  return {"plane_array",
          {{"Outputs", config.outputs},
           {"Channels", config.channels},
           {"Lanes", config.lanes},
           {"Planes", config.planes},
           {"Widths", config.widths},
           {"References", config.references},
           {"AccBits", config.accumulator_bits}},
          false,
          ""};
}

using Bytes = std::vector<std::int8_t>;

// Bit by bit: what those of x weigh that have a weight bit.
std::int64_t product(const std::int8_t* x, const std::int8_t* w, int bytes, int bits) {
  std::int64_t sum = 0;
  for (int i = 0; i < 8 * bytes; ++i)
    if (x[i / 8] >> i % 8 & w[i / 8] >> i % 8 & 1)
      sum += i % bits == bits - 1 ? -(1 << (bits - 1)) : 1 << i % bits;
  return sum;
}

std::int64_t wrapped(std::int64_t sum, int bits) {
  const std::int64_t range = std::int64_t{1} << bits, low = sum & (range - 1);
  return low < range / 2 ? low : low - range;
}

// Beats, what comes out by the definition alone, and of the model.
class Work {
public:
  using Beat = PlaneArrayCore::Beat;

  explicit Work(const PlaneArrayConfig& config)
      : config_(config), model_(config), sums_(static_cast<std::size_t>(config.outputs)) {}

  void beat(const Beat& beat, bool last, const Bytes& x, const Bytes& w) {
    steps_.push_back({false, true, beat, last, x, w});
    model_.beat(beat, x.data(), w.data());
    const std::int8_t* plane = w.data();
    const int bits = width_bits(beat.code);
    for (std::int64_t& sum : sums_) {
      sum = beat.first ? 0 : beat.shift ? wrapped(sum, 32) * (1 << config_.planes) : sum;
      for (int u = 0; u < config_.planes; ++u, plane += config_.window()) {
        const std::int64_t of_plane = product(x.data(), plane, config_.window(), bits) * (1 << u);
        sum += beat.top && u + 1 == config_.planes ? -of_plane : of_plane;
      }
    }
    if (beat.top && config_.references)
      total_ = (beat.first ? 0 : total_) + product(x.data(), plane, config_.window(), bits);
    if (!last)
      return;
    const int acc_bits = config_.accumulator_bits;
    WideValue sums(config_.outputs * acc_bits);
    for (int p = 0; p < config_.outputs; ++p) {
      sums.put(p * acc_bits, acc_bits, static_cast<std::uint64_t>(std::int64_t{model_.sum(p)}));
      equal_ = equal_ && model_.sum(p) == wrapped(sums_[static_cast<std::size_t>(p)], acc_bits);
    }
    equal_ = equal_ && model_.total() == wrapped(total_, acc_bits);
    results_.insert_or_assign(
        steps_.size() - 1 + PlaneArrayTiming(config_).sums,
        Result{sums, static_cast<std::uint64_t>(wrapped(total_, acc_bits)) & ((1ull << acc_bits) - 1)});
  }
  [[nodiscard]] std::int64_t sum(int output) const { return sums_[static_cast<std::size_t>(output)]; }
  [[nodiscard]] std::int64_t total() const { return total_; }
  void reset() {
    steps_.emplace_back();
    steps_.back().reset = true;
    results_.erase(results_.lower_bound(steps_.size() - 1), results_.end());
  }
  void wait(int cycles) { steps_.resize(steps_.size() + static_cast<std::size_t>(cycles)); }

  static BlockBench bench(const PlaneArrayConfig& config, const RtlSource& source) {
    std::vector<Interface> interfaces =
        WideValue::interfaces("sums_o", config.outputs * config.accumulator_bits, {{"valid_o"}, {"rst_ni"}});
    interfaces.push_back(
        {"", "totals_o", {{"valid_o"}, {"rst_ni"}}, {{"totals_o", config.accumulator_bits}}});
    return {source, interfaces};
  }
  void run(BlockBench& bench) {
    CHECK(equal_);
    wait(20);
    BeatTrace trace = bench.trace();
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (steps_[s].reset)
        trace.resets.push_back(s);
    for (const auto& [cycle, result] : results_) {
      result.sums.add_to(trace, cycle);
      trace.beats.back().push_back({cycle, result.total, {}, cycle});
    }
    bench.set("valid_i", 0);
    bench.reset();
    RandomWork random(base_seed());
    bench.run(trace, steps_.size(), [&](Cycle cycle) {
      const Step& step = steps_[cycle];
      bench.set("rst_ni", !step.reset);
      bench.set("valid_i", step.valid);
      for (const auto& [pin, value] :
           {std::pair("first_i", step.beat.first), std::pair("last_i", step.last),
            std::pair("top_i", step.beat.top), std::pair("shift_i", step.beat.shift)})
        bench.set(pin, step.valid ? value : random.word(1));
      bench.set("width_i", step.valid ? static_cast<std::uint64_t>(step.beat.code) : random.word(2));
      if (!step.valid)
        return;
      WideValue(step.x).drive(bench.rtl().signal("x_i"));
      WideValue(step.w).drive(bench.rtl().signal("w_i"));
    });
  }

private:
  struct Step {
    bool reset = false, valid = false;
    Beat beat;
    bool last = false;
    Bytes x, w;
  };
  struct Result {
    WideValue sums;
    std::uint64_t total;
  };
  PlaneArrayConfig config_;
  PlaneArrayCore model_;
  std::vector<std::int64_t> sums_;
  std::int64_t total_ = 0;
  std::vector<Step> steps_;
  std::map<Cycle, Result> results_;
  bool equal_ = true;
};

int any_code(RandomWork& random, int widths) {
  for (;;)
    if (const int code = random.in(0, width_codes - 1); widths >> code & 1)
      return code;
}

// Beats with gaps, extremes, wraps and resets, whatever flags they have.
void agree(const PlaneArrayConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.outputs, config.channels, config.lanes, config.planes, config.widths, config.references,
          config.accumulator_bits);
  BlockBench bench = Work::bench(config, source);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    Work work(config);
    for (int sum = 0; sum < 80; ++sum) {
      const int beats = random.in(0, 9) ? random.in(1, 6) : random.in(30, 60);
      const int kind = random.in(0, 3), code = any_code(random, config.widths);
      const auto any = [&] { // all ones, their extremes, mixed, anything
        const int extremes[] = {-1, 0, 127, -128, 0x55, 0x2a, 0x77, -0x78};
        return static_cast<std::int8_t>(kind == 0                     ? -1
                                        : kind < 3 && random.in(0, 1) ? extremes[random.in(0, 7)]
                                                                      : random.in(-128, 127));
      };
      for (int b = 0; b < beats; ++b) {
        while (random.in(0, 4) == 0)
          work.wait(1);
        Bytes x(static_cast<std::size_t>(config.window())), w(static_cast<std::size_t>(config.word()));
        for (auto* bytes : {&x, &w})
          for (std::int8_t& byte : *bytes)
            byte = any();
        const bool mixed = random.in(0, 3) == 0; // widths, which no layer does
        // A first beat may come before the sum before it had a last one.
        work.beat({b == 0, b == 0 || random.in(0, 1) != 0, random.in(0, 2) == 0,
                   mixed ? any_code(random, config.widths) : code},
                  b + 1 == beats && random.in(0, 5), x, w);
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

TEST_CASE("plane_array twins give all sums and totals of beats of any flags, with gaps, wraps, resets") {
  for (const PlaneArrayConfig& config :
       {PlaneArrayConfig{4, 8, 3, 1, 9, true, 25}, PlaneArrayConfig{2, 8, 1, 1, 8, false, 12},
        PlaneArrayConfig{2, 8, 2, 4, 2, true, 25}, PlaneArrayConfig{3, 8, 5, 2, 15, true, 20},
        PlaneArrayConfig{2, 16, 1, 8, 6, true, 25}, PlaneArrayConfig{2, 8, 7, 1, 4, true, 25},
        PlaneArrayConfig{2, 32, 3, 1, 1, false, 25}})
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("plane_array: what Yosys makes of it does the same", "[.netlist]") {
  for (const PlaneArrayConfig& config :
       {PlaneArrayConfig{2, 8, 3, 1, 9, true, 25}, PlaneArrayConfig{2, 8, 1, 4, 14, true, 20}})
    agree(config, Netlist(block_of(config)).source(), repeats(1));
}

TEST_CASE("plane_array twins multiply activations of 8 to 1 bits by weights of 1 to 8 in passes of planes") {
  for (const PlaneArrayConfig& config :
       {PlaneArrayConfig{4, 8, 1, 1, 15, true, 25}, PlaneArrayConfig{2, 8, 2, 2, 15, true, 25},
        PlaneArrayConfig{2, 8, 1, 4, 15, true, 25}, PlaneArrayConfig{2, 8, 1, 8, 15, true, 25}}) {
    CAPTURE(config.planes, base_seed());
    BlockBench bench = Work::bench(config, block_of(config));
    RandomWork random(base_seed());
    Work work(config);
    for (int round = 0; round < repeats(60); ++round) {
      const int code = any_code(random, config.widths), bits = width_bits(code);
      const int weight_bits = random.in(1, 8), passes = (weight_bits + config.planes - 1) / config.planes;
      const int windows = random.in(1, 3), terms = config.window() << code;
      const auto activations = static_cast<std::size_t>(windows * terms);
      std::vector<Bytes> windows_x;
      for (int k = 0; k < windows; ++k)
        windows_x.push_back(random.bytes(static_cast<std::size_t>(config.window())));
      std::vector<std::vector<int>> weights(static_cast<std::size_t>(config.outputs));
      std::vector<std::int64_t> sums(weights.size());
      std::int64_t total = 0;
      std::vector<int> counts;
      for (std::size_t t = 0; t < activations; ++t)
        counts.push_back(random.in(0, 1));
      for (std::size_t t = 0; t < activations; ++t) {
        const int x = field_of(windows_x[t / static_cast<std::size_t>(terms)].data(),
                               static_cast<int>(t) % terms, code);
        REQUIRE(x >= -(1 << (bits - 1)));
        total += counts[t] * x;
        for (std::size_t p = 0; p < weights.size(); ++p) {
          weights[p].push_back(random.in(-(1 << (weight_bits - 1)), (1 << (weight_bits - 1)) - 1));
          sums[p] += x * weights[p].back();
        }
      }
      for (int n = 0; n < passes; ++n)
        for (int k = 0; k < windows; ++k) {
          Bytes w(static_cast<std::size_t>(config.word()));
          const auto put = [&](int plane, int term, bool bit) {
            set_field(&w[static_cast<std::size_t>(plane * config.window())], term, code, bit ? -1 : 0);
          };
          for (int term = 0; term < terms; ++term) {
            const auto t = static_cast<std::size_t>(k * terms + term);
            for (int p = 0; p < config.outputs; ++p)
              for (int u = 0; u < config.planes; ++u)
                put(p * config.planes + u, term,
                    weights[static_cast<std::size_t>(p)][t] >> ((passes - 1 - n) * config.planes + u) & 1);
            put(config.outputs * config.planes, term, counts[t]);
          }
          work.beat({n == 0 && k == 0, n == 0, n > 0 && k == 0, code}, n + 1 == passes && k + 1 == windows,
                    windows_x[static_cast<std::size_t>(k)], w);
        }
      for (int p = 0; p < config.outputs; ++p)
        CHECK(work.sum(p) == sums[static_cast<std::size_t>(p)]);
      CHECK(work.total() == total);
    }
    work.run(bench);
  }
}

TEST_CASE("plane_array: impossible parameters stop elaboration") {
  check_refused("plane_array", {{"Outputs", {1, 65}},
                                {"Channels", {4, 12, 64}},
                                {"Lanes", {8}},
                                {"Planes", {3, 16}},
                                {"Widths", {0, 16}},
                                {"References", {2}},
                                {"AccBits", {11, 33}}});
}
