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
  /// outputs, or of max_pool the channels, and the sums of products that they are made of where they are
  /// asked for.
  void row(const ArrayMemories& memories, const ArrayStep& step, std::vector<std::int8_t>& results,
           std::vector<std::int32_t>* sums);

private:
  struct Tap {
    int at; ///< in the windows of a tile, one behind the other
    int weight;
  };
  void read_window(const ArrayMemories& memories, const ArrayWalk& walk, const ArrayWindow& window, int pixel,
                   std::int8_t* bytes) const;
  void sum_dense(const ArrayMemories& memories, const ArrayStep& step);
  void sum_taps(const ArrayMemories& memories, const ArrayStep& step);
  void find_maxima(const ArrayMemories& memories, const ArrayStep& step,
                   std::vector<std::int8_t>& results) const;
  [[nodiscard]] std::size_t skip_of(const ArrayStep& step, int column, int output) const;
  [[nodiscard]] std::int8_t result(const ArrayMemories& memories, int output, std::int32_t sum,
                                   std::int8_t skip) const;

  ArrayConfig config_;
  ArrayLayer layer_;
  int stride_ = 0;                                   ///< elements of a row of weights
  std::vector<std::int16_t> weights_;                ///< rows of outputs; or else ...
  std::vector<std::vector<Tap>> taps_;               ///< ... those of each output that are not 0
  std::vector<ArrayMemories::Parameter> parameters_; ///< of each output
  std::vector<std::int32_t> sums_;                   ///< [result columns][tiles * outputs]
};

} // namespace deltatwin
