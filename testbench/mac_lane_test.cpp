#include "block_bench.h"
#include "blocks/mac_lane.h"
#include <functional>

using namespace deltatwin;

namespace {

struct Kind {
  const char* name;
  int multiplier, count, delta_bits;
  bool consecutive;
};
// Every multiplier; operands of an odd number of bits, and of one.
const Kind kinds[] = {{"lut", 0, 1, 8, true},       {"dsp", 1, 1, 8, true},      {"packed", 2, 2, 8, true},
                      {"serial", 3, 1, 8, true},    {"lut 5", 0, 1, 5, false},   {"lut 1", 0, 1, 1, false},
                      {"packed 3", 2, 2, 3, false}, {"serial 1", 3, 1, 1, false}};

// Both twins of a lane, a cycle at a time.
class LaneBench {
public:
  explicit LaneBench(const Kind& kind)
      : kind_(kind), rtl_(seeded({"mac_lane",
                                  {{"Count", kind.count},
                                   {"DeltaBits", kind.delta_bits},
                                   {"Multiplier", kind.multiplier},
                                   {"Consecutive", kind.consecutive}},
                                  false,
                                  ""})),
        width_(rtl_.signal("acc_o").width / kind.count),
        model_({kind.count, kind.delta_bits, kind.multiplier == 3, kind.consecutive, width_}) {}

  void cycle(const MacLaneCore::Inputs& in) {
    rtl_.signal("load_i").set(in.load);
    rtl_.signal("running_i").set(in.running);
    rtl_.signal("add_i").set(in.add);
    rtl_.signal("first_i").set(in.first);
    for (int n = 0; n < kind_.count; ++n)
      rtl_.signal("deltas_i")
          .set_bits(n * kind_.delta_bits, kind_.delta_bits,
                    static_cast<std::uint64_t>(in.deltas[static_cast<std::size_t>(n)]));
    set("x_i", in.x);
    set("x_triple_i", 3 * in.x);
    set("x_negative_i", -in.x);
    rtl_.settle();
    rtl_.edge();
    rtl_.settle();
    model_.edge(in);
  }
  [[nodiscard]] std::int64_t rtl(int neuron) const {
    const std::uint64_t bits = rtl_.signal("acc_o").get(neuron * width_, width_);
    return static_cast<std::int64_t>(bits << (64 - width_)) >> (64 - width_);
  }
  [[nodiscard]] std::int64_t model(int neuron) const { return model_.accumulator(neuron); }
  [[nodiscard]] bool agree() const {
    for (int n = 0; n < kind_.count; ++n)
      if (rtl(n) != model(n))
        return false;
    return true;
  }

private:
  void set(const char* pin, int value) {
    const RtlSignal& signal = rtl_.signal(pin);
    signal.set_bits(0, signal.width, static_cast<std::uint64_t>(std::int64_t{value}));
  }

  Kind kind_;
  RtlModel rtl_;
  int width_;
  MacLaneCore model_;
};

} // namespace

TEST_CASE("mac_lane multiplies every activation by every operand, whatever the multiplier") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    LaneBench bench(kind);
    const int operands = 1 << kind.delta_bits, cycles = kind.consecutive ? 8 : kind.delta_bits;
    std::int64_t sums[2] = {0, 0}; // plain arithmetic
    bool equal = true;
    int pairs = 0;
    for (int x = -128; x < 128; ++x)
      for (int c = -operands / 2; c < operands / 2; ++c, ++pairs) {
        MacLaneCore::Inputs in;
        in.load = true;
        // The other neuron's operand goes through all of them too, in another order.
        in.deltas = {c, ((c + operands / 2) * 5 + x + 128) % operands - operands / 2};
        const bool first = pairs % 7 == 0;
        const auto deltas = in.deltas;
        bench.cycle(in);
        in = {};
        if (kind.multiplier == 3) {
          for (int bit = 0; bit < cycles; ++bit) {
            in.x = bit + 1 == cycles ? -x * (1 << bit) : x * (1 << bit);
            in.add = true;
            in.first = first && bit == 0;
            bench.cycle(in);
          }
        } else {
          in.x = x;
          bench.cycle(in);
          in = {};
          in.add = true;
          in.first = first;
          bench.cycle(in);
        }
        for (int n = 0; n < kind.count; ++n) {
          sums[n] = (first ? 0 : sums[n]) + x * deltas[static_cast<std::size_t>(n)];
          equal = equal && bench.rtl(n) == sums[n] && bench.model(n) == sums[n];
        }
        if (!equal) {
          CAPTURE(x, deltas[0], deltas[1], sums[0], sums[1], bench.rtl(0), bench.model(0));
          REQUIRE(equal);
        }
      }
    CHECK(pairs == 256 * operands);
  }
}

TEST_CASE("mac_lane twins agree in every cycle on random beats and running sums") {
  for (const Kind& kind : kinds)
    for (int i = 0; i < repeats(2); ++i) {
      const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
      CAPTURE(kind.name, seed);
      RandomWork random(seed);
      LaneBench bench(kind);
      const int half = 1 << (kind.delta_bits - 1), bits = kind.consecutive ? 8 : kind.delta_bits;
      int left = 0, beats = 0, x = 0;
      bool summed = false;
      for (int cycle = 0; cycle < 3000; ++cycle) {
        MacLaneCore::Inputs in;
        if (kind.multiplier == 3) { // a beat's bits follow each other, gaps between beats
          in.add = left > 0;
          if (left > 0) {
            in.first = left == bits && (!summed || random.in(0, 9) == 0);
            in.x = left == 1 ? -x : x;
            x *= 2;
            --left;
            summed = true;
          }
          if (left == 0 && random.in(0, 3)) {
            in.load = true;
            left = bits;
            x = random.in(-128, 127);
          }
        } else {
          in.load = random.in(0, 3) > 0;
          in.x = random.in(-128, 127);
          in.add = cycle >= 3 && random.in(0, 3) > 0;
          in.first = in.add && (!summed || random.in(0, 9) == 0);
          summed = summed || in.add;
        }
        in.running = random.in(0, 2) > 0 && beats > 0;
        beats += in.load;
        in.deltas = {random.in(-half, half - 1), random.in(-half, half - 1)};
        if (cycle == 0)
          in.load = true, in.running = false, left = kind.multiplier == 3 ? bits : 0;
        bench.cycle(in);
        if (summed && !bench.agree()) {
          CAPTURE(cycle, bench.rtl(0), bench.model(0));
          REQUIRE(bench.agree());
        }
      }
    }
}
