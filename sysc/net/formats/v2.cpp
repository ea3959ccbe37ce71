#include "net/formats/fields.h"
#include "net/formats/formats.h"
#include <limits>

namespace deltatwin {
namespace {

std::size_t tensor_named(const Graph& graph, const JsonField& field) {
  const std::string name = field.name();
  for (std::size_t t = 0; t < graph.tensors.size(); ++t)
    if (graph.tensors[t].name == name)
      return t;
  field.fail("no tensor has the name \"" + name + "\"");
}

// Of a field whose range validate_tensors() knows.
int any_int(const JsonField& field) {
  return static_cast<int>(field.integer(std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}

Tensor parse_tensor(const JsonField& field) {
  field.check_keys({"name", "shape", "bits", "signed", "zero_point"});
  Tensor tensor;
  tensor.name = field.at("name").name();
  for (const JsonField& size : field.at("shape").elements())
    tensor.shape.push_back(static_cast<int>(any_int(size)));
  tensor.format.bits = any_int(field.at("bits"));
  tensor.format.is_signed = field.at("signed").boolean();
  tensor.format.zero_point = any_int(field.at("zero_point"));
  return tensor;
}

int width(const Tensor& tensor, const JsonField& field) {
  if (tensor.elements() > max_width)
    field.fail("tensor \"" + tensor.name + "\" has " + std::to_string(tensor.elements()) +
               " elements, a dense node takes at most " + std::to_string(max_width));
  return static_cast<int>(tensor.elements());
}

Layer parse_dense(const JsonField& field, const Tensor& in, const Tensor& out) {
  field.check_keys({"name", "op", "inputs", "output", "weights", "requantizer", "activation"});
  const JsonField weights = field.at("weights"), requantizer = field.at("requantizer");
  weights.check_keys({"scheme", "delta_bits", "group", "block", "shift", "references", "code", "deltas"});
  requantizer.check_keys({"rounding", "multiplier", "bias", "shift"});
  Layer layer;
  layer.inputs = width(in, field.at("inputs"));
  layer.outputs = width(out, field.at("output"));
  weight_fields(FieldReader(weights), layer);
  FieldReader(requantizer).choice("rounding", layer.requantizer.rounding, {"half_up"});
  requantizer_fields(FieldReader(requantizer), layer.requantizer, layer.outputs);
  FieldReader(field).choice("activation", layer.activation, activation_names);
  return layer;
}

Node parse_node(const JsonField& field, const Graph& graph) {
  (void)field.at("op").choice({"dense"});
  Node node;
  node.name = field.at("name").name();
  for (const JsonField& input : field.at("inputs").elements())
    node.inputs.push_back(tensor_named(graph, input));
  if (node.inputs.size() != 1)
    field.at("inputs").fail("expected 1 tensor, got " + std::to_string(node.inputs.size()));
  node.output = tensor_named(graph, field.at("output"));
  node.op = parse_dense(field, graph.tensors[node.inputs[0]], graph.tensors[node.output]);
  return node;
}

template <class Number> std::string row(const Number* values, std::size_t count) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i)
    text += (i ? "," : "") + std::to_string(static_cast<int>(values[i]));
  return text + "]";
}

template <class Number> std::string row(const std::vector<Number>& values) {
  return row(values.data(), values.size());
}

std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

std::string tensor_text(const Tensor& tensor) {
  return "    {\"name\": " + quoted(tensor.name) + ", \"shape\": " + row(tensor.shape) +
         ", \"bits\": " + std::to_string(tensor.format.bits) +
         ", \"signed\": " + (tensor.format.is_signed ? "true" : "false") +
         ", \"zero_point\": " + std::to_string(tensor.format.zero_point) + "}";
}

std::string op_text(const Layer& layer) {
  std::string text = std::string(", \"activation\": \"") + to_string(layer.activation) +
                     "\",\n     \"requantizer\": {\"rounding\": \"" + to_string(layer.requantizer.rounding) +
                     "\", \"shift\": " + std::to_string(layer.requantizer.shift) +
                     ",\n       \"multiplier\": " + row(layer.requantizer.multiplier) +
                     ",\n       \"bias\": " + row(layer.requantizer.bias) +
                     "},\n     \"weights\": {\"scheme\": \"" + to_string(layer.scheme) +
                     "\", \"delta_bits\": " + std::to_string(layer.delta_bits);
  if (layer.scheme != Scheme::plain) {
    text += std::string(", \"group\": \"") + to_string(layer.group) + "\"";
    if (layer.group == Group::block)
      text += ", \"block\": " + std::to_string(layer.block);
    text +=
        ", \"shift\": " + std::to_string(layer.shift) + ",\n     \"references\": " + row(layer.references);
  }
  text += std::string(", \"code\": \"") + to_string(layer.code) + "\",\n     \"deltas\": [\n";
  const auto inputs = static_cast<std::size_t>(layer.inputs),
             outputs = static_cast<std::size_t>(layer.outputs);
  for (std::size_t o = 0; o < outputs; ++o)
    text += "       " + row(&layer.deltas[o * inputs], inputs) + (o + 1 < outputs ? ",\n" : "\n");
  return text + "     ]}";
}

template <class Op> std::string op_text(const Op&) { throw InputError("only dense nodes can be written"); }

std::string node_text(const Graph& graph, const Node& node) {
  std::string inputs;
  for (const std::size_t input : node.inputs)
    inputs += (inputs.empty() ? "" : ", ") + quoted(graph.tensors[input].name);
  return "    {\"name\": " + quoted(node.name) + ", \"op\": \"dense\", \"inputs\": [" + inputs +
         "], \"output\": " + quoted(graph.tensors[node.output].name) +
         std::visit([](const auto& op) { return op_text(op); }, node.op) + "}";
}

} // namespace

Graph parse_format_2(const JsonField& root, const std::string& origin) {
  root.check_keys({"format", "name", "description", "tensors", "input", "output", "nodes"});
  Graph graph;
  graph.name = root.at("name").name();
  if (root.has("description"))
    graph.description = root.at("description").text();
  for (const JsonField& field : root.at("tensors").elements(10'000))
    graph.tensors.push_back(parse_tensor(field));
  validate_tensors(graph, origin);
  graph.input = tensor_named(graph, root.at("input"));
  graph.output = tensor_named(graph, root.at("output"));
  for (const JsonField& field : root.at("nodes").elements(10'000))
    graph.nodes.push_back(parse_node(field, graph));
  validate(graph, origin);
  return graph;
}

std::string format_2_text(const Graph& graph) {
  std::string text = "{\"format\": \"deltatwin-network-2\",\n \"name\": " + quoted(graph.name) +
                     ",\n \"description\": " + quoted(graph.description) + ",\n \"tensors\": [\n";
  for (std::size_t t = 0; t < graph.tensors.size(); ++t)
    text += tensor_text(graph.tensors[t]) + (t + 1 < graph.tensors.size() ? ",\n" : "],\n");
  text += " \"input\": " + quoted(graph.tensors[graph.input].name) +
          ", \"output\": " + quoted(graph.tensors[graph.output].name) + ",\n \"nodes\": [\n";
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    text += node_text(graph, graph.nodes[n]) + (n + 1 < graph.nodes.size() ? ",\n" : "\n");
  return text + "  ]}\n";
}

} // namespace deltatwin
