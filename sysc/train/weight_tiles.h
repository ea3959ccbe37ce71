#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// How many outputs and channels a tile of a convolution's weights has, at one place of the kernel: hardware
/// that leaves out tiles of zeros takes one at a time. The last ones of a layer may have fewer.
struct TileSize {
  int outputs = 8, channels = 16;
};

/// "8x16"; throws InputError that says what would be right.
[[nodiscard]] TileSize parse_tile_size(const std::string& text);

/// A layer's weights by tile, as they lie: [outputs][places][channels].
class WeightTiles {
public:
  WeightTiles(int outputs, int places, int channels, const TileSize& size)
      : outputs_(outputs), places_(places), channels_(channels), size_(size) {}

  [[nodiscard]] int count() const { return tiles_of_outputs() * tiles_of_each(); }
  /// Of the same outputs, which all have to be zero for these to be 0.
  [[nodiscard]] int tiles_of_each() const;
  /// Group lasso: moves each tile towards 0 by `amount` a weight, as a root mean square; those that are not
  /// further from it become 0.
  void shrink(float* weights, double amount) const;
  /// Tiles whose integers are all 0.
  [[nodiscard]] int zeros(const std::vector<std::int16_t>& weights) const;

private:
  [[nodiscard]] int tiles_of_outputs() const;
  /// visit(first, count, runs): a tile's weights are `runs` runs of `count`, an output's each.
  template <class Visit> void for_tiles(Visit visit) const;

  int outputs_, places_, channels_;
  TileSize size_;
};

} // namespace deltatwin
