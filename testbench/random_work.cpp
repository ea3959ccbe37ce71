#include "random_work.h"
#include "random_book.h"
#include <algorithm>
#include <cstdlib>

namespace deltatwin {
namespace {

// Each layer's random book, and a stream of random symbols for each lane.
void random_streams(RandomWork& random, const Design& design, Program& program) {
  std::vector<std::string> streams(static_cast<std::size_t>(design.lanes));
  for (const LayerDescriptor& layer : program.layers) {
    const int symbol_bits = design.symbol_deltas * design.delta_bits;
    const std::vector<int> lengths = layer.huffman
                                         ? random_book(random, symbol_bits)
                                         : std::vector<int>(std::size_t{1} << symbol_bits, symbol_bits);
    program.code_lengths.insert(program.code_lengths.end(), lengths.begin(), lengths.end());
    std::vector<std::string> codes;
    for (const std::string& code : reference_codes(lengths))
      if (!code.empty())
        codes.push_back(code);
    for (int o = 0; o < layer.outputs; ++o)
      for (int i = 0; i < layer.inputs; i += design.symbol_deltas)
        streams[static_cast<std::size_t>(o % design.lanes)] +=
            codes[static_cast<std::size_t>(random.in(0, static_cast<int>(codes.size()) - 1))];
  }
  for (std::size_t lane = 0; lane < streams.size(); ++lane) {
    auto& bank = program.banks[lane / static_cast<std::size_t>(design.lanes_per_bank)];
    const std::vector<std::uint64_t> words =
        streams[lane].empty() ? std::vector<std::uint64_t>{0} : words_of(streams[lane]);
    program.streams.push_back({static_cast<std::uint32_t>(bank.size()),
                               static_cast<std::uint32_t>(bank.size() + words.size() - 1)});
    bank.insert(bank.end(), words.begin(), words.end());
  }
}

} // namespace

std::vector<std::int8_t> RandomWork::bytes(std::size_t count) {
  std::vector<std::int8_t> values(count);
  for (auto& value : values)
    value = static_cast<std::int8_t>(word(8));
  return values;
}

Program RandomWork::program(const Design& design, const std::vector<int>& widths) {
  Program program;
  program.banks.resize(static_cast<std::size_t>(design.banks()));
  int words = 0, references = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool last = l + 2 == widths.size();
    LayerDescriptor layer;
    layer.inputs = widths[l];
    layer.outputs = widths[l + 1];
    layer.activation = static_cast<Activation>(last ? in(0, 2) : in(1, 2));
    layer.consecutive = design.consecutive && in(0, 1);
    layer.block_length = in(0, 1) ? layer.inputs : in(1, layer.inputs);
    layer.delta_shift = in(0, 7);
    layer.shift = in(0, 14);
    layer.huffman = design.huffman && in(0, 3);
    program.layers.push_back(layer);
    words += (layer.outputs + design.lanes - 1) / design.lanes * layer.inputs;
    references += layer.outputs * ((layer.inputs + layer.block_length - 1) / layer.block_length);
    for (int o = 0; o < layer.outputs; ++o)
      program.parameters.push_back(word(36));
  }
  if (design.huffman)
    random_streams(*this, design, program);
  for (auto& bank : program.banks)
    for (int i = 0; i < std::min(words, design.bank_depth) && !design.huffman; ++i)
      bank.push_back(word(design.bank_width()));
  for (int i = 0; i < std::min(references, design.ref_depth); ++i)
    program.references.push_back(static_cast<std::int8_t>(word(8)));
  return program;
}

Network RandomWork::network(const std::vector<int>& widths, const DeltaFormat& format) {
  Network network;
  network.name = "random";
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    std::vector<float> scaled(static_cast<std::size_t>(widths[l] * widths[l + 1]));
    for (float& weight : scaled)
      weight = static_cast<float>(in(-128, 127));
    DeltaFormat fitted = format;
    fitted.block = format.group == Group::block ? std::min(format.block, widths[l]) : 0;
    Layer layer = quantize(widths[l], widths[l + 1], scaled, fitted);
    const bool last = l + 2 == widths.size();
    layer.activation = static_cast<Activation>(last ? in(0, 2) : in(1, 2));
    layer.requantizer.shift = in(16, 24);
    for (int o = 0; o < widths[l + 1]; ++o) {
      layer.requantizer.multiplier.push_back(in(0, 2000));
      layer.requantizer.bias.push_back(in(-20000, 20000));
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

std::vector<int> reference_inference(const Network& network, const std::int8_t* inputs) {
  std::vector<int> x(inputs, inputs + network.layers.front().inputs);
  for (const Layer& layer : network.layers) {
    std::vector<int> y;
    for (int o = 0; o < layer.outputs; ++o) {
      long long sum = 0;
      int weight = 0;
      for (int i = 0; i < layer.inputs; ++i) {
        const int delta = layer.deltas[static_cast<std::size_t>(o * layer.inputs + i)] * (1 << layer.shift);
        const int length = layer.group == Group::block ? layer.block : layer.inputs;
        const int per_neuron = (layer.inputs + length - 1) / length;
        const int reference = layer.scheme == Scheme::plain ? 0
                              : layer.group == Group::layer
                                  ? layer.references[0]
                                  : layer.references[static_cast<std::size_t>(o * per_neuron + i / length)];
        weight = layer.scheme == Scheme::consecutive && i % length != 0 ? weight + delta : reference + delta;
        sum += static_cast<long long>(weight) * x[static_cast<std::size_t>(i)];
      }
      const auto neuron = static_cast<std::size_t>(o);
      const int shift = layer.requantizer.shift;
      const long long scaled = sum * layer.requantizer.multiplier[neuron] +
                               layer.requantizer.bias[neuron] * (1LL << (shift - 8)) + (1LL << (shift - 1));
      const long long value = scaled >> shift;
      const long long low = layer.activation == Activation::none   ? -32768
                            : layer.activation == Activation::relu ? 0
                                                                   : -128;
      const long long high = layer.activation == Activation::none ? 32767 : 127;
      y.push_back(static_cast<int>(std::min(std::max(value, low), high)));
    }
    x = std::move(y);
  }
  return x;
}

std::uint64_t base_seed() {
  const char* seed = std::getenv("DELTATWIN_SEED");
  return seed ? std::strtoull(seed, nullptr, 0) : 1;
}

int repeats(int quick) {
  const char* deep = std::getenv("DELTATWIN_DEEP");
  return quick * std::max(1, deep ? std::atoi(deep) : 1);
}

} // namespace deltatwin
