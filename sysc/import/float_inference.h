#pragma once
#include "import/float_graph.h"
#include <functional>
#include <vector>

namespace deltatwin {

/// A network of real numbers, computed in float32: a convolution's sums begin with the bias and go through
/// input channels, rows and columns of the kernel.
///
///   FloatInference inference(network);
///   inference.run(given);
///   inference.tensor(network.graph.output)[0];
class FloatInference {
public:
  explicit FloatInference(const FloatGraph& network);

  /// `given` is [elements of the input tensor], in its order, not normalized. `see` is told of each node's
  /// results before they are clamped.
  void run(const float* given,
           const std::function<void(std::size_t node, const std::vector<float>& sums)>& see = {});
  /// Of the last run; of the input what it is normalized to.
  [[nodiscard]] const std::vector<float>& tensor(std::size_t index) const { return tensors_[index]; }

private:
  void convolve(std::size_t node);
  void pool(std::size_t node);

  const FloatGraph* network_;
  std::vector<std::vector<float>> tensors_;
  std::vector<std::vector<float>> weights_; ///< of each node, [group][inputs][rows][columns][outputs]
};

} // namespace deltatwin
