// What a divergence report says, on RTL whose beats the test drives itself.
#include "base/file.h"
#include "cosim/lockstep.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace deltatwin;

namespace {

using Beats = std::map<Cycle, std::uint64_t>; ///< payloads by cycle

struct Run {
  Beats a_model, a_rtl, b_model, b_rtl;
  std::vector<Register> registers{};
  std::set<Cycle> resets{}; ///< cycles of a reset
};

class Box {
public:
  Box() : rtl_(source(directory_.path())) {}

  Lockstep run(const Run& run, Cycle cycles = 200) {
    static const BeatTrace none(2);
    model_ = none;
    for (const auto& [cycle, payload] : run.a_model)
      model_.add(0, {cycle, payload, {}, cycle});
    for (const auto& [cycle, payload] : run.b_model)
      model_.add(1, {cycle, payload, {0, 1, 2, static_cast<int>(cycle)}, cycle});
    Lockstep lockstep(interfaces_, model_, rtl_, run.registers);
    const auto drive = [&](const char* strobe, const char* field, const Beats& beats, Cycle cycle) {
      const auto beat = beats.find(cycle);
      rtl_.signal(strobe).set(beat != beats.end());
      if (beat != beats.end())
        rtl_.signal(field).set(beat->second);
    };
    for (Cycle cycle = 0; cycle < cycles; ++cycle) {
      drive("a_i", "x_i", run.a_rtl, cycle);
      drive("b_i", "y_i", run.b_rtl, cycle);
      rtl_.settle();
      if (run.resets.count(cycle))
        lockstep.reset();
      else if (!lockstep.check(cycle))
        break;
      rtl_.edge();
    }
    lockstep.finish();
    return lockstep;
  }

private:
  static RtlSource source(const std::string& directory) {
    write_file(directory + "/box.sv",
               "module box (input logic clk_i, a_i, b_i, input logic [7:0] x_i, y_i, output logic z_o);\n"
               "  always_ff @(posedge clk_i) z_o <= a_i ^ b_i ^ ^x_i ^ ^y_i;\nendmodule\n");
    return {"box", {}, false, directory};
  }

  TemporaryDirectory directory_{"deltatwin-box"};
  RtlModel rtl_;
  std::vector<Interface> interfaces_ = {{"box", "ar", {"a_i"}, {{"x_i", 8}}},
                                        {"box", "r", {"b_i"}, {{"y_i", 8}}}};
  BeatTrace model_{2};
};

} // namespace

TEST_CASE("divergence: where the beat is that one side misses") {
  Box box;
  struct Row {
    Beats model, rtl;
    Cycle cycle;
    std::string says;
  };
  const Row rows[] = {
      {{{3, 1}, {5, 2}}, {{3, 1}, {7, 2}}, 5, "the RTL's beat comes 2 cycles late, in cycle 7"},
      {{{3, 1}, {5, 2}},
       {{3, 1}, {4, 2}},
       4,
       "the RTL's beat comes 1 cycle early: the model's is in cycle 5"},
      {{{3, 1}, {5, 2}}, {{3, 1}}, 5, "the RTL has none up to cycle"},
      {{{3, 1}, {5, 2}}, {{3, 1}, {9, 4}}, 5, "the RTL's next beat is in cycle 9, x_i=0x4"},
      {{{3, 1}, {9, 2}}, {{3, 1}, {5, 4}}, 5, "the model's next beat is in cycle 9, x_i=0x2"},
      {{{3, 1}}, {{3, 1}, {5, 2}}, 5, "the model has no more beats"},
      {{{3, 1}, {5, 2}}, {{3, 1}, {5, 1}}, 5, "the RTL has the beat before once more"},
      {{{3, 1}, {5, 2}, {6, 3}},
       {{3, 1}, {5, 3}},
       5,
       "the RTL has the model's next beat, in cycle 6, x_i=0x3"},
      {{{3, 1}, {5, 2}, {6, 3}}, {{3, 1}, {5, 7}}, 5, "RTL:   x_i=0x7"},
  };
  for (const Row& row : rows) {
    const Lockstep lockstep = box.run({row.model, row.rtl, {}, {}});
    REQUIRE(lockstep.divergence());
    const std::string report = lockstep.divergence()->report();
    CAPTURE(report);
    CHECK(lockstep.divergence()->cycle == row.cycle);
    CHECK(lockstep.divergence()->index == 1);
    CHECK(lockstep.beats() == 1);
    CHECK_THAT(report, Catch::Contains(row.says) && Catch::Contains("after 1 beat of it"));
    CHECK(lockstep.divergence()->others.empty());
  }
}

TEST_CASE("divergence: all interfaces that differ soon after, in their order, with what is known of each") {
  Box box;
  // r answers ar: the third differs, and ar some cycles later; and equal beats in between.
  const Run run{{{1, 0x10}, {5, 0x20}, {10, 0x30}, {20, 0x40}, {90, 0x50}},
                {{1, 0x10}, {5, 0x20}, {10, 0x30}, {20, 0x41}, {90, 0x55}},
                {{2, 1}, {6, 2}, {11, 3}},
                {{2, 1}, {6, 2}, {11, 4}}};
  const Lockstep lockstep = box.run(run);
  REQUIRE(lockstep.divergence());
  const Divergence& found = *lockstep.divergence();
  const std::string report = found.report();
  CAPTURE(report);
  CHECK(found.interface == "r");
  CHECK(found.cycle == 11);
  CHECK(found.before.size() == 2);
  CHECK(found.address == 0x30);
  CHECK_THAT(report, Catch::Contains("divergence in box, interface r, cycle 11, image 0, layer 1, tile 2") &&
                         Catch::Contains("of the access at 0x30") &&
                         Catch::Contains("equal in cycle 6: y_i=0x2, image 0, layer 1, tile 2, element 6"));
  REQUIRE(found.others.size() == 1);
  CHECK(found.others[0].interface == "ar");
  CHECK(found.others[0].cycle == 20);
  CHECK_THAT(report, Catch::Contains("also in box, interface ar, cycle 20"));
  CHECK(lockstep.beats() == 5);
  CHECK(lockstep.interface_beats() == std::vector<std::uint64_t>{3, 2});
}

TEST_CASE("divergence: accesses by the names of registers and their fields, also behind a reset") {
  const std::vector<Register> registers = {
      {0x30,
       "STATUS",
       Register::read_only,
       {{"state", 2, 0, {"idle", "running"}}, {"error", 3, 4, {"none"}}}},
      {0x40, "SIZE[0]", Register::read_only},
      {0x48, "SIZE[2]", Register::read_only},
      {0x4c, "SIZE[3]", Register::read_only}};
  Box box;
  struct Row {
    Run run;
    std::vector<std::string> says;
  };
  const Row rows[] = {
      {{{{1, 0x48}, {5, 0x30}}, {{1, 0x48}, {5, 0x30}}, {{2, 7}, {6, 0x11}}, {{2, 7}, {6, 0x03}}, registers},
       {"of the access at 0x30 (STATUS)", "model: y_i=0x11 (STATUS: state=running, error=1)",
        "RTL:   y_i=0x3 (STATUS: state=3, error=none)", "equal in cycle 2: y_i=0x7 (SIZE[2]: 7), image"}},
      // The first read and the third are never answered: a reset takes their responses.
      {{{{1, 0x30}, {9, 0x48}, {13, 0x40}, {20, 0x4c}, {21, 0x34}},
        {{1, 0x30}, {9, 0x48}, {13, 0x40}, {20, 0x4c}, {21, 0x34}},
        {{10, 1}, {22, 2}},
        {{10, 1}, {22, 3}},
        registers,
        {3, 4, 5, 15, 16}},
       {"(SIZE[3])", "model: y_i=0x2 (SIZE[3]: 2)", "RTL:   y_i=0x3 (SIZE[3]: 3)"}},
      {{{{1, 0x40}, {2, 0x30}}, {{1, 0x40}, {2, 0x38}}, {}, {}, registers},
       {"model: x_i=0x30 (STATUS)", "RTL:   x_i=0x38 (no register)", "equal in cycle 1: x_i=0x40 (SIZE[0])"}},
      {{{{1, 0x30}}, {{1, 0x30}}, {{2, 0x1}}, {}, registers}, {"(STATUS: state=running, error=none)\n"}},
  };
  for (const Row& row : rows) {
    const Lockstep lockstep = box.run(row.run);
    REQUIRE(lockstep.divergence());
    const std::string report = lockstep.divergence()->report();
    CAPTURE(report);
    for (const std::string& says : row.says)
      CHECK_THAT(report, Catch::Contains(says));
  }
}

TEST_CASE("divergence: none where all is equal, and how much was met") {
  Box box;
  const Beats beats = {{1, 1}, {2, 2}, {150, 3}};
  const Lockstep lockstep = box.run({beats, beats, {}, {}});
  CHECK_FALSE(lockstep.divergence());
  CHECK(lockstep.interface_beats() == std::vector<std::uint64_t>{3, 0});
  // A beat that the model owes after the RTL's last cycle counts, if it is the first difference.
  const Lockstep owed = box.run({beats, {{1, 1}, {2, 2}}, {}, {}}, 100);
  REQUIRE(owed.divergence());
  CHECK(owed.divergence()->cycle == 150);
}
