#pragma once
#include "import/float_graph.h"
#include "import/value_range.h"
#include "net/graph.h"
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

/// How a float network becomes one of integers. Bits are 2 to 8.
struct PostTrainingOptions {
  RangeMethod range = RangeMethod::min_max; ///< of activations
  /// Of an output channel's weights; a percentile is min_max.
  RangeMethod weight_range = RangeMethod::min_max;
  double percentile = 99.99;
  int weight_bits = 8, activation_bits = 8;
  int first_weight_bits = 0, last_weight_bits = 0; ///< of the first and the last convolution; 0: weight_bits
  int input_bits = 8, output_bits = 8;             ///< of the network's input and output
  /// The mean error of each channel's sums on the calibration inputs goes into its bias, node by node: what
  /// earlier nodes do, with theirs corrected, counts, too.
  bool recalibrates_biases = false;

  void check() const; ///< throws InputError
};

/// What inputs are before they are integers.
struct GivenInputs {
  int count = 0;
  std::vector<float> values; ///< [count][elements of the input tensor], in its order, not normalized
  double byte_step = 0;      ///< they were bytes b: b * byte_step; 0: they were real numbers
};

struct TensorReport {
  ValueRange seen, chosen;
  double signal_to_noise = 0; ///< in dB, on the calibration inputs; infinite: no error
};
struct ChannelReport {
  double weight_scale = 0;
  double correction = 0; ///< of the bias, in real units, by recalibration
};

struct PostTrained {
  Graph graph;
  std::vector<TensorReport> tensors;                ///< as graph.tensors
  std::vector<std::vector<ChannelReport>> channels; ///< of each node that is a convolution
  double input_zero = 0; ///< the given number that the input's zero point stands for
};

/// Quantizes: activations from the lowest to the highest value that is covered, 0 among them, in equal steps;
/// weights of each output channel symmetric; biases in 32 bits; ties to even. Bytes enter less 128 (with
/// fewer bits than 8 they are divided). A bias beyond 30 bits makes its channel's weights coarser. Calls
/// `progress` with shares of the work, 0 to 1.
[[nodiscard]] PostTrained quantize_after_training(const FloatGraph& network, const GivenInputs& calibration,
                                                  const PostTrainingOptions& options,
                                                  const std::function<void(double)>& progress = {});

/// Inputs as the integer network takes them.
[[nodiscard]] std::vector<std::int32_t> integers_of(const PostTrained& quantized, const float* given);

} // namespace deltatwin
