// Operators that move no number of the network's, and arithmetic of shapes.
#include "base/text.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <cstring>
#include <numeric>

namespace deltatwin {
namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 24;

using Sizes = std::vector<std::int64_t>;

std::string shown(const Sizes& sizes) {
  std::string text;
  for (const std::int64_t size : sizes)
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

std::vector<int> narrowed(const OnnxContext& context, const Sizes& sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > most_elements || (count *= size) > most_elements)
      context.fail("it makes a tensor of dimensions " + shown(sizes));
  }
  if (sizes.size() > 8)
    context.fail("it makes a tensor of " + std::to_string(sizes.size()) + " dimensions");
  return {sizes.begin(), sizes.end()};
}

Sizes widened(const std::vector<int>& sizes) { return {sizes.begin(), sizes.end()}; }

// Where an axis of the one shape is in the other; -1: nowhere.
int same_axis(const Sizes& from, const Sizes& to, int axis) {
  const auto before = [](const Sizes& sizes, std::size_t axis_at) {
    return std::accumulate(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(axis_at),
                           std::int64_t{1}, std::multiplies<>());
  };
  for (std::size_t d = 0; d < to.size(); ++d)
    if (to[d] == from[static_cast<std::size_t>(axis)] &&
        before(to, d) == before(from, static_cast<std::size_t>(axis)))
      return static_cast<int>(d);
  return -1;
}

OnnxTensor permuted(const OnnxTensor& tensor, const std::vector<int>& order) {
  OnnxTensor result = tensor;
  const std::size_t width = bytes_of(tensor.type);
  const View view = View(std::vector<int>(tensor.dims.begin(), tensor.dims.end())).transposed(order);
  result.dims = widened(view.dims());
  const std::vector<int> places = view.places();
  for (std::size_t i = 0; i < places.size(); ++i)
    std::memcpy(result.bytes.data() + i * width,
                tensor.bytes.data() + static_cast<std::size_t>(places[i]) * width, width);
  return result;
}

} // namespace

std::vector<int> OnnxTranslator::dims_of(const Operand& operand) const {
  if (operand.kind != Kind::constant && operand.kind != Kind::weights)
    return operand.view.dims();
  const Sizes& dims =
      operand.kind == Kind::constant ? operand.constant->dims : operand.weights->integers.dims;
  return {dims.begin(), dims.end()};
}

OnnxOperand OnnxTranslator::in_shape(const Context& context, const Operand& operand,
                                     const std::vector<int>& dims) {
  Operand result = operand;
  if (operand.kind == Kind::constant) {
    OnnxTensor tensor = *operand.constant;
    tensor.dims = widened(dims);
    result.constant = std::make_shared<const OnnxTensor>(std::move(tensor));
    return result;
  }
  if (operand.kind == Kind::weights) {
    OnnxWeights weights = *operand.weights;
    if (weights.quantization.scales.size() > 1 || weights.quantization.zero_points.size() > 1) {
      weights.quantization.axis = same_axis(weights.integers.dims, widened(dims), weights.quantization.axis);
      if (weights.quantization.axis < 0)
        context.fail("it reshapes weights so that their scales are along no axis any more");
    }
    weights.integers.dims = widened(dims);
    result.weights = std::make_shared<const OnnxWeights>(std::move(weights));
    return result;
  }
  const std::optional<View> view = operand.view.reshaped(dims);
  if (!view)
    context.fail("it would move elements in memory, from " + shown(widened(operand.view.dims())) + " to " +
                 shown(widened(dims)) +
                 "; possible is what moves none (maps lie as rows, columns, channels)");
  result.view = *view;
  return result;
}

OnnxOperand OnnxTranslator::identity(const Context& context) {
  for (std::size_t i = 1; i < context.node().outputs.size(); ++i)
    operands_.erase(context.node().outputs[i]);
  return input(context, 0);
}

OnnxOperand OnnxTranslator::constant_node(const Context& context) {
  for (const auto& [name, attribute] : context.node().attributes) {
    if (name == "value")
      return made(attribute.tensor);
    if (name == "value_int")
      return made(OnnxTensor::integers(OnnxType::int64, {}, {attribute.integer}));
    if (name == "value_ints")
      return made(OnnxTensor::integers(OnnxType::int64, {std::int64_t(attribute.integers.size())},
                                       attribute.integers));
    if (name == "value_float")
      return made(OnnxTensor::reals({}, {attribute.real}));
    if (name == "value_floats")
      return made(OnnxTensor::reals({std::int64_t(attribute.reals.size())}, attribute.reals));
  }
  context.fail("it has no value that is numbers");
}

OnnxOperand OnnxTranslator::shape(const Context& context) {
  const Sizes dims = widened(dims_of(input(context, 0)));
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto at = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t value = context.integer(name, otherwise);
    return std::clamp<std::int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  const std::int64_t first = at("start", 0), end = std::max(first, at("end", rank));
  const Sizes part(dims.begin() + first, dims.begin() + end);
  return made(OnnxTensor::integers(OnnxType::int64, {std::int64_t(part.size())}, part));
}

OnnxOperand OnnxTranslator::reshape(const Context& context) {
  const Operand& operand = input(context, 0);
  const Sizes before = widened(dims_of(operand));
  Sizes to;
  if (has_input(context, 1)) {
    const OnnxTensor& shape = constant(context, 1, "the shape");
    if (!shape.is_integer() || shape.elements() > 8)
      context.fail("the shape is no list of at most 8 integers");
    for (std::size_t i = 0; i < shape.elements(); ++i)
      to.push_back(shape.integer(i));
  } else {
    to = context.list("shape");
  }
  const auto all = std::accumulate(before.begin(), before.end(), std::int64_t{1}, std::multiplies<>());
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (to[d] == 0 && context.integer("allowzero", 0) == 0 && d < before.size())
      to[d] = before[d];
    if (to[d] == -1 && open < 0)
      open = static_cast<std::ptrdiff_t>(d);
    else if (to[d] < 1 || to[d] > most_elements || (known *= to[d]) > most_elements)
      context.fail("the shape is " + shown(to));
  }
  if (open >= 0)
    to[static_cast<std::size_t>(open)] = all / known;
  if ((open >= 0 ? all % known : all - known) != 0)
    context.fail("it makes " + shown(to) + " of " + shown(before) +
                 ", which has another number of elements (batches "
                 "become one at a time)");
  return in_shape(context, operand, narrowed(context, to));
}

OnnxOperand OnnxTranslator::flatten(const Context& context) {
  const Operand& operand = input(context, 0);
  const std::vector<int> before = dims_of(operand);
  const auto rank = static_cast<std::int64_t>(before.size());
  std::int64_t axis = context.integer("axis", 1);
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis > rank)
    context.fail("its axis is " + std::to_string(axis));
  std::vector<int> to = {1, 1};
  for (std::int64_t d = 0; d < rank; ++d)
    to[d < axis ? 0 : 1] *= before[static_cast<std::size_t>(d)];
  return in_shape(context, operand, to);
}

std::vector<std::int64_t> OnnxTranslator::axes(const Context& context, std::size_t at) const {
  std::vector<std::int64_t> result = context.list("axes");
  if (has_input(context, at)) {
    const OnnxTensor& tensor = constant(context, at, "its axes");
    if (!tensor.is_integer() || tensor.elements() > 8)
      context.fail("its axes are no list of at most 8 integers");
    for (std::size_t i = 0; i < tensor.elements(); ++i)
      result.push_back(tensor.integer(i));
  }
  const auto rank = static_cast<std::int64_t>(dims_of(input(context, 0)).size());
  for (std::int64_t& axis : result)
    axis += axis < 0 && context.node().op != "Unsqueeze" ? rank : 0;
  return result;
}

OnnxOperand OnnxTranslator::squeeze(const Context& context) {
  const Operand& operand = input(context, 0);
  const std::vector<int> before = dims_of(operand);
  const std::vector<std::int64_t> gone = axes(context, 1);
  std::vector<int> to;
  for (std::size_t d = 0; d < before.size(); ++d) {
    const bool named = std::find(gone.begin(), gone.end(), static_cast<std::int64_t>(d)) != gone.end();
    if (named && before[d] != 1)
      context.fail("axis " + std::to_string(d) + " has " + std::to_string(before[d]) +
                   " elements, expected one");
    if (!named && !(gone.empty() && before[d] == 1))
      to.push_back(before[d]);
  }
  return in_shape(context, operand, to);
}

OnnxOperand OnnxTranslator::unsqueeze(const Context& context) {
  const Operand& operand = input(context, 0);
  const std::vector<int> before = dims_of(operand);
  std::vector<std::int64_t> come = axes(context, 1);
  const std::size_t rank = before.size() + come.size();
  std::vector<int> to;
  for (std::int64_t& axis : come)
    axis += axis < 0 ? static_cast<std::int64_t>(rank) : 0;
  for (std::size_t d = 0, next = 0; d < rank; ++d) {
    const bool is_new = std::find(come.begin(), come.end(), static_cast<std::int64_t>(d)) != come.end();
    if (!is_new && next == before.size())
      context.fail("its axes are out of range, or one is there twice");
    to.push_back(is_new ? 1 : before[next++]);
  }
  return in_shape(context, operand, to);
}

OnnxOperand OnnxTranslator::transpose(const Context& context) {
  const Operand& operand = input(context, 0);
  const std::size_t rank = dims_of(operand).size();
  std::vector<int> order(rank);
  if (context.has("perm")) {
    order = context.integers("perm", rank, 0, 0, static_cast<int>(rank) - 1);
  } else {
    std::iota(order.rbegin(), order.rend(), 0);
  }
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (std::unique(sorted.begin(), sorted.end()) != sorted.end())
    context.fail("perm names a dimension twice");
  Operand result = operand;
  if (operand.kind == Kind::constant) {
    result.constant = std::make_shared<const OnnxTensor>(permuted(constant(context, 0, "an input"), order));
  } else if (operand.kind == Kind::weights) {
    OnnxWeights weights = *operand.weights;
    weights.integers = permuted(weights.integers, order);
    const auto at = std::find(order.begin(), order.end(), weights.quantization.axis);
    weights.quantization.axis = static_cast<int>(at - order.begin());
    result.weights = std::make_shared<const OnnxWeights>(std::move(weights));
  } else {
    result.view = operand.view.transposed(order);
  }
  return result;
}

OnnxOperand OnnxTranslator::pad(const Context& context) {
  Operand operand = input(context, 0);
  const std::vector<int> dims = dims_of(operand);
  const std::size_t rank = dims.size();
  if (context.text("mode", "constant") != "constant")
    context.fail("its mode is \"" + printable(context.text("mode", "")) + "\"; possible is constant");
  std::vector<std::int64_t> pads = context.list(context.has("pads") ? "pads" : "paddings");
  if (has_input(context, 1)) {
    const OnnxTensor& tensor = constant(context, 1, "its padding");
    if (!tensor.is_integer() || tensor.elements() > 16)
      context.fail("its padding is no list of at most 16 integers");
    for (std::size_t i = 0; i < tensor.elements(); ++i)
      pads.push_back(tensor.integer(i));
  }
  if (has_input(context, 3)) {
    const std::vector<std::int64_t> along = axes(context, 3);
    std::vector<std::int64_t> all(2 * rank);
    for (std::size_t i = 0; i < along.size() && pads.size() == 2 * along.size(); ++i) {
      if (along[i] < 0 || along[i] >= static_cast<std::int64_t>(rank))
        context.fail("its axes are out of range");
      all[static_cast<std::size_t>(along[i])] = pads[i];
      all[rank + static_cast<std::size_t>(along[i])] = pads[along.size() + i];
    }
    pads = all;
  }
  if (pads.size() != 2 * rank)
    context.fail("its padding has " + std::to_string(pads.size()) + " numbers, expected " +
                 std::to_string(2 * rank));
  if (std::all_of(pads.begin(), pads.end(), [](std::int64_t size) { return size == 0; }))
    return operand;
  if (rank != 3 && rank != 4)
    context.fail("it pads " + std::to_string(rank) + " dimensions; possible are rows and columns of a map");
  for (std::size_t d = 0; d < rank; ++d)
    if (pads[d] < 0 || pads[rank + d] < 0 || pads[d] > 1 << 12 || pads[rank + d] > 1 << 12 ||
        (d < 2 && (pads[d] != 0 || pads[rank + d] != 0)))
      context.fail("its padding is " + shown(pads) +
                   "; possible are rows and columns more, before a convolution or an "
                   "average pool");
  const float value = has_input(context, 2) ? scalar(context, 2, "its value") : context.real("value", 0);
  if (operand.kind == Kind::integers)
    builder_.settle(context, operand.tensor, static_cast<int>(std::clamp(value, -1000.0f, 1000.0f)));
  else if (operand.kind == Kind::input || operand.kind == Kind::sums)
    context.fail("it pads real numbers that nothing has quantized; put a QuantizeLinear and a "
                 "DequantizeLinear before it");
  else if (operand.kind != Kind::reals || value != 0)
    context.fail("it pads with " + shortest(value) + "; possible is 0");
  if (rank == 4) {
    operand.padding.top += static_cast<int>(pads[2]);
    operand.padding.bottom += static_cast<int>(pads[rank + 2]);
  }
  operand.padding.left += static_cast<int>(pads[rank - 1]);
  operand.padding.right += static_cast<int>(pads[2 * rank - 1]);
  return operand;
}

OnnxOperand OnnxTranslator::gather(const Context& context) {
  const OnnxTensor &data = constant(context, 0, "what it gathers from"),
                   &indices = constant(context, 1, "an index");
  if (!data.is_integer() || !indices.is_integer() || data.dims.size() != 1 || context.integer("axis", 0) != 0)
    context.fail("possible is to gather from a shape");
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < indices.elements(); ++i) {
    std::int64_t at = indices.integer(i);
    at += at < 0 ? data.dims[0] : 0;
    if (at < 0 || at >= data.dims[0])
      context.fail("an index is out of range");
    values.push_back(data.integer(static_cast<std::size_t>(at)));
  }
  return made(OnnxTensor::integers(data.type, indices.dims, values));
}

OnnxOperand OnnxTranslator::concat(const Context& context) {
  std::vector<std::int64_t> values;
  OnnxType type = OnnxType::int64;
  for (std::size_t i = 0; i < context.node().inputs.size(); ++i) {
    if (input(context, i).kind != Kind::constant)
      context.fail("it concatenates what the network computes; possible are shapes");
    const OnnxTensor& part = constant(context, i, "a part");
    if (!part.is_integer() || part.dims.size() != 1)
      context.fail("possible is to concatenate shapes");
    type = part.type;
    for (std::size_t at = 0; at < part.elements(); ++at)
      values.push_back(part.integer(at));
  }
  if (values.size() > 1 << 20)
    context.fail("it makes more than a million numbers");
  return made(OnnxTensor::integers(type, {std::int64_t(values.size())}, values));
}

OnnxOperand OnnxTranslator::slice(const Context& context) {
  if (input(context, 0).kind != Kind::constant)
    context.fail("it takes a part of what the network computes; possible are shapes");
  const OnnxTensor& data = constant(context, 0, "what it takes a part of");
  const auto bound = [&](const char* attribute, std::size_t at, std::int64_t otherwise) {
    if (has_input(context, at)) {
      const OnnxTensor& tensor = constant(context, at, attribute);
      if (!tensor.is_integer() || tensor.elements() != 1)
        context.fail("possible is a part along one axis");
      return tensor.integer(0);
    }
    const std::vector<std::int64_t> list = context.list(attribute);
    return list.size() == 1 ? list[0] : otherwise;
  };
  if (!data.is_integer() || data.dims.size() != 1 || bound("axes", 3, 0) != 0 || bound("steps", 4, 1) != 1)
    context.fail("possible is a part of a shape, without steps");
  const auto at = [&](std::int64_t place) {
    return std::clamp<std::int64_t>(place < 0 ? place + data.dims[0] : place, 0, data.dims[0]);
  };
  std::vector<std::int64_t> values;
  for (std::int64_t i = at(bound("starts", 1, 0)); i < at(bound("ends", 2, data.dims[0])); ++i)
    values.push_back(data.integer(static_cast<std::size_t>(i)));
  return made(OnnxTensor::integers(data.type, {std::int64_t(values.size())}, values));
}

} // namespace deltatwin
