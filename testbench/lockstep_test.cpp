#include "base/file.h"
#include "base/tool.h"
#include "cosim/twins.h"
#include "random_work.h"
#include "temporary_directory.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

using namespace deltatwin;

namespace {

Design tiny_design() {
  Design design;
  design.lanes = 4;
  design.lanes_per_bank = 4;
  design.bank_depth = 512;
  design.in_depth = design.act_depth = 16;
  design.ref_depth = design.param_depth = 64;
  design.out_depth = 16;
  return design;
}

// A copy of the RTL with one line changed.
RtlSource broken_rtl(const TemporaryDirectory& directory, const std::string& file, const std::string& line,
                     const std::string& wrong) {
  for (const auto& entry : std::filesystem::directory_iterator(rtl_directory()))
    if (entry.path().extension() == ".sv" || entry.path().extension() == ".vlt")
      std::filesystem::copy(entry.path(), directory.path());
  const std::string path = directory.path() + "/" + file;
  std::string text = read_file(path);
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  REQUIRE(text.find(line, at + 1) == std::string::npos);
  write_file(path, text.replace(at, line.size(), wrong));
  RtlSource source;
  source.directory = directory.path();
  return source;
}

std::vector<std::int8_t> inputs_of(RandomWork& random) { return random.bytes(12 * 3); }

CosimResult run(Twins& twins, const Design& design) {
  RandomWork random(base_seed());
  const Program program =
      compile(random.network({12, 10, 6}, {Scheme::fixed_reference, 4, Group::neuron, 0, 3}), design);
  return twins.run([&](Session& session) {
    load_program(session, program);
    run_images(session, inputs_of(random), 3);
  });
}

} // namespace

TEST_CASE("a wrong STATUS in the RTL is told by the names of its fields") {
  const TemporaryDirectory directory("deltatwin-broken");
  const Design design = tiny_design();
  Twins twins(AcceleratorTop(design), 0, 1, {},
              broken_rtl(directory, "axi_control.sv",
                         "read_data = {8'd0, 4'd0, error_layer_i, 3'd0, error_i, 6'd0, status_i};",
                         "read_data = {8'd0, 4'd0, error_layer_i, 3'd0, error_i + 5'd1, 6'd0, status_i};"));
  const CosimResult result = twins.run([&](Session& session) {
    session.write(reg::images, 1);
    session.write(reg::control, control_start); // of a program without layers
    session.add(HostAction::wait_stop);
    session.add(HostAction::read).address = reg::status;
  });
  REQUIRE(result.divergence);
  const std::string report = result.divergence->report();
  INFO(report);
  CHECK_THAT(report, Catch::Contains("of the access at 0x8 (STATUS)") &&
                         Catch::Contains("(STATUS: status=error, error=layer count, layer=0)") &&
                         Catch::Contains("(STATUS: status=error, error=image count, layer=0)"));
}

TEST_CASE("a wrong bit in the RTL is reported with its place, both values and waves") {
  const TemporaryDirectory directory("deltatwin-broken");
  const Design design = tiny_design();
  // Truncates instead of rounding half up.
  Twins twins(AcceleratorTop(design), 0, 1, {},
              broken_rtl(directory, "requantizer.sv", "(RoundedBits + 8)'(128)", "(RoundedBits + 8)'(0)"));
  const CosimResult result = run(twins, design);
  REQUIRE(result.divergence);
  const Divergence& divergence = *result.divergence;
  CHECK((divergence.interface == "act" || divergence.interface == "m_axis"));
  CHECK((divergence.block == "requantizer" || divergence.block == "output_fifo"));
  REQUIRE(divergence.model);
  REQUIRE(divergence.rtl);
  CHECK(divergence.model->payload != *divergence.rtl);
  CHECK(divergence.context.image >= 0);
  CHECK(divergence.context.layer >= 0);
  CHECK(divergence.context.tile >= 0);
  CHECK(divergence.context.element >= 0);
  const std::string report = divergence.report();
  for (const char* part :
       {"divergence in", "interface", "cycle", "layer", "tile", "element", "model:", "RTL:"}) {
    CAPTURE(report, part);
    CHECK(report.find(part) != std::string::npos);
  }
  const std::string waves = directory.path() + "/divergence.vcd";
  WaveWindow window;
  window.first = divergence.cycle - 20;
  window.last = divergence.cycle + 20;
  twins.write_waves(waves, window);
  const std::string vcd = read_file(waves);
  for (const char* part :
       {"$scope module model $end", "$scope module rtl $end", "act_data", "m_axis_tdata_o"})
    CHECK(vcd.find(part) != std::string::npos);
  CHECK(vcd.find("#" + std::to_string(divergence.cycle * 10000) + "\n") != std::string::npos);
  CHECK(vcd.find("#" + std::to_string((divergence.cycle + 21) * 10000) + "\n") == std::string::npos);
}

TEST_CASE("what only the end shows: a word that was not to be written, a register that nobody read") {
  struct Row {
    const char *file, *line, *wrong, *block, *interface;
  };
  const Row rows[] = {
      // Parameters are loaded over the references' words, but not all of them.
      {"accelerator.sv", ".we_i(load_parameter),", ".we_i(load_parameter || load_reference),",
       "u_parameter.memory_q", "word 16, at the end"},
      {"axi_control.sv", "{24'd0, layers_q}", "{24'd1, layers_q}", "axi_control", "r"},
  };
  const Design design = tiny_design();
  for (const Row& row : rows) {
    const TemporaryDirectory directory("deltatwin-broken");
    Twins twins(AcceleratorTop(design), 0, 1, {}, broken_rtl(directory, row.file, row.line, row.wrong));
    RandomWork random(base_seed());
    Program program =
        compile(random.network({12, 10, 6}, {Scheme::fixed_reference, 4, Group::neuron, 0, 3}), design);
    program.references.resize(17, 3);
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, inputs_of(random), 3);
    });
    REQUIRE(result.divergence);
    CHECK(result.divergence->block == row.block);
    CHECK(result.divergence->interface == row.interface);
  }
}

TEST_CASE("a cycle too many in the RTL is reported as a beat that is missing") {
  const TemporaryDirectory directory("deltatwin-broken");
  const Design design = tiny_design();
  Twins twins(AcceleratorTop(design), 0, 1, {},
              broken_rtl(directory, "accelerator.sv", "localparam int DrainLatency = 4;",
                         "localparam int DrainLatency = 5;"));
  const CosimResult result = run(twins, design);
  REQUIRE(result.divergence);
  CHECK(result.divergence->block == "scheduler");
  CHECK(result.divergence->interface == "slot");
  CHECK(result.divergence->model);
  CHECK_FALSE(result.divergence->rtl);
  CHECK(result.divergence->context.layer == 1);
  CHECK(result.divergence->context.element == 0);
  CHECK(result.divergence->before.size() == 4);
}

TEST_CASE("an output that changes its mind before it is taken is a divergence of its own") {
  struct Row {
    const char *line, *wrong, *rule;
  };
  for (const Row& row :
       {Row{"read || (s_axil_rvalid_o && !s_axil_rready_i)", "read", "VALID was withdrawn before READY"},
        Row{"if (read) begin", "if (1'b1) begin", "the payload changed before READY"}}) {
    CAPTURE(row.rule);
    const TemporaryDirectory directory("deltatwin-broken");
    const Design design = tiny_design();
    RtlSource source = broken_rtl(directory, "axi_lite.sv", row.line, row.wrong);
    source.fast = true; // without assertions of the RTL's own
    Twins twins(AcceleratorTop(design), 0.4, 1, {}, source);
    RandomWork random(base_seed());
    const Program program =
        compile(random.network({12, 10, 6}, {Scheme::fixed_reference, 4, Group::neuron, 0, 3}), design);
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, inputs_of(random), 3);
      const auto stop =
          std::find_if(session.actions.begin(), session.actions.end(),
                       [](const HostAction& action) { return action.kind == HostAction::wait_stop; });
      HostAction read; // while it changes
      read.kind = HostAction::read;
      read.address = reg::cycles_lo;
      session.actions.insert(stop, 20, read);
    });
    REQUIRE(result.divergence);
    CHECK(result.divergence->interface == "r");
    CHECK(result.divergence->rule == row.rule);
    CHECK_THAT(result.divergence->report(), Catch::Contains(row.rule));
  }
}

TEST_CASE("a beat too few, too many or in another cycle is a divergence, on either side") {
  // The RTL's slots stand in for beats: one interface that is high in every cycle out of reset.
  const Design design = tiny_design();
  const std::vector<Interface> interfaces = {{"top", "always", {"rst_ni"}, {{"s_axis_tready_o", 1}}}};
  struct Row {
    std::vector<Cycle> beats;
    bool equal;
    Cycle at;
  };
  for (const Row& row : {Row{{0, 1, 2, 3}, true, 0}, Row{{0, 1, 2, 3, 7}, false, 7}, Row{{0, 1, 2}, false, 3},
                         Row{{0, 1, 1, 3}, false, 2}, Row{{0, 2, 3}, false, 1}, Row{{}, false, 0}}) {
    CAPTURE(row.beats, row.equal);
    RtlModel rtl({"accelerator", design.parameters(), false, ""});
    rtl.signal("rst_ni").set(1);
    BeatTrace model(1);
    for (const Cycle cycle : row.beats)
      model.add(0, {cycle, 0, {}, cycle});
    Lockstep lockstep(interfaces, model, rtl);
    for (Cycle cycle = 0; cycle < 4; ++cycle) {
      rtl.settle();
      if (!lockstep.check(cycle))
        break;
      rtl.edge();
    }
    CHECK(lockstep.finish() == row.equal);
    if (!row.equal) {
      REQUIRE(lockstep.divergence());
      CHECK(lockstep.divergence()->cycle == row.at);
      CHECK(lockstep.divergence()->block == "top");
    }
  }
}

TEST_CASE("RTL that does not build shows what the tool said") {
  const TemporaryDirectory directory("deltatwin-broken");
  const Design design = tiny_design();
  const RtlSource source = broken_rtl(directory, "requantizer.sv", "endmodule", "endmodul");
  try {
    Twins twins(AcceleratorTop(design), 0, 1, {}, source);
    FAIL("it built");
  } catch (const ToolError& error) {
    CHECK(std::string(error.what()).find("syntax error") != std::string::npos);
    CHECK(std::string(error.what()).find("requantizer.sv") != std::string::npos);
  }
}
