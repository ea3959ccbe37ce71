#include "app/train_residual.h"
#include "app/options.h"
#include "base/error.h"
#include "base/file.h"
#include "train/float_model.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace deltatwin {
namespace {

constexpr int test_batch = 250;

std::string command_line(const ResidualRun& run) {
  const ResidualOptions& o = run.options;
  std::string text = "deltatwin train --resnet " + std::to_string(o.depth) + " --name " + o.name +
                     " --width " + std::to_string(o.width) + " --epochs " + std::to_string(o.epochs) +
                     " --batch " + std::to_string(o.batch) + " --learning-rate " + shortest(o.learning_rate) +
                     " --weight-decay " + shortest(o.weight_decay) + " --label-smoothing " +
                     shortest(o.label_smoothing) + " --crop " + std::to_string(o.crop) +
                     (o.mirror ? "" : " --no-mirror") + " --seed " + std::to_string(o.seed);
  if (run.images)
    text += " --images " + std::to_string(run.images);
  return text;
}

std::string directory_name(const std::string& directory) {
  std::filesystem::path path = std::filesystem::path(directory).lexically_normal();
  if (!path.has_filename())
    path = path.parent_path();
  return path.filename().string();
}

double test_accuracy(const FloatNetwork& network, const ImageSet& set) {
  const torch::NoGradGuard no_gradients;
  const FloatModel model(network);
  int right = 0;
  for (int at = 0; at < set.data.count; at += test_batch) {
    const int count = std::min(test_batch, set.data.count - at);
    at::Tensor values = model.stem(model.images(set, at, count));
    for (std::size_t b = 0; b < network.blocks.size(); ++b)
      values = model.block(b, values);
    const at::Tensor best = model.classify(values).argmax(1).contiguous();
    for (int i = 0; i < count; ++i)
      right += best.data_ptr<std::int64_t>()[i] == set.data.labels[static_cast<std::size_t>(at + i)];
  }
  return static_cast<double>(right) / set.data.count;
}

} // namespace

void add_residual_options(CLI::App& command, ResidualOptions& options) {
  command.add_option("--resnet", options.depth,
                     "train a residual network in float32 instead, of 6n + 2 layers (8, 14, 20, ...), for "
                     "deltatwin activations: no delta options then, other defaults, any data set of square "
                     "images or of CIFAR-10's binary batches");
  command.add_option("--width", options.width, "with --resnet: channels of the first stage")
      ->capture_default_str();
  command
      .add_option("--crop", options.crop,
                  "with --resnet or --graph: images are moved by up to so many pixels; with --graph 4 for "
                  "images in color, "
                  "else 0, unless it is given")
      ->capture_default_str();
  command.add_flag_callback(
      "--no-mirror", [&options] { options.mirror = false; },
      "with --resnet or --graph: no image is mirrored");
}

void run_residual(const ResidualRun& run) {
  check(run.options);
  if (run.images < 0)
    throw InputError("--images: " + std::to_string(run.images) +
                     ", expected a number of training images, or 0 for all");
  const std::string path = run.output.empty() ? run.options.name + ".safetensors" : run.output;
  check_writable(path);
  prepare_json(run.json);
  const ImageSet images = load_image_set(run.dataset, Split::train, run.images);
  const ImageSet test = load_image_set(run.dataset, Split::test);
  if (test.planes != images.planes || test.rows != images.rows || test.columns != images.columns)
    throw InputError(run.dataset + ": training and test images are not of one size");
  const std::string description = directory_name(run.dataset) + ": " + command_line(run);
  double validation = 0;
  FloatNetwork network;
  {
    Progress line("training");
    network = train_residual(run.options, images, [&](const ResidualProgress& progress) {
      if (progress.best) {
        validation = progress.validation_accuracy;
        FloatNetwork copy = *progress.best;
        copy.description = description;
        save_float_network(copy, path); // what is there when somebody breaks off
      }
      if (progress.share < 1)
        line.update(progress.epoch - 1 + progress.share, progress.epochs,
                    "epoch " + std::to_string(progress.epoch) + "/" + std::to_string(progress.epochs) +
                        ", loss " + fixed(progress.loss, 4));
      else
        line.message("epoch " + std::to_string(progress.epoch) + "/" + std::to_string(progress.epochs) +
                     ", loss " + fixed(progress.loss, 4) + ", validation accuracy " +
                     fixed(100 * progress.validation_accuracy, 2) + " %");
    });
    line.clear();
  }
  network.description = description;
  save_float_network(network, path);
  const double right = test_accuracy(network, test);
  std::printf("%s: accuracy %.2f %% on %d test images (%.2f %% on validation images), %zu parameters\n",
              path.c_str(), 100 * right, test.data.count, 100 * validation, network.parameters());
  write_json(run.json, "train",
             {{"network", network.name},
              {"file", path},
              {"dataset", run.dataset},
              {"training_images", images.data.count},
              {"test_images", test.data.count},
              {"accuracy", right},
              {"validation_accuracy", validation},
              {"parameters", network.parameters()},
              {"command", command_line(run)}});
}

} // namespace deltatwin
