// The dequantizer: twins in lockstep, the netlist too, and with the quantizer the paper's bounds and the
// values of its authors' accelerator.
#include "block_bench.h"
#include "block_top.h"
#include "context_guard.h"
#include "edqa_work.h"
#include "initiator.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "tlm/edqa_dequantizer.h"
#include <algorithm>
#include <cstdio>
#include <set>

using namespace deltatwin;

namespace {

constexpr EdqaFormat formats[] = {EdqaFormat::int16, EdqaFormat::int32, EdqaFormat::float32};

int number(EdqaFormat format) { return static_cast<int>(format); }

std::uint32_t bits_of(float single) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof bits);
  return bits;
}

RtlSource block_of(const EdqaDequantizerConfig& config) {
  return {"edqa_dequantizer",
          {{"Format", number(config.format)}, {"MaxBits", config.max_bits}, {"MaxExtra", config.max_extra}},
          false,
          ""};
}

// q and se as a store could hold them: those of a value, or any.
struct Stored {
  int q, se;
};
Stored stored(RandomWork& random, const EdqaScheme& scheme) {
  const int low = scheme.is_signed ? -(1 << scheme.scale_bits()) : 0;
  const int v = random.in(0, 5)   ? random.in(low, low + (1 << scheme.bits) - 1)
                : random.in(0, 1) ? low
                                  : low + (1 << scheme.bits) - 1;
  return {scheme.quantized(v), random.in(0, 3) ? scheme.shifting_error(v) : 0};
}

std::vector<Interface> interfaces(const EdqaDequantizerConfig& config) {
  const int errors = std::max(config.max_extra, 1);
  return {{"", "value", {"valid_o"}, {{"value_o", edqa_result_bits(config.format)}}},
          {"", "flags", {"valid_o"}, {{"flags_o", 2}, "last_o"}}, // 64 bits are one payload
          {"", "code", {"valid_i"}, {{"q_i", config.max_bits}, {"se_i", errors}, "last_i"}},
          {"", "maximum", {"valid_i"}, {{"maximum_i", edqa_magnitude_bits(config.format)}}}};
}

// Both twins: channels go through the model, and then into the pins.
class DequantizerBench {
public:
  DequantizerBench(const EdqaDequantizerConfig& config, const RtlSource& source)
      : work(config.format, base_seed()), config_(config), bench_(source, interfaces(config)),
        trace_(bench_.trace()) {}

  // Channels with maxima of their own, under one scheme, and the cycles until the last value is out.
  void channels(const EdqaScheme& scheme, int count) {
    const bool gaps = work.random.in(0, 2) == 0;
    const Cycle latency = edqa_dequantizer_latency(config_.format);
    while (count-- > 0) {
      const std::uint32_t maximum = work.maximum();
      for (int left = work.random.in (0, 3) ? work.random.in(1, 8) : work.random.in(1, 60); left > 0;
           --left) {
        if (gaps)
          idle(scheme, work.random.in(0, 1) * work.random.in(0, 5));
        const Stored code = stored(work.random, scheme);
        const EdqaResult result = edqa_dequantize(config_.format, scheme, code.q, code.se, maximum);
        const std::uint64_t mask = edqa_result_bits(config_.format) == 64 ? ~std::uint64_t{0} : 0xffffffff;
        const Cycle cycle = pins_.size();
        trace_.add(0, {cycle + latency, static_cast<std::uint64_t>(result.value) & mask, {}, cycle});
        const std::uint64_t last = left == 1, q = static_cast<std::uint64_t>(code.q) & q_mask();
        trace_.add(1, {cycle + latency, result.flags | last << 2, {}, cycle});
        const int errors = std::max(config_.max_extra, 1);
        trace_.add(2, {cycle,
                       q | static_cast<std::uint64_t>(code.se) << config_.max_bits |
                           last << (config_.max_bits + errors),
                       {},
                       cycle});
        trace_.add(3, {cycle, maximum, {}, cycle});
        pins_.push_back({true, left == 1, scheme, code, maximum});
      }
    }
    idle(scheme, static_cast<int>(latency) + work.random.in(0, 3));
  }

  void run(int resets) {
    std::set<Cycle> at;
    while (resets-- > 0)
      at.insert(static_cast<Cycle>(work.random.in(0, static_cast<int>(pins_.size()) - 1)));
    for (auto& beats : trace_.beats) // what was on its way is gone
      beats.erase(std::remove_if(beats.begin(), beats.end(),
                                 [&](const Beat& beat) {
                                   const auto reset = at.lower_bound(beat.origin);
                                   return reset != at.end() && *reset < beat.cycle;
                                 }),
                  beats.end());
    bench_.reset();
    bench_.run(trace_, pins_.size(), [&](Cycle cycle) {
      const Pins& now = pins_[cycle];
      const EdqaScheme& scheme = now.scheme;
      bench_.set("rst_ni", at.count(cycle) == 0);
      bench_.set("bits_i", static_cast<std::uint64_t>(scheme.bits));
      bench_.set("extra_i", static_cast<std::uint64_t>(scheme.extra));
      bench_.set("signed_i", scheme.is_signed);
      bench_.set("raw_i", scheme.raw);
      bench_.set("valid_i", now.valid);
      bench_.set("q_i", static_cast<std::uint64_t>(now.code.q) & q_mask());
      bench_.set("se_i", static_cast<std::uint64_t>(now.code.se));
      bench_.set("maximum_i", now.maximum);
      bench_.set("last_i", now.last);
    });
  }

  EdqaWork work;

private:
  struct Pins {
    bool valid = false, last = false;
    EdqaScheme scheme;
    Stored code{};
    std::uint32_t maximum = 0;
  };
  [[nodiscard]] std::uint64_t q_mask() const { return (std::uint64_t{1} << config_.max_bits) - 1; }
  // Between values anything may be at the pins.
  void idle(const EdqaScheme& scheme, int cycles) {
    while (cycles-- > 0)
      pins_.push_back(
          {false, work.random.in(0, 1) != 0, scheme, stored(work.random, scheme), work.maximum()});
  }

  EdqaDequantizerConfig config_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
};

} // namespace

TEST_CASE(
    "edqa_dequantizer: integers are exact, floats the nearest, what is too small or too large is flagged") {
  for (const EdqaFormat format : formats) {
    EdqaWork work(format, base_seed());
    int smaller = 0, larger = 0;
    for (int i = 0; i < repeats(200000); ++i) {
      const EdqaScheme scheme = work.scheme(12, 7);
      const std::uint32_t maximum = work.maximum();
      const Stored code = stored(work.random, scheme);
      const EdqaResult result = edqa_dequantize(format, scheme, code.q, code.se, maximum);
      // Equation 3, delta_N (q + se / 2^m): 24 + 15 bits, which a long double holds.
      const long double delta = std::ldexp(edqa_size(format, maximum), scheme.extra - scheme.scale_bits());
      const long double exact =
          delta * (code.q + (scheme.raw ? 1.0L * code.se : std::ldexp(1.0L * code.se, -scheme.extra)));
      bool right = std::ldexp(static_cast<long double>(result.value), -scheme.scale_bits()) == exact &&
                   result.flags == 0;
      if (format == EdqaFormat::float32) { // to 24 bits, whatever the exponent
        int exponent = 0;
        const long double fraction = std::frexp(exact, &exponent);
        const long double rounded = std::ldexp(std::nearbyint(std::ldexp(fraction, 24)), exponent - 24);
        const bool large = std::fabs(rounded) > FLT_MAX;
        const bool small = rounded != 0 && std::fabs(rounded) < FLT_MIN;
        const long double expected = small ? 0 : large ? std::copysign(1.0L * FLT_MAX, exact) : rounded;
        smaller += small;
        larger += large;
        right = result.value == bits_of(static_cast<float>(expected) + 0.0f) &&
                result.flags == (small * EdqaResult::small | large * EdqaResult::large);
      }
      if (!right) {
        CAPTURE(base_seed(), i, number(format), scheme.bits, scheme.extra, scheme.is_signed, scheme.raw,
                code.q, code.se, maximum, result.value, result.flags);
        REQUIRE(right);
      }
    }
    CHECK((smaller > 100) == (format == EdqaFormat::float32));
    CHECK((larger > 100) == (format == EdqaFormat::float32));
  }
}

TEST_CASE("edqa: equation 4's bound: half of delta_N+m, or all of it where the largest value clamps") {
  for (const EdqaFormat format : formats) {
    EdqaWork work(format, base_seed());
    int halves = 0, clamps = 0;
    for (int i = 0; i < repeats(200000); ++i) {
      EdqaScheme scheme = work.scheme(12, 7);
      scheme.raw = false;
      const bool direct = work.random.in(0, 1) != 0;
      const std::uint32_t maximum = work.maximum();
      const std::uint32_t value = work.value(scheme, maximum, direct);
      const EdqaMagnitude of = edqa_magnitude(format, scheme.is_signed, value);
      const long double a = (of.negative ? -1 : 1) * edqa_size(format, of.magnitude),
                        size = edqa_size(format, maximum);
      const int v = edqa_quantize(format, scheme, of, maximum, direct);
      const EdqaResult result =
          edqa_dequantize(format, scheme, scheme.quantized(v), scheme.shifting_error(v), maximum);
      if (std::fabs(a) > size || result.flags)
        continue;
      const int steps = scheme.scale_bits() - (direct ? scheme.extra : 0);
      const long double delta = std::ldexp(size, -steps);
      long double back = std::ldexp(static_cast<long double>(result.value), -scheme.scale_bits()), off = 0;
      if (format == EdqaFormat::float32) { // it was rounded to 24 bits
        back = edqa_number(format, static_cast<std::uint32_t>(result.value));
        off = std::fabs(std::ldexp(back, -24));
      }
      const bool clamped = a > ((1 << steps) - 0.5L) * delta;
      const long double error = std::fabs(a - back);
      const bool right =
          error <= delta * (clamped ? 1 : 0.5L) + off && (!clamped || size == 0 || error > delta / 2 - off);
      if (!right) {
        CAPTURE(base_seed(), i, number(format), scheme.bits, scheme.extra, scheme.is_signed, direct, value,
                maximum, v, back);
        REQUIRE(right);
      }
      halves += size != 0 && error == delta / 2;
      clamps += clamped;
    }
    CHECK(halves > 1000);
    CHECK(clamps > 1000);
  }
}

TEST_CASE("edqa: the released accelerator's values come back") {
  // N = 3, m = 3, float32, ties down, the raw shifting error added.
  EdqaScheme scheme;
  scheme.half_down = scheme.raw = true;
  const auto back = [&](const std::vector<float>& values) {
    const std::uint32_t maximum = bits_of(*std::max_element(values.begin(), values.end()));
    std::vector<float> results;
    for (const float value : values) {
      const EdqaMagnitude a = edqa_magnitude(EdqaFormat::float32, true, bits_of(value));
      const int v = edqa_quantize(EdqaFormat::float32, scheme, a, maximum, false);
      const EdqaResult result = edqa_dequantize(EdqaFormat::float32, scheme, scheme.quantized(v),
                                                scheme.shifting_error(v), maximum);
      results.push_back(
          static_cast<float>(edqa_number(EdqaFormat::float32, static_cast<std::uint32_t>(result.value))));
    }
    return results;
  };
  CHECK(back({0, 1, 2}) == std::vector<float>{0, 1, 5});
  CHECK(back({0, 1, 2, 3, 4, 5, 6}) == std::vector<float>{0, 7.5, 6, 3, 10.5, 9, 15});
}

TEST_CASE("edqa_dequantizer: impossible parameters stop elaboration") {
  check_refused("edqa_dequantizer", {{"Format", {-1, 3}}, {"MaxBits", {1, 13}}, {"MaxExtra", {-1, 8}}});
}

TEST_CASE("edqa_dequantizer: a transaction has the same values, bad ones are refused") {
  for (const EdqaFormat format : formats) {
    const ContextGuard guard;
    EdqaDequantizer model("dequantizer", {format, 8, 3}, 100);
    Initiator host("host", model.socket);
    end_elaboration();
    EdqaWork work(format, base_seed());
    for (int i = 0; i < repeats(100); ++i) {
      EdqaDequantizeExtension channel;
      channel.scheme = work.scheme(8, 3);
      channel.maximum = work.maximum();
      for (int left = work.random.in(1, 30); left > 0; --left) {
        const Stored code = stored(work.random, channel.scheme);
        channel.codes.push_back({code.q, code.se});
      }
      const std::size_t count = channel.codes.size();
      std::vector<std::int64_t> results(count);
      Cycle at = 1000;
      const auto okay = [&](tlm::tlm_command command, std::size_t length) {
        return host.access(command, 0, results.data(), length, at, &channel);
      };
      REQUIRE(okay(tlm::TLM_READ_COMMAND, 8 * count));
      CHECK(at == 1000 + count - 1 + (format == EdqaFormat::float32 ? 5 : 3));
      REQUIRE(channel.flags.size() == count);
      for (std::size_t v = 0; v < count; ++v) {
        const EdqaResult result =
            edqa_dequantize(format, channel.scheme, channel.codes[v].q, channel.codes[v].se, channel.maximum);
        CHECK(results[v] == result.value);
        CHECK(channel.flags[v] == result.flags);
      }
      CHECK_FALSE(okay(tlm::TLM_WRITE_COMMAND, 8 * count));
      CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 8 * count - 1));
      channel.scheme = {};
      channel.scheme.bits = 8;
      channel.scheme.extra = 4;
      CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 8 * count));
      channel.scheme.extra = 3;
      channel.scheme.bits = 9;
      CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 8 * count));
      channel.scheme.bits = 8;
      channel.codes.clear();
      CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 0));
    }
  }
}

TEST_CASE("edqa_dequantizer: twins agree, whatever T, m, rule, maximum and reset") {
  for (const EdqaDequantizerConfig config : {EdqaDequantizerConfig{EdqaFormat::int16, 6, 3},
                                             {EdqaFormat::int16, 12, 4},
                                             {EdqaFormat::int16, 2, 0},
                                             {EdqaFormat::int32, 12, 7},
                                             {EdqaFormat::int32, 5, 1},
                                             {EdqaFormat::float32, 6, 4},
                                             {EdqaFormat::float32, 12, 4},
                                             {EdqaFormat::float32, 2, 1}}) {
    CAPTURE(number(config.format), config.max_bits, config.max_extra, base_seed());
    DequantizerBench bench(config, block_of(config));
    for (int round = 0; round < repeats(200); ++round)
      bench.channels(bench.work.scheme(config.max_bits, config.max_extra), bench.work.random.in(1, 12));
    bench.run(repeats(60));
  }
}

TEST_CASE("edqa_dequantizer: what Yosys makes of it does the same", "[.netlist]") {
  for (const EdqaDequantizerConfig config : {EdqaDequantizerConfig{EdqaFormat::int16, 6, 3},
                                             {EdqaFormat::int32, 9, 4},
                                             {EdqaFormat::float32, 7, 3}}) {
    CAPTURE(number(config.format), config.max_bits, config.max_extra, base_seed());
    const Netlist netlist(block_of(config));
    DequantizerBench bench(config, netlist.source());
    for (int round = 0; round < repeats(100); ++round)
      bench.channels(bench.work.scheme(config.max_bits, config.max_extra), bench.work.random.in(1, 12));
    bench.run(repeats(20));
  }
}

TEST_CASE("edqa_dequantizer: twins agree on some channels of one scheme") {
  const EdqaDequantizerConfig config{EdqaFormat::float32, 6, 3};
  DequantizerBench bench(config, block_of(config));
  bench.channels({}, 6);
  bench.run(0);
}

TEST_CASE("edqa_dequantizer: DSPs are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<EdqaDequantizerConfig> held_out = {
      {EdqaFormat::float32, 8, 4}, {EdqaFormat::int16, 8, 2}, {EdqaFormat::int32, 7, 4}};
  for (int i = 0; i < std::min(repeats(2), 3); ++i)
    check_area(edqa_dequantizer_resources(held_out[static_cast<std::size_t>(i)]),
               block_of(held_out[static_cast<std::size_t>(i)]));
}

// To fit the coefficients in sysc/blocks/edqa_area.cpp again.
TEST_CASE("edqa_dequantizer: what the area model is fitted to, as CSV", "[.fit]") {
  for (const EdqaFormat format : formats)
    for (const auto& [max_bits, max_extra] :
         {std::pair(2, 0), std::pair(4, 1), std::pair(6, 3), std::pair(8, 3), std::pair(12, 4)})
      print_area(edqa_dequantizer_resources({format, max_bits, max_extra}),
                 block_of({format, max_bits, max_extra}));
}
