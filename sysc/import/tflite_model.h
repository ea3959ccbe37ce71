#pragma once
#include "import/flatbuffer.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deltatwin {

/// The types of a tensor that matter here, by their numbers in TensorFlow Lite's schema.
enum class TfliteType { float32 = 0, int32 = 2, uint8 = 3, int64 = 4, int16 = 7, int8 = 9, int4 = 17 };
[[nodiscard]] std::string to_string(TfliteType type);

/// The operators that matter here, likewise.
enum class TfliteOperator {
  add = 0,
  average_pool_2d = 1,
  conv_2d = 3,
  depthwise_conv_2d = 4,
  dequantize = 6,
  fully_connected = 9,
  max_pool_2d = 17,
  relu = 19,
  relu_n1_to_1 = 20,
  relu6 = 21,
  reshape = 22,
  softmax = 25,
  custom = 32,
  pad = 34,
  transpose = 39,
  mean = 40,
  squeeze = 43,
  padv2 = 60,
  expand_dims = 70,
  quantize = 114
};
[[nodiscard]] std::string to_string(TfliteOperator code);

struct TfliteTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  TfliteType type = TfliteType::float32;
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::int64_t quantized_dimension = 0;
  bool sparse = false;
  std::string_view data; ///< empty: computed
};

struct TfliteNode {
  TfliteOperator code = TfliteOperator::custom;
  std::string custom;                ///< its name
  std::vector<std::int64_t> inputs;  ///< tensors; -1: none
  std::vector<std::int64_t> outputs; ///< tensors
  FlatTable options;                 ///< of this operator; without fields where the file has none
  bool has_options = false;
};

/// A model of one graph, as its file says it; every index is in range.
struct TfliteModel {
  std::string description;
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteNode> nodes;
  std::vector<std::int64_t> inputs, outputs;
};

/// Throws InputError on anything but a whole model of version 3 with one graph.
[[nodiscard]] TfliteModel read_tflite(const FlatBuffer& file);

} // namespace deltatwin
