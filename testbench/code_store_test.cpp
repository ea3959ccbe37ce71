#include "block_bench.h"
#include <deque>

using namespace deltatwin;

TEST_CASE("code_store keeps two blocks: one is read while the next one is written, with resets") {
  for (const int words : {1, 2, 5}) {
    CAPTURE(words);
    PinBench pins("code_store", {{"Words", words}},
                  {"rst_ni", "begin_i", "release_i", "we_i", "last_i", "ready_i"});
    pins.set("rst_ni", 1);
    RandomWork random(base_seed());
    struct Block {
      std::deque<std::uint64_t> words; ///< that were not taken
      int whole = -1;                  ///< when its last word was written
    };
    std::deque<Block> blocks; // that were begun and not released; the first one is read
    int free = 0, taken = 0, both = 0, longest = 0,
        left = 0; // free: the cycle after the latest word was taken
    for (int cycle = 0; cycle < repeats(4000); ++cycle) {
      const bool room = blocks.size() < 2;
      // The oldest block's words are offered; those of the next one wait, not taken, for its release.
      const auto offered = std::find_if(blocks.begin(), blocks.end(), [](const Block& block) {
        return block.whole < 0 || !block.words.empty();
      });
      const bool valid =
          offered != blocks.end() && offered->whole >= 0 && cycle >= std::max(offered->whole + 2, free);
      const bool reset = random.in(0, 299) == 0, begin = random.in(0, 3) == 0;
      const bool ready = offered == blocks.begin() && random.in(0, 2) > 0;
      const bool release = !reset && !blocks.empty() && blocks.front().whole >= 0 &&
                           blocks.front().words.empty() && random.in(0, 3) == 0;
      const auto open =
          std::find_if(blocks.begin(), blocks.end(), [](const Block& block) { return block.whole < 0; });
      const bool write = !reset && open != blocks.end() && random.in(0, 2) > 0;
      if (write && left == 0)
        left = random.in(1, words);
      const std::uint64_t word = random.word(36);
      pins.set("rst_ni", !reset);
      pins.set("begin_i", begin);
      pins.set("release_i", release);
      pins.set("we_i", write);
      pins.set("word_i", word);
      pins.set("last_i", write && left == 1);
      pins.set("ready_i", ready);
      pins.settle();
      CAPTURE(cycle);
      REQUIRE(pins.get("free_o") == room);
      REQUIRE(pins.get("valid_o") == valid);
      if (valid) {
        REQUIRE(pins.get("word_o") == offered->words.front());
        REQUIRE(pins.get("last_o") == (offered->words.size() == 1));
      }
      pins.edge();
      both += valid && write;
      if (valid && ready) {
        offered->words.pop_front();
        free = cycle + 1;
        ++taken;
      }
      if (write) {
        open->words.push_back(word);
        if (--left == 0) {
          open->whole = cycle;
          longest = std::max(longest, static_cast<int>(open->words.size()));
        }
      }
      if (release)
        blocks.pop_front();
      if (begin && room)
        blocks.emplace_back();
      if (reset) {
        blocks.clear();
        left = 0;
      }
    }
    CHECK(taken > 300);
    CHECK(both > 50);
    CHECK(longest == words);
  }
}
