#pragma once
#include "blocks/delta_mac.h"
#include "net/network.h"
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// A design point: the parameters of the RTL `accelerator` and of its model. The defaults stand
/// here and nowhere else; the RTL's own are never used.
struct Design {
  int lanes = 16;         ///< 1..255 neurons in parallel
  int lanes_per_bank = 8; ///< lanes_per_bank * delta_bits <= 36; with decoders 1..4
  int delta_bits = 4;     ///< D, 1..8
  Multiplier multiplier = Multiplier::dsp;
  bool consecutive = true; ///< lanes have the running-delta adder
  bool huffman = false;    ///< lanes have Huffman decoders, each with its own stream of 36-bit words
  int symbol_deltas = 1;   ///< deltas that a decoder's symbol holds: 1, or with D <= 4 a pair
  int symbol_depth = 128;  ///< with pairs: entries of a decoder's symbol table, for all layers together
  int bank_depth = 4096;   ///< words a weight bank
  int in_depth = 1024;     ///< elements in a half of the input buffer, a power of two
  int act_depth = 512;     ///< elements in a half of the activation buffer, a power of two
  int ref_depth = 512;     ///< references
  int param_depth = 512;   ///< requantizer parameters, one a neuron
  int max_layers = 16;     ///< descriptors in the program table, a power of two up to 16
  int out_depth = 32;      ///< output FIFO, a power of two, at least `lanes`
  double clock_mhz = 100;  ///< the user's assumption; no part of the RTL

  [[nodiscard]] int banks() const { return (lanes + lanes_per_bank - 1) / lanes_per_bank; }
  [[nodiscard]] int bank_width() const { return huffman ? 36 : lanes_per_bank * delta_bits; }
  /// Bits of a decoder's symbol.
  [[nodiscard]] int symbol_bits() const { return symbol_deltas * delta_bits; }
  /// Lanes that a bank feeds: the last one may have fewer.
  [[nodiscard]] int lanes_of_bank(int bank) const {
    return std::min(lanes_per_bank, lanes - bank * lanes_per_bank);
  }
  /// See DeltaMacConfig.
  [[nodiscard]] int cycles_per_mac() const {
    return DeltaMacConfig{lanes, delta_bits, multiplier, consecutive}.cycles_per_mac();
  }
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

/// Names the first impossible parameter and what would be possible; empty: the design is possible.
[[nodiscard]] std::string complaint(const Design& design);
/// Throws InputError with the complaint, if there is one.
void validate(const Design& design);

/// What a network asks of any design that is to hold it: read once, as reading takes all weights.
struct Demand {
  explicit Demand(const Network& network);

  struct Layer {
    int inputs, outputs;
    std::vector<std::uint64_t> neuron_bits; ///< [outputs] in a stream; with decoders only
  };
  std::vector<Layer> layers;
  int delta_bits = 1; ///< the widest of all layers
  bool consecutive = false, huffman = false;
  int symbol_deltas = 1; ///< 2: a layer's code has pairs as symbols
  int symbols = 0;       ///< that have a code, of all layers' books
  int references = 0;

  /// Words of the fullest weight bank.
  [[nodiscard]] int bank_words(int lanes, int lanes_per_bank) const;
};

/// Bits of each lane's stream when a design's lanes have decoders, [layer][lane]: neuron n is lane
/// (n mod lanes)'s. A raw layer's deltas have `delta_bits` bits each, and come by `symbol_deltas`.
[[nodiscard]] std::vector<std::vector<std::uint64_t>> stream_bits(const Network& network, int lanes,
                                                                  int delta_bits, int symbol_deltas);
/// The words of 36 bits that each lane's stream takes in its bank: at least one.
[[nodiscard]] std::vector<int> stream_words(const std::vector<std::vector<std::uint64_t>>& bits);

/// What the user chose of a design point; the rest follows from the network. 0 leaves the choice
/// to fit().
struct DesignChoice {
  int lanes = 16;
  int lanes_per_bank = 0;
  int bank_depth = 0;
  Multiplier multiplier = Multiplier::dsp;
  double clock_mhz = 100;
};

/// The smallest design with this choice that holds the network, possible or not. A bank depth that
/// was chosen may be too small for the network.
[[nodiscard]] Design smallest_design(const Demand& demand, const DesignChoice& choice);
/// The same; throws InputError when it is impossible.
[[nodiscard]] Design fit(const Network& network, const DesignChoice& choice);

} // namespace deltatwin
