// What the RTL's libraries are built from, when they are built again, and how RTL ends a simulation.
#include "base/cache.h"
#include "base/file.h"
#include "base/tool.h"
#include "context_guard.h"
#include "cosim/lockstep.h"
#include "cosim/rtl_sources.h"
#include "temporary_directory.h"
#include "variable.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace deltatwin;
namespace fs = std::filesystem;

namespace {

// RTL of one's own, in a directory, and a cache of its own.
class Workshop {
public:
  explicit Workshop(const std::string& rtl = "rtl", const std::string& cache = "cache")
      : rtl_(directory_.path() + "/" + rtl), cache_("DELTATWIN_CACHE", directory_.path() + "/" + cache) {
    fs::create_directory(rtl_);
  }
  void write(const std::string& file, const std::string& text) const { write_file(path(file), text); }
  [[nodiscard]] std::string path(const std::string& file) const { return rtl_ + "/" + file; }
  [[nodiscard]] std::string outside(const std::string& file) const { return directory_.path() + "/" + file; }
  [[nodiscard]] RtlSource source() const { return {"box", {}, false, rtl_}; }
  [[nodiscard]] const std::string& rtl() const { return rtl_; }

  /// What the box answers to 1.
  [[nodiscard]] std::uint64_t answer(const std::function<void(const std::string&)>& progress = {}) const {
    RtlModel box(source(), progress);
    box.signal("x_i").set(1);
    box.settle();
    return box.signal("y_o").get(0, 8);
  }

private:
  TemporaryDirectory directory_{"deltatwin-workshop"};
  std::string rtl_;
  Variable cache_;
};

std::string box(const std::string& body, const std::string& before = "") {
  return before + "module box (input logic clk_i, input logic [7:0] x_i, output logic [7:0] y_o);\n" + body +
         "endmodule\n";
}

const std::string clocked_box = "  always_ff @(posedge clk_i) y_o <= x_i;\n";

// Runs the box over 1, 2, 3, ... against a model that follows.
std::optional<Divergence> run_box(const RtlSource& source, Cycle first = 0) {
  RtlModel rtl(source);
  const std::vector<Interface> interfaces = {{"box", "x", {}, {{"x_i", 8}}}};
  BeatTrace model(1);
  for (Cycle cycle = 0; cycle < 10; ++cycle)
    model.add(0, {first + cycle, cycle + 1, {}, cycle});
  Lockstep lockstep(interfaces, model, rtl);
  for (Cycle cycle = 0; cycle < 10; ++cycle) {
    rtl.signal("x_i").set(cycle + 1);
    rtl.settle();
    if (!lockstep.check(first + cycle))
      break;
    rtl.edge();
  }
  lockstep.finish();
  return lockstep.divergence();
}

} // namespace

TEST_CASE("RTL twins: whatever file of the RTL changes, the twin is built again") {
  const Workshop workshop;
  workshop.write("box.sv", box("  leaf u_leaf (.x_i, .y_o);\n  logic unused;\n  assign unused = clk_i;\n"));
  const auto leaf = [](const std::string& value) {
    return "module leaf (input logic [7:0] x_i, output logic [7:0] y_o);\n" + value + "endmodule\n";
  };
  SECTION("a module in a .v file") {
    for (const std::string value : {"5", "6"}) {
      workshop.write("leaf.v", "module leaf (input [7:0] x_i, output [7:0] y_o);\n  assign y_o = x_i + " +
                                   value + ";\nendmodule\n");
      CHECK(workshop.answer() == 1u + std::stoul(value));
    }
  }
  SECTION("a module in a file of another name") {
    for (const std::string value : {"5", "6"}) {
      workshop.write("leaves.sv", leaf("  assign y_o = x_i + 8'd" + value + ";\n"));
      CHECK(workshop.answer() == 1u + std::stoul(value));
    }
  }
  SECTION("a header, and a header that it includes, wherever they are") {
    workshop.write("leaf.sv", leaf("`include \"first.svh\"\n  assign y_o = x_i + `VALUE;\n"));
    workshop.write("first.svh", "`include \"../second.vh\"\n");
    for (const std::string value : {"5", "6"}) {
      write_file(workshop.outside("second.vh"), "`define VALUE 8'd" + value + "\n");
      CHECK(workshop.answer() == 1u + std::stoul(value));
    }
    workshop.write("first.svh", "`define VALUE 8'd7\n");
    CHECK(workshop.answer() == 8);
  }
  SECTION("a header whose name only the preprocessor knows") {
    workshop.write("leaf.sv", leaf("`define NAME \"h\" \n`define HEADER `\"hidden.svh`\"\n`include `HEADER\n"
                                   "  assign y_o = x_i + `VALUE;\n"));
    CHECK_FALSE(rtl_sources(workshop.rtl(), "box").complete);
    for (const std::string value : {"5", "6", "5"}) {
      workshop.write("hidden.svh", "`define VALUE 8'd" + value + "\n");
      CHECK(workshop.answer() == 1u + std::stoul(value));
    }
  }
  SECTION("a package, and Verilator's options beside a file") {
    workshop.write("leaf.sv", leaf("  assign y_o = x_i + numbers::Value;\n"));
    for (const std::string value : {"5", "6"}) {
      workshop.write("a_numbers.sv",
                     "package numbers;\n  localparam logic [7:0] Value = 8'd" + value + ";\nendpackage\n");
      CHECK(workshop.answer() == 1u + std::stoul(value));
    }
    const std::string before = rtl_sources(workshop.rtl(), "box").key;
    workshop.write("leaf.vlt", "`verilator_config\nlint_off -rule WIDTH -file \"*leaf.sv\"\n");
    CHECK(rtl_sources(workshop.rtl(), "box").key != before);
    CHECK(rtl_sources(workshop.rtl(), "box").waivers == std::vector<std::string>{"leaf.vlt"});
    CHECK(workshop.answer() == 7);
  }
  SECTION("a memory's contents") {
    workshop.write("leaf.sv", leaf("  logic [7:0] memory[2];\n  initial $readmemh(\"leaf.hex\", memory);\n"
                                   "  assign y_o = memory[x_i[0]];\n"));
    workshop.write("leaf.hex", "00\n05\n");
    const std::string before = rtl_sources(workshop.rtl(), "box").key;
    workshop.write("leaf.hex", "00\n06\n");
    CHECK(rtl_sources(workshop.rtl(), "box").key != before);
  }
}

TEST_CASE("RTL twins: what the top does not name plays no part") {
  const Workshop workshop;
  workshop.write("box.sv", box("  // a broken part: broken u_broken ();\n  assign y_o = x_i + 8'(clk_i);\n"));
  const RtlSources before = rtl_sources(workshop.rtl(), "box");
  CHECK(before.files == std::vector<std::string>{"box.sv"});
  workshop.write("broken.sv", "module broken; this is no Verilog\n");
  workshop.write("box.sv~", "module box;\n");
  workshop.write(".#box.sv", "module box;\n");
  fs::create_symlink("nobody@nowhere.1234", workshop.path(".#boxes.sv"));
  fs::create_symlink("nobody@nowhere.1234", workshop.path("lost.sv"));
  fs::create_directory(workshop.path("directory.sv"));
  CHECK(rtl_sources(workshop.rtl(), "box").key == before.key);
  CHECK(workshop.answer() == 1);
  workshop.write("copy.sv", box(""));
  CHECK(rtl_sources(workshop.rtl(), "box").key == before.key); // a file of the module's own name comes first
  fs::rename(workshop.path("box.sv"), workshop.path("original.sv"));
  CHECK_THROWS_WITH(rtl_sources(workshop.rtl(), "box"),
                    Catch::Contains("copy.sv and original.sv both declare box"));
  CHECK_THROWS_WITH(rtl_sources(workshop.rtl(), "bag"), Catch::Contains("no file declares the module bag"));
}

TEST_CASE("RTL twins: a library that is damaged is built again, with a note") {
  const Workshop workshop;
  workshop.write("box.sv", box(clocked_box));
  const std::string library = build_rtl(workshop.source());
  CHECK(build_rtl(workshop.source()) == library);
  const std::string whole = read_file(library);
  const auto damage = GENERATE(as<int>(), 0, 1, 2, 3, 4);
  if (damage == 0) {
    write_file(library, whole.substr(0, whole.size() / 2));
  } else if (damage == 1) {
    write_file(library, "");
  } else if (damage == 2) {
    write_file(library, std::string(whole.size(), '\0'));
  } else if (damage == 3) {
    std::string flipped = whole;
    flipped[whole.size() / 2] ^= 1;
    write_file(library, flipped);
  } else {
    fs::remove(library);
    fs::create_directory(library);
  }
  std::string said;
  if (damage == 4) {
    CHECK_THROWS_AS(build_rtl(workshop.source()), ToolError); // nothing that can be replaced
    return;
  }
  CHECK(build_rtl(workshop.source(), [&](const std::string& text) { said += text + "\n"; }) == library);
  CHECK_THAT(said, Catch::Contains("is damaged and is built again"));
  CHECK(read_file(library).size() == whole.size());
  CHECK(workshop.answer() == 0);
}

TEST_CASE("RTL twins: paths may hold what shells and make take apart") {
  const Workshop workshop("r t;l$(x)", "ca che;#'");
  workshop.write("box.sv", box("  assign y_o = x_i + 8'(clk_i);\n"));
  CHECK(workshop.answer() == 1);
}

TEST_CASE("RTL twins: the RTL's own end of the simulation is a finding with cycle and place") {
  struct Row {
    std::string statement, kind, message;
    bool immediate;
  };
  const auto row = GENERATE(values<Row>({{"$finish;", "$finish", "", false},
                                         {"$stop;", "$stop", "", false},
                                         {"$error(\"x is %0d\", x_i);", "error", "x is 4", false},
                                         {"$fatal(1, \"x is %0d\", x_i);", "error", "x is 4", false},
                                         {"$fatal;", "error", "", false}}));
  const Workshop workshop;
  workshop.write("box.sv",
                 box("  always_ff @(posedge clk_i) begin\n    y_o <= x_i;\n    if (x_i == 4)\n      " +
                     row.statement + "\n  end\n"));
  CAPTURE(row.statement);
  const auto divergence = run_box(workshop.source(), 1000);
  REQUIRE(divergence);
  REQUIRE(divergence->ending);
  CHECK(divergence->cycle == 1003); // at the edge that ends it
  CHECK(divergence->ending->kind == row.kind);
  CHECK(divergence->ending->place == "box.sv:5");
  const std::string report = divergence->report();
  CAPTURE(report);
  CHECK_THAT(report, Catch::Contains("the RTL ended the simulation in cycle 1003") &&
                         Catch::Contains("box.sv:5") && Catch::Contains(row.message));
}

TEST_CASE(
    "RTL twins: logic that does not settle is a finding, and so is an end in reset or in the last cycle") {
  const Workshop workshop;
  SECTION("a loop") {
    workshop.write("box.sv",
                   box("  logic a;\n  always_comb a = (x_i == 8'd4) ? !y_o[0] : 1'b0;\n"
                       "  always_comb y_o = {7'd0, a};\n  logic unused;\n  assign unused = clk_i;\n"));
    const auto divergence = run_box(workshop.source());
    REQUIRE(divergence);
    REQUIRE(divergence->ending);
    CHECK(divergence->cycle == 3);
    CHECK_THAT(divergence->report(), Catch::Contains("converge"));
  }
  SECTION("at the start") {
    workshop.write("box.sv", box(clocked_box + "  initial $fatal(1, \"impossible\");\n"));
    const auto divergence = run_box(workshop.source(), 50);
    REQUIRE(divergence);
    CHECK(divergence->cycle == 50);
    CHECK_THAT(divergence->report(), Catch::Contains("impossible"));
  }
  SECTION("at the last edge") {
    workshop.write("box.sv",
                   box("  always_ff @(posedge clk_i) begin\n    y_o <= x_i;\n    if (x_i == 10) $finish;\n"
                       "  end\n"));
    const auto divergence = run_box(workshop.source());
    REQUIRE(divergence);
    CHECK(divergence->cycle == 9);
  }
}

TEST_CASE("RTL twins: two of one library live and end side by side") {
  const Workshop workshop;
  workshop.write("box.sv", box(clocked_box + "  final $display(\"end\");\n"));
  auto first = std::make_unique<RtlModel>(workshop.source());
  auto second = std::make_unique<RtlModel>(workshop.source());
  for (int i = 0; i < 3; ++i) {
    first->signal("x_i").set(10);
    second->signal("x_i").set(20);
    for (RtlModel* model : {first.get(), second.get()}) {
      model->settle();
      model->edge();
    }
  }
  first.reset();
  second->settle();
  CHECK(second->signal("y_o").get(0, 8) == 20);
  RtlModel third(workshop.source());
  second.reset();
  third.settle();
}

TEST_CASE("RTL twins: waves that cannot be written are an error, not a hang") {
  const Workshop workshop;
  workshop.write("box.sv", box(clocked_box));
  RtlSource source = workshop.source();
  source.trace = true;
  for (const char* path : {"/dev/full", "/nonexistent/directory/x.vcd"}) {
    RtlModel rtl(source);
    rtl.open_trace(path, 0, 10000);
    for (int cycle = 0; cycle < 100; ++cycle) {
      rtl.signal("x_i").set(static_cast<std::uint64_t>(cycle));
      rtl.settle();
      rtl.edge();
    }
    CHECK_THROWS_WITH(rtl.close_trace(), Catch::Contains(std::string(path) + ": cannot be written: "));
  }
}

TEST_CASE("RTL twins: memories and nets are read by their path, and a run goes on from a saved state") {
  const Workshop workshop;
  workshop.write("box.sv", box("  for (genvar i = 0; i < 2; ++i) begin : gen_leaf\n"
                               "    leaf u_leaf (.clk_i, .x_i(x_i + 8'(i)));\n  end\n"
                               "  always_ff @(posedge clk_i) y_o <= y_o + x_i;\n"));
  workshop.write("leaf.sv", "module leaf (input logic clk_i, input logic [7:0] x_i);\n"
                            "  logic [99:0] wide_q[4] /* verilator public_flat_rd */;\n"
                            "  logic [7:0] memory_q[16] /* verilator public_flat_rd */;\n"
                            "  always_ff @(posedge clk_i) begin\n    memory_q[x_i[3:0]] <= x_i;\n"
                            "    wide_q[x_i[1:0]] <= {x_i, 92'd3};\n  end\nendmodule\n");
  RtlSource source = workshop.source();
  source.savable = true;
  const auto step = [](RtlModel& rtl, std::uint64_t x) {
    rtl.signal("x_i").set(x);
    rtl.settle();
    rtl.edge();
  };
  RtlModel first(source);
  for (std::uint64_t x = 0; x < 9; ++x)
    step(first, x);
  const RtlMemory& memory = first.memory("gen_leaf[1].u_leaf.memory_q");
  CHECK(memory.width == 8);
  CHECK(memory.depth == 16);
  CHECK(memory.get(9, 0, 8) == 9);
  CHECK(memory.get(9, 3, 2) == 1);
  CHECK(memory.get(10, 0, 8) == 0);
  const RtlMemory& wide = first.memory("gen_leaf[0].u_leaf.wide_q");
  CHECK(wide.width == 100);
  CHECK(wide.get(3, 92, 8) == 7);
  CHECK(wide.get(3, 0, 64) == 3);
  CHECK(first.memories().size() == 4);
  CHECK_THROWS_AS(first.memory("u_leaf.memory_q"), ToolError);
  CHECK_THROWS_AS(first.signal("nothing"), ToolError);

  const std::string state = first.save();
  RtlModel second(source);
  second.restore(state);
  CHECK(second.edges() == 9);
  CHECK(second.memory("gen_leaf[1].u_leaf.memory_q").get(9, 0, 8) == 9);
  for (RtlModel* model : {&first, &second}) {
    for (std::uint64_t x = 20; x < 25; ++x)
      step(*model, x);
    model->settle();
    CHECK(model->signal("y_o").get(0, 8) == 36 + 110);
  }
  CHECK(first.save() == second.save());
  CHECK_THROWS_AS(second.restore(state.substr(0, state.size() / 2)), ToolError);
  CHECK_THROWS_AS(second.restore(""), ToolError);
  CHECK_THROWS_AS(second.restore(std::string(1000, 'x')), ToolError);
}

TEST_CASE("RTL twins: what has no reset begins at random, by a seed, or at zero") {
  const Workshop workshop;
  workshop.write("box.sv", box("  logic [7:0] memory_q[64] /* verilator public_flat_rd */;\n"
                               "  always_ff @(posedge clk_i) memory_q[x_i[5:0]] <= x_i;\n"
                               "  assign y_o = memory_q[x_i[5:0]];\n"));
  const auto contents = [&](std::uint64_t seed) {
    RtlSource source = workshop.source();
    source.reset_seed = seed;
    RtlModel rtl(source);
    rtl.settle();
    std::vector<std::uint64_t> words;
    for (std::size_t word = 0; word < 64; ++word)
      words.push_back(rtl.memory("memory_q").get(word, 0, 8));
    return words;
  };
  CHECK(contents(0) == std::vector<std::uint64_t>(64, 0));
  const auto first = contents(1);
  CHECK(first != contents(0));
  CHECK(first == contents(1));
  CHECK(first != contents(2));
}
