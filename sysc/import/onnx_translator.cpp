#include "import/onnx_translator.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace deltatwin {
namespace {

const std::string microsoft = "com.microsoft";
const std::string possible = "possible are Conv, Gemm, MatMul, Add, AveragePool, MaxPool, GlobalAveragePool, "
                             "GlobalMaxPool, ReduceMean, Relu, "
                             "Clip, Pad, what only changes shapes, and a Softmax at the end, between "
                             "QuantizeLinear and DequantizeLinear or in "
                             "their QLinear and Integer forms";

} // namespace

const std::map<std::string, OnnxTranslator::Handler>& OnnxTranslator::handlers() {
  using T = OnnxTranslator;
  static const std::map<std::string, Handler> table = {
      {"Add", &T::add},
      {"AveragePool", &T::average_pool},
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
      {"Pad", &T::pad},
      {"QLinearConv", &T::convolve_quantized},
      {"QLinearMatMul", &T::multiply_matrices_quantized},
      {"QuantizeLinear", &T::quantize},
      {"ReduceMean", &T::reduce_mean},
      {"Relu", &T::relu},
      {"Reshape", &T::reshape},
      {"Shape", &T::shape},
      {"Slice", &T::slice},
      {"Softmax", &T::softmax},
      {"Squeeze", &T::squeeze},
      {"Sub", &T::subtract},
      {"Transpose", &T::transpose},
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

void OnnxTranslator::translate(const OnnxNode& node, std::size_t index) {
  const Context context(node, index, builder_.origin());
  if (!node.domain.empty() && node.domain != microsoft)
    context.fail("operators of domain \"" + printable(node.domain) + "\" are unknown; " + possible);
  const auto found = handlers().find(node.domain.empty() ? node.op : node.domain + "." + node.op);
  if (found == handlers().end()) {
    const std::string hint =
        node.op == "BatchNormalization"      ? "fold it into the convolution before it"
        : node.op == "DynamicQuantizeLinear" ? "quantize statically: scales and zero points must be constants"
        : node.op == "ArgMax" || node.op == "TopK" || node.op == "LogSoftmax" || node.op == "Sigmoid"
            ? "if it is the last one, cut it off: the host can do it"
            : possible;
    context.fail("there is no such operator here; " + hint);
  }
  if (node.outputs.empty())
    context.fail("it has no output");
  static const std::set<std::string> takes_padding = {
      "AveragePool", "Conv", "ConvInteger", "DequantizeLinear", "Identity",
      "MaxPool",     "Pad",  "QLinearConv", "QuantizeLinear",   "QLinearAveragePool"};
  for (const std::string& name : node.inputs)
    if (const Operand* operand = find(name);
        operand && operand->padding.any() && !takes_padding.count(node.op))
      context.fail("a Pad is before it; possible before convolutions and pools");
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    operands_.erase(node.outputs[i]);
  Operand result = (this->*found->second)(context);
  // Constants that a hostile file makes of each other.
  if (result.kind == Kind::constant)
    folded_ += result.constant->bytes.size();
  else if (result.kind == Kind::weights)
    folded_ += result.weights->integers.bytes.size();
  if (folded_ > std::size_t{1} << 28)
    context.fail("constants grow beyond 256 MiB");
  operands_[node.outputs[0]] = std::move(result);
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
  if (const Operand* operand = find(name))
    return *operand;
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

bool OnnxTranslator::is_read_once(const std::string& name) const {
  int count = model_.outputs[0].name == name ? 2 : 0;
  for (const OnnxNode& node : model_.nodes)
    for (const std::string& read : node.inputs)
      count += read == name ? 1 : 0;
  return count == 1;
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
