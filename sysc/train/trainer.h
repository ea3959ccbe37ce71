#pragma once
#include "net/dataset.h"
#include "net/network.h"
#include "net/quantize.h"
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

/// What to train and how; the defaults are the measured recipe.
struct TrainOptions {
  std::string name = "network";                 ///< the network's name
  std::vector<int> hidden = {150};              ///< outputs of each hidden layer, first to last
  Activation activation = Activation::hardtanh; ///< of the hidden layers: relu or hardtanh
  /// How weights are stored, in every layer (a block longer than a layer's inputs is cut to them).
  /// delta_bits 2..8; shift -1: default_shift(). int8 and int4 are Scheme::plain with 8 and 4 bits.
  DeltaFormat format = {Scheme::fixed_reference, 4, Group::layer, 0, -1};
  /// huffman: deltas are trained to be few and small, as a Huffman code then stores them in fewer bits;
  /// huffman_pairs: the same training, pairs of deltas are coded.
  Code code = Code::raw;
  double delta_penalty = 0.3;   ///< L1, with a Huffman code: weights move this * learning rate * step a step
  int epochs = 40;              ///< passes over the training images
  int batch = 128;              ///< images a step
  double learning_rate = 2e-3;  ///< Adam's, after the warm-up; a cosine takes it to 0
  double weight_decay = 0.1;    ///< decoupled, a step: learning rate * this * weight
  double label_smoothing = 0.1; ///< share of a label that is spread over all classes
  double input_dropout = 0.1;   ///< share of pixels that training makes black, anew in each step
  unsigned seed = 1;            ///< of the initial weights and of the order of images
  std::vector<int> teacher;     ///< hidden widths of a float network to distil from; empty: none
  /// Channels of the 3x3 convolutions, each with 2x2 pooling, before a teacher's hidden layers.
  std::vector<int> teacher_channels;
  double teacher_share = 0.5; ///< of the target that is the teachers' opinion; the rest is the label
  int teachers = 1;           ///< how many, differently initialized: their mean opinion is distilled
};

/// One epoch's result.
struct TrainProgress {
  int teacher = 0;                ///< of this teacher, 1..teachers, trained first; 0: of the network
  int epoch = 0;                  ///< 1..epochs
  int epochs = 0;                 ///< of this model; a teacher's are fewer than the network's
  double loss = 0;                ///< mean over the epoch's steps
  double validation_accuracy = 0; ///< of the integer network (of a teacher: the float network)
  double model_accuracy = 0;      ///< of the fake-quantized model on the same images
  double teachers_accuracy = 0;   ///< in a teacher's last epoch: of all so far, averaged; else 0
  double bits_a_weight = 0;       ///< of storage, with references and code books; of a teacher: 0
  bool kept = false;              ///< it is the network to return, so far
};

using TrainCallback = std::function<void(const TrainProgress&)>;

/// Step of the deltas, as a power of two of the weight's LSB, that trained best.
[[nodiscard]] int default_shift(Scheme scheme, int delta_bits, Code code = Code::raw);

/// Throws InputError that names the first impossible option and what would be right.
void check(const TrainOptions& options);

/// Trains with quantized weights and activations from the first step on. A twelfth of the images
/// (5,000 of 60,000) is kept for validation; the epoch's integer network that does best on it is
/// returned, with a Huffman code among the last quarter of epochs, as storage shrinks until then.
/// Runs on one thread; equal options and images give an equal network.
[[nodiscard]] Network train(const TrainOptions& options, const Dataset& images,
                            const TrainCallback& progress = {});

} // namespace deltatwin
