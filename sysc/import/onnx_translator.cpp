#include "import/onnx_translator.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace deltatwin {
namespace {

const std::string microsoft = "com.microsoft";
// Of QONNX, whose files name one of these, or none, for the same operators.
const std::set<std::string> quantizing = {"onnx.brevitas", "qonnx.custom_op.general",
                                          "finn.custom_op.general"};
const std::string possible = "possible are Conv, Gemm, MatMul, Add, AveragePool, MaxPool, GlobalAveragePool, "
                             "GlobalMaxPool, ReduceMean, Relu, "
                             "Clip, Pad, what only changes shapes, and a Softmax at the end, between "
                             "QuantizeLinear and DequantizeLinear or in "
                             "their QLinear and Integer forms, and QONNX's Quant, BipolarQuant, "
                             "MultiThreshold, Trunc and BatchNormalization";

bool reads(const OnnxSums& sums, std::size_t tensor) {
  for (std::size_t i = 0; i < sums.inputs.size(); ++i)
    if (const auto& wide = sums.wide[i]; wide ? reads(*wide, tensor) : sums.inputs[i] == tensor)
      return true;
  return false;
}

} // namespace

const std::map<std::string, OnnxTranslator::Handler>& OnnxTranslator::handlers() {
  using T = OnnxTranslator;
  static const std::map<std::string, Handler> table = {
      {"Add", &T::add},
      {"ArgMax", &T::left_to_host},
      {"AveragePool", &T::average_pool},
      {"BatchNormalization", &T::normalize},
      {"BipolarQuant", &T::bipolar_quant},
      {"Cast", &T::cast},
      {"Clip", &T::clip},
      {"Concat", &T::concat},
      {"Constant", &T::constant_node},
      {"Conv", &T::convolve},
      {"ConvInteger", &T::convolve_integers},
      {"DequantizeLinear", &T::dequantize},
      {"Div", &T::divide},
      {"Dropout", &T::identity},
      {"Flatten", &T::flatten},
      {"Gather", &T::gather},
      {"Gemm", &T::gemm},
      {"GlobalAveragePool", &T::global_average_pool},
      {"GlobalMaxPool", &T::global_max_pool},
      {"Identity", &T::identity},
      {"MatMul", &T::multiply_matrices},
      {"MatMulInteger", &T::multiply_matrices_integers},
      {"MaxPool", &T::max_pool},
      {"Mul", &T::multiply},
      {"MultiThreshold", &T::multi_threshold},
      {"Pad", &T::pad},
      {"Pow", &T::power},
      {"QLinearConv", &T::convolve_quantized},
      {"QLinearMatMul", &T::multiply_matrices_quantized},
      {"IntQuant", &T::quant},
      {"Quant", &T::quant},
      {"QuantizeLinear", &T::quantize},
      {"ReduceMean", &T::reduce_mean},
      {"Relu", &T::relu},
      {"Reshape", &T::reshape},
      {"Shape", &T::shape},
      {"Slice", &T::slice},
      {"Softmax", &T::softmax},
      {"Squeeze", &T::squeeze},
      {"Sub", &T::subtract},
      {"TopK", &T::left_to_host},
      {"Transpose", &T::transpose},
      {"Trunc", &T::truncate},
      {"Unsqueeze", &T::unsqueeze},
      {"com.microsoft.DequantizeLinear", &T::dequantize},
      {"com.microsoft.QGemm", &T::gemm_quantized},
      {"com.microsoft.QLinearAdd", &T::add_quantized},
      {"com.microsoft.QLinearAveragePool", &T::average_pool_quantized},
      {"com.microsoft.QLinearGlobalAveragePool", &T::global_average_pool_quantized},
      {"com.microsoft.QuantizeLinear", &T::quantize},
  };
  return table;
}

OnnxTranslator::OnnxTranslator(const OnnxModel& model, OnnxBuilder& builder, std::vector<int> input_shape)
    : model_(model), builder_(builder), input_shape_(std::move(input_shape)) {
  for (std::size_t n = 0; n < model.nodes.size(); ++n)
    for (const std::string& name : model.nodes[n].inputs)
      readers_[name].push_back(n);
}

void OnnxTranslator::translate(const OnnxNode& node, std::size_t index) {
  const Context context(node, index, builder_.origin());
  const bool by_name = node.domain.empty() || quantizing.count(node.domain) > 0;
  if (!by_name && node.domain != microsoft)
    context.fail("operators of domain \"" + printable(node.domain) + "\" are unknown; " + possible);
  if (node.outputs.empty())
    context.fail("it has no output");
  static const std::set<std::string> takes_padding = {
      "AveragePool", "Conv",        "ConvInteger",    "DequantizeLinear",   "Identity", "MaxPool",
      "Pad",         "QLinearConv", "QuantizeLinear", "QLinearAveragePool", "Quant"};
  for (const std::string& name : node.inputs)
    if (const Operand* operand = find(name);
        operand && operand->padding.any() && !takes_padding.count(node.op))
      context.fail("a Pad is before it; possible before convolutions and pools");
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    operands_.erase(node.outputs[i]);
  Operand result = result_of(context, by_name ? node.op : node.domain + "." + node.op);
  // Constants that a hostile file makes of each other.
  if (result.kind == Kind::constant)
    folded_ += result.constant->bytes.size();
  else if (result.kind == Kind::weights)
    folded_ += result.weights->integers.bytes.size();
  if (folded_ > std::size_t{1} << 28)
    context.fail("constants grow beyond 256 MiB");
  if (!result.host.empty()) // whichever of them the file asks for
    for (const std::string& name : node.outputs)
      operands_[name] = result;
  operands_[node.outputs[0]] = std::move(result);
}

OnnxOperand OnnxTranslator::result_of(const Context& context, const std::string& op) {
  const auto found = handlers().find(op);
  if (found == handlers().end()) {
    const std::string& name = context.node().op;
    const std::string hint =
        name == "DynamicQuantizeLinear" ? "quantize statically: scales and zero points must be constants"
        : name == "LogSoftmax" || name == "Sigmoid" ? "if it is the last one, cut it off: the host can do it"
                                                    : possible;
    context.fail("there is no such operator here; " + hint);
  }
  return (this->*found->second)(context);
}

void OnnxTranslator::define_constants() {
  for (const auto& [name, tensor] : model_.initializers) {
    Operand operand;
    operand.constant = std::shared_ptr<const OnnxTensor>(std::shared_ptr<void>(), &tensor);
    define(name, std::move(operand));
  }
}

const OnnxOperand* OnnxTranslator::find(const std::string& name) const {
  const auto found = operands_.find(name);
  return found == operands_.end() ? nullptr : &found->second;
}

bool OnnxTranslator::has_input(const Context& context, std::size_t at) const {
  return at < context.node().inputs.size() && !context.node().inputs[at].empty();
}

const OnnxOperand& OnnxTranslator::input(const Context& context, std::size_t at) const {
  if (!has_input(context, at))
    context.fail("input " + std::to_string(at) + " is missing");
  const std::string& name = context.node().inputs[at];
  if (const Operand* operand = find(name)) {
    if (!operand->host.empty())
      context.fail("it reads what a " + operand->host + " gives; possible is one at the end, for the host");
    return *operand;
  }
  context.fail("it reads \"" + printable(name) + "\", which no node before it writes");
}

const OnnxTensor& OnnxTranslator::constant(const Context& context, std::size_t at, const char* what) const {
  const Operand& operand = input(context, at);
  if (operand.kind != Kind::constant)
    context.fail(std::string(what) + " is no constant; freeze it into the file");
  if (bytes_of(operand.constant->type) == 0)
    context.fail(std::string(what) + " has elements of " + to_string(operand.constant->type));
  return *operand.constant;
}

float OnnxTranslator::scalar(const Context& context, std::size_t at, const char* what) const {
  const OnnxTensor& tensor = constant(context, at, what);
  if (tensor.elements() != 1)
    context.fail(std::string(what) + " has " + std::to_string(tensor.elements()) + " elements, expected one");
  return static_cast<float>(tensor.real(0));
}

OnnxQuantization OnnxTranslator::quantization(const Context& context, std::size_t scale,
                                              std::size_t zero_point, const char* what) const {
  const OnnxTensor& scales = constant(context, scale, "a scale");
  OnnxQuantization result;
  if (scales.is_integer() || scales.elements() == 0)
    context.fail("a scale is no float");
  for (std::size_t i = 0; i < scales.elements(); ++i) {
    const auto value = static_cast<float>(scales.real(i));
    if (!(value > 0) || !std::isfinite(value))
      context.fail(std::string("a scale of ") + what + " is " + std::to_string(value) +
                   ", expected more than 0");
    result.scales.push_back(value);
  }
  result.zero_points = {0};
  if (has_input(context, zero_point)) {
    const OnnxTensor& zeros = constant(context, zero_point, "a zero point");
    if (!zeros.is_integer() || (zeros.elements() != 1 && zeros.elements() != scales.elements()))
      context.fail(std::string("the zero points of ") + what + " are no integers, or not as many as scales");
    result.zero_points.clear();
    for (std::size_t i = 0; i < zeros.elements(); ++i)
      result.zero_points.push_back(zeros.integer(i));
    if (std::all_of(result.zero_points.begin(), result.zero_points.end(),
                    [&](std::int64_t value) { return value == result.zero_points[0]; }))
      result.zero_points.resize(1);
  }
  return result;
}

OnnxQuantization OnnxTranslator::single(const Context& context, std::size_t scale, std::size_t zero_point,
                                        const char* what) const {
  const OnnxQuantization result = quantization(context, scale, zero_point, what);
  if (result.scales.size() != 1)
    context.fail(std::string(what) +
                 " have a scale for each channel; possible is one for the whole tensor (weights may "
                 "have one for each output channel)");
  return result;
}

OnnxType OnnxTranslator::zero_point_type(const Context& context, std::size_t at, OnnxType otherwise) const {
  return has_input(context, at) ? constant(context, at, "a zero point").type : otherwise;
}

OnnxOperand OnnxTranslator::reals(const Context& context, std::size_t at) {
  Operand operand = input(context, at);
  if (operand.kind == Kind::sums && std::holds_alternative<Rescale>(operand.sums->op) &&
      operand.sums->pools.empty() && !operand.sums->are_integers) {
    // Clamped only: still multiples of the scale.
    operand.kind = Kind::reals;
    operand.scale = operand.sums->scales[0];
    operand.tensor = builder_.clamp(context, *operand.sums, operand.scale, operand.zero_point);
    operand.sums.reset();
    operands_[context.node().inputs[at]] = operand;
  }
  if (operand.kind == Kind::sums || operand.kind == Kind::input)
    context.fail("it reads real numbers that nothing has quantized; put a QuantizeLinear and a "
                 "DequantizeLinear before it");
  if (operand.kind == Kind::constant || operand.kind == Kind::weights)
    context.fail("it reads a constant where it should read what the network computes");
  if (operand.kind == Kind::probabilities)
    context.fail("a Softmax is before it; possible is one at the end");
  if (operand.kind == Kind::integers)
    context.fail("it reads integers as real numbers; put a DequantizeLinear before it");
  return operand;
}

OnnxOperand OnnxTranslator::integers(const Context& context, std::size_t at,
                                     const OnnxQuantization& quantization) {
  Operand operand = input(context, at);
  if (operand.kind != Kind::integers)
    context.fail(operand.kind == Kind::constant
                     ? "it reads a constant where it should read what the network computes"
                     : "it reads real numbers as integers; put a QuantizeLinear before it");
  if (builder_.tensor(operand.tensor).format.bits != 8)
    context.fail("it reads integers of more than 8 bits");
  operand.kind = Kind::reals;
  operand.scale = quantization.scales[0];
  operand.zero_point = static_cast<int>(quantization.zero_points[0]);
  builder_.settle(context, operand.tensor, operand.zero_point);
  return operand;
}

std::int64_t OnnxTranslator::opset() const {
  const auto found = model_.opsets.find("");
  return found == model_.opsets.end() ? 1 : found->second;
}

bool OnnxTranslator::is_last_reader(const Context& context, std::size_t tensor) const {
  if (builder_.is_read(tensor))
    return false;
  for (const auto& [name, operand] : operands_) {
    const bool stands_for_it = (operand.kind == Kind::reals || operand.kind == Kind::integers ||
                                operand.kind == Kind::probabilities) &&
                               operand.tensor == tensor;
    if (!stands_for_it && !(operand.kind == Kind::sums && reads(*operand.sums, tensor)))
      continue;
    if (name == model_.outputs[0].name)
      return false;
    const auto readers = readers_.find(name);
    if (readers != readers_.end())
      for (const std::size_t reader : readers->second)
        if (reader > context.index())
          return false;
  }
  return true;
}

void OnnxTranslator::take_as_integers(const Context& context, std::size_t at) {
  const Operand& w = input(context, at);
  const auto type = model_.datatypes.find(context.node().inputs[at]);
  if (w.kind != Kind::constant || type == model_.datatypes.end() || bytes_of(w.constant->type) == 0 ||
      w.constant->is_integer())
    return;
  OnnxWeights weights;
  std::vector<std::int64_t> integers;
  for (std::size_t i = 0; i < w.constant->elements(); ++i) {
    const double real = w.constant->real(i);
    if (!(real >= -128 && real <= 127) || real != std::nearbyint(real))
      return;
    integers.push_back(static_cast<std::int64_t>(real));
  }
  weights.integers = OnnxTensor::integers(OnnxType::int8, w.constant->dims, integers);
  weights.quantization.scales = {1};
  weights.quantization.zero_points = {0};
  Operand result;
  result.kind = Kind::weights;
  result.weights = std::make_shared<const OnnxWeights>(std::move(weights));
  operands_[context.node().inputs[at]] = std::move(result);
}

OnnxOperand OnnxTranslator::made(OnnxTensor tensor) {
  Operand operand;
  operand.constant = std::make_shared<const OnnxTensor>(std::move(tensor));
  return operand;
}

OnnxOperand OnnxTranslator::pending(OnnxSums sums, View view) {
  Operand operand;
  operand.kind = Kind::sums;
  operand.sums = std::make_shared<const OnnxSums>(std::move(sums));
  operand.view = std::move(view);
  return operand;
}

OnnxOperand OnnxTranslator::with_step(const Operand& operand, RealStep step) {
  OnnxSums sums = *operand.sums;
  sums.steps.push_back(std::move(step));
  Operand result = operand;
  result.sums = std::make_shared<const OnnxSums>(std::move(sums));
  return result;
}

OnnxOperand OnnxTranslator::quantized(const Context& context, const OnnxSums& sums, const View& view,
                                      std::size_t scale, std::size_t zero_point, OnnxType otherwise) {
  const OnnxQuantization to = single(context, scale, zero_point, "results");
  Operand result;
  result.kind = Kind::integers;
  result.view = view;
  result.tensor = builder_.quantize(context, sums, to.scales[0], static_cast<int>(to.zero_points[0]),
                                    zero_point_type(context, zero_point, otherwise));
  return result;
}

} // namespace deltatwin
