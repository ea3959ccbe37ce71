#pragma once
#include "net/convolution_kernel.h"
#include "net/graph_inference.h"
#include "net/row_requantizer.h"

namespace deltatwin {

class GraphInference::Step {
public:
  virtual ~Step() = default;
  /// `y` is [elements of the result], as are the inputs of theirs; b: the second one's, of an addition.
  virtual void run(const std::int16_t* a, const std::int16_t* b, std::int16_t* y) = 0;

  std::size_t from = 0, from_other = 0, to = 0; ///< in the tensors of inference
};

/// The step of a node.
[[nodiscard]] std::unique_ptr<GraphInference::Step> make_step(const Graph& graph, const Node& node,
                                                              const ConvolutionKernels& kernels);

/// Of a convolution, whole or in groups (net/convolution_steps.cpp).
[[nodiscard]] std::unique_ptr<GraphInference::Step> make_convolution_step(const Convolution& convolution,
                                                                          const Tensor& in, const Tensor& out,
                                                                          const ConvolutionKernels& kernels);

} // namespace deltatwin
