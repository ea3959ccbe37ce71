// Magnitudes and the quantizer: twins in lockstep, the netlist too, and the paper's equations as a third
// opinion.
#include "block_bench.h"
#include "block_top.h"
#include "context_guard.h"
#include "edqa_work.h"
#include "initiator.h"
#include "netlist_bench.h"
#include "tlm/edqa_quantizer.h"
#include <algorithm>
#include <cstdio>
#include <set>

using namespace deltatwin;

namespace {

constexpr EdqaFormat formats[] = {EdqaFormat::int16, EdqaFormat::int32, EdqaFormat::float32};

int number(EdqaFormat format) { return static_cast<int>(format); }

RtlSource block_of(const EdqaQuantizerConfig& config) {
  return {"edqa_quantizer", {{"Format", number(config.format)}, {"MaxBits", config.max_bits}}, false, ""};
}

std::vector<Interface> interfaces(const EdqaQuantizerConfig& config) {
  const int magnitude = edqa_magnitude_bits(config.format);
  return {{"", "v", {"valid_o"}, {{"v_o", config.max_bits}, "last_o"}},
          {"", "value", {"valid_i"}, {{"magnitude_i", magnitude}, "negative_i", "direct_i", "last_i"}},
          {"", "maximum", {"valid_i"}, {{"maximum_i", magnitude}}}};
}

// Both twins: channels go through the model, and then into the pins.
class QuantizerBench {
public:
  QuantizerBench(const EdqaQuantizerConfig& config, const RtlSource& source)
      : work(config.format, base_seed()), config_(config), bench_(source, interfaces(config)),
        trace_(bench_.trace()) {}

  // Channels with maxima of their own, under one scheme, and the cycles until the last value is out.
  void channels(const EdqaScheme& scheme, int count) {
    const bool gaps = work.random.in(0, 2) == 0, mixed = work.random.in(0, 2) == 0;
    while (count-- > 0) {
      const std::uint32_t maximum = work.maximum();
      bool direct = work.random.in(0, 2) == 0;
      for (int left = work.random.in (0, 3) ? work.random.in(1, 8) : work.random.in(1, 60); left > 0;
           --left) {
        if (mixed)
          direct = work.random.in(0, 1) != 0;
        if (gaps)
          idle(scheme, work.random.in(0, 1) * work.random.in(0, 5));
        Pins now{true, left == 1, direct, scheme, {}, maximum};
        now.a = edqa_magnitude(config_.format, scheme.is_signed, work.value(scheme, maximum, direct));
        const int v = edqa_quantize(config_.format, scheme, now.a, maximum, direct);
        const auto bits = static_cast<std::uint64_t>(v) & ((1u << config_.max_bits) - 1);
        const Cycle cycle = pins_.size();
        trace_.add(0, {cycle + edqa_quantizer_latency(scheme.bits),
                       bits | std::uint64_t{now.last} << config_.max_bits,
                       {},
                       cycle});
        const std::uint64_t with = now.a.negative | 2u * now.direct | 4u * now.last;
        trace_.add(1, {cycle, now.a.magnitude | with << edqa_magnitude_bits(config_.format), {}, cycle});
        trace_.add(2, {cycle, maximum, {}, cycle});
        pins_.push_back(now);
      }
    }
    idle(scheme, static_cast<int>(edqa_quantizer_latency(scheme.bits)) + work.random.in(0, 3));
  }

  void run(int resets) {
    std::set<Cycle> at;
    while (resets-- > 0)
      at.insert(static_cast<Cycle>(work.random.in(0, static_cast<int>(pins_.size()) - 1)));
    auto& beats = trace_.beats[0]; // what was on its way is gone
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
      bench_.set("half_down_i", scheme.half_down);
      bench_.set("valid_i", now.valid);
      bench_.set("negative_i", now.a.negative);
      bench_.set("magnitude_i", now.a.magnitude);
      bench_.set("maximum_i", now.maximum);
      bench_.set("direct_i", now.direct);
      bench_.set("last_i", now.last);
    });
  }

  EdqaWork work;

private:
  struct Pins {
    bool valid = false, last = false, direct = false;
    EdqaScheme scheme;
    EdqaMagnitude a;
    std::uint32_t maximum = 0;
  };
  // Between values anything may be at the pins.
  void idle(const EdqaScheme& scheme, int cycles) {
    while (cycles-- > 0) {
      const auto any = [&] {
        return static_cast<std::uint32_t>(work.random.word(edqa_magnitude_bits(config_.format)));
      };
      Pins now{false, work.random.in(0, 1) != 0, work.random.in(0, 1) != 0, scheme, {}, any()};
      now.a = {any(), work.random.in(0, 1) != 0, 0};
      pins_.push_back(now);
    }
  }

  EdqaQuantizerConfig config_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
};

// edqa_magnitude has no clock, and models have one.
void beside_a_clock(const std::string& directory) {
  write_file(directory + "/edqa_magnitude.sv", read_file(rtl_directory() + "/edqa_magnitude.sv"));
  write_file(
      directory + "/clocked.sv",
      "module clocked #(parameter int Format = 0, localparam int Bits = Format == 0 ? 16 : 32,\n"
      "  localparam int Size = Format == 2 ? 31 : Bits) (input logic clk_i, input logic signed_i,\n"
      "  input logic [Bits-1:0] value_i, output logic negative_o, output logic [Size-1:0] magnitude_o,\n"
      "  output logic [2:0] flags_o);\n"
      "  edqa_magnitude #(.Format(Format)) u_magnitude (.*);\nendmodule\n");
}

} // namespace

TEST_CASE("edqa_magnitude: sign and size of every int16, and of what is special among int32 and float32") {
  const TemporaryDirectory directory("deltatwin-magnitude");
  beside_a_clock(directory.path());
  for (const EdqaFormat format : formats) {
    RtlModel rtl(seeded({"clocked", {{"Format", number(format)}}, false, directory.path()}));
    EdqaWork work(format, base_seed());
    const int count = format == EdqaFormat::int16 ? 65536 : repeats(20000);
    int special = 0;
    for (int i = 0; i < count; ++i) {
      const std::uint32_t value =
          format == EdqaFormat::int16 ? static_cast<std::uint32_t>(i) : work.value({}, work.maximum(), false);
      for (const bool is_signed : {false, true}) {
        const EdqaMagnitude a = edqa_magnitude(format, is_signed, value);
        rtl.signal("signed_i").set(is_signed);
        rtl.signal("value_i").set(value);
        rtl.settle();
        const long double bits = edqa_number(format, value), meaning = edqa_meaning(format, value),
                          expected = is_signed ? meaning : std::max(meaning, 0.0L);
        const unsigned flags = std::isnan(bits)            ? EdqaMagnitude::nan
                               : std::isinf(bits)          ? EdqaMagnitude::infinite
                               : bits != 0 && meaning == 0 ? EdqaMagnitude::denormal
                                                           : 0;
        const bool right = edqa_size(format, a.magnitude) == std::fabs(expected) &&
                           a.negative == (expected < 0) && a.flags == flags &&
                           rtl.signal("negative_o").get(0, 1) == a.negative &&
                           rtl.signal("magnitude_o").get(0, edqa_magnitude_bits(format)) == a.magnitude &&
                           rtl.signal("flags_o").get(0, 3) == flags;
        special += flags != 0;
        if (!right) {
          CAPTURE(number(format), is_signed, value, a.magnitude, a.negative, a.flags,
                  rtl.signal("negative_o").get(0, 1),
                  rtl.signal("magnitude_o").get(0, edqa_magnitude_bits(format)),
                  rtl.signal("flags_o").get(0, 3));
          REQUIRE(right);
        }
      }
    }
    CHECK((special > 100) == (format == EdqaFormat::float32));
  }
}

TEST_CASE("edqa_quantizer: v is the paper's, of all whole numbers up to 40 and every T, m and rule") {
  std::uint64_t ties = 0, clamped = 0;
  for (int maximum = 0; maximum <= 40; ++maximum)
    for (int bits = 2; bits <= 8; ++bits)
      for (int extra = 0; extra <= 4 && extra < bits; ++extra)
        for (int choice = 0; choice < 8; ++choice) {
          EdqaScheme scheme;
          scheme.bits = bits;
          scheme.extra = extra;
          scheme.is_signed = choice & 1;
          scheme.half_down = choice & 2;
          const bool direct = choice & 4;
          if (extra >= scheme.scale_bits())
            continue;
          for (int a = -maximum - 3; a <= maximum + 3; ++a) { // above it too: a static maximum
            const int value = scheme.is_signed ? a : std::max(a, 0);
            const int expected = edqa_reference(scheme, value, maximum, direct);
            for (const EdqaFormat format : formats) {
              const EdqaMagnitude of = edqa_magnitude(format, scheme.is_signed, edqa_bits(format, a));
              const int v = edqa_quantize(format, scheme, of, edqa_bits(format, maximum), direct);
              if (v != expected) {
                CAPTURE(number(format), maximum, bits, extra, scheme.is_signed, scheme.half_down, direct, a,
                        v, expected);
                REQUIRE(v == expected);
              }
            }
            const int steps = scheme.scale_bits() - (direct ? extra : 0), size = std::abs(value);
            ties += maximum && size < maximum && (size << (steps + 1)) % (2 * maximum) == maximum;
            clamped += size > maximum;
            REQUIRE(scheme.quantized(expected) * (1 << extra) + scheme.shifting_error(expected) == expected);
            REQUIRE((!direct || scheme.shifting_error(expected) == 0));
          }
        }
  CHECK(ties > 1000);
  CHECK(clamped > 1000);
}

TEST_CASE("edqa_quantizer: v is the paper's, in all formats, at their extremes") {
  for (const EdqaFormat format : formats) {
    EdqaWork work(format, base_seed());
    for (int i = 0; i < repeats(200000); ++i) {
      const EdqaScheme scheme = work.scheme(12, 7);
      const std::uint32_t maximum = work.maximum();
      const bool direct = work.random.in(0, 1) != 0;
      const std::uint32_t value = work.value(scheme, maximum, direct);
      const EdqaMagnitude a = edqa_magnitude(format, scheme.is_signed, value);
      const long double meaning = edqa_meaning(format, value);
      const int v = edqa_quantize(format, scheme, a, maximum, direct),
                expected = edqa_reference(scheme, scheme.is_signed ? meaning : std::max(meaning, 0.0L),
                                          edqa_size(format, maximum), direct);
      if (v != expected) {
        CAPTURE(base_seed(), i, number(format), scheme.bits, scheme.extra, scheme.is_signed, scheme.half_down,
                direct, value, maximum, v, expected);
        REQUIRE(v == expected);
      }
    }
  }
}

TEST_CASE("edqa_quantizer: impossible parameters stop elaboration") {
  const TemporaryDirectory directory("deltatwin-magnitude");
  beside_a_clock(directory.path());
  const auto refused = Catch::Contains("u_error");
  for (const int format : {-1, 3}) {
    CHECK_THROWS_WITH(build_rtl({"clocked", {{"Format", format}}, false, directory.path()}), refused);
    CHECK_THROWS_WITH(build_rtl({"edqa_quantizer", {{"Format", format}}, false, ""}), refused);
  }
  for (const int bits : {1, 13})
    CHECK_THROWS_WITH(build_rtl({"edqa_quantizer", {{"MaxBits", bits}}, false, ""}), refused);
}

TEST_CASE("edqa_quantizer: a transaction has the same values, bad ones are refused") {
  const ContextGuard guard;
  EdqaQuantizer model("quantizer", {EdqaFormat::int32, 8}, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  EdqaWork work(EdqaFormat::int32, base_seed());
  for (int i = 0; i < repeats(100); ++i) {
    EdqaQuantizeExtension channel;
    channel.scheme = work.scheme(8, 4);
    channel.maximum = work.maximum();
    channel.direct = work.random.in(0, 1) != 0;
    for (int left = work.random.in(1, 30); left > 0; --left)
      channel.values.push_back(edqa_magnitude(EdqaFormat::int32, channel.scheme.is_signed,
                                              work.value(channel.scheme, channel.maximum, channel.direct)));
    const std::size_t count = channel.values.size();
    std::vector<std::int16_t> results(count);
    Cycle at = 1000;
    const auto okay = [&](tlm::tlm_command command, std::size_t length) {
      return host.access(command, 0, results.data(), length, at, &channel);
    };
    REQUIRE(okay(tlm::TLM_READ_COMMAND, 2 * count));
    CHECK(at == 1000 + count - 1 + static_cast<Cycle>(channel.scheme.bits) + 3);
    for (std::size_t v = 0; v < count; ++v)
      CHECK(results[v] == edqa_quantize(EdqaFormat::int32, channel.scheme, channel.values[v], channel.maximum,
                                        channel.direct));
    CHECK_FALSE(okay(tlm::TLM_WRITE_COMMAND, 2 * count));
    CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 2 * count - 1));
    channel.scheme.extra = channel.scheme.scale_bits();
    CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 2 * count));
    channel.scheme = {};
    channel.scheme.bits = 9;
    CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 2 * count));
    channel.scheme.bits = 8;
    channel.values.clear();
    CHECK_FALSE(okay(tlm::TLM_READ_COMMAND, 0));
  }
}

TEST_CASE("edqa_quantizer: twins agree, whatever T, m, rule, maximum and reset") {
  for (const EdqaQuantizerConfig config : {EdqaQuantizerConfig{EdqaFormat::int16, 6},
                                           {EdqaFormat::int16, 12},
                                           {EdqaFormat::int16, 2},
                                           {EdqaFormat::int32, 9},
                                           {EdqaFormat::float32, 7},
                                           {EdqaFormat::float32, 12}}) {
    CAPTURE(number(config.format), config.max_bits, base_seed());
    QuantizerBench bench(config, block_of(config));
    for (int round = 0; round < repeats(300); ++round)
      bench.channels(bench.work.scheme(config.max_bits, 7), bench.work.random.in(1, 12));
    bench.run(repeats(60));
  }
}

TEST_CASE("edqa_quantizer: what Yosys makes of it does the same", "[.netlist]") {
  for (const EdqaQuantizerConfig config :
       {EdqaQuantizerConfig{EdqaFormat::int16, 6}, {EdqaFormat::float32, 8}}) {
    CAPTURE(number(config.format), config.max_bits, base_seed());
    const Netlist netlist(block_of(config));
    QuantizerBench bench(config, netlist.source());
    for (int round = 0; round < repeats(100); ++round)
      bench.channels(bench.work.scheme(config.max_bits, 7), bench.work.random.in(1, 12));
    bench.run(repeats(20));
  }
}

TEST_CASE("edqa_quantizer: twins agree on some channels of one scheme") {
  const EdqaQuantizerConfig config;
  QuantizerBench bench(config, block_of(config));
  bench.channels({}, 6);
  bench.run(0);
}

TEST_CASE("edqa_quantizer: no DSP, no memory, and LUT and FF of the model within 15 % of synthesis") {
  for (const EdqaFormat format : formats)
    check_area(edqa_magnitude_resources(format), {"edqa_magnitude", {{"Format", number(format)}}});
  const std::vector<EdqaQuantizerConfig> held_out = {
      {EdqaFormat::int16, 8}, {EdqaFormat::int32, 9}, {EdqaFormat::float32, 6}};
  for (int i = 0; i < std::min(repeats(1), 3); ++i)
    check_area(edqa_quantizer_resources(held_out[static_cast<std::size_t>(i)]),
               block_of(held_out[static_cast<std::size_t>(i)]));
}

// To fit the coefficients in sysc/blocks/edqa_area.cpp again.
TEST_CASE("edqa_quantizer: what the area model is fitted to, as CSV", "[.fit]") {
  for (const EdqaFormat format : formats)
    print_area(edqa_magnitude_resources(format), {"edqa_magnitude", {{"Format", number(format)}}});
  for (const EdqaFormat format : formats)
    for (const int max_bits : {2, 4, 6, 12})
      print_area(edqa_quantizer_resources({format, max_bits}), block_of({format, max_bits}));
}
