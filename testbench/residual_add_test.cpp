#include "block_bench.h"
#include "block_top.h"
#include "blocks/residual_add.h"
#include "scaling_work.h"
#include <algorithm>
#include <array>
#include <vector>

using namespace deltatwin;

namespace {

RtlSource block_of(int pages) { return {"residual_add", {{"Pages", pages}}, false, ""}; }

struct Pins {
  bool valid = false, add = false, reset = false, write = false;
  int y = 0, skip = 0, page = 0, address = 0;
  std::int32_t word = 0;
  Scaling scaling;
};

// All that a beat, and a write beside it, brings.
void drive(BlockBench& bench, const Pins& now) {
  const auto byte = [&](const char* pin, int value) { bench.set(pin, static_cast<std::uint8_t>(value)); };
  bench.set("rst_ni", !now.reset);
  bench.set("valid_i", now.valid);
  bench.set("add_i", now.add);
  byte("y_i", now.y);
  byte("skip_i", now.skip);
  byte("page_i", now.page);
  bench.set("m_i", static_cast<std::uint64_t>(now.scaling.multiplier));
  byte("shift_i", now.scaling.shift);
  byte("rule_i", scaling_rule(now.scaling.rounding));
  byte("zero_i", now.scaling.zero);
  byte("low_i", now.scaling.low);
  byte("high_i", now.scaling.high);
  bench.set("table_we_i", now.write);
  bench.set("table_address_i", static_cast<std::uint64_t>(now.address));
  bench.set("table_data_i", static_cast<std::uint32_t>(now.word));
}

// Words as layers have them, and such that a sum is more than 32 bits hold.
std::int32_t random_word(RandomWork& random) {
  switch (random.in(0, 3)) {
  case 0:
    return static_cast<std::int32_t>(random.word(32));
  case 1:
    return random.in(0, 1) ? INT32_MAX - random.in(0, 3) : INT32_MIN + random.in(0, 3);
  default:
    return random.in(-(1 << 28), 1 << 28);
  }
}

// Beats, and writes and resets among them, on the RTL, the model, and a table of pages.
void agree(int pages, const RtlSource& source, int cycles) {
  BlockBench bench(source, {{"", "value", {"valid_o"}, {{"y_o", 8}}}});
  RandomWork random(base_seed() + static_cast<std::uint64_t>(pages));
  bench.set("table_we_i", 0);
  bench.reset();
  BeatTrace trace = bench.trace();
  ResidualTables model({pages});
  std::vector<std::array<std::array<std::int64_t, 256>, 2>> reference(16); // zeros
  std::vector<Pins> pins;
  int saturations = 0, added = 0, elsewhere = 0;
  const int written = 2 * 256 * (pages + 1); // all words once, and a page that is not there
  for (int cycle = 0; cycle < cycles; ++cycle) {
    Pins now;
    now.reset = random.in(0, 199) == 0;
    now.valid = random.in(0, 5) != 0;
    now.add = random.in(0, 4) != 0;
    now.y = random.in(-128, 127);
    now.skip = random.in(-128, 127);
    now.page = std::min(random.in(0, 19) ? random.in(0, std::max(pages - 1, 0)) : random.in(pages, 16), 15);
    now.write = cycle < written || random.in(0, 9) == 0;
    now.address =
        cycle < written ? (cycle & 1) << 12 | (cycle >> 1 & 0xfff) : static_cast<int>(random.word(13));
    if (random.in(0, 3) == 0 && cycle >= written) // what is being read
      now.address = ResidualTables::address(false, now.page, now.y);
    now.word = random_word(random);
    now.scaling = random_scaling(random, 32).scaling;
    if (random.in(0, 1)) { // sums of 31 bits to values
      now.scaling.shift = random.in(44, 54);
      now.scaling.multiplier = static_cast<std::int32_t>(random.word(30) | 1 << 30);
    }
    if (now.reset)
      trace.beats[0].erase(std::remove_if(trace.beats[0].begin(), trace.beats[0].end(),
                                          [&](const Beat& sent) { return sent.cycle > pins.size(); }),
                           trace.beats[0].end());
    if (now.valid && !now.reset) {
      int y = now.y;
      if (now.add && pages) {
        const auto& page = reference[static_cast<std::size_t>(now.page)];
        std::int64_t sum =
            page[0][static_cast<std::uint8_t>(now.y)] + page[1][static_cast<std::uint8_t>(now.skip)];
        saturations += sum != static_cast<std::int32_t>(sum);
        elsewhere += now.page >= pages;
        ++added;
        sum = std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX);
        y = reference_scaled(now.scaling, sum);
      }
      CAPTURE(pages, cycle, now.page, now.y, now.skip, base_seed());
      REQUIRE((now.add ? model.added(now.page, now.y, now.skip, now.scaling) : now.y) == y);
      const Cycle at = pins.size();
      trace.add(0, {at + ResidualAddTiming::latency, static_cast<std::uint8_t>(y), {}, at});
    }
    if (now.write) {
      model.write(now.address, now.word);
      if ((now.address >> 8 & 15) < pages)
        reference[static_cast<std::size_t>(now.address >> 8 & 15)][now.address >> 12 & 1]
                 [static_cast<std::size_t>(now.address & 255)] = now.word;
    }
    pins.push_back(now);
  }
  pins.resize(pins.size() + ResidualAddTiming::latency + 1);
  if (pages) {
    CHECK(added > cycles / 2);
    CHECK(saturations > cycles / 50);
    CHECK((elsewhere > 10 || pages == 16));
  }
  bench.run(trace, pins.size(), [&](Cycle cycle) { drive(bench, pins[cycle]); });
}

} // namespace

TEST_CASE("residual_add twins agree with each other and with a plain reference") {
  for (const int pages : {0, 1, 2, 3, 9, 16})
    agree(pages, block_of(pages), repeats(20000));
}

TEST_CASE("residual_add: both values are looked up at once, as a table says") {
  for (const auto& [pages, bits] : {std::pair{1, 4}, {3, 4}, {2, 2}, {16, 8}, {5, 1}}) {
    RtlSource source = block_of(pages);
    source.parameters.emplace_back("LookupBits", bits);
    BlockBench bench(source, {{"", "value", {"valid_o"}, {{"y_o", 8}}}});
    RandomWork random(base_seed() + static_cast<std::uint64_t>(pages));
    bench.set("table_we_i", 0);
    bench.reset();
    BeatTrace trace = bench.trace();
    std::vector<int> table(4096); // zeros
    std::vector<Pins> pins;
    const int cycles = repeats(6000);
    for (int cycle = 0; cycle < cycles; ++cycle) {
      Pins now;
      now.valid = random.in(0, 5) != 0;
      now.add = random.in(0, 4) != 0;
      now.y = random.in(-128, 127);
      now.skip = random.in(-128, 127);
      now.page = random.in(0, 9) ? random.in(0, pages - 1) : random.in(0, 15);
      now.write = cycle < 256 * pages || random.in(0, 2) == 0;
      now.address = cycle < 256 * pages ? cycle : static_cast<int>(random.word(13));
      now.word = static_cast<std::int32_t>(random.word(32));
      const int read = now.page << 8 | (now.y & 15) << 4 | (now.skip & 15);
      if (random.in(0, 3) == 0 && cycle >= 256 * pages) // what is being read
        now.address = read;
      if (now.valid) {
        const int found = now.write && now.address >> 8 < pages ? now.address : read; // of one port
        const int y = now.add ? now.page < pages ? table[static_cast<std::size_t>(found)] : 0 : now.y;
        const Cycle at = pins.size();
        trace.add(0, {at + ResidualAddTiming::latency, static_cast<std::uint8_t>(y), {}, at});
      }
      if (now.write && now.address >> 8 < pages) {
        const int low = now.word & ((1 << bits) - 1);
        table[static_cast<std::size_t>(now.address)] = low - (low >> (bits - 1) << bits);
      }
      pins.push_back(now);
    }
    pins.resize(pins.size() + ResidualAddTiming::latency + 1);
    CAPTURE(pages, bits, base_seed());
    bench.run(trace, pins.size(), [&](Cycle cycle) { drive(bench, pins[cycle]); });
  }
}

TEST_CASE("residual_add: a skip is added to a sum as it is") {
  for (const int pages : {1, 5, 16}) {
    RtlSource source = block_of(pages);
    source.parameters.emplace_back("Direct", 1);
    BlockBench bench(source, {{"", "value", {"valid_o"}, {{"y_o", 8}}}});
    RandomWork random(base_seed() + static_cast<std::uint64_t>(pages));
    bench.set("table_we_i", 0);
    bench.reset();
    BeatTrace trace = bench.trace();
    ResidualTables model({pages, true, true});
    std::vector<std::int64_t> values(16 * 256), skips(16 * 256); // zeros
    std::vector<Pins> pins;
    std::vector<std::pair<bool, std::int32_t>> sums;
    const int cycles = repeats(6000);
    for (int cycle = 0; cycle < cycles; ++cycle) {
      Pins now;
      now.valid = random.in(0, 5) != 0;
      now.add = random.in(0, 4) != 0;
      now.y = random.in(-128, 127);
      now.skip = random.in(-128, 127);
      now.page = random.in(0, 9) ? random.in(0, pages - 1) : random.in(0, 15);
      now.write = true;
      now.address = static_cast<int>(random.word(13));
      now.word = random_word(random);
      now.scaling = random_scaling(random, 32).scaling;
      const bool direct = random.in(0, 2) != 0;
      const std::int32_t sum = random_word(random);
      const auto at = [&](int value) {
        return static_cast<std::size_t>(now.page << 8 | static_cast<std::uint8_t>(value));
      };
      if (now.valid) {
        int y = now.y;
        if (now.add) {
          const std::int64_t whole = (direct ? std::int64_t{sum} : values[at(now.y)]) + skips[at(now.skip)];
          y = reference_scaled(now.scaling,
                               now.page < pages ? std::clamp<std::int64_t>(whole, INT32_MIN, INT32_MAX) : 0);
          CAPTURE(pages, cycle, base_seed());
          REQUIRE(y == (direct ? model.added_to(sum, now.page, now.skip, now.scaling)
                               : model.added(now.page, now.y, now.skip, now.scaling)));
        }
        const Cycle begin = pins.size();
        trace.add(0, {begin + ResidualAddTiming::latency, static_cast<std::uint8_t>(y), {}, begin});
      }
      model.write(now.address, now.word);
      if ((now.address >> 8 & 15) < pages)
        (now.address >> 12 ? skips : values)[static_cast<std::size_t>(now.address & 0xfff)] = now.word;
      pins.push_back(now);
      sums.emplace_back(direct, sum);
    }
    pins.resize(pins.size() + ResidualAddTiming::latency + 1);
    sums.resize(pins.size());
    bench.run(trace, pins.size(), [&](Cycle cycle) {
      drive(bench, pins[cycle]);
      bench.set("direct_i", sums[cycle].first);
      bench.set("sum_i", static_cast<std::uint32_t>(sums[cycle].second));
    });
  }
}

TEST_CASE("residual_add: DSPs and block RAM are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<int> all = {1, 3, 0, 7, 16}; // the deep run has them all
  for (int i = 0; i < std::min(2 * repeats(1), 5); ++i)
    check_area(residual_add_resources({all[static_cast<std::size_t>(i)]}),
               block_of(all[static_cast<std::size_t>(i)]));
  RtlSource direct = block_of(2);
  direct.parameters.emplace_back("Direct", 1);
  check_area(residual_add_resources({2, true, true}), direct);
}

TEST_CASE("residual_add: impossible parameters stop elaboration") {
  for (const int pages : {-1, 17}) {
    CAPTURE(pages);
    CHECK_THROWS_WITH(build_rtl(block_of(pages)), Catch::Contains("u_error"));
  }
}
