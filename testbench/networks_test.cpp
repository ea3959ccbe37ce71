// The committed networks: what they reach, what they cost, how fast the hardware runs them.
#include "app/simulation.h"
#include "base/device.h"
#include "base/paths.h"
#include "context_guard.h"
#include "cosim/synthesis.h"
#include "cosim/twins.h"
#include "net/dataset.h"
#include "net/inference.h"
#include "random_work.h"
#include "tops/accelerator/area.h"
#include "tops/accelerator/run_timing.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

Network committed(const std::string& name) { return load_network(source_path("traces/" + name + ".json")); }

Design design_for(const Network& network, int lanes, Multiplier multiplier = Multiplier::dsp) {
  DesignChoice choice;
  choice.lanes = lanes;
  choice.multiplier = multiplier;
  return fit(network, choice);
}

Cycle ideal_cycles(const Network& network, int lanes) {
  Cycle cycles = 0;
  for (const Layer& layer : network.layers)
    cycles += static_cast<Cycle>((layer.outputs + lanes - 1) / lanes * layer.inputs);
  return cycles;
}

void check_fits_xc7s15(const char* name) {
  const Device device = find_device("xc7s15");
  CAPTURE(name);
  const Design design = design_for(committed(name), 16);
  const SynthesisResult area = synthesize(AcceleratorTop(design));
  CHECK(area.lut <= device.lut);
  CHECK(area.ff <= device.ff);
  CHECK(area.dsp <= device.dsp);
  CHECK(area.bram36() <= device.bram36);
  CHECK(area.lut > 500); // a netlist that lost its lanes would fit too
  const Resources computed = resources(design);
  CHECK(area.dsp == computed.dsp);
  CHECK(area.ramb18 == computed.ramb18);
  CHECK(area.ramb36 == computed.ramb36);
  CHECK(computed.lut == Approx(area.lut).epsilon(0.15));
  CHECK(computed.ff == Approx(area.ff).epsilon(0.15));
}

} // namespace

TEST_CASE("committed networks reach their accuracy on the simulated accelerator") {
  struct Row {
    const char* name;
    double least;
    int lanes = 16;
  };
  const Dataset images = load_dataset(default_dataset, "t10k");
  double fixed4 = 0, int8 = 0;
  for (const Row& row :
       {Row{"paper_fixed4", 0.890}, Row{"paper_consecutive4", 0.888}, Row{"paper_int8", 0.885},
        Row{"s15", 0.896}, Row{"paper_huffman", 0.887}, Row{"s15_huffman", 0.896}, Row{"s15_pairs", 0.901},
        Row{"s15_int8", 0.882, 4}, Row{"s15_fixed4", 0.895, 9}, Row{"s15_fixed3", 0.898, 12},
        Row{"s15_fixed2", 0.896}}) {
    CAPTURE(row.name);
    const Network network = committed(row.name);
    const Design design = design_for(network, row.lanes);
    ContextGuard guard;
    const SimulationResult result = simulate(design, compile(network, design), images);
    REQUIRE(result.accuracy);
    CHECK(*result.accuracy >= row.least);
    CHECK(*result.accuracy == accuracy(network, images.inputs(images.count), images.labels));
    fixed4 = std::string(row.name) == "paper_fixed4" ? *result.accuracy : fixed4;
    int8 = std::string(row.name) == "paper_int8" ? *result.accuracy : int8;
    // The simulator's outputs, all ten, against the plain reference.
    for (int i = 0; i < 20; ++i) {
      const std::vector<int> expected =
          reference_inference(network, &images.inputs(20)[static_cast<std::size_t>(i * images.pixels)]);
      CHECK(std::vector<int>(result.results.begin() + i * 10, result.results.begin() + i * 10 + 10) ==
            expected);
    }
    CHECK(result.measured_cycles_per_inference.value() == Approx(result.cycles_per_inference).epsilon(1e-4));
    // A tile's bubbles and a layer's hand-over cost at most 3 %.
    CHECK(result.cycles_per_inference <= 1.03 * static_cast<double>(ideal_cycles(network, row.lanes)));
    CHECK(static_cast<double>(network.macs()) > 0.875 * row.lanes * result.cycles_per_inference);
  }
  CHECK(fixed4 >= int8 - 0.005);
}

TEST_CASE("committed networks have the paper's shape and formats") {
  for (const char* name : {"paper_fixed4", "paper_consecutive4", "paper_int8"}) {
    const Network network = committed(name);
    CHECK(network.weight_count() == 185320);
    CHECK(network.layers.size() == 6);
    CHECK(network.name == name);
    const Scheme scheme = std::string(name) == "paper_fixed4"         ? Scheme::fixed_reference
                          : std::string(name) == "paper_consecutive4" ? Scheme::consecutive
                                                                      : Scheme::plain;
    for (const Layer& layer : network.layers)
      CHECK(layer.scheme == scheme);
    for (const Layer& layer : network.layers)
      CHECK(layer.delta_bits == (std::string(name) == "paper_int8" ? 8 : 4));
  }
}

TEST_CASE("one bit-serial lane at 32 MHz has the paper's 7.992 M MAC/s on 784 inputs") {
  const Network network = committed("paper_fixed4");
  const Design design = design_for(network, 1, Multiplier::serial);
  const Dataset images = load_dataset(default_dataset, "t10k", 3);
  const SimulationResult result = simulate(design, compile(network, design), images);
  const double rate = 784.0 * 150 * 32e6 / static_cast<double>(result.layer_cycles[0]);
  CHECK(rate == Approx(7.992e6).epsilon(0.002));
}

TEST_CASE("what Huffman codes buy: a larger network in the same block RAM, at the same cycles a weight") {
  const Network paper = committed("paper_huffman"), s15 = committed("s15"), coded = committed("s15_huffman");
  REQUIRE(paper.layers.size() == 6);
  CHECK(paper.weight_count() == 185320);
  CHECK(static_cast<double>(paper.stored_bits()) <= 0.18 * 8 * 185320);
  DesignChoice choice; // the paper's own network, whole, on the device that it was too large for
  choice.lanes = 21;
  choice.lanes_per_bank = 3;
  choice.multiplier = Multiplier::dsp_packed;
  const Device device = find_device("xc7s15");
  const Resources whole = resources(fit(paper, choice));
  CHECK(whole.bram36() <= device.bram36);
  CHECK(whole.dsp <= device.dsp);
  CHECK(whole.lut <= device.lut);
  choice.lanes = 36;
  choice.lanes_per_bank = 0;
  CHECK(resources(fit(paper, choice)).lut > device.lut);
  const Design raw_design = design_for(s15, 16), coded_design = design_for(coded, 16);
  CHECK(coded.weight_count() > 3 * s15.weight_count() / 2);
  CHECK(resources(coded_design).bram36() <= resources(raw_design).bram36());
  const Dataset images = load_dataset(default_dataset, "t10k");
  CHECK(accuracy(coded, images.inputs(images.count), images.labels) >=
        accuracy(s15, images.inputs(images.count), images.labels));
  // The same network without its codes: a restart of the streams an inference is all that they cost.
  const Dataset few = load_dataset(default_dataset, "t10k", 3);
  Network uncoded = coded;
  for (Layer& layer : uncoded.layers)
    layer.code = Code::raw;
  const Design uncoded_design = design_for(uncoded, 16);
  const auto cycles = [&few](const Network& network, const Design& design) {
    ContextGuard guard;
    return simulate(design, compile(network, design), few).measured_cycles_per_inference.value();
  };
  CHECK(cycles(coded, coded_design) == cycles(uncoded, uncoded_design) + 7);
  CHECK(resources(uncoded_design).bram36() > find_device("xc7s15").bram36);
}

TEST_CASE("8, 4, 3 and 2 raw bits a weight are compared in the same block RAM: all of an XC7S15's") {
  struct Row {
    const char* name;
    Scheme scheme;
    int delta_bits, lanes;
  };
  const Device& device = find_device("xc7s15");
  for (const Row& row :
       {Row{"s15_int8", Scheme::plain, 8, 4}, Row{"s15_fixed4", Scheme::fixed_reference, 4, 9},
        Row{"s15_fixed3", Scheme::fixed_reference, 3, 12},
        Row{"s15_fixed2", Scheme::fixed_reference, 2, 16}}) {
    CAPTURE(row.name);
    const Network network = committed(row.name);
    CHECK(network.name == row.name);
    for (const Layer& layer : network.layers) {
      CHECK(layer.scheme == row.scheme);
      CHECK(layer.delta_bits == row.delta_bits);
      CHECK(layer.code == Code::raw);
    }
    const Resources used = resources(design_for(network, row.lanes));
    CHECK(used.bram36() == device.bram36);
    CHECK(used.dsp <= device.dsp);
  }
}

TEST_CASE("s15 fits the XC7S15 with 16 lanes, by synthesis, as computed") { check_fits_xc7s15("s15"); }

TEST_CASE("s15_huffman fits the XC7S15 with 16 lanes, by synthesis, as computed", "[.synthesis]") {
  check_fits_xc7s15("s15_huffman");
}

TEST_CASE("pairs of deltas as symbols: fewer bits, the same cycles") {
  for (const char* name : {"s15_huffman", "paper_huffman"}) {
    Network network = committed(name);
    const std::uint64_t single_bits = network.stored_bits();
    const Design singles = design_for(network, 16);
    const std::vector<Cycle> cycles = steady_layer_cycles(singles, describe(network));
    recode(network, Code::huffman_pairs);
    CHECK(static_cast<double>(network.stored_bits()) < 0.8 * static_cast<double>(single_bits));
    const Design pairs = design_for(network, 16);
    CHECK(pairs.symbol_deltas == 2);
    CHECK(steady_layer_cycles(pairs, describe(network)) == cycles);
  }
}

TEST_CASE("pairs of deltas as symbols: s15_huffman still fits the XC7S15, as computed", "[.synthesis]") {
  const Device device = find_device("xc7s15");
  Network network = committed("s15_huffman");
  recode(network, Code::huffman_pairs);
  const Design design = design_for(network, 16);
  const SynthesisResult area = synthesize(AcceleratorTop(design));
  CHECK(area.lut <= device.lut);
  CHECK(area.ff <= device.ff);
  CHECK(area.dsp <= device.dsp);
  CHECK(area.bram36() <= device.bram36);
  const Resources computed = resources(design);
  CHECK(area.dsp == computed.dsp);
  CHECK(area.ramb18 == computed.ramb18);
  CHECK(area.ramb36 == computed.ramb36);
  CHECK(area.lut_ram == computed.lut_ram);
  CHECK(computed.lut == Approx(area.lut).epsilon(0.05));
  CHECK(computed.ff == Approx(area.ff).epsilon(0.05));
}

TEST_CASE("a lane's decoder and its share of the code book take less than 250 LUTs and no DSP, at D = 4") {
  Design design;
  design.lanes = 8;
  design.lanes_per_bank = 4;
  design.delta_bits = 4;
  design.bank_depth = 2048; // no multiplexers between block RAMs, which are not the decoders'
  design.max_layers = 8;
  const SynthesisResult raw = synthesize(AcceleratorTop(design));
  design.huffman = true;
  const SynthesisResult coded = synthesize(AcceleratorTop(design));
  CHECK(coded.lut > raw.lut + design.lanes * 50); // they are there
  CHECK(coded.lut < raw.lut + design.lanes * 250);
  CHECK(coded.dsp == raw.dsp);
}

TEST_CASE("block RAM and DSPs of other designs are as computed") {
  struct Row {
    const char* network;
    int lanes;
    Multiplier multiplier;
  };
  for (const Row& row :
       {Row{"paper_fixed4", 16, Multiplier::lut}, Row{"paper_consecutive4", 9, Multiplier::dsp_packed},
        Row{"paper_fixed4", 1, Multiplier::serial}}) {
    CAPTURE(row.network, row.lanes);
    const Design design = design_for(committed(row.network), row.lanes, row.multiplier);
    const SynthesisResult area = synthesize(AcceleratorTop(design));
    const Resources computed = resources(design);
    CHECK(area.dsp == computed.dsp);
    CHECK(area.ramb18 == computed.ramb18);
    CHECK(area.ramb36 == computed.ramb36);
  }
}

TEST_CASE("s15 with a lane for each neuron of its widest layer is the fastest in the XC7S15, and fits") {
  const Network network = committed("s15");
  const Design design = design_for(network, 144, Multiplier::lut);
  CHECK(design.bank_depth == 784 + 144 + 112); // 16 words of each bank lie in LUT-RAM
  const Resources used = resources(design);
  const Device device = find_device("xc7s15");
  CHECK(used.bram36() == device.bram36);
  CHECK(used.lut <= device.lut); // 7,735 by synthesis
  CHECK(used.ff <= device.ff);
  CHECK(used.dsp <= device.dsp);
  CHECK(run_timing(design, compile(network, design).layers).interval() == 1067);
}

TEST_CASE("committed networks run equal on RTL, with stalls") {
  struct Row {
    const char* name;
    int lanes;
    Multiplier multiplier;
  };
  const Dataset images = load_dataset(default_dataset, "t10k", 2);
  for (const Row& row : {Row{"s15", 16, Multiplier::dsp}, Row{"s15", 144, Multiplier::lut},
                         Row{"paper_consecutive4", 16, Multiplier::dsp},
                         Row{"s15_huffman", 16, Multiplier::dsp}, Row{"s15_pairs", 16, Multiplier::dsp}}) {
    CAPTURE(row.name, row.lanes);
    const Network network = committed(row.name);
    const Design design = design_for(network, row.lanes, row.multiplier);
    ContextGuard guard;
    Twins twins(AcceleratorTop(design), 0.3, base_seed());
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, compile(network, design));
      run_images(session, images.inputs(2), 2);
    });
    if (result.divergence)
      FAIL(result.divergence->report());
    CHECK(result.record.reads[3] == 2);
  }
}
