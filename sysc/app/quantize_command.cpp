#include "app/commands.h"
#include "app/options.h"
#include "app/text.h"
#include "base/error.h"
#include "import/post_training.h"
#include "net/argmax.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct Arguments {
  std::string network = "fashion_resnet8", dataset = default_dataset, output;
  int calibration = 500, images = 1000;
};

void run(const Arguments& arguments) {
  const FloatNetwork network = load_float_network(find_float_network(arguments.network));
  const ImageSet train = load_image_set(arguments.dataset, Split::train);
  if (train.data.pixels != network.pixels() || train.planes != network.planes)
    throw InputError(arguments.dataset + ": images of " + std::to_string(train.planes) + " planes and " +
                     std::to_string(train.data.pixels) + " values, " + network.name + " takes " +
                     std::to_string(network.planes) + " and " + std::to_string(network.pixels()));
  const int validation = validation_count(train.data.count),
            count = std::min(arguments.calibration, validation);
  const ImageSet calibration = train.part(train.data.count - count, count);
  const auto pixels = static_cast<std::size_t>(network.pixels());
  PostTraining training(network);
  Progress progress("calibration");
  for (int i = 0; i < count; ++i) {
    training.calibrate(calibration.data.images.data() + static_cast<std::size_t>(i) * pixels);
    progress.update(i + 1, count);
  }
  Graph graph = training.quantized();
  graph.name += "_int8";
  graph.description += "; in int8 after training: deltatwin quantize --network " + network.name +
                       " --calibration " + std::to_string(count);

  const ImageSet test = load_image_set(arguments.dataset, Split::test, arguments.images);
  check_labels(test.data.labels, network.classes());
  GraphInference inference(graph);
  Progress judging("accuracy");
  int right = 0, right_float = 0, same = 0;
  for (int i = 0; i < test.data.count; ++i) {
    const std::vector<float> real =
        training.run(test.data.images.data() + static_cast<std::size_t>(i) * pixels);
    const std::vector<std::int8_t> input = network_input(test, i);
    std::vector<std::int8_t> output(inference.outputs());
    inference.run(input.data(), 1, output.data());
    const int label = test.data.labels[static_cast<std::size_t>(i)],
              integer = argmax(output.data(), output.size()), number = argmax(real.data(), real.size());
    right += integer == label;
    right_float += number == label;
    same += integer == number;
    judging.update(i + 1, test.data.count);
  }
  const std::string path = arguments.output.empty() ? graph.name + ".json" : arguments.output;
  save_graph(graph, path);
  const double all = test.data.count / 100.0;
  std::printf("%s: %s, %zu nodes, %s weights, %s MACs\n"
              "%d test images: float %.2f %%, int8 %.2f %%; the same class in %.2f %%\n",
              path.c_str(), graph.name.c_str(), graph.nodes.size(), grouped(graph.weights()).c_str(),
              grouped(graph.macs()).c_str(), test.data.count, right_float / all, right / all, same / all);
}

} // namespace

void add_quantize_command(CLI::App& app) {
  auto* command = app.add_subcommand("quantize", "a float network in int8, calibrated on training images");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("--network", arguments->network,
                   "name of a committed float network, or a .safetensors file")
      ->capture_default_str();
  command
      ->add_option("--dataset", arguments->dataset, "directory of IDX files or of CIFAR-10's binary batches")
      ->capture_default_str();
  command
      ->add_option("--calibration", arguments->calibration,
                   "of the training images kept for validation, how many tell the ranges")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  command
      ->add_option("--images", arguments->images, "of the test images, on which accuracies are told; 0: all")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command->add_option("-o,--output", arguments->output, "file to write [NAME_int8.json in this directory]");
  command->footer(
      "Example:\n  deltatwin quantize --network fashion_resnet8 --output fashion_resnet8_int8.json");
  command->callback([arguments] { run(*arguments); });
}

} // namespace deltatwin
