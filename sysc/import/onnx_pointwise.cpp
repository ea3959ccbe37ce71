// Quantization, additions and clamps.
#include "base/text.h"
#include "import/onnx_steps.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

using Kind = OnnxOperand::Kind;
constexpr float infinity = std::numeric_limits<float>::infinity();

template <class Combine>
OnnxTensor combined(const OnnxContext& context, const OnnxTensor& a, const OnnxTensor& b, Combine combine) {
  if (bytes_of(a.type) == 0 || a.type != b.type)
    context.fail("it combines constants of " + to_string(a.type) + " and " + to_string(b.type));
  const std::size_t count = std::max(a.elements(), b.elements());
  if ((a.elements() != count && a.elements() != 1) || (b.elements() != count && b.elements() != 1) ||
      count > 1 << 20)
    context.fail("it combines constants of different sizes");
  std::vector<std::int64_t> integers;
  std::vector<float> reals;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t of_a = a.elements() == 1 ? 0 : i, of_b = b.elements() == 1 ? 0 : i;
    if (a.is_integer())
      integers.push_back(static_cast<std::int64_t>(combine(a.integer(of_a), b.integer(of_b))));
    else
      reals.push_back(static_cast<float>(combine(a.real(of_a), b.real(of_b))));
  }
  const std::vector<std::int64_t>& dims =
      a.elements() == count && a.dims.size() >= b.dims.size() ? a.dims : b.dims;
  return a.is_integer() ? OnnxTensor::integers(a.type, dims, integers) : OnnxTensor::reals(dims, reals);
}

} // namespace

OnnxOperand OnnxTranslator::quantize(const Context& context) {
  const Operand& x = input(context, 0);
  const OnnxType type =
      has_input(context, 2) ? zero_point_type(context, 2, OnnxType::uint8)
      : context.integer("output_dtype", 0) != 0
          ? static_cast<OnnxType>(std::clamp<std::int64_t>(context.integer("output_dtype", 0), 0, 99))
          : OnnxType::uint8;
  if (x.kind == Kind::constant) {
    const OnnxTensor& reals = constant(context, 0, "an input");
    OnnxQuantization to = quantization(context, 1, 2, "weights");
    if (type != OnnxType::int8 && type != OnnxType::uint8 && type != OnnxType::int32)
      context.fail("it quantizes a constant to " + to_string(type) + "; possible are int8 and uint8");
    const auto rank = static_cast<std::int64_t>(reals.dims.size());
    std::int64_t axis = context.integer("axis", 1);
    axis += axis < 0 ? rank : 0;
    std::size_t inner = 1;
    if (to.scales.size() > 1) {
      if (axis < 0 || axis >= rank ||
          reals.dims[static_cast<std::size_t>(axis)] != std::int64_t(to.scales.size()))
        context.fail("its scales do not go with axis " + std::to_string(axis));
      for (std::int64_t d = axis + 1; d < rank; ++d)
        inner *= static_cast<std::size_t>(reals.dims[static_cast<std::size_t>(d)]);
    }
    const double low = type == OnnxType::uint8 ? 0 : type == OnnxType::int8 ? -128 : -0x1p31;
    const double high = type == OnnxType::uint8 ? 255 : type == OnnxType::int8 ? 127 : 0x1p31 - 1;
    std::vector<std::int64_t> values(reals.elements());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t channel = i / inner % to.scales.size();
      const float units = std::nearbyint(static_cast<float>(reals.real(i)) / to.scale(channel));
      if (std::isnan(units))
        context.fail("a constant is no number");
      values[i] = static_cast<std::int64_t>(
          std::clamp(double{units} + static_cast<double>(to.zero_point(channel)), low, high));
    }
    return made(OnnxTensor::integers(type, reals.dims, values));
  }
  if (x.kind == Kind::probabilities)
    return x;
  if (x.kind == Kind::integers || x.kind == Kind::weights)
    context.fail("it quantizes what is quantized already");
  const OnnxQuantization to = single(context, 1, 2, "activations");
  const int zero_point = static_cast<int>(to.zero_points[0]);
  require_bytes(context, type, "activations");
  Operand result = x;
  result.kind = Kind::integers;
  if (x.kind == Kind::input) {
    if (!x.steps.empty())
      builder_.set_input_note("the host makes of the input first: " + to_text(x.steps));
    Graph& graph = builder_.graph();
    const Format format{8, is_signed_byte(type), zero_point};
    if (graph.tensors.empty())
      result.tensor = builder_.add_tensor(model_.inputs[0].name, input_shape_, format, to.scales[0]);
    const Tensor& first = builder_.tensor(0);
    if (first.format != format || static_cast<float>(first.scale) != to.scales[0])
      context.fail("the network's input is quantized in two ways; possible is one");
    result.tensor = 0;
    return result;
  }
  if (x.kind == Kind::reals) {
    const bool same_type = builder_.tensor(x.tensor).format.is_signed == is_signed_byte(type);
    if (same_type && x.scale == to.scales[0] && x.zero_point == zero_point)
      return result;
    result.tensor = builder_.quantize(context, *rescaled(context, x).sums, to.scales[0], zero_point, type);
    return result;
  }
  result.tensor =
      builder_.quantize(context, *with_room_for_constants(context, x).sums, to.scales[0], zero_point, type);
  result.sums.reset();
  return result;
}

OnnxOperand OnnxTranslator::dequantize(const Context& context) {
  const Operand& x = input(context, 0);
  if (context.integer("block_size", 0) != 0)
    context.fail("its scales are for blocks; possible are one, or one for each output channel");
  if (x.kind == Kind::probabilities)
    return x;
  if (x.kind == Kind::constant) {
    OnnxWeights weights;
    weights.integers = constant(context, 0, "an input");
    if (!weights.integers.is_integer())
      context.fail("it dequantizes real numbers");
    weights.quantization = quantization(context, 1, 2, "weights");
    const auto rank = static_cast<std::int64_t>(weights.integers.dims.size());
    std::int64_t axis = context.integer("axis", 1);
    axis += axis < 0 ? rank : 0;
    const std::size_t count =
        std::max(weights.quantization.scales.size(), weights.quantization.zero_points.size());
    if (count > 1) {
      // A bias has one dimension, whatever axis tells.
      axis = rank == 1 ? 0 : axis;
      if (axis < 0 || axis >= rank ||
          weights.integers.dims[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(count))
        context.fail(std::to_string(count) + " scales do not go with axis " + std::to_string(axis) +
                     " of its integers");
    }
    weights.quantization.axis = static_cast<int>(axis);
    Operand result;
    result.kind = Kind::weights;
    result.weights = std::make_shared<const OnnxWeights>(std::move(weights));
    return result;
  }
  if (x.kind == Kind::sums && x.sums->are_integers) {
    const OnnxQuantization from = quantization(context, 1, 2, "sums");
    if (from.zero_points.size() != 1 || from.zero_points[0] != 0)
      context.fail("its sums have a zero point");
    OnnxSums sums = *x.sums;
    sums.are_integers = false;
    const Operand reals = pending(std::move(sums), x.view);
    std::vector<std::int64_t> dims(static_cast<std::size_t>(x.view.rank()), 1);
    std::int64_t axis = context.integer("axis", 1);
    axis += axis < 0 ? x.view.rank() : 0;
    if (from.scales.size() > 1 && (axis < 0 || axis >= x.view.rank()))
      context.fail("its axis is " + std::to_string(axis));
    if (from.scales.size() > 1)
      dims[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(from.scales.size());
    return with_step(
        reals, {RealStep::Kind::multiply, by_channel(context, reals, OnnxTensor::reals(dims, from.scales))});
  }
  const Operand result = integers(context, 0, single(context, 1, 2, "activations"));
  return result;
}

OnnxOperand OnnxTranslator::add(const Context& context) {
  const Operand &a = input(context, 0), &b = input(context, 1);
  if (a.kind == Kind::constant && b.kind == Kind::constant)
    return made(combined(context, *a.constant, *b.constant, [](auto x, auto y) { return x + y; }));
  if (is_constant(a) || is_constant(b))
    return shifted(context, false);
  if (a.kind == Kind::integers || b.kind == Kind::integers)
    context.fail("it adds integers that have no scale, and wraps; put DequantizeLinear before and "
                 "QuantizeLinear behind "
                 "it");
  return sum_of(context, addend(context, 0), addend(context, 1));
}

OnnxOperand OnnxTranslator::addend(const Context& context, std::size_t at) {
  const Operand& x = input(context, at);
  // Sums of products may be added as they are, where no step is between.
  if (x.kind == Kind::sums && std::holds_alternative<Convolution>(x.sums->op) && !x.sums->are_integers &&
      x.sums->steps.empty() && x.sums->scales.size() == 1)
    return x;
  return reals(context, at);
}

OnnxOperand OnnxTranslator::sum_of(const Context& context, const Operand& a, const Operand& b) {
  if (a.view.dims() != b.view.dims())
    context.fail("its tensors have different dimensions; possible are equal ones");
  if (!(a.view == b.view))
    context.fail(
        "its tensors lie in different orders in memory (a Transpose or Reshape is before one of them)");
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  sums.op = Add{};
  if (a.kind == Kind::sums || b.kind == Kind::sums) {
    const Operand* const both[2] = {&a, &b};
    for (const Operand* operand : both) // a convolution's: pools behind it have not been yet
      if (operand->kind == Kind::sums) {
        if (!operand->sums->pools.empty())
          context.fail("it adds maxima of sums that nothing has quantized; put a Quant, or a QuantizeLinear "
                       "and a DequantizeLinear, before the MaxPool");
        sums.shape = operand->sums->shape;
      }
    for (std::size_t i = 0; i < 2; ++i) {
      const bool wide = both[i]->kind == Kind::sums;
      sums.inputs.push_back(wide ? 0 : builder_.shaped(both[i]->tensor, sums.shape));
      sums.scales.push_back(wide ? both[i]->sums->scales[0] : both[i]->scale);
      if (wide)
        sums.wide[i] = both[i]->sums;
    }
    if (sums.wide[0] && sums.wide[0] == sums.wide[1])
      context.fail("it adds a sum to itself");
    return pending(std::move(sums), a.view);
  }
  sums.shape = builder_.tensor(a.tensor).shape;
  sums.inputs = {a.tensor, builder_.shaped(b.tensor, sums.shape)};
  sums.scales = {a.scale, b.scale};
  return pending(std::move(sums), a.view);
}

OnnxOperand OnnxTranslator::add_quantized(const Context& context) {
  const Operand a = integers(context, 0, single(context, 1, 2, "inputs"));
  const Operand b = integers(context, 3, single(context, 4, 5, "inputs"));
  const Operand sums = sum_of(context, a, b);
  return quantized(context, *sums.sums, sums.view, 6, 7,
                   builder_.tensor(a.tensor).format.is_signed ? OnnxType::int8 : OnnxType::uint8);
}

OnnxOperand OnnxTranslator::subtract(const Context& context) {
  const Operand &a = input(context, 0), &b = input(context, 1);
  if (a.kind == Kind::constant && b.kind == Kind::constant)
    return made(combined(context, *a.constant, *b.constant, [](auto x, auto y) { return x - y; }));
  if (!is_constant(a) && !is_constant(b))
    context.fail("it subtracts one tensor from another; possible is to subtract a constant");
  return shifted(context, true);
}

OnnxOperand OnnxTranslator::multiply(const Context& context) {
  const Operand &a = input(context, 0), &b = input(context, 1);
  if (a.kind == Kind::constant && b.kind == Kind::constant)
    return made(combined(context, *a.constant, *b.constant, [](auto x, auto y) { return x * y; }));
  if (!is_constant(a) && !is_constant(b))
    context.fail("it multiplies two tensors; possible is to multiply by a constant");
  return scaled(context, false);
}

OnnxOperand OnnxTranslator::divide(const Context& context) {
  const Operand &a = input(context, 0), &b = input(context, 1);
  if (a.kind == Kind::constant && b.kind == Kind::constant) {
    for (std::size_t i = 0;
         b.constant->is_integer() && bytes_of(b.constant->type) && i < b.constant->elements(); ++i)
      if (b.constant->integer(i) == 0)
        context.fail("it divides constants by 0");
    return made(combined(context, *a.constant, *b.constant, [](auto x, auto y) { return x / y; }));
  }
  if (!is_constant(b))
    context.fail("it divides by what is no constant");
  return scaled(context, true);
}

OnnxOperand OnnxTranslator::power(const Context& context) {
  const OnnxTensor &a = constant(context, 0, "a base"), &b = constant(context, 1, "an exponent");
  if (a.is_integer() || b.is_integer())
    context.fail("it raises integers to a power");
  return made(combined(context, a, b, [](auto x, auto y) { return std::pow(x, y); }));
}

OnnxOperand OnnxTranslator::clamped(const Context& context, float low, float high) {
  const Operand& x = input(context, 0);
  if (low > high)
    context.fail("it clamps to " + shortest(low) + " to " + shortest(high));
  if (x.kind == Kind::constant) { // weights of fewer bits
    const OnnxTensor& given = constant(context, 0, "an input");
    if (!given.is_integer())
      context.fail("it clamps real constants; possible are integers");
    std::vector<std::int64_t> values(given.elements());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<std::int64_t>(std::clamp(static_cast<double>(given.integer(i)),
                                                       std::max(double{low}, -0x1p62),
                                                       std::min(double{high}, 0x1p62)));
    return made(OnnxTensor::integers(given.type, given.dims, values));
  }
  if (x.kind == Kind::integers) {
    const Tensor& in = builder_.tensor(x.tensor);
    Rescale rescale;
    rescale.requantization.rounding = Rounding::half_even;
    const auto bound = [&](float value) {
      return static_cast<int>(std::clamp(double{value}, double(in.format.low()), double(in.format.high())));
    };
    rescale.requantization.low = bound(low);
    rescale.requantization.high = bound(high);
    if (is_last_reader(context, x.tensor) && builder_.narrow(x.tensor, bound(low), bound(high)))
      return x;
    Operand result = x;
    result.tensor = builder_.add_alike(context.node().outputs[0], in.shape, x.tensor);
    builder_.add_node(context.name(), {x.tensor}, result.tensor, rescale, {context.node().op, 0, 0, ""});
    return result;
  }
  if (x.kind == Kind::sums && x.sums->are_integers)
    context.fail("it clamps int32 sums; put a Cast to float before it");
  Operand operand = x.kind == Kind::sums ? x : rescaled(context, reals(context, 0));
  if (low > -infinity)
    operand = with_step(operand, {RealStep::Kind::at_least, {low}});
  if (high < infinity)
    operand = with_step(operand, {RealStep::Kind::at_most, {high}});
  return operand;
}

OnnxOperand OnnxTranslator::relu(const Context& context) { return clamped(context, 0, infinity); }

OnnxOperand OnnxTranslator::clip(const Context& context) {
  float low = context.real("min", -infinity), high = context.real("max", infinity);
  if (has_input(context, 1))
    low = scalar(context, 1, "the least value");
  if (has_input(context, 2))
    high = scalar(context, 2, "the greatest value");
  if (std::isnan(low) || std::isnan(high))
    context.fail("it clamps to what is no number");
  return clamped(context, low, high);
}

OnnxOperand OnnxTranslator::softmax(const Context& context) {
  Operand operand = reals(context, 0);
  const std::vector<int> dims = operand.view.dims();
  const auto rank = static_cast<std::int64_t>(dims.size());
  std::int64_t axis = context.integer("axis", opset() < 13 ? 1 : -1);
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank)
    context.fail("its axis is " + std::to_string(axis));
  int over = dims[static_cast<std::size_t>(axis)];
  if (opset() < 13)
    for (std::int64_t d = axis + 1; d < rank; ++d)
      over *= dims[static_cast<std::size_t>(d)];
  if (over != operand.view.elements())
    context.fail("it is of " + std::to_string(over) + " of " + std::to_string(operand.view.elements()) +
                 " elements; possible is one of all of them, at the end");
  operand.kind = Kind::probabilities;
  return operand;
}

OnnxOperand OnnxTranslator::cast(const Context& context) {
  Operand operand = input(context, 0);
  const auto to = static_cast<OnnxType>(std::clamp<std::int64_t>(context.integer("to", 0), 0, 99));
  if (operand.kind == Kind::constant) {
    const OnnxTensor& from = constant(context, 0, "an input");
    if (to != OnnxType::float32 && to != OnnxType::int64 && to != OnnxType::int32)
      context.fail("it casts a constant to " + to_string(to));
    std::vector<std::int64_t> integers;
    std::vector<float> reals;
    for (std::size_t i = 0; i < from.elements(); ++i)
      if (to == OnnxType::float32)
        reals.push_back(static_cast<float>(from.real(i)));
      else
        integers.push_back(from.is_integer()
                               ? from.integer(i)
                               : static_cast<std::int64_t>(std::clamp(from.real(i), -0x1p31, 0x1p31)));
    return made(to == OnnxType::float32 ? OnnxTensor::reals(from.dims, reals)
                                        : OnnxTensor::integers(to, from.dims, integers));
  }
  if (operand.kind == Kind::sums && operand.sums->are_integers && to == OnnxType::float32) {
    OnnxSums sums = *operand.sums;
    sums.are_integers = false;
    return pending(std::move(sums), operand.view);
  }
  if (operand.kind == Kind::input && to == OnnxType::float32)
    return operand;
  if (operand.kind == Kind::integers && to == OnnxType::float32) {
    OnnxQuantization as_they_are;
    as_they_are.scales = {1};
    as_they_are.zero_points = {0};
    return integers(context, 0, as_they_are);
  }
  if ((operand.kind == Kind::reals || operand.kind == Kind::sums || operand.kind == Kind::probabilities) &&
      to == OnnxType::float32 && !(operand.sums && operand.sums->are_integers))
    return operand;
  context.fail("it casts what the network computes to " + to_string(to) +
               "; possible is int32 sums to float");
}

} // namespace deltatwin
