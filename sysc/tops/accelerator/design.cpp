#include "tops/accelerator/design.h"
#include "base/error.h"
#include "base/huffman.h"
#include "base/resources.h"
#include <algorithm>
#include <numeric>

namespace deltatwin {
namespace {

constexpr int max_lanes = 255;         // 8 bits of register CONFIG
constexpr int max_table_depth = 65535; // 16 bits of register TABLE_DEPTH
constexpr int max_decoders = 4;        // whose 8 bits a cycle one 36-bit word a cycle can feed
constexpr int max_symbol_depth = 4096; // 256 symbols of each of 16 layers
constexpr int lut_ram_depth = 64;      // in which symbol tables come

int power_of_two(int at_least, int floor) {
  int value = floor;
  while (value < at_least)
    value *= 2;
  return value;
}

// Words of a bank for this many: block RAM comes by 512, and of raw words a few more lie in LUT-RAM.
int block_ram_depth(int words, bool huffman) {
  return !huffman && lut_ram_tail(words) ? words : std::max(512, (words + 511) / 512 * 512);
}

// Bits of each neuron's deltas in a stream.
std::vector<std::uint64_t> neuron_bits(const Layer& layer, int delta_bits, int symbol_deltas) {
  std::vector<std::uint64_t> bits;
  const std::vector<int> lengths = layer.code_lengths();
  const int raw_symbols = (layer.inputs + symbol_deltas - 1) / symbol_deltas;
  for (int o = 0; o < layer.outputs; ++o) {
    std::uint64_t& sum = bits.emplace_back();
    if (layer.code == Code::raw)
      sum = static_cast<std::uint64_t>(raw_symbols * symbol_deltas * delta_bits);
    else
      for_each_symbol(layer, o, layer.symbol_deltas(), layer.delta_bits,
                      [&](unsigned symbol) { sum += static_cast<std::uint64_t>(lengths[symbol]); });
  }
  return bits;
}

// That have a code in a layer's book; without one, all have.
int coded_symbols(const Layer& layer, int symbol_bits) {
  const std::vector<int> lengths = layer.code_lengths();
  return lengths.empty()
             ? 1 << symbol_bits
             : static_cast<int>(lengths.size() -
                                static_cast<std::size_t>(std::count(lengths.begin(), lengths.end(), 0)));
}

std::vector<std::uint64_t> lane_sums(const std::vector<std::uint64_t>& neurons, int lanes) {
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(lanes));
  for (std::size_t n = 0; n < neurons.size(); ++n)
    sums[n % sums.size()] += neurons[n];
  return sums;
}

} // namespace

std::vector<std::pair<std::string, int>> Design::parameters() const {
  return {{"Lanes", lanes},
          {"LanesPerBank", lanes_per_bank},
          {"DeltaBits", delta_bits},
          {"Multiplier", static_cast<int>(multiplier)},
          {"Consecutive", consecutive ? 1 : 0},
          {"Huffman", huffman ? 1 : 0},
          {"SymbolDeltas", symbol_deltas},
          {"SymbolDepth", symbol_depth},
          {"BankDepth", bank_depth},
          {"InDepth", in_depth},
          {"ActDepth", act_depth},
          {"RefDepth", ref_depth},
          {"ParamDepth", param_depth},
          {"MaxLayers", max_layers},
          {"OutDepth", out_depth}};
}

std::string complaint(const Design& design) {
  std::string what;
  const auto range = [&what](const char* name, int value, int low, int high) {
    if (what.empty() && (value < low || value > high))
      what = std::string(name) + " is " + std::to_string(value) + ", possible are " + std::to_string(low) +
             ".." + std::to_string(high);
  };
  const auto power = [&what](const char* name, int value) {
    if (what.empty() && (value & (value - 1)))
      what = std::string(name) + " is " + std::to_string(value) + ", expected a power of two";
  };
  range("lanes", design.lanes, 1, max_lanes);
  range("delta bits", design.delta_bits, 1, 8);
  range(design.huffman ? "deltas of a symbol" : "deltas of a symbol, without Huffman decoders,",
        design.symbol_deltas, 1, design.huffman ? 2 : 1);
  if (design.symbol_deltas == 2)
    range("delta bits, with pairs as symbols,", design.delta_bits, 1, max_pair_delta_bits);
  range("symbol depth", design.symbol_depth, 2, max_symbol_depth);
  range(design.huffman ? "lanes per bank, with Huffman decoders," : "lanes per bank", design.lanes_per_bank,
        1, design.huffman ? max_decoders : 36 / std::max(design.delta_bits, 1));
  range("bank depth", design.bank_depth, 2, 1 << 20);
  range("input buffer depth", design.in_depth, 2, 4096);
  range("activation buffer depth", design.act_depth, 2, 4096);
  range("reference depth", design.ref_depth, 2, max_table_depth);
  range("parameter depth", design.param_depth, 2, max_table_depth);
  range("maximum of layers", design.max_layers, 1, 16);
  range("output FIFO depth", design.out_depth, design.lanes, 4096);
  power("input buffer depth", design.in_depth);
  power("activation buffer depth", design.act_depth);
  power("maximum of layers", design.max_layers);
  power("output FIFO depth", design.out_depth);
  if (what.empty() && !(design.clock_mhz >= 0.001 && design.clock_mhz <= 10000))
    what = "clock is " + std::to_string(design.clock_mhz) + " MHz, possible are 0.001 to 10000";
  return what;
}

void validate(const Design& design) {
  if (const std::string what = complaint(design); !what.empty())
    throw InputError(what);
}

std::vector<std::vector<std::uint64_t>> stream_bits(const Network& network, int lanes, int delta_bits,
                                                    int symbol_deltas) {
  std::vector<std::vector<std::uint64_t>> bits;
  for (const Layer& layer : network.layers)
    bits.push_back(lane_sums(neuron_bits(layer, delta_bits, symbol_deltas), lanes));
  return bits;
}

std::vector<int> stream_words(const std::vector<std::vector<std::uint64_t>>& bits) {
  std::vector<int> words(bits.front().size());
  for (std::size_t lane = 0; lane < words.size(); ++lane) {
    std::uint64_t sum = 0;
    for (const auto& layer : bits)
      sum += layer[lane];
    words[lane] = std::max(1, static_cast<int>((sum + stream_word_bits - 1) / stream_word_bits));
  }
  return words;
}

Demand::Demand(const Network& network) {
  for (const auto& layer : network.layers) {
    layers.push_back({layer.inputs, layer.outputs, {}});
    delta_bits = std::max(delta_bits, layer.delta_bits);
    consecutive |= layer.scheme == Scheme::consecutive;
    huffman |= layer.code != Code::raw;
    symbol_deltas = std::max(symbol_deltas, layer.symbol_deltas());
    references += layer.outputs * layer.blocks();
  }
  for (std::size_t l = 0; huffman && l < layers.size(); ++l) {
    layers[l].neuron_bits = neuron_bits(network.layers[l], delta_bits, symbol_deltas);
    symbols += coded_symbols(network.layers[l], symbol_deltas * delta_bits);
  }
}

int Demand::bank_words(int lanes, int lanes_per_bank) const {
  int words = 0;
  if (!huffman) {
    for (const Layer& layer : layers)
      words += (layer.outputs + lanes - 1) / lanes * layer.inputs;
    return words;
  }
  std::vector<std::vector<std::uint64_t>> bits;
  for (const Layer& layer : layers)
    bits.push_back(lane_sums(layer.neuron_bits, lanes));
  const std::vector<int> lane_words = stream_words(bits);
  for (int lane = 0; lane < lanes; lane += lanes_per_bank)
    words = std::max(words, std::accumulate(lane_words.begin() + lane,
                                            lane_words.begin() + std::min(lane + lanes_per_bank, lanes), 0));
  return words;
}

Design smallest_design(const Demand& demand, const DesignChoice& choice) {
  Design design;
  design.lanes = choice.lanes;
  design.multiplier = choice.multiplier;
  design.clock_mhz = choice.clock_mhz;
  design.delta_bits = demand.delta_bits;
  design.consecutive = demand.consecutive;
  design.huffman = demand.huffman;
  design.symbol_deltas = demand.symbol_deltas;
  if (design.symbol_deltas == 2)
    design.symbol_depth = (demand.symbols + lut_ram_depth - 1) / lut_ram_depth * lut_ram_depth;
  const int lanes = std::clamp(choice.lanes, 1, max_lanes); // what is outside, complaint() names
  const int widest = design.huffman ? max_decoders : 36 / design.delta_bits;
  const int banks = (lanes + widest - 1) / widest;
  design.lanes_per_bank = choice.lanes_per_bank ? choice.lanes_per_bank : (lanes + banks - 1) / banks;
  design.in_depth = power_of_two(demand.layers.front().inputs, 2);
  design.out_depth = power_of_two(2 * lanes, 16);
  int neurons = 0, hidden = 2;
  for (const Demand::Layer& layer : demand.layers) {
    neurons += layer.outputs;
    if (&layer != &demand.layers.back())
      hidden = std::max(hidden, layer.outputs);
  }
  design.act_depth = power_of_two(hidden, 2);
  if (design.huffman) // the lanes' tables have room for every layer's book
    design.max_layers = power_of_two(static_cast<int>(demand.layers.size()), 1);
  const int group = std::max(design.lanes_per_bank, 1); // what is less, complaint() names
  design.bank_depth = choice.bank_depth ? choice.bank_depth
                                        : block_ram_depth(demand.bank_words(lanes, group), design.huffman);
  const auto table_depth = [](int need) {
    return need > max_table_depth / 2 ? need : power_of_two(need, 64);
  };
  design.ref_depth = table_depth(demand.references);
  design.param_depth = table_depth(neurons);
  return design;
}

Design fit(const Network& network, const DesignChoice& choice) {
  const Design design = smallest_design(Demand(network), choice);
  validate(design);
  return design;
}

} // namespace deltatwin
