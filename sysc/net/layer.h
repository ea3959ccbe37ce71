#pragma once
#include "base/rounding.h"
#include <cstddef>
#include <cstdint>
#include <initializer_list>
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
/// under one book per layer, the one with the fewest bits. `huffman_pairs`: a symbol is the deltas of a
/// neuron's inputs 2i (the low D bits) and 2i + 1, of at most 4 bits; behind an odd number of inputs the
/// last pair's second delta is 0 and is not used.
enum class Code { raw, huffman, huffman_pairs };

/// y = clamp((sum * multiplier + bias * 2^(shift-8) + 2^(shift-1)) >> shift), one multiplier and
/// bias per neuron. `none` clamps to int16, `relu` to [0, 127], `hardtanh` to [-128, 127].
struct RequantizerParameters {
  std::vector<int> multiplier;           ///< [outputs], 0..65535
  std::vector<int> bias;                 ///< [outputs], signed 20 bits, in units of 2^-8 output LSB
  int shift = 8;                         ///< 8..39
  Rounding rounding = Rounding::half_up; ///< no other
};

/// One dense layer: outputs x inputs weights, row-major (a neuron's inputs are contiguous).
struct Layer {
  int inputs = 0;  ///< 1..4096
  int outputs = 0; ///< 1..4096
  Scheme scheme = Scheme::plain;
  int delta_bits = 8; ///< D, 1..8
  Group group = Group::layer;
  int block = 0;                   ///< weights per group along the input; 1..inputs with Group::block, else 0
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
  /// Its code book by symbol (base/huffman.h); empty for Code::raw.
  [[nodiscard]] std::vector<int> code_lengths() const;
  /// Deltas that are one symbol of the code: 2 for pairs, else 1.
  [[nodiscard]] int symbol_deltas() const { return code == Code::huffman_pairs ? 2 : 1; }
  /// How often each of the symbols occurs: 2^D deltas (two's complement), or 4^D pairs.
  [[nodiscard]] std::vector<std::uint64_t> histogram() const;
};

/// Visits a neuron's symbols of `deltas` (1 or 2) deltas, in order of its inputs, each delta in `bits` bits:
/// visit(symbol).
template <class Visit>
void for_each_symbol(const Layer& layer, int output, int deltas, int bits, Visit visit) {
  const std::int8_t* neuron = layer.deltas.data() + std::ptrdiff_t{output} * layer.inputs;
  const unsigned mask = (1u << bits) - 1;
  for (int i = 0; i < layer.inputs; i += deltas) {
    unsigned symbol = static_cast<unsigned>(neuron[i]) & mask;
    if (deltas == 2 && i + 1 < layer.inputs)
      symbol |= (static_cast<unsigned>(neuron[i + 1]) & mask) << bits;
    visit(symbol);
  }
}

/// Visits the decoded weights of a layer in order of storage: visit(output, input, weight, running),
/// where running is what a consecutive lane holds, and the delta itself otherwise.
template <class Visit> void decode(const Layer& layer, Visit visit) {
  std::size_t at = 0;
  for (int o = 0; o < layer.outputs; ++o)
    for (int i = 0, running = 0; i < layer.inputs; ++i, ++at) {
      const int length = layer.block_length();
      if (i % length == 0 || layer.scheme != Scheme::consecutive)
        running = 0;
      running += layer.deltas[at];
      visit(o, i, layer.reference(o, i / length) + running * (1 << layer.shift), running);
    }
}

inline constexpr int max_pair_delta_bits = 4; ///< of deltas that Code::huffman_pairs takes

[[nodiscard]] constexpr int lowest_delta(int bits) { return -(1 << (bits - 1)); }
[[nodiscard]] constexpr int highest_delta(int bits) { return (1 << (bits - 1)) - 1; }
[[nodiscard]] constexpr bool in_int8(int value) { return value >= -128 && value <= 127; }
/// How many references a layer has.
[[nodiscard]] std::size_t reference_count(const Layer& layer);

/// Of each enumeration, the names that files have for it.
inline constexpr std::initializer_list<const char*> scheme_names = {"fixed_reference", "consecutive",
                                                                    "plain"};
inline constexpr std::initializer_list<const char*> group_names = {"layer", "neuron", "block"};
inline constexpr std::initializer_list<const char*> activation_names = {"none", "relu", "hardtanh"};
inline constexpr std::initializer_list<const char*> code_names = {"raw", "huffman", "huffman_pairs"};
inline constexpr std::initializer_list<const char*> rounding_names = {"half_up", "tflite", "half_even",
                                                                      "thresholds"};
inline constexpr std::initializer_list<const char*> scaling_names = {"half_up", "tflite",
                                                                     "half_even"}; ///< those that multiply
[[nodiscard]] const char* to_string(Scheme scheme);
[[nodiscard]] const char* to_string(Group group);
[[nodiscard]] const char* to_string(Activation activation);
[[nodiscard]] const char* to_string(Code code);
[[nodiscard]] const char* to_string(Rounding rounding);

} // namespace deltatwin
