// Factors and constants, one or one a channel, on the way from sums to integers.
#include "import/onnx_translator.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

using Kind = OnnxOperand::Kind;

} // namespace

OnnxOperand OnnxTranslator::rescaled(const Context& context, const Operand& x) const {
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  sums.op = Rescale{};
  sums.inputs = {x.tensor};
  sums.shape = builder_.tensor(x.tensor).shape;
  const auto [low, high] = builder_.reach(x.tensor);
  sums.lowest = {low - x.zero_point};
  sums.highest = {high - x.zero_point};
  sums.scales = {x.scale};
  Operand result = x;
  result.kind = Kind::sums;
  result.sums = std::make_shared<const OnnxSums>(std::move(sums));
  return result;
}

OnnxOperand OnnxTranslator::by_ones(const Context& context, const Operand& x) {
  if (std::holds_alternative<Convolution>(x.sums->op))
    return x;
  if (std::holds_alternative<Add>(x.sums->op))
    context.fail("it scales or shifts a sum of two tensors that nothing has quantized; put a Quant, or a "
                 "QuantizeLinear and a DequantizeLinear, before it");
  OnnxSums sums = *x.sums;
  std::vector<int> shape = builder_.tensor(sums.inputs[0]).shape;
  const int channels = shape.back();
  if (shape.size() != 3) {
    shape = {static_cast<int>(builder_.tensor(sums.inputs[0]).elements()) / channels, 1, channels};
    sums.inputs[0] = builder_.shaped(sums.inputs[0], shape);
    sums.shape = shape;
  }
  Convolution convolution;
  if (const auto* pool = std::get_if<Pool>(&sums.op))
    convolution.window = pool->window;
  convolution.groups = convolution.outputs = channels;
  const auto count = static_cast<std::size_t>(channels);
  convolution.weights.assign(count * static_cast<std::size_t>(convolution.window.rows) *
                                 static_cast<std::size_t>(convolution.window.columns),
                             1);
  convolution.bias.resize(count);
  sums.op = std::move(convolution);
  sums.of_ones = true;
  sums.lowest.assign(count, std::int64_t{sums.lowest[0]});
  sums.highest.assign(count, std::int64_t{sums.highest[0]});
  Operand result = x;
  result.sums = std::make_shared<const OnnxSums>(std::move(sums));
  return result;
}

OnnxOperand OnnxTranslator::with_room_for_constants(const Context& context, const Operand& x) {
  const auto adds = [](const RealStep& step) { return step.kind == RealStep::Kind::add; };
  const std::vector<RealStep>& steps = x.sums->steps;
  return std::any_of(steps.begin(), steps.end(), adds) ? by_ones(context, x) : x;
}

void OnnxTranslator::negate(const Context& context, OnnxSums& sums, std::size_t channel) const {
  auto& convolution = std::get<Convolution>(sums.op);
  if (!sums.pools.empty())
    context.fail("a factor below 0 is behind a maximum, which would become a minimum");
  const auto outputs = static_cast<std::size_t>(convolution.outputs);
  const std::size_t each = convolution.weights.size() / outputs;
  for (std::size_t i = channel * each; i < (channel + 1) * each; ++i)
    convolution.weights[i] = static_cast<std::int16_t>(-convolution.weights[i]);
  if (convolution.bias[channel] == std::numeric_limits<std::int32_t>::min())
    context.fail("a bias cannot be negated");
  convolution.bias[channel] = -convolution.bias[channel];
  std::swap(sums.lowest[channel], sums.highest[channel]);
  sums.lowest[channel] *= -1;
  sums.highest[channel] *= -1;
  sums.negated.resize(outputs);
  sums.negated[channel] = !sums.negated[channel];
}

OnnxOperand OnnxTranslator::multiplied_by(const Context& context, const Operand& x,
                                          std::vector<float> factors, bool divides) {
  const bool flips = std::any_of(factors.begin(), factors.end(), [](float value) { return !(value > 0); });
  if (divides && std::find(factors.begin(), factors.end(), 0.0f) != factors.end())
    context.fail("it divides by 0");
  Operand operand = factors.size() > 1 || flips ? by_ones(context, x) : x;
  if (std::any_of(factors.begin(), factors.end(), [](float value) { return value < 0; })) {
    OnnxSums sums = *operand.sums;
    for (std::size_t c = 0; c < sums.lowest.size(); ++c)
      if (factors[factors.size() == 1 ? 0 : c] < 0)
        negate(context, sums, c);
    operand.sums = std::make_shared<const OnnxSums>(std::move(sums));
  }
  return with_step(operand,
                   {divides ? RealStep::Kind::divide : RealStep::Kind::multiply, std::move(factors)});
}

std::vector<float> OnnxTranslator::by_channel(const Context& context, const Operand& operand,
                                              const OnnxTensor& values) {
  return by_channel(context, operand.view, operand.sums->shape.back(), values);
}

std::vector<float> OnnxTranslator::by_channel(const Context& context, const View& view, int width,
                                              const OnnxTensor& values) {
  if (bytes_of(values.type) == 0)
    context.fail("a constant has elements of " + to_string(values.type));
  const std::size_t count = values.elements();
  const auto value = [&](std::size_t at) {
    const auto real = static_cast<float>(values.real(at));
    if (!std::isfinite(real))
      context.fail("a constant is no finite number");
    return real;
  };
  if (count == 1)
    return {value(0)};
  const std::vector<int> dims = view.dims();
  const auto channels = static_cast<std::size_t>(width);
  std::vector<std::int64_t> own = values.dims;
  while (own.size() > dims.size() && own[0] == 1)
    own.erase(own.begin());
  std::vector<int> along;
  bool fits = own.size() <= dims.size();
  for (std::size_t d = 0; fits && d < own.size(); ++d) {
    const std::size_t of = dims.size() - own.size() + d;
    fits = own[d] == 1 || own[d] == dims[of];
    if (own[d] != 1)
      along.push_back(static_cast<int>(of));
  }
  const std::vector<int> places = fits ? view.places(along) : std::vector<int>{};
  std::vector<float> result(channels);
  fits = fits && places.size() == channels && count == channels;
  for (std::size_t i = 0; fits && i < channels; ++i) {
    fits = static_cast<std::size_t>(places[i]) < channels;
    if (fits)
      result[static_cast<std::size_t>(places[i])] = value(i);
  }
  if (!fits)
    context.fail("a constant has another shape than one number, or one for each of the " +
                 std::to_string(channels) + " channels");
  if (std::all_of(result.begin(), result.end(), [&](float real) { return real == result[0]; }))
    result.resize(1);
  return result;
}

OnnxOperand OnnxTranslator::of_input(const Context& context, const Operand& x, const Operand& constant,
                                     RealStep::Kind kind, float sign) {
  if (constant.kind != Kind::constant || bytes_of(constant.constant->type) == 0)
    context.fail("it changes the input by what is no constant of real numbers");
  const OnnxTensor& values = *constant.constant;
  std::vector<float> numbers;
  for (std::size_t i = 0; i < values.elements(); ++i) {
    numbers.push_back(sign * static_cast<float>(values.real(i)));
    if (!std::isfinite(numbers[i]) || (numbers[i] == 0 && kind != RealStep::Kind::add))
      context.fail("a constant is " + std::to_string(numbers[i]));
  }
  if (numbers.empty() || numbers.size() > 4096)
    context.fail("it changes the input by " + std::to_string(numbers.size()) + " numbers");
  Operand result = x;
  result.steps.push_back({kind, std::move(numbers)});
  return result;
}

OnnxOperand OnnxTranslator::scaled(const Context& context, bool divides) {
  const bool first_is_constant = !divides && is_constant(input(context, 0));
  const std::size_t at = first_is_constant ? 1 : 0;
  const RealStep::Kind kind = divides ? RealStep::Kind::divide : RealStep::Kind::multiply;
  const Operand& x = input(context, at);
  if (x.kind == Kind::input)
    return of_input(context, x, input(context, 1 - at), kind, 1);
  const OnnxTensor& factor = constant(context, 1 - at, "a factor");
  const Operand operand = x.kind == Kind::sums ? x : rescaled(context, reals(context, at));
  if (operand.sums->are_integers)
    context.fail("it scales int32 sums as integers; put a Cast to float before it");
  if (std::holds_alternative<Add>(operand.sums->op))
    context.fail("it scales a sum of two tensors that nothing has quantized yet; put a QuantizeLinear and a "
                 "DequantizeLinear before it");
  return multiplied_by(context, operand, by_channel(context, operand, factor), divides);
}

OnnxOperand OnnxTranslator::shifted(const Context& context, bool subtracts) {
  const bool first_is_constant = is_constant(input(context, 0));
  const std::size_t at = first_is_constant ? 1 : 0;
  const Operand& x = input(context, at);
  if (subtracts && first_is_constant)
    context.fail("it subtracts from a constant; possible is to subtract a constant");
  if (x.kind == Kind::input)
    return of_input(context, x, input(context, 1 - at), RealStep::Kind::add, subtracts ? -1.0f : 1.0f);
  Operand result = x.kind == Kind::sums ? x : rescaled(context, reals(context, at));
  if (result.sums->are_integers)
    context.fail("it adds a constant to int32 sums as integers; put a Cast to float before it");
  const Operand& added = input(context, 1 - at);
  if (!std::holds_alternative<Rescale>(result.sums->op) || added.kind != Kind::constant ||
      added.constant->elements() != 1)
    result = by_ones(context, result);
  add_bias(context, result, input(context, 1 - at), subtracts ? -1.0f : 1.0f);
  return result;
}

OnnxTranslator::Normalization OnnxTranslator::normalization(const Context& context) const {
  if (context.integer("training_mode", 0) != 0 || context.integer("spatial", 1) == 0)
    context.fail("it is in training, or normalizes each element on its own; export it for inference");
  const float epsilon = context.real("epsilon", 1e-5f);
  std::vector<const OnnxTensor*> given;
  for (std::size_t i = 1; i <= 4; ++i)
    given.push_back(&constant(context, i, "a parameter"));
  const std::size_t channels = given[0]->elements();
  for (const OnnxTensor* tensor : given)
    if (tensor->is_integer() || tensor->elements() != channels)
      context.fail("its parameters are no real numbers, one for each channel");
  Normalization result;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto at = [&](std::size_t i) { return static_cast<float>(given[i]->real(c)); };
    const float deviation = std::sqrt(at(3) + epsilon);
    result.factors.push_back(1 / deviation * at(0));
    result.offsets.push_back(at(1) - at(2) * result.factors.back());
    if (!std::isfinite(result.factors.back()) || !std::isfinite(result.offsets.back()) || !(deviation > 0))
      context.fail("its parameters make no finite number of channel " + std::to_string(c));
  }
  return result;
}

OnnxOperand OnnxTranslator::normalize(const Context& context) {
  const auto [factors, offsets] = normalization(context);
  const Operand& x = input(context, 0);
  if (x.kind == Kind::input)
    context.fail("it normalizes the input before it is quantized; leave that to the host");
  Operand operand = by_ones(context, x.kind == Kind::sums ? x : rescaled(context, reals(context, 0)));
  if (operand.sums->are_integers)
    context.fail("it normalizes int32 sums; put a Cast to float before it");
  std::vector<std::int64_t> dims(static_cast<std::size_t>(operand.view.rank()), 1);
  if (dims.size() < 2)
    context.fail("it reads " + std::to_string(dims.size()) + " dimensions, expected a batch and channels");
  dims[1] = static_cast<std::int64_t>(factors.size());
  const std::vector<float> by = by_channel(context, operand, OnnxTensor::reals(dims, factors));
  const std::vector<float> plus = by_channel(context, operand, OnnxTensor::reals(dims, offsets));
  return with_step(multiplied_by(context, operand, by, false), {RealStep::Kind::add, plus});
}

} // namespace deltatwin
