#pragma once
#include "base/design.h"
#include <array>

namespace deltatwin {

/// What a design, or a part of it, takes of a device.
struct Resources {
  int lut = 0; ///< of all kinds, those of LUT-RAM and shift registers included
  int ff = 0, dsp = 0, ramb18 = 0, ramb36 = 0;
  int lut_ram = 0; ///< the part of `lut` that is LUT-RAM or shift registers

  Resources& operator+=(const Resources& other);
  /// In RAMB36 (two RAMB18 share one).
  [[nodiscard]] int bram36() const { return ramb36 + (ramb18 + 1) / 2; }
};

/// The parts that the accelerator's area is told by; `accelerator` is what belongs to none.
enum class Block {
  scheduler,
  axi_control,
  huffman_bank, ///< the coded banks with all decoders and code books
  weight_bank,  ///< the raw banks
  delta_mac,
  requantizer,
  buffers, ///< of inputs, activations, references and parameters
  output_fifo,
  accelerator
};
inline constexpr std::array<const char*, 9> block_names = {"scheduler",   "axi_control", "huffman_bank",
                                                           "weight_bank", "delta_mac",   "requantizer",
                                                           "buffers",     "output_fifo", "accelerator"};
/// By Block.
using BlockResources = std::array<Resources, block_names.size()>;
[[nodiscard]] Resources sum(const BlockResources& blocks);

/// Of one simple-dual-port memory; those of up to 64 words are distributed unless `block` is forced.
[[nodiscard]] Resources memory_resources(int width, int depth, bool block);
/// Of the accelerator: block RAM and DSPs as the RTL infers them.
[[nodiscard]] Resources resources(const Design& design);

} // namespace deltatwin
