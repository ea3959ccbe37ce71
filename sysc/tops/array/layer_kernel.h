#pragma once
#include "net/convolution_kernel.h"
#include "net/row_requantizer.h"
#include "tops/array/memories.h"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace deltatwin {

/// Rows of a map, or of results: each value 16 bits wide, channels side by side.
template <class Value> struct MapRows {
  Value* first = nullptr; ///< of column 0
  std::ptrdiff_t row_step = 0, column_step = 0;

  [[nodiscard]] Value* row(int index) const { return first + index * row_step; }
  [[nodiscard]] MapRows from(int index) const { return {row(index), row_step, column_step}; }
};

/// A layer's rows in vectors, by the kernels of integer inference: where its tables are those of a
/// convolution whose sums neither wrap nor saturate, or of maxima.
class LayerKernel {
public:
  /// Null where they are not.
  [[nodiscard]] static std::shared_ptr<const LayerKernel>
  of(const ArrayConfig& config, const ArrayMemories& memories, const ArrayLayer& layer);

  [[nodiscard]] int rows() const { return rows_; }         ///< of a window
  [[nodiscard]] int width() const { return width_; }       ///< values of a column of the map
  [[nodiscard]] int channels() const { return channels_; } ///< of these the first ones, which count
  [[nodiscard]] int outputs() const { return outputs_; }   ///< values of a column of the results
  [[nodiscard]] int columns() const { return columns_; }   ///< of the results, those beyond the map included
  [[nodiscard]] int column_stride() const { return column_stride_; }
  /// What stands outside of the map.
  [[nodiscard]] std::int16_t padding() const { return padding_; }
  /// `count` rows of results. The map begins with the first one's window, the next one's is `row_stride` rows
  /// further; `skip` are the values that are added, if any are,
  /// `sums` is room to work in.
  void run(const MapRows<const std::int16_t>& map, int row_stride, int count,
           const MapRows<const std::int16_t>& skip, const MapRows<std::int16_t>& results,
           std::vector<std::int32_t>& sums) const;

private:
  LayerKernel(const ArrayConfig& config, const ArrayLayer& layer);
  [[nodiscard]] bool take_weights(const ArrayMemories& memories);
  [[nodiscard]] bool looks_up() const { return config_.lookup && layer_.add && config_.pages > 0; }
  [[nodiscard]] bool has_even_padding() const;
  /// Whether what is written is what was computed.
  [[nodiscard]] bool keeps_results() const;
  [[nodiscard]] bool keeps_results(int low, int high) const;
  [[nodiscard]] bool counts() const { return layer_.counts && config_.has_thresholds(); }
  [[nodiscard]] int group_channels() const { return config_.word_channels(layer_.read_code); }
  [[nodiscard]] bool put_weight(int output, int row, int column, int group, int byte, std::int16_t weight);
  [[nodiscard]] bool take_parameters(const ArrayMemories& memories);
  [[nodiscard]] bool take_thresholds(const ArrayMemories& memories);
  [[nodiscard]] bool take_addition(const ArrayMemories& memories);
  void sum_blocks(const MapRows<const std::int16_t>& map, int columns, std::int32_t* sums) const;
  void sum_channels(const MapRows<const std::int16_t>& map, std::int32_t* sums) const;
  void find_maxima(const MapRows<const std::int16_t>& map, std::int16_t* results,
                   std::ptrdiff_t column_step) const;
  void add(const std::int16_t* skip, std::int16_t* results) const;

  ArrayConfig config_;
  ArrayLayer layer_;
  int columns_, column_stride_;
  int rows_, width_, channels_, outputs_;
  int blocks_; ///< of kernel_channels
  int sums_step_;
  std::int16_t padding_;
  std::vector<std::int16_t> weights_; ///< [blocks][rows][pairs][16][2], of depthwise layers [taps][outputs]
  std::vector<std::int64_t> reach_;   ///< of each output: what a sum can be at most, references included
  std::vector<std::int32_t> bias_;
  std::unique_ptr<const RowRequantizer> requantizer_;
  std::vector<std::int16_t> added_; ///< [result][skip], both as bytes
};

} // namespace deltatwin
