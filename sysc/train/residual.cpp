#include "train/residual.h"
#include "base/error.h"
#include "base/text.h"
#include "train/augmenter.h"
#include "train/float_model.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int stages = 3, evaluation_batch = 500;
constexpr double momentum = 0.9, warm_up_share = 0.15, statistics_momentum = 0.1, epsilon = 1e-5;

/// A convolution whose outputs are normalized over the batch.
struct Layer {
  Layer(int in, int out, int step, at::Generator& generator)
      : stride(step),
        weights((at::randn({out, in, 3, 3}, generator) * std::sqrt(2.0 / (9 * in))).requires_grad_(true)),
        gain(at::ones({out}).requires_grad_(true)), offset(at::zeros({out}).requires_grad_(true)),
        mean(at::zeros({out})), variance(at::ones({out})) {}

  [[nodiscard]] at::Tensor run(const at::Tensor& input, bool training) {
    return at::batch_norm(at::conv2d(input, weights, {}, stride, 1), gain, offset, mean, variance, training,
                          statistics_momentum, epsilon, false);
  }
  [[nodiscard]] FloatConvolution fold(const std::string& name) const {
    const torch::NoGradGuard no_gradients;
    const at::Tensor factor = gain / (variance + epsilon).sqrt();
    const at::Tensor folded = (weights * factor.view({-1, 1, 1, 1})).contiguous();
    const at::Tensor bias = (offset - mean * factor).contiguous();
    const auto sizes = weights.sizes();
    return {name,
            static_cast<int>(sizes[1]),
            static_cast<int>(sizes[0]),
            3,
            stride,
            1,
            {folded.data_ptr<float>(), folded.data_ptr<float>() + folded.numel()},
            {bias.data_ptr<float>(), bias.data_ptr<float>() + bias.numel()}};
  }

  int stride;
  at::Tensor weights, gain, offset, mean, variance;
};

class ResidualModel {
public:
  ResidualModel(const ResidualOptions& options, int planes, int classes, at::Generator& generator)
      : stem_(planes, options.width, 1, generator) {
    int inputs = options.width;
    for (int stage = 0; stage < stages; ++stage)
      for (int block = 0; block < (options.depth - 2) / 6; ++block) {
        const int outputs = options.width << stage, stride = stage && block == 0 ? 2 : 1;
        blocks_.push_back({Layer(inputs, outputs, stride, generator), Layer(outputs, outputs, 1, generator)});
        inputs = outputs;
      }
    dense_ = (at::randn({classes, inputs}, generator) / std::sqrt(inputs)).requires_grad_(true);
    bias_ = at::zeros({classes}).requires_grad_(true);
  }

  [[nodiscard]] at::Tensor forward(const at::Tensor& images, bool training) {
    at::Tensor values = stem_.run(images, training).relu();
    for (auto& block : blocks_) {
      const at::Tensor inner = block.first.run(values, training).relu();
      const at::Tensor outer = block.second.run(inner, training);
      values = (outer + padded_shortcut(values, block.first.stride, block.second.weights.size(0))).relu();
    }
    return at::addmm(bias_, values.mean({2, 3}), dense_.t());
  }

  [[nodiscard]] std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all = {dense_, bias_, stem_.weights, stem_.gain, stem_.offset};
    for (const auto& block : blocks_)
      for (const Layer* layer : {&block.first, &block.second})
        all.insert(all.end(), {layer->weights, layer->gain, layer->offset});
    return all;
  }

  void fold_into(FloatNetwork& network) const {
    network.stem = stem_.fold("stem");
    network.blocks.clear();
    int number = 0;
    for (const auto& block : blocks_) {
      const std::string name = "block" + std::to_string(number++);
      FloatBlock folded;
      folded.body = {block.first.fold(name + ".conv1"), block.second.fold(name + ".conv2")};
      if (block.first.stride > 1 || block.first.weights.size(0) != block.first.weights.size(1))
        folded.shortcut = Shortcut::padded;
      network.blocks.push_back(std::move(folded));
    }
    const torch::NoGradGuard no_gradients;
    const at::Tensor dense = dense_.contiguous(), bias = bias_.contiguous();
    network.dense = {"dense",
                     static_cast<int>(dense.size(1)),
                     static_cast<int>(dense.size(0)),
                     1,
                     1,
                     0,
                     {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()},
                     {bias.data_ptr<float>(), bias.data_ptr<float>() + bias.numel()}};
  }

private:
  Layer stem_;
  std::vector<std::pair<Layer, Layer>> blocks_;
  at::Tensor dense_, bias_;
};

/// Stochastic gradient descent with Nesterov's momentum; the rate rises linearly, then falls as a cosine.
class Descent {
public:
  Descent(std::vector<at::Tensor> parameters, const ResidualOptions& options, std::int64_t steps)
      : parameters_(std::move(parameters)), options_(options), steps_(steps) {
    for (const at::Tensor& each : parameters_)
      velocities_.push_back(at::zeros_like(each, at::TensorOptions().requires_grad(false)));
  }
  void step() {
    const torch::NoGradGuard no_gradients;
    const double rate =
        options_.learning_rate * share(static_cast<double>(++done_) / static_cast<double>(steps_));
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      at::Tensor& values = parameters_[i];
      const at::Tensor gradient = values.grad().add(values, options_.weight_decay);
      velocities_[i].mul_(momentum).add_(gradient);
      values.sub_(gradient.add(velocities_[i], momentum), rate);
      values.mutable_grad().reset();
    }
  }

private:
  [[nodiscard]] static double share(double done) {
    if (done < warm_up_share)
      return done / warm_up_share;
    return (1 + std::cos(std::acos(-1.0) * (done - warm_up_share) / (1 - warm_up_share))) / 2;
  }
  std::vector<at::Tensor> parameters_, velocities_;
  const ResidualOptions& options_;
  std::int64_t steps_, done_ = 0;
};

void measure_planes(const ImageSet& set, int count, FloatNetwork& network) {
  const int each = set.rows * set.columns;
  for (int plane = 0; plane < set.planes; ++plane) {
    double sum = 0, squares = 0;
    for (int image = 0; image < count; ++image) {
      const std::uint8_t* pixels =
          set.data.images.data() + static_cast<std::ptrdiff_t>(image) * set.data.pixels + plane * each;
      for (int i = 0; i < each; ++i) {
        sum += pixels[i];
        squares += pixels[i] * pixels[i];
      }
    }
    const double values = static_cast<double>(count) * each, mean = sum / values;
    network.mean.push_back(static_cast<float>(mean / 255));
    network.deviation.push_back(
        static_cast<float>(std::sqrt(std::max(squares / values - mean * mean, 1.0)) / 255));
  }
}

double accuracy(ResidualModel& model, const FloatNetwork& network, const ImageSet& set, int begin) {
  const torch::NoGradGuard no_gradients;
  int right = 0;
  for (int at = begin; at < set.data.count; at += evaluation_batch) {
    const int count = std::min(evaluation_batch, set.data.count - at);
    const auto* first = set.data.images.data() + static_cast<std::ptrdiff_t>(at) * set.data.pixels;
    const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(first),
                                           {count, set.planes, set.rows, set.columns}, at::kByte);
    const at::Tensor best =
        model.forward(normalized(bytes, network.mean, network.deviation), false).argmax(1).contiguous();
    for (int i = 0; i < count; ++i)
      right += best.data_ptr<std::int64_t>()[i] == set.data.labels[static_cast<std::size_t>(at + i)];
  }
  return static_cast<double>(right) / (set.data.count - begin);
}

void require(bool good, const std::string& what) {
  if (!good)
    throw InputError(what);
}

} // namespace

void check(const ResidualOptions& options) {
  const std::string name = name_complaint(options.name);
  require(name.empty(), "--name: " + name);
  require(options.depth >= 8 && options.depth <= 110 && options.depth % 6 == 2,
          "--resnet: " + std::to_string(options.depth) + ", expected 6n + 2 layers: 8, 14, 20, ... 110");
  require(options.width >= 1 && options.width <= 256,
          "--width: " + std::to_string(options.width) + ", expected 1 to 256 channels");
  require(options.epochs >= 1 && options.epochs <= 10000,
          "--epochs: " + std::to_string(options.epochs) + ", expected 1 to 10000");
  require(options.batch >= 2 && options.batch <= 10000,
          "--batch: " + std::to_string(options.batch) + ", expected 2 to 10000 images");
  require(options.learning_rate > 0 && options.learning_rate <= 10,
          "--learning-rate: expected more than 0 and at most 10");
  require(options.weight_decay >= 0 && options.weight_decay <= 1, "--weight-decay: expected 0 to 1");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1,
          "--label-smoothing: expected 0 to less than 1");
  require(options.crop >= 0 && options.crop <= 8,
          "--crop: " + std::to_string(options.crop) + ", expected 0 to 8 pixels");
}

FloatNetwork train_residual(const ResidualOptions& options, const ImageSet& images,
                            const std::function<void(const ResidualProgress&)>& progress) {
  check(options);
  require(images.data.count >= 24, "the data set has " + std::to_string(images.data.count) +
                                       " images, expected 24 or more to train with");
  require(images.rows > 2 * options.crop && images.columns > 2 * options.crop,
          "--crop: " + std::to_string(options.crop) + ", expected less than half of an image");
  at::set_num_threads(1); // more of them cost repeatability
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  const int count = images.data.count - validation_count(images.data.count);
  const int classes =
      std::max(10, 1 + *std::max_element(images.data.labels.begin(), images.data.labels.end()));
  FloatNetwork network, best;
  network.name = options.name;
  network.planes = images.planes;
  network.rows = images.rows;
  network.columns = images.columns;
  measure_planes(images, count, network);

  ResidualModel model(options, images.planes, classes, generator);
  Augmenter augmenter(images, options.crop, options.mirror, options.seed);
  const std::int64_t batch = std::min(options.batch, count), steps = count / batch;
  Descent descent(model.parameters(), options, steps * options.epochs);
  double best_accuracy = -1;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const at::Tensor order = at::randperm(count, generator, at::kLong).contiguous();
    double loss_sum = 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t* chosen = order.data_ptr<std::int64_t>() + step * batch;
      const at::Tensor inputs = normalized(augmenter.batch(chosen, batch), network.mean, network.deviation);
      const at::Tensor output = model.forward(inputs, true).log_softmax(1);
      const at::Tensor loss =
          (output * smoothed_targets(images, chosen, batch, classes, options.label_smoothing)).sum() / -batch;
      loss.backward();
      descent.step();
      loss_sum += loss.item<double>();
      if (progress && (step + 1) % 10 == 0 && step + 1 < steps)
        progress({epoch, options.epochs, static_cast<double>(step + 1) / static_cast<double>(steps),
                  loss_sum / static_cast<double>(step + 1)});
    }
    require(std::isfinite(loss_sum), "training diverged in epoch " + std::to_string(epoch) +
                                         "; a smaller --learning-rate than " +
                                         std::to_string(options.learning_rate) + " would be right");
    const double right = accuracy(model, network, images, count);
    if (right >= best_accuracy) {
      best_accuracy = right;
      model.fold_into(network);
      best = network;
    }
    if (progress)
      progress({epoch, options.epochs, 1, loss_sum / static_cast<double>(steps), right,
                best_accuracy == right ? &best : nullptr});
  }
  return best;
}

} // namespace deltatwin
