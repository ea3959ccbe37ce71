#include "net/graph_inference.h"
#include "net/inference_steps.h"

namespace deltatwin {

GraphInference::GraphInference(const Graph& graph, std::size_t variant)
    : inputs_(graph.tensors[graph.input].elements()), outputs_(graph.tensors[graph.output].elements()),
      input_(graph.input), output_(graph.output) {
  for (const Tensor& tensor : graph.tensors) {
    tensors_.emplace_back(tensor.elements());
    offsets_.push_back(storage_offset(tensor.format));
  }
  for (const Node& node : graph.nodes) {
    steps_.push_back(make_step(graph, node, convolution_kernels().at(variant)));
    steps_.back()->from = node.inputs[0];
    steps_.back()->from_other = node.inputs.back();
    steps_.back()->to = node.output;
  }
}

GraphInference::~GraphInference() = default;
GraphInference::GraphInference(GraphInference&&) noexcept = default;
GraphInference& GraphInference::operator=(GraphInference&&) noexcept = default;

template <class Input, class Output>
void GraphInference::run_all(const Input* inputs, int count, Output* outputs) {
  const int input_offset = offsets_[input_], output_offset = offsets_[output_];
  for (int image = 0; image < count; ++image, inputs += inputs_, outputs += outputs_) {
    std::vector<std::int16_t>& x = tensors_[input_];
    for (std::size_t i = 0; i < inputs_; ++i)
      x[i] = static_cast<std::int16_t>(inputs[i] - input_offset);
    for (const auto& step : steps_)
      step->run(tensors_[step->from].data(), tensors_[step->from_other].data(), tensors_[step->to].data());
    const std::vector<std::int16_t>& y = tensors_[output_];
    for (std::size_t i = 0; i < outputs_; ++i)
      outputs[i] = static_cast<Output>(y[i] + output_offset);
  }
}

std::vector<std::int32_t> GraphInference::tensor(std::size_t index) const {
  std::vector<std::int32_t> integers(tensors_[index].begin(), tensors_[index].end());
  for (std::int32_t& integer : integers)
    integer += offsets_[index];
  return integers;
}

void GraphInference::run(const std::int32_t* inputs, int count, std::int32_t* outputs) {
  run_all(inputs, count, outputs);
}

void GraphInference::run(const std::int8_t* inputs, int count, std::int8_t* outputs) {
  run_all(inputs, count, outputs);
}

} // namespace deltatwin
