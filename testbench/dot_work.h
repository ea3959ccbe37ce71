#pragma once
#include "block_bench.h"
#include "random_work.h"
#include "wide_signal.h"
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

namespace deltatwin {

/// Beats for a block of dot products, what comes out by the definition alone, and of the model.
///
/// `Block` tells of its Config and Core: latency(config) and sums(config), terms(config) of a sum in one
/// beat, bits(config) of a sum, weights(config) of a beat, and products(config, sum, x, w) of a beat, as a
/// plain integer; `longest`: beats of a long sum.
template <class Block> class DotWork {
public:
  using Config = typename Block::Config;
  using Bytes = std::vector<std::int8_t>;

  explicit DotWork(const Config& config) : config_(config), model_(config) {}

  void beat(bool first, bool last, const Bytes& x, const Bytes& w) {
    steps_.push_back({false, true, first, last, x, w});
    model_.beat(first, x.data(), w.data());
    if (first)
      begin_ = steps_.size() - 1;
    if (!last)
      return;
    const int bits = Block::bits(config_);
    WideValue modelled(Block::sums(config_) * bits);
    for (int n = 0; n < Block::sums(config_); ++n) {
      std::int64_t sum = 0;
      for (std::size_t s = begin_; s < steps_.size(); ++s)
        if (steps_[s].valid)
          sum += Block::products(config_, n, steps_[s].x, steps_[s].w);
      modelled.put(n * bits, bits, static_cast<std::uint64_t>(std::int64_t{model_.sum(n)}));
      equal_ = equal_ && model_.sum(n) == wrapped(sum);
    }
    sums_.insert_or_assign(steps_.size() - 1 + Block::latency(config_), modelled);
  }
  void reset() {
    steps_.emplace_back();
    steps_.back().reset = true;
    sums_.erase(sums_.lower_bound(steps_.size() - 1), sums_.end());
  }
  void wait(int cycles) { steps_.resize(steps_.size() + static_cast<std::size_t>(cycles)); }

  void run(BlockBench& bench) {
    CHECK(equal_);
    int levels = 0; // of adders of two
    while (1 << levels < Block::terms(config_))
      ++levels;
    CHECK(Block::latency(config_) == static_cast<Cycle>(4 + levels));
    wait(20);
    BeatTrace trace = bench.trace();
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (steps_[s].reset)
        trace.resets.push_back(s);
    for (const auto& [cycle, value] : sums_)
      value.add_to(trace, cycle);
    bench.set("valid_i", 0);
    bench.reset();
    RandomWork random(base_seed());
    bench.run(trace, steps_.size(), [&](Cycle cycle) {
      const Step& step = steps_[cycle];
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

private:
  struct Step {
    bool reset = false, valid = false, first = false, last = false;
    Bytes x, w;
  };

  [[nodiscard]] std::int64_t wrapped(std::int64_t sum) const {
    const std::int64_t range = std::int64_t{1} << Block::bits(config_), low = sum & (range - 1);
    return low < range / 2 ? low : low - range;
  }

  Config config_;
  typename Block::Core model_;
  std::vector<Step> steps_;
  std::map<Cycle, WideValue> sums_;
  std::size_t begin_ = 0;
  bool equal_ = true;
};

template <class Block> BlockBench dot_bench(const typename Block::Config& config, const RtlSource& source) {
  return {source,
          WideValue::interfaces("sums_o", Block::sums(config) * Block::bits(config), {"valid_o", "rst_ni"})};
}

/// Beats with gaps, extremes, wraps and resets.
template <class Block>
void agree_on_sums(const typename Block::Config& config, const RtlSource& source, int rounds) {
  BlockBench bench = dot_bench<Block>(config, source);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    DotWork<Block> work(config);
    for (int sum = 0; sum < 80; ++sum) {
      const int beats = random.in(0, 9) ? random.in(1, 6) : random.in(30, Block::longest);
      const int kind = random.in(0, 3);
      const auto any = [&] { // all -128, the extremes, mixed, anything
        const int extreme = kind == 0 || random.in(0, 1) ? -128 : 127;
        return static_cast<std::int8_t>(kind < 2 || (kind == 2 && random.in(0, 1)) ? extreme
                                                                                   : random.in(-128, 127));
      };
      for (int b = 0; b < beats; ++b) {
        while (random.in(0, 4) == 0)
          work.wait(1);
        std::vector<std::int8_t> x(static_cast<std::size_t>(config.terms())), w(Block::weights(config));
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

} // namespace deltatwin
