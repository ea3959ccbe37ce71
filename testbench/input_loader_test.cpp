#include "block_bench.h"
#include "blocks/input_loader.h"

using namespace deltatwin;

TEST_CASE("input_loader fills the halves in turn, as its model says when and a plain count says where") {
  constexpr int depth = 16;
  PinBench pins("input_loader", {{"InDepth", depth}},
                {"restart_i", "length_we_i", "active_i", "s_valid_i", "s_last_i", "free_i"});
  RandomWork random(base_seed());
  int errors = 0, waits = 0, whole = 0;
  for (int run = 0; run < repeats(60); ++run) {
    const int images = random.in(1, 6), length = random.in(0, 3) ? random.in(1, depth) : depth;
    const bool slow = random.in(0, 1); // the issue side
    pins.set("restart_i", 1);
    pins.set("images_i", static_cast<std::uint64_t>(images));
    pins.settle();
    pins.edge();
    pins.set("restart_i", 0);
    pins.set("length_we_i", 1);
    pins.set("length_i", static_cast<std::uint64_t>(length - 1));
    pins.settle();
    pins.edge();
    pins.set("length_we_i", 0);
    InputLoader model(0);
    int loaded = 0, freed = 0, index = 0;
    for (Cycle cycle = 0; freed < images && cycle < 4000; ++cycle) {
      const bool active = random.in(0, 99) > 0, valid = random.in(0, 9) > 0;
      const bool room = loaded < images && loaded - freed < 2;
      const bool ready = active && room, take = ready && valid, last = index + 1 == length;
      const bool wrong = random.in(0, 199) == 0; // TLAST where none belongs, or none
      const bool full = loaded > freed, free = full && random.in(0, slow ? 39 : 3) == 0;
      CAPTURE(run, cycle, images, length, loaded, freed, index);
      REQUIRE((cycle >= model.ready()) == (index > 0 || loaded - freed < 2));
      REQUIRE((cycle >= model.loaded()) == full);
      pins.set("active_i", active);
      pins.set("s_valid_i", valid);
      pins.set("s_last_i", last != wrong);
      pins.set("free_i", free);
      pins.settle();
      REQUIRE(pins.get("s_ready_o") == ready);
      REQUIRE(pins.get("we_o") == take);
      if (take)
        REQUIRE(pins.get("waddr_o") == static_cast<std::uint64_t>(loaded % 2 * depth + index));
      REQUIRE(pins.get("framing_error_o") == (take && wrong));
      REQUIRE(pins.get("loaded_o") == (take && last));
      REQUIRE(pins.get("all_loaded_o") == (loaded == images));
      REQUIRE(pins.get("full_o") == full);
      REQUIRE(pins.get("read_half_o") == static_cast<std::uint64_t>(freed % 2));
      pins.edge();
      errors += take && wrong;
      waits += active && !room && loaded < images;
      if (free) {
        ++freed;
        model.release(cycle);
      }
      if (take)
        index = last ? 0 : index + 1;
      if (take && last) {
        ++loaded;
        ++whole;
        model.load(cycle);
      }
    }
    for (const char* pin : {"free_i", "active_i"}) // no beat before the length is there
      pins.set(pin, 0);
    REQUIRE(freed == images);
  }
  CHECK(errors > 5);
  CHECK(waits > 100);
  CHECK(whole > 100);
}
