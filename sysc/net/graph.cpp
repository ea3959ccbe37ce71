#include "net/graph.h"
#include "base/error.h"
#include "base/text.h"
#include "net/formats/fields.h"
#include "net/formats/operator_fields.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace deltatwin {
namespace {

constexpr int most_size = 1 << 15; ///< of a dimension
constexpr std::size_t most_nodes = 1000;
constexpr std::uint64_t most_elements = std::uint64_t{1} << 24; ///< of a tensor
constexpr int widest_format = 16;                               ///< bits

std::string to_text(const Format& format) {
  return std::to_string(format.bits) + (format.is_signed ? " signed" : " unsigned") + " bits, zero point " +
         std::to_string(format.zero_point);
}

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

// Of Node::op, from here on.
void check(const Graph& graph, const Node& node, const Layer& layer, const std::string& at) {
  const FieldChecker fields(at), weights = fields.object("weights");
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  if (in.elements() > max_width || in.elements() != static_cast<std::uint64_t>(layer.inputs))
    fields.fail("inputs", "tensor \"" + in.name + "\" has " + std::to_string(in.elements()) +
                              " elements, expected at most " + std::to_string(max_width) +
                              ", and as many as a neuron has weights: " + std::to_string(layer.inputs));
  if (layer.outputs > max_width || out.shape != std::vector<int>{layer.outputs})
    fields.fail("output", "tensor \"" + out.name + "\" has not the shape [" + std::to_string(layer.outputs) +
                              "], or more than " + std::to_string(max_width) + " elements");
  if (in.format != Format{})
    fields.fail("inputs", "tensor \"" + in.name + "\" has " + to_text(in.format) + "; a dense node reads " +
                              to_text({}));
  fields.choice("activation", layer.activation, activation_names);
  if (const Format result = result_format(layer.activation); out.format != result)
    fields.fail("output", "tensor \"" + out.name + "\" has " + to_text(out.format) + "; activation " +
                              to_string(layer.activation) + " gives " + to_text(result));
  weight_fields(weights, layer);
  check_weights(layer, at + ".weights.deltas");
  const FieldChecker requantizer = fields.object("requantizer");
  if (layer.requantizer.rounding != Rounding::half_up)
    requantizer.fail("rounding", "a dense node rounds half_up");
  requantizer_fields(requantizer, layer.requantizer, layer.outputs);
}

// What an accumulator can hold.
struct Range {
  std::int64_t low = 0, high = 0;
};
constexpr Range int32_range = {std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max()};

bool within(const Range& range, const Range& bounds) {
  return range.low >= bounds.low && range.high <= bounds.high;
}

std::string to_text(const Range& range) {
  return std::to_string(range.low) + ".." + std::to_string(range.high);
}

// Of a tensor's integers less their zero point.
Range offsets(const Format& format) {
  return {format.low() - format.zero_point, format.high() - format.zero_point};
}

void check_shape(const FieldChecker& fields, const Tensor& tensor, const std::vector<int>& shape) {
  if (tensor.shape == shape)
    return;
  std::string text;
  for (const int size : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  fields.fail("output", "tensor \"" + tensor.name + "\" has not the shape [" + text + "]");
}

void check_map(const FieldChecker& fields, const char* key, const Tensor& tensor) {
  if (tensor.shape.size() != 3)
    fields.fail(key, "tensor \"" + tensor.name + "\" has " + std::to_string(tensor.shape.size()) +
                         " dimensions, expected 3: rows, columns, channels");
}

// Where the sums of channel `channel` lie in `sums`.
void check_sums(const FieldChecker& fields, const Requantization& requantization, std::size_t channel,
                const Range& sums) {
  if (!within(sums, int32_range))
    fields.fail("requantization", "the sums of channel " + std::to_string(channel) + " can reach " +
                                      to_text(sums) + ", more than 32 bits hold");
  if (requantization.rounding != Rounding::tflite)
    return;
  const std::int32_t multiplier = requantization.multiplier(channel);
  if (multiplier != 0 && multiplier < (1 << 30))
    fields.fail("requantization", "multiplier " + std::to_string(multiplier) + " of channel " +
                                      std::to_string(channel) +
                                      " is outside 1073741824..2147483647, which rounding tflite takes");
  const int shift = requantization.shift(channel);
  const std::int64_t scale = std::int64_t{1} << (shift < 31 ? 31 - shift : 0);
  if (!within({sums.low * scale, sums.high * scale}, int32_range))
    fields.fail("requantization", "the sums of channel " + std::to_string(channel) + " can reach " +
                                      to_text(sums) + ", which with rounding tflite and a shift of " +
                                      std::to_string(shift) + " leave 32 bits");
}

void check_requantization(const FieldChecker& fields, const Requantization& requantization,
                          std::size_t channels, const Format& format) {
  const FieldChecker inner = fields.object("requantization");
  scale_fields(inner, requantization, channels);
  clamp_fields(inner, requantization, format);
  if (requantization.low > requantization.high)
    inner.fail("low",
               std::to_string(requantization.low) + " is above high, " + std::to_string(requantization.high));
}

void check_window(const FieldChecker& fields, const Window& window, const Tensor& in, const Tensor& out,
                  int channels) {
  window_fields(fields.object("window"), window, in);
  check_shape(fields, out, {window.result_rows(in.shape[0]), window.result_columns(in.shape[1]), channels});
}

void check(const Graph& graph, const Node& node, const Convolution& convolution, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  check_map(fields, "inputs", in);
  check_map(fields, "output", out);
  group_fields(fields, convolution, in, out);
  check_window(fields, convolution.window, in, out, convolution.outputs);
  weight_fields(fields, convolution, in);
  check_requantization(fields, convolution.requantization, static_cast<std::size_t>(convolution.outputs),
                       out.format);
  const Range x = offsets(in.format);
  const std::size_t outputs = convolution.bias.size(), row = convolution.weights.size() / outputs;
  for (std::size_t o = 0; o < outputs; ++o) {
    // Whatever the order of summation: the bias may come first or last.
    Range sums;
    sums.low = std::min(convolution.bias[o], 0);
    sums.high = std::max(convolution.bias[o], 0);
    for (std::size_t i = 0; i < row; ++i) {
      const std::int64_t w = convolution.weights[o * row + i];
      sums.low += std::min(w * x.low, w * x.high);
      sums.high += std::max(w * x.low, w * x.high);
    }
    check_sums(fields, convolution.requantization, o, sums);
  }
}

void check(const Graph& graph, const Node& node, const Pool& pool, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  check_map(fields, "inputs", in);
  kind_fields(fields, pool);
  if (pool.raw && in.format != out.format)
    fields.fail("raw", "tensors \"" + in.name + "\" and \"" + out.name + "\" have different formats");
  check_window(fields, pool.window, in, out, in.shape[2]);
  check_requantization(fields, pool.requantization, 1, out.format);
  Range sums = pool.raw ? Range{in.format.low(), in.format.high()} : offsets(in.format);
  if (pool.kind == Pool::Kind::average) {
    const std::int64_t count = std::int64_t{pool.window.rows} * pool.window.columns;
    sums = {std::min<std::int64_t>(0, sums.low * count), std::max<std::int64_t>(0, sums.high * count)};
  }
  check_sums(fields, pool.requantization, 0, sums);
}

void check(const Graph& graph, const Node& node, const Add& add, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor& out = graph.tensors[node.output];
  left_shift_field(fields, add);
  Range sums;
  for (std::size_t i = 0; i < add.inputs.size(); ++i) {
    const Tensor& in = graph.tensors[node.inputs[i]];
    check_shape(fields, out, in.shape);
    const FieldChecker input = fields.object(i == 0 ? "first" : "second");
    const Requantization& requantization = add.inputs[i];
    scale_fields(input.object("requantization"), requantization, 1);
    if (requantization.low != int32_range.low || requantization.high != int32_range.high)
      input.fail("requantization", "is not clamped");
    Range x = offsets(in.format);
    x = {x.low * (1 << add.left_shift), x.high * (1 << add.left_shift)};
    check_sums(input, requantization, 0, x);
    const auto scaled = [&](std::int64_t sum) {
      return requantized(requantization.rounding, static_cast<std::int32_t>(sum),
                         requantization.multiplier(0), requantization.shift(0));
    };
    const Range result = {scaled(x.low), scaled(x.high)};
    if (!within(result, int32_range))
      input.fail("requantization", "the results can reach " + to_text(result) + ", more than 32 bits hold");
    sums.low += result.low;
    sums.high += result.high;
  }
  check_requantization(fields, add.output, 1, out.format);
  check_sums(fields, add.output, 0, sums);
}

void check(const Graph& graph, const Node& node, const Rescale& rescale, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  check_shape(fields, out, in.shape);
  check_requantization(fields, rescale.requantization, static_cast<std::size_t>(in.shape.back()), out.format);
  for (std::size_t c = 0; c < rescale.requantization.multipliers.size(); ++c)
    check_sums(fields, rescale.requantization, c, offsets(in.format));
}

void check(const Graph& graph, const Node& node, const Reshape&, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  if (in.elements() != out.elements())
    fields.fail("output", "tensor \"" + out.name + "\" has " + std::to_string(out.elements()) +
                              " elements, tensor \"" + in.name + "\" has " + std::to_string(in.elements()));
  if (in.format != out.format)
    fields.fail("output", "tensor \"" + out.name + "\" has " + to_text(out.format) + ", tensor \"" + in.name +
                              "\" has " + to_text(in.format));
}

void check_inputs(const Graph& graph, const Node& node, const std::string& at) {
  const FieldChecker fields(at);
  const std::size_t count = std::holds_alternative<Add>(node.op) ? 2 : 1;
  if (node.inputs.size() != count)
    fields.fail("inputs", "expected " + std::to_string(count) + (count == 1 ? " tensor" : " tensors") +
                              ", got " + std::to_string(node.inputs.size()));
  for (const std::size_t input : node.inputs) {
    // What less its zero point is a 16-bit operand of a multiplier.
    const Tensor& in = graph.tensors[input];
    if (!within(offsets(in.format), {-32768, 32767}))
      fields.fail("inputs", "tensor \"" + in.name + "\" has " + to_text(in.format) +
                                "; its values less the zero point do not fit 16 bits");
  }
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
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const std::string at = place(origin, "nodes", n);
    check_inputs(graph, graph.nodes[n], at);
    std::visit([&](const auto& kind) { check(graph, graph.nodes[n], kind, at); }, graph.nodes[n].op);
  }
  if (graph.softmax)
    check_softmax(*graph.softmax, graph.tensors[graph.output], origin);
}

} // namespace deltatwin
