#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/scheduler.h"
#include <functional>
#include <map>

using namespace deltatwin;

namespace {

int address_bits(int depth) {
  int bits = 1;
  while ((1 << bits) < depth)
    ++bits;
  return bits;
}

Design test_design(int lanes, Multiplier multiplier) {
  Design design;
  design.lanes = lanes;
  design.lanes_per_bank = 1;
  design.multiplier = multiplier;
  design.bank_depth = 4096;
  design.in_depth = 64;
  design.act_depth = 64;
  design.ref_depth = 2048;
  design.param_depth = 256;
  design.max_layers = 4;
  design.out_depth = 64;
  return design;
}

// What the scheduler sees from around it, in one cycle.
struct Pins {
  bool offer = false, input_last = false, reference = false, sum = false, out = false, out_last = false;
  bool program = false, start = false, clear = false;
  std::uint32_t program_address = 0, program_data = 0;
};

enum Port : std::size_t { load, slot, mac, ref, sum, status };

// Runs follow each other; drive() then puts them all to the RTL.
class SchedulerBench {
public:
  explicit SchedulerBench(const Design& design)
      : design_(design), model_("scheduler", design), program_("program", model_.program),
        run_("run", model_.run), bench_({"scheduler", parameters(design), false, ""}, interfaces(design)),
        trace_(bench_.trace()) {
    end_elaboration();
  }

  /// Appends a run of a program, legal or not.
  void run(RandomWork& random, const std::vector<LayerDescriptor>& layers, std::uint32_t images) {
    std::vector<std::uint32_t> words;
    for (const LayerDescriptor& layer : layers)
      for (const int word : {0, 1}) {
        Pins& now = at(pins_.size());
        now.program = true;
        now.program_address = static_cast<std::uint32_t>(words.size());
        now.program_data = layer.word(word);
        words.push_back(now.program_data);
      }
    Cycle cycle = 0;
    if (!words.empty())
      REQUIRE(program_.access(tlm::TLM_WRITE_COMMAND, 0, words.data(), 4 * words.size(), cycle));
    const Cycle begin = pins_.size() + 2;
    at(begin).start = true;
    layers_[begin] = static_cast<std::uint32_t>(layers.size());
    images_[begin] = images;
    status_[begin + 1] = 1;
    std::uint32_t start[2] = {static_cast<std::uint32_t>(layers.size()), images};
    cycle = begin;
    if (!run_.access(tlm::TLM_WRITE_COMMAND, 0, start, 8, cycle)) {
      fail(model_.error());
      return;
    }
    Cycle from = begin;
    for (std::uint32_t image = 0; image < images; ++image) {
      IssueExtension extension;
      extension.loaded = load_image(random, layers[0].inputs, image, from);
      cycle = extension.loaded;
      const bool okay = run_.access(tlm::TLM_IGNORE_COMMAND, 0, nullptr, 0, cycle, &extension);
      parameter_ = 0;
      for (const IssuedBlock& block : extension.blocks)
        expect(layers, block);
      if (!okay) {
        fail(extension.error);
        return;
      }
    }
    status_[pins_.size()] = 2; // after the last output beat
    pins_.resize(pins_.size() + static_cast<std::size_t>(random.in(2, 40)));
  }

  /// A soft reset, somewhere in what is there.
  void clear(Cycle cycle) {
    at(cycle).clear = true;
    pins_.resize(cycle + 1);
    trace_.drop_cycles_after(cycle, 0);
    status_.erase(status_.upper_bound(cycle), status_.end());
    status_[cycle + 1] = 0;
  }
  [[nodiscard]] Cycle cycles() const { return pins_.size(); }

  void drive() {
    pins_.resize(pins_.size() + 64);
    std::uint64_t value = 0;
    for (Cycle cycle = 0; cycle < pins_.size(); ++cycle) {
      if (const auto change = status_.find(cycle); change != status_.end())
        value = change->second;
      trace_.add(status, {cycle, value, {}, cycle});
    }
    bench_.reset();
    bench_.run(trace_, pins_.size(), [&](Cycle cycle) {
      const Pins& now = pins_[cycle];
      bench_.set("prog_we_i", now.program);
      bench_.set("prog_addr_i", now.program_address);
      bench_.set("prog_data_i", now.program_data);
      bench_.set("start_i", now.start);
      bench_.set("clear_i", now.clear);
      if (now.start) {
        bench_.set("layers_i", layers_[cycle]);
        bench_.set("images_i", images_[cycle]);
      }
      bench_.set("s_valid_i", now.offer);
      bench_.set("s_last_i", now.input_last);
      bench_.set("ref_re_i", now.reference);
      bench_.set("sum_valid_i", now.sum);
      bench_.set("out_beat_i", now.out);
      bench_.set("out_last_i", now.out_last);
    });
  }

private:
  static std::vector<std::pair<std::string, int>> parameters(const Design& design) {
    return {{"Lanes", design.lanes},
            {"CyclesPerMac", design.cycles_per_mac()},
            {"WriteLatency", static_cast<int>(SchedulerTiming(design, {}, 0).write_latency()) + 1},
            {"StreamLatency", HuffmanDecoderCore::restart_latency},
            {"Consecutive", design.consecutive},
            {"BankDepth", design.bank_depth},
            {"InDepth", design.in_depth},
            {"ActDepth", design.act_depth},
            {"RefDepth", design.ref_depth},
            {"ParamDepth", design.param_depth},
            {"MaxLayers", design.max_layers},
            {"OutDepth", design.out_depth}};
  }

  static std::vector<Interface> interfaces(const Design& design) {
    return {{"", "load", {"in_we_o"}, {{"in_waddr_o", address_bits(2 * design.in_depth)}}},
            {"",
             "slot",
             {"issue_o"},
             {{"weight_addr_o", address_bits(design.bank_depth + 1)},
              {"issue_index_o", 13},
              {"issue_layer_o", 4}}},
            {"",
             "mac",
             {"mac_valid_o"},
             {{"mac_flags_o", 4},
              {"mac_consecutive_o", 1},
              {"mac_shift_o", 3},
              {"mac_lanes_o", 8},
              {"mac_first_layer_o", 1}}},
            {"", "ref", {"ref_re_i"}, {{"ref_addr_o", address_bits(design.ref_depth)}}},
            {"",
             "sum",
             {"sum_valid_i"},
             {{"param_addr_o", address_bits(design.param_depth)},
              {"sum_shift_o", 5},
              {"sum_activation_o", 2},
              {"sum_to_stream_o", 1},
              {"sum_last_o", 1}}},
            {"", "status", {}, {{"status_o", 2}, {"error_o", 4}, {"error_layer_o", 4}}}};
  }

  void fail(const RunError& error) {
    at(error.cycle + 1);
    status_[error.cycle + 1] =
        3 | static_cast<std::uint64_t>(error.code) << 2 | static_cast<std::uint64_t>(error.layer) << 6;
    for (Cycle cycle = error.cycle + 1; cycle < pins_.size(); ++cycle) // the loader takes nothing any more
      pins_[cycle].offer = false;
    auto& loads = trace_.beats[load];
    while (!loads.empty() && loads.back().cycle > error.cycle)
      loads.pop_back();
    pins_.resize(pins_.size() + 64);
  }

  Pins& at(Cycle cycle) {
    if (cycle >= pins_.size())
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }

  Cycle load_image(RandomWork& random, int inputs, std::uint32_t image, Cycle& from) {
    Cycle taken = 0;
    for (int i = 0; i < inputs; ++i) {
      from += static_cast<Cycle>(random.in(0, 3) == 0 ? random.in(0, 5) : 0);
      taken = i == 0 ? std::max(from, model_.input_ready()) : from;
      for (Cycle cycle = from; cycle <= taken; ++cycle) {
        at(cycle).offer = true;
        at(cycle).input_last = i + 1 == inputs;
      }
      trace_.add(load,
                 {taken,
                  image % 2 * static_cast<std::uint64_t>(design_.in_depth) + static_cast<std::uint64_t>(i),
                  {},
                  taken});
      from = taken + 1;
    }
    return taken;
  }

  void expect(const std::vector<LayerDescriptor>& layers, const IssuedBlock& block) {
    const LayerDescriptor& layer = layers[static_cast<std::size_t>(block.layer)];
    const auto u = [](int value) { return static_cast<std::uint64_t>(value); };
    const int weight_bits = address_bits(design_.bank_depth + 1);
    for (int i = 0; i < block.slots; ++i) {
      const bool last = block.complete && i + 1 == block.slots;
      const Cycle cycle = last ? block.last_slot : block.first_slot + u(i * design_.cycles_per_mac());
      const int input = block.first_input + i;
      trace_.add(
          slot, {cycle,
                 u(block.weight_address + i) | u(input) << weight_bits | u(block.layer) << (weight_bits + 13),
                 {-1, block.layer, block.tile, input},
                 cycle});
      const std::uint64_t flags =
          u(block.tile_first && i == 0) | u(i == 0) << 1 | u(last) << 2 | u(last && block.tile_last) << 3;
      trace_.add(mac, {cycle + 1,
                       flags | u(layer.consecutive) << 4 | u(layer.delta_shift) << 5 | u(block.active) << 8 |
                           u(block.layer == 0) << 16,
                       {-1, block.layer, block.tile, input},
                       cycle});
    }
    const bool last_layer = u(block.layer) + 1 == layers.size();
    const SchedulerTiming& timing = model_.timing();
    for (int lane = 0; block.complete && lane < block.active; ++lane) {
      const Cycle beat = block.last_slot + 1 + u(lane);
      const Cycle request = beat + timing.mac().reference_request();
      at(request).reference = true;
      trace_.add(ref, {request, u(block.reference_address + lane), {}, request});
      if (!block.tile_last)
        continue;
      const Cycle out = beat + timing.mac().sum();
      const bool last = block.base + lane + 1 == layer.outputs;
      at(out).sum = true;
      const int bits = address_bits(design_.param_depth);
      trace_.add(sum, {out,
                       u(parameter_++) | u(layer.shift) << bits |
                           u(static_cast<int>(layer.activation)) << (bits + 5) | u(last_layer) << (bits + 7) |
                           u(last) << (bits + 8),
                       {-1, block.layer, block.tile, lane},
                       out});
      if (last_layer) {
        at(block.last_slot + timing.output_latency() + u(lane)).out = true;
        at(block.last_slot + timing.output_latency() + u(lane)).out_last = last;
      }
    }
  }

  Design design_;
  Scheduler model_;
  Initiator program_, run_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
  std::map<Cycle, std::uint64_t> status_; ///< changes of {error layer, error, status}
  std::map<Cycle, std::uint32_t> layers_, images_;
  int parameter_ = 0;
};

} // namespace

TEST_CASE("scheduler twins agree on every slot, beat and address, run after run, with resets in between") {
  for (const Design& design : {test_design(1, Multiplier::lut), test_design(6, Multiplier::dsp),
                               test_design(3, Multiplier::serial), test_design(40, Multiplier::lut)})
    for (int i = 0; i < repeats(6); ++i) {
      const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
      CAPTURE(design.lanes, seed);
      RandomWork random(seed);
      ContextGuard guard;
      SchedulerBench bench(design);
      for (int run = 0; run < 4; ++run) {
        std::vector<int> widths = {random.in(1, 60)};
        for (int layers = random.in(1, 4); layers > 0; --layers)
          widths.push_back(random.in(1, 30));
        const Cycle begin = bench.cycles();
        bench.run(random, random.program(design, widths).layers, static_cast<std::uint32_t>(random.in(1, 5)));
        if (random.in(0, 1))
          bench.clear(begin + static_cast<Cycle>(random.in(12, static_cast<int>(bench.cycles() - begin))));
      }
      bench.drive();
    }
}

TEST_CASE("scheduler twins raise the same error in the same cycle, and run again after a reset") {
  Design design = test_design(4, Multiplier::dsp);
  design.consecutive = false;
  design.bank_depth = 300;
  design.ref_depth = 64;
  const auto layer = [](int inputs, int outputs, Activation activation) {
    LayerDescriptor result;
    result.inputs = result.block_length = inputs;
    result.outputs = outputs;
    result.activation = activation;
    return result;
  };
  const std::vector<LayerDescriptor> good = {layer(20, 12, Activation::relu),
                                             layer(12, 10, Activation::none)};
  struct Case {
    ErrorCode code;
    std::function<void(std::vector<LayerDescriptor>&)> spoil;
  };
  const Case cases[] = {
      {ErrorCode::layer_count, [](auto& l) { l.clear(); }},
      {ErrorCode::input_length, [](auto& l) { l[0].inputs = 65; }},
      {ErrorCode::output_length, [](auto& l) { l[1].outputs = 4097; }},
      {ErrorCode::chain, [](auto& l) { l[1].inputs = l[1].block_length = 13; }},
      {ErrorCode::block_length, [](auto& l) { l[1].block_length = 0; }},
      {ErrorCode::scheme, [](auto& l) { l[0].consecutive = true; }},
      {ErrorCode::activation, [](auto& l) { l[0].activation = Activation::none; }},
      {ErrorCode::parameter_range, [](auto& l) { l[1].outputs = 250; }},
      {ErrorCode::weight_range, [](auto& l) { l[0].inputs = 64, l[0].block_length = 64, l[1].outputs = 50; }},
      {ErrorCode::reference_range, [](auto& l) { l[0].block_length = 3; }},
  };
  RandomWork random(base_seed());
  for (const Case& bad : cases) {
    CAPTURE(to_string(bad.code));
    ContextGuard guard;
    SchedulerBench bench(design);
    std::vector<LayerDescriptor> program = good;
    bad.spoil(program);
    bench.run(random, program, 2);
    bench.clear(bench.cycles() + 3);
    bench.run(random, good, 2);
    bench.drive();
  }
}

TEST_CASE("scheduler spends the cycles that the tiles need, and hardly more") {
  // Tiles of 784 inputs follow each other without a bubble; a layer costs a cycle or two.
  const Design design = test_design(16, Multiplier::dsp);
  struct Row {
    int outputs;
    Cycle cycles; ///< from the first slot to the last
  };
  for (const Row& row : {Row{16, 50}, Row{17, 100}, Row{32, 100}, Row{33, 150}}) {
    LayerDescriptor layer;
    layer.inputs = layer.block_length = 50;
    layer.outputs = row.outputs;
    layer.activation = Activation::relu;
    LayerDescriptor last = layer;
    last.inputs = last.block_length = row.outputs;
    last.outputs = 1;
    SchedulerTiming timing(design, {layer, last}, 0);
    timing.loaded(49);
    std::vector<IssuedBlock> blocks;
    timing.issue([&](const IssuedBlock& block) { blocks.push_back(block); },
                 [](int, int, Cycle offered, std::vector<Cycle>& taken) { taken.push_back(offered); });
    const IssuedBlock& end = blocks[blocks.size() - 2];
    CHECK(end.last_slot - blocks.front().first_slot + 1 == row.cycles);
  }
}

TEST_CASE("scheduler model reports an illegal program and the cycle of the error") {
  Scheduler model("scheduler", test_design(4, Multiplier::lut));
  Initiator program("program", model.program), run("run", model.run);
  end_elaboration();
  LayerDescriptor layer;
  layer.inputs = 10;
  layer.outputs = 5;
  layer.block_length = 11;
  std::uint32_t words[2] = {layer.word(0), layer.word(1)}, start[2] = {1, 1};
  Cycle at = 0;
  REQUIRE(program.access(tlm::TLM_WRITE_COMMAND, 0, words, 8, at));
  at = 7;
  CHECK_FALSE(run.access(tlm::TLM_WRITE_COMMAND, 0, start, 8, at));
  CHECK(model.error().code == ErrorCode::block_length);
  CHECK(model.error().cycle == 8);
  CHECK_FALSE(program.access(tlm::TLM_WRITE_COMMAND, 1000, words, 8, at));
}
