#include "net/graph.h"
#include "base/error.h"
#include "base/text.h"
#include "net/formats/fields.h"
#include "net/formats/operator_fields.h"
#include "net/node_check.h"
#include <cmath>
#include <set>

namespace deltatwin {
namespace {

constexpr int most_size = 1 << 15; ///< of a dimension
constexpr std::size_t most_nodes = 1000;
constexpr std::uint64_t most_elements = std::uint64_t{1} << 24; ///< of a tensor
constexpr int widest_format = 16;                               ///< bits

std::string place(const std::string& origin, const char* list, std::size_t index) {
  return origin + ": " + list + "[" + std::to_string(index) + "]";
}

void check_name(const std::string& name, const std::string& at, std::set<std::string>& seen) {
  if (const std::string what = name_complaint(name); !what.empty())
    throw InputError(at + ".name: " + what);
  if (!seen.insert(name).second)
    throw InputError(at + ".name: \"" + name + "\" stands there twice");
}

void check_tensor(const Tensor& tensor, const std::string& at) {
  const FieldChecker fields(at);
  if (tensor.shape.empty() || tensor.shape.size() > 4)
    fields.fail("shape", "expected 1 to 4 dimensions, got " + std::to_string(tensor.shape.size()));
  for (std::size_t d = 0; d < tensor.shape.size(); ++d)
    fields.integer("shape[" + std::to_string(d) + "]", tensor.shape[d], 1, most_size);
  if (tensor.elements() > most_elements)
    fields.fail("shape", "has more than " + std::to_string(most_elements) + " elements");
  fields.integer("bits", tensor.format.bits, 1, widest_format);
  fields.integer("zero_point", tensor.format.zero_point, tensor.format.low(), tensor.format.high());
  if (!(tensor.scale >= 0 && std::isfinite(tensor.scale)))
    fields.fail("scale", "expected a positive number, or 0: not known");
}

// Every tensor is the input or written by one node, before it is read.
void check_edges(const Graph& graph, const std::string& origin) {
  std::vector<bool> written(graph.tensors.size());
  const auto tensor = [&](std::size_t index, const std::string& at) {
    if (index >= graph.tensors.size())
      throw InputError(at + ": there is no tensor " + std::to_string(index));
    return "\"" + graph.tensors[index].name + "\"";
  };
  (void)tensor(graph.input, origin + ": input");
  (void)tensor(graph.output, origin + ": output");
  written[graph.input] = true;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const std::string at = place(origin, "nodes", n);
    for (const std::size_t input : node.inputs)
      if (const std::string name = tensor(input, at + ".inputs"); !written[input])
        throw InputError(at + ".inputs: tensor " + name + " is read before a node writes it");
    if (const std::string name = tensor(node.output, at + ".output"); written[node.output])
      throw InputError(at + ".output: tensor " + name + " is written already");
    written[node.output] = true;
  }
  for (std::size_t t = 0; t < written.size(); ++t)
    if (!written[t])
      throw InputError(place(origin, "tensors", t) + ": no node writes it");
  if (graph.output == graph.input)
    throw InputError(origin + ": output: it is the input");
}

void check_softmax(const Softmax& softmax, const Tensor& output, const std::string& origin) {
  const FieldChecker fields(origin + ": softmax");
  softmax_fields(fields, softmax);
  if (softmax.rule == Softmax::Rule::real && output.scale == 0)
    fields.fail("rule", "the output tensor has no scale");
}

std::uint64_t multiplications(const Graph&, const Node&, const Layer& layer) { return layer.macs(); }
std::uint64_t multiplications(const Graph& graph, const Node& node, const Convolution& convolution) {
  const std::vector<int>& map = graph.tensors[node.output].shape;
  return convolution.weights.size() * static_cast<std::uint64_t>(map[0]) * static_cast<std::uint64_t>(map[1]);
}
template <class Op> std::uint64_t multiplications(const Graph&, const Node&, const Op&) { return 0; }

std::uint64_t stored(const Layer& layer) { return layer.deltas.size(); }
std::uint64_t stored(const Convolution& convolution) { return convolution.weights.size(); }
template <class Op> std::uint64_t stored(const Op&) { return 0; }

} // namespace

bool operator==(const Format& a, const Format& b) {
  return a.bits == b.bits && a.is_signed == b.is_signed && a.zero_point == b.zero_point;
}

std::uint64_t Tensor::elements() const {
  std::uint64_t count = 1;
  for (const int size : shape)
    count *= static_cast<std::uint64_t>(size);
  return count;
}

std::uint64_t Node::weights() const {
  return std::visit([](const auto& kind) { return stored(kind); }, op);
}

std::uint64_t Graph::macs(const Node& node) const {
  return std::visit([&](const auto& kind) { return multiplications(*this, node, kind); }, node.op);
}

std::uint64_t Graph::macs() const {
  std::uint64_t count = 0;
  for (const Node& node : nodes)
    count += macs(node);
  return count;
}

std::uint64_t Graph::weights() const {
  std::uint64_t count = 0;
  for (const Node& node : nodes)
    count += node.weights();
  return count;
}

Format result_format(Activation activation) { return {activation == Activation::none ? 16 : 8, true, 0}; }

void validate_tensors(const Graph& graph, const std::string& origin) {
  std::set<std::string> names;
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    const std::string at = place(origin, "tensors", t);
    check_name(graph.tensors[t].name, at, names);
    check_tensor(graph.tensors[t], at);
  }
}

void validate(const Graph& graph, const std::string& origin) {
  if (const std::string what = name_complaint(graph.name); !what.empty())
    throw InputError(origin + ": name: " + what);
  if (graph.nodes.empty() || graph.nodes.size() > most_nodes)
    throw InputError(origin + ": nodes: expected 1 to " + std::to_string(most_nodes) + ", got " +
                     std::to_string(graph.nodes.size()));
  validate_tensors(graph, origin);
  std::set<std::string> node_names;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    check_name(graph.nodes[n].name, place(origin, "nodes", n), node_names);
  check_edges(graph, origin);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    validate_node(graph, graph.nodes[n], place(origin, "nodes", n));
  if (graph.softmax)
    check_softmax(*graph.softmax, graph.tensors[graph.output], origin);
}

} // namespace deltatwin
