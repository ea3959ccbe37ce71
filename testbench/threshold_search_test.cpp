#include "block_bench.h"
#include "block_top.h"
#include "blocks/fields.h"
#include "blocks/threshold_search.h"
#include "netlist_bench.h"
#include <algorithm>
#include <deque>
#include <map>
#include <vector>

using namespace deltatwin;

namespace {

RtlSource block_of(const ThresholdSearchConfig& config) {
  return {
      "threshold_search",
      {{"Bits", config.bits}, {"SumBits", config.sum_bits}, {"Depth", config.depth}, {"Block", config.block}},
      false,
      ""};
}

struct Pins {
  bool valid = false, reset = false, write = false;
  int address = 0, word = 0, index = 0;
  std::int32_t v = 0, data = 0;
};

// A search, and what each of its words' thresholds are if they ascend and nothing is written meanwhile.
struct Inside {
  ThresholdSearch search;
  Cycle begin = 0;
  bool disturbed = false;
  std::vector<std::int32_t> ascending;
};

std::int32_t any_sum(RandomWork& random, int bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  switch (random.in(0, 5)) {
  case 0:
    return static_cast<std::int32_t>(random.in(0, 1) ? half - 1 : -half);
  case 1:
    return sign_extended(static_cast<std::int32_t>(random.word(bits)), bits);
  default:
    return random.in(-60, 60);
  }
}

// Sums with gaps, writes at any time, some of a whole word's ascending thresholds, and resets among them.
void agree(const ThresholdSearchConfig& config, const RtlSource& source, int cycles) {
  BlockBench bench(source, {{"", "count", {"valid_o"}, {{"count_o", config.bits}}}});
  RandomWork random(base_seed() + static_cast<std::uint64_t>(config.bits));
  bench.set("we_i", 0);
  bench.reset();
  const int nodes = 1 << config.bits, places = 1 << std::max(1, address_bits(config.depth));
  BeatTrace trace = bench.trace();
  ThresholdTables model(config);
  std::map<int, std::vector<std::int32_t>> ascending; // words that are whole
  std::deque<Inside> inside;
  std::deque<Pins> writes; // of a whole word
  std::vector<Pins> pins;
  int plain = 0, equal = 0;
  for (int word = 0; word < config.depth; ++word)
    ascending[word].assign(static_cast<std::size_t>(nodes - 1), 0);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    Pins now;
    const auto at = static_cast<Cycle>(cycle);
    now.reset = random.in(0, 299) == 0;
    now.valid = random.in(0, 5) != 0 && cycle < cycles - 2 * static_cast<int>(config.latency());
    now.address = random.in(0, 9) ? random.in(0, config.depth - 1) : random.in(0, places - 1);
    now.v = any_sum(random, config.sum_bits);
    if (random.in(0, 2) == 0 && now.address < config.depth) // a threshold, or 1 less
      now.v = static_cast<std::int32_t>(
          std::max(std::int64_t{model.threshold(now.address, random.in(1, nodes - 1))} - random.in(0, 1),
                   -(std::int64_t{1} << (config.sum_bits - 1))));
    if (writes.empty() && random.in(0, 3) == 0) {
      std::vector<std::int32_t> row;
      for (int i = 1; i < nodes; ++i)
        row.push_back(i > 1 && random.in(0, 4) == 0 ? row.back() : any_sum(random, config.sum_bits));
      std::sort(row.begin(), row.end());
      Pins write;
      write.word = random.in(0, config.depth - 1);
      for (write.index = 1; write.index < nodes; ++write.index) {
        write.data = row[static_cast<std::size_t>(threshold_of_node(config.bits, write.index))];
        writes.push_back(write);
      }
      writes.back().write = true; // with which it is whole
    }
    std::vector<std::int32_t> whole;
    if (random.in(0, 3) && !writes.empty()) {
      const Pins write = writes.front();
      writes.pop_front();
      now.write = true;
      now.word = write.word;
      now.index = write.index;
      now.data = write.data;
      if (write.write) {
        for (int node = 1; node < nodes; ++node)
          whole.push_back(node == write.index ? write.data : model.threshold(write.word, node));
        std::sort(whole.begin(), whole.end());
      }
    } else if (random.in(0, 15) == 0) { // anything
      now.write = true;
      now.word = random.in(0, places - 1);
      now.index = random.in(0, nodes - 1);
      now.data = any_sum(random, config.sum_bits);
    }
    if (now.valid && !now.reset) {
      Inside begun{{now.address, now.v}, at, false, {}};
      if (ascending.count(now.address))
        begun.ascending = ascending[now.address];
      inside.push_back(begun);
    }
    for (Inside& one : inside) // reads come before the write
      if ((at - one.begin) % 2 == 0)
        one.search.step(model.threshold(one.search.word, one.search.node));
    if (now.write) {
      for (Inside& one : inside)
        one.disturbed = one.disturbed || one.search.word == now.word;
      ascending.erase(now.word);
      model.write(now.word, now.index, now.data);
      std::vector<std::int32_t> row;
      for (int i = 0; i < nodes - 1 && now.word < config.depth; ++i)
        for (int node = 1; node < nodes; ++node)
          if (threshold_of_node(config.bits, node) == i)
            row.push_back(model.threshold(now.word, node));
      if (!row.empty() && std::is_sorted(row.begin(), row.end()))
        ascending[now.word] = row;
    }
    if (now.reset)
      inside.clear();
    while (!inside.empty() && at + 2 >= inside.front().begin + config.latency()) {
      const Inside& one = inside.front();
      const int count = one.search.count(config.bits);
      if (!one.disturbed && !one.ascending.empty()) {
        const auto reached = std::count_if(one.ascending.begin(), one.ascending.end(),
                                           [&](std::int32_t t) { return one.search.v >= t; });
        equal += std::count(one.ascending.begin(), one.ascending.end(), one.search.v) > 0;
        ++plain;
        CAPTURE(config.bits, cycle, one.search.word, one.search.v, base_seed());
        REQUIRE(count == static_cast<int>(reached));
        REQUIRE(count == model.count(one.search.word, one.search.v));
      }
      trace.add(0, {one.begin + config.latency(), static_cast<std::uint64_t>(count), {}, one.begin});
      inside.pop_front();
    }
    pins.push_back(now);
  }
  // A reset takes back what would have come behind it.
  for (std::size_t cycle = 0; cycle < pins.size(); ++cycle)
    if (pins[cycle].reset)
      trace.beats[0].erase(std::remove_if(trace.beats[0].begin(), trace.beats[0].end(),
                                          [&](const Beat& sent) {
                                            return sent.cycle > cycle &&
                                                   sent.cycle - config.latency() <= cycle;
                                          }),
                           trace.beats[0].end());
  pins.resize(pins.size() + 2 * static_cast<std::size_t>(config.latency()) + 1);
  CHECK(plain > cycles / 10);
  CHECK(equal > cycles / 50);
  bench.run(trace, pins.size(), [&](Cycle cycle) {
    const Pins& now = pins[cycle];
    const auto mask = (std::uint64_t{1} << config.sum_bits) - 1;
    bench.set("rst_ni", !now.reset);
    bench.set("valid_i", now.valid);
    bench.set("address_i", static_cast<std::uint64_t>(now.address));
    bench.set("v_i", static_cast<std::uint64_t>(now.v) & mask);
    bench.set("we_i", now.write);
    bench.set("word_i", static_cast<std::uint64_t>(now.word));
    bench.set("index_i", static_cast<std::uint64_t>(now.index));
    bench.set("data_i", static_cast<std::uint64_t>(now.data) & mask);
  });
}

} // namespace

TEST_CASE("threshold_search twins agree with each other, and where thresholds ascend with a plain count") {
  for (const ThresholdSearchConfig& config :
       {ThresholdSearchConfig{1, 12, 2, true}, ThresholdSearchConfig{2, 25, 7, false},
        ThresholdSearchConfig{3, 18, 40, true}, ThresholdSearchConfig{4, 32, 5, true},
        ThresholdSearchConfig{4, 20, 16, false}})
    agree(config, block_of(config), repeats(8000));
}

TEST_CASE("threshold_search: what Yosys makes of it does the same", "[.netlist]") {
  for (const ThresholdSearchConfig& config :
       {ThresholdSearchConfig{3, 18, 40, false}, ThresholdSearchConfig{4, 20, 16, false}})
    agree(config, Netlist(block_of(config)).source(), repeats(3000));
}

TEST_CASE("threshold_search: RAM is as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<ThresholdSearchConfig> all = {
      {3, 25, 200, true}, {3, 18, 64, false}, {1, 18, 200, true}, {4, 32, 512, true}, {2, 25, 128, false}};
  for (int i = 0; i < std::min(2 * repeats(1), 5); ++i) // the deep run has them all
    check_area(threshold_search_resources(all[static_cast<std::size_t>(i)]),
               block_of(all[static_cast<std::size_t>(i)]));
}

TEST_CASE("threshold_search: impossible parameters stop elaboration") {
  for (const ThresholdSearchConfig& config :
       {ThresholdSearchConfig{0}, ThresholdSearchConfig{5}, ThresholdSearchConfig{2, 11},
        ThresholdSearchConfig{2, 33}, ThresholdSearchConfig{2, 25, 1}}) {
    CAPTURE(config.bits, config.sum_bits, config.depth);
    CHECK_THROWS_WITH(build_rtl(block_of(config)), Catch::Contains("u_error"));
  }
}
