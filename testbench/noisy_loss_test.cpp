#include "block_bench.h"
#include "blocks/noisy_loss.h"
#include "refused_parameters.h"
#include <algorithm>
#include <vector>

using namespace deltatwin;

namespace {

// A number of three limbs of 40 bits, to add squares up without a 128-bit type.
struct Limbs {
  std::uint64_t limb[3] = {0, 0, 0};
  void add(std::uint64_t value, int shift) {
    for (int bit = 0; bit < 64; ++bit)
      if (value >> bit & 1)
        limb[(bit + shift) / 40] += std::uint64_t{1} << ((bit + shift) % 40);
    for (int i = 0; i < 2; ++i) {
      limb[i + 1] += limb[i] >> 40;
      limb[i] &= (std::uint64_t{1} << 40) - 1;
    }
  }
  void add_square(std::uint64_t size) {
    const std::uint64_t low = size & 0xffffff, high = size >> 24;
    add(low * low, 0);
    for (int twice = 0; twice < 2; ++twice)
      add(low * high, 24);
    add(high * high, 48);
  }
  bool operator<(const Limbs& other) const {
    for (int i = 2; i >= 0; --i)
      if (limb[i] != other.limb[i])
        return limb[i] < other.limb[i];
    return false;
  }
  [[nodiscard]] std::uint64_t bits(int from, int count) const {
    std::uint64_t value = 0;
    for (int bit = 0; bit < count; ++bit)
      value |= (limb[(from + bit) / 40] >> ((from + bit) % 40) & 1) << bit;
    return value;
  }
};

} // namespace

TEST_CASE("noisy_loss twins add squares up exactly and keep the first of the least") {
  for (const NoisyLossConfig& config :
       {NoisyLossConfig{45, 12}, NoisyLossConfig{22, 2}, NoisyLossConfig{47, 12}, NoisyLossConfig{34, 6},
        NoisyLossConfig{3, 2}, NoisyLossConfig{52, 12}}) {
    CAPTURE(config.sum_bits, config.count_bits);
    PinBench pins("noisy_loss", {{"SumBits", config.sum_bits}, {"CountBits", config.count_bits}},
                  {"rst_ni", "start_i", "valid_i"});
    pins.set("rst_ni", 1);
    RandomWork random(base_seed());
    NoisyLossCore model;
    Limbs loss, best;
    bool fresh = true;
    struct Verdict {
      int cycle;
      NoisyLossCore::Verdict model;
      Limbs loss;
      bool better;
    };
    std::vector<Verdict> verdicts;
    std::size_t next = 0;
    int sums = 0, length = 1, shape = 0, ties = 0, pause = 0;
    std::int64_t kept = 0;
    for (int cycle = 0; cycle < repeats(8000); ++cycle) {
      const bool start = pause == 1, valid = pause == 0 && random.in(0, 4) != 0;
      pause -= pause > 0;
      const std::uint64_t range = (std::uint64_t{1} << (config.sum_bits - 1)) - 1;
      std::int64_t sum =
          shape == 0   ? static_cast<std::int64_t>(range)
          : shape == 1 ? kept
                       : static_cast<std::int64_t>(random.word(config.sum_bits - 1) >> random.in(0, 20));
      if (random.in(0, 1))
        sum = -sum;
      const bool end = valid && sums + 1 == length;
      pins.set("start_i", start);
      pins.set("valid_i", valid);
      pins.set("sum_i", static_cast<std::uint64_t>(sum) & ((std::uint64_t{1} << config.sum_bits) - 1));
      pins.set("end_i", end);
      if (start) {
        model.start();
        fresh = true;
      }
      if (valid) {
        model.add(sum);
        loss.add_square(static_cast<std::uint64_t>(sum < 0 ? -sum : sum));
        ++sums;
      }
      if (end) {
        const bool better = fresh || loss < best;
        verdicts.push_back({cycle + 5, model.judge(), loss, better});
        ties += !fresh && !(loss < best) && !(best < loss);
        if (better)
          best = loss;
        fresh = false;
        loss = {};
        sums = 0;
        if (random.in(0, 9) == 0)
          pause = random.in(7, 12);
        const int before = shape;
        shape = random.in(0, 2);
        kept = before == 1 ? kept : static_cast<std::int64_t>(random.word(8) & range);
        length = random.in(0, 3) ? random.in(1, 4) : random.in(1, 1 << std::min(config.count_bits, 5));
        if (shape == 1)
          length = std::min(2, 1 << config.count_bits);
      }
      pins.settle();
      CAPTURE(cycle, base_seed());
      const bool verdict = next < verdicts.size() && verdicts[next].cycle == cycle;
      REQUIRE(pins.get("verdict_o") == verdict);
      if (verdict) {
        const Verdict& now = verdicts[next++];
        REQUIRE(now.model.better == now.better);
        REQUIRE(pins.get("better_o") == now.better);
        // loss_o may be wider than get() gives: its lowest 64 bits, or all.
        const int bits = std::min(config.loss_bits(), 64);
        REQUIRE(static_cast<std::uint64_t>(now.model.loss) == now.loss.bits(0, 64));
        REQUIRE(static_cast<std::uint64_t>(now.model.loss >> 64) == now.loss.bits(64, 50));
        REQUIRE(pins.get("loss_o", bits) == now.loss.bits(0, bits));
      }
      pins.edge();
    }
    CHECK(next > 200);
    CHECK(ties > 5);
  }
}

TEST_CASE("noisy_loss: impossible parameters stop elaboration") {
  check_refused("noisy_loss", {{"SumBits", {2, 53}}});
}
