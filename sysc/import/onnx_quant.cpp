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

const std::string as_they_are = "the host gives the input's integers as they are";
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
  target.integer = [=](float real, std::size_t) {
    return static_cast<int>(
        rounded(mode, std::clamp(std::ldexp(std::nearbyint(real / scale), -shift), low, high)));
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

OnnxOperand OnnxTranslator::normalize(const Context& context) {
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
  std::vector<float> factors, offsets;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto at = [&](std::size_t i) { return static_cast<float>(given[i]->real(c)); };
    const float deviation = std::sqrt(at(3) + epsilon);
    factors.push_back(1 / deviation * at(0));
    offsets.push_back(at(1) - at(2) * factors.back());
    if (!std::isfinite(factors.back()) || !std::isfinite(offsets.back()) || !(deviation > 0))
      context.fail("its parameters make no finite number of channel " + std::to_string(c));
  }
  const Operand& x = input(context, 0);
  if (x.kind == Kind::input)
    context.fail("it normalizes the input before it is quantized; leave that to the host");
  Operand operand = by_ones(context, x.kind == Kind::sums ? x : rescaled(context, reals(context, 0)));
  if (operand.sums->are_integers)
    context.fail("it normalizes int32 sums; put a Cast to float before it");
  std::vector<std::int64_t> dims(static_cast<std::size_t>(operand.view.rank()), 1);
  if (dims.size() < 2)
    context.fail("it reads " + std::to_string(dims.size()) + " dimensions, expected a batch and channels");
  dims[1] = static_cast<std::int64_t>(channels);
  const std::vector<float> by = by_channel(context, operand, OnnxTensor::reals(dims, factors));
  const std::vector<float> plus = by_channel(context, operand, OnnxTensor::reals(dims, offsets));
  return with_step(multiplied_by(context, operand, by, false), {RealStep::Kind::add, plus});
}

OnnxOperand OnnxTranslator::left_to_host(const Context& context) {
  Operand result = input(context, 0);
  if (result.kind != Kind::sums && result.kind != Kind::integers)
    result = reals(context, 0);
  result.host = context.node().op;
  return result;
}

// Whether integers less their zero point are those of the input already, with another scale and zero point.
bool OnnxTranslator::folds_input(const Operand& operand, const OnnxTarget& target, Operand& result) {
  const OnnxSums& sums = *operand.sums;
  // Where the host quantizes it, its own scale and zero point are for that.
  if (model_.inputs[0].type == OnnxType::float32 && builder_.input_note() != as_they_are)
    return false;
  if (!std::holds_alternative<Rescale>(sums.op) || sums.inputs[0] != builder_.graph().input ||
      !sums.pools.empty())
    return false;
  const Format format = builder_.tensor(sums.inputs[0]).format;
  int zero_point = 0;
  for (int x = format.low(); x <= format.high(); ++x) {
    const float real = static_cast<float>(x - operand.zero_point) * operand.scale;
    const int y = std::clamp(target.integer(through(sums.steps, real, 0), 0), target.low, target.high);
    const int zero = x - (y - target.format.zero_point);
    if (x != format.low() && zero != zero_point)
      return false;
    zero_point = zero;
  }
  if (zero_point < format.low() || zero_point > format.high())
    return false;
  result = operand;
  result.kind = Kind::reals;
  result.sums.reset();
  result.tensor = sums.inputs[0];
  result.scale = target.scale;
  result.zero_point = zero_point;
  builder_.refold_input(zero_point, target.scale);
  return true;
}

OnnxOperand OnnxTranslator::quantized_input(const Context& context, const Operand& x,
                                            const OnnxTarget& target, const std::string& rule) {
  float scale = target.scale;
  // A factor alone becomes part of the scale, if every integer agrees.
  bool folds = !target.counts;
  for (const RealStep& step : x.steps) {
    const float value = step.values[0];
    folds = folds && step.values.size() == 1 && value > 0 &&
            (step.kind == RealStep::Kind::multiply || step.kind == RealStep::Kind::divide);
    scale = step.kind == RealStep::Kind::divide ? scale * value : scale / value;
  }
  for (int i = target.low; folds && i <= target.high; ++i) {
    const float real = static_cast<float>(i - target.format.zero_point) * scale;
    folds = target.integer(through(x.steps, real, 0), 0) == i;
  }
  std::string note;
  if (!folds || !x.steps.empty() || target.low != target.format.low() ||
      target.high != target.format.high() || target.offset != 0 || target.format.zero_point != 0) {
    OnnxTarget own = target;
    own.step = folds ? scale : target.step;
    const std::size_t at = rule.find("real / ");
    std::string text = rule;
    if (folds && at != std::string::npos)
      text.replace(at + 7, rule.find_first_of(" )", at + 7) - at - 7, shortest(own.step));
    note = "the host quantizes the input: " + (folds || x.steps.empty() ? "" : to_text(x.steps) + ", then ") +
           "integer = " + text;
  }
  if (!folds)
    scale = target.scale;
  Graph& graph = builder_.graph();
  if (graph.tensors.empty()) {
    (void)builder_.add_tensor(model_.inputs[0].name, input_shape_, target.format, scale);
    builder_.limit(0, target.low, target.high);
    builder_.set_input_note(note);
  }
  const Tensor& first = builder_.tensor(0);
  if (first.format != target.format || first.scale != scale || builder_.input_note() != note)
    context.fail("the network's input is quantized in two ways; possible is one");
  Operand result = x;
  result.kind = Kind::reals;
  result.steps.clear();
  result.tensor = 0;
  result.scale = target.scale;
  result.zero_point = target.format.zero_point;
  return result;
}

OnnxOperand OnnxTranslator::to_target(const Context& context, const OnnxTarget& target,
                                      const std::string& rule) {
  take_as_reals(context);
  const Operand x = input(context, 0);
  if (x.kind == Kind::probabilities)
    return x;
  if (x.kind == Kind::integers)
    context.fail("it quantizes what is quantized already; put a DequantizeLinear before it");
  if (x.padding.any() && target.counts)
    context.fail("a Pad of zeros is before it, which it makes others of; put the Pad behind it");
  if (x.kind == Kind::input) {
    if (rule.empty())
      context.fail("it reads the input, which nothing has quantized");
    return quantized_input(context, x, target, rule);
  }
  Operand result = x;
  const bool is_tensor = x.kind == Kind::reals;
  const auto on_its_way = [&] { // one tensor that is but clamped
    return x.kind == Kind::sums && std::holds_alternative<Rescale>(x.sums->op) &&
           only_clamps(x.sums->steps) && x.sums->pools.empty() && !x.sums->are_integers;
  };
  if (!is_tensor && (x.kind != Kind::sums || x.sums->are_integers))
    context.fail("it quantizes what is no real number of the network's");
  if ((is_tensor || on_its_way()) && x.scale == target.scale && target.step == target.scale &&
      x.zero_point == target.format.zero_point && !target.counts) {
    // The same integers, clamped perhaps: where they are made, if nobody else reads them.
    const std::size_t tensor = is_tensor ? x.tensor : x.sums->inputs[0];
    const auto end = [&](float real) {
      const float clamped = is_tensor ? real : through(x.sums->steps, real, 0);
      return std::clamp(target.integer(clamped, 0), target.low, target.high);
    };
    const int low = end(-std::numeric_limits<float>::infinity()),
              high = end(std::numeric_limits<float>::infinity());
    const auto [least, most] = builder_.reach(tensor);
    if ((low <= least && high >= most) ||
        (is_last_reader(context, tensor) && builder_.narrow(tensor, low, high))) {
      result.kind = Kind::reals;
      result.sums.reset();
      result.tensor = tensor;
      return result;
    }
  }
  Operand sums = is_tensor ? rescaled(context, x) : x;
  if (std::holds_alternative<Rescale>(sums.sums->op) && !builder_.is_read(sums.sums->inputs[0]) &&
      is_last_reader(context, sums.sums->inputs[0]) && !target.counts && folds_input(sums, target, result))
    return result;
  // What rounds down needs a constant.
  if (target.offset != 0)
    sums = by_ones(context, sums);
  else if (!target.counts)
    sums = with_room_for_constants(context, sums);
  result = sums;
  result.kind = Kind::reals;
  result.tensor = builder_.quantize(context, *sums.sums, target);
  result.sums.reset();
  result.scale = target.scale;
  result.zero_point = target.format.zero_point;
  return result;
}

// The input, where an annotation tells that it has integers: they are its real numbers.
void OnnxTranslator::take_as_reals(const Context& context) {
  const std::string& name = context.node().inputs[0];
  const Operand& x = input(context, 0);
  const auto type = model_.datatypes.find(model_.inputs[0].name);
  if (x.kind != Kind::input || type == model_.datatypes.end())
    return;
  const std::string& text = type->second;
  const bool is_signed = text.rfind("INT", 0) == 0, is_unsigned = text.rfind("UINT", 0) == 0;
  const std::string digits = is_signed ? text.substr(3) : is_unsigned ? text.substr(4) : "";
  if (digits.size() != 1 || digits[0] < '1' || digits[0] > '8')
    return;
  Operand result = x;
  result.kind = Kind::reals;
  result.scale = 1;
  result.zero_point = 0;
  if (builder_.graph().tensors.empty())
    (void)builder_.add_tensor(model_.inputs[0].name, input_shape_, {digits[0] - '0', is_signed, 0}, 1);
  result.tensor = 0;
  builder_.set_input_note(as_they_are);
  const std::vector<RealStep> steps = std::move(result.steps);
  result.steps.clear();
  for (const RealStep& step : steps) {
    if (step.values.size() != 1)
      context.fail("the input is changed by one number a channel before it is quantized");
    if (result.kind == Kind::reals)
      result = rescaled(context, result);
    result = step.kind == RealStep::Kind::add
                 ? with_step(result, step)
                 : multiplied_by(context, result, step.values, step.kind == RealStep::Kind::divide);
  }
  operands_[name] = result;
}

} // namespace deltatwin
