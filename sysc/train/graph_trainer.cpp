#include "train/graph_trainer.h"
#include "base/error.h"
#include "base/text.h"
#include "net/argmax.h"
#include "net/graph_inference.h"
#include "net/input_set.h"
#include "train/augmenter.h"
#include "train/checkpoint.h"
#include "train/float_model.h"
#include "train/graph_model.h"
#include "train/optimizer.h"
#include <algorithm>
#include <cmath>
#include <optional>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace deltatwin {
namespace {

constexpr int evaluation_batch = 250;

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
  require(graph.branch_bits >= 2 && graph.branch_bits <= 8,
          "--branch-bits: " + std::to_string(graph.branch_bits) + ", expected 2 to 8");
  require(graph.multiplier_bits >= 2 && graph.multiplier_bits <= 31,
          "--multiplier-bits: " + std::to_string(graph.multiplier_bits) + ", expected 2 to 31");
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
  require(options.tile_penalty >= 0 && options.tile_penalty <= 10, "--tile-penalty: expected 0 to 10");
  require(options.tile_penalty == 0 || options.deltas.reference == DeltaTraining::Reference::zero,
          "--tile-penalty: takes --reference zero, with which deltas of 0 are weights of 0");
}

void check_images(const GraphTrainOptions& options, const ImageSet& images) {
  require(images.data.count >= 24, "the data set has " + std::to_string(images.data.count) +
                                       " images, expected 24 or more to train with");
  require(images.rows > 2 * options.crop && images.columns > 2 * options.crop,
          "--crop: " + std::to_string(options.crop) + ", expected less than half of an image");
  const int classes = options.graph.elements.back().outputs,
            most = *std::max_element(images.data.labels.begin(), images.data.labels.end());
  require(most < classes, "--graph: the last element has " + std::to_string(classes) +
                              " outputs, an image has the label " + std::to_string(most));
}

class GraphTraining {
public:
  GraphTraining(const GraphTrainOptions& options, const ImageSet& images, const FloatNetwork* teacher)
      : options_(options), images_(images), classes_(options.graph.elements.back().outputs),
        held_(validation_count(images.data.count)), count_(images.data.count - held_),
        batch_(std::min(options.batch, count_)), steps_(count_ / batch_),
        plan_(plan_graph(options.graph, images.planes, images.rows, images.columns)),
        validation_(images.part(count_, held_)), judge_(validation_, plan_),
        generator_(at::detail::createCPUGenerator(options.seed)), model_(plan_, options.deltas, generator_),
        optimizer_(options.learning_rate, static_cast<int>(steps_) * options.epochs) {
    if (teacher)
      teacher_.emplace(*teacher);
    optimizer_.add(model_.weights(), options.weight_decay);
    optimizer_.add(model_.offsets_and_gains(), 0);
    if (!options.start.empty())
      start_from_checkpoint(options.start, model_);
    if (!options.checkpoint.empty())
      position_ = load_checkpoint(options.checkpoint, options.identity, model_, optimizer_);
    require(position_.epoch <= options.epochs, options.checkpoint + ": has more epochs than --epochs");
    begun_at_ = position_.epoch;
    const auto has_tiles = [&](const PlannedStep& step) {
      return tiles_of(plan_, step, options.tile).has_value();
    };
    require(options.tile_penalty == 0 || std::any_of(plan_.steps.begin(), plan_.steps.end(), has_tiles),
            "--tile-penalty: no convolution has several tiles of weights, of " +
                std::to_string(options.tile.outputs) + " outputs by " +
                std::to_string(options.tile.channels) + " channels, that could be zero");
  }

  TrainedGraph run(const std::function<void(const GraphProgress&)>& progress) {
    while (position_.epoch < options_.epochs) {
      ++position_.epoch;
      const double loss = train_epoch(progress);
      double right = 0;
      const bool kept = judge_epoch(right);
      if (!options_.checkpoint.empty())
        save_checkpoint(options_.checkpoint, options_.identity, model_, optimizer_, position_);
      if (progress)
        progress(
            {position_.epoch, options_.epochs, begun_at_, 1, loss, right, kept ? &position_.best : nullptr});
    }
    TrainedGraph result;
    result.different = judge_.different(model_, model_.fold(options_.name));
    result.graph = std::move(position_.best);
    count_tiles(result);
    result.validation_accuracy = position_.best_accuracy;
    result.validation_images = held_;
    return result;
  }

private:
  [[nodiscard]] bool coded() const { return options_.deltas.code == Code::huffman; }
  [[nodiscard]] bool shrinks() const { return coded() || options_.tile_penalty > 0; }

  // A node is a step's.
  void count_tiles(TrainedGraph& result) const {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      if (const std::optional<WeightTiles> tiles = tiles_of(plan_, plan_.steps[s], options_.tile)) {
        result.tiles += tiles->count();
        result.zero_tiles += tiles->zeros(std::get<Convolution>(result.graph.nodes[s].op).weights);
      }
  }

  // Mean loss over the epoch's steps.
  double train_epoch(const std::function<void(const GraphProgress&)>& progress) {
    const std::uint64_t seed = epoch_seed(options_.seed, position_.epoch);
    at::Generator generator = at::detail::createCPUGenerator(seed);
    Augmenter augmenter(images_, options_.crop, options_.mirror, seed);
    const at::Tensor order = at::randperm(count_, generator, at::kLong).contiguous();
    double sum = 0;
    for (std::int64_t step = 0; step < steps_; ++step) {
      sum += train_step(augmenter, order.data_ptr<std::int64_t>() + step * batch_);
      if (progress && (step + 1) % 10 == 0 && step + 1 < steps_)
        progress({position_.epoch, options_.epochs, begun_at_,
                  static_cast<double>(step + 1) / static_cast<double>(steps_),
                  sum / static_cast<double>(step + 1)});
    }
    require(std::isfinite(sum), "training diverged in epoch " + std::to_string(position_.epoch) +
                                    "; a smaller --learning-rate than " + shortest(options_.learning_rate) +
                                    " would be right");
    return sum / static_cast<double>(steps_);
  }

  double train_step(Augmenter& augmenter, const std::int64_t* chosen) {
    const at::Tensor bytes = augmenter.batch(chosen, batch_);
    at::Tensor targets = smoothed_targets(images_, chosen, batch_, classes_, options_.label_smoothing);
    if (teacher_)
      targets.mul_(1 - options_.teacher_share).add_(teacher_->opinion(bytes), options_.teacher_share);
    const at::Tensor output = model_.forward(bytes, true).log_softmax(1);
    const at::Tensor loss = (output * targets).sum() / -batch_;
    optimizer_.clear_gradients();
    loss.backward();
    const double rate = optimizer_.step();
    if (coded())
      model_.shrink_deltas(options_.delta_penalty * rate);
    if (options_.tile_penalty > 0)
      model_.shrink_tiles(options_.tile_penalty * rate, options_.tile);
    model_.clip();
    model_.refit();
    return loss.item<double>();
  }

  // Whether the network as it is now is the best so far.
  bool judge_epoch(double& right) {
    Graph graph = model_.fold(options_.name);
    if (position_.epoch == 1)
      validate(graph, options_.name);
    right = judge_.accuracy(graph);
    // They shrink slowly: what did best before they have is not yet of few bits, or tiles.
    const bool kept =
        right >= position_.best_accuracy && (!shrinks() || 4 * position_.epoch > 3 * options_.epochs);
    if (kept || position_.best.nodes.empty()) {
      position_.best_accuracy = kept ? right : -1;
      position_.best = std::move(graph);
    }
    return kept;
  }

  const GraphTrainOptions& options_;
  const ImageSet& images_;
  int classes_, held_, count_;
  std::int64_t batch_, steps_;
  GraphPlan plan_;
  ImageSet validation_;
  Judge judge_;
  at::Generator generator_;
  GraphModel model_;
  Optimizer optimizer_;
  std::optional<Teacher> teacher_;
  TrainingPosition position_;
  int begun_at_ = 0;
};

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
  check_images(options, images);
  if (teacher)
    check_teacher(*teacher, images, options.graph.elements.back().outputs);
  keep_memory();
  at::set_num_threads(options.threads);
  return GraphTraining(options, images, teacher).run(progress);
}

} // namespace deltatwin
