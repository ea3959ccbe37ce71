#pragma once
#include "net/convolution_kernel.h"
#include "net/row_requantizer.h"
#include "tops/array/memories.h"
#include <memory>
#include <vector>

namespace deltatwin {

/// A layer's rows in vectors, by the kernels of integer inference: where its tables are those of a
/// convolution whose sums neither wrap nor saturate.
class RowKernel {
public:
  /// None where they are not.
  [[nodiscard]] static std::unique_ptr<RowKernel> of(const ArrayConfig& config, const ArrayMemories& memories,
                                                     const ArrayLayer& layer);

  /// [columns][tiles * outputs]
  void row(const ArrayMemories& memories, const ArrayStep& step, std::vector<std::int8_t>& results);

private:
  RowKernel(const ArrayConfig& config, const ArrayLayer& layer);
  [[nodiscard]] bool take_weights(const ArrayMemories& memories);
  [[nodiscard]] bool put_weight(int output, int row, int column, int group, int byte, std::int8_t weight);
  [[nodiscard]] bool take_parameters(const ArrayMemories& memories);
  [[nodiscard]] bool take_addition(const ArrayMemories& memories);
  void read_rows(const ArrayMemories& memories, const ArrayStep& step);
  void sum_blocks();
  void sum_channels();

  ArrayConfig config_;
  ArrayLayer layer_;
  int rows_;             ///< of the kernel
  int width_;            ///< bytes of a column
  int columns_;          ///< of the map that a row of results reads
  int outputs_, blocks_; ///< blocks of kernel_channels
  int sums_step_;
  std::vector<std::int16_t> map_;     ///< [rows][columns][width]
  std::vector<std::int16_t> weights_; ///< [blocks][rows][pairs][16][2], of depthwise layers [taps][outputs]
  std::vector<std::int64_t> reach_;   ///< of each output: what a sum can be at most
  std::vector<std::int32_t> bias_, sums_;
  std::vector<std::int16_t> values_;
  std::unique_ptr<RowRequantizer> requantizer_, addition_;
};

} // namespace deltatwin
