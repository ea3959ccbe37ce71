#include "train/graph_trainer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "net/argmax.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/input_set.h"
#include "net/safetensors.h"
#include "train/augmenter.h"
#include "train/float_model.h"
#include "train/graph_model.h"
#include "train/optimizer.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace deltatwin {
namespace {

constexpr int refit_interval = 1; ///< steps between two fits of the weights' scales
constexpr int evaluation_batch = 250;
constexpr const char* checkpoint_format = "deltatwin-checkpoint-1";

void require(bool good, const std::string& what) {
  if (!good)
    throw InputError(what);
}

at::Tensor bytes_of(const ImageSet& set, int begin, int count) {
  const auto* first = set.data.images.data() + static_cast<std::ptrdiff_t>(begin) * set.data.pixels;
  return at::from_blob(const_cast<std::uint8_t*>(first), {count, set.planes, set.rows, set.columns},
                       at::kByte);
}

/// The images that choose a network, as inputs of it.
class Judge {
public:
  Judge(const ImageSet& set, const GraphPlan& plan)
      : set_(set), inputs_(image_inputs(set, "validation images", to_tensor(plan.tensors[0]))) {}

  [[nodiscard]] double accuracy(const Graph& graph) {
    const std::vector<std::int32_t> values = outputs(graph);
    return deltatwin::accuracy(values, width_, inputs_.labels);
  }
  /// On how many images the model says another class.
  [[nodiscard]] int different(GraphModel& model, const Graph& graph) {
    const torch::NoGradGuard no_gradients;
    const std::vector<std::int32_t> integers = outputs(graph);
    int count = 0;
    for (int at = 0; at < inputs_.count; at += evaluation_batch) {
      const int images = std::min(evaluation_batch, inputs_.count - at);
      const at::Tensor scores = model.forward(bytes_of(set_, at, images), false).contiguous();
      for (int i = 0; i < images; ++i)
        count += argmax(scores.data_ptr<float>() + static_cast<std::size_t>(i) * width_, width_) !=
                 argmax(integers.data() + static_cast<std::size_t>(at + i) * width_, width_);
    }
    return count;
  }
  [[nodiscard]] int count() const { return inputs_.count; }

private:
  std::vector<std::int32_t> outputs(const Graph& graph) {
    GraphInference inference(graph);
    width_ = inference.outputs();
    std::vector<std::int32_t> values(static_cast<std::size_t>(inputs_.count) * width_);
    inference.run(inputs_.values.data(), inputs_.count, values.data());
    return values;
  }

  const ImageSet& set_;
  InputSet inputs_;
  std::size_t width_ = 0;
};

FloatTensor flat(const float* values, std::size_t count) {
  return {{static_cast<int>(count)}, {values, values + count}};
}

void copy_to(float* to, std::size_t count, const Safetensors& file, const std::string& name) {
  const FloatTensor tensor = file.tensor(name, 1);
  if (tensor.values.size() != count)
    file.fail("the tensor \"" + name + "\" has " + std::to_string(tensor.values.size()) +
              " values, this network's " + std::to_string(count));
  std::copy(tensor.values.begin(), tensor.values.end(), to);
}

void load_state(GraphModel& model, const Safetensors& file, bool with_scales) {
  for (auto& [name, tensor] : model.state())
    if (with_scales || name.size() < 6 || name.compare(name.size() - 6, 6, ".scale") != 0)
      copy_to(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()), file, name);
}

/// What is known at the end of an epoch.
struct Position {
  int epoch = 0;
  double best_accuracy = -1;
  Graph best;
};

void save_checkpoint(const GraphTrainOptions& options, GraphModel& model, Optimizer& optimizer,
                     const Position& position) {
  if (options.checkpoint.empty())
    return;
  std::vector<std::pair<std::string, FloatTensor>> tensors;
  for (const auto& [name, tensor] : model.state())
    tensors.emplace_back(name, flat(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())));
  int number = 0;
  for (const std::vector<float>* moments : optimizer.moments())
    tensors.emplace_back("moment" + std::to_string(number++), flat(moments->data(), moments->size()));
  write_file(options.checkpoint,
             safetensors_text(tensors, {{"format", checkpoint_format},
                                        {"training", options.identity},
                                        {"epoch", std::to_string(position.epoch)},
                                        {"steps", std::to_string(optimizer.done())},
                                        {"best_accuracy", shortest(position.best_accuracy)},
                                        {"best", format_2_text(position.best)}}));
}

int whole(const Safetensors& file, const std::string& key) {
  const std::string text = file.metadata(key);
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    file.fail("\"" + key + "\" is \"" + text + "\", expected a whole number");
  return std::stoi(text);
}

void check_format(const Safetensors& file) {
  if (file.metadata("format") != checkpoint_format)
    file.fail("is no checkpoint of a training of convolution networks");
}

// Goes on where a checkpoint ends, if there is one.
Position load_checkpoint(const GraphTrainOptions& options, GraphModel& model, Optimizer& optimizer) {
  Position position;
  std::error_code error;
  if (options.checkpoint.empty() || !std::filesystem::exists(options.checkpoint, error))
    return position;
  const Safetensors file(read_file(options.checkpoint), options.checkpoint);
  check_format(file);
  if (const std::string training = file.metadata("training"); training != options.identity)
    file.fail("is of another training: " + training);
  load_state(model, file, true);
  int number = 0;
  for (std::vector<float>* moments : optimizer.moments())
    copy_to(moments->data(), moments->size(), file, "moment" + std::to_string(number++));
  optimizer.done() = whole(file, "steps");
  position.epoch = whole(file, "epoch");
  position.best_accuracy = std::stod(file.metadata("best_accuracy"));
  position.best = parse_graph(file.metadata("best"), options.checkpoint);
  return position;
}

/// What a float network says of images, as probabilities.
class Teacher {
public:
  explicit Teacher(const FloatNetwork& network)
      : model_(network), mean_(network.mean), deviation_(network.deviation), blocks_(network.blocks.size()) {}
  [[nodiscard]] at::Tensor opinion(const at::Tensor& bytes) const {
    const torch::NoGradGuard no_gradients;
    at::Tensor values = model_.stem(normalized(bytes, mean_, deviation_));
    for (std::size_t b = 0; b < blocks_; ++b)
      values = model_.block(b, values);
    return model_.classify(values).softmax(1);
  }

private:
  FloatModel model_;
  std::vector<float> mean_, deviation_;
  std::size_t blocks_;
};

// Of one epoch alone, so that a training can go on with any.
std::uint64_t epoch_seed(unsigned seed, int epoch) {
  return std::uint64_t{seed} * 1'000'003 + static_cast<std::uint64_t>(epoch);
}

void check_teacher(const FloatNetwork& teacher, const ImageSet& images, int classes) {
  require(teacher.planes == images.planes && teacher.rows == images.rows && teacher.columns == images.columns,
          "--teacher-network: " + teacher.name + " takes images of " + std::to_string(teacher.planes) +
              " x " + std::to_string(teacher.rows) + " x " + std::to_string(teacher.columns) +
              " values, these have " + std::to_string(images.planes) + " x " + std::to_string(images.rows) +
              " x " + std::to_string(images.columns));
  require(teacher.classes() == classes,
          "--teacher-network: " + teacher.name + " has " + std::to_string(teacher.classes()) +
              " classes, the last element of --graph " + std::to_string(classes));
}

void check_graph(const GraphOptions& graph) {
  require(!graph.elements.empty(), "--graph: has no element");
  require(graph.elements.back().kind == GraphElement::Kind::dense,
          "--graph: \"" + graph.elements.back().text +
              "\": the last element is a dense one, whose outputs are the classes");
  require(graph.activation_bits >= 1 && graph.activation_bits <= 8, "--activations: expected 1 to 8 bits");
  require(graph.input_bits >= 2 && graph.input_bits <= 8,
          "--input-bits: " + std::to_string(graph.input_bits) + ", expected 2 to 8");
  require(graph.shortcut_bits == 0 || (graph.shortcut_bits >= 2 && graph.shortcut_bits <= 8),
          "--shortcut-bits: " + std::to_string(graph.shortcut_bits) +
              ", expected 2 to 8, or 0 for the widest map's");
  require(!graph.last.activation_bits, "--last: the outputs have 8 bits; expected weights alone: w8");
}

// Deltas of every layer must stay in int8 with their shift.
void check_deltas(const GraphTrainOptions& options) {
  const int shift = options.deltas.shift;
  require(shift >= 0 && shift <= 7, "--shift: " + std::to_string(shift) + ", expected 0 to 7");
  bool there = false;
  const auto fits = [&](const std::optional<WeightFormat>& format) {
    there = there || (format && format->kind == WeightFormat::Kind::delta);
    require(!format || format->kind != WeightFormat::Kind::delta || format->bits + shift <= 8,
            "--shift: " + std::to_string(shift) + ", expected 0 to " +
                std::to_string(format ? 8 - format->bits : 0) + " with deltas of " +
                std::to_string(format ? format->bits : 0) + " bits, so that weights stay in 8");
  };
  fits(options.graph.weights);
  fits(options.graph.first.weights);
  fits(options.graph.last.weights);
  for (const GraphElement& element : options.graph.elements)
    fits(element.precision.weights);
  require(there || options.deltas.code == Code::raw, "--code: no layer has deltas (d2 to d8) to be coded");
  require(there || options.deltas.reference == DeltaTraining::Reference::zero,
          "--reference: no layer has deltas (d2 to d8)");
  require(options.delta_penalty >= 0 && options.delta_penalty <= 10, "--delta-penalty: expected 0 to 10");
}

// Maps of a step are given back and taken again: pages that the system clears each time are a sixth of its
// time.
void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

} // namespace

int default_graph_shift(DeltaTraining::Reference reference) {
  return reference == DeltaTraining::Reference::mean ? 3 : 0;
}

void check(const GraphTrainOptions& options) {
  const std::string name = name_complaint(options.name);
  require(name.empty(), "--name: " + name);
  check_graph(options.graph);
  check_deltas(options);
  require(options.epochs >= 1 && options.epochs <= 10000,
          "--epochs: " + std::to_string(options.epochs) + ", expected 1 to 10000");
  require(options.batch >= 2 && options.batch <= 10000,
          "--batch: " + std::to_string(options.batch) + ", expected 2 to 10000 images");
  require(options.learning_rate > 0 && options.learning_rate <= 1,
          "--learning-rate: expected more than 0 and at most 1");
  require(options.weight_decay >= 0 && options.weight_decay <= 10, "--weight-decay: expected 0 to 10");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1,
          "--label-smoothing: expected 0 to less than 1");
  require(options.crop >= 0 && options.crop <= 8,
          "--crop: " + std::to_string(options.crop) + ", expected 0 to 8 pixels");
  require(options.threads >= 1 && options.threads <= 256,
          "--threads: " + std::to_string(options.threads) + ", expected 1 to 256");
  require(options.teacher_share >= 0 && options.teacher_share <= 1, "--teacher-share: expected 0 to 1");
}

TrainedGraph train_graph(const GraphTrainOptions& options, const ImageSet& images,
                         const FloatNetwork* teacher,
                         const std::function<void(const GraphProgress&)>& progress) {
  check(options);
  require(images.data.count >= 24, "the data set has " + std::to_string(images.data.count) +
                                       " images, expected 24 or more to train with");
  require(images.rows > 2 * options.crop && images.columns > 2 * options.crop,
          "--crop: " + std::to_string(options.crop) + ", expected less than half of an image");
  const int classes = options.graph.elements.back().outputs,
            most = *std::max_element(images.data.labels.begin(), images.data.labels.end());
  require(most < classes, "--graph: the last element has " + std::to_string(classes) +
                              " outputs, an image has the label " + std::to_string(most));
  if (teacher)
    check_teacher(*teacher, images, classes);
  const GraphPlan plan = plan_graph(options.graph, images.planes, images.rows, images.columns);
  keep_memory();
  at::set_num_threads(options.threads);
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  const int held = validation_count(images.data.count), count = images.data.count - held;
  const ImageSet validation = images.part(count, held);
  Judge judge(validation, plan);
  GraphModel model(plan, options.deltas, generator);
  const std::int64_t batch = std::min(options.batch, count), steps = count / batch;
  Optimizer optimizer(options.learning_rate, static_cast<int>(steps) * options.epochs);
  optimizer.add(model.weights(), options.weight_decay);
  optimizer.add(model.offsets_and_gains(), 0);
  if (!options.start.empty()) {
    const Safetensors file(read_file(options.start), options.start);
    check_format(file);
    load_state(model, file, false);
    model.fit();
  }
  Position position = load_checkpoint(options, model, optimizer);
  const int begun_at = position.epoch;
  require(begun_at <= options.epochs, options.checkpoint + ": has more epochs than --epochs");
  std::optional<Teacher> wise;
  if (teacher)
    wise.emplace(*teacher);
  const bool coded = options.deltas.code == Code::huffman;

  while (position.epoch < options.epochs) {
    const int epoch = ++position.epoch;
    const std::uint64_t seed = epoch_seed(options.seed, epoch);
    at::Generator order_generator = at::detail::createCPUGenerator(seed);
    Augmenter augmenter(images, options.crop, options.mirror, seed);
    const at::Tensor order = at::randperm(count, order_generator, at::kLong).contiguous();
    double loss_sum = 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t* chosen = order.data_ptr<std::int64_t>() + step * batch;
      const at::Tensor bytes = augmenter.batch(chosen, batch);
      at::Tensor targets = smoothed_targets(images, chosen, batch, classes, options.label_smoothing);
      if (wise)
        targets.mul_(1 - options.teacher_share).add_(wise->opinion(bytes), options.teacher_share);
      const at::Tensor output = model.forward(bytes, true).log_softmax(1);
      const at::Tensor loss = (output * targets).sum() / -batch;
      optimizer.clear_gradients();
      loss.backward();
      const double rate = optimizer.step();
      if (coded)
        model.shrink_deltas(options.delta_penalty * rate);
      model.clip();
      if (step % refit_interval == 0)
        model.refit();
      loss_sum += loss.item<double>();
      if (progress && (step + 1) % 10 == 0 && step + 1 < steps)
        progress({epoch, options.epochs, begun_at, static_cast<double>(step + 1) / static_cast<double>(steps),
                  loss_sum / static_cast<double>(step + 1)});
    }
    require(std::isfinite(loss_sum), "training diverged in epoch " + std::to_string(epoch) +
                                         "; a smaller --learning-rate than " +
                                         shortest(options.learning_rate) + " would be right");
    Graph graph = model.fold(options.name);
    if (epoch == 1)
      validate(graph, options.name);
    const double right = judge.accuracy(graph);
    // Deltas shrink slowly: what did best before they have is not yet coded in few bits.
    const bool kept = right >= position.best_accuracy && (!coded || 4 * epoch > 3 * options.epochs);
    if (kept || position.best.nodes.empty()) {
      position.best_accuracy = kept ? right : -1;
      position.best = std::move(graph);
    }
    save_checkpoint(options, model, optimizer, position);
    if (progress)
      progress({epoch, options.epochs, begun_at, 1, loss_sum / static_cast<double>(steps), right,
                kept ? &position.best : nullptr});
  }
  TrainedGraph result;
  result.different = judge.different(model, model.fold(options.name));
  result.graph = std::move(position.best);
  result.validation_accuracy = position.best_accuracy;
  result.validation_images = judge.count();
  return result;
}

} // namespace deltatwin
