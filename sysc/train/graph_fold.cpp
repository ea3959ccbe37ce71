#include "train/graph_model.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

/// factor = multiplier / 2^shift, as exactly as 31 bits can.
struct Multiplier {
  std::int32_t multiplier;
  int shift;
};

Multiplier multiplier_of(double factor) {
  int exponent = 0;
  const double fraction = std::frexp(factor, &exponent);
  auto multiplier = static_cast<std::int64_t>(std::round(std::ldexp(fraction, 31)));
  int shift = 31 - exponent;
  while ((multiplier > std::numeric_limits<std::int32_t>::max() || multiplier % 2 == 0 || shift > 62) &&
         shift > 0) {
    multiplier /= 2;
    --shift;
  }
  return {static_cast<std::int32_t>(multiplier), std::max(shift, 0)};
}

Requantization scaled_by(const std::vector<double>& factors, const PlannedTensor& result) {
  Requantization requantization;
  requantization.multipliers.clear();
  requantization.shifts.clear();
  for (const double factor : factors) {
    const Multiplier each = multiplier_of(factor);
    requantization.multipliers.push_back(each.multiplier);
    requantization.shifts.push_back(each.shift);
  }
  requantization.low = result.low();
  requantization.high = result.high();
  return requantization;
}

Window window_of(const PlannedStep& step) {
  Window window;
  window.rows = step.rows;
  window.columns = step.columns;
  window.row_stride = window.column_stride = step.stride;
  window.top = window.left = window.bottom = window.right = step.padding;
  return window;
}

Add fold_add(const GraphPlan& plan, const PlannedStep& step) {
  const auto [first, second] = add_factors(plan, step);
  Add add;
  // Of two integers the larger one is 1, or of that many bits.
  constexpr int bits = 16;
  const double largest = std::max(first, second);
  const double one = plan.shift_only ? std::min(first, second) : std::ldexp(largest, -bits);
  add.inputs[0].multipliers = {static_cast<std::int32_t>(std::round(first / one))};
  add.inputs[1].multipliers = {static_cast<std::int32_t>(std::round(second / one))};
  add.output = scaled_by({one}, plan.tensors[step.to]);
  return add;
}

// What no sum can reach, of a bias or a threshold, is brought close to what one can: memories are narrow.
struct Sums {
  std::int64_t least = 0, most = 0; ///< padding counts nothing

  void add(std::int64_t weight, std::int64_t low, std::int64_t high) {
    least += std::min({weight * low, weight * high, std::int64_t{0}});
    most += std::max({weight * low, weight * high, std::int64_t{0}});
  }
  [[nodiscard]] std::int32_t threshold(double given) const {
    return static_cast<std::int32_t>(
        std::clamp(given, static_cast<double>(least), static_cast<double>(most + 1)));
  }
  // A bias that clamps every sum may be any that does.
  [[nodiscard]] std::int32_t bias(const Normalization::Scale& scale, const PlannedTensor& out) const {
    const double above = std::ceil((out.high() + 1) / scale.factor),
                 below = std::floor((out.low() - 1) / scale.factor);
    return static_cast<std::int32_t>(
        std::clamp(scale.bias, below - static_cast<double>(most), above - static_cast<double>(least)));
  }
};

Convolution fold_convolution(const GraphPlan& plan, const PlannedStep& step, GraphLayer& layer) {
  const PlannedTensor &in = plan.tensors[step.from], &out = plan.tensors[step.to];
  Convolution convolution;
  convolution.window = window_of(step);
  convolution.outputs = layer.outputs;
  layer.quantizer.quantize(layer.weights.data_ptr<float>(), layer.rounded.data_ptr<float>());
  convolution.delta = layer.quantizer.stored();
  const float* rounded = layer.rounded.data_ptr<float>();
  std::vector<double> factors;
  std::vector<std::int32_t> thresholds;
  for (const Normalization::Scale& scale : layer.norm.scales()) {
    Sums sums;
    for (int i = 0; i < layer.inputs; ++i, ++rounded) {
      convolution.weights.push_back(static_cast<std::int16_t>(*rounded));
      sums.add(convolution.weights.back(), in.low() - in.zero_point, in.high() - in.zero_point);
    }
    factors.push_back(scale.factor);
    thresholds.insert(thresholds.end(), 2, sums.threshold(-scale.bias));
    convolution.bias.push_back(out.bipolar ? 0 : sums.bias(scale, out));
  }
  if (step.last)
    factors.resize(1); // all are equal
  convolution.requantization = scaled_by(factors, out);
  if (out.bipolar)
    convolution.requantization = {Rounding::thresholds, {1}, {0}, out.low(), out.high(), thresholds};
  return convolution;
}

Pool fold_pool(const PlannedStep& step, const PlannedTensor& out) {
  Pool pool;
  const bool average = step.kind == PlannedStep::Kind::average;
  pool.kind = average ? Pool::Kind::average : Pool::Kind::max;
  pool.window = window_of(step);
  pool.requantization = scaled_by({average ? std::exp2(-step.shift) : 1.0}, out);
  return pool;
}

} // namespace

std::pair<double, double> add_factors(const GraphPlan& plan, const PlannedStep& step) {
  const double unit = plan.tensors[step.to].unit;
  return {unit / plan.tensors[step.from].unit, unit / plan.tensors[step.from_other].unit};
}

Tensor to_tensor(const PlannedTensor& tensor) {
  return {tensor.name,
          {tensor.rows, tensor.columns, tensor.channels},
          {tensor.bits, tensor.is_signed, tensor.zero_point},
          static_cast<float>(1 / tensor.unit)};
}

Graph fold_graph(const GraphPlan& plan, std::vector<std::optional<GraphLayer>>& layers,
                 const std::string& name) {
  Graph graph;
  graph.name = name;
  for (const PlannedTensor& tensor : plan.tensors)
    graph.tensors.push_back(to_tensor(tensor));
  graph.tensors[0].scale = static_cast<float>(std::exp2(8 - plan.tensors[0].bits) / 255);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const PlannedStep& step = plan.steps[s];
    Node node;
    node.name = step.name;
    node.inputs = {step.from};
    node.output = step.to;
    switch (step.kind) {
    case PlannedStep::Kind::convolution:
      node.op = fold_convolution(plan, step, *layers[s]);
      break;
    case PlannedStep::Kind::max_pool:
    case PlannedStep::Kind::average:
      node.op = fold_pool(step, plan.tensors[step.to]);
      break;
    case PlannedStep::Kind::add:
      node.inputs.push_back(step.from_other);
      node.op = fold_add(plan, step);
    }
    graph.nodes.push_back(std::move(node));
  }
  graph.input = 0;
  graph.output = plan.steps.back().to;
  return graph;
}

} // namespace deltatwin
