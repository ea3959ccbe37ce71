#include "base/pacer.h"
#include "block_bench.h"
#include "blocks/output_fifo.h"
#include "random_work.h"
#include <deque>
#include <map>
#include <set>

using namespace deltatwin;

namespace {

// What happens at the FIFO's inputs.
struct Work {
  std::map<Cycle, std::uint64_t> pushes;
  std::set<Cycle> resets;
};

// The reference: a queue, looked at in each cycle.
std::vector<Beat> queue_beats(const Work& work, const Pacer& ready, Cycle cycles) {
  std::vector<Beat> beats;
  std::deque<std::uint64_t> queue;
  for (Cycle cycle = 0; cycle < cycles; ++cycle) {
    const bool reset = work.resets.count(cycle) != 0;
    if (!queue.empty() && !reset && ready.ready(cycle)) {
      beats.push_back({cycle, queue.front(), {}, cycle});
      queue.pop_front();
    }
    if (reset)
      queue.clear();
    if (const auto push = work.pushes.find(cycle); push != work.pushes.end())
      queue.push_back(push->second);
  }
  return beats;
}

} // namespace

TEST_CASE("output_fifo twins agree from empty to full, with resets among words that nobody took") {
  struct Shape {
    int width, depth;
  };
  for (const Shape& shape : {Shape{17, 32}, Shape{9, 1}}) {
    BlockBench bench({"output_fifo", {{"Width", shape.width}, {"Depth", shape.depth}}, false, ""},
                     {{"", "stream", {"valid_o", "ready_i"}, {{"data_o", shape.width}}}});
    for (int i = 0; i < repeats(4); ++i) {
      const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
      CAPTURE(shape.width, shape.depth, seed);
      RandomWork random(seed);
      const Cycle cycles = 1500;
      const Pacer ready(0.3 * (i % 4), seed);
      Work work;
      BeatTrace trace = bench.trace();
      OutputFifoTiming model;
      std::deque<Cycle> inside; // the beats of the words that are in
      std::size_t most = 0;
      for (Cycle cycle = 0; cycle < cycles; ++cycle) {
        while (!inside.empty() && inside.front() < cycle)
          inside.pop_front();
        if (random.in(0, 199) == 0) {
          work.resets.insert(cycle);
          trace.drop_cycles_after(cycle - 1, 0);
          trace.resets.push_back(cycle);
          inside.clear();
          model = {};
        } else if (static_cast<int>(inside.size()) < shape.depth &&
                   (cycle / 60 % 2 || random.in(0, 9) == 0)) {
          const std::uint64_t word = work.pushes[cycle] = random.word(shape.width);
          const Cycle beat = ready.next_ready(model.offered(cycle));
          model.taken(beat);
          trace.add(0, {beat, word, {}, cycle});
          inside.push_back(beat);
          most = std::max(most, inside.size());
        }
      }
      trace.drop_cycles_after(cycles - 1, 0);
      if (i % 4 == 3) // slow enough to fill it
        CHECK(most == static_cast<std::size_t>(shape.depth));
      const std::vector<Beat> reference = queue_beats(work, ready, cycles);
      REQUIRE(trace.beats[0].size() == reference.size());
      for (std::size_t b = 0; b < reference.size(); ++b) {
        CHECK(trace.beats[0][b].cycle == reference[b].cycle);
        CHECK(trace.beats[0][b].payload == reference[b].payload);
      }
      bench.set("push_i", 0);
      bench.reset();
      bench.run(trace, cycles, [&](Cycle cycle) {
        const bool reset = work.resets.count(cycle) != 0;
        const auto push = work.pushes.find(cycle);
        bench.set("rst_ni", !reset);
        bench.set("ready_i", !reset && ready.ready(cycle));
        bench.set("push_i", push != work.pushes.end());
        bench.set("data_i", push != work.pushes.end() ? push->second : 0);
      });
    }
  }
}
