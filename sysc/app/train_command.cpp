#include "app/commands.h"
#include "app/output.h"
#include "app/text.h"
#include "app/train_graph.h"
#include "app/train_residual.h"
#include "base/error.h"
#include "base/file.h"
#include "base/huffman.h"
#include "net/inference.h"
#include "train/trainer.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace deltatwin {
namespace {

/// The words an option takes, each with what it stands for.
template <class Value> using Words = std::vector<std::pair<std::string, Value>>;

const Words<Activation> activations = {{"relu", Activation::relu}, {"hardtanh", Activation::hardtanh}};
const Words<Scheme> schemes = {
    {"fixed", Scheme::fixed_reference}, {"consecutive", Scheme::consecutive}, {"plain", Scheme::plain}};
const Words<Code> codes = {
    {"raw", Code::raw}, {"huffman", Code::huffman}, {"huffman_pairs", Code::huffman_pairs}};
const Words<Group> groups = {{"layer", Group::layer}, {"neuron", Group::neuron}, {"block", Group::block}};

struct Arguments {
  TrainOptions train;
  ResidualOptions residual; ///< with --resnet
  GraphTrainOptions graph;  ///< with --graph
  GraphWords words;         ///< with --graph
  std::string dataset = default_dataset;
  std::string output; ///< empty: NAME.json
  int images = 0;     ///< of the training set; 0: all
  std::string json;
};

template <class Value> std::string word_for(const Words<Value>& words, Value value) {
  for (const auto& [word, meaning] : words)
    if (meaning == value)
      return word;
  return "";
}

// An option whose value is one of a few words.
template <class Value>
void add_choice(CLI::App& command, const std::string& option, Value& value, const Words<Value>& words,
                const std::string& description) {
  const auto parse = [option, &value, &words](const std::string& text) {
    std::string expected;
    for (const auto& [word, meaning] : words) {
      if (word == text) {
        value = meaning;
        return;
      }
      expected += (expected.empty() ? "" : word == words.back().first ? " or " : ", ") + word;
    }
    throw InputError(option + ": \"" + text + "\", expected " + expected);
  };
  command.add_option_function<std::string>(option, parse, description)->default_str(word_for(words, value));
}

std::string joined(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers)
    text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

// The command line that gives the same network again, but for the paths.
std::string command_line(const Arguments& arguments) {
  const TrainOptions& o = arguments.train;
  std::string text = "deltatwin train --name " + o.name + " --layers " + joined(o.hidden) + " --activation " +
                     word_for(activations, o.activation) + " --scheme " + word_for(schemes, o.format.scheme) +
                     " --delta-bits " + std::to_string(o.format.delta_bits);
  if (o.format.scheme != Scheme::plain) {
    text += " --group " + word_for(groups, o.format.group);
    if (o.format.group == Group::block)
      text += " --block " + std::to_string(o.format.block);
    text += " --shift " + std::to_string(o.format.shift);
  }
  if (o.code != Code::raw)
    text += " --code " + word_for(codes, o.code) + " --delta-penalty " + shortest(o.delta_penalty);
  text += " --epochs " + std::to_string(o.epochs) + " --batch " + std::to_string(o.batch) +
          " --learning-rate " + shortest(o.learning_rate) + " --weight-decay " + shortest(o.weight_decay) +
          " --label-smoothing " + shortest(o.label_smoothing) + " --input-dropout " +
          shortest(o.input_dropout) + " --seed " + std::to_string(o.seed);
  if (!o.teacher.empty())
    text += " --teacher " + joined(o.teacher);
  if (!o.teacher_channels.empty())
    text += " --teacher-channels " + joined(o.teacher_channels);
  if (!o.teacher.empty() && o.teacher_share != TrainOptions().teacher_share)
    text += " --teacher-share " + shortest(o.teacher_share);
  if (!o.teacher.empty() && o.teachers > 1)
    text += " --teachers " + std::to_string(o.teachers);
  if (arguments.images)
    text += " --images " + std::to_string(arguments.images);
  return text;
}

std::string dataset_name(const std::string& directory) {
  std::filesystem::path path = std::filesystem::path(directory).lexically_normal();
  if (!path.has_filename())
    path = path.parent_path();
  return path.filename().string();
}

/// One line an epoch on stderr, rewritten in place on a terminal.
class ProgressLine {
public:
  explicit ProgressLine(int teachers) : teachers_(teachers), in_place_(isatty(STDERR_FILENO) != 0) {}
  ~ProgressLine() { end_line(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const TrainProgress& progress) {
    if (progress.epoch == 1 && progress.teacher != 1) { // a teacher's last line stays
      end_line();
      stage_start_ = stage_end_;
    }
    if (progress.kept)
      best_ = progress.validation_accuracy;
    const double passed = seconds();
    const double left = (passed - stage_start_) / progress.epoch * (progress.epochs - progress.epoch);
    stage_end_ = passed;
    std::fprintf(stderr, "%s%sepoch %d/%d, loss %.4f, validation accuracy %.2f %%, ", in_place_ ? "\r" : "",
                 stage(progress).c_str(), progress.epoch, progress.epochs, progress.loss,
                 100 * progress.validation_accuracy);
    if (progress.teacher > 1 && progress.epoch == progress.epochs)
      std::fprintf(stderr, "teachers together %.2f %%, ", 100 * progress.teachers_accuracy);
    if (!progress.teacher)
      std::fprintf(stderr, "%.2f bits a weight, ", progress.bits_a_weight);
    std::fprintf(stderr, "%.0f s left%s", left, in_place_ ? "\x1b[K" : "\n");
    open_ = true;
  }
  /// The network's best validation accuracy: that of the checkpoint kept.
  [[nodiscard]] double best() const { return best_; }

private:
  [[nodiscard]] std::string stage(const TrainProgress& progress) const {
    if (!progress.teacher)
      return "";
    return teachers_ > 1
               ? "teacher " + std::to_string(progress.teacher) + "/" + std::to_string(teachers_) + ": "
               : "teacher: ";
  }
  void end_line() {
    if (in_place_ && open_)
      std::fputc('\n', stderr);
    open_ = false;
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  int teachers_;
  bool in_place_, open_ = false;
  double best_ = 0, stage_start_ = 0, stage_end_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double bits_a_weight(const Network& network, std::uint64_t bits) {
  return static_cast<double>(bits) / static_cast<double>(network.weight_count());
}

double entropy_bits_a_weight(const Network& network) {
  double entropy = 0;
  for (const Layer& layer : network.layers)
    entropy += entropy_bits(layer.histogram());
  return entropy / static_cast<double>(network.weight_count());
}

void print_coded_storage(const Network& network) {
  const std::uint64_t bits = network.stored_bits();
  std::printf("coded: %llu bits with references and code books, %.1f %% of 8-bit storage, "
              "%.3f bits a weight with them; entropy of the deltas: %.3f\n",
              static_cast<unsigned long long>(bits), 12.5 * bits_a_weight(network, bits),
              bits_a_weight(network, bits), entropy_bits_a_weight(network));
}

void run(Arguments arguments) {
  TrainOptions& options = arguments.train;
  check(options);
  if (arguments.images < 0)
    throw InputError("--images: " + std::to_string(arguments.images) +
                     ", expected a number of training images, or 0 for all");
  if (options.format.shift < 0)
    options.format.shift = default_shift(options.format.scheme, options.format.delta_bits, options.code);
  const std::string path = arguments.output.empty() ? options.name + ".json" : arguments.output;
  check_writable(path);
  prepare_json(arguments.json);
  const Dataset images = load_dataset(arguments.dataset, "train", arguments.images);
  const Dataset test = load_dataset(arguments.dataset, "t10k");
  if (test.pixels != images.pixels)
    throw InputError(arguments.dataset + ": training images have " + std::to_string(images.pixels) +
                     " pixels, test images " + std::to_string(test.pixels));

  double validation = 0;
  Network network;
  {
    ProgressLine line(options.teachers);
    network = train(options, images, [&line](const TrainProgress& p) { line.show(p); });
    validation = line.best();
  }
  network.description = dataset_name(arguments.dataset) + ": " + command_line(arguments);
  save_network(network, path);

  const double right = accuracy(network, test.inputs(test.count), test.labels);
  std::printf("%s: accuracy %.2f %% on %d test images (%.2f %% on validation images), "
              "%llu weight bits, %.1f %% of 8-bit storage\n",
              path.c_str(), 100 * right, test.count, 100 * validation,
              static_cast<unsigned long long>(network.weight_bits()),
              12.5 * bits_a_weight(network, network.weight_bits()));
  if (options.code != Code::raw)
    print_coded_storage(network);
  write_json(arguments.json, "train",
             {{"network", network.name},
              {"file", path},
              {"dataset", arguments.dataset},
              {"training_images", images.count},
              {"test_images", test.count},
              {"accuracy", right},
              {"validation_accuracy", validation},
              {"weights", network.weight_count()},
              {"weight_bits", network.weight_bits()},
              {"stored_bits", network.stored_bits()},
              {"entropy_bits_per_weight", entropy_bits_a_weight(network)},
              {"command", command_line(arguments)}});
}

void add_format_options(CLI::App& command, DeltaFormat& format) {
  add_choice(command, "--scheme", format.scheme, schemes,
             "fixed (deltas to a reference), consecutive (to the weight before) or plain (no "
             "deltas: int8 with --delta-bits 8, int4 with 4)");
  command.add_option("--delta-bits", format.delta_bits, "bits a weight, 2 to 8")->capture_default_str();
  add_choice(command, "--group", format.group, groups, "what shares a reference: layer, neuron or block");
  command.add_option("--block", format.block, "weights a block, with --group block");
  command
      .add_option("--shift", format.shift,
                  "a delta's step is 2^shift weight LSBs, 0 to 7; -1: what suits scheme and bits")
      ->capture_default_str();
}

void add_code_options(CLI::App& command, TrainOptions& options) {
  add_choice(
      command, "--code", options.code, codes,
      "raw, or huffman: trains few and small deltas, to be stored as Huffman codes, and keeps the "
      "best of the last quarter of epochs; huffman_pairs: the same, stored as codes of pairs of deltas");
  command
      .add_option(
          "--delta-penalty", options.delta_penalty,
          "with a Huffman code, 0 to 10: pull of every delta towards 0; less storage for less accuracy")
      ->capture_default_str();
}

void add_recipe_options(CLI::App& command, TrainOptions& options) {
  command.add_option("--epochs", options.epochs, "passes over the training images")->capture_default_str();
  command.add_option("--batch", options.batch, "images a step")->capture_default_str();
  command.add_option("--learning-rate", options.learning_rate, "Adam's, at its highest")
      ->capture_default_str();
  command
      .add_option("--weight-decay", options.weight_decay,
                  "decoupled, times the learning rate; with --graph 0.05 unless it is given")
      ->capture_default_str();
  command
      .add_option("--label-smoothing", options.label_smoothing,
                  "share of a label that is spread over all classes")
      ->capture_default_str();
  command
      .add_option("--input-dropout", options.input_dropout,
                  "share of pixels that training makes black, anew in each step")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "of initial weights and image order")->capture_default_str();
}

void add_teacher_options(CLI::App& command, TrainOptions& options) {
  command
      .add_option("--teacher", options.teacher,
                  "hidden widths of a float network to distil from, trained before it (default: none)")
      ->delimiter(',');
  command
      .add_option("--teacher-channels", options.teacher_channels,
                  "channels of 3x3 convolutions, each with 2x2 pooling, before the teacher's hidden layers "
                  "(default: none)")
      ->delimiter(',');
  command
      .add_option("--teacher-share", options.teacher_share,
                  "0 to 1: share of the target that is the teachers' opinion; the rest is the label")
      ->capture_default_str();
  command
      .add_option("--teachers", options.teachers,
                  "with --teacher, 1 to 100: how many such networks, whose mean opinion is distilled")
      ->capture_default_str();
}

// What --resnet makes of the options: those that both kinds of training know, where they are given.
ResidualRun residual_run(const CLI::App& command, const Arguments& arguments) {
  for (const char* option : {"--layers", "--activation", "--scheme", "--delta-bits", "--group", "--block",
                             "--shift", "--code", "--delta-penalty", "--input-dropout", "--teacher",
                             "--teacher-channels", "--teacher-share", "--teachers"})
    if (command.count(option))
      throw InputError(std::string(option) + ": has no meaning with --resnet");
  ResidualRun run = {arguments.residual, arguments.dataset, arguments.output, arguments.images,
                     arguments.json};
  const TrainOptions& train = arguments.train;
  const auto take = [&](const char* option, auto& to, const auto& from) {
    if (command.count(option))
      to = from;
  };
  take("--name", run.options.name, train.name);
  take("--epochs", run.options.epochs, train.epochs);
  take("--batch", run.options.batch, train.batch);
  take("--learning-rate", run.options.learning_rate, train.learning_rate);
  take("--weight-decay", run.options.weight_decay, train.weight_decay);
  take("--label-smoothing", run.options.label_smoothing, train.label_smoothing);
  take("--seed", run.options.seed, train.seed);
  if (!command.count("--name"))
    run.options.name += std::to_string(run.options.depth);
  return run;
}

// What --graph makes of them.
GraphRun graph_run(const CLI::App& command, const Arguments& arguments) {
  for (const char* option :
       {"--layers", "--activation", "--scheme", "--delta-bits", "--group", "--block", "--input-dropout",
        "--teacher", "--teacher-channels", "--teachers", "--resnet", "--width"})
    if (command.count(option))
      throw InputError(std::string(option) + ": has no meaning with --graph");
  if (!command.count("--teacher-network") && command.count("--teacher-share"))
    throw InputError("--teacher-share: has a meaning with --teacher-network only");
  GraphRun run;
  run.options = arguments.graph;
  run.words = arguments.words;
  run.dataset = arguments.dataset;
  run.output = arguments.output;
  run.images = arguments.images;
  run.json = arguments.json;
  const TrainOptions& train = arguments.train;
  const auto take = [&](const char* option, auto& to, const auto& from) {
    if (command.count(option))
      to = from;
    return command.count(option) > 0;
  };
  (void)take("--name", run.options.name, train.name);
  (void)take("--epochs", run.options.epochs, train.epochs);
  (void)take("--batch", run.options.batch, train.batch);
  (void)take("--learning-rate", run.options.learning_rate, train.learning_rate);
  (void)take("--weight-decay", run.options.weight_decay, train.weight_decay);
  (void)take("--label-smoothing", run.options.label_smoothing, train.label_smoothing);
  (void)take("--seed", run.options.seed, train.seed);
  (void)take("--code", run.options.deltas.code, train.code);
  (void)take("--delta-penalty", run.options.delta_penalty, train.delta_penalty);
  (void)take("--teacher-share", run.options.teacher_share, train.teacher_share);
  run.has_shift = take("--shift", run.options.deltas.shift, train.format.shift) && train.format.shift >= 0;
  run.has_crop = take("--crop", run.options.crop, arguments.residual.crop);
  run.has_mirror = command.count("--mirror") + command.count("--no-mirror") > 0;
  run.options.mirror = arguments.words.mirror;
  if (command.count("--mirror") && command.count("--no-mirror"))
    throw InputError("--mirror: contradicts --no-mirror");
  if (run.options.deltas.code == Code::huffman_pairs)
    throw InputError("--code: huffman_pairs has no meaning with --graph, where huffman is for pairs, too");
  if (run.options.deltas.code == Code::raw && command.count("--delta-penalty"))
    throw InputError("--delta-penalty: has a meaning with --code huffman only");
  if (command.count("--tile") && !command.count("--tile-penalty"))
    throw InputError("--tile: has a meaning with --tile-penalty only");
  return run;
}

} // namespace

void add_train_command(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("train", train_summary);
  command->add_option("--name", arguments->train.name, "the network's name")->capture_default_str();
  command->add_option("--layers", arguments->train.hidden, "hidden widths, first to last")
      ->delimiter(',')
      ->capture_default_str();
  add_choice(*command, "--activation", arguments->train.activation, activations,
             "of the hidden layers: relu or hardtanh");
  add_format_options(*command, arguments->train.format);
  add_code_options(*command, arguments->train);
  add_recipe_options(*command, arguments->train);
  add_teacher_options(*command, arguments->train);
  add_residual_options(*command, arguments->residual);
  add_graph_options(*command, arguments->words, arguments->graph);
  command
      ->add_option("--dataset", arguments->dataset,
                   "directory with IDX files; with --graph or --resnet, or with CIFAR-10's binary batches")
      ->capture_default_str();
  command->add_option("--images", arguments->images, "training images to use, 0 for all")
      ->capture_default_str();
  command->add_option("--output", arguments->output, "network file to write (default: NAME.json)");
  add_json_option(*command, arguments->json);
  command->footer(
      "Examples:\n"
      "  deltatwin train --name paper --layers 150,16,400,120,84 --scheme fixed --delta-bits 4\n"
      "  deltatwin train --name small --layers 144,112 --activation relu --delta-bits 2 "
      "--teacher 512,256\n"
      "  deltatwin train --name coded --layers 240,100 --activation relu --code huffman "
      "--delta-penalty 0.3\n"
      "  deltatwin train --resnet 8 --name fashion_resnet8 --epochs 20 --crop 2\n"
      "  deltatwin train --name conv4 --graph \"conv 16 3x3, block 16, block 32/2, average, dense 10\" "
      "--weights d4 --activations 4 --checkpoint conv4.checkpoint\n"
      "  deltatwin train --name binary --graph @cnv.txt --weights b1 --activations b1 --dataset "
      "cifar-10-batches-bin --epochs 100");
  command->callback([command, arguments, &exit_code] {
    if (command->count("--graph")) {
      run_graph(graph_run(*command, *arguments));
      exit_code = 0;
      return;
    }
    for (const char* option : graph_option_names())
      if (command->count(option))
        throw InputError(std::string(option) + ": has a meaning with --graph only");
    if (command->count("--resnet")) {
      run_residual(residual_run(*command, *arguments));
      exit_code = 0;
      return;
    }
    if (command->count("--width"))
      throw InputError("--width: has a meaning with --resnet only");
    for (const char* option : {"--crop", "--no-mirror"})
      if (command->count(option))
        throw InputError(std::string(option) + ": has a meaning with --resnet or --graph only");
    if (arguments->train.format.scheme == Scheme::plain)
      for (const char* option : {"--group", "--block", "--shift"})
        if (command->count(option))
          throw InputError(std::string(option) + ": has no meaning with --scheme plain");
    if (arguments->train.code == Code::raw && command->count("--delta-penalty"))
      throw InputError("--delta-penalty: has a meaning with --code huffman or huffman_pairs only");
    for (const char* option : {"--teacher-channels", "--teacher-share", "--teachers"})
      if (arguments->train.teacher.empty() && command->count(option))
        throw InputError(std::string(option) + ": has a meaning with --teacher only");
    run(*arguments);
    exit_code = 0;
  });
}

} // namespace deltatwin
