#pragma once
#include "net/network.h"
#include "net/quantize.h"
#include "train/fake_quantize.h"
#include <string>
#include <torch/torch.h>
#include <vector>

namespace deltatwin {

/// How a model's dense layers compute.
enum class Precision {
  real,     ///< float weights and activations: a teacher
  quantized ///< weights as their deltas decode, 8-bit activations
};

/// A multilayer perceptron under training: each dense layer is followed by a batch normalization
/// with a mean a neuron and one scale a layer (it folds into an integer requantizer), and an
/// activation but after the last. All values between layers are integers, as in the hardware: 128
/// stands for 1. Sums are exact in float up to 1,024 inputs.
class Model {
public:
  /// `widths`: inputs, hidden widths, outputs.
  Model(const std::vector<int>& widths, Activation activation, const DeltaFormat& format, Precision precision,
        at::Generator& generator);

  /// Logits [images, outputs] from pixels less 128, [images, inputs]. `training`: normalized by
  /// this batch's statistics, which also enter the running ones; otherwise by the running ones.
  [[nodiscard]] at::Tensor forward(const at::Tensor& inputs, bool training);
  /// Refits every layer's weight scale to its weights.
  void refit();
  /// Gives every layer's weights this scale, in place of a fitted one.
  void set_scale(double scale);
  /// Moves all real weights by `amount` towards deltas of 0.
  void shrink_deltas(double amount);

  [[nodiscard]] std::vector<at::Tensor> weights() const;
  [[nodiscard]] std::vector<at::Tensor> offsets_and_gains() const;
  /// The model as integers: exact weights, normalization folded into the requantizers.
  [[nodiscard]] std::vector<Layer> fold();

private:
  struct Dense {
    Dense(int in, int out, const DeltaFormat& layer_format)
        : inputs(in), outputs(out), quantizer(in, out, layer_format) {}
    int inputs, outputs;
    Activation activation = Activation::none;
    at::Tensor weights;        ///< [inputs, outputs], real
    at::Tensor rounded;        ///< [inputs, outputs], int8 values; real precision: the weights
    at::Tensor offset;         ///< [outputs], added after the normalization
    at::Tensor log_gain;       ///< scalar: the requantizer's multiplier must not be negative
    at::Tensor mean, variance; ///< running: [outputs] and scalar, of the sums
    FakeQuantizer quantizer;
  };
  [[nodiscard]] at::Tensor normalize(Dense& layer, const at::Tensor& sums, bool training) const;
  void round_weights(Dense& layer) const;

  Precision precision_;
  std::vector<Dense> layers_;
};

/// A float network of 3x3 convolutions, each followed by 2x2 max pooling, and then dense layers; a
/// batch normalization everywhere and ReLU but after the last layer. It cannot run on the
/// accelerator: it sees more in an image than a multilayer perceptron, and so is one to learn from.
/// Images and their mirror images are the same to it: it trains with both, and judges by both.
class ConvolutionalTeacher {
public:
  /// Images of side * side pixels; `channels`: of each convolution; `widths`: dense outputs, the
  /// last of them the classes. `side` must allow a halving a convolution.
  ConvolutionalTeacher(int side, const std::vector<int>& channels, const std::vector<int>& widths,
                       at::Generator& generator);

  /// As Model's.
  [[nodiscard]] at::Tensor forward(const at::Tensor& inputs, bool training);
  [[nodiscard]] std::vector<at::Tensor> weights() const;
  [[nodiscard]] std::vector<at::Tensor> offsets_and_gains() const;

private:
  struct Stage {
    bool pooled;             ///< 3x3 and pooled; otherwise a dense layer: a convolution as large as its input
    at::Tensor weights;      ///< [outputs, inputs, rows, columns]
    at::Tensor offset, gain; ///< [outputs], of the normalization
    at::Tensor mean, variance; ///< [outputs], running
  };
  void add_layer(int inputs, int outputs, int kernel, bool pooled, at::Generator& generator);
  [[nodiscard]] at::Tensor judge(const at::Tensor& images, bool training);

  int side_;
  std::vector<Stage> layers_;
};

/// The requantizer that computes unit * (gain * (sum - mean) / deviation + offset) a neuron, given
/// as slope * sum + intercept; the multiplier uses as many of its 16 bits as the shift allows.
[[nodiscard]] RequantizerParameters fold_requantizer(double slope, const std::vector<double>& intercepts);

} // namespace deltatwin
