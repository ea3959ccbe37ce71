#pragma once
#include "tops/array/memories.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// What a layer computes, from tables that stand still: its weights as rows of dot products.
class LayerResults {
public:
  LayerResults(const ArrayConfig& config, const ArrayMemories& memories, const ArrayLayer& layer);

  /// A row of results: of each column (of wide layers all pixels', one behind the other) and tile the
  /// outputs, or of max_pool the words, and the sums of products that they are made of where they are asked
  /// for.
  struct Sums {
    std::vector<std::int32_t> outputs; ///< as results
    std::vector<std::int32_t> totals;  ///< of each column and tile, of designs with references
  };
  void row(const ArrayMemories& memories, const ArrayStep& step, std::vector<std::int8_t>& results,
           Sums* sums);

private:
  struct Tap {
    int at; ///< in the windows of a tile, one behind the other
    std::uint32_t weight;
  };
  // Rows of sums: of each output, then of each tile's total.
  [[nodiscard]] int outputs() const { return layer_.tiles * config_.outputs; }
  // Of the step's results.
  [[nodiscard]] int columns(const ArrayStep& step) const {
    return layer_.result_columns(config_.pixels) * step.rows;
  }
  [[nodiscard]] int rows() const { return outputs() + (has_totals_ ? layer_.tiles : 0); }
  [[nodiscard]] bool take_fields(const ArrayMemories& memories);
  void take_streams(const ArrayMemories& memories);
  void take_bits(const ArrayMemories& memories);
  void put(int row, int window, const std::vector<std::uint32_t>& weights);
  void read_window(const ArrayMemories& memories, const ArrayWalk& walk, const ArrayWindow& window,
                   int pixel);
  void read_values(const ArrayMemories& memories, const ArrayWalk& walk, const ArrayWindow& window, int pixel,
                   std::int16_t* values);
  void sum_dense(const ArrayMemories& memories, const ArrayStep& step);
  void sum_taps(const ArrayMemories& memories, const ArrayStep& step);
  void find_maxima(const ArrayMemories& memories, const ArrayStep& step, std::vector<std::int8_t>& results);
  [[nodiscard]] std::size_t skip_of(const ArrayStep& step, int column, int output) const;
  [[nodiscard]] std::int8_t result(const ArrayMemories& memories, int output, std::int32_t sum,
                                   std::int32_t total, std::int8_t skip) const;

  ArrayConfig config_;
  ArrayLayer layer_;
  bool has_totals_ = false;
  bool by_bit_ = false;                              ///< values are those of bits, else of fields
  int values_ = 0;                                   ///< of a window
  int stride_ = 0;                                   ///< elements of a row of weights
  std::vector<std::int16_t> weights_;                ///< rows; or else ...
  std::vector<std::vector<Tap>> taps_;               ///< ... those of each row that are not 0
  std::vector<ArrayMemories::Parameter> parameters_; ///< of each output
  std::vector<std::int32_t> sums_;                   ///< [result columns][rows()]
  std::vector<std::int8_t> bytes_;                   ///< of a window
};

} // namespace deltatwin
