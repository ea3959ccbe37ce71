#pragma once
#include "import/import.h"
#include "import/tflite_model.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace deltatwin {

enum class TfliteFused { none = 0, relu = 1, relu_n1_to_1 = 2, relu6 = 3 };
enum class TflitePadding { same = 0, valid = 1 };

/// A tensor of the file in the graph, or what it stands for.
struct TfliteValue {
  std::size_t tensor = 0;                       ///< of the graph
  int top = 0, left = 0, bottom = 0, right = 0; ///< a PAD that a convolution is to take
  [[nodiscard]] bool padded() const { return top || left || bottom || right; }
};

/// Turns one model into a graph, operator by operator.
class TfliteImporter {
public:
  TfliteImporter(const std::string& text, const std::string& origin)
      : file_(text, origin), origin_(origin), model_(read_tflite(file_)), builder_("TensorFlow Lite") {}

  Import run();

private:
  using Node = TfliteNode;

  [[noreturn]] void refuse(const Node& node, const std::string& what) const;
  [[nodiscard]] const TfliteTensor& input(const Node& node, std::size_t index) const;
  [[nodiscard]] const TfliteTensor& output(const Node& node) const {
    return model_.tensors[static_cast<std::size_t>(node.outputs.at(0))];
  }
  [[nodiscard]] bool has_input(const Node& node, std::size_t index) const {
    return index < node.inputs.size() && node.inputs[index] >= 0;
  }

  void find_needed();
  void convert(const Node& node);
  void convolution(const Node& node);
  void dense(const Node& node);
  void add(const Node& node);
  void pool(const Node& node);
  void mean(const Node& node);
  void pad(const Node& node);
  void rescale(const Node& node);
  void reshape(const Node& node);
  void softmax(const Node& node);

  // Tensors
  [[nodiscard]] std::vector<int> map_shape(const Node& node, const TfliteTensor& tensor) const;
  [[nodiscard]] Format format(const Node& node, const TfliteTensor& tensor) const;
  [[nodiscard]] float scale(const Node& node, const TfliteTensor& tensor) const;
  [[nodiscard]] const TfliteValue& value(const Node& node, std::size_t index, bool padded = false) const;
  std::size_t result(const Node& node, const std::vector<int>& shape);
  std::size_t reshaped(const Node& node, std::size_t tensor, const std::vector<int>& shape);
  [[nodiscard]] std::vector<std::int64_t> constants(const Node& node, std::size_t index) const;

  // Fields of layers
  struct Weights {
    std::vector<std::int16_t> values; ///< as in the file, less their zero point
    std::vector<float> scales;        ///< one, or one an output
    bool is_unsigned = false;
  };
  [[nodiscard]] Weights weights(const Node& node, int outputs, std::size_t dimension) const;
  [[nodiscard]] std::vector<std::int32_t> bias(const Node& node, int outputs) const;
  void clamp(const Node& node, TfliteFused fused, Requantization& requantization) const;
  [[nodiscard]] TfliteFused fused(const Node& node, int field) const;
  void place(const Node& node, int stride_field, TflitePadding padding, Window& window,
             const TfliteValue& from) const;
  [[nodiscard]] TflitePadding padding(const Node& node) const;
  void finish(const Node& node, Convolution convolution, const Weights& weights, std::size_t from,
              std::size_t to, bool float_product, TfliteFused fused);
  NodeReport report(const Node& node, TfliteFused fused = TfliteFused::none) const;
  void prove(const Node& node, NodeReport& report, const Requantization& requantization, std::size_t channel,
             const SumRange& sums) const;

  FlatBuffer file_;
  std::string origin_;
  TfliteModel model_;
  GraphBuilder builder_;
  std::map<std::int64_t, TfliteValue> values_; ///< by the file's tensor
  std::vector<bool> needed_;                   ///< nodes
  std::uint64_t weights_ = 0;
  bool ended_ = false; ///< by a softmax
};

} // namespace deltatwin
