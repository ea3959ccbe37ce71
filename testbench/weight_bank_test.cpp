#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/weight_bank.h"
#include <map>

using namespace deltatwin;

namespace {

struct Shape {
  int width, depth, latency, block;
};

} // namespace

TEST_CASE("weight_bank twins agree in every cycle, collisions and addresses beyond the depth included") {
  for (const Shape& shape :
       {Shape{36, 512, 1, 1}, Shape{32, 4608, 1, 1}, Shape{8, 300, 2, 1}, Shape{18, 1024, 2, 1},
        Shape{9, 2, 1, 0}, Shape{36, 33, 1, 0}, Shape{36, 528, 1, 1}, Shape{9, 1568, 2, 1}}) {
    CAPTURE(shape.width, shape.depth, shape.latency);
    RandomWork random(base_seed());
    ContextGuard guard;
    WeightBank bank("bank", {shape.width, shape.depth, shape.latency}, 100);
    Initiator host("host", bank.socket);
    end_elaboration();
    BlockBench bench({"weight_bank",
                      {{"Width", shape.width},
                       {"Depth", shape.depth},
                       {"ReadLatency", shape.latency},
                       {"Block", shape.block}},
                      false,
                      ""},
                     {{"", "read", {}, {{"rdata_o", shape.width}}}});
    struct Pins {
      bool write, read;
      std::uint64_t write_address, write_data, read_address;
    };
    int address_bits = 1;
    while ((1 << address_bits) < shape.depth)
      ++address_bits;
    std::vector<Pins> pins;
    std::map<Cycle, std::uint64_t> answers;
    std::map<std::uint64_t, std::uint64_t> reference;
    for (Cycle cycle = 0; cycle < static_cast<Cycle>(repeats(4000)); ++cycle) {
      Pins now{random.in(0, 2) > 0, cycle == 0 || random.in(0, 2) > 0, random.word(address_bits),
               random.word(shape.width), random.word(address_bits)};
      if (random.in(0, 1)) { // collide, in a small part of the memory: at its start or its end
        const auto end = static_cast<std::uint64_t>(shape.depth - 2);
        const std::uint64_t first = random.in(0, 1) ? 0 : end;
        now.read_address = now.write_address =
            (first + (now.write_address & 3)) & ((std::uint64_t{1} << address_bits) - 1);
      }
      const bool in_range = now.read_address < static_cast<std::uint64_t>(shape.depth);
      const std::uint64_t expected = in_range ? reference[now.read_address] : 0;
      if (now.write) {
        Cycle at = cycle;
        REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, now.write_address * 8, &now.write_data, 8, at));
        CHECK(at == cycle + 1);
        if (now.write_address < static_cast<std::uint64_t>(shape.depth))
          reference[now.write_address] = now.write_data;
      }
      if (now.read) {
        std::uint64_t word = 0;
        Cycle at = cycle;
        REQUIRE(host.access(tlm::TLM_READ_COMMAND, now.read_address * 8, &word, 8, at));
        answers[at] = word;
        REQUIRE(word == expected);
      }
      pins.push_back(now);
    }
    BeatTrace model = bench.trace();
    const Cycle first = answers.begin()->first;
    std::uint64_t held = 0;
    for (Cycle cycle = first; cycle < pins.size(); ++cycle) {
      if (answers.count(cycle))
        held = answers[cycle];
      model.add(0, {cycle, held, {}, cycle});
    }
    bench.run(
        model, pins.size(),
        [&](Cycle cycle) {
          const Pins& now = pins[cycle];
          bench.set("we_i", now.write);
          bench.set("waddr_i", now.write_address);
          bench.set("wdata_i", now.write_data);
          bench.set("re_i", now.read);
          bench.set("raddr_i", now.read_address);
        },
        first);
  }
}

TEST_CASE("weight_bank bursts take a word a cycle, and bad bursts are refused") {
  WeightBank bank("bank", {36, 512, 2}, 100);
  Initiator host("host", bank.socket);
  end_elaboration();
  std::vector<std::uint64_t> words = {1, 2, 3, 0xfffffffff}, back(4);
  Cycle at = 10;
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 8 * 100, words.data(), 32, at));
  CHECK(at == 14);
  at = 20;
  REQUIRE(host.access(tlm::TLM_READ_COMMAND, 8 * 100, back.data(), 32, at));
  CHECK(at == 25); // the last address in 23, its word two cycles later
  CHECK(back == words);
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 4, back.data(), 8, at));
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, back.data(), 7, at));
}

TEST_CASE("weight_bank occupancy is that of the smallest primitives") {
  struct Row {
    int width, depth, ramb18, ramb36;
  };
  for (const Row& row : {Row{36, 512, 1, 0}, Row{36, 1024, 0, 1}, Row{72, 512, 0, 1}, Row{18, 1024, 1, 0},
                         Row{8, 2048, 1, 0}, Row{36, 1040, 0, 1}, Row{18, 1025, 1, 0}, Row{36, 1057, 3, 0},
                         Row{32, 8192, 0, 8}, Row{32, 4096, 0, 4}, Row{4, 4096, 1, 0}}) {
    CAPTURE(row.width, row.depth);
    const Resources memory = memory_resources(row.width, row.depth, true);
    CHECK(memory.ramb18 == row.ramb18);
    CHECK(memory.ramb36 == row.ramb36);
  }
  CHECK(memory_resources(36, 64, false).bram36() == 0);
}
