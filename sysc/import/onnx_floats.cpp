// ONNX networks of real numbers: what moves numbers is as in quantized ones, what computes is kept as it is.
#include "base/error.h"
#include "base/text.h"
#include "import/float_graph.h"
#include "import/import.h"
#include "import/onnx_attempt.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace deltatwin {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const std::string possible = "possible in a float network are Conv, Gemm, MatMul, BatchNormalization, Relu, "
                             "Clip, Add, Sub, Mul and Div "
                             "of constants, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, "
                             "ReduceMean, Pad, what only changes "
                             "shapes, and a Softmax at the end";

class OnnxFloatReader : public OnnxTranslator {
public:
  OnnxFloatReader(const OnnxModel& model, OnnxBuilder& builder, const OnnxAttempt& attempt)
      : OnnxTranslator(model, builder, attempt.shape) {}

  /// The network, once all nodes are translated.
  FloatGraph finish(const OnnxModel& model, const OnnxAttempt& attempt);

private:
  Operand result_of(const Context& context, const std::string& op) override;

  // Inputs.
  Operand map_of(const Context& context, std::size_t at);
  std::vector<float> reals_of(const Context& context, std::size_t at, const char* what) const;
  void settle_input(const Context& context, const Operand& input);

  // Results.
  std::size_t emit(const Context& context, const std::vector<std::size_t>& inputs,
                   const std::vector<int>& shape, decltype(Node::op) op, FloatNode reals);
  Operand result(const Operand& like, std::size_t tensor, View view) const;
  Operand placed_result(const Context& context, const Operand& x, Placed placed,
                        const std::vector<float>& weights, const std::vector<float>& bias);
  Operand clamped_reals(const Context& context, float low, float high);
  Operand by_channels(const Context& context, const Operand& x, const std::vector<float>& factors,
                      const std::vector<float>& offsets);

  Operand convolve_reals(const Context& context);
  Operand product_of_reals(const Context& context);
  Operand gemm_of_reals(const Context& context);
  Operand normalize_reals(const Context& context);
  Operand arithmetic(const Context& context);
  Operand sum_of_reals(const Context& context);
  Operand pool_of_reals(const Context& context, const std::string& op);

  std::vector<FloatNode> nodes_;
  std::vector<float> mean_ = {0}, deviation_ = {1}; ///< of the input, once it was read
  bool input_is_read_ = false;
};

std::vector<float> OnnxFloatReader::reals_of(const Context& context, std::size_t at, const char* what) const {
  const OnnxTensor& tensor = constant(context, at, what);
  if (tensor.is_integer())
    context.fail(std::string(what) + " is of " + to_string(tensor.type) +
                 "; a network that is quantized already is for deltatwin import");
  std::vector<float> values(tensor.elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(tensor.real(i));
    if (!std::isfinite(values[i]))
      context.fail(std::string(what) + " is no finite number");
  }
  return values;
}

// What was done to the input before, as a mean and a deviation of each channel.
void OnnxFloatReader::settle_input(const Context& context, const Operand& input) {
  const int channels = builder_.tensor(builder_.graph().input).shape.back();
  std::vector<float> mean = {0}, deviation = {1};
  const auto widen = [](std::vector<float>& values, std::size_t count) {
    if (values.size() == 1)
      values.resize(count, values[0]);
  };
  for (const RealStep& step : input.steps) {
    if (step.values.size() > 1) {
      if (step.values.size() != static_cast<std::size_t>(channels))
        context.fail("its input is changed by " + std::to_string(step.values.size()) +
                     " numbers, expected one, or one for each of " + std::to_string(channels) + " channels");
      widen(mean, step.values.size());
      widen(deviation, step.values.size());
    }
    for (std::size_t c = 0; c < mean.size(); ++c) {
      const float value = step.value(c);
      if (step.kind == RealStep::Kind::add)
        mean[c] -= value * deviation[c];
      else if (step.kind == RealStep::Kind::multiply)
        deviation[c] /= value;
      else
        deviation[c] *= value;
    }
  }
  if (input_is_read_ && (mean != mean_ || deviation != deviation_))
    context.fail("the network's input is read in two ways, with other factors or constants; possible is one");
  input_is_read_ = true;
  mean_ = mean;
  deviation_ = deviation;
}

// Reals that the network computes, or its input.
OnnxOperand OnnxFloatReader::map_of(const Context& context, std::size_t at) {
  Operand x = input(context, at);
  if (x.kind == Kind::input) {
    settle_input(context, x);
    x.kind = Kind::reals;
    x.tensor = builder_.graph().input;
    x.steps.clear();
    return x;
  }
  if (x.kind != Kind::reals)
    context.fail(is_constant(x) ? "it reads a constant where it should read what the network computes"
                                : "a Softmax is before it; possible is one at the end");
  return x;
}

std::size_t OnnxFloatReader::emit(const Context& context, const std::vector<std::size_t>& inputs,
                                  const std::vector<int>& shape, decltype(Node::op) op, FloatNode reals) {
  const std::size_t output = builder_.add_tensor(context.node().outputs[0], shape, {}, 0);
  if (!std::isinf(reals.low) && reals.low >= 0)
    builder_.limit(output, 0, 127); // nothing below 0: a padding of zeros never wins
  builder_.add_node(context.name(), inputs, output, std::move(op), {});
  nodes_.resize(builder_.graph().nodes.size() - 1); // shapes may have come between
  nodes_.push_back(std::move(reals));
  return output;
}

OnnxOperand OnnxFloatReader::result(const Operand& like, std::size_t tensor, View view) const {
  Operand made = like;
  made.kind = Kind::reals;
  made.tensor = tensor;
  made.view = std::move(view);
  made.padding = {};
  made.sums.reset();
  return made;
}

OnnxOperand OnnxFloatReader::placed_result(const Context& context, const Operand& x, Placed placed,
                                           const std::vector<float>& weights,
                                           const std::vector<float>& bias) {
  FloatNode reals;
  reals.weights.resize(placed.convolution.weights.size());
  for (std::size_t at = 0; at < weights.size(); ++at)
    reals.weights[placed.places[at]] = weights[at];
  reals.bias = bias;
  reals.bias.resize(placed.convolution.bias.size());
  const std::size_t output =
      emit(context, {placed.input}, placed.shape, std::move(placed.convolution), std::move(reals));
  return result(x, output, std::move(placed.view));
}

OnnxOperand OnnxFloatReader::convolve_reals(const Context& context) {
  const Operand x = map_of(context, 0);
  const std::vector<float> weights = reals_of(context, 1, "a weight");
  Placed placed = placed_convolution(context, x, constant(context, 1, "a weight").dims);
  std::vector<float> bias;
  if (has_input(context, 2)) {
    bias = reals_of(context, 2, "a bias");
    if (bias.size() != placed.convolution.bias.size())
      context.fail("its bias has " + std::to_string(bias.size()) + " elements, expected " +
                   std::to_string(placed.convolution.bias.size()));
  }
  return placed_result(context, x, std::move(placed), weights, bias);
}

OnnxOperand OnnxFloatReader::product_of_reals(const Context& context) {
  if (is_constant(input(context, 0)) || !is_constant(input(context, 1)))
    context.fail("possible is a product of what the network computes and, second, a constant matrix");
  const Operand x = map_of(context, 0);
  const std::vector<float> weights = reals_of(context, 1, "a weight");
  return placed_result(context, x,
                       placed_product(context, x, false, constant(context, 1, "a weight").dims, false),
                       weights, {});
}

OnnxOperand OnnxFloatReader::gemm_of_reals(const Context& context) {
  const Operand x = map_of(context, 0);
  std::vector<float> weights = reals_of(context, 1, "a weight");
  const float alpha = context.real("alpha", 1), beta = context.real("beta", 1);
  if (!std::isfinite(alpha) || !std::isfinite(beta))
    context.fail("alpha or beta is no finite number");
  if (x.view.rank() != 2)
    context.fail("it reads " + std::to_string(x.view.rank()) +
                 " dimensions, expected 2; put a Flatten before it");
  for (float& weight : weights)
    weight *= alpha;
  Placed placed = placed_product(context, x, context.integer("transA", 0) != 0,
                                 constant(context, 1, "a weight").dims, context.integer("transB", 0) != 0);
  std::vector<float> bias;
  if (has_input(context, 2)) {
    (void)reals_of(context, 2, "a bias");
    bias = by_channel(context, placed.view, placed.convolution.outputs, constant(context, 2, "a bias"));
    bias.resize(placed.convolution.bias.size(), bias[0]);
    for (float& value : bias)
      value *= beta;
  }
  return placed_result(context, x, std::move(placed), weights, bias);
}

// factor * x + offset, of each channel.
OnnxOperand OnnxFloatReader::by_channels(const Context& context, const Operand& x,
                                         const std::vector<float>& factors,
                                         const std::vector<float>& offsets) {
  std::size_t tensor = x.tensor;
  std::vector<int> shape = builder_.tensor(tensor).shape;
  const int channels = shape.back();
  if (shape.size() != 3)
    shape = {static_cast<int>(builder_.tensor(tensor).elements()) / channels, 1, channels};
  tensor = builder_.shaped(tensor, shape);
  Convolution convolution;
  convolution.groups = convolution.outputs = channels;
  convolution.weights.resize(static_cast<std::size_t>(channels), 1);
  convolution.bias.resize(static_cast<std::size_t>(channels));
  FloatNode reals;
  reals.weights = factors;
  reals.bias = offsets;
  reals.weights.resize(convolution.bias.size(), factors[0]);
  reals.bias.resize(convolution.bias.size(), offsets[0]);
  return result(x, emit(context, {tensor}, shape, std::move(convolution), std::move(reals)), x.view);
}

OnnxOperand OnnxFloatReader::normalize_reals(const Context& context) {
  const Normalization by = normalization(context);
  const Operand x = map_of(context, 0);
  std::vector<std::int64_t> dims(static_cast<std::size_t>(x.view.rank()), 1);
  if (dims.size() < 2)
    context.fail("it reads " + std::to_string(dims.size()) + " dimensions, expected a batch and channels");
  dims[1] = static_cast<std::int64_t>(by.factors.size());
  if (x.tensor == builder_.graph().input && dims.size() > 2)
    (void)builder_.map(context, x); // channels come last
  const int channels = builder_.tensor(x.tensor).shape.back();
  const auto values = [&](const std::vector<float>& reals) {
    return by_channel(context, x.view, channels, OnnxTensor::reals(dims, reals));
  };
  return by_channels(context, x, values(by.factors), values(by.offsets));
}

OnnxOperand OnnxFloatReader::arithmetic(const Context& context) {
  const std::string& op = context.node().op;
  const bool first = is_constant(input(context, 0)), second = is_constant(input(context, 1));
  if (first && second)
    return OnnxTranslator::result_of(context, op);
  if (!first && !second) {
    if (op != "Add")
      context.fail("it joins two tensors; possible is Add of two, and " + op + " by a constant");
    return sum_of_reals(context);
  }
  if (first && op == "Div")
    context.fail("it divides by what the network computes");
  const std::size_t at = first ? 1 : 0;
  const OnnxTensor& values = constant(context, 1 - at, "a constant");
  if (values.is_integer())
    context.fail("a constant is of " + to_string(values.type) + ", expected float");
  Operand x = input(context, at);
  if (x.kind == Kind::input && !(first && op == "Sub")) {
    // Which channel a value is of can be told once channels come last.
    std::vector<int> along;
    for (std::size_t d = 0; d < values.dims.size(); ++d)
      if (values.dims[d] != 1)
        along.push_back(x.view.rank() - static_cast<int>(values.dims.size() - d));
    if (values.elements() > 1 && along.size() == 1 && along[0] == 1 && x.view.rank() == 4 &&
        !x.view.is_in_order({0, 2, 3, 1}))
      throw OnnxRelayout{x.view, {0, 2, 3, 1}};
    if (along.size() > 1)
      context.fail("a constant has " + std::to_string(values.elements()) +
                   " numbers along several dimensions; possible are one, or one a channel");
    const RealStep::Kind kind = op == "Div"   ? RealStep::Kind::divide
                                : op == "Mul" ? RealStep::Kind::multiply
                                              : RealStep::Kind::add;
    return of_input(context, x, input(context, 1 - at), kind, op == "Sub" ? -1.0f : 1.0f);
  }
  x = map_of(context, at);
  std::vector<float> numbers = by_channel(context, x.view, builder_.tensor(x.tensor).shape.back(), values);
  if (op == "Add")
    return by_channels(context, x, {1}, numbers);
  if (op == "Sub") {
    for (float& number : numbers)
      number *= first ? 1.0f : -1.0f;
    return by_channels(context, x, {first ? -1.0f : 1.0f}, numbers);
  }
  for (float& number : numbers) {
    if (op == "Div" && number == 0)
      context.fail("it divides by 0");
    number = op == "Div" ? 1 / number : number;
  }
  return by_channels(context, x, numbers, {0});
}

OnnxOperand OnnxFloatReader::sum_of_reals(const Context& context) {
  if (context.node().inputs.size() != 2)
    context.fail("it adds " + std::to_string(context.node().inputs.size()) + " tensors; possible are two");
  const Operand a = map_of(context, 0), b = map_of(context, 1);
  if (a.view.dims() != b.view.dims())
    context.fail("its tensors have different dimensions; possible are equal ones");
  if (!(a.view == b.view))
    context.fail(
        "its tensors lie in different orders in memory (a Transpose or Reshape is before one of them)");
  const std::vector<int> shape = builder_.tensor(a.tensor).shape;
  const std::size_t other = builder_.shaped(b.tensor, shape);
  return result(a, emit(context, {a.tensor, other}, shape, Add{}, {}), a.view);
}

OnnxOperand OnnxFloatReader::clamped_reals(const Context& context, float low, float high) {
  if (!(low <= high))
    context.fail("it clamps to " + shortest(low) + " to " + shortest(high));
  const Operand x = map_of(context, 0);
  FloatNode reals;
  reals.low = low;
  reals.high = high;
  return result(x, emit(context, {x.tensor}, builder_.tensor(x.tensor).shape, Rescale{}, std::move(reals)),
                x.view);
}

OnnxOperand OnnxFloatReader::pool_of_reals(const Context& context, const std::string& op) {
  const std::string& name = context.node().inputs.empty() ? op : context.node().inputs[0];
  const Operand x = map_of(context, 0);
  operands_[name] = x; // no input any more, for what reads it as a quantized network's
  Operand pooled = OnnxTranslator::result_of(context, op);
  if (pooled.kind != Kind::sums)
    return pooled; // a maximum
  const OnnxSums& sums = *pooled.sums;
  FloatNode reals;
  reals.count = sums.mean_of != 0 ? sums.mean_of : static_cast<int>(sums.steps[0].value(0));
  return result(pooled, emit(context, sums.inputs, sums.shape, std::get<Pool>(sums.op), std::move(reals)),
                pooled.view);
}

OnnxOperand OnnxFloatReader::result_of(const Context& context, const std::string& op) {
  static const std::set<std::string> moves = {"Cast",   "Concat",   "Constant",  "Dropout",  "Flatten",
                                              "Gather", "Identity", "Pow",       "Reshape",  "Shape",
                                              "Slice",  "Squeeze",  "Transpose", "Unsqueeze"};
  static const std::set<std::string> pools = {"AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool",
                                              "ReduceMean"};
  static const std::set<std::string> at_end = {"ArgMax", "LogSoftmax", "Sigmoid", "TopK"};
  if (moves.count(op) > 0)
    return OnnxTranslator::result_of(context, op);
  if (pools.count(op) > 0)
    return pool_of_reals(context, op);
  if (op == "Softmax") {
    operands_[context.node().inputs.empty() ? op : context.node().inputs[0]] = map_of(context, 0);
    return softmax(context);
  }
  if (at_end.count(op) > 0) {
    Operand operand = input(context, 0).kind == Kind::probabilities ? input(context, 0) : map_of(context, 0);
    operand.host = op;
    return operand;
  }
  if (op == "Pad") {
    operands_[context.node().inputs.empty() ? op : context.node().inputs[0]] = map_of(context, 0);
    return pad(context);
  }
  if (op == "Conv")
    return convolve_reals(context);
  if (op == "MatMul")
    return product_of_reals(context);
  if (op == "Gemm")
    return gemm_of_reals(context);
  if (op == "BatchNormalization")
    return normalize_reals(context);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div")
    return arithmetic(context);
  if (op == "Sum")
    return sum_of_reals(context);
  if (op == "Relu")
    return clamped_reals(context, 0, infinity);
  if (op == "Clip") {
    const float low = has_input(context, 1) ? scalar(context, 1, "the least value")
                                            : context.real("min", -infinity),
                high = has_input(context, 2) ? scalar(context, 2, "the greatest value")
                                             : context.real("max", infinity);
    return clamped_reals(context, low, high);
  }
  if (op.find("Quant") != std::string::npos || op.find("Linear") != std::string::npos)
    context.fail("the network is quantized already: deltatwin import reads it");
  context.fail("there is no such operator here; " + possible);
}

FloatGraph OnnxFloatReader::finish(const OnnxModel& model, const OnnxAttempt& attempt) {
  const std::string& name = model.outputs[0].name;
  const Operand* output = find(name);
  const std::string at = builder_.origin() + ": output \"" + printable(name) + "\"";
  if (!output)
    throw InputError(at + " is written by no node");
  if (output->kind != Kind::reals && output->kind != Kind::probabilities)
    throw InputError(at + " does not depend on what the network computes; there is nothing to quantize");
  if (output->padding.any())
    throw InputError(at + " is padded; possible are Pads before convolutions and average pools");
  FloatGraph network;
  network.graph = builder_.graph();
  if (network.graph.nodes.empty())
    throw InputError(builder_.origin() + ": holds no layer that could be quantized");
  network.graph.output = output->tensor;
  network.nodes = std::move(nodes_);
  network.nodes.resize(network.graph.nodes.size());
  for (Node& node : network.graph.nodes)
    if (auto* convolution = std::get_if<Convolution>(&node.op)) {
      convolution->weights.clear();
      convolution->bias.clear();
    }
  network.graph.name = network_name(builder_.origin());
  network.kind = "ONNX";
  network.file_dims = attempt.dims;
  network.input_order = order_of(attempt.view);
  network.output_order = order_of(output->view);
  if (output->kind == Kind::probabilities) {
    network.graph.softmax = Softmax{};
    network.notes.push_back("the host computes the softmax of the output");
  }
  if (!output->host.empty())
    network.notes.push_back("the host computes the " + output->host + " of the output");
  if (attempt.batch > 1)
    network.notes.push_back("the file computes " + std::to_string(attempt.batch) +
                            " inputs at a time, this network one");
  if (!network.input_order.empty())
    network.notes.push_back("the input lies as rows, columns, channels, in the file the channels come first");
  if (!network.output_order.empty())
    network.notes.push_back("the output lies in another order than in the file: rows, columns, channels");
  simplify(network);
  network.mean = mean_;
  network.deviation = deviation_;
  network.normalize({0}, {1}, builder_.origin());
  return network;
}

} // namespace

FloatGraph read_float_onnx(const std::string& text, const std::string& origin) {
  const OnnxModel model = read_onnx(text, origin);
  FloatGraph network;
  attempt_onnx(model, origin, [&](const OnnxAttempt& attempt) {
    const OnnxValue& given = model.inputs[0];
    if (given.type != OnnxType::float32)
      throw InputError(origin + ": input \"" + printable(given.name) + "\" is of " + to_string(given.type) +
                       ", expected float; a network that is quantized already is for deltatwin import");
    OnnxBuilder builder(origin);
    OnnxFloatReader reader(model, builder, attempt);
    builder.graph().input = builder.add_tensor(given.name, attempt.shape, {}, 0);
    reader.define_constants();
    OnnxOperand input;
    input.kind = OnnxOperand::Kind::input;
    input.view = attempt.view;
    reader.define(given.name, input);
    const std::vector<bool> is_needed = needed_nodes(model);
    for (std::size_t n = 0; n < model.nodes.size(); ++n)
      if (is_needed[n])
        reader.translate(model.nodes[n], n);
    network = reader.finish(model, attempt);
    network.graph.description =
        "from float ONNX" + (model.producer.empty() ? "" : ", written by " + printable(model.producer));
  });
  return network;
}

} // namespace deltatwin
