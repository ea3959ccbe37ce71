#include "import/onnx_builder.h"
#include "base/error.h"
#include "base/text.h"
#include "import/onnx_steps.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

constexpr std::uint64_t most_weights = std::uint64_t{1} << 25;
constexpr std::size_t most_nodes = 1000;
constexpr std::int64_t most_elements = std::int64_t{1} << 24;
constexpr float infinity = std::numeric_limits<float>::infinity();
} // namespace

std::string OnnxContext::name() const {
  if (!node_->name.empty())
    return node_->name;
  return node_->outputs.empty() ? "node_" + std::to_string(index_) : node_->outputs[0];
}

void OnnxContext::fail(const std::string& what) const {
  throw InputError(*origin_ + ": node \"" + printable(name()) + "\" (" +
                   (node_->domain.empty() ? "" : printable(node_->domain) + ".") + printable(node_->op) +
                   "): " + what);
}

std::int64_t OnnxContext::integer(const std::string& attribute, std::int64_t otherwise) const {
  const auto found = node_->attributes.find(attribute);
  return found == node_->attributes.end() ? otherwise : found->second.integer;
}

float OnnxContext::real(const std::string& attribute, float otherwise) const {
  const auto found = node_->attributes.find(attribute);
  return found == node_->attributes.end() ? otherwise : found->second.real;
}

std::string OnnxContext::text(const std::string& attribute, const std::string& otherwise) const {
  const auto found = node_->attributes.find(attribute);
  return found == node_->attributes.end() ? otherwise : found->second.text;
}

std::vector<std::int64_t> OnnxContext::list(const std::string& attribute) const {
  const auto found = node_->attributes.find(attribute);
  return found == node_->attributes.end() ? std::vector<std::int64_t>{} : found->second.integers;
}

std::vector<int> OnnxContext::integers(const std::string& attribute, std::size_t count, int otherwise,
                                       int low, int high) const {
  if (!has(attribute))
    return std::vector<int>(count, otherwise);
  const std::vector<std::int64_t> values = list(attribute);
  if (values.size() != count)
    fail(attribute + " has " + std::to_string(values.size()) + " numbers, expected " + std::to_string(count));
  for (const std::int64_t value : values)
    if (value < low || value > high)
      fail(attribute + " has " + std::to_string(value) + ", expected " + std::to_string(low) + " to " +
           std::to_string(high));
  return {values.begin(), values.end()};
}

View result_map(const OnnxContext& context, const std::vector<int>& dims) {
  std::int64_t count = 1;
  for (const int size : dims)
    if ((count *= size) > most_elements)
      context.fail("its result has more than " + std::to_string(most_elements) + " elements");
  return View::of_map(dims);
}

bool is_signed_byte(OnnxType type) { return type == OnnxType::int8; }

void require_bytes(const OnnxContext& context, OnnxType type, const char* what) {
  if (type != OnnxType::int8 && type != OnnxType::uint8)
    context.fail(std::string(what) + " of " + to_string(type) +
                 " instead of int8 or uint8; quantize to 8 bits");
}

std::size_t OnnxBuilder::add_tensor(const std::string& name, std::vector<int> shape, const Format& format,
                                    float scale) {
  const std::size_t index = builder_.tensor(name, shape, format, scale);
  cells_.push_back(zero_points_.size());
  zero_points_.emplace_back(format.zero_point);
  reach_.emplace_back(format.low(), format.high());
  return index;
}

std::size_t OnnxBuilder::add_alike(const std::string& name, std::vector<int> shape, std::size_t other) {
  const Format format = tensor(other).format; // the tensors move when one is added
  const std::size_t index = add_tensor(name, std::move(shape), format, tensor(other).scale);
  zero_points_.pop_back();
  cells_[index] = cells_[other];
  reach_[index] = reach_[other];
  return index;
}

void OnnxBuilder::add_node(const std::string& name, std::vector<std::size_t> inputs, std::size_t output,
                           decltype(Node::op) op, NodeReport report) {
  const auto* by_element = std::get_if<Convolution>(&op); // one element makes one
  if (by_element &&
      (by_element->groups != by_element->outputs || by_element->weights.size() != by_element->bias.size() ||
       by_element->window.row_stride != 1 || by_element->window.column_stride != 1))
    by_element = nullptr;
  const bool moves_none =
      by_element || (!std::holds_alternative<Convolution>(op) && !std::holds_alternative<Pool>(op));
  if (moves_none && std::all_of(inputs.begin(), inputs.end(),
                                [&](std::size_t input) { return like_input_.count(input) > 0; }))
    like_input_.insert(output);
  if (const auto* convolution = std::get_if<Convolution>(&op))
    weights_ += convolution->weights.size();
  if (weights_ > most_weights || builder_.graph().nodes.size() >= most_nodes)
    throw InputError(origin_ + ": it has more than " + std::to_string(most_nodes) + " operators or " +
                     std::to_string(most_weights) + " weights");
  builder_.node(name, inputs, output, std::move(op), std::move(report));
}

void OnnxBuilder::settle(const OnnxContext& context, std::size_t index, int zero_point) {
  std::optional<int>& known = zero_points_[cells_[index]];
  if (!known)
    known = zero_point;
  if (*known != zero_point)
    context.fail("it reads integers with zero point " + std::to_string(zero_point) +
                 " that are written, or read elsewhere, with zero point " + std::to_string(*known));
}

std::size_t OnnxBuilder::shaped(std::size_t index, const std::vector<int>& shape) {
  if (tensor(index).shape == shape)
    return index;
  if (index == builder_.graph().input && !is_read(index)) {
    builder_.graph().tensors[index].shape = shape;
    return index;
  }
  const auto [found, is_new] = shaped_.try_emplace({index, shape}, 0);
  if (is_new) {
    const std::string name = tensor(index).name + "_shaped";
    found->second = add_alike(name, shape, index);
    add_node(name, {index}, found->second, Reshape{}, {"layout", 0, 0, ""});
  }
  return found->second;
}

void OnnxBuilder::require_order(const OnnxContext& context, const OnnxOperand& operand,
                                const std::vector<int>& dimensions) {
  if (operand.view.is_in_order(dimensions))
    return;
  if (like_input_.count(operand.tensor) > 0)
    throw OnnxRelayout{operand.view, dimensions};
  context.fail(
      "a Transpose or Reshape before it would move elements in memory (maps lie as rows, columns, channels); "
      "possible are those that move none, and any between the input and the first operator");
}

std::size_t OnnxBuilder::map(const OnnxContext& context, const OnnxOperand& operand) {
  const std::vector<int> dims = operand.view.dims();
  if (dims.size() != 3 && dims.size() != 4)
    context.fail("it reads " + std::to_string(dims.size()) +
                 " dimensions; possible are {batch, channels, columns} and "
                 "{batch, channels, rows, columns}");
  if (dims[0] != 1 && operand.tensor == builder_.graph().input)
    throw OnnxBatched();
  if (dims[0] != 1)
    context.fail("it reads a batch of " + std::to_string(dims[0]) + "; possible is one at a time");
  if (dims.size() == 3) {
    require_order(context, operand, {0, 2, 1});
    return shaped(operand.tensor, {1, dims[2], dims[1]});
  }
  require_order(context, operand, {0, 2, 3, 1});
  return shaped(operand.tensor, {dims[2], dims[3], dims[1]});
}

std::size_t OnnxBuilder::sixteen_bits(const OnnxContext& context, const OnnxSums& sums) {
  const bool is_real = !sums.are_integers;
  const auto refuse = [&](const std::string& why) {
    if (is_real)
      context.fail("its results are real numbers, and no QuantizeLinear is behind it; add one");
    context.fail(why);
  };
  const bool per_channel =
      !sums.negated.empty() || std::any_of(sums.steps.begin(), sums.steps.end(),
                                           [](const RealStep& step) { return step.values.size() != 1; });
  if (std::holds_alternative<Add>(sums.op) || sums.scales.size() != 1 || per_channel ||
      (!is_real && !sums.steps.empty()))
    refuse("its sums are scaled, and nothing quantizes them");
  const std::int64_t lowest = *std::min_element(sums.lowest.begin(), sums.lowest.end());
  const std::int64_t highest = *std::max_element(sums.highest.begin(), sums.highest.end());
  if (lowest < -32768 || highest > 32767)
    refuse("its sums can reach " + std::to_string(lowest) + " to " + std::to_string(highest) +
           ", results have 16 bits at most; scale and quantize them (Cast, Mul, QuantizeLinear)");
  const Format format{16, true, 0};
  Requantization requantization;
  requantization.rounding = Rounding::half_even;
  requantization.low = format.low();
  requantization.high = format.high();
  const float scale = is_real ? sums.scales[0] / static_cast<float>(std::max(sums.mean_of, 1)) : 0;
  const std::size_t output = add_tensor(context.node().outputs[0], sums.shape, format, scale);
  if (!sums.steps.empty())
    builder_.note("of these real numbers the host makes the network's: " + to_text(sums.steps));
  return emit(context, sums, output, requantization);
}

std::size_t OnnxBuilder::clamp(const OnnxContext& context, const OnnxSums& sums, float scale,
                               int zero_point) {
  if (!std::holds_alternative<Rescale>(sums.op) || !only_clamps(sums.steps))
    context.fail(
        "it reads real numbers that nothing has quantized; put a QuantizeLinear and a DequantizeLinear "
        "before it");
  const std::size_t input = sums.inputs[0], output = add_alike(context.node().inputs[0], sums.shape, input);
  const Format& format = tensor(input).format;
  const auto bound = [&](float real, int otherwise) {
    if (std::isinf(real))
      return otherwise;
    const double units = double{real} / scale;
    if (std::abs(units - std::nearbyint(units)) > 1e-3)
      context.fail("numbers are clamped to " + shortest(real) +
                   " before it, which is no multiple of their scale; put "
                   "a QuantizeLinear and a DequantizeLinear behind the clamp");
    return static_cast<int>(
        std::clamp(std::nearbyint(units) + zero_point, double(format.low()), double(format.high())));
  };
  Requantization requantization;
  requantization.rounding = Rounding::half_even;
  requantization.low = bound(through(sums.steps, -infinity, 0), format.low());
  requantization.high = bound(through(sums.steps, infinity, 0), format.high());
  reach_[output] = {requantization.low, requantization.high};
  return emit(context, sums, output, requantization);
}

std::size_t OnnxBuilder::emit(const OnnxContext& context, const OnnxSums& sums, std::size_t output,
                              Requantization requantization) {
  std::visit(
      [&](auto op) {
        if constexpr (std::is_same_v<decltype(op), Add>)
          op.output = requantization;
        else
          op.requantization = requantization;
        report_.source = sums.source;
        add_node(sums.node, sums.inputs, output, std::move(op), std::exchange(report_, {}));
      },
      sums.op);
  for (const Window& window : sums.pools)
    output = max_pool(context.name(), "MaxPool", output, window);
  return output;
}

void OnnxBuilder::refold_input(int zero_point, float scale) {
  Graph& graph = builder_.graph();
  graph.tensors[graph.input].scale = scale;
  graph.tensors[graph.input].format.zero_point = zero_point;
  zero_points_[cells_[graph.input]] = zero_point;
}

bool OnnxBuilder::is_read(std::size_t index) const {
  const std::vector<Node>& nodes = builder_.graph().nodes;
  return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), index) != node.inputs.end();
  });
}

bool OnnxBuilder::narrow(std::size_t index, int low, int high) {
  Graph& graph = builder_.graph();
  if (graph.nodes.empty() || graph.nodes.back().output != index)
    return false;
  return std::visit(
      [&](auto& op) {
        using Op = std::decay_t<decltype(op)>;
        Requantization* requantization = nullptr;
        if constexpr (std::is_same_v<Op, Add>)
          requantization = &op.output;
        else if constexpr (std::is_same_v<Op, Convolution> || std::is_same_v<Op, Rescale>)
          requantization = &op.requantization;
        if (!requantization || requantization->rounding == Rounding::thresholds)
          return false;
        requantization->low = std::clamp(low, requantization->low, requantization->high);
        requantization->high = std::clamp(high, requantization->low, requantization->high);
        reach_[index] = {requantization->low, requantization->high};
        return true;
      },
      graph.nodes.back().op);
}

std::size_t OnnxBuilder::max_pool(const std::string& name, const std::string& source, std::size_t index,
                                  const Window& window) {
  const std::vector<int> shape = tensor(index).shape;
  const std::size_t output =
      add_alike(name, {window.result_rows(shape[0]), window.result_columns(shape[1]), shape[2]}, index);
  Pool pool;
  pool.window = window;
  pool.requantization.rounding = Rounding::half_even;
  pool.requantization.low = tensor(index).format.low();
  pool.requantization.high = tensor(index).format.high();
  add_node(name, {index}, output, pool, {source, 0, 0, ""});
  return output;
}

Import OnnxBuilder::finish() {
  Graph& graph = builder_.graph();
  for (std::size_t t = 0; t < graph.tensors.size(); ++t)
    graph.tensors[t].format.zero_point = zero_points_[cells_[t]].value_or(0);
  return builder_.finish(origin_);
}

} // namespace deltatwin
