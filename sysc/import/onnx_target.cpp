// What real numbers become by a Quant or its like: integers of a tensor, where they are made or on the input.
#include "base/text.h"
#include "import/onnx_steps.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <limits>

namespace deltatwin {
namespace {

using Kind = OnnxOperand::Kind;
const std::string as_they_are = "the host gives the input's integers as they are";

} // namespace

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
