#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/delta_mac.h"
#include <map>
#include <set>

using namespace deltatwin;

namespace {

struct Pins {
  bool valid = false;
  int x = 0, flags = 0; ///< flags: tile last, block last, block first, tile first
  std::vector<std::int8_t> deltas;
  int active = 1, shift = 0;
  bool consecutive = false;
};

// sum of x * (r + c * 2^s), c the delta or its running sum in 8 bits.
std::int32_t reference(const MacBurst& burst, int lane) {
  std::int64_t sum = 0;
  std::int8_t running = 0;
  for (int i = 0; i < static_cast<int>(burst.x.size()); ++i) {
    const auto at = static_cast<std::size_t>(i * burst.lanes + lane);
    const auto reference_at = static_cast<std::size_t>(i / burst.block_length * burst.lanes + lane);
    if (i % burst.block_length == 0 || !burst.consecutive)
      running = 0;
    running = static_cast<std::int8_t>(running + burst.deltas[at]);
    sum += std::int64_t{burst.x[static_cast<std::size_t>(i)]} *
           (burst.references[reference_at] + running * (std::int64_t{1} << burst.shift));
  }
  return static_cast<std::int32_t>(static_cast<std::uint64_t>(sum));
}

} // namespace

TEST_CASE("delta_mac model: an extension that is used again tells of its latest tile only") {
  const ContextGuard guard;
  DeltaMac model("delta_mac", DeltaMacConfig{2, 4, Multiplier::dsp, false}, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  MacExtension extension;
  extension.burst.lanes = 2;
  extension.burst.x = {1, 2, 3};
  extension.burst.deltas = {1, 1, 1, 1, 1, 1};
  extension.burst.references = {0, 0};
  extension.burst.block_length = 3;
  std::int32_t sums[2];
  Cycle latency = 0;
  for (const Cycle begin : {Cycle{0}, Cycle{100}}) {
    Cycle cycle = begin;
    REQUIRE(host.access(tlm::TLM_READ_COMMAND, 0, sums, 8, cycle, &extension));
    CHECK(extension.reference_requests.size() == 2);
    CHECK(extension.first_sum == cycle - 2);
    if (begin == 0)
      latency = cycle;
    CHECK(cycle == begin + latency);
  }
}

TEST_CASE("delta_mac twins agree on every multiplier, scheme and block length, up to the extremes of the "
          "longest tile") {
  const DeltaMacConfig configs[] = {
      {1, 4, Multiplier::lut, true, 4096},         {16, 4, Multiplier::lut, false, 1024},
      {5, 8, Multiplier::lut, true, 64},           {3, 1, Multiplier::dsp, false, 2},
      {8, 4, Multiplier::dsp, true, 4096},         {4, 8, Multiplier::dsp, true, 2048},
      {1, 4, Multiplier::dsp_packed, true, 4096},  {7, 8, Multiplier::dsp_packed, true, 4096},
      {6, 2, Multiplier::dsp_packed, false, 1024}, {1, 4, Multiplier::serial, false, 512},
      {9, 8, Multiplier::serial, true, 4096},      {5, 1, Multiplier::serial, false, 64},
      {2, 3, Multiplier::serial, true, 16},        {32, 3, Multiplier::lut, true, 128},
      {3, 2, Multiplier::lut, false, 1024},        {2, 1, Multiplier::dsp_packed, false, 2},
  };
  for (const DeltaMacConfig& config : configs) {
    const int sum_bits = DeltaMacWidths(config).sum;
    CAPTURE(config.lanes, config.delta_bits, to_string(config.multiplier), config.consecutive);
    const int step = config.cycles_per_mac();
    ContextGuard guard;
    DeltaMac model("delta_mac", config, 100);
    Initiator host("host", model.socket);
    end_elaboration();
    BlockBench bench({"delta_mac",
                      {{"Lanes", config.lanes},
                       {"DeltaBits", config.delta_bits},
                       {"Multiplier", static_cast<int>(config.multiplier)},
                       {"Consecutive", config.consecutive},
                       {"MaxInputs", config.max_inputs}},
                      false,
                      ""},
                     {{"", "ref", {"ref_re_o"}, {}}, {"", "sum", {"sum_valid_o"}, {{"sum_o", sum_bits}}}});
    bench.reset();
    RandomWork random(base_seed());
    std::vector<Pins> pins;
    std::map<Cycle, std::int8_t> references; // by the cycle of the request
    std::set<Cycle> resets;
    BeatTrace trace = bench.trace();
    Cycle drain_free = 0;
    for (int tile = 0; tile < repeats(30); ++tile) {
      MacBurst burst;
      burst.lanes = random.in(1, config.lanes);
      const bool extreme = tile % 10 == 3; // of all registers at once, by one sign or the other
      const int inputs =
          extreme || tile == 11 ? config.max_inputs : random.in(1, std::min(config.max_inputs, 40));
      burst.block_length = extreme || random.in(0, 1) ? inputs : random.in(1, inputs);
      burst.shift = extreme ? 7 : random.in(0, 7);
      burst.consecutive = config.consecutive && random.in(0, 1);
      burst.x = random.bytes(static_cast<std::size_t>(inputs));
      for (int i = 0; i < inputs * burst.lanes; ++i)
        burst.deltas.push_back(
            static_cast<std::int8_t>(extract_delta(random.word(config.delta_bits), 0, config.delta_bits)));
      const int blocks = (inputs + burst.block_length - 1) / burst.block_length;
      burst.references = random.bytes(static_cast<std::size_t>(blocks * burst.lanes));
      if (extreme) {
        burst.consecutive = false;
        std::fill(burst.x.begin(), burst.x.end(), static_cast<std::int8_t>(random.in(0, 3) ? -128 : 127));
        std::fill(burst.deltas.begin(), burst.deltas.end(),
                  static_cast<std::int8_t>(-(1 << (config.delta_bits - 1))));
        std::fill(burst.references.begin(), burst.references.end(), std::int8_t{-128});
      }
      MacExtension extension;
      const bool stalls = random.in(0, 1);
      for (int i = 0; i < inputs; ++i) {
        const bool block_last = i + 1 == inputs || (i + 1) % burst.block_length == 0;
        if (stalls)
          pins.resize(pins.size() + static_cast<std::size_t>(random.in(0, 2)));
        if (block_last && pins.size() < drain_free)
          pins.resize(drain_free);
        if (block_last)
          drain_free = pins.size() + static_cast<Cycle>(burst.lanes);
        const int flags =
            (i == 0) | (i % burst.block_length == 0) << 1 | block_last << 2 | (i + 1 == inputs) << 3;
        extension.beats.push_back(pins.size());
        Pins now{true,
                 burst.x[static_cast<std::size_t>(i)],
                 flags,
                 {},
                 burst.lanes,
                 burst.shift,
                 burst.consecutive};
        now.deltas.assign(burst.deltas.begin() + i * burst.lanes,
                          burst.deltas.begin() + (i + 1) * burst.lanes);
        pins.push_back(now);
        pins.resize(pins.size() + static_cast<std::size_t>(step - 1));
      }
      extension.burst = burst;
      std::vector<std::int32_t> sums(static_cast<std::size_t>(burst.lanes));
      Cycle at = extension.beats.front();
      REQUIRE(host.access(tlm::TLM_READ_COMMAND, 0, sums.data(), 4 * sums.size(), at, &extension));
      for (int lane = 0; lane < burst.lanes; ++lane)
        REQUIRE(sums[static_cast<std::size_t>(lane)] == reference(burst, lane));
      for (const Cycle cycle : extension.reference_requests)
        trace.add(0, {cycle, 0, {}, cycle});
      for (std::size_t lane = 0; lane < sums.size(); ++lane)
        trace.add(1, {extension.first_sum + lane,
                      static_cast<std::uint32_t>(sums[lane]) & (~0u >> (32 - sum_bits)),
                      {-1, -1, tile, static_cast<int>(lane)},
                      extension.first_sum});
      for (std::size_t i = 0; i < burst.references.size(); ++i)
        references[extension.reference_requests[i]] = burst.references[i];
      if (tile % 5 == 4) { // a reset while the lanes drain: the rest is gone
        const Cycle reset = extension.beats.back() + static_cast<Cycle>(random.in(0, burst.lanes + 10));
        resets.insert(reset);
        trace.drop_cycles_after(reset, 0);
        references.erase(references.upper_bound(reset), references.end());
        pins.resize(std::max<std::size_t>(pins.size(), reset + 1));
        drain_free = 0;
      }
    }
    pins.resize(pins.size() + 200);
    const RtlSignal& deltas = bench.rtl().signal("deltas_i");
    bench.run(trace, pins.size(), [&](Cycle cycle) {
      const Pins& now = pins[cycle];
      const auto requested = references.find(cycle - 1); // the answer comes a cycle later
      bench.set("ref_i", requested != references.end() ? static_cast<std::uint8_t>(requested->second) : 0x55);
      bench.set("rst_ni", resets.count(cycle) == 0);
      bench.set("valid_i", now.valid);
      bench.set("x_i", static_cast<std::uint8_t>(now.x));
      for (int lane = 0; lane < config.lanes; ++lane)
        deltas.set_bits(lane * config.delta_bits, config.delta_bits,
                        static_cast<std::size_t>(lane) < now.deltas.size()
                            ? static_cast<std::uint8_t>(now.deltas[static_cast<std::size_t>(lane)])
                            : random.word(config.delta_bits));
      bench.set("tile_first_i", now.flags & 1);
      bench.set("block_first_i", now.flags >> 1 & 1);
      bench.set("block_last_i", now.flags >> 2 & 1);
      bench.set("tile_last_i", now.flags >> 3 & 1);
      bench.set("consecutive_i", now.consecutive);
      bench.set("shift_i", static_cast<std::uint64_t>(now.shift));
      bench.set("lanes_i", static_cast<std::uint64_t>(now.active));
    });
  }
}

TEST_CASE("delta_mac model refuses a transaction without operands") {
  DeltaMac model("delta_mac", {}, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  std::int32_t sum;
  Cycle at = 0;
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, &sum, 4, at));
}
