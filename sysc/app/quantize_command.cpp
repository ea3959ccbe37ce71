#include "app/commands.h"
#include "app/given_inputs.h"
#include "app/options.h"
#include "app/quantization_report.h"
#include "app/result_files.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "import/import.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace deltatwin {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 28;
constexpr const char* default_calibration = "500";

struct Arguments {
  std::string file, network = "fashion_resnet8", dataset = default_dataset, output, tables, json;
  std::string calibration = default_calibration, range = "min-max", weight_range;
  int count = 0, images = 1000;
  double full_scale = 1;
  std::vector<float> mean, deviation;
  FileOptions files;
  PostTrainingOptions options;
  bool keeps_biases = false;
};

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

FloatGraph load(const Arguments& arguments) {
  const std::string& name = arguments.file.empty() ? arguments.network : arguments.file;
  if (name.size() > 5 && name.substr(name.size() - 5) == ".onnx") {
    FloatGraph network = read_float_onnx(read_file(name, largest_file), name);
    if (!arguments.mean.empty() || !arguments.deviation.empty())
      network.normalize(arguments.mean.empty() ? std::vector<float>{0} : arguments.mean,
                        arguments.deviation.empty() ? std::vector<float>{1} : arguments.deviation, name);
    return network;
  }
  if (!arguments.mean.empty() || !arguments.deviation.empty() || arguments.full_scale != 1)
    throw InputError("--mean, --deviation and --full-scale are for ONNX files; a .safetensors file tells its "
                     "own mean and deviation");
  return float_graph(load_float_network(find_float_network(name)));
}

// Of the training images that are kept for validation the last ones.
GivenInputs validation_images(const Arguments& arguments, const FloatGraph& network) {
  const int wanted = std::stoi(arguments.calibration);
  if (wanted < 1 || wanted > 5000)
    throw InputError("--calibration asks for " + arguments.calibration +
                     " validation images; possible are 1 to 5,000, or a file of inputs");
  const ImageSet train = load_image_set(arguments.dataset, Split::train);
  const int count = std::min(wanted, validation_count(train.data.count));
  return given_inputs(train.part(train.data.count - count, count), network, arguments.full_scale,
                      arguments.dataset);
}

GivenInputs calibration_inputs(const Arguments& arguments, const FloatGraph& network) {
  if (is_number(arguments.calibration))
    return validation_images(arguments, network);
  return load_given_inputs(arguments.calibration, network, byte_type(arguments.files.type),
                           arguments.full_scale, arguments.count);
}

struct TestInputs {
  GivenInputs inputs;
  std::vector<int> labels;
};

// None where neither a file nor a data set is named.
TestInputs test_inputs(const Arguments& arguments, const FloatGraph& network) {
  TestInputs test;
  if (arguments.files.given()) {
    test.inputs = load_given_inputs(arguments.files.inputs, network, byte_type(arguments.files.type),
                                    arguments.full_scale, 0);
    test.labels = load_labels(arguments.files, test.inputs.count);
  } else if (is_number(arguments.calibration)) {
    const ImageSet images = load_image_set(arguments.dataset, Split::test, arguments.images);
    test.inputs = given_inputs(images, network, arguments.full_scale, arguments.dataset);
    test.labels.assign(images.data.labels.begin(), images.data.labels.end());
  }
  return test;
}

// With 8 bits there is next to nothing to be had by other biases.
bool is_coarse(const PostTrainingOptions& options) {
  return options.weight_bits < 8 || options.activation_bits < 8;
}

// "_int8", "_w4a8".
std::string suffix_of(const PostTrainingOptions& options) {
  if (options.weight_bits == options.activation_bits)
    return "_int" + std::to_string(options.weight_bits);
  return "_w" + std::to_string(options.weight_bits) + "a" + std::to_string(options.activation_bits);
}

// The command that makes the network again, but for where its files are.
std::string command_of(const Arguments& arguments, const FloatGraph& network, int count) {
  const auto file_name = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  const PostTrainingOptions &options = arguments.options, otherwise;
  std::string text = "deltatwin quantize ";
  text += network.kind == "ONNX" ? file_name(arguments.file.empty() ? arguments.network : arguments.file)
                                 : "--network " + network.graph.name;
  text += " --calibration " +
          (is_number(arguments.calibration) ? std::to_string(count) : file_name(arguments.calibration));
  const auto add = [&](const char* name, int value, int usual) {
    if (value != usual)
      text += std::string(" ") + name + " " + std::to_string(value);
  };
  add("--calibration-count", arguments.count, 0);
  add("--weight-bits", options.weight_bits, otherwise.weight_bits);
  add("--activation-bits", options.activation_bits, otherwise.activation_bits);
  add("--first-weight-bits", options.first_weight_bits, 0);
  add("--last-weight-bits", options.last_weight_bits, 0);
  add("--input-bits", options.input_bits, otherwise.input_bits);
  add("--output-bits", options.output_bits, otherwise.output_bits);
  if (options.range != otherwise.range)
    text += " --range " + to_string(options.range);
  if (options.range == RangeMethod::percentile && options.percentile != otherwise.percentile)
    text += " --percentile " + shortest(options.percentile);
  if (!arguments.weight_range.empty())
    text += " --weight-range " + arguments.weight_range;
  if (options.recalibrates_biases != is_coarse(options))
    text += options.recalibrates_biases ? " --recalibrate-biases" : " --keep-biases";
  return text;
}

void check(const Arguments& arguments) {
  arguments.options.check();
  if (!(arguments.full_scale > 0) || !(arguments.full_scale < 1e6))
    throw InputError("--full-scale is " + shortest(arguments.full_scale) + ", expected more than 0");
  if (is_number(arguments.calibration) && arguments.count != 0)
    throw InputError(
        "--calibration-count is for a file of inputs; --calibration itself tells how many images");
  if (!arguments.files.given() && (!arguments.files.labels.empty() || !arguments.files.expected.empty()))
    throw InputError("--labels and --expected are of the inputs of --inputs, which is missing");
}

std::string input_note(const PostTrained& quantized) {
  const Tensor& input = quantized.graph.tensors[quantized.graph.input];
  const double zero = quantized.input_zero;
  return "the host quantizes the input: integer = clamp(round(" +
         (zero == 0 ? "real" : "(real - " + shortest(zero) + ")") + " / " + shortest(input.scale) + ") + " +
         std::to_string(input.format.zero_point) + ", " + std::to_string(input.format.low()) + ", " +
         std::to_string(input.format.high()) + "), half to even";
}

void run(Arguments& arguments) {
  prepare_json(arguments.json);
  arguments.options.range = parse_range_method(arguments.range);
  arguments.options.weight_range =
      arguments.weight_range.empty() ? arguments.options.range : parse_range_method(arguments.weight_range);
  PostTrainingOptions& options = arguments.options;
  options.recalibrates_biases =
      !arguments.keeps_biases && (options.recalibrates_biases || is_coarse(options));
  check(arguments);
  const FloatGraph network = load(arguments);
  const GivenInputs calibration = calibration_inputs(arguments, network);
  const TestInputs test = test_inputs(arguments, network);
  Progress progress("calibration");
  PostTrained quantized = quantize_after_training(network, calibration, arguments.options,
                                                  [&](double share) { progress.update(share, 1); });
  progress.clear();
  Graph& graph = quantized.graph;
  const std::string suffix = suffix_of(arguments.options);
  graph.name += suffix;
  graph.description +=
      "; in " + suffix.substr(1) + " after training: " + command_of(arguments, network, calibration.count);
  const std::string path = arguments.output.empty() ? graph.name + ".json" : arguments.output;
  const Judgement judgement = judge(network, quantized, test.inputs, test.labels);
  save_graph(graph, path);
  if (!arguments.tables.empty())
    write_quantization_tables(quantized, arguments.tables);

  std::vector<std::string> notes = network.notes;
  notes.insert(notes.begin(), calibration.byte_step > 0 && options.input_bits == 8
                                  ? "the input's integers are bytes less 128"
                                  : input_note(quantized));
  std::printf("%s: %s, %zu nodes, %s weights, %s MACs; calibrated on %s\n\n", path.c_str(),
              graph.name.c_str(), graph.nodes.size(), grouped(graph.weights()).c_str(),
              grouped(graph.macs()).c_str(),
              count_of(static_cast<std::uint64_t>(calibration.count), "input").c_str());
  print_layers(quantized);
  for (const std::string& note : notes)
    std::printf("%s\n", folded(note).c_str());
  if (test.inputs.count > 0)
    std::printf("%d test %s: %s\n", test.inputs.count, arguments.files.given() ? "inputs" : "images",
                to_text(judgement, suffix.substr(1)).c_str());
  write_json(arguments.json, "quantize",
             {{"network", graph.name},
              {"file", path},
              {"kind", network.kind},
              {"calibration_inputs", calibration.count},
              {"range", to_string(arguments.options.range)},
              {"weight_range", to_string(arguments.options.weight_range)},
              {"weight_bits", arguments.options.weight_bits},
              {"activation_bits", arguments.options.activation_bits},
              {"recalibrated_biases", arguments.options.recalibrates_biases},
              {"weights", graph.weights()},
              {"macs", graph.macs()},
              {"layers", layers_to_json(quantized)},
              {"test", test.inputs.count > 0 ? boost::json::value(to_json(judgement)) : boost::json::value()},
              {"notes", boost::json::array(notes.begin(), notes.end())}});
}

void add_bits(CLI::App& command, const std::string& name, int& bits, const std::string& what) {
  command.add_option(name, bits, what)->capture_default_str();
}

void add_network_options(CLI::App& command, Arguments& arguments) {
  auto* file = command.add_option("file", arguments.file, "float network: .onnx, or .safetensors");
  command
      .add_option("--network", arguments.network,
                  "instead of a file, name of a committed float network, or a .safetensors file")
      ->capture_default_str()
      ->excludes(file);
  command.add_option("-o,--output", arguments.output, "file to write [NAME_int8.json in this directory]");
  command.add_option("--tables", arguments.tables,
                     "directory for weights.csv, scales.csv (and zero points) and biases.csv");
}

void add_input_files(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--calibration", arguments.calibration,
                  "inputs that tell the ranges: a file (.npy, IDX, a CIFAR-10 batch, raw records), or how "
                  "many of the data set's training images that are kept for validation")
      ->capture_default_str();
  command.add_option("--calibration-count", arguments.count, "of a file's inputs, how many [all]")
      ->check(CLI::Range(0, 1000000));
  command
      .add_option("--dataset", arguments.dataset, "directory of IDX files or of CIFAR-10's binary batches")
      ->capture_default_str();
  command
      .add_option("--images", arguments.images, "of its test images, on which accuracies are told; 0: all")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command.add_option("--inputs", arguments.files.inputs,
                     "file of inputs on which to judge instead of the test images, as for --calibration");
  command.add_option("--input-type", arguments.files.type,
                     "what raw records are: uint8, or int8, which count 128 more [uint8]");
  command.add_option("--labels", arguments.files.labels,
                     "of --inputs, a CSV with a label a line: a column \"label\", or the last one");
  command.add_option("--expected", arguments.files.expected,
                     "of --inputs, a CSV with the outputs that are expected: its labels, or largest outputs");
  command
      .add_option("--full-scale", arguments.full_scale,
                  "what the byte 255 stands for, before mean and deviation")
      ->capture_default_str();
  command
      .add_option("--mean", arguments.mean,
                  "the network takes (given - mean) / deviation: one number, or one a channel [0]")
      ->delimiter(',');
  command.add_option("--deviation", arguments.deviation, "one, or one a channel [1]")->delimiter(',');
}

void add_arithmetic(CLI::App& command, Arguments& arguments) {
  PostTrainingOptions& options = arguments.options;
  add_bits(command, "--weight-bits", options.weight_bits, "2 to 8");
  add_bits(command, "--activation-bits", options.activation_bits, "2 to 8");
  add_bits(command, "--first-weight-bits", options.first_weight_bits,
           "of the first convolution or product; 0: as the others");
  add_bits(command, "--last-weight-bits", options.last_weight_bits, "of the last one; 0: as the others");
  add_bits(command, "--input-bits", options.input_bits, "of the network's input");
  add_bits(command, "--output-bits", options.output_bits, "of its output");
  command
      .add_option("--range", arguments.range,
                  "which values integers cover: min-max (all), percentile, or squared-error (what makes it "
                  "least)")
      ->capture_default_str();
  command
      .add_option("--percentile", options.percentile,
                  "with --range percentile: of all values of a tensor, at its high end and its low one")
      ->capture_default_str();
  command.add_option("--weight-range", arguments.weight_range,
                     "of an output channel's weights: min-max or squared-error [as --range; a percentile is "
                     "min-max]");
  auto* recalibrate = command.add_flag(
      "--recalibrate-biases", options.recalibrates_biases,
      "take each channel's mean error on the calibration inputs out by its bias; this is done "
      "anyway where weights or activations have less than 8 bits ...");
  command.add_flag("--keep-biases", arguments.keeps_biases, "... unless this is given")
      ->excludes(recalibrate);
}

} // namespace

void add_quantize_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "quantize", "a float network, ONNX or .safetensors, in integers, calibrated on inputs");
  auto arguments = std::make_shared<Arguments>();
  add_network_options(*command, *arguments);
  add_input_files(*command, *arguments);
  add_arithmetic(*command, *arguments);
  add_json_option(*command, arguments->json);
  command->footer(
      "Examples:\n"
      "  deltatwin quantize --network fashion_resnet8 --output fashion_resnet8_int8.json\n"
      "  deltatwin quantize model.onnx --calibration inputs.npy --inputs test.npy --labels test.csv\n"
      "  deltatwin quantize model.onnx --calibration 500 --dataset cifar-10-batches-bin --full-scale 255\n"
      "  deltatwin quantize --weight-bits 4 --activation-bits 4 --range squared-error --tables tables");
  command->callback([arguments] { run(*arguments); });
}

} // namespace deltatwin
