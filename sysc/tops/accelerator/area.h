#pragma once
#include "base/resources.h"
#include "tops/accelerator/design.h"
#include <array>

namespace deltatwin {

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

/// Of the accelerator: what Yosys makes of its RTL, LUT and FF within 15 %.
[[nodiscard]] BlockResources resources_by_block(const Design& design);
[[nodiscard]] Resources resources(const Design& design);

} // namespace deltatwin
