// What convolutions and products of matrices have in common: weights, biases, and how far their sums reach.
#include "import/onnx_translator.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {

void set_reach(OnnxSums& sums, std::pair<int, int> x, int zero_point) {
  const auto& convolution = std::get<Convolution>(sums.op);
  const auto outputs = static_cast<std::size_t>(convolution.outputs);
  const std::size_t row = convolution.weights.size() / outputs;
  sums.lowest.assign(outputs, 0);
  sums.highest.assign(outputs, 0);
  const std::int64_t low = x.first - zero_point, high = x.second - zero_point;
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < row; ++i) {
      const std::int64_t w = convolution.weights[o * row + i];
      sums.lowest[o] += std::min({w * low, w * high, std::int64_t{0}});
      sums.highest[o] += std::max({w * low, w * high, std::int64_t{0}});
    }
}

OnnxOperand OnnxTranslator::summed(const Context& context, Placed placed, const Operand& x,
                                   const OnnxTensor& w, const OnnxQuantization& scales, float factor) const {
  const std::size_t each = placed.each();
  for (std::size_t at = 0; at < placed.places.size(); ++at)
    placed.convolution.weights[placed.places[at]] =
        static_cast<std::int16_t>(w.integer(at) - scales.zero_point(placed.places[at] / each));
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  sums.inputs = {placed.input};
  sums.shape = placed.shape;
  for (const float scale : scales.scales)
    sums.scales.push_back(factor * x.scale * scale);
  sums.op = std::move(placed.convolution);
  set_reach(sums, builder_.reach(placed.input), x.zero_point);
  return pending(std::move(sums), std::move(placed.view));
}

void OnnxTranslator::check_weights(const Context& context, const OnnxTensor& weights,
                                   const OnnxQuantization& quantization) const {
  if (weights.type == OnnxType::float32)
    context.fail("its weights are real numbers; quantize them to int8 (QuantizeLinear, DequantizeLinear)");
  require_bytes(context, weights.type, "weights");
  for (const std::int64_t zero : quantization.zero_points)
    if (zero < -128 || zero > 255)
      context.fail("the zero point of its weights is " + std::to_string(zero));
}

void OnnxTranslator::require_one_scale(const Context& context, const OnnxQuantization& quantization, int axis,
                                       int outputs) const {
  const std::size_t count = std::max(quantization.scales.size(), quantization.zero_points.size());
  if (count == 1)
    return;
  if (quantization.axis != axis || count != static_cast<std::size_t>(outputs))
    context.fail("its weights have " + std::to_string(count) + " scales along axis " +
                 std::to_string(quantization.axis) + "; possible are one, or one for each of the " +
                 std::to_string(outputs) + " outputs (axis " + std::to_string(axis) + ")");
}

void OnnxTranslator::add_bias(const Context& context, Operand& operand, const OnnxTensor& integers) {
  if (integers.type != OnnxType::int32)
    context.fail("its bias is of " + to_string(integers.type) + ", expected int32");
  OnnxSums sums = *operand.sums;
  auto& convolution = std::get<Convolution>(sums.op);
  const auto outputs = static_cast<std::size_t>(convolution.outputs);
  if (integers.elements() != outputs && integers.elements() != 1)
    context.fail("its bias has " + std::to_string(integers.elements()) + " elements, expected " +
                 std::to_string(outputs));
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::int64_t bias = integers.integer(integers.elements() == 1 ? 0 : o);
    const std::int64_t sum = convolution.bias[o] + bias;
    if (sum != static_cast<std::int32_t>(sum))
      context.fail("its bias is " + std::to_string(sum) + ", more than 32 bits hold");
    convolution.bias[o] = static_cast<std::int32_t>(sum);
    sums.lowest[o] += bias;
    sums.highest[o] += bias;
  }
  operand.sums = std::make_shared<const OnnxSums>(std::move(sums));
}

void OnnxTranslator::add_bias(const Context& context, Operand& operand, const Operand& bias, float factor) {
  if (bias.kind == Kind::weights && bias.weights->integers.type == OnnxType::int32 && factor == 1) {
    // In units of the sums, as it should be: then it is exact.
    const OnnxWeights& weights = *bias.weights;
    const std::size_t count = weights.integers.elements();
    const auto outputs = static_cast<std::size_t>(std::get<Convolution>(operand.sums->op).outputs);
    bool exact = count == outputs && operand.sums->steps.empty() && operand.sums->pools.empty();
    for (std::size_t o = 0; exact && o < outputs; ++o) {
      const float unit = operand.sums->scales[operand.sums->scales.size() == 1 ? 0 : o];
      exact = std::abs(weights.quantization.scale(o) - unit) <= 1e-6f * unit &&
              weights.quantization.zero_point(o) == 0;
    }
    if (exact)
      return add_bias(context, operand, weights.integers);
  }
  OnnxTensor values;
  if (bias.kind == Kind::weights) {
    const OnnxWeights& weights = *bias.weights;
    std::vector<float> reals(weights.integers.elements());
    if (weights.quantization.scales.size() != 1 && weights.quantization.scales.size() != reals.size())
      context.fail("its bias has " + std::to_string(weights.quantization.scales.size()) + " scales");
    for (std::size_t i = 0; i < reals.size(); ++i)
      reals[i] = static_cast<float>(weights.integers.integer(i) - weights.quantization.zero_point(i)) *
                 weights.quantization.scale(i);
    values = OnnxTensor::reals(weights.integers.dims, reals);
  } else if (bias.kind == Kind::constant) {
    values = *bias.constant;
  } else {
    context.fail("its bias is no constant");
  }
  std::vector<float> added = by_channel(context, operand, values);
  for (float& value : added)
    value *= factor;
  operand = with_step(operand, {RealStep::Kind::add, std::move(added)});
}

const OnnxWeights& OnnxTranslator::weights(const Context& context, const char* unless_constant) {
  take_as_integers(context, 1);
  const Operand& w = input(context, 1);
  if (w.kind != Kind::weights)
    context.fail(w.kind == Kind::constant
                     ? "its weights are real numbers; quantize them to int8 (QuantizeLinear, "
                       "DequantizeLinear)"
                     : unless_constant);
  return *w.weights;
}

OnnxQuantization OnnxTranslator::zero_points(const Context& context, std::size_t at) {
  OnnxQuantization result;
  result.scales = {1};
  result.zero_points = {0};
  if (has_input(context, at)) {
    const OnnxTensor& tensor = constant(context, at, "a zero point");
    result.zero_points.clear();
    for (std::size_t i = 0; i < tensor.elements(); ++i)
      result.zero_points.push_back(tensor.integer(i));
    if (std::all_of(result.zero_points.begin(), result.zero_points.end(),
                    [&](std::int64_t value) { return value == result.zero_points[0]; }))
      result.zero_points.resize(1);
  }
  return result;
}

OnnxOperand OnnxTranslator::integers_of(const Operand& product) {
  OnnxSums sums = *product.sums;
  sums.are_integers = true;
  return pending(std::move(sums), product.view);
}

} // namespace deltatwin
