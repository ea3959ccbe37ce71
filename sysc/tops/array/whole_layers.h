#pragma once
#include "tops/array/layer_kernel.h"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace deltatwin {

/// What a program computes, layer by layer over whole maps, and not before it is asked for: the bytes that
/// row by row through the memories would give, where each step reads the rows that a network's layer reads.
class WholeLayers {
public:
  /// None where the tables are not those of such a program.
  [[nodiscard]] static std::optional<WholeLayers> of(const ArrayConfig& config, const ArrayMemories& memories,
                                                     const PixelInput& input, std::size_t steps);

  /// The image's next row comes in, with all of the image before it done.
  void put_row(const std::vector<std::int8_t>& values);
  /// The image's next step is done.
  void make();
  /// The results of the latest step, by column and tile.
  void results(std::vector<std::int8_t>& bytes);
  /// Makes the memories what they would be by now.
  void write_back(ArrayMemories& memories);

private:
  static constexpr int nobody = -1, image_input = -2;
  using Map = std::vector<std::int16_t>;
  struct Layer {
    ArrayLayer does;
    std::shared_ptr<const LayerKernel> kernel;
    int source = nobody, skip = nobody;      ///< layers, or the input
    int rows = 0;                            ///< of results
    int first_row = 0, row_stride = 1;       ///< of the map, that row 0 reads; from one to the next
    int written = 0;                         ///< channels of the results that are made
    int read_by = nobody;                    ///< the first layer that does
    Map map;                                 ///< that it reads, with padding; its source fills it
    std::ptrdiff_t origin = 0, row_step = 0; ///< of the map: of its first value; from row to row
    Map own;                                 ///< results, where no layer reads them
    int wanted = 0, made = 0;                ///< rows of the image
  };
  struct Step {
    ArrayStep does;
    int row = 0; ///< of the layer's results
  };
  class Check;

  WholeLayers(const ArrayConfig& config, const PixelInput& input) : config_(config), input_(input) {}
  void lay_out();
  /// Where its source writes, from row and column 0 on.
  [[nodiscard]] static MapRows<std::int16_t> map_of(Layer& layer);
  [[nodiscard]] MapRows<std::int16_t> results_of(Layer& layer);
  void make_rows();
  void make_rows(std::size_t layer);
  void take_row(const Step& step, std::vector<std::int8_t>& bytes);

  ArrayConfig config_;
  PixelInput input_;
  std::vector<Layer> layers_;
  std::vector<Step> steps_;
  std::vector<std::int32_t> sums_;
  std::vector<std::int8_t> image_; ///< the rows that came in last
  int rows_in_ = 0;                ///< of the image
  std::size_t next_ = 0;           ///< step
  bool had_image_ = false;         ///< a whole one
};

} // namespace deltatwin
