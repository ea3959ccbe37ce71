#include "base/archive.h"
#include "base/pacer.h"
#include "block_bench.h"
#include "blocks/channel_store.h"
#include <deque>

using namespace deltatwin;

TEST_CASE("channel_store is a ring whose words come out when their channel is whole, with resets") {
  for (const int words : {16, 64, 512}) {
    CAPTURE(words);
    PinBench pins("channel_store", {{"Words", words}}, {"rst_ni", "word_valid_i", "word_last_i", "ready_i"});
    pins.set("rst_ni", 1);
    RandomWork random(base_seed());
    struct Word {
      std::uint64_t bits;
      bool last;
      int whole = -1; ///< when its channel's last word was written
    };
    std::deque<Word> ring;
    int free = 0, taken = 0, full = 0, both = 0, across = 0, left = 0, phase = 0;
    for (int cycle = 0; cycle < repeats(words == 512 ? 20000 : 6000); ++cycle) {
      if (cycle % 1000 == 0)
        phase = random.in(0, 3);
      const bool room = static_cast<int>(ring.size()) < words;
      const bool offered = !ring.empty() && ring.front().whole >= 0;
      const bool valid = offered && cycle >= std::max(ring.front().whole + 2, free);
      const bool reset = random.in(0, words == 512 ? 4999 : 799) == 0;
      const bool ready = phase == 0 ? random.in(0, 9) == 0 : phase == 1 || random.in(0, 1);
      const bool write = phase == 2 ? random.in(0, 3) == 0 : phase == 3 || random.in(0, 9) > 0;
      if (left == 0) // never more than the ring holds
        left = random.in(0, 3) ? random.in(1, 4) : random.in(1, words);
      const std::uint64_t word = random.word(36);
      pins.set("rst_ni", !reset);
      pins.set("word_valid_i", write);
      pins.set("word_i", word);
      pins.set("word_last_i", write ? left == 1 : random.in(0, 1));
      pins.set("ready_i", ready);
      pins.settle();
      CAPTURE(cycle);
      REQUIRE(pins.get("word_ready_o") == room);
      REQUIRE(pins.get("valid_o") == valid);
      if (valid) {
        REQUIRE(pins.get("word_o") == ring.front().bits);
        REQUIRE(pins.get("last_o") == ring.front().last);
      }
      pins.edge();
      full += !room;
      both += valid && ready && write && room;
      if (valid && ready) {
        across += ring.front().last && ring.size() > 1 && ring[1].whole >= 0;
        ring.pop_front();
        free = cycle + 1;
        ++taken;
      }
      if (write && room) {
        ring.push_back({word, left == 1});
        if (--left == 0)
          for (auto it = ring.rbegin(); it != ring.rend() && it->whole < 0; ++it)
            it->whole = cycle;
      }
      if (reset) {
        ring.clear();
        left = 0;
      }
    }
    CHECK(taken > 1000);
    CHECK(full > 20);
    CHECK(both > 500);
    CHECK(across > 100);
  }
}

TEST_CASE("channel_store twins agree on random channels, gaps and stalls, with resets") {
  RandomWork random(base_seed());
  for (const int words : {16, 128}) {
    for (int round = 0; round < repeats(4); ++round) {
      CAPTURE(words, round);
      BlockBench bench({"channel_store", {{"Words", words}}, false, ""},
                       {{"", "in", {"word_valid_i", "word_ready_o"}, {{"word_i", 36}, "word_last_i"}},
                        {"", "out", {"valid_o"}, {{"word_o", 36}, "last_o", "ready_i"}}});
      BeatTrace trace = bench.trace();
      struct Pins {
        bool reset = false, valid = false;
        std::uint64_t word = 0;
      };
      std::vector<Pins> pins;
      const Pacer sink(0.3 * random.in(0, 2), base_seed());
      for (int life = 0; life < 12; ++life) {
        const double gap = 0.4 * random.in(0, 2);
        const Pacer gaps(gap, random.word(20));
        const Cycle begin = pins.size();
        ChannelStoreTiming store(words);
        std::deque<std::uint64_t> inside; ///< written, not taken
        Cycle now = begin, out = begin;
        const auto take = [&] {
          const Cycle offered = store.offered();
          if (offered == never)
            return false;
          const Cycle beat = sink.next_ready(offered);
          store.taken(beat);
          for (Cycle cycle = offered; cycle <= beat; ++cycle)
            trace.add(1, {cycle, inside.front() | std::uint64_t{cycle == beat} << 37, {}, cycle});
          inside.pop_front();
          out = beat;
          return true;
        };
        for (int channel = random.in(1, 60), index = 0; channel > 0; --channel) {
          const int count = random.in(0, 2) ? random.in(1, 3) : random.in(1, words);
          for (int i = 1; i <= count; ++i) {
            const bool last = i == count;
            const std::uint64_t word = random.word(36) | std::uint64_t{last} << 36;
            const Cycle offered = now + gaps.gap(static_cast<std::uint64_t>(index++));
            Cycle beat = store.write(offered, last);
            while (beat == never) {
              REQUIRE(take());
              beat = store.write(offered, last);
            }
            trace.add(0, {beat, word, {}, beat});
            inside.push_back(word);
            pins.resize(std::max<std::size_t>(pins.size(), beat + 1));
            for (Cycle cycle = offered; cycle <= beat; ++cycle)
              pins[cycle] = {false, true, word};
            now = beat + 1;
            if (random.in(0, 40) == 0) { // the state as bytes, in another one
              const std::string state = save_state(store, "store");
              ChannelStoreTiming other(words);
              restore_state(other, state, "store");
              store = other;
            }
          }
          while (random.in(0, 1) && take()) {
          }
        }
        while (take()) {
        }
        const Cycle end = std::max(now, out) + 3;
        const Cycle reset = random.in(0, 1) ? end : begin + random.word(30) % (end - begin);
        pins.resize(reset + 1);
        pins[reset].reset = true;
        trace.drop_cycles_after(reset, 0);
      }
      bench.reset();
      bench.run(trace, pins.size(), [&](Cycle cycle) {
        const Pins& now = pins[cycle];
        bench.set("rst_ni", !now.reset);
        bench.set("word_valid_i", now.valid);
        bench.set("word_i", now.word & ((std::uint64_t{1} << 36) - 1));
        bench.set("word_last_i", now.valid ? now.word >> 36 : cycle & 1);
        bench.set("ready_i", sink.ready(cycle));
      });
    }
  }
}

TEST_CASE("channel_store model: two cycles from a last word, one from a take to a write") {
  ChannelStoreTiming store(16);
  CHECK(store.offered() == never);
  CHECK(store.write(10, false) == 10);
  CHECK(store.offered() == never);
  CHECK(store.write(11, true) == 11);
  CHECK(store.offered() == 13);
  for (Cycle cycle = 12; cycle < 26; ++cycle) // channels of one word
    CHECK(store.write(cycle, true) == cycle);
  CHECK(store.write(26, true) == never); // full, and no take is known
  store.taken(30);
  CHECK(store.offered() == 31);
  CHECK(store.write(26, true) == 31);
  store.taken(31);
  CHECK(store.offered() == 32);
  CHECK(store.write(40, true) == 40);
}

TEST_CASE("channel_store refuses rings of another size than a power of two of at least 16") {
  for (const int words : {0, 8, 24}) {
    CAPTURE(words);
    CHECK_THROWS_WITH(build_rtl({"channel_store", {{"Words", words}}, false, ""}),
                      Catch::Contains("words_must_be_a_power_of_two_of_at_least_16"));
  }
}
