#include "tops/accelerator/program.h"
#include "base/error.h"
#include "base/huffman.h"
#include "blocks/requantizer.h"
#include <algorithm>
#include <numeric>

namespace deltatwin {
namespace {

// Calls visit(base, active) for each tile of a layer.
template <class Visit> void for_each_tile(const Layer& layer, int lanes, Visit visit) {
  for (int base = 0; base < layer.outputs; base += lanes)
    visit(base, std::min(lanes, layer.outputs - base));
}

std::uint64_t symbol(const Layer& layer, int output, int input, int bits) {
  const auto at = static_cast<std::size_t>(output) * static_cast<std::size_t>(layer.inputs) +
                  static_cast<std::size_t>(input);
  return static_cast<std::uint64_t>(layer.deltas[at]) & ((std::uint64_t{1} << bits) - 1);
}

std::vector<std::vector<std::uint64_t>> raw_banks(const Network& network, const Design& design) {
  std::vector<std::vector<std::uint64_t>> banks(static_cast<std::size_t>(design.banks()));
  for (const Layer& layer : network.layers)
    for_each_tile(layer, design.lanes, [&](int base, int active) {
      for (int i = 0; i < layer.inputs; ++i)
        for (int bank = 0; bank < design.banks(); ++bank) {
          std::uint64_t word = 0;
          const int first = bank * design.lanes_per_bank;
          for (int slot = 0; slot < design.lanes_per_bank && first + slot < active; ++slot)
            word |= symbol(layer, base + first + slot, i, design.delta_bits) << (slot * design.delta_bits);
          banks[static_cast<std::size_t>(bank)].push_back(word);
        }
    });
  return banks;
}

// The words of each lane's stream, at least one.
std::vector<std::vector<std::uint64_t>> pack_streams(const Network& network, const Design& design) {
  std::vector<std::vector<std::uint64_t>> streams(static_cast<std::size_t>(design.lanes));
  std::vector<BitPacker> packers(streams.size());
  for (const Layer& layer : network.layers) {
    const std::vector<int> lengths = layer.code_lengths();
    const std::vector<unsigned> codes = canonical_codes(lengths);
    const bool raw = layer.code == Code::raw;
    for (int o = 0; o < layer.outputs; ++o) {
      const auto lane = static_cast<std::size_t>(o % design.lanes);
      for_each_symbol(layer, o, design.symbol_deltas, raw ? design.delta_bits : layer.delta_bits,
                      [&](unsigned symbol) {
                        if (const auto word = packers[lane].put(raw ? symbol : codes[symbol],
                                                                raw ? design.symbol_bits() : lengths[symbol]))
                          streams[lane].push_back(*word);
                      });
    }
  }
  for (std::size_t lane = 0; lane < streams.size(); ++lane)
    if (!packers[lane].empty() || streams[lane].empty())
      streams[lane].push_back(packers[lane].flush());
  return streams;
}

[[noreturn]] void fail_overflow(const Network& network, const Design& design, std::size_t lane,
                                std::uint64_t words_there) {
  const auto bits = stream_bits(network, design.lanes, design.delta_bits, design.symbol_deltas);
  const std::vector<int> words = stream_words(bits);
  const int bank = static_cast<int>(lane) / design.lanes_per_bank;
  const auto first = words.begin() + bank * design.lanes_per_bank;
  const std::uint64_t there = stream_word_bits * words_there;
  std::uint64_t needed = 0;
  std::size_t layer = bits.size();
  for (std::size_t l = 0; l < bits.size(); ++l) {
    needed += bits[l][lane];
    if (needed > there)
      layer = std::min(layer, l);
  }
  layer = std::min(layer, bits.size() - 1);
  needed = std::max<std::uint64_t>(needed, stream_word_bits); // a stream of no symbols has a word
  throw InputError("the stream of lane " + std::to_string(lane) + " overflows weight bank " +
                   std::to_string(bank) + " in layer " + std::to_string(layer) + ": it needs " +
                   std::to_string(needed) + " bits, " + std::to_string(there) + " are there; the bank has " +
                   std::to_string(design.bank_depth) + " words and would need " +
                   std::to_string(std::accumulate(first, first + design.lanes_of_bank(bank), 0)));
}

// A layer's symbol of deltas of that many bits, as the design has it: with its own bits a delta. The order
// of symbols stays, and so do their codes.
std::size_t widened(unsigned symbol, int delta_bits, const Design& design) {
  std::size_t wide = 0;
  for (int d = 0; d < design.symbol_deltas; ++d) {
    const unsigned delta = symbol >> d * delta_bits & ((1u << delta_bits) - 1), sign = 1u << (delta_bits - 1);
    wide |= std::size_t{((delta ^ sign) - sign) & ((1u << design.delta_bits) - 1)} << d * design.delta_bits;
  }
  return wide;
}

void lay_streams(const Network& network, const Design& design, Program& program) {
  program.banks.resize(static_cast<std::size_t>(design.banks()));
  const std::vector<std::vector<std::uint64_t>> streams = pack_streams(network, design);
  for (std::size_t lane = 0; lane < streams.size(); ++lane) {
    const std::vector<std::uint64_t>& stream = streams[lane];
    auto& bank = program.banks[lane / static_cast<std::size_t>(design.lanes_per_bank)];
    if (bank.size() + stream.size() > static_cast<std::size_t>(design.bank_depth))
      fail_overflow(network, design, lane, static_cast<std::uint64_t>(design.bank_depth) - bank.size());
    program.streams.push_back({static_cast<std::uint32_t>(bank.size()),
                               static_cast<std::uint32_t>(bank.size() + stream.size() - 1)});
    bank.insert(bank.end(), stream.begin(), stream.end());
  }
  for (const Layer& layer : network.layers) {
    const std::size_t book = program.code_lengths.size();
    program.code_lengths.resize(book + (std::size_t{1} << design.symbol_bits()));
    const std::vector<int> lengths = layer.code_lengths();
    for (unsigned symbol = 0; symbol < lengths.size(); ++symbol)
      program.code_lengths[book + widened(symbol, layer.delta_bits, design)] =
          static_cast<std::uint8_t>(lengths[symbol]);
  }
}

} // namespace

std::vector<LayerDescriptor> describe(const Network& network) {
  std::vector<LayerDescriptor> layers;
  for (const Layer& layer : network.layers) {
    LayerDescriptor& descriptor = layers.emplace_back();
    descriptor.inputs = layer.inputs;
    descriptor.outputs = layer.outputs;
    descriptor.activation = layer.activation;
    descriptor.consecutive = layer.scheme == Scheme::consecutive;
    descriptor.huffman = layer.code != Code::raw;
    descriptor.block_length = layer.block_length();
    descriptor.delta_shift = layer.shift;
    descriptor.shift = layer.requantizer.shift - 8;
  }
  return layers;
}

Program compile(const Network& network, const Design& design) {
  Program program;
  program.layers = describe(network);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const std::string which = "layer " + std::to_string(l);
    if (layer.delta_bits > design.delta_bits)
      throw InputError(which + " has " + std::to_string(layer.delta_bits) +
                       "-bit deltas, the design's lanes take " + std::to_string(design.delta_bits));
    if (program.layers[l].consecutive && !design.consecutive)
      throw InputError(which + " is consecutive, the design's lanes have no running delta");
    if (program.layers[l].huffman && !design.huffman)
      throw InputError(which + " is Huffman-coded, the design's lanes have no decoders");
    if (layer.code != Code::raw && layer.symbol_deltas() != design.symbol_deltas)
      throw InputError(which +
                       (design.symbol_deltas == 2
                            ? " is Huffman-coded by single deltas, the design's decoders take pairs"
                            : " is Huffman-coded by pairs, the design's decoders take single deltas"));
    for_each_tile(layer, design.lanes, [&](int base, int active) {
      for (int block = 0; block < layer.blocks(); ++block)
        for (int lane = 0; lane < active; ++lane)
          program.references.push_back(static_cast<std::int8_t>(layer.reference(base + lane, block)));
    });
    for (int o = 0; o < layer.outputs; ++o)
      program.parameters.push_back(pack_parameter(layer.requantizer.multiplier[static_cast<std::size_t>(o)],
                                                  layer.requantizer.bias[static_cast<std::size_t>(o)]));
  }
  const auto check = [](const char* memory, std::size_t need, int depth) {
    if (need > static_cast<std::size_t>(depth))
      throw InputError("the network needs " + std::to_string(need) + " words of " + memory +
                       ", the design has " + std::to_string(depth));
  };
  std::size_t hidden = 0;
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l)
    hidden = std::max(hidden, static_cast<std::size_t>(network.layers[l].outputs));
  check("program table", program.layers.size(), design.max_layers);
  check("input buffer", static_cast<std::size_t>(network.layers.front().inputs), design.in_depth);
  check("activation buffer", hidden, design.act_depth);
  check("reference memory", program.references.size(), design.ref_depth);
  check("parameter memory", program.parameters.size(), design.param_depth);
  if (design.huffman) {
    if (design.symbol_deltas == 2)
      check("symbol table", static_cast<std::size_t>(Demand(network).symbols), design.symbol_depth);
    lay_streams(network, design, program);
  } else {
    program.banks = raw_banks(network, design);
    check("each weight bank", program.banks[0].size(), design.bank_depth);
  }
  return program;
}

} // namespace deltatwin
