#include "import/float_graph.h"
#include "base/error.h"
#include "import/import.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

// What a padded shortcut does, as a convolution.
FloatConvolution projection_of(const FloatBlock& block, std::size_t number, int inputs) {
  FloatConvolution layer;
  layer.name = "block" + std::to_string(number) + ".shortcut";
  layer.inputs = inputs;
  layer.outputs = block.outputs();
  layer.stride = block.stride();
  layer.weights.assign(static_cast<std::size_t>(layer.inputs) * static_cast<std::size_t>(layer.outputs), 0);
  layer.bias.assign(static_cast<std::size_t>(layer.outputs), 0);
  const int before = (layer.outputs - inputs) / 2;
  for (int i = 0; i < inputs; ++i)
    layer.weights[static_cast<std::size_t>((before + i) * inputs + i)] = 1;
  return layer;
}

// Puts together what a FloatNetwork is, tensor by tensor.
class Assembly {
public:
  std::size_t tensor(const std::string& name, const std::vector<int>& shape) {
    return builder_.tensor(name, shape, {}, 0);
  }
  std::size_t convolution(const std::string& name, const FloatConvolution& layer, std::size_t input,
                          bool has_relu) {
    const std::vector<int> shape = builder_.tensor(input).shape;
    Convolution node;
    node.outputs = layer.outputs;
    node.window.rows = node.window.columns = layer.kernel;
    node.window.row_stride = node.window.column_stride = layer.stride;
    node.window.top = node.window.left = node.window.bottom = node.window.right = layer.padding;
    FloatNode reals;
    const auto area = static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel),
               inputs = static_cast<std::size_t>(layer.inputs);
    for (std::size_t o = 0; o < static_cast<std::size_t>(layer.outputs); ++o)
      for (std::size_t k = 0; k < area; ++k) // from [inputs][k] to [k][inputs]
        for (std::size_t i = 0; i < inputs; ++i)
          reals.weights.push_back(layer.weights[(o * inputs + i) * area + k]);
    reals.bias = layer.bias;
    const std::vector<int> result = {node.window.result_rows(shape[0]), node.window.result_columns(shape[1]),
                                     layer.outputs};
    return add(layer.name, {input}, tensor(name, result), std::move(node), std::move(reals), has_relu);
  }
  std::size_t sum(const std::string& name, std::size_t a, std::size_t b) {
    const std::vector<int> shape = builder_.tensor(a).shape;
    return add(name + ".add", {a, b}, tensor(name, shape), Add{}, {}, true);
  }
  std::size_t average(const std::string& name, std::size_t input) {
    const std::vector<int> shape = builder_.tensor(input).shape;
    Pool node;
    node.kind = Pool::Kind::average;
    node.window.rows = node.window.row_stride = shape[0];
    node.window.columns = node.window.column_stride = shape[1];
    FloatNode reals;
    reals.count = shape[0] * shape[1];
    return add(name, {input}, tensor(name, {1, 1, shape[2]}), node, std::move(reals), false);
  }
  FloatGraph finish() {
    result_.graph = builder_.graph();
    return std::move(result_);
  }

private:
  std::size_t add(const std::string& name, const std::vector<std::size_t>& inputs, std::size_t output,
                  decltype(Node::op) op, FloatNode reals, bool has_relu) {
    if (has_relu)
      reals.low = 0;
    builder_.node(name, inputs, output, std::move(op), {});
    result_.nodes.push_back(std::move(reals));
    return output;
  }

  GraphBuilder builder_{"float32"};
  FloatGraph result_;
};

std::size_t readers(const Graph& graph, std::size_t tensor) {
  std::size_t count = graph.output == tensor ? 1 : 0;
  for (const Node& node : graph.nodes)
    count += static_cast<std::size_t>(std::count(node.inputs.begin(), node.inputs.end(), tensor));
  return count;
}

constexpr std::size_t none = ~std::size_t{0};

std::size_t maker(const Graph& graph, std::size_t tensor) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].output == tensor)
      return n;
  return none;
}

// The node whose results a clamp may as well be applied to: that before it, or before the maxima and shapes
// that are between.
std::size_t clamped_before(const Graph& graph, std::size_t tensor) {
  while (tensor != graph.input && readers(graph, tensor) == 1) {
    const std::size_t before = maker(graph, tensor);
    const Node& node = graph.nodes[before];
    const auto* pool = std::get_if<Pool>(&node.op);
    if (!std::holds_alternative<Reshape>(node.op) && !(pool && pool->kind == Pool::Kind::max))
      return before;
    tensor = node.inputs[0];
  }
  return none;
}

bool merge_clamp(FloatGraph& network, std::size_t n) {
  Node& node = network.graph.nodes[n];
  if (!std::holds_alternative<Rescale>(node.op))
    return false;
  const std::size_t before = clamped_before(network.graph, node.inputs[0]);
  if (before == none)
    return false;
  FloatNode &to = network.nodes[before], &clamp = network.nodes[n];
  to.low = std::clamp(to.low, clamp.low, clamp.high);
  to.high = std::clamp(to.high, clamp.low, clamp.high);
  return true;
}

bool merge_factors(FloatGraph& network, std::size_t n) {
  Node& node = network.graph.nodes[n];
  if (!scales_channels(node) || node.inputs[0] == network.graph.input ||
      readers(network.graph, node.inputs[0]) != 1)
    return false;
  const std::size_t before = maker(network.graph, node.inputs[0]);
  FloatNode &to = network.nodes[before], &by = network.nodes[n];
  if (!std::holds_alternative<Convolution>(network.graph.nodes[before].op) || to.clamps())
    return false;
  const std::size_t each = to.weights.size() / to.bias.size();
  for (std::size_t o = 0; o < to.bias.size(); ++o) {
    for (std::size_t i = 0; i < each; ++i)
      to.weights[o * each + i] *= by.weights[o];
    to.bias[o] = to.bias[o] * by.weights[o] + by.bias[o];
  }
  to.low = by.low;
  to.high = by.high;
  return true;
}

// Takes a node away, and the tensor that it reads for its own.
void remove(FloatGraph& network, std::size_t n) {
  Graph& graph = network.graph;
  const std::size_t gone = graph.nodes[n].output, instead = graph.nodes[n].inputs[0];
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(n));
  network.nodes.erase(network.nodes.begin() + static_cast<std::ptrdiff_t>(n));
  const auto renamed = [&](std::size_t tensor) {
    return (tensor == gone ? instead : tensor) - ((tensor == gone ? instead : tensor) > gone ? 1 : 0);
  };
  for (Node& node : graph.nodes) {
    for (std::size_t& input : node.inputs)
      input = renamed(input);
    node.output = renamed(node.output);
  }
  graph.input = renamed(graph.input);
  graph.output = renamed(graph.output);
  graph.tensors.erase(graph.tensors.begin() + static_cast<std::ptrdiff_t>(gone));
}

} // namespace

bool FloatNode::clamps() const { return std::isfinite(low) || std::isfinite(high); }

bool scales_channels(const Node& node) {
  const auto* convolution = std::get_if<Convolution>(&node.op);
  if (!convolution)
    return false;
  const Window& window = convolution->window;
  return convolution->groups == convolution->outputs && window.rows == 1 && window.columns == 1 &&
         window.row_stride == 1 && window.column_stride == 1;
}

bool FloatGraph::is_normalized() const {
  const auto differs = [](const std::vector<float>& values, float from) {
    return std::any_of(values.begin(), values.end(), [&](float value) { return value != from; });
  };
  return differs(mean, 0) || differs(deviation, 1);
}

void FloatGraph::normalize(const std::vector<float>& other_mean, const std::vector<float>& other_deviation,
                           const std::string& origin) {
  const auto channels = static_cast<std::size_t>(graph.tensors[graph.input].shape.back());
  const std::size_t count =
      std::max({mean.size(), deviation.size(), other_mean.size(), other_deviation.size()});
  for (const std::size_t size : {mean.size(), deviation.size(), other_mean.size(), other_deviation.size()})
    if (size != 1 && size != channels)
      throw InputError(origin + ": means and deviations for " + std::to_string(size) +
                       " channels, its input has " + std::to_string(channels));
  const auto at = [](const std::vector<float>& values, std::size_t c) {
    return values[values.size() == 1 ? 0 : c];
  };
  std::vector<float> means, deviations;
  for (std::size_t c = 0; c < count; ++c) {
    // ((x - m) / d - mean) / deviation
    const float m = at(other_mean, c), d = at(other_deviation, c);
    means.push_back(m + at(mean, c) * d);
    deviations.push_back(at(deviation, c) * d);
    if (!std::isfinite(means[c]) || !std::isfinite(deviations[c]) || deviations[c] == 0)
      throw InputError(origin + ": what its input is divided by is " + std::to_string(deviations[c]) +
                       ", what is subtracted " + std::to_string(means[c]));
  }
  mean = means;
  deviation = deviations;
  if (is_normalized() && std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
        return std::find(node.inputs.begin(), node.inputs.end(), graph.input) != node.inputs.end() &&
               !std::holds_alternative<Convolution>(node.op);
      }))
    throw InputError(origin + ": what is done to its input can become part of convolutions and products, "
                              "but something else reads it, too; give inputs as the network takes them");
}

void simplify(FloatGraph& network) {
  for (std::size_t n = 0; n < network.graph.nodes.size();)
    if (merge_factors(network, n) || merge_clamp(network, n))
      remove(network, n);
    else
      ++n;
}

FloatGraph float_graph(const FloatNetwork& network) {
  const std::vector<BlockShape> shapes = check_shapes(network, network.name);
  Assembly assembly;
  const std::size_t input = assembly.tensor("image", {network.rows, network.columns, network.planes});
  std::size_t at = assembly.convolution("stem", network.stem, input, true);
  int channels = network.stem.outputs;
  for (std::size_t b = 0; b < network.blocks.size(); ++b) {
    const FloatBlock& block = network.blocks[b];
    const std::string name = "block" + std::to_string(b);
    std::size_t body = at;
    for (std::size_t c = 0; c < block.body.size(); ++c)
      body = assembly.convolution(name + ".body" + std::to_string(c), block.body[c], body,
                                  c + 1 < block.body.size());
    if (block.shortcut != Shortcut::identity)
      at = assembly.convolution(name + ".projection",
                                block.shortcut == Shortcut::padded ? projection_of(block, b, channels)
                                                                   : *block.projection,
                                at, false);
    at = assembly.sum(name, body, at);
    channels = block.outputs();
  }
  at = assembly.average("average", at);
  at = assembly.convolution("logits", network.dense, at, false);
  FloatGraph result = assembly.finish();
  result.graph.name = network.name;
  result.graph.description = network.description;
  result.graph.input = input;
  result.graph.output = at;
  result.graph.softmax = Softmax{};
  result.mean = network.mean;
  result.deviation = network.deviation;
  result.kind = "float32";
  result.file_dims = {1, network.rows, network.columns, network.planes};
  return result;
}

} // namespace deltatwin
