#include "block_bench.h"
#include "block_top.h"
#include "blocks/line_buffer.h"
#include "netlist_bench.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <array>
#include <map>

using namespace deltatwin;

namespace {

RtlSource block_of(const LineBufferConfig& config) {
  return {"line_buffer",
          {{"Channels", config.channels},
           {"Banks", config.banks},
           {"PartBits", config.part_bits},
           {"Depth", config.depth},
           {"Kept", 8 * config.channels - config.lost()}},
          false,
          ""};
}

struct Step {
  bool reset = false, valid = false;
  int bank = 0, zero = 0, write_bank = 0, write_address = 0;
  unsigned parts = 0;
  std::vector<LineBufferCore::Read> lanes;
  std::vector<std::int8_t> data;
};

// Addresses at both ends, in a few places where they meet, anywhere, and beyond the depth.
int any_address(RandomWork& random, int depth) {
  switch (random.in(0, 5)) {
  case 0:
    return random.in(0, depth - 1);
  case 1:
    return depth - 1 - random.in(0, 1);
  case 2:
    return random.in(0, 2) ? std::min(65535, depth + random.in(0, 40)) : random.in(0, 65535);
  default:
    return random.in(0, 1);
  }
}

// Random work.
void agree(const LineBufferConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.channels, config.banks, config.part_bits, config.depth, config.kept);
  const int window_bytes = config.banks * config.channels;
  BlockBench bench(source, WideValue::interfaces("window_o", 8 * window_bytes, {}));
  LineBufferCore model(config);
  std::map<std::array<int, 3>, unsigned> reference; // bits, by bank, address and byte
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(round));
    std::vector<Step> steps;
    std::map<Cycle, WideValue> windows;
    bool equal = true;
    BeatTrace trace = bench.trace();
    const int cycles = 3000, busy = random.in(1, 3);
    for (int cycle = 0; cycle < cycles; ++cycle) {
      Step step;
      step.reset = random.in(0, 200) == 0;
      step.valid = random.in(0, 3) < busy;
      step.bank = random.in(0, config.banks - 1);
      step.zero = random.in(-128, 127);
      for (int lane = 0; lane < config.banks; ++lane)
        step.lanes.push_back(
            {static_cast<std::uint16_t>(any_address(random, config.depth)), random.in(0, 5) == 0});
      step.parts = random.in(0, 3) ? static_cast<unsigned>(random.word(config.parts())) : 0;
      step.write_bank = random.in(0, config.banks - 1);
      step.write_address = any_address(random, config.depth);
      step.data = random.bytes(static_cast<std::size_t>(config.channels));

      model.write(step.parts, step.write_bank, step.write_address, step.data.data());
      for (int bit = 0; step.write_address < config.depth && bit < 8 * config.channels; ++bit)
        if (bit >= config.lost() && step.parts >> bit / config.part_bits & 1) {
          unsigned& byte = reference[{step.write_bank, step.write_address, bit / 8}];
          byte &= ~(1u << bit % 8);
          byte |= static_cast<std::uint8_t>(step.data[static_cast<std::size_t>(bit / 8)]) & 1u << bit % 8;
        }
      if (step.valid) {
        std::vector<std::int8_t> modelled(static_cast<std::size_t>(window_bytes)), plain;
        model.read(step.bank, step.lanes.data(), static_cast<std::int8_t>(step.zero), modelled.data());
        for (int lane = 0; lane < config.banks; ++lane)
          for (int byte = 0; byte < config.channels; ++byte) {
            const auto& read = step.lanes[static_cast<std::size_t>(lane)];
            const auto found = reference.find({(step.bank + lane) % config.banks, read.address, byte});
            plain.push_back(read.pad                   ? static_cast<std::int8_t>(step.zero)
                            : found == reference.end() ? std::int8_t{0}
                                                       : static_cast<std::int8_t>(found->second));
          }
        equal = equal && modelled == plain;
        windows.insert_or_assign(static_cast<Cycle>(cycle) + LineBufferTiming::window, WideValue(modelled));
      }
      if (step.reset) {
        trace.resets.push_back(static_cast<Cycle>(cycle));
        windows.erase(windows.upper_bound(static_cast<Cycle>(cycle)), windows.end());
      }
      steps.push_back(step);
    }
    CHECK(equal);
    CHECK(windows.size() > 500);
    for (int cycle = 0; cycle < cycles; ++cycle) {
      const auto window = windows.find(static_cast<Cycle>(cycle));
      (window == windows.end() ? WideValue(8 * window_bytes) : window->second)
          .add_to(trace, static_cast<Cycle>(cycle));
    }
    bench.set("valid_i", 0);
    bench.set("we_i", 0);
    bench.reset();
    bench.run(trace, static_cast<Cycle>(cycles), [&](Cycle cycle) {
      const Step& step = steps[cycle];
      bench.set("rst_ni", !step.reset);
      bench.set("valid_i", step.valid);
      bench.set("bank_i", static_cast<std::uint64_t>(step.bank));
      bench.set("zero_i", static_cast<std::uint8_t>(step.zero));
      WideValue addresses(16 * config.banks);
      std::uint64_t pads = 0;
      for (int lane = 0; lane < config.banks; ++lane) {
        const auto& read = step.lanes[static_cast<std::size_t>(lane)];
        addresses.put(16 * lane, 16, read.address);
        pads |= std::uint64_t{read.pad} << lane;
      }
      addresses.drive(bench.rtl().signal("address_i"));
      bench.set("pad_i", pads);
      bench.set("we_i", step.parts);
      bench.set("wbank_i", static_cast<std::uint64_t>(step.write_bank));
      bench.set("waddress_i", static_cast<std::uint64_t>(step.write_address));
      WideValue(step.data).drive(bench.rtl().signal("wdata_i"));
    });
  }
}

} // namespace

TEST_CASE("line_buffer twins give each window of each read: writes before it, pads, no bank twice, resets") {
  for (const LineBufferConfig& config :
       {LineBufferConfig{16, 3, 64, 1024}, LineBufferConfig{4, 1, 16, 2}, LineBufferConfig{8, 7, 64, 60},
        LineBufferConfig{4, 5, 16, 700}, LineBufferConfig{4, 2, 32, 65536}, LineBufferConfig{32, 4, 32, 530},
        LineBufferConfig{8, 2, 2, 40}, LineBufferConfig{4, 3, 1, 70},
        LineBufferConfig{8, 1, 64, 600, true, 36}, LineBufferConfig{4, 3, 32, 50, true, 12}})
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("line_buffer: what Yosys makes of it does the same", "[.netlist]") {
  const LineBufferConfig config{4, 3, 4, 40};
  agree(config, Netlist(block_of(config)).source(), repeats(1));
}

TEST_CASE("line_buffer: impossible parameters stop elaboration") {
  check_refused("line_buffer", {{"Channels", {2, 12, 64}},
                                {"Banks", {8}},
                                {"PartBits", {2, 48, 256}},
                                {"Depth", {1, 65537}},
                                {"Kept", {0, 12}}});
}

TEST_CASE("line_buffer: block RAM and LUT-RAM are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<LineBufferConfig> held_out = {{4, 3, 16, 128},   {8, 1, 64, 1024, true, 36},
                                                  {16, 3, 64, 1024}, {8, 2, 64, 50},
                                                  {4, 7, 32, 600},   {8, 5, 32, 530}};
  for (int i = 0; i < std::min(3 * repeats(1), 6); ++i)
    check_area(line_buffer_resources(held_out[static_cast<std::size_t>(i)]),
               block_of(held_out[static_cast<std::size_t>(i)]));
}

// To fit the coefficients in sysc/blocks/line_buffer.cpp again.
TEST_CASE("line_buffer: what the area model is fitted to, as CSV", "[.fit]") {
  const std::vector<LineBufferConfig> fitted = {{16, 3, 64, 1024}, {4, 1, 16, 64},  {4, 2, 32, 700},
                                                {16, 5, 32, 700},  {8, 7, 64, 512}, {32, 2, 128, 2048},
                                                {16, 4, 128, 100}, {8, 6, 16, 40}};
  for (const LineBufferConfig& config : fitted)
    print_area(line_buffer_resources(config), block_of(config));
}
