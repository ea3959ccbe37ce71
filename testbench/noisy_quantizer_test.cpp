#include "block_bench.h"
#include "blocks/noisy_quantizer.h"
#include "refused_parameters.h"
#include <cstdlib>
#include <vector>

using namespace deltatwin;

namespace {

struct Input {
  int x;
  std::int64_t step, offset;
  NoisyRange range;
};

// The code by its meaning: of all that the range has, the nearest; of two the lower one.
NoisyResult nearest(const NoisyQuantizerConfig& config, const Input& in) {
  const std::int64_t t = std::int64_t{config.factor()} * in.x + in.offset;
  const int most = in.range == NoisyRange::free ? (1 << config.quotient_bits()) - 1 : config.most();
  std::int64_t code = -most - (in.range == NoisyRange::code);
  for (std::int64_t other = code + 1; other <= most; ++other)
    if (std::llabs(t - in.step * other) < std::llabs(t - in.step * code))
      code = other;
  if (in.step == 0)
    code = 0;
  return {code, in.step * code - t, in.step * code - in.offset};
}

Input random_input(RandomWork& random, const NoisyQuantizerConfig& config) {
  const int top = 1 << (config.data_bits - 1);
  const int largest = random.in(0, 3) ? random.in(1, top) : random.in(0, 9) ? top : 0;
  const int i = random.in(1, 10), j = random.in(-5, 4);
  Input in;
  in.range = static_cast<NoisyRange>(random.in(0, 2));
  in.x = std::min(random.in(0, 4)   ? random.in(-largest, largest)
                  : random.in(0, 1) ? largest
                                    : -largest,
                  top - 1);
  in.step = 5 * std::int64_t{largest} * i;
  in.offset = in.range == NoisyRange::clip ? 0 : std::int64_t{largest} * i * j;
  if (random.in(0, 3) == 0) { // near a half, or on it
    const std::int64_t half = (2 * random.in(-8, 8) + 1) * in.step / 2 - in.offset;
    in.x = static_cast<int>(
        std::clamp<std::int64_t>(half / config.factor(), -largest, std::min(largest, top - 1)));
  }
  if (random.in(0, 4) == 0) { // any that the registers take
    in.range = NoisyRange::code;
    in.x = random.in(-top, top - 1);
    in.step = static_cast<std::int64_t>(random.word(random.in(1, config.step_bits())));
    in.offset = static_cast<std::int64_t>(random.word(config.offset_bits())) -
                (std::int64_t{1} << (config.offset_bits() - 1));
  }
  return in;
}

std::uint64_t low(std::int64_t value, int bits) {
  return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

} // namespace

TEST_CASE("noisy_quantizer twins give the nearest code, halves down, and its exact error and value") {
  for (const NoisyQuantizerConfig& config : {NoisyQuantizerConfig{16, 3}, NoisyQuantizerConfig{8, 2},
                                             NoisyQuantizerConfig{11, 4}, NoisyQuantizerConfig{16, 5}}) {
    CAPTURE(config.data_bits, config.bits);
    PinBench pins("noisy_quantizer", {{"DataBits", config.data_bits}, {"Bits", config.bits}, {"TagBits", 9}},
                  {"rst_ni", "valid_i"});
    pins.set("rst_ni", 1);
    RandomWork random(base_seed());
    struct Sent {
      bool valid;
      Input in;
      std::uint64_t tag;
    };
    std::vector<Sent> sent;
    const int latency = static_cast<int>(config.latency());
    int halves = 0, resets = -1; // the cycle of the latest reset
    for (int cycle = 0; cycle < repeats(6000); ++cycle) {
      const Sent now{random.in(0, 5) != 0, random_input(random, config), random.word(9)};
      const bool reset = random.in(0, 499) == 0;
      sent.push_back(now);
      pins.set("rst_ni", !reset);
      pins.set("valid_i", now.valid);
      pins.set("x_i", low(now.in.x, config.data_bits));
      pins.set("step_i", static_cast<std::uint64_t>(now.in.step));
      pins.set("offset_i", low(now.in.offset, config.offset_bits()));
      pins.set("range_i", static_cast<std::uint64_t>(now.in.range));
      pins.set("tag_i", now.tag);
      pins.settle();
      const int from = cycle - latency;
      CAPTURE(cycle, base_seed());
      const bool valid = from >= 0 && sent[static_cast<std::size_t>(from)].valid && from > resets;
      REQUIRE(pins.get("valid_o") == valid);
      if (valid) {
        const Sent& then = sent[static_cast<std::size_t>(from)];
        const Input& in = then.in;
        CAPTURE(in.x, in.step, in.offset, static_cast<int>(in.range));
        const NoisyResult reference = nearest(config, in),
                          model = noisy_quantize(config, in.x, in.step, in.offset, in.range);
        REQUIRE(model.code == reference.code);
        REQUIRE(model.error == reference.error);
        REQUIRE(model.value == reference.value);
        REQUIRE(pins.get("tag_o") == then.tag);
        if (in.range == NoisyRange::code) {
          REQUIRE(pins.get("code_o") == low(model.code, 5));
          REQUIRE(pins.get("value_o") == low(model.value, 27));
          const std::int16_t x = static_cast<std::int16_t>(in.x);
          std::uint32_t word = 0;
          noisy_words(config, &x, 1, in.step, in.offset, &word);
          REQUIRE(word == noisy_word(model));
        } else {
          REQUIRE(pins.get("error_o") == low(model.error, config.error_bits()));
        }
        halves += 2 * std::llabs(model.error) == in.step && in.step != 0;
      }
      pins.edge();
      if (reset)
        resets = cycle;
    }
    CHECK(halves > 3);
  }
}

TEST_CASE("noisy_quantizer: many values at once are each by itself") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(200); ++round) {
    const NoisyQuantizerConfig config{random.in(8, 16), random.in(2, 5)};
    const Input in = random_input(random, config);
    std::vector<std::int16_t> values(static_cast<std::size_t>(random.in(1, 100)));
    for (std::int16_t& value : values)
      value = static_cast<std::int16_t>(random_input(random, config).x);
    std::vector<std::uint32_t> words(values.size());
    noisy_words(config, values.data(), values.size(), in.step, in.offset, words.data());
    for (std::size_t i = 0; i < values.size(); ++i)
      REQUIRE(words[i] ==
              noisy_word(noisy_quantize(config, values[i], in.step, in.offset, NoisyRange::code)));
  }
}

TEST_CASE("noisy_quantizer: impossible parameters stop elaboration") {
  check_refused("noisy_quantizer", {{"DataBits", {7, 17}}, {"Bits", {1, 6}}});
}
