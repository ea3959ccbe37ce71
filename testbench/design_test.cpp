#include "base/device.h"
#include "base/file.h"
#include "blocks/requantizer.h"
#include "random_book.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include "tops/accelerator/area.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include <catch2/catch.hpp>
#include <limits>

using namespace deltatwin;

namespace {

// Layers of several schemes, groups and D.
Network mixed_network(RandomWork& random, int widest) {
  Network network;
  int inputs = random.in(1, widest);
  for (int layers = random.in(1, 4); layers > 0; --layers) {
    DeltaFormat format{static_cast<Scheme>(random.in(0, 2)), random.in(1, 8),
                       static_cast<Group>(random.in(0, 2)), random.in(1, 9), random.in(0, 7)};
    const int outputs = random.in(1, widest);
    Layer layer = random.network({inputs, outputs}, format).layers[0];
    if (layers > 1 && layer.activation == Activation::none)
      layer.activation = Activation::relu;
    network.layers.push_back(std::move(layer));
    inputs = outputs;
  }
  validate(network, "mixed");
  return network;
}

DesignChoice random_choice(RandomWork& random) {
  DesignChoice choice;
  choice.lanes = random.in(1, random.in(0, 1) ? 9 : 128);
  choice.lanes_per_bank = random.in(0, 1) ? random.in(1, 4) : 0; // D = 8 allows four
  choice.multiplier = static_cast<Multiplier>(random.in(0, 3));
  return choice;
}

// What a lane's slot of a bank's word holds, two's complement.
int slot_value(std::uint64_t word, int slot, int bits) {
  const int value = static_cast<int>(word >> (slot * bits) & ((1u << bits) - 1));
  return value < 1 << (bits - 1) ? value : value - (1 << bits);
}

// Reads a layer's deltas back, from word `address` of every bank on.
void require_layer_in_banks(const Layer& layer, const Program& program, const Design& design,
                            std::size_t& address) {
  for (int tile = 0; tile * design.lanes < layer.outputs; ++tile)
    for (int i = 0; i < layer.inputs; ++i, ++address)
      for (int bank = 0; bank < design.banks(); ++bank) {
        const std::uint64_t word = program.banks[static_cast<std::size_t>(bank)].at(address);
        REQUIRE(word >> design.bank_width() == 0);
        for (int slot = 0; slot < design.lanes_per_bank; ++slot) {
          const int lane = bank * design.lanes_per_bank + slot, neuron = tile * design.lanes + lane;
          const bool spare = lane >= design.lanes || neuron >= layer.outputs;
          CAPTURE(tile, i, bank, slot, lane, neuron, spare);
          REQUIRE(slot_value(word, slot, design.delta_bits) ==
                  (spare ? 0 : layer.deltas[static_cast<std::size_t>(neuron * layer.inputs + i)]));
        }
      }
}

void require_layer_references(const Layer& layer, const Program& program, const Design& design,
                              std::size_t& at) {
  for (int base = 0; base < layer.outputs; base += design.lanes)
    for (int block = 0; block * layer.block_length() < layer.inputs; ++block)
      for (int neuron = base; neuron < std::min(base + design.lanes, layer.outputs); ++neuron) {
        CAPTURE(base, block, neuron);
        REQUIRE(program.references.at(at++) == layer.reference(neuron, block));
      }
}

} // namespace

TEST_CASE("devices: budgets are those of the data sheets") {
  struct Row {
    const char* name;
    int lut, ff, dsp, bram36;
  };
  const Row rows[] = {{"xc7s6", 3750, 7500, 10, 5},
                      {"xc7s15", 8000, 16000, 20, 10},
                      {"xc7s25", 14600, 29200, 80, 45},
                      {"xc7s50", 32600, 65200, 120, 75},
                      {"xc7z020", 53200, 106400, 220, 140}};
  CHECK(devices().size() == std::size(rows));
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Device device = find_device(row.name);
    CHECK(device.name == row.name);
    CHECK(device.lut == row.lut);
    CHECK(device.ff == row.ff);
    CHECK(device.dsp == row.dsp);
    CHECK(device.bram36 == row.bram36);
  }
}

TEST_CASE("devices: a file holds exactly the budget's fields") {
  const TemporaryDirectory directory("deltatwin-device");
  const std::string path = directory.path() + "/board.json";
  const auto loaded = [&path](const std::string& text) {
    write_file(path, text);
    return refusal([&] { (void)find_device(path); });
  };
  const auto with = [](const std::string& name, const std::string& field) {
    std::string text = R"({"name": "board", "description": "d", "lut": 1, "ff": 2, "dsp": 0, "bram36": 4})";
    const std::size_t begin = text.find("\"" + name + "\""), end = text.find_first_of(",}", begin);
    return text.replace(begin, end - begin, field);
  };
  CHECK(loaded(with("lut", "\"lut\": 5")) == "accepted");
  const Device board = load_device(path);
  CHECK(board.name == "board");
  CHECK(board.description == "d");
  CHECK(std::vector<int>{board.lut, board.ff, board.dsp, board.bram36} == std::vector<int>{5, 2, 0, 4});
  for (const std::string name : {"name", "description", "lut", "ff", "dsp", "bram36"}) {
    CAPTURE(name);
    CHECK(loaded(with(name, "\"other\": 1")) == path + ": unknown field \"other\"");
    CHECK_THAT(loaded(with(name, "\"" + name + "\": null")),
               Catch::StartsWith(path + ": " + name + ": expected"));
    CHECK_THAT(loaded(with(name, "\"" + name + "\": -1")), Catch::StartsWith(path + ": " + name + ": "));
  }
  CHECK(loaded(R"({"name": "board"})") == path + ": \"description\" is missing");
  CHECK_THAT(loaded("[]"), Catch::StartsWith(path + ": expected an object"));
  CHECK_THAT(loaded("{"), Catch::StartsWith(path + ": line 1"));
  CHECK_THAT(refusal([&] { (void)find_device(directory.path() + "/none.json"); }),
             Catch::Contains("none.json: cannot be read"));
}

TEST_CASE("devices: an unknown one is refused with those that are known") {
  for (const std::string name : {"xc7s16", "", "XC7S15", "xc7s15 "})
    CHECK(refusal([&] { (void)find_device(name); }) ==
          "unknown device \"" + name + "\"; known are xc7s6, xc7s15, xc7s25, xc7s50, xc7z020");
}

TEST_CASE("design: fit gives typical networks the memories that they need") {
  struct Row {
    std::vector<int> widths;
    DeltaFormat format;
    int lanes;
    int lanes_per_bank, banks, bank_depth, in, act, references, parameters, out;
  };
  const DeltaFormat fixed4{Scheme::fixed_reference, 4, Group::layer, 0, 2};
  const DeltaFormat consecutive2{Scheme::consecutive, 2, Group::neuron, 0, 4};
  const DeltaFormat blocks8{Scheme::fixed_reference, 8, Group::block, 3, 0};
  const DeltaFormat single{Scheme::fixed_reference, 8, Group::block, 1, 0};
  const DeltaFormat fixed1{Scheme::fixed_reference, 1, Group::layer, 0, 6};
  const DeltaFormat int8{Scheme::plain, 8, Group::layer, 0, 0};
  const Row rows[] = {
      {{784, 150, 10}, fixed4, 16, 8, 2, 8192, 1024, 256, 256, 256, 32}, // 10 * 784 + 150 words
      {{784, 150, 10}, fixed4, 9, 9, 1, 13824, 1024, 256, 256, 256, 32}, // 17 * 784 + 2 * 150
      {{784, 150, 10}, int8, 16, 4, 4, 8192, 1024, 256, 256, 256, 32},
      {{1, 1}, int8, 1, 1, 1, 512, 2, 2, 64, 64, 16},
      {{100, 33, 20, 5}, consecutive2, 33, 17, 2, 512, 128, 64, 64, 64, 128},
      {{10, 6}, blocks8, 4, 4, 1, 512, 16, 2, 64, 64, 16},
      {{10, 26}, blocks8, 4, 4, 1, 512, 16, 2, 128, 64, 16},       // 26 * 4 references
      {{1100, 30}, single, 4, 4, 1, 9216, 2048, 2, 33000, 64, 16}, // 65,536 is more than there can be
      {{4096, 128}, fixed1, 128, 32, 4, 4096, 4096, 2, 128, 128, 256},
  };
  for (const Row& row : rows) {
    CAPTURE(row.widths, row.lanes);
    const Network network = RandomWork(base_seed()).network(row.widths, row.format);
    DesignChoice choice;
    choice.lanes = row.lanes;
    choice.clock_mhz = 32;
    choice.multiplier = Multiplier::serial;
    const Design design = fit(network, choice);
    CHECK(design.lanes == row.lanes);
    CHECK(design.lanes_per_bank == row.lanes_per_bank);
    CHECK(design.banks() == row.banks);
    CHECK(design.delta_bits == row.format.delta_bits);
    CHECK(design.multiplier == Multiplier::serial);
    CHECK(design.clock_mhz == 32);
    CHECK(design.consecutive == (row.format.scheme == Scheme::consecutive));
    CHECK(design.bank_depth == row.bank_depth);
    CHECK(design.in_depth == row.in);
    CHECK(design.act_depth == row.act);
    CHECK(design.ref_depth == row.references);
    CHECK(design.param_depth == row.parameters);
    CHECK(design.out_depth == row.out);
    CHECK_NOTHROW(compile(network, design));
    choice.lanes_per_bank = 1;
    choice.bank_depth = 20000;
    const Design chosen = fit(network, choice);
    CHECK(chosen.lanes_per_bank == 1);
    CHECK(chosen.banks() == row.lanes);
    CHECK(chosen.bank_depth == 20000);
  }
}

TEST_CASE("design: fit refuses an impossible choice by name") {
  const Network network = RandomWork(base_seed()).network({20, 10}, {Scheme::plain, 4, Group::layer, 0, 0});
  struct Case {
    void (*choose)(DesignChoice&);
    std::string message;
  };
  const Case cases[] = {
      {[](DesignChoice& c) { c.lanes = 0; }, "lanes is 0, possible are 1..255"},
      {[](DesignChoice& c) { c.lanes = 256; }, "lanes is 256, possible are 1..255"},
      {[](DesignChoice& c) { c.lanes = -1; }, "lanes is -1, possible are 1..255"},
      {[](DesignChoice& c) { c.lanes = std::numeric_limits<int>::max(); },
       "lanes is 2147483647, possible are 1"},
      {[](DesignChoice& c) { c.lanes = std::numeric_limits<int>::min(); },
       "lanes is -2147483648, possible are"},
      {[](DesignChoice& c) { c.lanes_per_bank = 10; }, "lanes per bank is 10, possible are 1..9"},
      {[](DesignChoice& c) { c.lanes_per_bank = -1; }, "lanes per bank is -1, possible are 1..9"},
      {[](DesignChoice& c) { c.bank_depth = 1; }, "bank depth is 1, possible are 2..1048576"},
      {[](DesignChoice& c) { c.bank_depth = -512; }, "bank depth is -512, possible are 2..1048576"},
      {[](DesignChoice& c) { c.clock_mhz = 0; }, "clock is 0.000000 MHz, possible are 0.001 to 10000"},
  };
  for (const Case& bad : cases)
    CHECK_THAT(refusal([&] {
                 DesignChoice choice;
                 bad.choose(choice);
                 (void)fit(network, choice);
               }),
               Catch::StartsWith(bad.message));
}

TEST_CASE("design: validate names each impossible parameter") {
  struct Case {
    std::string name;
    int Design::*parameter;
    int low, high;
    bool power_of_two;
  };
  const Case cases[] = {
      {"lanes", &Design::lanes, 1, 255, false},
      {"delta bits", &Design::delta_bits, 1, 8, false},
      {"lanes per bank", &Design::lanes_per_bank, 1, 9, false}, // 36 / 4
      {"bank depth", &Design::bank_depth, 2, 1 << 20, false},
      {"input buffer depth", &Design::in_depth, 2, 4096, true},
      {"activation buffer depth", &Design::act_depth, 2, 4096, true},
      {"reference depth", &Design::ref_depth, 2, 65535, false},
      {"parameter depth", &Design::param_depth, 2, 65535, false},
      {"maximum of layers", &Design::max_layers, 1, 16, true},
      {"output FIFO depth", &Design::out_depth, 16, 4096, true}, // as many as lanes
  };
  const auto with = [](int Design::*parameter, int value) {
    Design design;
    design.*parameter = value;
    if (parameter == &Design::lanes || parameter == &Design::delta_bits) { // leave room for the others
      design.lanes_per_bank = 1;
      design.out_depth = 256;
    }
    return refusal([&] { validate(design); });
  };
  CHECK_NOTHROW(validate(Design()));
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const std::string range = std::to_string(each.low) + ".." + std::to_string(each.high);
    for (const int wrong : {each.low - 1, each.high + 1, -each.high, std::numeric_limits<int>::max()})
      CHECK(with(each.parameter, wrong) ==
            each.name + " is " + std::to_string(wrong) + ", possible are " + range);
    for (const int right : {each.low, each.high})
      CHECK(with(each.parameter, right) == "accepted");
    const int odd = each.high - 1; // no power of two
    CHECK(with(each.parameter, odd) ==
          (each.power_of_two ? each.name + " is " + std::to_string(odd) + ", expected a power of two"
                             : "accepted"));
  }
  for (const double clock : {0.0, -1.0, 0.0009, 10001.0, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()}) {
    Design design;
    design.clock_mhz = clock;
    CHECK_THAT(refusal([&] { validate(design); }), Catch::StartsWith("clock is "));
  }
}

TEST_CASE("design: memories take the cheapest block RAMs, products their DSPs") {
  struct Row {
    int width, depth;
    bool block;
    int ramb18, ramb36;
  };
  const Row rows[] = {
      {36, 64, false, 0, 0},  {36, 64, true, 1, 0},   {36, 65, false, 1, 0},  {36, 512, true, 1, 0},
      {72, 512, true, 0, 1},  {36, 1024, true, 0, 1}, {18, 1024, true, 1, 0}, {8, 2048, false, 1, 0},
      {8, 4096, true, 0, 1},  {128, 512, true, 0, 2}, {37, 512, true, 0, 1},  {1, 16384, true, 1, 0},
      {32, 513, true, 1, 0},  {36, 1025, true, 0, 1}, {32, 545, true, 0, 1},  {36, 1057, true, 3, 0},
      {36, 2048, true, 0, 2}, {4, 4096, true, 1, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.width, row.depth, row.block);
    const Resources used = memory_resources(row.width, row.depth, row.block);
    CHECK(used.ramb18 == row.ramb18);
    CHECK(used.ramb36 == row.ramb36);
  }
  CHECK(Resources{0, 0, 0, 3, 2, 0}.bram36() == 4);
  Design design;
  const auto dsp = [&design](Multiplier multiplier) {
    design.multiplier = multiplier;
    return resources(design).dsp;
  };
  design.lanes = 17;
  CHECK(dsp(Multiplier::lut) == 3);
  CHECK(dsp(Multiplier::serial) == 3);
  CHECK(dsp(Multiplier::dsp) == 20);
  CHECK(dsp(Multiplier::dsp_packed) == 12);
  design.consecutive = false; // products of one bit are left to LUTs, but for those of a pair
  design.delta_bits = 1;
  CHECK(dsp(Multiplier::dsp) == 3);
  CHECK(dsp(Multiplier::dsp_packed) == 11);
  CHECK(dsp(Multiplier::lut) == 3);
}

TEST_CASE("program: every delta, reference and parameter is read back from its place") {
  for (int i = 0; i < repeats(60); ++i) {
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    const Network network = mixed_network(random, 40);
    const Design design = fit(network, random_choice(random));
    CAPTURE(seed, design.lanes, design.lanes_per_bank, design.delta_bits);
    const Program program = compile(network, design);
    REQUIRE(program.layers.size() == network.layers.size());
    REQUIRE(program.banks.size() == static_cast<std::size_t>(design.banks()));
    std::size_t address = 0, reference = 0, neuron = 0;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      CAPTURE(l);
      const Layer& layer = network.layers[l];
      require_layer_in_banks(layer, program, design, address);
      require_layer_references(layer, program, design, reference);
      for (std::size_t o = 0; o < layer.requantizer.bias.size(); ++o, ++neuron) {
        REQUIRE(parameter_multiplier(program.parameters.at(neuron)) == layer.requantizer.multiplier[o]);
        REQUIRE(parameter_bias(program.parameters.at(neuron)) == layer.requantizer.bias[o]);
      }
      const LayerDescriptor& descriptor = program.layers[l];
      REQUIRE(descriptor.inputs == layer.inputs);
      REQUIRE(descriptor.outputs == layer.outputs);
      REQUIRE(descriptor.activation == layer.activation);
      REQUIRE(descriptor.consecutive == (layer.scheme == Scheme::consecutive));
      REQUIRE(descriptor.block_length == layer.block_length());
      REQUIRE(descriptor.delta_shift == layer.shift);
      REQUIRE(descriptor.shift == layer.requantizer.shift - 8);
    }
    for (const auto& bank : program.banks)
      REQUIRE(bank.size() == address);
    REQUIRE(program.references.size() == reference);
    REQUIRE(program.parameters.size() == neuron);
  }
}

TEST_CASE("program: every lane's stream holds its neurons' deltas, layer by layer") {
  for (int i = 0; i < repeats(40); ++i) {
    const std::uint64_t seed = base_seed() * 1000 + static_cast<std::uint64_t>(i);
    RandomWork random(seed);
    const int pair = i % 2 + 1; // deltas of a symbol
    Network network = mixed_network(random, 40);
    while (pair == 2 && std::any_of(network.layers.begin(), network.layers.end(),
                                    [](const Layer& layer) { return layer.delta_bits > 4; }))
      network = mixed_network(random, 40);
    for (Layer& layer : network.layers)
      layer.code = static_cast<Code>(pair * random.in(0, 1));
    network.layers[0].code = static_cast<Code>(pair);
    const Design design = fit(network, random_choice(random));
    CAPTURE(seed, design.lanes, design.lanes_per_bank, design.delta_bits, pair);
    REQUIRE(design.huffman);
    REQUIRE(design.symbol_deltas == pair);
    const Program program = compile(network, design);
    const int symbol_bits = pair * design.delta_bits;
    const std::size_t symbols = std::size_t{1} << symbol_bits;
    REQUIRE(program.code_lengths.size() == symbols * network.layers.size());
    const auto bits = stream_bits(network, design.lanes, design.delta_bits, pair);
    std::size_t coded = 0; // symbols of all books
    std::size_t next_word = 0;
    for (int lane = 0; lane < design.lanes; ++lane) {
      const StreamBounds& bounds = program.streams[static_cast<std::size_t>(lane)];
      const auto& bank = program.banks[static_cast<std::size_t>(lane / design.lanes_per_bank)];
      next_word = lane % design.lanes_per_bank ? next_word : 0;
      REQUIRE(bounds.first == next_word); // one behind the other
      next_word = bounds.last + 1;
      REQUIRE(next_word <= bank.size());
      std::string text;
      for (std::size_t word = bounds.first; word <= bounds.last; ++word)
        for (int bit = 35; bit >= 0; --bit)
          text += bank[word] >> bit & 1 ? '1' : '0';
      std::size_t at = 0;
      for (std::size_t l = 0; l < network.layers.size(); ++l) {
        const Layer& layer = network.layers[l];
        const std::size_t begin = at;
        std::vector<int> lengths(program.code_lengths.begin() + static_cast<std::ptrdiff_t>(l * symbols),
                                 program.code_lengths.begin() +
                                     static_cast<std::ptrdiff_t>((l + 1) * symbols));
        REQUIRE(program.layers[l].huffman == (layer.code != Code::raw));
        if (layer.code == Code::raw) { // no book: D bits a delta
          REQUIRE(lengths == std::vector<int>(symbols));
          lengths.assign(symbols, symbol_bits);
        }
        if (lane == 0)
          coded += symbols - static_cast<std::size_t>(std::count(lengths.begin(), lengths.end(), 0));
        const std::vector<std::string> codes = reference_codes(lengths);
        for (int o = lane; o < layer.outputs; o += design.lanes)
          for (int k = 0; k < layer.inputs; k += pair) {
            std::size_t symbol = 0;
            for (int delta = 0; delta < pair && k + delta < layer.inputs; ++delta)
              symbol |= (static_cast<std::size_t>(
                             layer.deltas[static_cast<std::size_t>(o * layer.inputs + k + delta)]) &
                         ((1u << design.delta_bits) - 1))
                        << delta * design.delta_bits;
            REQUIRE(text.compare(at, codes[symbol].size(), codes[symbol]) == 0);
            at += codes[symbol].size();
          }
        REQUIRE(at - begin == bits[l][static_cast<std::size_t>(lane)]);
      }
      REQUIRE(text.find('1', at) == std::string::npos);
      REQUIRE((text.size() - at < 36 || (at == 0 && text.size() == 36)));
    }
    if (pair == 2) { // the smallest table, by 64, that has room for all books
      REQUIRE(static_cast<std::size_t>(design.symbol_depth) >= coded);
      REQUIRE(static_cast<std::size_t>(design.symbol_depth) < coded + 64);
    }
  }
}

TEST_CASE("program: a network coded in another way than the decoders take is refused") {
  Network network = RandomWork(base_seed()).network({20, 30, 9}, {Scheme::plain, 4, Group::layer, 0, 0});
  recode(network, Code::huffman);
  const Design singles = fit(network, {});
  recode(network, Code::huffman_pairs);
  Design pairs = fit(network, {});
  CHECK(refusal([&] { (void)compile(network, singles); }) ==
        "layer 0 is Huffman-coded by pairs, the design's decoders take single deltas");
  const int symbols = Demand(network).symbols;
  CHECK(pairs.symbol_depth == (symbols + 63) / 64 * 64);
  pairs.symbol_depth = symbols;
  CHECK_NOTHROW(compile(network, pairs));
  pairs.symbol_depth = symbols - 1;
  CHECK(refusal([&] { (void)compile(network, pairs); }) == "the network needs " + std::to_string(symbols) +
                                                               " words of symbol table, the design has " +
                                                               std::to_string(symbols - 1));
  network.layers[1].code = Code::huffman;
  CHECK(refusal([&] { (void)fit(network, {}), (void)compile(network, fit(network, {})); }) ==
        "layer 1 is Huffman-coded by single deltas, the design's decoders take pairs");
  pairs.delta_bits = 5;
  CHECK(refusal([&] { validate(pairs); }) == "delta bits, with pairs as symbols, is 5, possible are 1..4");
  pairs.delta_bits = 4;
  pairs.huffman = false;
  CHECK(refusal([&] { validate(pairs); }) ==
        "deltas of a symbol, without Huffman decoders, is 2, possible are 1..1");
}

TEST_CASE("program: a stream that overflows its bank is named with lane, layer and bits") {
  Network network = RandomWork(base_seed()).network({20, 30, 9}, {Scheme::plain, 4, Group::layer, 0, 0});
  for (Layer& layer : network.layers)
    layer.code = Code::huffman;
  for (std::int8_t& delta : network.layers[0].deltas)
    delta = static_cast<std::int8_t>(&delta - network.layers[0].deltas.data() & 1); // 1 bit each
  DesignChoice choice;
  choice.lanes = 6;
  Design design = fit(network, choice);
  CHECK(design.lanes_per_bank == 3);
  CHECK(design.bank_depth == 512);
  const auto bits = stream_bits(network, 6, 4, 1);
  CHECK(bits[0] == std::vector<std::uint64_t>(6, 100)); // 5 neurons of 20 inputs
  const std::vector<int> words = stream_words(bits);
  const int needed[] = {words[0] + words[1] + words[2], words[3] + words[4] + words[5]};
  design.bank_depth = std::max(needed[0], needed[1]);
  const Program exact = compile(network, design); // fills a bank to its last word
  for (std::size_t bank = 0; bank < 2; ++bank)
    CHECK(static_cast<int>(exact.banks[bank].size()) == needed[bank]);
  design.bank_depth = needed[0] - 1;
  const std::string there = std::to_string(36 * (words[2] - 1));
  CHECK(refusal([&] { (void)compile(network, design); }) ==
        "the stream of lane 2 overflows weight bank 0 in layer 1: it needs " +
            std::to_string(bits[0][2] + bits[1][2]) + " bits, " + there + " are there; the bank has " +
            std::to_string(design.bank_depth) + " words and would need " +
            std::to_string(design.bank_depth + 1));
  design.huffman = false;
  design.lanes_per_bank = 6;
  CHECK(refusal([&] { (void)compile(network, design); }) ==
        "layer 0 is Huffman-coded, the design's lanes have no decoders");
  design.huffman = true;
  CHECK(refusal([&] { validate(design); }) ==
        "lanes per bank, with Huffman decoders, is 6, possible are 1..4");
}

TEST_CASE("program: a parameter word holds the ends of both ranges") {
  for (const int multiplier : {0, 1, 32768, 65535})
    for (const int bias : {-(1 << 19), -1, 0, 1, (1 << 19) - 1}) {
      const std::uint64_t word = pack_parameter(multiplier, bias);
      CHECK(word >> 36 == 0);
      CHECK(parameter_multiplier(word) == multiplier);
      CHECK(parameter_bias(word) == bias);
    }
}

TEST_CASE("program: what does not go into the design is named with its need") {
  const DeltaFormat format{Scheme::consecutive, 4, Group::block, 5, 2};
  const Network network = RandomWork(base_seed()).network({20, 30, 9}, format);
  DesignChoice choice;
  choice.lanes = 8;
  const Design fitting = fit(network, choice);
  struct Case {
    const char* name;
    int Design::*parameter;
    int enough, too_small;
    std::string message;
  };
  const Case cases[] = {
      // 4 tiles of 20 inputs and 2 of 30; 30 neurons of 4 blocks and 9 of 6
      {"banks", &Design::bank_depth, 140, 139,
       "the network needs 140 words of each weight bank, the design has 139"},
      {"references", &Design::ref_depth, 174, 173,
       "the network needs 174 words of reference memory, the design has 173"},
      {"parameters", &Design::param_depth, 39, 38,
       "the network needs 39 words of parameter memory, the design has 38"},
      {"inputs", &Design::in_depth, 32, 16, "the network needs 20 words of input buffer, the design has 16"},
      {"hidden", &Design::act_depth, 32, 16,
       "the network needs 30 words of activation buffer, the design has 16"},
      {"layers", &Design::max_layers, 2, 1, "the network needs 2 words of program table, the design has 1"},
      {"lanes", &Design::delta_bits, 5, 3, "layer 0 has 4-bit deltas, the design's lanes take 3"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    Design design = fitting;
    design.*each.parameter = each.enough;
    CHECK_NOTHROW(compile(network, design));
    design.*each.parameter = each.too_small;
    CHECK(refusal([&] { (void)compile(network, design); }) == each.message);
  }
  Design design = fitting;
  design.consecutive = false;
  CHECK(refusal([&] { (void)compile(network, design); }) ==
        "layer 0 is consecutive, the design's lanes have no running delta");
}

TEST_CASE("layer descriptor: its two words hold every field") {
  RandomWork random(base_seed());
  CAPTURE(base_seed());
  std::vector<std::uint32_t> words;
  std::vector<LayerDescriptor> all;
  for (int i = 0; i < 1000; ++i) {
    const bool high = random.in(0, 1) != 0;
    LayerDescriptor layer;
    layer.inputs = high ? 4096 : random.in(1, 4096);
    layer.outputs = random.in(0, 3) ? random.in(1, 4096) : 4096;
    layer.activation = static_cast<Activation>(random.in(0, 2));
    layer.consecutive = random.in(0, 1) != 0;
    layer.block_length = random.in(1, 4096);
    layer.delta_shift = random.in(0, 7);
    layer.shift = random.in(0, 31);
    words.insert(words.end(), {layer.word(0), layer.word(1)});
    all.push_back(layer);
  }
  const std::vector<LayerDescriptor> read = read_table(words);
  REQUIRE(read.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    REQUIRE(read[i].inputs == all[i].inputs);
    REQUIRE(read[i].outputs == all[i].outputs);
    REQUIRE(read[i].activation == all[i].activation);
    REQUIRE(read[i].consecutive == all[i].consecutive);
    REQUIRE(read[i].block_length == all[i].block_length);
    REQUIRE(read[i].delta_shift == all[i].delta_shift);
    REQUIRE(read[i].shift == all[i].shift);
  }
  LayerDescriptor known; // as the RTL takes it apart
  known.inputs = 784;
  known.outputs = 150;
  known.activation = Activation::hardtanh;
  known.consecutive = true;
  known.block_length = 49;
  known.delta_shift = 5;
  known.shift = 11;
  CHECK(known.word(0) == (784u | 150u << 13 | 2u << 26 | 1u << 28));
  CHECK(known.word(1) == (49u | 5u << 13 | 11u << 16));
}
