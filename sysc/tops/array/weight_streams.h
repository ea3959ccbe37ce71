#pragma once
#include "blocks/huffman_tiles.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Layers' tiles of weights as streams of codes.
struct WeightStreams {
  std::vector<std::uint64_t> words;    ///< of the bank
  std::vector<int> bases, book_of;     ///< of each layer
  std::vector<std::vector<int>> books; ///< lengths of codes, by symbol; of those that nobody uses all alike
};

/// `layers`: of each its tiles, weight by weight. Layers share books as takes the least bits.
[[nodiscard]] WeightStreams code_streams(const HuffmanTilesConfig& config,
                                         const std::vector<std::vector<std::uint8_t>>& layers);

} // namespace deltatwin
