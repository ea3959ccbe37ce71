#include "base/program.h"
#include "base/error.h"
#include "core/requantizer.h"
#include <algorithm>

namespace deltatwin {

std::uint32_t LayerDescriptor::word(int index) const {
  const auto u = [](int value) { return static_cast<std::uint32_t>(value); };
  return index == 0
             ? u(inputs) | u(outputs) << 13 | u(static_cast<int>(activation)) << 26 | u(consecutive) << 28
             : u(block_length) | u(delta_shift) << 13 | u(shift) << 16;
}

LayerDescriptor LayerDescriptor::from_words(std::uint32_t word0, std::uint32_t word1) {
  LayerDescriptor layer;
  layer.inputs = word0 & 0x1fff;
  layer.outputs = word0 >> 13 & 0x1fff;
  layer.activation = static_cast<Activation>(word0 >> 26 & 3);
  layer.consecutive = word0 >> 28 & 1;
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

Program compile(const Network& network, const Design& design) {
  Program program;
  program.banks.resize(static_cast<std::size_t>(design.banks()));
  const std::uint64_t mask = (std::uint64_t{1} << design.delta_bits) - 1;
  for (const Layer& layer : network.layers) {
    LayerDescriptor descriptor;
    descriptor.inputs = layer.inputs;
    descriptor.outputs = layer.outputs;
    descriptor.activation = layer.activation;
    descriptor.consecutive = layer.scheme == Scheme::consecutive;
    descriptor.block_length = layer.block_length();
    descriptor.delta_shift = layer.shift;
    descriptor.shift = layer.requantizer.shift - 8;
    program.layers.push_back(descriptor);
    if (layer.delta_bits > design.delta_bits)
      throw InputError("layer " + std::to_string(program.layers.size() - 1) + " has " +
                       std::to_string(layer.delta_bits) + "-bit deltas, the design's lanes take " +
                       std::to_string(design.delta_bits));
    if (descriptor.consecutive && !design.consecutive)
      throw InputError("layer " + std::to_string(program.layers.size() - 1) +
                       " is consecutive, the design's lanes have no running delta");
    for (int base = 0; base < layer.outputs; base += design.lanes) {
      const int active = std::min(design.lanes, layer.outputs - base);
      for (int i = 0; i < layer.inputs; ++i)
        for (int bank = 0; bank < design.banks(); ++bank) {
          std::uint64_t word = 0;
          for (int slot = 0; slot < design.lanes_per_bank; ++slot) {
            const int lane = bank * design.lanes_per_bank + slot;
            if (lane >= active)
              break;
            const auto at = static_cast<std::size_t>(base + lane) * layer.inputs + i;
            word |= (static_cast<std::uint64_t>(layer.deltas[at]) & mask) << (slot * design.delta_bits);
          }
          program.banks[static_cast<std::size_t>(bank)].push_back(word);
        }
      for (int block = 0; block < layer.blocks(); ++block)
        for (int lane = 0; lane < active; ++lane)
          program.references.push_back(static_cast<std::int8_t>(layer.reference(base + lane, block)));
    }
    for (int o = 0; o < layer.outputs; ++o)
      program.parameters.push_back(
          pack_parameter(layer.requantizer.multiplier[o], layer.requantizer.bias[o]));
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
  check("each weight bank", program.banks[0].size(), design.bank_depth);
  check("reference memory", program.references.size(), design.ref_depth);
  check("parameter memory", program.parameters.size(), design.param_depth);
  return program;
}

} // namespace deltatwin
