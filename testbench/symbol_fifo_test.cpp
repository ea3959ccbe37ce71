#include "block_bench.h"
#include <deque>

using namespace deltatwin;

TEST_CASE("symbol_fifo is a queue with a latency of two, from empty to full, with resets") {
  struct Shape {
    int width, depth;
  };
  for (const Shape& shape : {Shape{5, 2}, Shape{9, 16}, Shape{4, 128}}) { // two in LUT RAM, one in block RAM
    CAPTURE(shape.width, shape.depth);
    PinBench pins("symbol_fifo", {{"Width", shape.width}, {"Depth", shape.depth}},
                  {"rst_ni", "push_i", "ready_i"});
    pins.set("rst_ni", 1);
    RandomWork random(base_seed());
    struct Word {
      std::uint64_t value;
      int pushed;
    };
    std::deque<Word> queue;
    int free = 0, fulls = 0, empties = 0; // free: the cycle after the latest word was taken
    for (int cycle = 0; cycle < repeats(4000); ++cycle) {
      const int filling = cycle / 200 % 3; // mostly in, both alike, mostly out
      const bool full = static_cast<int>(queue.size()) == shape.depth;
      const bool valid = !queue.empty() && cycle >= std::max(queue.front().pushed + 2, free);
      const bool reset = random.in(0, 299) == 0, ready = random.in(0, 9) < (filling == 0   ? 1
                                                                            : filling == 1 ? 9
                                                                                           : 10);
      const bool push = !full && !reset && random.in(0, 9) < (filling == 2 ? 1 : filling == 1 ? 9 : 10);
      const std::uint64_t word = random.word(shape.width);
      pins.set("rst_ni", !reset);
      pins.set("push_i", push);
      pins.set("data_i", word);
      pins.set("ready_i", ready);
      pins.settle();
      CAPTURE(cycle);
      REQUIRE(pins.get("full_o") == full);
      REQUIRE(pins.get("valid_o") == valid);
      if (valid)
        REQUIRE(pins.get("data_o") == queue.front().value);
      pins.edge();
      fulls += full;
      empties += queue.empty();
      if (valid && ready) {
        queue.pop_front();
        free = cycle + 1;
      }
      if (push)
        queue.push_back({word, cycle});
      if (reset)
        queue.clear();
    }
    CHECK(fulls > 100);
    CHECK(empties > 50);
  }
}
