#include "train/trainer.h"
#include "base/error.h"
#include "base/text.h"
#include "net/inference.h"
#include "train/model.h"
#include "train/optimizer.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int refit_interval = 8;       ///< steps between two fits of the weight scales
constexpr double coded_step = 1.0 / 16; ///< of a delta under a Huffman code: fitted, it would fill all codes
constexpr int evaluation_batch = 1000;  ///< images
constexpr std::int64_t black = -128;    ///< pixel, as an input

// A teacher that knows its images by heart has nothing to add to their labels: train it for a
// shorter time, under a stronger decay.
constexpr double teacher_epochs = 0.3; ///< of the network's
constexpr double teacher_decay = 0.5;

/// Training images with their targets, and the images kept for validation.
struct Split {
  at::Tensor images;  ///< [n, pixels], uint8
  at::Tensor targets; ///< [n, classes], probabilities
  at::Tensor validation_images;
  std::vector<std::int8_t> validation_inputs;
  std::vector<std::uint8_t> validation_labels;
  int classes = 0;
};

Split split(const Dataset& set, double label_smoothing) {
  const int held_out = std::max(set.count / 12, 1), count = set.count - held_out;
  Split result;
  // Ten classes even where a small set lacks some of their labels.
  result.classes = std::max(10, *std::max_element(set.labels.begin(), set.labels.end()) + 1);
  const at::Tensor images =
      at::from_blob(const_cast<std::uint8_t*>(set.images.data()), {set.count, set.pixels}, at::kByte);
  result.images = images.slice(0, 0, count).clone();
  result.validation_images = images.slice(0, count).clone();
  result.targets = at::full({count, result.classes}, label_smoothing / result.classes);
  auto target = result.targets.accessor<float, 2>();
  for (int i = 0; i < count; ++i)
    target[i][set.labels[static_cast<std::size_t>(i)]] += static_cast<float>(1 - label_smoothing);
  const std::vector<std::int8_t> inputs = set.inputs(set.count);
  result.validation_inputs.assign(inputs.begin() + static_cast<std::ptrdiff_t>(count) * set.pixels,
                                  inputs.end());
  result.validation_labels.assign(set.labels.begin() + count, set.labels.end());
  return result;
}

at::Tensor to_inputs(const at::Tensor& images) { return images.to(at::kFloat).add_(black); }

template <class AnyModel> at::Tensor logits(AnyModel& model, const at::Tensor& images) {
  const torch::NoGradGuard no_gradients;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : images.split(evaluation_batch))
    parts.push_back(model.forward(to_inputs(part), false));
  return at::cat(parts);
}

double share_right(const at::Tensor& scores, const std::vector<std::uint8_t>& labels) {
  const at::Tensor best = scores.argmax(1);
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += best[static_cast<std::int64_t>(i)].item<int>() == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double model_accuracy(Model& model, const Split& data) {
  return share_right(logits(model, data.validation_images), data.validation_labels);
}

/// Trains a model; after every step `after_step` gets its learning rate, after every epoch
/// `finish_epoch` its number and mean loss.
template <class AnyModel, class AfterStep, class FinishEpoch>
void run(AnyModel& model, const TrainOptions& options, const Split& data, at::Generator& generator,
         AfterStep after_step, FinishEpoch finish_epoch) {
  const std::int64_t count = data.images.size(0);
  const std::int64_t batch = std::min<std::int64_t>(options.batch, count);
  const std::int64_t steps = count / batch; // an incomplete last batch is left out
  Optimizer optimizer(options.learning_rate, static_cast<int>(steps) * options.epochs);
  optimizer.add(model.weights(), options.weight_decay);
  optimizer.add(model.offsets_and_gains(), 0);
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const at::Tensor order = at::randperm(count, generator, at::kLong);
    double loss_sum = 0;
    for (std::int64_t s = 0; s < steps; ++s) {
      const at::Tensor chosen = order.slice(0, s * batch, (s + 1) * batch);
      at::Tensor inputs = to_inputs(data.images.index_select(0, chosen));
      if (options.input_dropout > 0)
        inputs.masked_fill_(at::rand(inputs.sizes(), generator) < options.input_dropout, black);
      const at::Tensor output = model.forward(inputs, true).log_softmax(1);
      const at::Tensor loss = (output * data.targets.index_select(0, chosen)).sum() / -batch;
      optimizer.clear_gradients();
      loss.backward();
      const double rate = optimizer.step();
      loss_sum += loss.item<double>();
      after_step(rate);
    }
    if (!std::isfinite(loss_sum))
      throw InputError("training diverged in epoch " + std::to_string(epoch) +
                       "; a smaller --learning-rate than " + std::to_string(options.learning_rate) +
                       " would be right");
    finish_epoch(epoch, loss_sum / static_cast<double>(steps));
  }
}

std::vector<int> widths(const std::vector<int>& hidden, int inputs, int outputs) {
  std::vector<int> result = hidden;
  result.insert(result.begin(), inputs);
  result.push_back(outputs);
  return result;
}

/// What the teachers trained so far say, summed over them.
struct Opinions {
  at::Tensor training, validation; ///< [images, classes], probabilities
};

template <class AnyModel>
void train_teacher(AnyModel& teacher, int number, const TrainOptions& options, const Split& data,
                   at::Generator& generator, const TrainCallback& progress, Opinions& opinions) {
  TrainOptions lessons = options;
  lessons.epochs = std::max(static_cast<int>(options.epochs * teacher_epochs), 1);
  lessons.weight_decay = teacher_decay;
  const auto after_step = [](double) {};
  run(teacher, lessons, data, generator, after_step, [&](int epoch, double loss) {
    const at::Tensor scores = logits(teacher, data.validation_images);
    const double right = share_right(scores, data.validation_labels);
    double together = 0;
    if (epoch == lessons.epochs) {
      opinions.validation.add_(scores.softmax(1));
      together = share_right(opinions.validation, data.validation_labels);
    }
    if (progress)
      progress({number, epoch, lessons.epochs, loss, right, right, together, 0, false});
  });
  opinions.training.add_(logits(teacher, data.images).softmax(1));
}

int side(int pixels) { return static_cast<int>(std::lround(std::sqrt(pixels))); }

// Trains the teachers and mixes their mean opinion into the targets.
void distil(const TrainOptions& options, Split& data, at::Generator& generator,
            const TrainCallback& progress) {
  Opinions opinions = {at::zeros_like(data.targets),
                       at::zeros({data.validation_images.size(0), data.classes})};
  const int pixels = static_cast<int>(data.images.size(1));
  for (int number = 1; number <= options.teachers; ++number)
    if (options.teacher_channels.empty()) {
      Model teacher(widths(options.teacher, pixels, data.classes), options.activation, options.format,
                    Precision::real, generator);
      train_teacher(teacher, number, options, data, generator, progress, opinions);
    } else {
      std::vector<int> dense = options.teacher;
      dense.push_back(data.classes);
      ConvolutionalTeacher teacher(side(pixels), options.teacher_channels, dense, generator);
      train_teacher(teacher, number, options, data, generator, progress, opinions);
    }
  data.targets.mul_(1 - options.teacher_share)
      .add_(opinions.training, options.teacher_share / options.teachers);
}

// The model as it is stored.
Network to_network(Model& model, const TrainOptions& options) {
  Network network;
  network.name = options.name;
  network.layers = model.fold();
  for (Layer& layer : network.layers)
    layer.code = options.code;
  return network;
}

void require(bool good, const std::string& what) {
  if (!good)
    throw InputError(what);
}

void check_widths(const std::vector<int>& hidden, const std::string& option) {
  require(hidden.size() <= 15,
          option + ": " + std::to_string(hidden.size()) + " hidden layers, expected at most 15");
  for (const int width : hidden)
    require(width >= 1 && width <= 4096,
            option + ": a layer of " + std::to_string(width) + " neurons, expected 1 to 4096");
}

void check_convolutions(const TrainOptions& options, int pixels) {
  require(side(pixels) * side(pixels) == pixels,
          "--teacher-channels: the images have " + std::to_string(pixels) + " pixels, expected square ones");
  require(side(pixels) >> options.teacher_channels.size() >= 1,
          "--teacher-channels: " + std::to_string(options.teacher_channels.size()) +
              " convolutions, expected at most as many as images of " + std::to_string(side(pixels)) +
              " rows can be halved");
}

void check_format(const DeltaFormat& format) {
  require(format.delta_bits >= 2 && format.delta_bits <= 8,
          "--delta-bits: " + std::to_string(format.delta_bits) + ", expected 2 to 8");
  require(format.shift >= -1 && format.shift <= 7,
          "--shift: " + std::to_string(format.shift) + ", expected 0 to 7, or -1 for the default");
  if (format.group == Group::block)
    require(format.block >= 1 && format.block <= 4096,
            "--block: " + std::to_string(format.block) +
                ", expected with --group block: 1 to 4096 weights that share a reference");
  else
    require(format.block == 0, "--block: has a meaning with --group block only");
}

} // namespace

int default_shift(Scheme scheme, int delta_bits, Code code) {
  if (code != Code::raw)
    return 0;
  switch (scheme) {
  case Scheme::fixed_reference:
    return std::max(7 - delta_bits, 0);
  case Scheme::consecutive:
    return std::min(8 - delta_bits, 5);
  case Scheme::plain:
    break;
  }
  return 0;
}

void check(const TrainOptions& options) {
  const std::string name = name_complaint(options.name);
  require(name.empty(), "--name: " + name);
  check_widths(options.hidden, "--layers");
  check_widths(options.teacher, "--teacher");
  require(options.teacher_channels.size() <= 8,
          "--teacher-channels: " + std::to_string(options.teacher_channels.size()) +
              " convolutions, expected at most 8");
  for (const int channels : options.teacher_channels)
    require(channels >= 1 && channels <= 1024, "--teacher-channels: " + std::to_string(channels) +
                                                   ", expected 1 to 1024 channels a convolution");
  require(options.teachers >= 1 && options.teachers <= 100,
          "--teachers: " + std::to_string(options.teachers) + ", expected 1 to 100");
  require(options.teacher_share >= 0 && options.teacher_share <= 1, "--teacher-share: expected 0 to 1");
  require(options.activation != Activation::none, "--activation: expected relu or hardtanh");
  check_format(options.format);
  require(options.code == Code::raw || options.format.shift <= 0,
          "--shift: " + std::to_string(options.format.shift) + ", expected 0 with a Huffman code");
  require(options.code != Code::huffman_pairs || options.format.delta_bits <= max_pair_delta_bits,
          "--delta-bits: " + std::to_string(options.format.delta_bits) + ", expected at most " +
              std::to_string(max_pair_delta_bits) + " with --code huffman_pairs");
  require(options.delta_penalty >= 0 && options.delta_penalty <= 10, "--delta-penalty: expected 0 to 10");
  require(options.epochs >= 1 && options.epochs <= 10000,
          "--epochs: " + std::to_string(options.epochs) + ", expected 1 to 10000");
  require(options.batch >= 2 && options.batch <= 60000,
          "--batch: " + std::to_string(options.batch) + ", expected 2 to 60000 images");
  require(options.learning_rate > 0 && options.learning_rate <= 1,
          "--learning-rate: expected more than 0 and at most 1");
  require(options.weight_decay >= 0 && options.weight_decay <= 10, "--weight-decay: expected 0 to 10");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1,
          "--label-smoothing: expected 0 to less than 1");
  require(options.input_dropout >= 0 && options.input_dropout < 1,
          "--input-dropout: expected 0 to less than 1");
}

Network train(const TrainOptions& given, const Dataset& images, const TrainCallback& progress) {
  check(given);
  require(images.count >= 24,
          "the data set has " + std::to_string(images.count) + " images, expected 24 or more to train with");
  require(images.pixels <= 4096,
          "the images have " + std::to_string(images.pixels) + " pixels, expected at most 4096");
  if (!given.teacher_channels.empty())
    check_convolutions(given, images.pixels);
  TrainOptions options = given;
  if (options.format.shift < 0)
    options.format.shift = default_shift(options.format.scheme, options.format.delta_bits, options.code);
  at::set_num_threads(1); // more of them cost time at this size, and repeatability
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  Split data = split(images, options.label_smoothing);
  if (!options.teacher.empty())
    distil(options, data, generator, progress);

  Model model(widths(options.hidden, images.pixels, data.classes), options.activation, options.format,
              Precision::quantized, generator);
  const bool coded = options.code != Code::raw;
  if (coded)
    model.set_scale(coded_step);
  int steps = 0;
  const auto after_step = [&](double rate) {
    if (coded)
      model.shrink_deltas(options.delta_penalty * rate * coded_step);
    else if (++steps % refit_interval == 0)
      model.refit();
  };
  Network best;
  double best_accuracy = -1;
  run(model, options, data, generator, after_step, [&](int epoch, double loss) {
    Network network = to_network(model, options);
    const double integer = accuracy(network, data.validation_inputs, data.validation_labels);
    const double bits =
        static_cast<double>(network.stored_bits()) / static_cast<double>(network.weight_count());
    const bool kept = integer >= best_accuracy && (!coded || 4 * epoch > 3 * options.epochs);
    if (kept) {
      best_accuracy = integer;
      best = std::move(network);
    }
    if (progress)
      progress({0, epoch, options.epochs, loss, integer, model_accuracy(model, data), 0, bits, kept});
  });
  return best;
}

} // namespace deltatwin
