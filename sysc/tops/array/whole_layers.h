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
  /// An engine, the array or its stage: its design as an array, its memories, its steps.
  struct Engine {
    const ArrayConfig& config;
    const ArrayMemories& memories;
    std::size_t steps;
  };
  /// None where the tables are not those of such a program.
  [[nodiscard]] static std::optional<WholeLayers> of(const Engine& array, const Engine& stage,
                                                     const PixelInput& input);

  /// The image's next row comes in, with all of the image before it done.
  void put_row(const std::vector<std::int8_t>& values);
  /// The image's next step of an engine, 0 the array, 1 the stage, is done.
  void make(std::size_t engine);
  /// The results of the array's latest step, by column and tile.
  void results(std::vector<std::int8_t>& bytes);
  /// Makes the memories what they would be by now.
  void write_back(ArrayMemories& array, ArrayMemories& stage);

private:
  static constexpr int nobody = -1, image_input = -2;
  using Map = std::vector<std::int16_t>;
  struct Layer {
    ArrayLayer does;
    std::size_t engine = 0;
    std::shared_ptr<const LayerKernel> kernel;
    int source = nobody, skip = nobody;      ///< layers, or the input
    int rows = 0;                            ///< of results
    int first_row = 0, row_stride = 1;       ///< of the map, that row 0 reads; from one to the next
    std::vector<int> readers;                ///< layers
    bool in_reader = false;                  ///< results lie in the first one's map
    Map map;                                 ///< that it reads, with padding; its source fills it
    std::ptrdiff_t origin = 0, row_step = 0; ///< of the map: of its first value; from row to row
    Map own;                                 ///< results, where no layer reads them all
    int wanted = 0, made = 0;                ///< rows of the image
  };
  struct Step {
    ArrayStep does;
    int layer = 0; ///< of layers_
    int row = 0;   ///< of the layer's results; with sweeps the block's first one
  };
  struct Walk {
    ArrayConfig config;
    std::vector<Step> steps;
    std::size_t next = 0;
  };
  class Check;

  explicit WholeLayers(const PixelInput& input) : input_(input) {}
  void lay_out();
  /// Where its source writes, from row and column 0 on.
  [[nodiscard]] static MapRows<std::int16_t> map_of(Layer& layer);
  [[nodiscard]] MapRows<std::int16_t> results_of(Layer& layer);
  void make_rows();
  void make_rows(Layer& layer);
  void take_row(const Step& step, std::vector<std::int8_t>& bytes);

  PixelInput input_;
  std::vector<Walk> walks_;   ///< the array's, the stage's
  std::vector<Layer> layers_; ///< of both
  std::vector<int> order_;    ///< in which layers can be made, one behind the other
  std::vector<std::int32_t> sums_;
  std::vector<std::int8_t> image_; ///< the rows that came in last
  int rows_in_ = 0;                ///< of the image
  int lost_ = 0;                   ///< channels of a word of the input, the first ones, that are not kept
  bool had_image_ = false;         ///< a whole one
};

} // namespace deltatwin
