#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/histogram.h"
#include <algorithm>

using namespace deltatwin;

namespace {

struct Pins {
  bool reset = false, valid = false, last = false;
  int symbol = 0;
};

std::vector<Interface> interfaces(const HistogramConfig& config) {
  return {{"",
           "symbols",
           {"valid_i", "ready_o", "rst_ni"},
           {{"symbol_i", address_bits(config.symbols)}, "last_i"}},
          {"", "counts", {"count_valid_o", "count_ready_i", "rst_ni"}, {{"count_o", config.count_bits}}}};
}

// Both twins: blocks go through the model's socket, and into the pins.
class HistogramBench {
public:
  HistogramBench(const HistogramConfig& config, double gaps, double stalls)
      : config_(config), gaps_(gaps, base_seed()), sink_(stalls, base_seed() + 1),
        model_("histogram", config, 100), host_("host", model_.socket),
        bench_({"histogram", {{"Symbols", config.symbols}, {"CountBits", config.count_bits}}, false, ""},
               interfaces(config)),
        trace_(bench_.trace()) {
    end_elaboration();
  }

  // In one burst or in several; `last`: the block is whole.
  void block(const std::vector<unsigned char>& symbols, RandomWork& random, bool last = true) {
    std::vector<std::uint64_t> expected(static_cast<std::size_t>(config_.symbols));
    for (const unsigned char symbol : symbols)
      ++expected[symbol];
    CountExtension burst;
    for (std::size_t begin = 0; begin < symbols.size();) {
      const std::size_t left = symbols.size() - begin;
      const std::size_t count = random.in(0, 1) ? left : 1 + random.word(20) % left;
      std::vector<unsigned char> data(symbols.begin() + static_cast<std::ptrdiff_t>(begin),
                                      symbols.begin() + static_cast<std::ptrdiff_t>(begin + count));
      burst.last = last && count == left;
      burst.sink = sink_;
      burst.gaps.clear();
      for (std::size_t i = 0; i < count; ++i)
        burst.gaps.push_back(gaps_.gap(taken_ + i));
      Cycle now = now_;
      REQUIRE(host_.access(tlm::TLM_WRITE_COMMAND, 0, data.data(), count, now, &burst));
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t ends = burst.last && i + 1 == count;
        Cycle offered = now_ + burst.gaps[i];
        for (; offered <= burst.taken[i]; ++offered)
          at(offered) = {false, true, ends != 0, data[i]};
        trace_.add(0, {burst.taken[i], data[i] | ends << address_bits(config_.symbols), {}, 0});
        now_ = burst.taken[i] + 1;
      }
      REQUIRE(now == now_);
      taken_ += count;
      begin += count;
    }
    CHECK(burst.counts == (last ? expected : std::vector<std::uint64_t>()));
    for (std::size_t s = 0; s < burst.counts.size(); ++s)
      trace_.add(1, {burst.sent[s], burst.counts[s], {}, 0});
  }

  void reset() {
    model_.reset();
    trace_.drop_cycles_after(now_ - 1, 0);
    at(now_++).reset = true;
  }

  void run() {
    bench_.reset();
    bench_.run(trace_, now_ + 4 * static_cast<Cycle>(config_.symbols) * 20, [this](Cycle cycle) {
      const Pins now = cycle < pins_.size() ? pins_[cycle] : Pins{};
      bench_.set("rst_ni", !now.reset);
      bench_.set("valid_i", now.valid);
      bench_.set("symbol_i", static_cast<std::uint64_t>(now.symbol));
      bench_.set("last_i", now.last);
      bench_.set("count_ready_i", sink_.ready(cycle));
    });
  }

private:
  Pins& at(Cycle cycle) {
    if (pins_.size() <= cycle)
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }

  ContextGuard guard_;
  HistogramConfig config_;
  Pacer gaps_, sink_;
  Histogram model_;
  Initiator host_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
  std::uint64_t taken_ = 0;
  Cycle now_ = 0;
};

std::vector<unsigned char> random_symbols(RandomWork& random, int symbols, int most) {
  std::vector<unsigned char> block(static_cast<std::size_t>(random.in(1, most)));
  const int used = random.in(1, symbols);
  for (unsigned char& symbol : block)
    symbol = static_cast<unsigned char>(random.in(0, used - 1));
  return block;
}

} // namespace

TEST_CASE("histogram: blocks of all sizes, stalls at both ends, resets") {
  RandomWork random(base_seed());
  for (const HistogramConfig config : {HistogramConfig{2, 4}, HistogramConfig{5, 7}, HistogramConfig{32, 13}})
    for (const bool stalls : {false, true}) {
      CAPTURE(config.symbols, config.count_bits, stalls, base_seed());
      HistogramBench bench(config, stalls ? 0.3 : 0, stalls ? 0.5 : 0);
      const int most = (1 << config.count_bits) - 1;
      for (int round = 0; round < repeats(60); ++round) {
        const bool whole = random.in(0, 9) != 0;
        bench.block(random_symbols(random, config.symbols,
                                   random.in(0, 3) ? std::min(most, 40) : std::min(most, 900)),
                    random, whole);
        if (!whole || random.in(0, 9) == 0)
          bench.reset();
      }
      bench.block(std::vector<unsigned char>(static_cast<std::size_t>(most), 1), random); // the largest count
      bench.run();
    }
}

TEST_CASE("histogram: two blocks' counts wait, the third block does too") {
  ContextGuard guard;
  Histogram model("histogram", {2, 13}, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  const auto count = [&](std::vector<unsigned char> symbols, Cycle at) {
    CountExtension block;
    REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols.data(), symbols.size(), at, &block));
    return block;
  };
  CHECK(count({0, 1, 1}, 0).sent == std::vector<Cycle>{3, 4}); // from the cycle after the last symbol on
  CHECK(count({1}, 3).sent == std::vector<Cycle>{5, 6});       // behind the counts before
  const CountExtension third = count({0, 0}, 4);
  CHECK(third.taken == std::vector<Cycle>{5, 6}); // after the first block's last count
  CHECK(third.counts == std::vector<std::uint64_t>{2, 0});
  CHECK(third.sent == std::vector<Cycle>{7, 8});
}

TEST_CASE("histogram: bad bursts are refused, and count nothing") {
  ContextGuard guard;
  Histogram model("histogram", {5, 3}, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  const auto okay = [&](std::vector<unsigned char> symbols, bool last, tlm::tlm_command command) {
    CountExtension block;
    block.last = last;
    Cycle at = 0;
    return host.access(command, 0, symbols.data(), symbols.size(), at, &block);
  };
  CHECK_FALSE(okay({0, 5}, true, tlm::TLM_WRITE_COMMAND));
  CHECK_FALSE(okay({0}, true, tlm::TLM_READ_COMMAND));
  CHECK_FALSE(okay(std::vector<unsigned char>(8), true, tlm::TLM_WRITE_COMMAND));
  CHECK(okay({1, 2, 3}, false, tlm::TLM_WRITE_COMMAND));
  CHECK_FALSE(okay({1, 2, 3, 4, 4}, true, tlm::TLM_WRITE_COMMAND));
  CHECK(okay({1, 2, 3, 4}, true, tlm::TLM_WRITE_COMMAND));
  CountExtension block;
  Cycle at = 0;
  unsigned char symbol = 4;
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, &symbol, 1, at, &block));
  CHECK(block.counts == std::vector<std::uint64_t>{0, 0, 0, 0, 1});
}
