#include "net/formats/fields.h"
#include "net/formats/formats.h"
#include "net/formats/operator_fields.h"
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
  field.check_keys({"name", "shape", "bits", "signed", "zero_point", "scale"});
  Tensor tensor;
  tensor.name = field.at("name").name();
  for (const JsonField& size : field.at("shape").elements())
    tensor.shape.push_back(static_cast<int>(any_int(size)));
  tensor.format.bits = any_int(field.at("bits"));
  tensor.format.is_signed = field.at("signed").boolean();
  tensor.format.zero_point = any_int(field.at("zero_point"));
  if (field.has("scale"))
    tensor.scale = static_cast<float>(field.at("scale").number(0, std::numeric_limits<float>::max()));
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

// Fails on a tensor that is no map.
void require_map(const Tensor& tensor, const JsonField& field) {
  if (tensor.shape.size() != 3)
    field.fail("tensor \"" + tensor.name + "\" has " + std::to_string(tensor.shape.size()) +
               " dimensions, expected 3: rows, columns, channels");
}

Window parse_window(const JsonField& field, const Tensor& map) {
  field.check_keys({"rows", "columns", "row_stride", "column_stride", "top", "left", "bottom", "right"});
  Window window;
  window_fields(FieldReader(field), window, map);
  return window;
}

Requantization parse_requantization(const JsonField& field, const Tensor& out, std::size_t channels) {
  field.check_keys({"rounding", "multipliers", "shifts", "low", "high", "thresholds"});
  Requantization requantization;
  requantization_fields(FieldReader(field), requantization, channels, out.format);
  return requantization;
}

Convolution parse_convolution(const JsonField& field, const Tensor& in, const Tensor& out) {
  field.check_keys(
      {"name", "op", "inputs", "output", "window", "groups", "requantization", "bias", "delta", "weights"});
  require_map(in, field.at("inputs"));
  require_map(out, field.at("output"));
  Convolution convolution;
  convolution.outputs = out.shape[2];
  convolution.window = parse_window(field.at("window"), in);
  group_fields(FieldReader(field), convolution, in, out);
  weight_fields(FieldReader(field), convolution, in);
  if (field.has("delta")) {
    const JsonField delta = field.at("delta");
    delta.check_keys({"bits", "shift", "references", "code"});
    delta_fields(FieldReader(delta), convolution.delta.emplace(),
                 static_cast<std::size_t>(convolution.outputs));
  }
  convolution.requantization =
      parse_requantization(field.at("requantization"), out, static_cast<std::size_t>(convolution.outputs));
  return convolution;
}

Pool parse_pool(const JsonField& field, const Tensor& in, const Tensor& out) {
  field.check_keys({"name", "op", "inputs", "output", "kind", "raw", "window", "requantization"});
  require_map(in, field.at("inputs"));
  Pool pool;
  kind_fields(FieldReader(field), pool);
  pool.window = parse_window(field.at("window"), in);
  pool.requantization = parse_requantization(field.at("requantization"), out, 1);
  return pool;
}

Add parse_add(const JsonField& field, const Tensor& out) {
  field.check_keys({"name", "op", "inputs", "output", "left_shift", "first", "second", "requantization"});
  Add add;
  left_shift_field(FieldReader(field), add);
  for (std::size_t i = 0; i < add.inputs.size(); ++i) {
    const JsonField input = field.at(i == 0 ? "first" : "second");
    input.check_keys({"rounding", "multipliers", "shifts"});
    scale_fields(FieldReader(input), add.inputs[i], 1);
  }
  add.output = parse_requantization(field.at("requantization"), out, 1);
  return add;
}

Rescale parse_rescale(const JsonField& field, const Tensor& in, const Tensor& out) {
  field.check_keys({"name", "op", "inputs", "output", "requantization"});
  return {parse_requantization(field.at("requantization"), out, static_cast<std::size_t>(in.shape.back()))};
}

Node parse_node(const JsonField& field, const Graph& graph) {
  const int kind = field.at("op").choice({node_kinds.begin(), node_kinds.end()});
  Node node;
  node.name = field.at("name").name();
  for (const JsonField& input : field.at("inputs").elements())
    node.inputs.push_back(tensor_named(graph, input));
  const std::size_t count = kind == 3 ? 2 : 1;
  if (node.inputs.size() != count)
    field.at("inputs").fail("expected " + std::to_string(count) + (count == 1 ? " tensor" : " tensors") +
                            ", got " + std::to_string(node.inputs.size()));
  node.output = tensor_named(graph, field.at("output"));
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  switch (kind) {
  case 0:
    node.op = parse_dense(field, in, out);
    break;
  case 1:
    node.op = parse_convolution(field, in, out);
    break;
  case 2:
    node.op = parse_pool(field, in, out);
    break;
  case 3:
    node.op = parse_add(field, out);
    break;
  case 4:
    node.op = parse_rescale(field, in, out);
    break;
  default:
    field.check_keys({"name", "op", "inputs", "output"});
    node.op = Reshape{};
  }
  return node;
}

Softmax parse_softmax(const JsonField& field) {
  field.check_keys({"rule", "multiplier", "left_shift"});
  Softmax softmax;
  softmax_fields(FieldReader(field), softmax);
  return softmax;
}

} // namespace

Graph parse_format_2(const JsonField& root, const std::string& origin) {
  root.check_keys({"format", "name", "description", "tensors", "input", "output", "nodes", "softmax"});
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
  if (root.has("softmax"))
    graph.softmax = parse_softmax(root.at("softmax"));
  validate(graph, origin);
  return graph;
}

} // namespace deltatwin
