#pragma once
#include "blocks/array_scheduler.h"
#include "blocks/pixel_loader.h"
#include "tops/array/config.h"
#include "tops/top.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A step's results by column (of wide layers all pixels', one behind the other) and tile, of which `tiles`
/// are written.
struct ArrayRowOfResults {
  const ArrayConfig& config;
  const ArrayLayer& layer;
  const ArrayStep& step;
  const std::vector<std::int8_t>& results;
  int tiles;

  /// Of a pixel of the n-th tile.
  [[nodiscard]] const std::int8_t* of(int n, int pixel) const;
  /// Into banks of so many words.
  void write(std::vector<std::int8_t>& map, int depth) const;
  void write_skips(std::vector<std::int8_t>& skips) const;
};

/// The array's memories.
struct ArrayMemories {
  std::vector<std::int8_t> weights; ///< [words][outputs][banks][channels]
  struct Parameter {
    std::int32_t bias = 0, multiplier = 0;
    int shift = 0;
  };
  std::vector<Parameter> parameters; ///< [words][results]
  std::vector<ArrayLayer::Words> layers;
  std::vector<ArrayStep::Words> steps;
  std::vector<std::int32_t> tables; ///< [B?][page][index]
  std::vector<std::int8_t> input;   ///< [column banks][banks][words][channels]
  std::vector<std::int8_t> maps;    ///< the same
  std::vector<std::int8_t> skips;   ///< [words][pixels][outputs]
  std::vector<std::int8_t> rows;    ///< the stage's: as maps

  explicit ArrayMemories(const ArrayConfig& config);

  /// What the layer reads, and words of a bank.
  struct Source {
    const std::vector<std::int8_t>& words;
    std::size_t depth;
  };
  [[nodiscard]] Source source_of(const ArrayConfig& config, const ArrayLayer& layer) const;
  /// A window of one of the layer's outputs: its weights by lane and channel, and what the output is scaled
  /// by; null where the layer says a place that is not there.
  [[nodiscard]] const std::int8_t* weights_of(const ArrayConfig& config, const ArrayLayer& layer, int output,
                                              int window) const;
  [[nodiscard]] const Parameter* parameter_of(const ArrayConfig& config, const ArrayLayer& layer,
                                              int output) const;
  /// Row `row` of an image, as the loader writes it.
  void write_input(const ArrayConfig& config, const PixelInput& image, int row, const std::int8_t* values);
  /// What is loaded, as rtl/array.sv holds it; `stage`: as its stage does, of whose config these then are.
  [[nodiscard]] std::vector<MemoryImage> images(const ArrayConfig& config, bool stage) const;
  template <class Archive> void archive(Archive& bytes) {
    bytes(weights, parameters, layers, steps, tables, input, maps, skips, rows);
  }
};

/// A row of an engine's results, 0 the array's, 1 the stage's, to where its layer says.
void write_results(const ArrayRowOfResults& row, std::size_t engine, ArrayMemories& array,
                   ArrayMemories& stage);

} // namespace deltatwin
