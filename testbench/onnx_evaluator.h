#pragma once
// ONNX graphs of real numbers, computed node by node as the operators' definitions have them: what says what
// an import should give, and knows nothing of it.
#include <cstdint>
#include <map>
#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace deltatwin {

template <class Real> struct OnnxArray {
  std::vector<std::int64_t> dims;
  std::vector<Real> values;

  [[nodiscard]] std::int64_t dim(std::size_t at) const { return at < dims.size() ? dims[at] : 1; }
};

/// In float, as the file has its numbers, or in double.
///
///   OnnxEvaluator<double> evaluator(model);
///   auto y = evaluator.run({{1, 3, 32, 32}, pixels}).at("output");
template <class Real> class OnnxEvaluator {
public:
  using Array = OnnxArray<Real>;

  /// Computes what depends on constants alone.
  explicit OnnxEvaluator(const onnx::ModelProto& model);
  /// Every value by its name, with the graph's one input.
  [[nodiscard]] std::map<std::string, Array> run(const Array& input) const;

private:
  onnx::GraphProto graph_;
  std::map<std::string, Array> constants_;
  std::vector<int> rest_; ///< nodes that depend on the input
  std::string input_;
};

} // namespace deltatwin
