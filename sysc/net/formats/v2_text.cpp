#include "net/formats/formats.h"
#include "net/formats/operator_fields.h"
#include <array>
#include <cstdio>

namespace deltatwin {
namespace {

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

// With the digits that tell one float from the next.
std::string scale_text(float scale) {
  std::array<char, 32> text = {};
  std::snprintf(text.data(), text.size(), "%.9g", static_cast<double>(scale));
  return text.data();
}

std::string tensor_text(const Tensor& tensor) {
  return "    {\"name\": " + quoted(tensor.name) + ", \"shape\": " + row(tensor.shape) +
         ", \"bits\": " + std::to_string(tensor.format.bits) +
         ", \"signed\": " + (tensor.format.is_signed ? "true" : "false") +
         ", \"zero_point\": " + std::to_string(tensor.format.zero_point) +
         (tensor.scale != 0 ? ", \"scale\": " + scale_text(tensor.scale) : "") + "}";
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

std::string key(const char* name, int value, bool first = false) {
  return std::string(first ? "" : ", ") + "\"" + name + "\": " + std::to_string(value);
}

std::string scale_text(const Requantization& requantization) {
  return std::string("{\"rounding\": \"") + to_string(requantization.rounding) +
         "\", \"multipliers\": " + row(requantization.multipliers) +
         ", \"shifts\": " + row(requantization.shifts);
}

std::string threshold_text(const Requantization& requantization) {
  const auto steps = static_cast<std::size_t>(requantization.high - requantization.low);
  std::string text = "{\"rounding\": \"thresholds\", \"thresholds\": [";
  for (std::size_t at = 0; at < requantization.thresholds.size(); at += steps)
    text += (at ? ",\n       " : "") + row(&requantization.thresholds[at], steps);
  return text + "]";
}

std::string requantization_text(const Requantization& requantization) {
  return ",\n     \"requantization\": " +
         (requantization.rounding == Rounding::thresholds ? threshold_text(requantization)
                                                          : scale_text(requantization)) +
         key("low", requantization.low) + key("high", requantization.high) + "}";
}

std::string window_text(const Window& window) {
  return ",\n     \"window\": {" + key("rows", window.rows, true) + key("columns", window.columns) +
         key("row_stride", window.row_stride) + key("column_stride", window.column_stride) +
         key("top", window.top) + key("left", window.left) + key("bottom", window.bottom) +
         key("right", window.right) + "}";
}

std::string delta_text(const StoredDeltas& deltas) {
  return ",\n     \"delta\": {" + key("bits", deltas.bits, true) + key("shift", deltas.shift) +
         ", \"references\": " + row(deltas.references) + ", \"code\": \"" + to_string(deltas.code) + "\"}";
}

std::string op_text(const Convolution& convolution) {
  std::string text = key("groups", convolution.groups) + window_text(convolution.window) +
                     requantization_text(convolution.requantization) +
                     ",\n     \"bias\": " + row(convolution.bias) +
                     (convolution.delta ? delta_text(*convolution.delta) : "") + ",\n     \"weights\": [\n";
  const std::size_t outputs = convolution.bias.size(), each = convolution.weights.size() / outputs;
  for (std::size_t o = 0; o < outputs; ++o)
    text += "       " + row(&convolution.weights[o * each], each) + (o + 1 < outputs ? ",\n" : "\n");
  return text + "     ]";
}

std::string op_text(const Pool& pool) {
  const bool average = pool.kind == Pool::Kind::average;
  return std::string(", \"kind\": \"") + (average ? "average\"" : "max\"") +
         (pool.raw ? ", \"raw\": true" : "") + window_text(pool.window) +
         requantization_text(pool.requantization);
}

std::string op_text(const Add& add) {
  return key("left_shift", add.left_shift) + ",\n     \"first\": " + scale_text(add.inputs[0]) +
         "},\n     \"second\": " + scale_text(add.inputs[1]) + "}" + requantization_text(add.output);
}

std::string op_text(const Rescale& rescale) { return requantization_text(rescale.requantization); }

std::string op_text(const Reshape&) { return ""; }

std::string softmax_text(const Softmax& softmax) {
  if (softmax.rule == Softmax::Rule::real)
    return "{\"rule\": \"real\"}";
  return "{\"rule\": \"tflite\"" + key("multiplier", softmax.multiplier) +
         key("left_shift", softmax.left_shift) + "}";
}

std::string node_text(const Graph& graph, const Node& node) {
  std::string inputs;
  for (const std::size_t input : node.inputs)
    inputs += (inputs.empty() ? "" : ", ") + quoted(graph.tensors[input].name);
  return "    {\"name\": " + quoted(node.name) + ", \"op\": \"" + node_kinds[node.op.index()] +
         "\", \"inputs\": [" + inputs + "], \"output\": " + quoted(graph.tensors[node.output].name) +
         std::visit([](const auto& op) { return op_text(op); }, node.op) + "}";
}

} // namespace

std::string format_2_text(const Graph& graph) {
  std::string text = "{\"format\": \"deltatwin-network-2\",\n \"name\": " + quoted(graph.name) +
                     ",\n \"description\": " + quoted(graph.description) + ",\n \"tensors\": [\n";
  for (std::size_t t = 0; t < graph.tensors.size(); ++t)
    text += tensor_text(graph.tensors[t]) + (t + 1 < graph.tensors.size() ? ",\n" : "],\n");
  text += " \"input\": " + quoted(graph.tensors[graph.input].name) +
          ", \"output\": " + quoted(graph.tensors[graph.output].name) + ",\n \"nodes\": [\n";
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    text += node_text(graph, graph.nodes[n]) + (n + 1 < graph.nodes.size() ? ",\n" : "\n");
  return text + "  ]" + (graph.softmax ? ",\n \"softmax\": " + softmax_text(*graph.softmax) : "") + "}\n";
}

} // namespace deltatwin
