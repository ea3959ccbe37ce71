#include "base/pacer.h"
#include "block_bench.h"
#include "wide_signal.h"
#include <deque>

using namespace deltatwin;

namespace {

struct Entry {
  std::vector<std::uint8_t> bytes;
  bool is_final = false;
};

} // namespace

TEST_CASE(
    "value_output gives entries byte by byte from the cycle after their push, and tells the last ones") {
  struct Shape {
    int values, depth;
  };
  int finals = 0, full = 0, resets = 0;
  for (const Shape& shape : {Shape{8, 16}, Shape{2, 2}, Shape{32, 4}, Shape{4, 128}}) {
    PinBench pins("value_output", {{"Values", shape.values}, {"Depth", shape.depth}},
                  {"rst_ni", "push_i", "m_axis_tready_i"});
    RandomWork random(base_seed() + static_cast<std::uint64_t>(shape.depth));
    for (int run = 0; run < repeats(8); ++run) {
      const Pacer ready(0.25 * (run % 4), base_seed() * 10 + static_cast<std::uint64_t>(run));
      const int often = random.in(1, 3 * shape.values);
      std::deque<Entry> queue;
      std::size_t index = 0; // of the first entry's next byte
      const Cycle cycles = 2000;
      for (Cycle cycle = 0; cycle < cycles; ++cycle) {
        CAPTURE(shape.values, shape.depth, run, cycle, base_seed());
        const bool reset = cycle == 0 || random.in(0, 299) == 0;
        const bool room = static_cast<int>(queue.size()) < shape.depth;
        const bool push = !reset && room && random.in(0, often) == 0;
        Entry entry;
        if (push) {
          entry.bytes.resize(
              static_cast<std::size_t>(random.in(0, 1) ? shape.values : random.in(1, shape.values)));
          entry.is_final = random.in(0, 3) == 0;
        }
        WideValue word(8 * shape.values); // what is behind the last value does not matter
        for (int i = 0; i < shape.values; ++i) {
          const auto byte = static_cast<std::uint8_t>(random.in(0, 255));
          word.put(8 * i, 8, byte);
          if (i < static_cast<int>(entry.bytes.size()))
            entry.bytes[static_cast<std::size_t>(i)] = byte;
        }
        const bool takes = ready.ready(cycle);
        pins.set("rst_ni", !reset);
        pins.set("push_i", push);
        pins.set("final_i", entry.is_final);
        pins.set("count_i", entry.bytes.size());
        word.drive(pins.rtl().signal("word_i"));
        pins.set("m_axis_tready_i", takes);
        pins.settle();

        const bool valid = !reset && !queue.empty();
        const bool last = valid && index + 1 == queue.front().bytes.size();
        REQUIRE(pins.get("m_axis_tvalid_o") == valid);
        if (valid) {
          REQUIRE(pins.get("m_axis_tdata_o") == queue.front().bytes[index]);
          REQUIRE(pins.get("m_axis_tlast_o") == (last && queue.front().is_final));
        }
        const bool pop = last && takes;
        REQUIRE(pins.get("pop_o") == pop);
        REQUIRE(pins.get("image_done_o") == (pop && queue.front().is_final));
        pins.edge();

        full += !room;
        resets += reset && !queue.empty();
        finals += pop && queue.front().is_final;
        if (valid && takes)
          ++index;
        if (pop)
          queue.pop_front();
        if (pop || reset)
          index = 0;
        if (reset)
          queue.clear();
        if (push)
          queue.push_back(entry);
      }
    }
  }
  CHECK(finals > 200);
  CHECK(full > 500);
  CHECK(resets > 20);
}
