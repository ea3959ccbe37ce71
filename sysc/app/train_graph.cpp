#include "app/train_graph.h"
#include "app/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/huffman.h"
#include "net/float_network.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/input_set.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

namespace deltatwin {
namespace {

constexpr int color_crop = 4;

std::string directory_name(const std::string& directory) {
  std::filesystem::path path = std::filesystem::path(directory).lexically_normal();
  if (!path.has_filename())
    path = path.parent_path();
  return path.filename().string();
}

bool choice(const std::string& option, const std::string& text, const std::string& first,
            const std::string& second) {
  if (text != first && text != second)
    throw InputError(option + ": \"" + text + "\", expected " + first + " or " + second);
  return text == second;
}

WeightFormat weights_of(const std::string& text) {
  const LayerPrecision precision = parse_precision(text, "--weights");
  if (!precision.weights || precision.activation_bits)
    throw InputError("--weights: \"" + text + "\", expected w2 to w8, d2 to d8 or b1");
  return *precision.weights;
}

int activations_of(const std::string& text) {
  std::string digits = text;
  if (!digits.empty() && (digits[0] == 'a' || digits == "b1"))
    digits.erase(0, 1);
  if (digits.size() != 1 || digits[0] < '1' || digits[0] > '8')
    throw InputError("--activations: \"" + text + "\", expected 2 to 8 bits, or b1");
  return digits[0] - '0';
}

// What the words say, for this data set.
void read_words(GraphRun& run, const ImageSet& images) {
  const bool color = images.planes > 1;
  if (!run.has_crop)
    run.options.crop = color ? color_crop : 0;
  if (!run.has_mirror)
    run.options.mirror = color;
}

void read_words(GraphRun& run) {
  GraphTrainOptions& options = run.options;
  GraphOptions& graph = options.graph;
  const GraphWords& words = run.words;
  std::string text = words.graph;
  if (!text.empty() && text[0] == '@')
    text = read_file(text.substr(1), 1 << 20);
  graph.elements = parse_graph_elements(text);
  graph.weights = weights_of(words.weights);
  graph.activation_bits = activations_of(words.activations);
  if (!words.first.empty())
    graph.first = parse_precision(words.first, "--first");
  if (!words.last.empty())
    graph.last = parse_precision(words.last, "--last");
  graph.shift_only = choice("--scaling", words.scaling, "multiply", "shift");
  options.deltas.reference = choice("--reference", words.reference, "zero", "mean")
                                 ? DeltaTraining::Reference::mean
                                 : DeltaTraining::Reference::zero;
  if (!words.tile.empty())
    options.tile = parse_tile_size(words.tile);
  if (!run.has_shift)
    options.deltas.shift =
        options.deltas.code == Code::huffman ? 0 : default_graph_shift(options.deltas.reference);
}

// The command line that gives the same network again, but for the paths.
std::string command_line(const GraphRun& run) {
  const GraphTrainOptions& o = run.options;
  const GraphWords& words = run.words;
  std::string elements;
  for (const GraphElement& element : o.graph.elements)
    elements += (elements.empty() ? "" : ", ") + element.text;
  std::string text = "deltatwin train --graph \"" + elements + "\" --name " + o.name + " --weights " +
                     words.weights + " --activations " + words.activations;
  if (!words.first.empty())
    text += " --first " + words.first;
  if (!words.last.empty())
    text += " --last " + words.last;
  if (o.graph.input_bits != 8)
    text += " --input-bits " + std::to_string(o.graph.input_bits);
  if (o.graph.shortcut_bits != 0)
    text += " --shortcut-bits " + std::to_string(o.graph.shortcut_bits);
  if (o.graph.branch_bits != 8)
    text += " --branch-bits " + std::to_string(o.graph.branch_bits);
  if (o.graph.multiplier_bits != 31)
    text += " --multiplier-bits " + std::to_string(o.graph.multiplier_bits);
  if (words.scaling != "multiply")
    text += " --scaling " + words.scaling;
  if (words.reference != "zero")
    text += " --reference " + words.reference;
  if (o.deltas.shift != 0)
    text += " --shift " + std::to_string(o.deltas.shift);
  if (o.deltas.code == Code::huffman)
    text += " --code huffman --delta-penalty " + shortest(o.delta_penalty);
  if (o.tile_penalty > 0)
    text += " --tile-penalty " + shortest(o.tile_penalty) + " --tile " + std::to_string(o.tile.outputs) +
            "x" + std::to_string(o.tile.channels);
  text += " --epochs " + std::to_string(o.epochs) + " --batch " + std::to_string(o.batch) +
          " --learning-rate " + shortest(o.learning_rate) + " --weight-decay " + shortest(o.weight_decay) +
          " --label-smoothing " + shortest(o.label_smoothing) + " --crop " + std::to_string(o.crop) +
          (o.mirror ? " --mirror" : " --no-mirror") + " --seed " + std::to_string(o.seed);
  if (!words.teacher.empty())
    text += " --teacher-network " + directory_name(words.teacher) + " --teacher-share " +
            shortest(o.teacher_share);
  if (!o.start.empty())
    text += " --start " + directory_name(o.start);
  if (run.images)
    text += " --images " + std::to_string(run.images);
  return text;
}

/// Bits of a graph's weights.
struct Storage {
  std::uint64_t weights = 0, raw = 0; ///< raw: with references
  double coded = 0, coded_pairs = 0;  ///< by entropy, where a layer is to be coded
  bool has_code = false;
};

Storage storage_of(const Graph& graph) {
  Storage all;
  for (const Node& node : graph.nodes) {
    const auto* convolution = std::get_if<Convolution>(&node.op);
    if (!convolution)
      continue;
    const std::uint64_t count = convolution->weights.size();
    all.weights += count;
    if (!convolution->delta) {
      all.raw += 8 * count;
      all.coded += 8.0 * static_cast<double>(count);
      all.coded_pairs += 8.0 * static_cast<double>(count);
      continue;
    }
    const StoredDeltas& deltas = *convolution->delta;
    const std::uint64_t raw = static_cast<std::uint64_t>(deltas.bits) * count;
    all.raw += raw;
    if (deltas.code == Code::raw) {
      all.coded += static_cast<double>(raw);
      all.coded_pairs += static_cast<double>(raw);
      continue;
    }
    all.has_code = true;
    const auto symbols = std::size_t{1} << deltas.bits,
               row = static_cast<std::size_t>(count) / convolution->bias.size();
    std::vector<std::uint64_t> singles(symbols), pairs(symbols * symbols);
    for (std::size_t i = 0; i < count; i += 2) {
      const auto symbol = [&](std::size_t at) {
        return static_cast<std::size_t>(*deltas.delta(at / row, convolution->weights[at]) &
                                        static_cast<int>(symbols - 1));
      };
      const std::size_t first = symbol(i), second = i + 1 < count ? symbol(i + 1) : 0;
      ++singles[first];
      if (i + 1 < count)
        ++singles[second];
      ++pairs[first * symbols + second];
    }
    all.coded += entropy_bits(singles);
    all.coded_pairs += entropy_bits(pairs);
  }
  return all;
}

double test_accuracy(const Graph& graph, const ImageSet& set) {
  const InputSet inputs = image_inputs(set, "test images", graph.tensors[graph.input]);
  GraphInference inference(graph);
  std::vector<std::int32_t> outputs(static_cast<std::size_t>(inputs.count) * inference.outputs());
  inference.run(inputs.values.data(), inputs.count, outputs.data());
  return accuracy(outputs, inference.outputs(), inputs.labels);
}

class EpochLines {
public:
  void show(const GraphProgress& progress) {
    const std::string what = "epoch " + std::to_string(progress.epoch) + "/" +
                             std::to_string(progress.epochs) + ", loss " + fixed(progress.loss, 4);
    const double done = progress.epoch - 1 + progress.share - progress.begun_at,
                 all = progress.epochs - progress.begun_at;
    if (progress.share < 1) {
      line_.update(done, all, what);
      return;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    line_.message(what + ", validation accuracy " + fixed(100 * progress.validation_accuracy, 2) + " %, " +
                  fixed(seconds / done * (all - done), 0) + " s left");
  }
  void clear() { line_.clear(); }

private:
  Progress line_{"training"};
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace

const std::vector<const char*>& graph_option_names() {
  static const std::vector<const char*> names = {
      "--weights",       "--activations", "--first",           "--last",    "--input-bits",
      "--shortcut-bits", "--branch-bits", "--multiplier-bits", "--scaling", "--reference",
      "--mirror",        "--threads",     "--checkpoint",      "--start",   "--teacher-network",
      "--tile-penalty",  "--tile"};
  return names;
}

void add_graph_options(CLI::App& command, GraphWords& words, GraphTrainOptions& options) {
  command.add_option(
      "--graph", words.graph,
      "train a quantized convolution network instead: elements between commas, or @FILE: conv N "
      "KxK[/STRIDE] [valid|same], block N[/STRIDE] (two of 3x3 and a sum), maxpool K, average, "
      "dense N; behind a colon an element's own precision (conv 16 3x3:w8a8)");
  command
      .add_option("--weights", words.weights,
                  "with --graph: w2 to w8 (integers), d2 to d8 (deltas to a reference), or b1 (-1 and 1)")
      ->capture_default_str();
  command.add_option("--activations", words.activations, "with --graph: 2 to 8 bits, or b1 (-1 and 1)")
      ->capture_default_str();
  command.add_option("--first", words.first, "with --graph: the first layer's precision, for example w8a8");
  command.add_option("--last", words.last, "with --graph: the last layer's weights, for example w8");
  command
      .add_option("--input-bits", options.graph.input_bits,
                  "with --graph: upper bits of a pixel that the network sees, 2 to 8")
      ->capture_default_str();
  command
      .add_option("--shortcut-bits", options.graph.shortcut_bits,
                  "with --graph: of what a block's 1x1 convolution makes, 2 to 8; 0: as the widest of input "
                  "and activations")
      ->capture_default_str();
  command
      .add_option("--branch-bits", options.graph.branch_bits,
                  "with --graph: of what a block's second convolution makes, 2 to 8")
      ->capture_default_str();
  command
      .add_option("--multiplier-bits", options.graph.multiplier_bits,
                  "with --graph: of the multipliers behind sums, 2 to 31")
      ->capture_default_str();
  command
      .add_option("--scaling", words.scaling,
                  "with --graph: multiply, or shift: all multipliers are powers of two")
      ->capture_default_str();
  command
      .add_option("--reference", words.reference,
                  "with --graph: of deltas, zero or mean (of the layer's weights)")
      ->capture_default_str();
  command
      .add_option("--tile-penalty", options.tile_penalty,
                  "with --graph, 0 to 10: pull of whole tiles of convolutions' weights to 0 (group lasso), "
                  "which `--skip-zeros 1` of the array leaves out; try 0.01 to 0.1")
      ->capture_default_str();
  command.add_option(
      "--tile", words.tile,
      "with --tile-penalty: OUTPUTSxCHANNELS of a tile, at one place of the kernel: the array's "
      "outputs, and channels of a word: 8 bytes hold 16 of 4 bits [8x16]");
  command.add_flag("--mirror", words.mirror,
                   "with --graph: half of the images are mirrored (the default for images in color)");
  command
      .add_option("--threads", options.threads,
                  "with --graph: of training; on one, the same options give the same network")
      ->capture_default_str();
  command.add_option(
      "--checkpoint", options.checkpoint,
      "with --graph: file that each epoch's end is written to, and that a training goes on from");
  command.add_option(
      "--start", options.start,
      "with --graph: checkpoint of a network of the same shapes, in any precision, to begin with");
  command.add_option("--teacher-network", words.teacher,
                     "with --graph: name or .safetensors file of a float network to distil from");
}

void run_graph(GraphRun run) {
  read_words(run);
  GraphTrainOptions& options = run.options;
  check(options);
  if (run.images < 0)
    throw InputError("--images: " + std::to_string(run.images) +
                     ", expected a number of training images, or 0 for all");
  const std::string path = run.output.empty() ? options.name + ".json" : run.output;
  check_writable(path);
  if (!options.checkpoint.empty())
    check_writable(options.checkpoint);
  prepare_json(run.json);
  const ImageSet images = load_image_set(run.dataset, Split::train, run.images);
  const ImageSet test = load_image_set(run.dataset, Split::test);
  if (test.planes != images.planes || test.rows != images.rows || test.columns != images.columns)
    throw InputError(run.dataset + ": training and test images are not of one size");
  read_words(run, images);
  std::optional<FloatNetwork> teacher;
  if (!run.words.teacher.empty())
    teacher = load_float_network(find_float_network(run.words.teacher));
  const std::string description = directory_name(run.dataset) + ": " + command_line(run);
  options.identity = description;
  EpochLines lines;
  TrainedGraph trained =
      train_graph(options, images, teacher ? &*teacher : nullptr, [&](const GraphProgress& progress) {
        if (progress.best) { // what is there when somebody breaks off
          Graph copy = *progress.best;
          copy.description = description;
          save_graph(copy, path);
        }
        lines.show(progress);
      });
  lines.clear();
  Graph& graph = trained.graph;
  graph.description = description;
  save_graph(graph, path);
  const double right = test_accuracy(graph, test);
  const Storage storage = storage_of(graph);
  std::printf(
      "%s: accuracy %.2f %% on %d test images (%.2f %% on %d validation images)\n"
      "integers: at the end of training %d of %d validation images have another class than by the trained "
      "model\n"
      "%s MACs, %s weights in %s bits (%.2f bits a weight)\n",
      path.c_str(), 100 * right, test.data.count, 100 * trained.validation_accuracy,
      trained.validation_images, trained.different, trained.validation_images, grouped(graph.macs()).c_str(),
      grouped(storage.weights).c_str(), grouped(storage.raw).c_str(),
      static_cast<double>(storage.raw) / static_cast<double>(storage.weights));
  if (storage.has_code)
    std::printf("entropy: %s bits deltas one by one, %s bits in pairs (%.3f bits a weight)\n",
                grouped(static_cast<std::uint64_t>(storage.coded)).c_str(),
                grouped(static_cast<std::uint64_t>(storage.coded_pairs)).c_str(),
                storage.coded_pairs / static_cast<double>(storage.weights));
  if (options.tile_penalty > 0)
    std::printf("tiles: %d of %d tiles of %d x %d weights of convolutions are zero (%.1f %%)\n",
                trained.zero_tiles, trained.tiles, options.tile.outputs, options.tile.channels,
                100.0 * trained.zero_tiles / trained.tiles);
  write_json(run.json, "train",
             {{"network", graph.name},
              {"file", path},
              {"dataset", run.dataset},
              {"training_images", images.data.count},
              {"test_images", test.data.count},
              {"accuracy", right},
              {"validation_accuracy", trained.validation_accuracy},
              {"different_classes", trained.different},
              {"macs", graph.macs()},
              {"weights", storage.weights},
              {"weight_bits", storage.raw},
              {"tiles", trained.tiles},
              {"zero_tiles", trained.zero_tiles},
              {"entropy_bits", storage.coded},
              {"entropy_bits_of_pairs", storage.coded_pairs},
              {"command", command_line(run)}});
}

} // namespace deltatwin
