#pragma once
#include "blocks/huffman_bank.h"
#include "blocks/program_table.h"
#include "net/network.h"
#include "tops/accelerator/design.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A network's layers, as a program describes them.
[[nodiscard]] std::vector<LayerDescriptor> describe(const Network& network);
/// What the host loads into the accelerator: everything in the order in which it is consumed.
struct Program {
  std::vector<LayerDescriptor> layers;
  std::vector<std::vector<std::uint64_t>> banks; ///< [bank][word], bank_width bits each
  std::vector<std::int8_t> references;           ///< one a tile, block and lane
  std::vector<std::uint64_t> parameters;         ///< one a neuron, 36 bits
  std::vector<std::uint8_t> code_lengths; ///< [layers * 2^D, or 4^D for pairs] with decoders, by symbol
  std::vector<StreamBounds> streams;      ///< [lanes] with decoders
};

/// Lays a network out for a design. A tile is `lanes` neurons; each of its words holds one delta
/// of every lane of a bank; lanes past the layer's last neuron hold 0. With decoders each lane has
/// one stream: its neurons' deltas, first layer to last, the streams of a bank one behind the
/// other. Throws InputError when the network does not go into the design's memories, naming the
/// memory, its depth and the need (of a stream: lane, layer, bits needed and bits there).
[[nodiscard]] Program compile(const Network& network, const Design& design);

} // namespace deltatwin
