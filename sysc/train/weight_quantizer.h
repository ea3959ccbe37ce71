#pragma once
#include "net/operators.h"
#include "train/graph_kernels.h"
#include "train/graph_plan.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// How deltas are trained, of all layers that have them.
struct DeltaTraining {
  enum class Reference {
    zero, ///< deltas are the weights themselves
    mean  ///< of the layer's weights, rounded
  };
  Reference reference = Reference::zero;
  int shift = 0;         ///< a delta's step is 2^shift; with reference zero it only names the integers
  Code code = Code::raw; ///< huffman: a fixed step of 1/16 in place of a fitted one, and a pull towards 0
};

/// Rounds a layer's real weights, [outputs][inputs], to integers that its format holds.
///
///   WeightQuantizer quantizer(outputs, inputs, format, deltas, one_scale);
///   quantizer.fit(weights);                 // once
///   quantizer.quantize(weights, rounded);   // each step
///   quantizer.refit(weights, rounded);      // every few steps
class WeightQuantizer {
public:
  /// `one_scale`: for all outputs. Else each has its own, which its normalization takes up.
  WeightQuantizer(int outputs, int inputs, const WeightFormat& format, const DeltaTraining& deltas,
                  bool one_scale);

  /// Chooses scales with the least squared error among geometric series of them.
  void fit(const float* weights);
  /// One least-squares step for the scales: the best ones for the integers in `rounded`.
  void refit(const float* weights, const float* rounded);
  void quantize(const float* weights, float* rounded);
  /// Turns the gradient of the integers into one of the real weights, in place (straight through).
  void pass_gradient(const float* weights, float* gradient) const;
  /// Moves each weight by `share` of a delta's step towards a delta of 0: of deltas with a Huffman code only.
  void shrink_deltas(float* weights, double share) const;
  /// Keeps weights where gradients pass.
  void clip(float* weights) const;

  [[nodiscard]] bool is_coded() const { return coded_; }
  /// As a file has it, of the last quantize(); nothing where integers are stored as they are.
  [[nodiscard]] std::optional<StoredDeltas> stored() const;
  /// What the state is: one scale, or one an output.
  [[nodiscard]] std::vector<float>& scales() { return scales_; }

private:
  [[nodiscard]] WeightGrid grid(int output) const;
  void choose_reference(const float* weights);
  [[nodiscard]] std::size_t scale_of(int output) const {
    return scales_.size() == 1 ? 0 : static_cast<std::size_t>(output);
  }

  int outputs_, inputs_;
  WeightFormat format_;
  DeltaTraining deltas_;
  bool coded_, by_mean_;
  float reference_ = 0;
  std::vector<float> scales_;
};

} // namespace deltatwin
