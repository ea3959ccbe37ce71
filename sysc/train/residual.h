#pragma once
#include "net/float_network.h"
#include "net/image_set.h"
#include <functional>
#include <string>

namespace deltatwin {

/// Which residual network in float32 to train, and how. He et al. 2016, section 4.2: a 3x3 convolution,
/// three stages of n blocks of two 3x3 convolutions, the first of stages 2 and 3 with stride 2 and a
/// padded shortcut and twice the channels, the average over all pixels, a dense layer.
struct ResidualOptions {
  std::string name = "resnet";
  int depth = 8;                ///< 6n + 2 layers with weights
  int width = 16;               ///< channels of the first stage
  int epochs = 20;              ///< passes over the training images
  int batch = 128;              ///< images a step
  double learning_rate = 0.2;   ///< of stochastic descent with Nesterov's momentum, at its highest
  double weight_decay = 5e-4;   ///< added to the gradient
  double label_smoothing = 0.1; ///< share of a label that is spread over all classes
  int crop = 4;                 ///< images are moved by up to so many pixels in each direction
  bool mirror = true;           ///< half of the images are mirrored
  unsigned seed = 1;            ///< of the initial weights, the order of images and how they are moved
};

struct ResidualProgress {
  int epoch = 0, epochs = 0;
  double share = 0; ///< of the epoch that is done
  double loss = 0;  ///< mean over the epoch's steps so far
  /// Behind a whole epoch: of the network on the validation images, and the network, if it is the best so
  /// far; else 0 and null.
  double validation_accuracy = 0;
  const FloatNetwork* best = nullptr;
};

/// Throws InputError that names the first impossible option.
void check(const ResidualOptions& options);

/// Trains on all images but the last validation_count(), and returns the network of the epoch that does
/// best on those, its batch normalization folded. Runs on one thread; equal options and images give an
/// equal network.
[[nodiscard]] FloatNetwork train_residual(const ResidualOptions& options, const ImageSet& images,
                                          const std::function<void(const ResidualProgress&)>& progress);

} // namespace deltatwin
