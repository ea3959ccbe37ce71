#include "train/model.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr double activation_unit = 128;    ///< integers that stand for 1 between layers
constexpr double largest_logit_unit = 512; ///< the last layer's int16 then spans +-64
constexpr int bias_limit = (1 << 19) - 1;

// a [m, k] times the transpose of b [n, k]. By oneDNN, which libtorch always has on x86-64, as the
// BLAS behind at::mm may be the slow reference one.
at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  if (!at::hasMKLDNN())
    return at::mm(a, b.t());
  return at::mkldnn_linear(a.contiguous().to_mkldnn(), b.contiguous().to_mkldnn()).to_dense();
}

// Sums of a dense layer over the rounded weights; the gradient goes to the real ones.
struct DenseFunction : torch::autograd::Function<DenseFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& inputs,
                            const at::Tensor& weights, const at::Tensor& rounded,
                            const FakeQuantizer* quantizer) {
    static_cast<void>(weights);
    context->save_for_backward({inputs, rounded});
    context->saved_data["inner"] = inputs.requires_grad();
    context->saved_data["quantizer"] = reinterpret_cast<std::int64_t>(quantizer);
    return product(inputs, rounded.t());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor sums = gradients[0].contiguous();
    at::Tensor inputs;
    if (context->saved_data["inner"].toBool())
      inputs = product(sums, saved[1]);
    const at::Tensor weights = product(saved[0].t(), sums.t());
    const auto* quantizer = reinterpret_cast<const FakeQuantizer*>(context->saved_data["quantizer"].toInt());
    if (quantizer)
      quantizer->pass_gradient(weights.data_ptr<float>());
    return {inputs, weights, at::Tensor(), at::Tensor()};
  }
};

// Rounds half up, as the requantizer does; the gradient passes straight through.
struct RoundFunction : torch::autograd::Function<RoundFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& values) {
    return values.add(0.5).floor_();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 const torch::autograd::variable_list& gradients) {
    return gradients;
  }
};

at::Tensor parameter(const at::Tensor& values) { return values.clone().requires_grad_(true); }

} // namespace

Model::Model(const std::vector<int>& widths, Activation activation, const DeltaFormat& format,
             Precision precision, at::Generator& generator)
    : precision_(precision) {
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const int inputs = widths[l], outputs = widths[l + 1];
    DeltaFormat fitted = format;
    fitted.block = format.group == Group::block ? std::min(format.block, inputs) : 0;
    Dense& layer = layers_.emplace_back(inputs, outputs, fitted);
    const bool last = l + 2 == widths.size();
    layer.activation = last ? Activation::none : activation;
    layer.weights = parameter(at::randn({inputs, outputs}, generator) / std::sqrt(inputs));
    layer.offset = parameter(at::zeros({outputs}));
    layer.log_gain = parameter(at::full({}, last ? 0.0 : std::log(0.5)));
    layer.mean = at::zeros({outputs});
    layer.variance = at::ones({});
    if (precision == Precision::quantized) {
      layer.rounded = at::empty({inputs, outputs});
      layer.quantizer.fit(layer.weights.data_ptr<float>());
    }
  }
}

void Model::round_weights(Dense& layer) const {
  if (precision_ == Precision::real)
    layer.rounded = layer.weights.detach();
  else
    layer.quantizer.quantize(layer.weights.data_ptr<float>(), layer.rounded.data_ptr<float>());
}

at::Tensor Model::normalize(Dense& layer, const at::Tensor& sums, bool training) const {
  constexpr double momentum = 0.02;
  at::Tensor centred, variance;
  if (training) {
    const at::Tensor mean = sums.mean(0);
    centred = sums - mean;
    variance = centred.square().mean();
    layer.mean.lerp_(mean.detach(), momentum);
    layer.variance.lerp_(variance.detach(), momentum);
  } else {
    centred = sums - layer.mean;
    variance = layer.variance;
  }
  const at::Tensor gain = layer.log_gain.exp() * (variance + 1e-6).rsqrt();
  return at::addcmul(layer.offset, centred, gain);
}

at::Tensor Model::forward(const at::Tensor& inputs, bool training) {
  at::Tensor values = inputs;
  for (Dense& layer : layers_) {
    round_weights(layer);
    const bool real = precision_ == Precision::real;
    const at::Tensor sums =
        DenseFunction::apply(values, layer.weights, layer.rounded, real ? nullptr : &layer.quantizer);
    values = normalize(layer, sums, training);
    if (layer.activation == Activation::none)
      return values;
    const double low = layer.activation == Activation::hardtanh ? -activation_unit : 0;
    values = (values * activation_unit).clamp(low, activation_unit - 1);
    if (!real)
      values = RoundFunction::apply(values);
  }
  return values;
}

void Model::refit() {
  for (Dense& layer : layers_)
    if (precision_ == Precision::quantized)
      layer.quantizer.refit(layer.weights.data_ptr<float>(), layer.rounded.data_ptr<float>());
}

void Model::set_scale(double scale) {
  for (Dense& layer : layers_)
    layer.quantizer.set_scale(static_cast<float>(scale));
}

void Model::shrink_deltas(double amount) {
  for (Dense& layer : layers_)
    layer.quantizer.shrink_deltas(layer.weights.data_ptr<float>(), static_cast<float>(amount));
}

std::vector<at::Tensor> Model::weights() const {
  std::vector<at::Tensor> result;
  for (const Dense& layer : layers_)
    result.push_back(layer.weights);
  return result;
}

std::vector<at::Tensor> Model::offsets_and_gains() const {
  std::vector<at::Tensor> result;
  for (const Dense& layer : layers_) {
    result.push_back(layer.offset);
    result.push_back(layer.log_gain);
  }
  return result;
}

RequantizerParameters fold_requantizer(double slope, const std::vector<double>& intercepts) {
  RequantizerParameters result;
  result.shift = 39;
  while (result.shift > 8 && std::ldexp(slope, result.shift) > 65535)
    --result.shift;
  const double multiplier = std::min(std::round(std::ldexp(slope, result.shift)), 65535.0);
  result.multiplier.assign(intercepts.size(), static_cast<int>(multiplier));
  for (const double intercept : intercepts)
    result.bias.push_back(
        static_cast<int>(std::lround(std::clamp<double>(intercept * 256, -bias_limit, bias_limit))));
  return result;
}

std::vector<Layer> Model::fold() {
  std::vector<Layer> result;
  for (Dense& layer : layers_) {
    round_weights(layer);
    const double slope =
        std::exp(layer.log_gain.item<double>()) / std::sqrt(layer.variance.item<double>() + 1e-6);
    std::vector<double> intercepts;
    double largest = 0;
    for (int o = 0; o < layer.outputs; ++o) {
      intercepts.push_back(layer.offset[o].item<double>() - slope * layer.mean[o].item<double>());
      largest = std::max(largest, std::abs(intercepts.back()));
    }
    double unit = activation_unit;
    if (layer.activation == Activation::none) {
      unit = largest_logit_unit; // any scale of logits will do: the largest whose biases fit
      while (unit * largest * 256 > bias_limit)
        unit /= 2;
    }
    for (double& intercept : intercepts)
      intercept *= unit;
    Layer folded = layer.quantizer.encode(layer.rounded.data_ptr<float>());
    folded.requantizer = fold_requantizer(slope * unit, intercepts);
    folded.activation = layer.activation;
    result.push_back(std::move(folded));
  }
  return result;
}

ConvolutionalTeacher::ConvolutionalTeacher(int side, const std::vector<int>& channels,
                                           const std::vector<int>& widths, at::Generator& generator)
    : side_(side) {
  int inputs = 1, rows = side;
  for (const int outputs : channels) {
    add_layer(inputs, outputs, 3, true, generator);
    inputs = outputs;
    rows /= 2;
  }
  for (const int outputs : widths) {
    add_layer(inputs, outputs, rows, false, generator);
    inputs = outputs;
    rows = 1;
  }
}

void ConvolutionalTeacher::add_layer(int inputs, int outputs, int kernel, bool pooled,
                                     at::Generator& generator) {
  const at::Tensor start =
      at::randn({outputs, inputs, kernel, kernel}, generator) / std::sqrt(inputs * kernel * kernel);
  Stage& layer = layers_.emplace_back();
  layer.pooled = pooled;
  layer.weights = start.requires_grad_(true);
  layer.offset = at::zeros({outputs}).requires_grad_(true);
  layer.gain = at::ones({outputs}).requires_grad_(true);
  layer.mean = at::zeros({outputs});
  layer.variance = at::ones({outputs});
}

at::Tensor ConvolutionalTeacher::judge(const at::Tensor& images, bool training) {
  constexpr double momentum = 0.02, epsilon = 1e-5;
  at::Tensor values = images;
  for (Stage& layer : layers_) {
    values = at::conv2d(values, layer.weights, {}, 1, layer.pooled ? 1 : 0);
    if (layer.pooled)
      values = at::max_pool2d(values, 2);
    values = at::batch_norm(values, layer.gain, layer.offset, layer.mean, layer.variance, training, momentum,
                            epsilon, false);
    if (&layer != &layers_.back())
      values = values.relu();
  }
  return values.flatten(1);
}

at::Tensor ConvolutionalTeacher::forward(const at::Tensor& inputs, bool training) {
  const at::Tensor images = inputs.view({-1, 1, side_, side_}) / 128;
  const at::Tensor mirrored = images.flip(3);
  if (!training)
    return (judge(images, false) + judge(mirrored, false)) / 2;
  const std::int64_t half = images.size(0) / 2; // the order of images is random already
  return judge(at::cat({images.slice(0, 0, half), mirrored.slice(0, half)}), true);
}

std::vector<at::Tensor> ConvolutionalTeacher::weights() const {
  std::vector<at::Tensor> result;
  for (const Stage& layer : layers_)
    result.push_back(layer.weights);
  return result;
}

std::vector<at::Tensor> ConvolutionalTeacher::offsets_and_gains() const {
  std::vector<at::Tensor> result;
  for (const Stage& layer : layers_) {
    result.push_back(layer.offset);
    result.push_back(layer.gain);
  }
  return result;
}

} // namespace deltatwin
