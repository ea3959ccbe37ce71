#pragma once
#include "net/float_network.h"
#include "net/graph.h"
#include "net/image_set.h"
#include "train/graph_plan.h"
#include "train/weight_quantizer.h"
#include "train/weight_tiles.h"
#include <functional>
#include <string>

namespace deltatwin {

/// Which convolution network to train, and how.
struct GraphTrainOptions {
  std::string name = "network";
  GraphOptions graph;
  DeltaTraining deltas;
  double delta_penalty = 0.3;   ///< with a Huffman code: weights move this * learning rate * step a step
  double tile_penalty = 0;      ///< tiles of weights shrink by this * learning rate * root(n) a step
  TileSize tile;                ///< of n weights
  int epochs = 40;              ///< passes over the training images
  int batch = 128;              ///< images a step
  double learning_rate = 2e-3;  ///< Adam's, after the warm-up; a cosine takes it to 0
  double weight_decay = 0.05;   ///< decoupled, a step: learning rate * this * weight
  double label_smoothing = 0.1; ///< share of a label that is spread over all classes
  int crop = 0;                 ///< images are moved by up to so many pixels in each direction
  bool mirror = false;          ///< half of the images are mirrored
  unsigned seed = 1;            ///< of the initial weights, the order of images and how they are moved
  int threads = 1;              ///< equal options give an equal network on one
  double teacher_share = 0.5;   ///< with a teacher: of the target that is its opinion; the rest is the label
  std::string checkpoint; ///< file: what is there goes on, and each epoch's end is written there; empty: none
  std::string start;      ///< checkpoint of a network of the same shapes to begin with; empty: none
  std::string identity;   ///< a checkpoint of another text is none of this training
};

struct GraphProgress {
  int epoch = 0, epochs = 0;
  int begun_at = 0; ///< epochs that a checkpoint had done
  double share = 0; ///< of the epoch that is done
  double loss = 0;  ///< mean over the epoch's steps so far
  /// Behind a whole epoch: of the integer network on the validation images, and that network, if it is the
  /// best so far; else 0 and null.
  double validation_accuracy = 0;
  const Graph* best = nullptr;
};

struct TrainedGraph {
  Graph graph; ///< of the epoch that did best on the validation images
  double validation_accuracy = 0;
  int validation_images = 0;
  /// Of the network as it is at the end of training: on how many validation images the model that was trained
  /// says another class than its integers do.
  int different = 0;
  int tiles = 0, zero_tiles = 0; ///< of its convolutions, that could be left out; whose weights are all 0
};

/// Throws InputError that names the first impossible option.
void check(const GraphTrainOptions& options);
/// The shift of deltas that suits a reference, where none is given.
[[nodiscard]] int default_graph_shift(DeltaTraining::Reference reference);

/// Trains on all images but the last validation_count(). `teacher`: a float network of images of that size
/// and as many classes, or null.
[[nodiscard]] TrainedGraph train_graph(const GraphTrainOptions& options, const ImageSet& images,
                                       const FloatNetwork* teacher,
                                       const std::function<void(const GraphProgress&)>& progress);

} // namespace deltatwin
