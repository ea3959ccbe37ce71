#pragma once
#include "net/graph.h"
#include <cstdint>
#include <memory>
#include <vector>

namespace deltatwin {

/// Bit-exact integer inference of a graph with no notion of time: vectorized over output channels and pixels,
/// on 16-bit operands.
///
///   GraphInference inference(load_graph("resnet8.json"));
///   std::vector<std::int32_t> outputs(images * inference.outputs());
///   inference.run(inputs.data(), images, outputs.data());
class GraphInference {
public:
  /// `variant`: which of the variants that this processor has (net/convolution_kernel.h), 0 the fastest.
  explicit GraphInference(const Graph& graph, std::size_t variant = 0);
  ~GraphInference();
  GraphInference(GraphInference&&) noexcept;
  GraphInference& operator=(GraphInference&&) noexcept;

  /// Elements of the input and of the output.
  [[nodiscard]] std::size_t inputs() const { return inputs_; }
  [[nodiscard]] std::size_t outputs() const { return outputs_; }

  /// Runs `count` images: `inputs` is [count * inputs()], `outputs` is [count * outputs()], both the integers
  /// of their tensors.
  void run(const std::int32_t* inputs, int count, std::int32_t* outputs);
  void run(const std::int8_t* inputs, int count, std::int8_t* outputs);

  /// The integers of any tensor, as the last image had them.
  [[nodiscard]] std::vector<std::int32_t> tensor(std::size_t index) const;

  /// One step, from tensors to a tensor.
  class Step;

private:
  template <class Input, class Output> void run_all(const Input* inputs, int count, Output* outputs);

  std::size_t inputs_ = 0, outputs_ = 0;
  std::vector<int> offsets_;                       ///< of each tensor
  std::size_t input_ = 0, output_ = 0;             ///< in tensors_
  std::vector<std::vector<std::int16_t>> tensors_; ///< less their offsets
  std::vector<std::unique_ptr<Step>> steps_;
};

} // namespace deltatwin
