#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/huffman_code_book.h"
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `huffman_tiles`, which has the contract.
struct HuffmanTilesConfig {
  int weights = 128;      ///< of a tile, 16..2048, a multiple of symbol_weights * decoders
  int weight_bits = 4;    ///< 1, 2, 4 or 8
  int symbol_weights = 2; ///< weights of a symbol, a power of two; 8 bits at most
  int decoders = 2;       ///< 1, 2 or 4
  int books = 1;          ///< a power of two up to 16
  int bank_depth = 2048;  ///< words of 36 bits, 4..65536

  [[nodiscard]] constexpr int symbol_bits() const { return symbol_weights * weight_bits; }
  /// Takes of a tile, each of a symbol from every decoder.
  [[nodiscard]] constexpr int takes() const { return weights / (symbol_weights * decoders); }
};

/// What stays the same of when tiles come.
struct HuffmanTilesTiming {
  Cycle first_take;                ///< H, from a stream's begin
  Cycle takes;                     ///< of a tile, one a cycle
  static constexpr Cycle full = 2; ///< from a tile's last take

  explicit constexpr HuffmanTilesTiming(const HuffmanTilesConfig& config)
      : first_take(5 + static_cast<Cycle>(config.decoders)), takes(static_cast<Cycle>(config.takes())) {}
  /// From a tile's first take to when it stands full.
  [[nodiscard]] constexpr Cycle tile() const { return takes - 1 + full; }
};

/// When each tile stands full, from when streams begin and tiles are copied.
///
///     TileTimes times(config);
///     times.begin(cycle, 3);           // not before times.ready()
///     Cycle copied = times.full() + 5; // any cycle from full() on
///     times.copy(copied);              // full() is the next tile's now
class TileTimes {
public:
  explicit TileTimes(const HuffmanTilesConfig& config) : timing_(config) {}

  /// Out of reset in cycle `clean`: no stream, no tile.
  void reset(Cycle clean) { *this = TileTimes(timing_, clean); }
  void begin(Cycle cycle, int tiles) {
    left_ = tiles;
    from_ = std::max(from_, cycle + timing_.first_take);
    if (!held_)
      take();
  }
  void copy(Cycle cycle) {
    held_ = false;
    from_ = std::max(from_, cycle + 1);
    if (left_)
      take();
  }

  /// The first cycle in which the next stream may begin; never, as long as that depends on copies to come.
  [[nodiscard]] Cycle ready() const { return left_ ? never : ready_; }
  /// The first cycle in which the tile that is not copied yet stands full; never, if there is none.
  [[nodiscard]] Cycle full() const { return held_ ? first_take_ + timing_.tile() : never; }
  /// Its first take.
  [[nodiscard]] Cycle first_take() const { return held_ ? first_take_ : never; }

  template <class Archive> void archive(Archive& bytes) { bytes(ready_, from_, first_take_, held_, left_); }

private:
  TileTimes(const HuffmanTilesTiming& timing, Cycle clean) : timing_(timing), ready_(clean) {}
  void take() {
    held_ = true;
    first_take_ = from_;
    if (--left_ == 0)
      ready_ = first_take_ + timing_.takes;
  }

  HuffmanTilesTiming timing_;
  Cycle ready_ = 0;
  Cycle from_ = 0;       ///< the next tile's first take, at the earliest
  Cycle first_take_ = 0; ///< of the tile in the shadow register
  bool held_ = false;    ///< there is one
  int left_ = 0;         ///< tiles of the stream whose takes are not known yet
};

/// A stream as it is begun.
struct TileStream {
  std::uint32_t base = 0; ///< word address, below the bank's depth
  int tiles = 1;          ///< 1..65535
};

/// The first bad code that a decoder meets in a stream; error_o is high a cycle after its take.
struct TileFault {
  int tile = 0, take = 0;
};

/// What a stream holds.
struct DecodedTiles {
  std::vector<std::uint8_t> weights;            ///< weight k of tile t is [t * config.weights + k]
  std::vector<std::optional<TileFault>> faults; ///< [decoder]; its later symbols are 0
};
/// `bank`: config.bank_depth words; `book`: without a fault.
[[nodiscard]] DecodedTiles decode_tiles(const HuffmanTilesConfig& config,
                                        const std::vector<std::uint64_t>& bank, const CodeTable& book,
                                        const TileStream& stream);

/// What it takes.
[[nodiscard]] Resources huffman_tiles_resources(const HuffmanTilesConfig& config);

} // namespace deltatwin
