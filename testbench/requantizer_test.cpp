#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/requantizer.h"
#include <algorithm>
#include <set>

using namespace deltatwin;

namespace {

// Round half up, said with a division: floor((s*m + b*2^k) / 2^(k+8) + 1/2).
int reference(std::int64_t sum, std::int64_t m, std::int64_t b, int k, int activation) {
  const std::int64_t twice = 2 * (sum * m + b * (std::int64_t{1} << k));
  const std::int64_t unit = std::int64_t{1} << (k + 8);
  const std::int64_t numerator = twice + unit, denominator = 2 * unit;
  std::int64_t value = numerator / denominator;
  if (numerator % denominator < 0)
    --value;
  const int low = activation == 1 ? 0 : activation == 2 ? -128 : -32768;
  const int high = activation == 1 || activation == 2 ? 127 : 32767;
  return static_cast<int>(value < low ? low : value > high ? high : value);
}

} // namespace

TEST_CASE("requantizer twins agree with each other and with a plain reference") {
  BlockBench bench(
      {"requantizer", {{"TagBits", 12}}, false, ""},
      {{"", "param", {"param_re_o"}, {}}, {"", "result", {"valid_o"}, {{"y_o", 16}, {"tag_o", 12}}}});
  RandomWork random(base_seed());
  Requantizer model("requantizer", 100);
  Initiator host("host", model.socket);
  end_elaboration();
  bench.reset();

  struct Pins {
    bool valid = false;
    std::int32_t sum = 0;
    int k = 0, activation = 0;
    std::uint64_t parameter = 0, tag = 0;
  };
  std::vector<Pins> pins;
  BeatTrace trace = bench.trace();
  const auto idle = [&](int cycles) { pins.resize(pins.size() + static_cast<std::size_t>(cycles)); };
  for (int burst = 0; burst < repeats(400); ++burst) {
    idle(random.in(0, 1) * random.in(0, 8));
    RequantizeExtension extension;
    extension.shift = random.in(0, 31);
    extension.activation = static_cast<Activation>(random.in(0, 3));
    const Cycle first = pins.size();
    for (int i = random.in(1, 20); i > 0; --i) {
      Pins now{true,
               static_cast<std::int32_t>(random.word(32)),
               extension.shift,
               static_cast<int>(extension.activation),
               random.word(36),
               random.word(12)};
      if (random.in(0, 1)) // sums as layers have them, and the extremes
        now.sum = random.in(0, 3) ? random.in(-100000, 100000) : random.in(0, 1) ? INT32_MIN : INT32_MAX;
      if (random.in(0, 1))
        now.parameter = pack_parameter(random.in(0, 4000), random.in(-20000, 20000));
      extension.sums.push_back(now.sum);
      extension.parameters.push_back(now.parameter);
      pins.push_back(now);
    }
    std::vector<std::int16_t> results(extension.sums.size());
    Cycle at = first;
    REQUIRE(host.access(tlm::TLM_READ_COMMAND, 0, results.data(), 2 * results.size(), at, &extension));
    REQUIRE(at == first + results.size() - 1 + 5);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Pins& now = pins[first + i];
      REQUIRE(results[i] == reference(now.sum, parameter_multiplier(now.parameter),
                                      parameter_bias(now.parameter), now.k, now.activation));
      trace.add(0, {first + i, 0, {}, first + i});
      trace.add(1, {first + i + 5, static_cast<std::uint16_t>(results[i]) | now.tag << 16, {}, first + i});
    }
  }
  idle(16);
  // Resets in mid-run: what is on its way is gone.
  std::set<Cycle> resets;
  for (int i = 0; i < 40; ++i)
    resets.insert(static_cast<Cycle>(random.in(1, static_cast<int>(pins.size()) - 1)));
  auto& results = trace.beats[1];
  results.erase(std::remove_if(results.begin(), results.end(),
                               [&](const Beat& beat) {
                                 const auto reset = resets.lower_bound(beat.origin);
                                 return reset != resets.end() && *reset < beat.cycle;
                               }),
                results.end());
  bench.run(trace, pins.size(), [&](Cycle cycle) {
    const Pins& now = pins[cycle];
    bench.set("rst_ni", resets.count(cycle) == 0);
    bench.set("valid_i", now.valid);
    bench.set("sum_i", static_cast<std::uint32_t>(now.sum));
    bench.set("shift_i", static_cast<std::uint64_t>(now.k));
    bench.set("activation_i", static_cast<std::uint64_t>(now.activation));
    bench.set("tag_i", now.tag);
    bench.set("param_i", cycle ? pins[cycle - 1].parameter : 0);
  });
}

TEST_CASE("requantizer rounds half up") {
  const int m = 1, k = 0;
  CHECK(requantize(127, m, 0, k, Activation::none) == 0);
  CHECK(requantize(128, m, 0, k, Activation::none) == 1);
  CHECK(requantize(-128, m, 0, k, Activation::none) == 0);
  CHECK(requantize(-129, m, 0, k, Activation::none) == -1);
  CHECK(requantize(-1000000, m, 0, k, Activation::relu) == 0);
  CHECK(requantize(1000000, m, 0, k, Activation::relu) == 127);
  CHECK(requantize(-1000000, m, 0, k, Activation::hardtanh) == -128);
}
