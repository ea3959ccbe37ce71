#include "base/pacer.h"
#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_book.h"
#include "random_work.h"
#include "scheduler_reference.h"
#include "tlm/scheduler.h"
#include "tops/accelerator/configs.h"
#include <algorithm>
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

Design coded_design(int lanes, Multiplier multiplier, int symbol_bits) {
  Design design = test_design(lanes, multiplier);
  design.huffman = true;
  design.delta_bits = symbol_bits;
  return design;
}

// What the scheduler sees from around it, in one cycle.
struct Pins {
  bool offer = false, input_last = false, reference = false, sum = false, out = false, out_last = false;
  bool program = false, start = false, clear = false, build_done = false, decode_error = false;
  int build_fault = 0, decode_fault = 0;
  std::uint32_t program_address = 0, program_data = 0;
};

enum Port : std::size_t { load, slot, mac, ref, sum, status, build };

// Runs follow each other; drive() then puts them all to the RTL.
class SchedulerBench {
public:
  explicit SchedulerBench(const Design& design)
      : design_(design), model_("scheduler", scheduler_config(design), design.clock_mhz),
        program_("program", model_.program), run_("run", model_.run),
        bench_({"scheduler", parameters(design), false, ""}, interfaces(design)), trace_(bench_.trace()) {
    end_elaboration();
  }

  /// Appends a run of a program, legal or not. `from_outside`: framing, or a decoder's error, somewhere
  /// in the run, or a code book's.
  void run(RandomWork& random, const std::vector<LayerDescriptor>& layers, std::uint32_t images,
           ErrorCode from_outside = ErrorCode::none) {
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
    std::uint32_t start[2] = {static_cast<std::uint32_t>(layers.size()), images};
    if (model_.error().code != ErrorCode::none) { // in which nothing starts
      REQUIRE_FALSE(run_.access(tlm::TLM_WRITE_COMMAND, 0, start, 8, cycle));
      return;
    }
    status_[begin + 1] = 1;
    BooksExtension books;
    for (const LayerDescriptor& layer : layers)
      books.books.push_back(layer.huffman ? CodeTable(random_book(random, design_.delta_bits))
                                          : CodeTable::uniform(design_.delta_bits));
    if (from_outside == ErrorCode::code_book)
      books.books[static_cast<std::size_t>(random.in(0, static_cast<int>(layers.size()) - 1))] =
          CodeTable(std::vector<int>(std::size_t{1} << design_.delta_bits));
    cycle = begin;
    const bool started = run_.access(tlm::TLM_WRITE_COMMAND, 0, start, 8, cycle, &books);
    if (design_.huffman && (started || model_.error().code == ErrorCode::code_book))
      build_books(layers, books.books, begin + layers.size());
    if (!started) {
      fail(model_.error());
      return;
    }
    Cycle from = begin;
    RunError error;
    std::vector<IssuedBlock> blocks;
    for (std::uint32_t image = 0; image < images && error.code == ErrorCode::none; ++image) {
      IssueExtension extension;
      extension.loaded = load_image(random, layers[0].inputs, image, from);
      cycle = extension.loaded;
      run_.access(tlm::TLM_IGNORE_COMMAND, 0, nullptr, 0, cycle, &extension);
      blocks.insert(blocks.end(), extension.blocks.begin(), extension.blocks.end());
      error = extension.error;
    }
    if (from_outside >= ErrorCode::framing && from_outside != ErrorCode::code_book)
      error = raise(random, from_outside, layers, blocks);
    parameter_ = 0;
    for (const IssuedBlock& block : blocks)
      expect(layers, block, error.cycle);
    if (error.code != ErrorCode::none) {
      fail(error);
      return;
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
    model_.reset();
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
      bench_.set("build_done_i", now.build_done);
      bench_.set("build_fault_i", static_cast<std::uint64_t>(now.build_fault));
      bench_.set("decode_error_i", now.decode_error);
      bench_.set("decode_fault_i", static_cast<std::uint64_t>(now.decode_fault));
    });
  }

private:
  static std::vector<std::pair<std::string, int>> parameters(const Design& design) {
    return {{"Lanes", design.lanes},
            {"CyclesPerMac", design.cycles_per_mac()},
            {"WriteLatency", static_cast<int>(WriteBackTiming{scheduler_config(design).mac}.write()) + 1},
            {"StreamLatency", HuffmanDecoderCore::restart_latency},
            {"Consecutive", design.consecutive},
            {"Huffman", design.huffman},
            {"BankDepth", design.bank_depth},
            {"InDepth", design.in_depth},
            {"ActDepth", design.act_depth},
            {"RefDepth", design.ref_depth},
            {"ParamDepth", design.param_depth},
            {"MaxLayers", design.max_layers},
            {"OutDepth", design.out_depth}};
  }

  static std::vector<Interface> interfaces(const Design& design) {
    std::vector<Interface> all = {
        {"", "load", {"in_we_o"}, {{"in_waddr_o", address_bits(2 * design.in_depth)}}},
        {"",
         "slot",
         {"issue_o"},
         {{"weight_addr_o", address_bits(design.bank_depth + 1)},
          {"issue_index_o", 13},
          {"issue_layer_o", 4},
          {"issue_lanes_o", 8},
          {"issue_end_o", 1}}},
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
        {"", "status", {}, {{"status_o", 2}, {"error_o", 5}, {"error_layer_o", 4}}}};
    if (design.huffman)
      all.push_back({"", "build", {"build_start_o"}, {{"build_layer_o", 4}, {"build_uniform_o", 1}}});
    return all;
  }

  void fail(const RunError& error) {
    at(error.cycle + 1);
    status_[error.cycle + 1] =
        3 | static_cast<std::uint64_t>(error.code) << 2 | static_cast<std::uint64_t>(error.layer) << 7;
    for (Cycle cycle = error.cycle + 1; cycle < pins_.size(); ++cycle) // the loader takes nothing any more
      pins_[cycle].offer = false;
    auto& loads = trace_.beats[load];
    while (!loads.empty() && loads.back().cycle > error.cycle)
      loads.pop_back();
    pins_.resize(pins_.size() + 64);
  }

  /// The builds follow each other; the first one starts in the cycle of the last layer's check.
  void build_books(const std::vector<LayerDescriptor>& layers, const std::vector<CodeTable>& books,
                   Cycle begin) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      trace_.add(build, {begin, l | std::uint64_t{!layers[l].huffman} << 4, {}, begin});
      const bool good = books[l].fault == BookFault::none;
      begin +=
          good ? code_book_timing(design_.delta_bits).build() : code_book_timing(design_.delta_bits).fault();
      at(begin).build_done = true;
      at(begin).build_fault = static_cast<int>(books[l].fault);
      if (!good)
        return;
    }
  }

  /// An error that comes from around the scheduler, somewhere in the run.
  RunError raise(RandomWork& random, ErrorCode code, const std::vector<LayerDescriptor>& layers,
                 const std::vector<IssuedBlock>& blocks) {
    if (code == ErrorCode::framing) {
      const std::vector<Beat>& loads = trace_.beats[load];
      const Cycle cycle =
          loads[loads.size() - static_cast<std::size_t>(random.in(1, layers[0].inputs))].cycle;
      at(cycle).input_last ^= true;
      return {code, 0, cycle};
    }
    const IssuedBlock& block =
        blocks[static_cast<std::size_t>(random.in(0, static_cast<int>(blocks.size()) - 1))];
    const bool left_over = code == ErrorCode::left_over; // behind the inference's last slot in truth
    const Cycle slot = block.slot(random.in(0, block.slots - 1), design_.cycles_per_mac());
    const int layer = left_over ? static_cast<int>(layers.size()) - 1 : block.layer;
    at(slot + 1).decode_error = true;
    at(slot + 1).decode_fault = static_cast<int>(code) - static_cast<int>(ErrorCode::bad_code) + 1;
    return {code, layer, slot + 1};
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

  /// What a block brings about if the run stops behind cycle `stop`.
  void expect(const std::vector<LayerDescriptor>& layers, const IssuedBlock& block, Cycle stop) {
    const LayerDescriptor& layer = layers[static_cast<std::size_t>(block.layer)];
    const auto u = [](int value) { return static_cast<std::uint64_t>(value); };
    const int weight_bits = address_bits(design_.bank_depth + 1);
    const bool last_layer = u(block.layer) + 1 == layers.size();
    const bool layer_end = block.base + block.active == layer.outputs;
    for (int i = 0; i < block.slots; ++i) {
      const bool last = block.complete && i + 1 == block.slots;
      const Cycle cycle = block.slot(i, design_.cycles_per_mac());
      if (cycle > stop)
        return;
      const int input = block.first_input + i;
      const bool end = last && block.tile_last && layer_end && last_layer;
      const BeatContext context{-1, block.layer, block.tile, input};
      trace_.add(slot, {cycle,
                        (design_.huffman ? 0 : u(block.weight_address + i)) | u(input) << weight_bits |
                            u(block.layer) << (weight_bits + 13) | u(block.active) << (weight_bits + 17) |
                            u(end) << (weight_bits + 25),
                        context, cycle});
      const std::uint64_t flags =
          u(block.tile_first && i == 0) | u(i == 0) << 1 | u(last) << 2 | u(last && block.tile_last) << 3;
      trace_.add(mac, {cycle + 1,
                       flags | u(layer.consecutive) << 4 | u(layer.delta_shift) << 5 | u(block.active) << 8 |
                           u(block.layer == 0) << 16,
                       context, cycle});
    }
    const SchedulerTiming& timing = model_.timing();
    for (int lane = 0; block.complete && lane < block.active; ++lane) {
      const Cycle beat = block.last_slot + 1 + u(lane);
      const Cycle request = beat + timing.write_back().mac.reference_request();
      at(request).reference = true;
      trace_.add(ref, {request, u(block.reference_address + lane), {}, request});
      if (!block.tile_last)
        continue;
      const Cycle out = beat + timing.write_back().mac.sum();
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
        at(block.last_slot + timing.write_back().output() + u(lane)).out = true;
        at(block.last_slot + timing.write_back().output() + u(lane)).out_last = last;
        if (last)
          parameter_ = 0;
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
                               test_design(3, Multiplier::serial), test_design(40, Multiplier::lut),
                               coded_design(5, Multiplier::dsp, 3), coded_design(2, Multiplier::serial, 1)})
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
          bench.clear(begin + static_cast<Cycle>(
                                  random.in(12, std::max(12, static_cast<int>(bench.cycles() - begin)))));
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
    bench.run(random, good, 2);
    bench.clear(bench.cycles() + 3);
    bench.run(random, good, 2);
    bench.drive();
  }
}

TEST_CASE("scheduler model: its program is memory-mapped, and nothing lies beyond it") {
  const ContextGuard guard;
  Scheduler model("scheduler", scheduler_config(test_design(1, Multiplier::lut)), 100);
  Initiator program("program", model.program), run("run", model.run);
  end_elaboration();
  std::uint32_t word = 7;
  Cycle cycle = 0;
  const std::uint64_t end = 4 * 2 * 4;
  CHECK(program.access(tlm::TLM_WRITE_COMMAND, end - 4, &word, 4, cycle));
  word = 0;
  CHECK(program.access(tlm::TLM_READ_COMMAND, end - 4, &word, 4, cycle));
  CHECK(word == 7);
  for (const std::uint64_t address : {end, end + 4, ~std::uint64_t{3}, std::uint64_t{2}})
    CHECK_FALSE(program.access(tlm::TLM_READ_COMMAND, address, &word, 4, cycle));
}

TEST_CASE("scheduler twins raise the errors that come from around them, and run again after a reset") {
  for (const Design& design : {test_design(4, Multiplier::dsp), coded_design(4, Multiplier::dsp, 2)})
    for (const ErrorCode code : {ErrorCode::framing, ErrorCode::code_book, ErrorCode::bad_code,
                                 ErrorCode::short_stream, ErrorCode::left_over}) {
      if (!design.huffman && code != ErrorCode::framing)
        continue;
      for (int i = 0; i < repeats(3); ++i) {
        const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
        CAPTURE(design.huffman, to_string(code), seed);
        RandomWork random(seed);
        ContextGuard guard;
        SchedulerBench bench(design);
        const std::vector<int> widths = {random.in(1, 30), random.in(1, 20), random.in(1, 20)};
        bench.run(random, random.program(design, widths).layers, 3, code);
        bench.clear(bench.cycles() + 3);
        bench.run(random, random.program(design, widths).layers, 2);
        bench.drive();
      }
    }
}

TEST_CASE("scheduler model: every beat is where the contract has it, with stalls and range errors") {
  int range_errors = 0;
  for (int i = 0; i < repeats(400); ++i) {
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    Design design =
        test_design(random.in(1, random.in(0, 1) ? 6 : 40), static_cast<Multiplier>(random.in(0, 3)));
    design.consecutive = random.in(0, 1) != 0;
    design.huffman = random.in(0, 2) == 0;
    design.delta_bits = random.in(1, 8);
    design.out_depth = 16 << (random.in(0, 1) + (design.lanes > 16) + (design.lanes > 32));
    if (random.in(0, 3) == 0)
      design.bank_depth = random.in(50, 400);
    if (random.in(0, 3) == 0)
      design.ref_depth = random.in(20, 200);
    std::vector<int> widths;
    for (int layers = random.in(2, 5); layers > 0; --layers)
      widths.push_back(random.in(1, random.in(0, 1) ? 8 : 50));
    const std::vector<LayerDescriptor> layers = random.program(design, widths).layers;
    const Pacer source(random.in(0, 2) * 0.2, seed), sink(random.in(0, 2) * 0.3, seed + 1);
    constexpr int images = 5;
    CAPTURE(seed, design.lanes, to_string(design.multiplier), design.huffman, widths);

    SchedulerReference reference = scheduler_reference(design, layers, images);
    reference.run([&](std::size_t input) { return source.gap(input); },
                  [&](Cycle cycle) { return sink.ready(cycle); });

    const SchedulerConfig config = scheduler_config(design);
    Cycle from = preparation_cycles(config, layers.size()), output = 0;
    SchedulerTiming timing(config, layers, from);
    std::vector<Cycle> inputs, slots, outputs;
    RunError error;
    for (int image = 0; image < images; ++image) {
      for (int input = 0; input < layers[0].inputs; ++input) {
        from += source.gap(inputs.size());
        from = input == 0 ? std::max(from, timing.input_ready()) : from;
        if (from == never) // an error holds both halves
          break;
        inputs.push_back(from++);
      }
      if (from == never)
        break;
      timing.loaded(from - 1);
      if (error.code != ErrorCode::none)
        continue;
      error = timing.issue(
          [&](const IssuedBlock& block) {
            for (int slot = 0; slot < block.slots; ++slot)
              slots.push_back(block.slot(slot, config.mac.cycles_per_mac));
          },
          [&](int, int active, Cycle offered, OutputCredits& credits) {
            for (int lane = 0; lane < active; ++lane) {
              output = sink.next_ready(std::max(output, offered + static_cast<Cycle>(lane)));
              outputs.push_back(output);
              credits.beat(output++);
            }
          });
    }
    const auto end = [&](std::vector<Cycle>& cycles) { // an error stops all
      if (error.code != ErrorCode::none)
        cycles.erase(std::upper_bound(cycles.begin(), cycles.end(), error.cycle), cycles.end());
    };
    end(inputs), end(outputs);
    REQUIRE(slots == reference.slots);
    REQUIRE(inputs == reference.inputs);
    REQUIRE(outputs == reference.outputs);
    REQUIRE(error.cycle == reference.error_cycle);
    REQUIRE((error.code == ErrorCode::weight_range) == (reference.error == SchedulerReference::weight_range));
    range_errors += error.code != ErrorCode::none;
  }
  CHECK(range_errors > 0);
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
    SchedulerTiming timing(scheduler_config(design), {layer, last}, 0);
    timing.loaded(49);
    std::vector<IssuedBlock> blocks;
    timing.issue([&](const IssuedBlock& block) { blocks.push_back(block); }, take_each_cycle);
    const IssuedBlock& end = blocks[blocks.size() - 2];
    CHECK(end.last_slot - blocks.front().first_slot + 1 == row.cycles);
  }
}

TEST_CASE("scheduler model reports an illegal program and the cycle of the error") {
  Scheduler model("scheduler", scheduler_config(test_design(4, Multiplier::lut)), 100);
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
