#include "tops/accelerator/decoded_program.h"
#include "blocks/delta_mac.h"
#include "blocks/requantizer.h"
#include "tops/accelerator/configs.h"
#include <algorithm>

namespace deltatwin {
namespace {

std::vector<CodeTable> read_books(const AcceleratorMemories& memories,
                                  const std::vector<LayerDescriptor>& layers, int symbol_bits) {
  const auto symbols = std::ptrdiff_t{1} << symbol_bits;
  std::vector<CodeTable> books;
  auto book = memories.code_lengths.begin();
  for (const LayerDescriptor& layer : layers) {
    books.push_back(layer.huffman ? CodeTable({book, book + symbols}) : CodeTable::uniform(symbol_bits));
    book += symbols;
  }
  return books;
}

// Weights and references beyond their memories are 0: a run errs before it uses them.
std::vector<DenseLayer> read_weights(const Design& design, const AcceleratorMemories& memories,
                                     const DecodedProgram& program) {
  std::vector<DenseLayer> layers;
  std::size_t word = 0, reference = 0, neuron = 0;
  for (const LayerDescriptor& descriptor : program.layers) {
    DenseLayer& layer = layers.emplace_back(descriptor.inputs, descriptor.outputs);
    layer.shift = descriptor.shift;
    layer.activation = descriptor.activation;
    for (int base = 0; base < descriptor.outputs; base += design.lanes) {
      const int active = std::min(design.lanes, descriptor.outputs - base);
      std::vector<int> operand(static_cast<std::size_t>(active));
      for (int i = 0; i < descriptor.inputs; ++i, ++word) {
        const bool block_first = i % descriptor.block_length == 0;
        if (block_first && i)
          reference += static_cast<std::size_t>(active);
        for (int lane = 0; lane < active; ++lane) {
          const auto& bank = program.streams.banks[static_cast<std::size_t>(lane / design.lanes_per_bank)];
          const std::size_t at = reference + static_cast<std::size_t>(lane);
          const int r = at < memories.references.size() ? memories.references[at] : 0;
          const int delta = word < bank.size()
                                ? extract_delta(bank[word], lane % design.lanes_per_bank, design.delta_bits)
                                : 0;
          int& c = operand[static_cast<std::size_t>(lane)];
          c = lane_operand(descriptor.consecutive, block_first, c, delta);
          layer.weight(base + lane, i) = static_cast<std::int16_t>(r + c * (1 << descriptor.delta_shift));
        }
      }
      reference += static_cast<std::size_t>(active);
    }
    for (int o = 0; o < descriptor.outputs; ++o, ++neuron) {
      layer.multiplier[static_cast<std::size_t>(o)] = parameter_multiplier(memories.parameters[neuron]);
      layer.bias[static_cast<std::size_t>(o)] = parameter_bias(memories.parameters[neuron]);
    }
  }
  return layers;
}

} // namespace

RunError decode_program(const Design& design, const AcceleratorMemories& memories, std::uint32_t layers,
                        std::uint32_t images, DecodedProgram& program) {
  program.layers = read_table(memories.program);
  const SchedulerConfig config = scheduler_config(design);
  RunError error = check_program(config, program.layers, layers, images);
  if (error.code != ErrorCode::none)
    return error;
  program.layers.resize(layers);
  if (design.huffman) {
    program.books = read_books(memories, program.layers, design.symbol_bits());
    error = check_books(config, program.books);
    if (error.code != ErrorCode::none)
      return error;
    program.streams =
        decode_streams(huffman_weights_config(design), program.layers, program.books, memories.lane_words());
  } else {
    program.streams.banks = memories.banks;
  }
  program.weights = read_weights(design, memories, program);
  return error;
}

} // namespace deltatwin
