#include "train/graph_model.h"
#include <cmath>

namespace deltatwin {
namespace {

// Real weights to integers.
struct WeightFunction : torch::autograd::Function<WeightFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& weights,
                            WeightQuantizer* quantizer, const at::Tensor& rounded) {
    quantizer->quantize(weights.data_ptr<float>(), rounded.data_ptr<float>());
    context->save_for_backward({weights});
    context->saved_data["quantizer"] = reinterpret_cast<std::int64_t>(quantizer);
    return rounded.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor weights = context->get_saved_variables()[0];
    at::Tensor gradient = gradients[0].contiguous();
    if (gradient.is_same(gradients[0]))
      gradient = gradient.clone();
    reinterpret_cast<const WeightQuantizer*>(context->saved_data["quantizer"].toInt())
        ->pass_gradient(weights.data_ptr<float>(), gradient.data_ptr<float>());
    return {gradient, at::Tensor(), at::Tensor()};
  }
};

struct RoundFunction : torch::autograd::Function<RoundFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& values) {
    return values.add(0.5).floor_();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 const torch::autograd::variable_list& gradients) {
    return gradients;
  }
};

} // namespace

GraphLayer::GraphLayer(const GraphPlan& plan, const PlannedStep& step, const DeltaTraining& deltas,
                       at::Generator& generator)
    : inputs(plan.inputs_of(step)), outputs(plan.tensors[step.to].channels),
      weights((at::randn({outputs, inputs}, generator) / std::sqrt(inputs)).requires_grad_(true)),
      rounded(at::empty({outputs, inputs})), quantizer(outputs, inputs, step.weights, deltas, step.last),
      norm(outputs, plan.tensors[step.to], step.last, plan.shift_only, plan.multiplier_bits) {
  quantizer.fit(weights.data_ptr<float>());
}

GraphModel::GraphModel(const GraphPlan& plan, const DeltaTraining& deltas, at::Generator& generator)
    : plan_(plan), layers_(plan.steps.size()) {
  for (std::size_t s = 0; s < layers_.size(); ++s)
    if (plan_.steps[s].kind == PlannedStep::Kind::convolution)
      layers_[s].emplace(plan_, plan_.steps[s], deltas, generator);
}

at::Tensor GraphModel::run(const PlannedStep& step, GraphLayer& layer, const at::Tensor& values,
                           bool training) {
  const PlannedTensor& in = plan_.tensors[step.from];
  const at::Tensor weights = WeightFunction::apply(layer.weights, &layer.quantizer, layer.rounded);
  at::Tensor sums;
  if (step.is_dense(in)) {
    // A dense layer is a convolution of 1 x 1 over all values as channels.
    const at::Tensor flat = values.permute({0, 2, 3, 1}).reshape({values.size(0), layer.inputs, 1, 1});
    sums = at::conv2d(flat, weights.view({layer.outputs, layer.inputs, 1, 1}));
  } else {
    const at::Tensor kernel =
        weights.view({layer.outputs, step.rows, step.columns, in.channels}).permute({0, 3, 1, 2});
    sums = at::conv2d(values, kernel, {}, step.stride, step.padding);
  }
  return training ? layer.norm.train(sums) : layer.norm.run(sums);
}

at::Tensor GraphModel::forward(const at::Tensor& pixels, bool training) {
  const PlannedTensor& input = plan_.tensors[0];
  std::vector<at::Tensor> values(plan_.tensors.size());
  // Of a pixel its upper bits, less what stands for 0.
  values[0] = pixels.to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  if (input.bits < 8)
    values[0] = values[0].div_(1 << (8 - input.bits)).floor_();
  values[0].sub_(input.is_signed ? 128 + input.zero_point : input.zero_point);
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    const PlannedStep& step = plan_.steps[s];
    const PlannedTensor& out = plan_.tensors[step.to];
    const at::Tensor& from = values[step.from];
    at::Tensor& to = values[step.to];
    switch (step.kind) {
    case PlannedStep::Kind::convolution:
      to = run(step, *layers_[s], from, training);
      break;
    case PlannedStep::Kind::max_pool:
      to = at::max_pool2d(from, step.rows, step.stride);
      break;
    case PlannedStep::Kind::add: {
      const auto [first, second] = add_factors(plan_, step);
      to = sum_of_maps(from, values[step.from_other], first, second, out.high());
      break;
    }
    case PlannedStep::Kind::average:
      to = RoundFunction::apply(from.sum({2, 3}, true) * std::exp2(-step.shift)).clamp(out.low(), out.high());
    }
  }
  return values[plan_.steps.back().to].flatten(1) / plan_.tensors[plan_.steps.back().to].unit;
}

void GraphModel::fit() {
  for (auto& layer : layers_)
    if (layer)
      layer->quantizer.fit(layer->weights.data_ptr<float>());
}

void GraphModel::refit() {
  for (auto& layer : layers_)
    if (layer)
      layer->quantizer.refit(layer->weights.data_ptr<float>(), layer->rounded.data_ptr<float>());
}

void GraphModel::clip() {
  for (auto& layer : layers_)
    if (layer) {
      layer->quantizer.clip(layer->weights.data_ptr<float>());
      const torch::NoGradGuard no_gradients;
      layer->norm.gain.clamp_min_(Normalization::least_gain);
    }
}

void GraphModel::shrink_deltas(double share) {
  for (const auto& layer : layers_)
    if (layer)
      layer->quantizer.shrink_deltas(layer->weights.data_ptr<float>(), share);
}

std::optional<WeightTiles> tiles_of(const GraphPlan& plan, const PlannedStep& step, const TileSize& size) {
  const PlannedTensor& in = plan.tensors[step.from];
  if (step.kind != PlannedStep::Kind::convolution || step.from == 0 || step.is_dense(in) ||
      step.weights.kind == WeightFormat::Kind::binary)
    return std::nullopt;
  const WeightTiles tiles(plan.tensors[step.to].channels, step.rows * step.columns, in.channels, size);
  return tiles.tiles_of_each() > 1 ? std::optional(tiles) : std::nullopt;
}

void GraphModel::shrink_tiles(double amount, const TileSize& size) {
  for (std::size_t s = 0; s < layers_.size(); ++s)
    if (const std::optional<WeightTiles> tiles = tiles_of(plan_, plan_.steps[s], size))
      tiles->shrink(layers_[s]->weights.data_ptr<float>(), amount);
}

std::vector<at::Tensor> GraphModel::weights() const {
  std::vector<at::Tensor> all;
  for (const auto& layer : layers_)
    if (layer)
      all.push_back(layer->weights);
  return all;
}

std::vector<at::Tensor> GraphModel::offsets_and_gains() const {
  std::vector<at::Tensor> all;
  for (const auto& layer : layers_)
    if (layer)
      all.insert(all.end(), {layer->norm.offset, layer->norm.gain});
  return all;
}

std::vector<std::pair<std::string, at::Tensor>> GraphModel::state() {
  std::vector<std::pair<std::string, at::Tensor>> all;
  for (std::size_t s = 0; s < layers_.size(); ++s)
    if (auto& layer = layers_[s]) {
      const std::string& name = plan_.steps[s].name;
      std::vector<float>& scales = layer->quantizer.scales();
      all.emplace_back(name + ".weight", layer->weights);
      all.emplace_back(name + ".scale",
                       at::from_blob(scales.data(), {static_cast<std::int64_t>(scales.size())}, at::kFloat));
      all.emplace_back(name + ".gain", layer->norm.gain);
      all.emplace_back(name + ".offset", layer->norm.offset);
      all.emplace_back(name + ".mean", layer->norm.mean);
      all.emplace_back(name + ".variance", layer->norm.variance);
    }
  return all;
}

Graph GraphModel::fold(const std::string& name) { return fold_graph(plan_, layers_, name); }

} // namespace deltatwin
