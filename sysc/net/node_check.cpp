#include "net/node_check.h"
#include "net/formats/operator_fields.h"
#include <algorithm>
#include <limits>

namespace deltatwin {
namespace {

std::string to_text(const Format& format) {
  return std::to_string(format.bits) + (format.is_signed ? " signed" : " unsigned") + " bits, zero point " +
         std::to_string(format.zero_point);
}

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
void check_sums(const FieldChecker& fields, const char* key, const Requantization& requantization,
                std::size_t channel, const Range& sums) {
  if (!within(sums, int32_range))
    fields.fail(key, "the sums of channel " + std::to_string(channel) + " can reach " + to_text(sums) +
                         ", more than 32 bits hold");
  if (requantization.rounding != Rounding::tflite)
    return;
  const int shift = requantization.shift(channel);
  const std::int64_t scale = std::int64_t{1} << (shift < 31 ? 31 - shift : 0);
  if (!within({sums.low * scale, sums.high * scale}, int32_range))
    fields.fail(key, "the sums of channel " + std::to_string(channel) + " can reach " + to_text(sums) +
                         ", which with rounding tflite and a shift of " + std::to_string(shift) +
                         " leave 32 bits");
}

void check_requantization(const FieldChecker& fields, const Requantization& requantization,
                          std::size_t channels, const Format& format) {
  const FieldChecker inner = fields.object("requantization");
  if (requantization.low > requantization.high)
    inner.fail("low",
               std::to_string(requantization.low) + " is above high, " + std::to_string(requantization.high));
  requantization_fields(inner, requantization, channels, format);
  const auto steps = static_cast<std::size_t>(requantization.high - requantization.low);
  for (std::size_t t = 1; t < requantization.thresholds.size(); ++t)
    if (t % steps != 0 && requantization.thresholds[t] < requantization.thresholds[t - 1])
      inner.fail("thresholds[" + std::to_string(t / steps) + "][" + std::to_string(t % steps) + "]",
                 std::to_string(requantization.thresholds[t]) + " is below the one before, " +
                     std::to_string(requantization.thresholds[t - 1]));
}

void check_window(const FieldChecker& fields, const Window& window, const Tensor& in, const Tensor& out,
                  int channels) {
  window_fields(fields.object("window"), window, in);
  check_shape(fields, out, {window.result_rows(in.shape[0]), window.result_columns(in.shape[1]), channels});
}

// Every weight is one of its deltas.
void check_deltas(const FieldChecker& fields, const Convolution& convolution) {
  const StoredDeltas& deltas = *convolution.delta;
  delta_fields(fields.object("delta"), deltas, static_cast<std::size_t>(convolution.outputs));
  const std::size_t outputs = convolution.bias.size(), row = convolution.weights.size() / outputs;
  for (std::size_t i = 0; i < convolution.weights.size(); ++i)
    if (!deltas.delta(i / row, convolution.weights[i]))
      fields.fail("weights[" + std::to_string(i / row) + "][" + std::to_string(i % row) + "]",
                  std::to_string(convolution.weights[i]) + " is not " +
                      std::to_string(deltas.reference(i / row)) + " + d * " +
                      std::to_string(1 << deltas.shift) + " with d in " +
                      std::to_string(lowest_delta(deltas.bits)) + ".." +
                      std::to_string(highest_delta(deltas.bits)) + ", as delta says");
}

void check(const Graph& graph, const Node& node, const Convolution& convolution, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  check_map(fields, "inputs", in);
  check_map(fields, "output", out);
  fields.integer("outputs", convolution.outputs, out.shape[2], out.shape[2]);
  group_fields(fields, convolution, in, out);
  check_window(fields, convolution.window, in, out, convolution.outputs);
  weight_fields(fields, convolution, in);
  if (convolution.delta)
    check_deltas(fields, convolution);
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
    check_sums(fields, "requantization", convolution.requantization, o, sums);
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
  if (pool.kind == Pool::Kind::max && pool.requantization.rounding == Rounding::thresholds)
    fields.fail("requantization.rounding", "a maximum is not counted in thresholds; let a rescale follow");
  Range sums = pool.raw ? Range{in.format.low(), in.format.high()} : offsets(in.format);
  if (pool.kind == Pool::Kind::average) {
    const std::int64_t count = std::int64_t{pool.window.rows} * pool.window.columns;
    sums = {std::min<std::int64_t>(0, sums.low * count), std::max<std::int64_t>(0, sums.high * count)};
  }
  check_sums(fields, "requantization", pool.requantization, 0, sums);
}

void check(const Graph& graph, const Node& node, const Add& add, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor& out = graph.tensors[node.output];
  left_shift_field(fields, add);
  Range sums;
  for (std::size_t i = 0; i < add.inputs.size(); ++i) {
    const Tensor& in = graph.tensors[node.inputs[i]];
    check_shape(fields, out, in.shape);
    const char* const key = i == 0 ? "first" : "second";
    const FieldChecker input = fields.object(key);
    const Requantization& requantization = add.inputs[i];
    scale_fields(input, requantization, 1);
    if (requantization.low != int32_range.low || requantization.high != int32_range.high)
      input.fail("low", "results that are added are not clamped");
    Range x = offsets(in.format);
    x = {x.low * (1 << add.left_shift), x.high * (1 << add.left_shift)};
    check_sums(fields, key, requantization, 0, x);
    const auto scaled = [&](std::int64_t sum) {
      return requantized(requantization.rounding, static_cast<std::int32_t>(sum),
                         requantization.multiplier(0), requantization.shift(0));
    };
    const Range result = {scaled(x.low), scaled(x.high)};
    if (!within(result, int32_range))
      fields.fail(key, "the results can reach " + to_text(result) + ", more than 32 bits hold");
    sums.low += result.low;
    sums.high += result.high;
  }
  check_requantization(fields, add.output, 1, out.format);
  check_sums(fields, "requantization", add.output, 0, sums);
}

void check(const Graph& graph, const Node& node, const Rescale& rescale, const std::string& at) {
  const FieldChecker fields(at);
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  check_shape(fields, out, in.shape);
  check_requantization(fields, rescale.requantization, static_cast<std::size_t>(in.shape.back()), out.format);
  for (std::size_t c = 0; c < rescale.requantization.multipliers.size(); ++c)
    check_sums(fields, "requantization", rescale.requantization, c, offsets(in.format));
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

} // namespace

void validate_node(const Graph& graph, const Node& node, const std::string& at) {
  check_inputs(graph, node, at);
  std::visit([&](const auto& kind) { check(graph, node, kind, at); }, node.op);
}

} // namespace deltatwin
