#include "context_guard.h"
#include "random_work.h"
#include "scheduler_reference.h"
#include "tlm/host.h"
#include "tlm/model_top.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/run_timing.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace deltatwin;

TEST_CASE("run timing: equals the cycles of a simulation, and of the contract's reference") {
  for (int i = 0; i < repeats(200); ++i) {
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    std::vector<int> widths(static_cast<std::size_t>(random.in(2, 5)));
    const bool blocks = random.in(0, 3) == 0; // of one weight each: as short as they can be
    for (int& width : widths)
      width = random.in(1, blocks || random.in(0, 3) ? 60 : 400);
    const Scheme scheme = random.in(0, 1) ? Scheme::consecutive : Scheme::fixed_reference;
    Network network =
        random.network(widths, {scheme, random.in(1, 6), blocks ? Group::block : Group::neuron, blocks, 0});
    for (Layer& layer : network.layers)
      layer.code = random.in(0, 3) ? Code::raw : Code::huffman;
    DesignChoice choice;
    choice.lanes = random.in(1, random.in(0, 1) ? 12 : 128);
    choice.multiplier = static_cast<Multiplier>(random.in(0, 3));
    const Design design = fit(network, choice);
    const Program program = compile(network, design);
    CAPTURE(seed, widths, design.lanes, design.huffman, to_string(design.multiplier));

    const ContextGuard guard;
    ModelTop accelerator("accelerator", AcceleratorTop(design));
    Host host("host", accelerator);
    end_elaboration();
    constexpr int inferences = 20;
    Session session;
    load_program(session, program);
    session.write(reg::images, inferences);
    host.play(session);
    const Cycle start = host.now() + control_latency;
    host.write(reg::control, control_start);
    const Cycle offered = host.now();
    const std::vector<std::int8_t> inputs =
        random.bytes(static_cast<std::size_t>(inferences * network.layers[0].inputs));
    host.stream(0, reinterpret_cast<const std::uint8_t*>(inputs.data()), inputs.size(),
                inputs.size() / inferences);
    const std::vector<Cycle>& ends = host.ends();
    REQUIRE(ends.size() == inferences);
    const std::vector<Cycle> reference = reference_ends(design, program.layers, inferences);
    for (std::size_t n = 0; n < ends.size(); ++n)
      REQUIRE(reference[n] == ends[n] - start);

    const RunTiming timing = run_timing(design, program.layers);
    REQUIRE(timing.first == ends.front() - start);
    REQUIRE(timing.latency() == ends.front() - offered + 1);
    const auto period = static_cast<std::size_t>(timing.period);
    for (std::size_t n = 2 + period; n < ends.size(); ++n)
      REQUIRE(ends[n] - ends[n - period] == timing.period_cycles);
    for (int count = 1; count <= inferences; ++count)
      REQUIRE(run_cycles(design, program.layers, count) == ends[static_cast<std::size_t>(count - 1)] - start);
  }
}

TEST_CASE("run timing: in steady state the output FIFO's credits may beat against the tiles") {
  int longest = 1;
  for (const int lanes : {1, 3, 4, 7})
    for (int inputs = 1; inputs <= 6; ++inputs)
      for (int outputs = 1; outputs <= 24; ++outputs) {
        CAPTURE(lanes, inputs, outputs);
        Design design;
        design.lanes = lanes;
        design.out_depth = 16;
        LayerDescriptor layer;
        layer.inputs = layer.block_length = inputs;
        layer.outputs = outputs;
        const RunTiming timing = run_timing(design, {layer});
        const auto period = static_cast<std::size_t>(timing.period);
        const std::vector<Cycle> ends = reference_ends(design, {layer}, 40 + 2 * timing.period);
        REQUIRE(timing.first == ends.front());
        for (std::size_t n = 20 + period; n < ends.size(); ++n)
          REQUIRE(ends[n] - ends[n - period] == timing.period_cycles);
        longest = std::max(longest, timing.period);
        if (lanes == 4 && inputs == 4 && outputs == 20) {
          CHECK(timing.period == 4); // 27, 27, 27 and 29 cycles
          CHECK(timing.period_cycles == 110);
        }
      }
  CHECK(longest >= 4);
}
