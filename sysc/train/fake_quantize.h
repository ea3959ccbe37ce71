#pragma once
#include "net/network.h"
#include "net/quantize.h"
#include <vector>

namespace deltatwin {

/// Rounds a layer's real weights to what its stored deltas decode to, on every step of training.
/// The same rule as quantize() of net/quantize.h, but fast enough for that: weights lie transposed,
/// [inputs][outputs], so that all neurons' running sums of a consecutive layer advance together.
///
///   FakeQuantizer quantizer(784, 150, format);
///   quantizer.fit(weights);                  // once
///   quantizer.quantize(weights, rounded);    // each step: rounded holds int8 values
///   quantizer.refit(weights, rounded);       // every few steps
///   const Layer layer = quantizer.encode(rounded);
class FakeQuantizer {
public:
  /// `format` as a layer has it: shift 0..7, block at most `inputs`.
  FakeQuantizer(int inputs, int outputs, const DeltaFormat& format);

  /// Chooses the scale with the least squared error among a geometric series of them.
  void fit(const float* weights);
  /// One least-squares step for the scale: the best one for the codes in `rounded`.
  void refit(const float* weights, const float* rounded);
  /// Sets the scale, instead of fitting it.
  void set_scale(float scale) { scale_ = scale; }
  /// Rounds all weights; `rounded` gets int8 values, in units of scale().
  void quantize(const float* weights, float* rounded);
  /// What one LSB of the int8 weights is worth.
  [[nodiscard]] float scale() const { return scale_; }
  /// Turns the gradient of the int8 weights into one of the real weights (straight through), and
  /// clears it where a saturated delta would be driven further outside.
  void pass_gradient(float* gradient) const;
  /// Moves each weight by `amount` towards a delta of 0, but not past it: towards its reference
  /// as of the last quantize(); consecutive: both it and the weight before towards each other.
  void shrink_deltas(float* weights, float amount) const;
  /// Stores the result of the last quantize() exactly.
  [[nodiscard]] Layer encode(const float* rounded) const;

private:
  void choose_references(const float* weights);
  void round_block(int block, const float* weights, float* rounded);

  int inputs_, outputs_;
  DeltaFormat format_;
  int block_length_, blocks_; ///< inputs that share a reference, and how many such blocks
  float scale_ = 1;
  std::vector<float> references_; ///< [blocks][outputs], int8 values, 0 for plain
  std::vector<float> low_, high_; ///< [outputs], running deltas that keep a weight in int8
  std::vector<float> running_;    ///< [outputs], the running delta of a consecutive layer
  std::vector<float> excess_;     ///< [inputs][outputs], how far a weight is outside its deltas' reach
  std::vector<double> sums_;      ///< [outputs], scratch
};

} // namespace deltatwin
