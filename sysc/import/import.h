#pragma once
#include "net/graph.h"
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace deltatwin {

/// What a person should know of a node that was imported.
struct NodeReport {
  std::string source;          ///< the operators of the file that it stands for: "CONV_2D, RELU"
  std::uint64_t sums = 0;      ///< that can occur, over all channels; 0: nothing is scaled
  std::uint64_t different = 0; ///< of these, those whose result is not what the file's own arithmetic gives
  std::string remark;          ///< empty, or more of it
};

/// A network from outside, as a graph.
struct Import {
  Graph graph;
  std::string kind;               ///< "TensorFlow Lite"
  std::vector<NodeReport> nodes;  ///< as Graph::nodes
  std::vector<std::string> notes; ///< what is left to the host, and what was assumed
  /// Of element i in the file's order of the input and the output, its place in the tensor; empty: the same.
  std::vector<std::uint32_t> input_order{}, output_order{};
};

/// Reads a quantized network of any kind that is known, told from its content; throws InputError that names
/// file, operator and node, and says what would be possible.
[[nodiscard]] Import import_network(const std::string& path);

// The kinds, one by one: `text` is the file, `origin` names it in errors.
[[nodiscard]] Import import_tflite(const std::string& text, const std::string& origin);
[[nodiscard]] bool is_tflite(const std::string& text);
/// QDQ form (QuantizeLinear and DequantizeLinear around operators on reals) or QOperator form (QLinearConv
/// and so on). Scales become integers so that every sum that can be reached gives what float32 arithmetic
/// gives, half to even, zero point added after rounding; where there are none such the sums that differ are
/// counted. Batches become one input at a time. Maps lie as {rows, columns, channels}: weights, and if need
/// be the input, are permuted. What is before the first QuantizeLinear and behind the last DequantizeLinear
/// (a Softmax) is the host's.
[[nodiscard]] Import import_onnx(const std::string& text, const std::string& origin);
[[nodiscard]] bool is_onnx(const std::string& text);

/// Builds the graph of an import: names of files become names of graphs, each once.
class GraphBuilder {
public:
  explicit GraphBuilder(std::string kind) { import_.kind = std::move(kind); }

  /// Index of a new tensor.
  std::size_t tensor(const std::string& name, const std::vector<int>& shape, const Format& format,
                     float scale);
  void node(const std::string& name, const std::vector<std::size_t>& inputs, std::size_t output,
            decltype(Node::op) op, NodeReport report);
  void note(const std::string& text) { import_.notes.push_back(text); }
  [[nodiscard]] Graph& graph() { return import_.graph; }
  [[nodiscard]] const Graph& graph() const { return import_.graph; }
  [[nodiscard]] const Tensor& tensor(std::size_t index) const { return import_.graph.tensors[index]; }
  /// Validates the graph.
  [[nodiscard]] Import finish(const std::string& origin);

private:
  Import import_;
  std::set<std::string> tensors_, nodes_;
};

/// The name of a network, from its file's: "model" of "x/model.tflite".
[[nodiscard]] std::string network_name(const std::string& path);

/// Sums of low..high for which two functions that never fall, or both never rise, differ.
[[nodiscard]] std::uint64_t count_differences(std::int64_t low, std::int64_t high,
                                              const std::function<std::int64_t(std::int64_t)>& a,
                                              const std::function<std::int64_t(std::int64_t)>& b);

/// Where the sums of a convolution's channel lie, for all inputs of that format.
struct SumRange {
  std::int64_t low = 0, high = 0;
};
[[nodiscard]] SumRange sum_range(const Convolution& convolution, std::size_t channel, const Format& input);

} // namespace deltatwin
