#include "cosim/twins.h"
#include "random_work.h"
#include "refused_parameters.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

Design small_design(int lanes, int lanes_per_bank, int delta_bits, Multiplier multiplier, bool consecutive) {
  Design design;
  design.lanes = lanes;
  design.lanes_per_bank = lanes_per_bank;
  design.delta_bits = delta_bits;
  design.multiplier = multiplier;
  design.consecutive = consecutive;
  design.bank_depth = 1500; // not a power of two
  design.in_depth = 64;
  design.act_depth = 64;
  design.ref_depth = 1024;
  design.param_depth = 128;
  design.max_layers = 4;
  design.out_depth = 16;
  while (design.out_depth < lanes)
    design.out_depth *= 2;
  return design;
}

Design huffman_design(int lanes, int lanes_per_bank, int delta_bits, Multiplier multiplier,
                      bool consecutive) {
  Design design = small_design(lanes, lanes_per_bank, delta_bits, multiplier, consecutive);
  design.huffman = true;
  return design;
}

Design pairs_design(int lanes, int lanes_per_bank, int delta_bits, Multiplier multiplier, bool consecutive) {
  Design design = huffman_design(lanes, lanes_per_bank, delta_bits, multiplier, consecutive);
  design.symbol_deltas = 2;
  design.symbol_depth = design.max_layers << 2 * delta_bits;
  return design;
}

// All multipliers, lanes that are no power of two, banks that the lanes do not fill.
const Design designs[] = {
    small_design(1, 1, 8, Multiplier::lut, true),
    small_design(3, 2, 5, Multiplier::lut, false),
    small_design(5, 3, 4, Multiplier::dsp, true),
    small_design(16, 16, 2, Multiplier::dsp, false),
    small_design(7, 4, 8, Multiplier::dsp_packed, true),
    small_design(8, 8, 4, Multiplier::dsp_packed, false),
    small_design(4, 4, 4, Multiplier::serial, false),
    small_design(6, 5, 3, Multiplier::serial, true),
    small_design(33, 12, 3, Multiplier::lut, true),
    small_design(2, 2, 1, Multiplier::dsp, true),
    huffman_design(5, 3, 4, Multiplier::dsp, true),
    huffman_design(8, 4, 2, Multiplier::lut, false),
    huffman_design(3, 1, 8, Multiplier::dsp_packed, true),
    huffman_design(7, 4, 3, Multiplier::serial, false),
    huffman_design(1, 1, 1, Multiplier::dsp, false),
    huffman_design(33, 2, 4, Multiplier::lut, true),
    pairs_design(5, 3, 4, Multiplier::dsp, true),
    pairs_design(8, 4, 2, Multiplier::lut, false),
    pairs_design(3, 1, 1, Multiplier::dsp_packed, true),
    pairs_design(7, 4, 3, Multiplier::serial, false),
};
const Design& raw_dsp = designs[2];
const Design& raw_serial = designs[6];
const Design& huffman_dsp = designs[10];
const Design& huffman_serial = designs[13];
const Design& pairs_dsp = designs[16];
const Design& pairs_serial = designs[19];

std::vector<int> random_widths(RandomWork& random) {
  std::vector<int> widths = {random.in(1, 40)};
  for (int layers = random.in(1, 3); layers > 0; --layers)
    widths.push_back(random.in(1, 40));
  return widths;
}

void require_equal(const CosimResult& result, std::uint64_t seed) {
  INFO("seed " << seed << " (DELTATWIN_SEED gives another start)");
  if (result.divergence)
    FAIL(result.divergence->report());
  CHECK(result.beats > 0);
}

double random_stall(RandomWork& random) { return 0.3 * random.in(0, 2); }

} // namespace

TEST_CASE("accelerator twins agree on random bits, programs and stalls") {
  for (std::size_t d = 0; d < std::size(designs); ++d)
    for (int i = 0; i < repeats(6); ++i) {
      const std::uint64_t seed = base_seed() * 1000 + d * 100000 + static_cast<std::uint64_t>(i);
      RandomWork random(seed);
      Twins twins(AcceleratorTop(designs[d]), random_stall(random), seed);
      for (int run = 0; run < 2; ++run) // a new program after a run
        require_equal(twins.run([&](Session& session) {
          const std::vector<int> widths = random_widths(random);
          load_program(session, random.program(designs[d], widths));
          const int images = random.in(1, 5);
          run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * images)), images);
        }),
                      seed);
    }
}

TEST_CASE("accelerator twins compute what a plain integer reference computes") {
  const DeltaFormat formats[] = {
      {Scheme::fixed_reference, 4, Group::layer, 0, 3}, {Scheme::fixed_reference, 2, Group::neuron, 0, 5},
      {Scheme::fixed_reference, 4, Group::block, 7, 3}, {Scheme::consecutive, 4, Group::neuron, 0, 4},
      {Scheme::consecutive, 3, Group::block, 5, 4},     {Scheme::plain, 8, Group::layer, 0, 0},
      {Scheme::plain, 4, Group::layer, 0, 0},
  };
  // Few inputs, few outputs, partial tiles.
  const std::vector<std::vector<int>> shapes = {{1, 1}, {1, 33, 1}, {37, 19, 10}, {16, 48, 2}};
  for (const Code code : {Code::raw, Code::huffman, Code::huffman_pairs})
    for (const DeltaFormat& format : formats)
      for (const std::vector<int>& widths : shapes) {
        const std::uint64_t seed = base_seed() + widths.size() * 10 + static_cast<std::uint64_t>(widths[0]);
        if (code == Code::huffman_pairs && format.delta_bits > 4)
          continue;
        RandomWork random(seed);
        Network network = random.network(widths, format);
        for (Layer& layer : network.layers)
          layer.code = code;
        network.layers.back().code = Code::raw; // in one design with the others
        DesignChoice choice;
        choice.lanes = 12;
        choice.multiplier = format.delta_bits == 4 ? Multiplier::dsp : Multiplier::lut;
        Design design = fit(network, choice);
        design.bank_depth = 512; // one RTL for all shapes
        design.in_depth = design.act_depth = 64;
        design.ref_depth = 1024;
        design.param_depth = 64;
        if (code == Code::huffman_pairs)
          design.symbol_depth = 768;
        Twins twins(AcceleratorTop(design), 0.2, seed);
        constexpr int images = 3;
        const std::vector<std::int8_t> inputs = random.bytes(static_cast<std::size_t>(widths[0] * images));
        require_equal(twins.run([&](Session& session) {
          load_program(session, compile(network, design));
          run_images(session, inputs, images);
        }),
                      seed);
        std::vector<int> expected;
        for (int i = 0; i < images; ++i)
          for (const int value :
               reference_inference(network, &inputs[static_cast<std::size_t>(i * widths[0])]))
            expected.push_back(value);
        std::vector<int> results;
        for (const Beat& beat : twins.trace().beats.beats[port::m_axis])
          results.push_back(static_cast<std::int16_t>(beat.payload & 0xffff));
        CHECK(results == expected);
      }
}

TEST_CASE("accelerator twins agree at the limits of a layer") {
  struct Case {
    std::vector<int> widths;
    int lanes;
  };
  for (const Case& limit :
       {Case{{4096, 3}, 2}, Case{{4096, 1}, 16}, Case{{1, 4096}, 16}, Case{{3, 1, 128}, 128}}) {
    Design design;
    design.lanes = limit.lanes;
    design.lanes_per_bank = std::min(limit.lanes, 9);
    design.bank_depth = 8192;
    design.in_depth = 4096;
    design.act_depth = 8;
    design.ref_depth = 4096;
    design.param_depth = 4096;
    design.out_depth = 128;
    RandomWork random(base_seed());
    Twins twins(AcceleratorTop(design), 0.1, base_seed());
    Program program = random.program(design, limit.widths);
    for (LayerDescriptor& layer : program.layers)
      layer.block_length = layer.inputs;
    require_equal(twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(static_cast<std::size_t>(limit.widths[0] * 2)), 2);
    }),
                  base_seed());
  }
}

TEST_CASE("accelerator twins agree on resets in mid-run and on the run after it") {
  for (const Design& design : {raw_dsp, raw_serial, huffman_dsp, huffman_serial, pairs_dsp, pairs_serial})
    for (int i = 0; i < repeats(20); ++i) {
      const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
      RandomWork random(seed);
      Twins twins(AcceleratorTop(design), random_stall(random), seed);
      const std::vector<int> widths = random_widths(random);
      const Program program = random.program(design, widths);
      require_equal(twins.run([&](Session& session) {
        load_program(session, program);
        run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 4)), 4);
        while (session.actions.back().kind != HostAction::stream)
          session.actions.pop_back();
        session.add(HostAction::wait).cycles = static_cast<Cycle>(random.in(0, 700));
        session.read(reg::status);
        session.read(reg::cycles_lo);
        if (random.in(0, 1)) {
          session.write(reg::control, control_reset);
        } else {
          session.add(HostAction::hard_reset).cycles = 2;
        }
        session.add(HostAction::flush);
        session.read(reg::status);
        session.read(reg::layers);
        session.write(reg::layers, static_cast<std::uint32_t>(program.layers.size()));
        run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 2)), 2);
      }),
                    seed);
    }
}

// Each access waits for its response, or not, and reads come in between.
void overlap(RandomWork& random, Session& session) {
  constexpr std::uint32_t read_anywhere[] = {reg::status, reg::cycles_lo, reg::inferences, reg::images,
                                             reg::load_address};
  std::vector<HostAction> actions;
  for (HostAction& action : session.actions) {
    if (random.in(0, 2) == 0) {
      HostAction read;
      read.kind = HostAction::read;
      read.address = read_anywhere[random.in(0, 4)];
      read.posted = random.in(0, 2) != 0;
      actions.push_back(std::move(read));
    }
    action.posted = random.in(0, 1) != 0;
    actions.push_back(std::move(action));
  }
  session.actions = std::move(actions);
}

TEST_CASE("accelerator twins agree where reads overlap writes, and resets meet outstanding responses") {
  int cut = 0;
  for (int i = 0; i < repeats(30); ++i) {
    const Design& design = i % 2 ? huffman_dsp : raw_dsp;
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    Twins twins(AcceleratorTop(design), random_stall(random), seed);
    const std::vector<int> widths = random_widths(random);
    const Program program = random.program(design, widths);
    for (int run = 0; run < 2; ++run) {
      const CosimResult result = twins.run([&](Session& session) {
        std::vector<HostAction> first = std::move(session.actions); // the reset
        session.actions.clear();
        load_program(session, program);
        run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 3)), 3);
        overlap(random, session);
        if (run == 0 && random.in(0, 1)) { // what is loaded and runs is lost or not
          Session cut_short;
          cut_short.read(reg::status).posted = true;
          cut_short.write(reg::load_high, 5).posted = true;
          cut_short.add(HostAction::wait).cycles = static_cast<Cycle>(random.in(0, 3));
          cut_short.add(HostAction::hard_reset).cycles = static_cast<Cycle>(random.in(1, 3));
          session.actions.insert(session.actions.end() - random.in(0, 12), cut_short.actions.begin(),
                                 cut_short.actions.end());
        }
        session.actions.insert(session.actions.begin(), first.begin(), first.end());
        session.add(HostAction::flush);
      });
      require_equal(result, seed);
      const auto& beats = twins.trace().beats.beats;
      cut += beats[port::aw].size() > beats[port::b].size() || beats[port::ar].size() > beats[port::r].size();
    }
  }
  CHECK(cut > 0); // accesses without a response
}

TEST_CASE("accelerator twins answer reads in START's own cycle as before it") {
  for (const Design& design : {raw_dsp, huffman_dsp, pairs_dsp})
    for (const std::uint32_t address : {reg::status, reg::cycles_lo, reg::cycles_hi, reg::inferences}) {
      RandomWork random(base_seed());
      Twins twins(AcceleratorTop(design), 0, base_seed());
      const std::vector<int> widths = {9, 7, 5};
      const Program program = random.program(design, widths);
      std::uint32_t before = 0;
      for (int run = 0; run < 2; ++run) {
        const CosimResult result = twins.run([&](Session& session) {
          if (run == 0)
            load_program(session, program);
          session.read(address);
          run_images(session, random.bytes(18), 2);
          for (std::size_t i = 0; i < session.actions.size(); ++i)
            if (session.actions[i].address == reg::control) {
              session.actions[i].posted = true;
              HostAction read;
              read.kind = HostAction::read;
              read.address = address;
              session.actions.insert(session.actions.begin() + static_cast<std::ptrdiff_t>(i) + 1, read);
              break;
            }
        });
        require_equal(result, base_seed());
        CHECK(result.record.reads[0] == result.record.reads[1]);
        before = result.record.reads[0];
        const auto& beats = twins.trace().beats.beats;
        const auto in_start = [&](const Beat& ar) {
          return std::any_of(beats[port::aw].begin(), beats[port::aw].end(), [&](const Beat& aw) {
            return aw.payload == reg::control && aw.cycle == ar.cycle;
          });
        };
        CHECK(std::count_if(beats[port::ar].begin(), beats[port::ar].end(), in_start) == 1);
      }
      CHECK((before != 0) == (address != reg::cycles_hi)); // of the first run
    }
}

TEST_CASE("accelerator twins raise the same error in the same cycle, and recover") {
  const Design design = small_design(4, 4, 4, Multiplier::dsp, false);
  struct Case {
    ErrorCode code;
    std::function<void(Program&, std::uint32_t& images)> spoil;
  };
  const Case cases[] = {
      {ErrorCode::layer_count, [](Program& p, std::uint32_t&) { p.layers.clear(); }},
      {ErrorCode::layer_count, [](Program& p, std::uint32_t&) { p.layers.resize(5); }},
      {ErrorCode::image_count, [](Program&, std::uint32_t& images) { images = 0; }},
      {ErrorCode::input_length, [](Program& p, std::uint32_t&) { p.layers[0].inputs = 0; }},
      {ErrorCode::input_length, [](Program& p, std::uint32_t&) { p.layers[0].inputs = 65; }},
      {ErrorCode::input_length, [](Program& p, std::uint32_t&) { p.layers[1].inputs = 65; }},
      {ErrorCode::output_length, [](Program& p, std::uint32_t&) { p.layers[0].outputs = 65; }},
      {ErrorCode::output_length, [](Program& p, std::uint32_t&) { p.layers[1].outputs = 0; }},
      {ErrorCode::output_length, [](Program& p, std::uint32_t&) { p.layers[1].outputs = 4097; }},
      {ErrorCode::chain, [](Program& p, std::uint32_t&) { p.layers[1].inputs -= 1; }},
      {ErrorCode::block_length, [](Program& p, std::uint32_t&) { p.layers[1].block_length = 0; }},
      {ErrorCode::block_length, [](Program& p, std::uint32_t&) { p.layers[0].block_length = 21; }},
      {ErrorCode::scheme, [](Program& p, std::uint32_t&) { p.layers[1].consecutive = true; }},
      {ErrorCode::activation, [](Program& p, std::uint32_t&) { p.layers[0].activation = Activation::none; }},
      {ErrorCode::activation,
       [](Program& p, std::uint32_t&) { p.layers[1].activation = static_cast<Activation>(3); }},
      {ErrorCode::parameter_range, [](Program& p, std::uint32_t&) { p.layers[1].outputs = 121; }},
      {ErrorCode::weight_range,
       [](Program& p, std::uint32_t&) { // 5 * 60 + 60 / 4 * 100
         p.layers[0].outputs = p.layers[1].inputs = p.layers[1].block_length = 60;
         p.layers[1].outputs = 68;
         p.layers[0].block_length = p.layers[0].inputs = 50;
         p.parameters.resize(128);
       }},
      {ErrorCode::reference_range,
       [](Program& p, std::uint32_t&) {
         p.layers[0].block_length = p.layers[1].block_length = 1;
         p.layers[1].outputs = 40;
       }},
  };
  for (const Case& bad : cases) {
    RandomWork random(base_seed());
    Twins twins(AcceleratorTop(design), 0.2, base_seed());
    const Program good = random.program(design, {20, 30, 9});
    Program program = good;
    std::uint32_t images = 2;
    bad.spoil(program, images);
    CAPTURE(to_string(bad.code));
    const std::size_t inputs =
        program.layers.empty() ? 20 : static_cast<std::size_t>(program.layers[0].inputs);
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(2 * std::max<std::size_t>(inputs, 1)), 2);
      for (HostAction& a : session.actions)
        if (a.kind == HostAction::write && a.address == reg::images)
          a.data = images;
      session.write(reg::control, control_start); // refused
      session.write(reg::control, control_reset);
      session.add(HostAction::flush);
      load_program(session, good);
      run_images(session, random.bytes(40), 2);
    });
    require_equal(result, base_seed());
    CHECK(result.record.reads[0] % 4 == static_cast<std::uint32_t>(Status::error));
    CHECK((result.record.reads[0] >> 8 & 0xff) == static_cast<std::uint32_t>(bad.code));
    CHECK(result.record.reads[4] == static_cast<std::uint32_t>(Status::done));
    CHECK(result.record.reads[7] == 2);
  }
}

TEST_CASE("accelerator twins raise the same error for bad books and streams in the same cycle, and recover") {
  struct Case {
    ErrorCode code;
    std::function<void(Program&)> spoil;
  };
  const auto book = [](Program& p, std::size_t layer) { return &p.code_lengths[layer * 4]; };
  const Case cases[] = {
      {ErrorCode::none, [](Program&) {}},
      {ErrorCode::code_book, [=](Program& p) { std::fill_n(book(p, 0), 4, 0); }},
      {ErrorCode::code_book, [=](Program& p) { std::fill_n(book(p, 1), 4, 1); }},
      {ErrorCode::code_book, [=](Program& p) { std::fill_n(book(p, 1), 4, 3); }},
      {ErrorCode::code_book, [=](Program& p) { book(p, 1)[2] = 15; }},
      {ErrorCode::bad_code,
       [=](Program& p) { // one symbol, one bit: a 1 is no code
         std::fill_n(book(p, 0), 4, 0);
         book(p, 0)[3] = 1;
         p.banks[0].assign(p.banks[0].size(), 0);
         p.banks[0][p.streams[1].first + 3] = std::uint64_t{1} << 17;
       }},
      {ErrorCode::short_stream, [](Program& p) { p.streams[2].last = p.streams[2].first + 1; }},
      {ErrorCode::left_over, [](Program& p) { ++p.streams[4].last; }},
      {ErrorCode::left_over, [](Program& p) { p.banks[1][p.streams[4].last] |= 1; }},
  };
  Design design = huffman_dsp;
  design.delta_bits = 2;
  for (const Case& bad : cases) {
    RandomWork random(base_seed());
    Twins twins(AcceleratorTop(design), 0.2, base_seed());
    Program good = random.program(design, {20, 30, 9});
    for (LayerDescriptor& layer : good.layers) // streams for books of two bits
      layer.huffman = true;
    good.code_lengths.assign(8, 2);
    for (std::size_t lane = 0; lane < 5; ++lane) { // 20 * 6 symbols, and 30 * 1 or 2
      const std::uint32_t bits = 2 * (120 + (lane < 4 ? 60 : 30)), words = (bits + 35) / 36;
      const std::uint32_t first = lane % 3 ? good.streams[lane - 1].last + 1 : 0;
      good.streams[lane] = {first, first + words - 1};
    }
    for (auto& bank : good.banks) {
      bank.resize(64);
      for (std::uint64_t& word : bank)
        word = random.word(36);
    }
    for (std::size_t lane = 0; lane < 5; ++lane) {
      const int used = 2 * (120 + (lane < 4 ? 60 : 30)) % 36;
      if (used)
        good.banks[lane / 3][good.streams[lane].last] &= ~((std::uint64_t{1} << (36 - used)) - 1);
    }
    Program program = good;
    bad.spoil(program);
    CAPTURE(to_string(bad.code));
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(60), 3);
      session.write(reg::control, control_reset);
      session.add(HostAction::flush);
      load_program(session, good);
      run_images(session, random.bytes(40), 2);
    });
    require_equal(result, base_seed());
    CHECK((result.record.reads[0] >> 8 & 0xff) == static_cast<std::uint32_t>(bad.code));
    CHECK(result.record.reads[4] == static_cast<std::uint32_t>(Status::done));
    CHECK(result.record.reads[7] == 2);
  }
}

TEST_CASE("accelerator twins agree on streams that are too long, in every phase of the turns") {
  for (const Design& design : {designs[10], designs[11], designs[13], designs[15], pairs_dsp, pairs_serial})
    for (int i = 0; i < repeats(16); ++i) {
      const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
      RandomWork random(seed);
      Twins twins(AcceleratorTop(design), 0, seed);
      const std::vector<int> widths = random_widths(random);
      Program program = random.program(design, widths);
      StreamBounds& spoilt = program.streams[static_cast<std::size_t>(i) % program.streams.size()];
      spoilt.last += static_cast<std::uint32_t>(random.in(1, 2));
      require_equal(twins.run([&](Session& session) {
        load_program(session, program);
        run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 2)), 2);
        session.add(HostAction::wait).cycles = 300;
      }),
                    seed);
    }
}

TEST_CASE("accelerator twins stop at bits left over in a run's last inference, not with its last result") {
  for (const Design& design : {huffman_dsp, pairs_dsp}) {
    RandomWork random(base_seed());
    Twins twins(AcceleratorTop(design), 0, base_seed());
    Program program = random.program(design, {12, 9});
    ++program.streams[4].last;
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(12), 1);
    });
    require_equal(result, base_seed());
    CHECK((result.record.reads[0] >> 8 & 0xff) == static_cast<std::uint32_t>(ErrorCode::left_over));
  }
}

TEST_CASE("accelerator twins end in the same cycle when references run out in a stream's last block") {
  Design design = huffman_dsp;
  design.ref_depth = 27;
  RandomWork random(base_seed());
  Twins twins(AcceleratorTop(design), 0, base_seed());
  Program program = random.program(design, {12, 5, 9}); // 5 * 2 references, and 9 * 2 of blocks of 3
  program.layers[0].block_length = 6;
  program.layers[1].block_length = 3;
  program.references.assign(27, 1);
  const CosimResult result = twins.run([&](Session& session) {
    load_program(session, program);
    run_images(session, random.bytes(24), 2);
    session.add(HostAction::wait).cycles = 100;
  });
  require_equal(result, base_seed());
  CHECK((result.record.reads[0] >> 8 & 0xff) == static_cast<std::uint32_t>(ErrorCode::reference_range));
}

TEST_CASE("accelerator twins agree on corrupted streams, books and bounds") {
  int errors = 0;
  for (int i = 0; i < repeats(60); ++i) {
    const Design& design = designs[10 + i % 10];
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    Twins twins(AcceleratorTop(design), random_stall(random), seed);
    const std::vector<int> widths = random_widths(random);
    Program program = random.program(design, widths);
    const auto any = [&random](auto& values) -> auto& {
      return values[static_cast<std::size_t>(random.in(0, static_cast<int>(values.size()) - 1))];
    };
    for (int n = random.in(1, 3); n > 0; --n) {
      const int kind = random.in(0, 9);
      if (kind < 7)
        any(any(program.banks)) ^= std::uint64_t{1} << random.in(0, 35);
      else if (kind == 7)
        any(program.code_lengths) ^= static_cast<std::uint8_t>(random.in(1, 15));
      else
        (kind == 8 ? any(program.streams).first : any(program.streams).last) ^= 1u << random.in(0, 11);
    }
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 3)), 3);
      session.add(HostAction::wait).cycles = 1000; // finished tiles still drain
    });
    require_equal(result, seed);
    errors += result.record.reads[0] % 4 == static_cast<std::uint32_t>(Status::error);
  }
  CHECK(errors > repeats(10));
}

TEST_CASE("accelerator twins raise an error at the book that a symbol table has no room for") {
  Design design = pairs_dsp; // of books of 256 symbols at most
  for (const int depth : {700, 512, 256, 255, 3}) {
    design.symbol_depth = depth;
    CAPTURE(depth);
    RandomWork random(base_seed());
    Twins twins(AcceleratorTop(design), 0.2, base_seed());
    Program program = random.program(design, {12, 9, 7, 5});
    for (LayerDescriptor& layer : program.layers) // 256 symbols each
      layer.huffman = false;
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(24), 2);
      session.write(reg::control, control_reset);
      session.add(HostAction::flush);
      program.layers.resize(1);
      program.layers[0].activation = Activation::none;
      program.layers[0].huffman = true; // two symbols
      program.code_lengths.assign(256, 0);
      program.code_lengths[17] = program.code_lengths[250] = 1;
      load_program(session, program);
      run_images(session, random.bytes(12), 1);
    });
    require_equal(result, base_seed());
    const std::uint32_t status = result.record.reads[0];
    CHECK((status >> 8 & 0xff) == static_cast<std::uint32_t>(ErrorCode::code_book));
    CHECK((status >> 16 & 0xff) == static_cast<std::uint32_t>(depth / 256)); // the layer
  }
}

TEST_CASE("accelerator twins agree on a TLAST that comes early, late or never") {
  for (int i = 0; i < repeats(24); ++i) {
    const Design& design = i % 2 ? huffman_dsp : raw_dsp;
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    Twins twins(AcceleratorTop(design), random_stall(random), seed);
    const std::vector<int> widths = random_widths(random);
    Program program = random.program(design, widths);
    for (LayerDescriptor& layer : program.layers) // or references might run out first
      layer.block_length = layer.inputs;
    const CosimResult result = twins.run([&](Session& session) {
      load_program(session, program);
      run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 5)), 5);
      for (HostAction& a : session.actions)
        if (a.kind == HostAction::stream)
          a.tlast[static_cast<std::size_t>(random.in(0, widths[0] * 5 - 1))] ^= 1;
      // While finished blocks still drain, nothing that they read may change.
      std::vector<HostAction> rest;
      while (session.actions.back().kind != HostAction::stream) {
        rest.insert(rest.begin(), session.actions.back());
        session.actions.pop_back();
      }
      session.add(HostAction::wait).cycles = static_cast<Cycle>(random.in(0, 300));
      for (int k = 0; k < 60; ++k)
        session.write(random.in(0, 1) ? reg::layers : reg::load_data,
                      static_cast<std::uint32_t>(random.word(32)));
      session.actions.insert(session.actions.end(), rest.begin(), rest.end());
    });
    require_equal(result, seed);
    CHECK((result.record.reads[0] >> 8 & 0xff) == static_cast<std::uint32_t>(ErrorCode::framing));
  }
}

TEST_CASE("accelerator twins answer the same on every register access") {
  for (int i = 0; i < repeats(6); ++i) {
    const Design& design = i % 2 ? huffman_dsp : designs[4];
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    Twins twins(AcceleratorTop(design), random_stall(random), seed);
    const std::vector<int> widths = {40, 40, 10};
    const CosimResult result = twins.run([&](Session& session) {
      const auto random_access = [&] {
        std::uint32_t address = static_cast<std::uint32_t>(random.in(0, 20) * 4);
        if (random.in(0, 9) == 0) // a part of a word, or far away
          address = static_cast<std::uint32_t>(random.in(0, 0xfff));
        if (address == reg::control || address == reg::layers || address == reg::images)
          address = reg::id;
        session.write(address, static_cast<std::uint32_t>(random.word(32)));
        if (random.in(0, 1))
          session.actions.back().kind = HostAction::read;
        if (address == reg::load_address && random.in(0, 3)) // near the end of some memory
          session.actions.back().data = static_cast<std::uint32_t>(random.in(0, 7)) << 28 |
                                        static_cast<std::uint32_t>(random.in(0, 3)) << 20 |
                                        static_cast<std::uint32_t>(random.in(0, 1600));
        if (random.in(0, 3) == 0)
          session.actions.back().strobe = static_cast<unsigned>(random.in(0, 3) ? random.in(0, 15) : 0);
      };
      for (int k = 0; k < 200; ++k)
        random_access();
      load_program(session, random.program(design, widths));
      run_images(session, random.bytes(400), 10);
      while (session.actions.back().kind != HostAction::stream)
        session.actions.pop_back();
      for (int k = 0; k < 100; ++k) // while it runs
        random_access();
      session.write(reg::control, control_start);
      session.write(reg::images, 3);
      session.add(HostAction::wait_stop);
      for (int k = 0; k < 50; ++k)
        random_access();
    });
    require_equal(result, seed);
  }
}

TEST_CASE("accelerator model: a read sees what was there before a write of its own cycle") {
  AcceleratorCore core(raw_dsp);
  const auto data = [&core](std::uint32_t address, Cycle cycle) { return core.read(address, cycle).data; };
  const std::uint32_t layer_count_error =
      static_cast<std::uint32_t>(Status::error) | static_cast<std::uint32_t>(ErrorCode::layer_count) << 8;
  REQUIRE(core.write(reg::images, 5, 0xf, 10));
  CHECK(data(reg::images, 10) == 0);
  CHECK(data(reg::images, 11) == 5);
  REQUIRE(core.write(reg::control, control_start, 0xf, 20)); // of no layers
  CHECK(data(reg::status, 20) == static_cast<std::uint32_t>(Status::idle));
  CHECK(data(reg::status, 30) == layer_count_error);
  CHECK(data(reg::cycles_lo, 30) == 1);
  CHECK_FALSE(core.write(reg::control, control_start, 0xf, 32));
  CHECK_FALSE(core.write(reg::images, 6, 0xf, 34));
  REQUIRE(core.write(reg::control, control_reset, 0xf, 40));
  CHECK(data(reg::status, 40) == layer_count_error);
  CHECK(data(reg::cycles_lo, 40) == 1);
  CHECK(data(reg::status, 50) == static_cast<std::uint32_t>(Status::idle));
  CHECK(data(reg::cycles_lo, 50) == 0);
  REQUIRE(core.write(reg::images, 7, 0, 60));
  CHECK_FALSE(core.write(reg::images, 7, 3, 62));
  CHECK(data(reg::images, 70) == 5);
}

TEST_CASE("accelerator: impossible parameters stop the RTL's elaboration") {
  check_refused("accelerator", {{"Lanes", {0, 256}},
                                {"DeltaBits", {9}},
                                {"Huffman", {2}},
                                {"SymbolDeltas", {0, 2}}, // without decoders
                                {"SymbolDepth", {1, 4097}},
                                {"LanesPerBank", {10}},
                                {"Multiplier", {4}},
                                {"Consecutive", {2}},
                                {"InDepth", {1, 24}},
                                {"BankDepth", {1, (1 << 20) + 1}},
                                {"ActDepth", {1, 24}},
                                {"RefDepth", {1, 65536}},
                                {"OutDepth", {8, 24}},
                                {"ParamDepth", {1, 65536}},
                                {"MaxLayers", {0, 12}}});
}
