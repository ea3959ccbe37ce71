#include "block_bench.h"
#include "block_top.h"
#include "blocks/quantizer.h"
#include "netlist_bench.h"
#include <cfloat>
#include <cstring>
#include <limits>
#include <optional>

using namespace deltatwin;

namespace {

__extension__ typedef unsigned __int128 Wide;

const RtlSource block{"quantizer", {}, false, ""};

std::uint32_t bits_of(float number) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}
float number_of(std::uint32_t bits) {
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

// number / 2^places, ties to even; `more`: it is a little more than that.
Wide shifted_even(Wide number, int places, bool more) {
  const Wide unit = Wide{1} << places, rest = number % unit, whole = number / unit;
  const bool above = 2 * rest > unit || (2 * rest == unit && more), tie = 2 * rest == unit && !more;
  return whole + (above || (tie && whole % 2));
}

struct Reference {
  int q;
  bool twice_rounded; ///< another integer than x / scale rounded once
};

// By integers: the quotient of the significands in more than 36 bits and whether there is a rest, rounded to
// 24 bits, then to an integer.
Reference reference(const QuantizerSettings& settings, float x) {
  const std::uint32_t bits = bits_of(x), scale = bits_of(settings.scale), exponent = bits >> 23 & 255;
  const bool negative = bits >> 31, nan = exponent == 255 && (bits & 0x7fffff);
  if (settings.mode == QuantizerMode::binary)
    return {!nan && (!negative || (bits << 1) == 0), false};
  constexpr int huge = 100000, places = 60;
  const auto integer = [&](Wide quotient, int places_below, bool rest) {
    if (places_below <= 0)
      return quotient == 0 ? 0 : huge;
    return places_below > 100
               ? 0
               : static_cast<int>(std::min<Wide>(shifted_even(quotient, places_below, rest), huge));
  };
  int r = 0, once = 0;
  if (exponent == 255) {
    r = once = nan ? 0 : huge;
  } else {
    const Wide dividend = Wide{(bits & 0x7fffff) | (exponent ? 1u << 23 : 0)} << places;
    const Wide divisor = (scale & 0x7fffff) | 1u << 23;
    const int up = static_cast<int>(std::max(exponent, 1u)) - static_cast<int>(scale >> 23 & 255);
    const Wide quotient = dividend / divisor;
    const bool rest = dividend % divisor != 0;
    int extra = 0; // bits behind the 24th
    while (quotient >> (24 + extra))
      ++extra;
    const Wide single = extra ? shifted_even(quotient, extra, rest) : quotient;
    r = integer(single, places - extra - up, false);
    once = integer(quotient, places - up, rest);
  }
  const int low = settings.mode == QuantizerMode::uint8  ? 0
                  : settings.mode == QuantizerMode::int4 ? -8
                                                         : -128;
  const int high = settings.mode == QuantizerMode::uint8  ? 255
                   : settings.mode == QuantizerMode::int4 ? 7
                                                          : 127;
  return {std::clamp((negative ? -r : r) + settings.zero, low, high), r != once};
}

QuantizerSettings random_settings(RandomWork& random) {
  QuantizerSettings settings;
  settings.mode = static_cast<QuantizerMode>(random.in(0, 9) ? random.in(0, 2) : 3);
  const int least = settings.mode == QuantizerMode::uint8 ? 0 : -128;
  settings.zero = least + (random.in(0, 2) ? random.in(0, 255) : 255 * random.in(0, 1));
  std::uint32_t significand = static_cast<std::uint32_t>(random.word(23));
  if (random.in(0, 3) == 0) // few bits of 1, or of 0
    significand = (random.in(0, 1) ? 0x7fffffu : 0u) ^ static_cast<std::uint32_t>(random.word(2));
  const int exponent = random.in(0, 2)   ? random.in(110, 135)
                       : random.in(0, 1) ? random.in(1, 254)
                                         : random.in(0, 1) * 253 + 1;
  settings.scale = number_of(static_cast<std::uint32_t>(exponent) << 23 | significand);
  return settings;
}

// Near integers and halves of the scale, and anything.
float random_value(RandomWork& random, const QuantizerSettings& settings) {
  const int kind = random.in(0, 9);
  if (kind == 0) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    const float specials[] = {0, FLT_MIN, FLT_MAX, FLT_TRUE_MIN, inf, std::nanf("")};
    return std::copysign(specials[random.in(0, 5)], random.in(0, 1) ? 1.0f : -1.0f);
  }
  if (kind == 1)
    return number_of(static_cast<std::uint32_t>(random.word(32)));
  if (kind == 2) // subnormal
    return number_of(static_cast<std::uint32_t>(random.word(1) << 31 | random.word(23)));
  if (kind == 3)
    return settings.scale * static_cast<float>(random.in(-40000, 40000)) / 100.0f;
  const int halves = random.in(0, 4) ? random.in(-40, 40) : random.in(-700, 700);
  const double near = static_cast<double>(settings.scale) * (halves | random.in(0, 3) / 3) / 2;
  std::uint32_t bits = bits_of(static_cast<float>(near));
  if (random.in(0, 2))
    bits += static_cast<std::uint32_t>(random.in(-2, 2));
  return number_of(bits);
}

struct Pins {
  bool reset = false, valid = false, ready = false, last = false;
  QuantizerSettings settings;
  float x = 0;
};

// Streams with gaps and a consumer that stalls, settings that change while nothing is inside, and resets.
void agree(const RtlSource& source, int values) {
  BlockBench bench(
      source, {{"", "input", {"ready_o"}, {}}, {"", "result", {"valid_o"}, {{"y_o", 8}, {"last_o", 1}}}});
  RandomWork random(base_seed());
  bench.set("valid_i", 0);
  bench.reset();
  BeatTrace trace = bench.trace();
  std::vector<Pins> pins;
  QuantizerFlow flow;
  std::deque<std::uint64_t> results;
  Pins now;
  int left = 0, stall = 0, gap = 0, stalls = 0, twice = 0;
  while (values > 0 || !flow.empty()) {
    const Cycle cycle = pins.size();
    if (left == 0 && flow.empty() && !now.valid) { // another stream
      now.settings = random_settings(random);
      left = random.in(0, 4) ? random.in(1, 20) : random.in(1, 200);
      stall = random.in(0, 1) * random.in(0, 9);
      gap = random.in(0, 1) * random.in(0, 9);
    }
    now.reset = random.in(0, 299) == 0;
    now.ready = random.in(0, 9) >= stall;
    if (!now.valid && left > 0 && random.in(0, 9) >= gap) {
      now.valid = true;
      now.x = random_value(random, now.settings);
      now.last = random.in(0, 5) == 0;
    }
    pins.push_back(now);

    const bool offers = flow.offers(cycle), ready = flow.ready();
    if (ready)
      trace.add(0, {cycle, 0, {}, cycle});
    stalls += !ready;
    if (offers) {
      trace.add(1, {cycle, results.front(), {}, cycle});
      if (now.ready) {
        flow.take(cycle);
        results.pop_front();
      }
    }
    if (ready && now.valid) {
      const Reference expected = reference(now.settings, now.x);
      CAPTURE(static_cast<int>(now.settings.mode), now.settings.scale, now.settings.zero, now.x, base_seed());
      REQUIRE(quantized(now.settings, now.x) == expected.q);
      twice += expected.twice_rounded;
      flow.accept(cycle);
      results.push_back(static_cast<std::uint8_t>(expected.q) | std::uint64_t{now.last} << 8);
      now.valid = false;
      --left;
      --values;
    }
    if (now.reset) {
      flow.clear();
      results.clear();
    }
  }
  CHECK(stalls > static_cast<int>(pins.size()) / 50);
  CHECK(twice > static_cast<int>(pins.size()) / 100);
  bench.run(trace, pins.size(), [&](Cycle cycle) {
    const Pins& pin = pins[cycle];
    bench.set("rst_ni", !pin.reset);
    bench.set("mode_i", static_cast<std::uint64_t>(pin.settings.mode));
    bench.set("scale_i", bits_of(pin.settings.scale));
    bench.set("zero_i", static_cast<std::uint8_t>(pin.settings.zero));
    bench.set("valid_i", pin.valid);
    bench.set("x_i", pin.valid ? bits_of(pin.x) : static_cast<std::uint32_t>(random.word(32)));
    bench.set("last_i", pin.last);
    bench.set("ready_i", pin.ready);
  });
}

} // namespace

TEST_CASE("quantizer twins agree with each other and with integer arithmetic, whatever stalls") {
  agree(block, repeats(20000));
}

TEST_CASE("quantizer: what Yosys makes of it does the same", "[.netlist]") {
  const Netlist netlist(block);
  agree(netlist.source(), repeats(5000));
}

TEST_CASE("quantizer: the model divides as integer arithmetic does") {
  RandomWork random(base_seed());
  int twice = 0;
  for (int round = 0; round < repeats(20000); ++round) {
    const QuantizerSettings settings = random_settings(random);
    for (int i = 0; i < 20; ++i) {
      const float x = random_value(random, settings);
      const Reference expected = reference(settings, x);
      if (quantized(settings, x) != expected.q) {
        CAPTURE(static_cast<int>(settings.mode), settings.scale, settings.zero, x, base_seed());
        FAIL(quantized(settings, x) << ", not " << expected.q);
      }
      twice += expected.twice_rounded;
    }
  }
  CHECK(twice > 1000);
}

TEST_CASE("quantizer: values of each mode by hand") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const auto check = [](const QuantizerSettings& settings, const std::vector<std::pair<float, int>>& rows) {
    for (const auto& [x, q] : rows) {
      CAPTURE(static_cast<int>(settings.mode), x);
      CHECK(quantized(settings, x) == q);
    }
  };
  check({QuantizerMode::uint8, 2, 128},
        {{0, 128}, {2, 129}, {3, 130}, {5, 130}, {1000, 255}, {-254, 1}, {-1000, 0}, {std::nanf(""), 128}});
  check({QuantizerMode::int8, 0.1f, -3},
        {{0.05f, -3}, {0.15f, -1}, {-0.15f, -5}, {0.25f, -1}, {inf, 127}, {-inf, -128}, {FLT_TRUE_MIN, -3}});
  check({QuantizerMode::int8, 0.1f, 0}, {{0.35f, 4}}); // 3.4999999 is 3.5 in float32
  check({QuantizerMode::int4, 1, 0}, {{7.5f, 7}, {6.5f, 6}, {-8.5f, -8}, {-7.5f, -8}, {-9, -8}});
  check({QuantizerMode::binary, 1, 5},
        {{0, 1}, {-0.0f, 1}, {-FLT_TRUE_MIN, 0}, {FLT_TRUE_MIN, 1}, {inf, 1}, {-inf, 0}, {std::nanf(""), 0}});
}

TEST_CASE("quantizer: LUT and FF of the model are within 15 % of synthesis") {
  check_area(quantizer_resources(), block);
}
