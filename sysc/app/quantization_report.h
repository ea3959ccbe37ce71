#pragma once
#include "import/post_training.h"
#include <boost/json.hpp>
#include <string>
#include <vector>

namespace deltatwin {

/// Float and integer network side by side on the same inputs.
struct Judgement {
  int inputs = 0;
  bool has_labels = false;
  int right_float = 0, right_integer = 0, same = 0; ///< largest outputs: at the label, and at one place
  double signal_to_noise = 0;                       ///< of the outputs, in dB
};
[[nodiscard]] Judgement judge(const FloatGraph& network, const PostTrained& quantized,
                              const GivenInputs& inputs, const std::vector<int>& labels);
[[nodiscard]] std::string to_text(const Judgement& judgement, const std::string& integer_name);

/// A line a node: ranges, scales, and how far integers are from real numbers.
void print_layers(const PostTrained& quantized);

/// Writes into a directory: weights.csv, scales.csv (scales and zero points of tensors, and weights' of each
/// output channel) and biases.csv.
void write_quantization_tables(const PostTrained& quantized, const std::string& directory);

[[nodiscard]] boost::json::array layers_to_json(const PostTrained& quantized);
[[nodiscard]] boost::json::object to_json(const Judgement& judgement);

} // namespace deltatwin
