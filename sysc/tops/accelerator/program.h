#pragma once
#include "net/network.h"
#include "tops/accelerator/design.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A row of the scheduler's program table.
struct LayerDescriptor {
  int inputs = 1, outputs = 1; ///< 1..4096
  Activation activation = Activation::none;
  bool consecutive = false;
  bool huffman = false; ///< deltas are coded with the layer's book
  int block_length = 1; ///< inputs that share a reference
  int delta_shift = 0;  ///< s, 0..7
  int shift = 0;        ///< k, the requantizer's shift less 8, 0..31

  /// The two 32-bit words of the table; see the RTL program_table for the fields.
  [[nodiscard]] std::uint32_t word(int index) const;
  [[nodiscard]] static LayerDescriptor from_words(std::uint32_t word0, std::uint32_t word1);
};

/// A network's layers, as a program describes them.
[[nodiscard]] std::vector<LayerDescriptor> describe(const Network& network);
/// The descriptors in a whole program table, two words each.
[[nodiscard]] std::vector<LayerDescriptor> read_table(const std::vector<std::uint32_t>& words);

/// Where a lane's stream lies in its bank.
struct StreamBounds {
  std::uint32_t first = 0, last = 0; ///< word addresses
};

/// What the host loads into the accelerator: everything in the order in which it is consumed.
struct Program {
  std::vector<LayerDescriptor> layers;
  std::vector<std::vector<std::uint64_t>> banks; ///< [bank][word], bank_width bits each
  std::vector<std::int8_t> references;           ///< one a tile, block and lane
  std::vector<std::uint64_t> parameters;         ///< one a neuron, 36 bits
  std::vector<std::uint8_t> code_lengths;        ///< [layers * 2^D] with decoders, by delta symbol
  std::vector<StreamBounds> streams;             ///< [lanes] with decoders
};

/// Lays a network out for a design. A tile is `lanes` neurons; each of its words holds one delta
/// of every lane of a bank; lanes past the layer's last neuron hold 0. With decoders each lane has
/// one stream: its neurons' deltas, first layer to last, the streams of a bank one behind the
/// other. Throws InputError when the network does not go into the design's memories, naming the
/// memory, its depth and the need (of a stream: lane, layer, bits needed and bits there).
[[nodiscard]] Program compile(const Network& network, const Design& design);

} // namespace deltatwin
