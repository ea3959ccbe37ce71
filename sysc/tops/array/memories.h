#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/array_scheduler.h"
#include "blocks/huffman_tiles.h"
#include "blocks/pixel_loader.h"
#include "blocks/sweep_starts.h"
#include "tops/array/config.h"
#include "tops/top.h"
#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

namespace deltatwin {

/// What writes overwrote, so that a reset can take back those that do not come to it.
class ArrayUndo {
public:
  void keep(std::vector<std::int8_t>& memory, std::size_t at, int count, Cycle written);
  /// Writes later than `last`, the latest first; then nothing is kept.
  void take_back(Cycle last);
  void forget() { kept_.clear(); }

private:
  static constexpr std::size_t most = 100000;
  struct Kept {
    std::vector<std::int8_t>* memory;
    std::size_t at;
    Cycle written;
    std::vector<std::int8_t> bytes;
  };
  std::deque<Kept> kept_;
};

/// Of a step of sweeps: when each tile's first pixel is drained, and how the others follow.
struct ArraySweeps {
  const std::vector<Cycle>& tags;
  int beats, written_behind;

  [[nodiscard]] Cycle written(int pixel, int tile) const {
    return tags[static_cast<std::size_t>(tile)] + static_cast<Cycle>(pixel * beats + written_behind);
  }
};

/// A step's results by column (of wide layers all pixels', one behind the other) and tile, of which `tiles`
/// are written.
struct ArrayRowOfResults {
  const ArrayConfig& config;
  const ArrayLayer& layer;
  const ArrayStep& step;
  const std::vector<std::int8_t>& results; ///< bytes; of max_pool words
  int tiles;
  ArrayUndo* undo = nullptr; ///< of what is overwritten, or none, and when the first tile is written
  Cycle written = 0;
  const ArraySweeps* sweeps = nullptr; ///< or none; columns are pixels of the block

  /// Of a pixel of the n-th tile.
  [[nodiscard]] const std::int8_t* of(int n, int pixel) const;
  /// Into banks of so many words.
  void write(std::vector<std::int8_t>& map, int depth) const;
  void write_skips(std::vector<std::int8_t>& skips) const;
  /// The bytes of a word with a tile's results of a pixel, in all parts.
  void word_of(int n, int pixel, std::int8_t* bytes) const;
  /// Before the n-th tile overwrites some bytes.
  void keep(std::vector<std::int8_t>& memory, std::size_t at, int count, int n) const;
};

/// The array's memories.
struct ArrayMemories {
  std::vector<std::int8_t> weights; ///< [words][ArrayConfig::weight_bytes()]
  struct Parameter {
    std::int32_t bias = 0, multiplier = 0;
    int shift = 0, reference = 0;
  };
  std::vector<Parameter> parameters; ///< [words][results]
  std::vector<ArrayLayer::Words> layers;
  std::vector<ArrayStep::Words> steps;
  std::vector<std::int32_t> tables; ///< [B?][page][index]
  std::vector<std::int8_t> input;   ///< [column banks][banks][words][channels]
  std::vector<std::int8_t> maps;    ///< the same
  std::vector<std::int8_t> skips;   ///< [words][pixels][outputs]
  std::vector<std::int8_t> rows;    ///< the stage's: as maps
  /// With sweeps, instead of weights; [books][symbols].
  std::vector<std::uint64_t> stream_words;
  std::vector<int> code_lengths;
  std::vector<std::uint8_t> marks;      ///< of tiles of weights
  std::vector<std::int32_t> thresholds; ///< [words of parameters][places of nodes][results], of trees

  explicit ArrayMemories(const ArrayConfig& config);

  /// What the layer reads, and words of a bank.
  struct Source {
    const std::vector<std::int8_t>& words;
    std::size_t depth;
  };
  [[nodiscard]] Source source_of(const ArrayConfig& config, const ArrayLayer& layer) const;
  /// Of one of the layer's outputs, what it is scaled by; null where the layer says a place that is not
  /// there.
  [[nodiscard]] const Parameter* parameter_of(const ArrayConfig& config, const ArrayLayer& layer,
                                              int output) const;
  /// How many of an output's thresholds a sum reaches.
  [[nodiscard]] int count_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                             std::int32_t sum) const;
  /// One of them; 0 where there is none.
  [[nodiscard]] std::int32_t threshold_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                                          int node) const;
  /// A word of a tile's weights; null where there is none.
  [[nodiscard]] const std::int8_t* word_of(const ArrayConfig& config, const ArrayLayer& layer, int tile,
                                           int k) const;
  /// With sweeps: a book's lengths, and a layer's weights; none, if its book is faulty or there is no such.
  [[nodiscard]] std::vector<int> book_lengths(const ArrayConfig& config, int book) const;
  [[nodiscard]] DecodedTiles decoded(const ArrayConfig& config, const ArrayLayer& layer) const;
  /// Of a step of the layer.
  [[nodiscard]] std::vector<Sweep> sweeps_of(const ArrayLayer& layer) const;
  /// Its weights by tile, window, output, and field: bits that are missing, and tiles that are left out,
  /// count 0.
  [[nodiscard]] std::vector<std::int8_t> swept_weights(const ArrayConfig& config,
                                                       const ArrayLayer& layer) const;
  /// What a window's activations count in an output's sum, lane by lane and field by field: of all passes
  /// together, modulo 2^32. False where bits of one field count differently, which planes can.
  [[nodiscard]] bool weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output, int window,
                                std::vector<std::uint32_t>& fields) const;
  /// The same in the total of a tile.
  [[nodiscard]] bool mask_of(const ArrayConfig& config, const ArrayLayer& layer, int tile, int window,
                             std::vector<std::uint32_t>& fields) const;
  /// The same of each bit, as planes see it.
  void bit_weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output, int window,
                      std::vector<std::uint32_t>& bits) const;
  void bit_mask_of(const ArrayConfig& config, const ArrayLayer& layer, int tile, int window,
                   std::vector<std::uint32_t>& bits) const;
  /// Row `row` of an image, as the loader writes it: the words that its first `count` values complete.
  /// before(value, at): which value completes the word at that byte of the input.
  template <class Before>
  void write_input(const ArrayConfig& config, const PixelInput& image, int row, const std::int8_t* values,
                   int count, Before before);
  void write_input(const ArrayConfig& config, const PixelInput& image, int row, const std::int8_t* values) {
    write_input(config, image, row, values, image.row_values() + image.row_padding(),
                [](int, std::size_t) {});
  }
  /// What is loaded, as rtl/array.sv holds it; `stage`: as its stage does, of whose config these then are.
  [[nodiscard]] std::vector<MemoryImage> images(const ArrayConfig& config, bool stage) const;
  template <class Archive> void archive(Archive& bytes) {
    bytes(weights, parameters, layers, steps, tables, input, maps, skips, rows, stream_words, code_lengths,
          marks, thresholds);
  }
};

/// Of a word's bytes, the first one lowest, all bits but its top ones become 0.
inline void keep_top_bits(std::int8_t* bytes, int count, int bits) {
  constexpr int byte_bits = 8;
  for (int b = 0; b < count; ++b) {
    const int lost = std::clamp(byte_bits * (count - b) - bits, 0, byte_bits);
    bytes[b] = static_cast<std::int8_t>(static_cast<std::uint8_t>(bytes[b]) >> lost << lost);
  }
}

template <class Before>
void ArrayMemories::write_input(const ArrayConfig& config, const PixelInput& image, int row,
                                const std::int8_t* values, int count, Before before) {
  const int groups = ceil_div(image.channels, image.word_channels(config.channels));
  const int slot = image.address_of_row(row, config.rows);
  const auto word_bytes = static_cast<std::size_t>(config.channels);
  int word = 0;
  image.words_by_value(values, config.channels, [&](const std::int8_t* bytes, int value) {
    const int column = word / groups, group = word++ % groups;
    const int bank = column % config.pixels * config.rows + (row + group) % config.rows;
    const int address = slot + column / config.pixels * groups + group;
    if (address >= config.input_depth || value >= count)
      return;
    const std::size_t at = (static_cast<std::size_t>(bank) * static_cast<std::size_t>(config.input_depth) +
                            static_cast<std::size_t>(address)) *
                           word_bytes;
    before(value, at);
    std::copy_n(bytes, word_bytes, input.data() + at);
    if (config.input_bits > 0)
      keep_top_bits(input.data() + at, config.channels, config.input_bits);
  });
}

/// Whether a layer's sums are those of planes.
[[nodiscard]] bool uses_planes(const ArrayConfig& config, const ArrayLayer& layer);

/// A row of an engine's results, 0 the array's, 1 the stage's, to where its layer says.
void write_results(const ArrayRowOfResults& row, std::size_t engine, ArrayMemories& array,
                   ArrayMemories& stage);

} // namespace deltatwin
