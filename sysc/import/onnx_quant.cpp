// QONNX's operators and FINN's, by name: what stands between real numbers and integers of a few bits.
#include "base/text.h"
#include "import/onnx_steps.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

using Kind = OnnxOperand::Kind;
constexpr int most_bits = 8;           ///< of what is computed, and of weights
constexpr int most_constant_bits = 32; ///< of a bias

enum class Mode { even, floor, ceiling, down, up, half_up, half_down };

Mode mode_of(const OnnxContext& context, const std::string& otherwise) {
  std::string name = context.text("rounding_mode", otherwise);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  static const std::map<std::string, Mode> modes = {
      {"ROUND", Mode::even},   {"HALF_EVEN", Mode::even},  {"FLOOR", Mode::floor},
      {"CEIL", Mode::ceiling}, {"DOWN", Mode::down},       {"ROUND_TO_ZERO", Mode::down},
      {"UP", Mode::up},        {"HALF_UP", Mode::half_up}, {"HALF_DOWN", Mode::half_down}};
  const auto found = modes.find(name);
  if (found == modes.end())
    context.fail("its rounding_mode is \"" + printable(name) +
                 "\"; known are ROUND, FLOOR, CEIL, UP, DOWN, "
                 "HALF_UP and HALF_DOWN");
  return found->second;
}

float rounded(Mode mode, float value) {
  const float whole = std::trunc(value), rest = std::abs(value - whole), away = std::copysign(1.0f, value);
  switch (mode) {
  case Mode::floor:
    return std::floor(value);
  case Mode::ceiling:
    return std::ceil(value);
  case Mode::down:
    return whole;
  case Mode::up:
    return rest > 0 ? whole + away : whole;
  case Mode::half_up:
    return rest >= 0.5f ? whole + away : whole;
  case Mode::half_down:
    return rest > 0.5f ? whole + away : whole;
  default:
    return std::nearbyint(value);
  }
}

// Where results lie beside the nearest integer; toward 0 and away from it no one number tells.
double offset_of(Mode mode) { return mode == Mode::floor ? -0.5 : mode == Mode::ceiling ? 0.5 : 0; }

int bits_at(const OnnxContext& context, float bits, int most) {
  if (!(bits >= 1 && bits <= static_cast<float>(most)) || bits != std::nearbyint(bits))
    context.fail("its integers have " + shortest(bits) + " bits; possible are 1 to " + std::to_string(most));
  return static_cast<int>(bits);
}

void set_range(OnnxTarget& target, int bits, bool is_signed, bool is_narrow) {
  target.format = {bits, is_signed, 0};
  target.low = target.format.low() + (is_signed && is_narrow ? 1 : 0);
  target.high = target.format.high() - (!is_signed && is_narrow ? 1 : 0);
}

// -1 and 1 in two bits, whose -2 no result is.
OnnxTarget bipolar(float scale) {
  OnnxTarget target;
  target.format = {2, true, 0};
  target.low = -1;
  target.high = 1;
  target.scale = target.step = scale;
  target.integer = [](float real, std::size_t) { return real >= 0 ? 1 : -1; };
  target.counts = true;
  return target;
}

const std::string bipolar_rule = "1 where it is at least 0, else -1";

std::string rule_of(const OnnxTarget& target, Mode mode) {
  return "clamp(" +
         std::string(mode == Mode::floor     ? "floor"
                     : mode == Mode::ceiling ? "ceil"
                                             : "round") +
         "(real / " + shortest(target.step) +
         (target.format.zero_point ? " + " + std::to_string(target.format.zero_point) : "") + "), " +
         std::to_string(target.low) + ", " + std::to_string(target.high) + ")";
}

} // namespace

// Values and scales of a constant are broadcast, as numpy does; the scales may differ along one axis.
OnnxOperand OnnxTranslator::quantized_constant(const Context& context, const OnnxTensor& reals, int bits,
                                               bool is_signed,
                                               const std::function<double(float, float)>& integer) {
  OnnxWeights weights;
  OnnxQuantization& quantization = weights.quantization;
  quantization.zero_points = {0};
  const OnnxTensor& scales = constant(context, 1, "a scale");
  std::vector<std::int64_t> dims = scales.dims;
  while (!dims.empty() && dims[0] == 1 && dims.size() > reals.dims.size())
    dims.erase(dims.begin());
  std::size_t inner = 1; // elements for each index of the axis
  bool fits = dims.size() <= reals.dims.size() && scales.elements() > 0 && !scales.is_integer();
  for (std::size_t d = 0, axes = 0; fits && d < dims.size(); ++d) {
    const std::size_t at = reals.dims.size() - dims.size() + d;
    fits = dims[d] == 1 || (dims[d] == reals.dims[at] && ++axes == 1);
    if (dims[d] != 1)
      quantization.axis = static_cast<int>(at);
    inner = dims[d] != 1 ? 1 : inner * static_cast<std::size_t>(reals.dims[at]);
  }
  if (!fits)
    context.fail("its scales are of another shape than one number, or one for each index of one axis");
  for (std::size_t i = 0; i < scales.elements(); ++i) {
    quantization.scales.push_back(static_cast<float>(scales.real(i)));
    if (!(quantization.scales[i] > 0) || !std::isfinite(quantization.scales[i]))
      context.fail("a scale is " + std::to_string(quantization.scales[i]) + ", expected more than 0");
  }
  inner = scales.elements() == 1 ? 1 : inner;
  std::vector<std::int64_t> values(reals.elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto real = static_cast<float>(reals.real(i));
    if (std::isnan(real))
      context.fail("a constant is no number");
    values[i] =
        static_cast<std::int64_t>(integer(real, quantization.scales[i / inner % quantization.scales.size()]));
  }
  const OnnxType type = bits > 8 ? OnnxType::int32 : is_signed ? OnnxType::int8 : OnnxType::uint8;
  weights.integers = OnnxTensor::integers(type, reals.dims, values);
  Operand result;
  result.kind = Kind::weights;
  result.weights = std::make_shared<const OnnxWeights>(std::move(weights));
  return result;
}

OnnxOperand OnnxTranslator::quant(const Context& context) {
  const bool is_signed = context.integer("signed", 1) != 0, is_narrow = context.integer("narrow", 0) != 0;
  const Mode mode = mode_of(context, "ROUND");
  const float given_bits = scalar(context, 3, "the number of bits");
  const float zero = scalar(context, 2, "a zero point");
  if (zero != std::nearbyint(zero) || std::abs(zero) > 255)
    context.fail("its zero point is " + shortest(zero) + ", no integer of its format");
  if (const Operand& x = input(context, 0); x.kind == Kind::constant || x.kind == Kind::weights) {
    const int bits = bits_at(context, given_bits, most_constant_bits);
    if (zero != 0)
      context.fail("weights have a zero point; possible is 0");
    OnnxTensor reals;
    if (x.kind == Kind::constant) {
      reals = constant(context, 0, "an input");
    } else {
      const OnnxWeights& weights = *x.weights;
      if (weights.quantization.scales.size() != 1)
        context.fail("it quantizes constants that are quantized by channel");
      std::vector<float> values;
      for (std::size_t i = 0; i < weights.integers.elements(); ++i)
        values.push_back(
            static_cast<float>(weights.integers.integer(i) - weights.quantization.zero_point(0)) *
            weights.quantization.scale(0));
      reals = OnnxTensor::reals(weights.integers.dims, values);
    }
    const double low = is_signed ? -std::ldexp(1, bits - 1) + is_narrow : 0;
    const double high = is_signed ? std::ldexp(1, bits - 1) - 1 : std::ldexp(1, bits) - 1 - is_narrow;
    return quantized_constant(context, reals, bits, is_signed, [&](float real, float scale) {
      if (bits == 1 && is_signed)
        return real >= 0 ? 1.0 : -1.0; // as qonnx has it
      return std::min<double>(std::max<double>(rounded(mode, real / scale), low), high);
    });
  }
  const float scale = scalar(context, 1, "a scale");
  if (!(scale > 0) || !std::isfinite(scale))
    context.fail("its scale is " + std::to_string(scale) + ", expected more than 0");
  const int bits = bits_at(context, given_bits, most_bits);
  if (bits == 1 && is_signed) {
    if (zero != 0)
      context.fail("it has one bit and a zero point");
    return to_target(context, bipolar(scale), bipolar_rule);
  }
  OnnxTarget target;
  set_range(target, bits, is_signed, is_narrow);
  target.scale = target.step = scale;
  target.offset = offset_of(mode);
  if (zero < static_cast<float>(target.format.low()) || zero > static_cast<float>(target.format.high()))
    context.fail("its zero point is " + shortest(zero) + ", no integer of its format");
  target.format.zero_point = static_cast<int>(zero);
  const float low = static_cast<float>(target.low), high = static_cast<float>(target.high);
  target.integer = [=](float real, std::size_t) {
    return static_cast<int>(rounded(mode, std::clamp(real / scale + zero, low, high)));
  };
  return to_target(context, target, rule_of(target, mode));
}

OnnxOperand OnnxTranslator::bipolar_quant(const Context& context) {
  if (input(context, 0).kind == Kind::constant)
    return quantized_constant(context, constant(context, 0, "an input"), 2, true,
                              [](float real, float) { return real >= 0 ? 1.0 : -1.0; });
  const float scale = scalar(context, 1, "a scale");
  if (!(scale > 0) || !std::isfinite(scale))
    context.fail("its scale is " + std::to_string(scale) + ", expected more than 0");
  return to_target(context, bipolar(scale), bipolar_rule);
}

// The first version divides by a power of two, and leaves the scale as it is; the second tells both scales.
OnnxOperand OnnxTranslator::truncate(const Context& context) {
  const bool is_second = context.node().inputs.size() > 5;
  const float scale = scalar(context, 1, "a scale"), zero = scalar(context, 2, "a zero point");
  const int from = bits_at(context, scalar(context, 3, "the number of bits"), most_constant_bits);
  const int to = bits_at(context, scalar(context, is_second ? 6 : 4, "the number of bits"), most_bits);
  const float result_scale = is_second ? scalar(context, 4, "a scale") : scale;
  if (!(scale > 0) || !std::isfinite(scale) || !(result_scale > 0) || !std::isfinite(result_scale))
    context.fail("a scale is not more than 0");
  if (zero != 0 || (is_second && scalar(context, 5, "a zero point") != 0))
    context.fail("it has a zero point; possible is 0");
  const int shift = is_second ? static_cast<int>(std::nearbyint(std::log2(result_scale / scale))) : from - to;
  if (shift < 0 || shift > 24)
    context.fail("it drops " + std::to_string(shift) + " bits; possible are 0 to 24");
  const Mode mode = mode_of(context, "FLOOR");
  const Operand& x = input(context, 0);
  if (x.kind != Kind::sums && x.kind != Kind::reals)
    context.fail("it truncates what is no real number of the network's");
  const std::int64_t lowest = x.kind == Kind::sums && !std::holds_alternative<Add>(x.sums->op)
                                  ? *std::min_element(x.sums->lowest.begin(), x.sums->lowest.end())
                              : x.kind == Kind::reals ? builder_.reach(x.tensor).first - x.zero_point
                                                      : -1;
  OnnxTarget target;
  // The first version does not tell whether its integers are signed.
  const bool is_signed = context.has("signed") ? context.integer("signed", 1) != 0 : is_second || lowest < 0;
  set_range(target, to, is_signed, context.integer("narrow", 0) != 0);
  target.scale = result_scale;
  target.step = std::ldexp(scale, shift);
  target.offset = offset_of(mode);
  const float low = static_cast<float>(target.low), high = static_cast<float>(target.high);
  target.integer = [=, &context](float real, std::size_t) {
    const float units = std::ldexp(std::nearbyint(real / scale), -shift), whole = rounded(mode, units);
    // The first version does not clamp.
    if (!is_second && std::isfinite(real) && (whole < low || whole > high))
      context.fail("its numbers reach " + shortest(whole) + ", more than the " + std::to_string(to) +
                   " bits that it tells");
    return static_cast<int>(rounded(mode, std::clamp(units, low, high)));
  };
  return to_target(context, target, "");
}

OnnxOperand OnnxTranslator::multi_threshold(const Context& context) {
  const OnnxTensor& thresholds = constant(context, 1, "a threshold");
  if (thresholds.dims.size() != 2 || thresholds.is_integer() || thresholds.elements() == 0)
    context.fail("its thresholds are no matrix of real numbers: channels by steps");
  const auto rows = static_cast<std::size_t>(thresholds.dims[0]),
             count = static_cast<std::size_t>(thresholds.dims[1]);
  const float scale = context.real("out_scale", 1), bias = context.real("out_bias", 0);
  if (!(scale > 0) || !std::isfinite(scale))
    context.fail("its out_scale is " + std::to_string(scale) + ", expected more than 0");
  // value = (count + bias / scale) * scale, in halves of it where that is no integer: -1 and 1 are
  // 2 * count - 1.
  const double whole = double{bias} / scale;
  const auto is_integer = [](double value) { return std::abs(value - std::nearbyint(value)) < 1e-5; };
  const int factor = is_integer(whole) ? 1 : 2;
  const double first = whole * factor;
  const std::size_t steps = count * static_cast<std::size_t>(factor);
  if (steps > Requantization::most_thresholds)
    context.fail("it has " + std::to_string(count) + " thresholds; possible are " +
                 std::to_string(Requantization::most_thresholds / factor) + ", that is 4 bits");
  if (!is_integer(first) || std::abs(first) > 128)
    context.fail("its out_bias, " + shortest(bias) + ", is no multiple of half of out_scale, " +
                 shortest(scale));
  OnnxTarget target;
  target.low = static_cast<int>(std::nearbyint(first));
  target.high = target.low + static_cast<int>(steps);
  target.format = {1, target.low < 0, 0};
  while (target.format.low() > target.low || target.format.high() < target.high)
    ++target.format.bits;
  target.scale = target.step = scale / static_cast<float>(factor);
  target.counts = true;
  target.by_channel = rows > 1;
  take_as_reals(context);
  Operand x = input(context, 0);
  if (x.kind == Kind::input)
    context.fail("it counts thresholds of the input, of which nothing tells that it has integers; annotate "
                 "it (finn_datatype), or put a Quant before it");
  if (x.kind != Kind::sums)
    x = rescaled(context, reals(context, 0));
  if (x.sums->are_integers)
    context.fail("it counts thresholds of int32 sums; put a Cast to float before it");
  // Of each threshold its value a channel, as the channels lie.
  std::vector<std::vector<float>> values(count);
  for (std::size_t t = 0; t < count; ++t) {
    std::vector<float> column;
    for (std::size_t row = 0; row < rows; ++row)
      column.push_back(static_cast<float>(thresholds.real(row * count + t)));
    const int rank = x.view.rank();
    const bool last = context.text("data_layout", "NCHW") == "NHWC" || rank < 2 || rank == 3;
    std::vector<std::int64_t> dims(static_cast<std::size_t>(rank), 1);
    dims[static_cast<std::size_t>(last ? rank - 1 : 1)] = static_cast<std::int64_t>(rows);
    values[t] = by_channel(context, x, OnnxTensor::reals(dims, column));
  }
  target.integer = [=, values = std::move(values)](float real, std::size_t channel) {
    int reached = 0;
    for (const std::vector<float>& value : values)
      reached += real >= value[value.size() == 1 ? 0 : channel] ? 1 : 0;
    return target.low + reached * factor;
  };
  if (target.by_channel)
    x = by_ones(context, x);
  operands_[context.node().inputs[0]] = x;
  return to_target(context, target, "");
}

OnnxOperand OnnxTranslator::left_to_host(const Context& context) {
  Operand result = input(context, 0);
  if (result.kind != Kind::sums && result.kind != Kind::integers)
    result = reals(context, 0);
  result.host = context.node().op;
  return result;
}

} // namespace deltatwin
