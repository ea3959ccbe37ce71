#include "blocks/program_table.h"

namespace deltatwin {

std::uint32_t LayerDescriptor::word(int index) const {
  const auto u = [](int value) { return static_cast<std::uint32_t>(value); };
  return index == 0 ? u(inputs) | u(outputs) << 13 | u(static_cast<int>(activation)) << 26 |
                          u(consecutive) << 28 | u(huffman) << 29
                    : u(block_length) | u(delta_shift) << 13 | u(shift) << 16;
}

LayerDescriptor LayerDescriptor::from_words(std::uint32_t word0, std::uint32_t word1) {
  LayerDescriptor layer;
  layer.inputs = word0 & 0x1fff;
  layer.outputs = word0 >> 13 & 0x1fff;
  layer.activation = static_cast<Activation>(word0 >> 26 & 3);
  layer.consecutive = word0 >> 28 & 1;
  layer.huffman = word0 >> 29 & 1;
  layer.block_length = word1 & 0x1fff;
  layer.delta_shift = word1 >> 13 & 7;
  layer.shift = word1 >> 16 & 31;
  return layer;
}

std::vector<LayerDescriptor> read_table(const std::vector<std::uint32_t>& words) {
  std::vector<LayerDescriptor> table;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2)
    table.push_back(LayerDescriptor::from_words(words[i], words[i + 1]));
  return table;
}

} // namespace deltatwin
