#pragma once
#include "base/rounding.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// How a layer's int8 weights are stored (Federl et al., "Towards Delta Aware Training").
enum class Scheme {
  fixed_reference, ///< w_i = r_g + d_i * 2^s
  consecutive,     ///< w_i = w_{i-1} + d_i * 2^s, w_{-1} = r_g at the start of each group
  plain            ///< w_i = d_i: int8 with 8-bit, int4 with 4-bit "deltas", no references
};

/// Which weights share one reference: all of the layer's, one neuron's, or `block` weights along
/// the input of one neuron.
enum class Group { layer, neuron, block };

/// How deltas lie in the weight banks: D bits each, or as canonical Huffman codes (base/huffman.h)
/// under one book a layer, the one with the fewest bits.
enum class Code { raw, huffman };

/// y = clamp((sum * multiplier + bias * 2^(shift-8) + 2^(shift-1)) >> shift), one multiplier and
/// bias a neuron. `none` clamps to int16, `relu` to [0, 127], `hardtanh` to [-128, 127].
struct RequantizerParameters {
  std::vector<int> multiplier; ///< [outputs], 0..65535
  std::vector<int> bias;       ///< [outputs], signed 20 bits, in units of 2^-8 output LSB
  int shift = 8;               ///< 8..39
};

/// One dense layer: outputs x inputs weights, row-major (a neuron's inputs are contiguous).
struct Layer {
  int inputs = 0;  ///< 1..4096
  int outputs = 0; ///< 1..4096
  Scheme scheme = Scheme::plain;
  int delta_bits = 8; ///< D, 1..8
  Group group = Group::layer;
  int block = 0;                   ///< weights a group along the input; 1..inputs with Group::block, else 0
  int shift = 0;                   ///< s, 0..7
  std::vector<int> references;     ///< int8; [1], [outputs] or [outputs * blocks]; empty for plain
  std::vector<std::int8_t> deltas; ///< [outputs * inputs], each within D bits
  Code code = Code::raw;
  RequantizerParameters requantizer;
  Activation activation = Activation::none;

  /// Weights along the input that share a reference: `inputs` unless Group::block.
  [[nodiscard]] int block_length() const;
  /// Groups along the input of one neuron.
  [[nodiscard]] int blocks() const;
  /// The reference of a neuron's block; 0 for plain.
  [[nodiscard]] int reference(int output, int block_index) const;
  /// The decoded weights, [outputs * inputs], each in int8.
  [[nodiscard]] std::vector<std::int8_t> weights() const;
  /// Multiplications of an inference.
  [[nodiscard]] std::uint64_t macs() const;
  /// Storage of deltas and references in bits, without the code.
  [[nodiscard]] std::uint64_t weight_bits() const;
  /// Bits of the deltas alone: their codes, or D each.
  [[nodiscard]] std::uint64_t code_bits() const;
  /// Storage with the code: code_bits(), references, and 4 bits a symbol for the book.
  [[nodiscard]] std::uint64_t stored_bits() const;
  /// Its code book by delta symbol (base/huffman.h); empty for Code::raw.
  [[nodiscard]] std::vector<int> code_lengths() const;
  /// How often each of the 2^D delta symbols (two's complement) occurs.
  [[nodiscard]] std::vector<std::uint64_t> histogram() const;
};

/// A trained integer network. Inputs are int8: an image's pixel p (0..255) enters as p - 128.
struct Network {
  std::string name;
  std::string description; ///< where it comes from: the training command, the data set
  std::vector<Layer> layers;

  /// Weights that are stored.
  [[nodiscard]] std::uint64_t weight_count() const;
  /// Multiplications of an inference: a dense layer has as many as weights, others more.
  [[nodiscard]] std::uint64_t macs() const;
  [[nodiscard]] std::uint64_t weight_bits() const;
  [[nodiscard]] std::uint64_t stored_bits() const;
};

/// How a layer's weights are to be stored.
struct DeltaFormat {
  Scheme scheme = Scheme::fixed_reference;
  int delta_bits = 4;
  Group group = Group::layer;
  int block = 0;
  int shift = 0;
};

/// Stores int8 weights [outputs * inputs] exactly: fills scheme, group, deltas and references of
/// the layer returned. `references` as in Layer (empty for plain). Throws InputError naming the
/// first weight (output, input, value) that the format cannot hold, and what it could hold.
[[nodiscard]] Layer encode(int inputs, int outputs, const std::vector<std::int8_t>& weights,
                           const DeltaFormat& format, const std::vector<int>& references);

/// Stores real-valued weights as well as the format can: each weight becomes the nearest
/// representable one (closed loop for consecutive: against the reconstructed neighbour).
/// `scaled` is in units of the int8 weight's LSB, [outputs * inputs]. References are the group
/// means, rounded (consecutive, by neuron or block: the group's first weight). Never fails.
[[nodiscard]] Layer quantize(int inputs, int outputs, const std::vector<float>& scaled,
                             const DeltaFormat& format);

/// Where the committed networks stand: the environment variable DELTATWIN_NETWORKS, or traces/.
[[nodiscard]] std::string networks_directory();
/// The file of a network that is named by a path, or by its name in networks_directory(); throws
/// InputError where there is none.
[[nodiscard]] std::string find_network(const std::string& name);
/// Reads and checks a network file; throws InputError that names file, layer and field.
[[nodiscard]] Network load_network(const std::string& path);
/// Parses a network from JSON text; `origin` names it in errors.
[[nodiscard]] Network parse_network(const std::string& text, const std::string& origin);
/// Checks shapes and ranges of every field; throws InputError.
void validate(const Network& network, const std::string& origin);
/// Writes a network file (one row of deltas a line), whole or not at all.
void save_network(const Network& network, const std::string& path);

[[nodiscard]] const char* to_string(Scheme scheme);
[[nodiscard]] const char* to_string(Group group);
[[nodiscard]] const char* to_string(Activation activation);
[[nodiscard]] const char* to_string(Code code);

} // namespace deltatwin
