#pragma once
#include "train/graph_kernels.h"
#include "train/graph_plan.h"
#include <torch/torch.h>
#include <vector>

namespace deltatwin {

/// A batch normalization and an activation. With the activation's steps it makes, by channel, one factor, one
/// integer that is added before it, and a clamp, as hardware computes: y = clamp((sum + bias) * factor,
/// rounded half up, low, high). Binary activations are 1 where sum + bias is not negative, else -1.
class Normalization {
public:
  /// `one_scale`: one gain and one variance for all channels. `only_shifts`: factors are powers of two of at
  /// most 1; else they have `factor_bits` significant bits.
  Normalization(int channels, const PlannedTensor& result, bool one_scale, bool only_shifts, int factor_bits);

  /// Sums, [images][channels][rows][columns], to activations by their own statistics, which enter the running
  /// ones. Gradients pass the rounding straight through; this must live until they have.
  [[nodiscard]] at::Tensor train(const at::Tensor& sums);
  /// By the running statistics.
  [[nodiscard]] at::Tensor run(const at::Tensor& sums);

  struct Scale {
    double factor, bias; ///< bias: a whole number
  };
  /// By the running statistics.
  [[nodiscard]] std::vector<Scale> scales() const;

  /// Trained: gain by channel, or one, and offset by channel, both in deviations of a sum.
  at::Tensor gain, offset;
  /// Running, of the sums: by channel.
  at::Tensor mean, variance;
  static constexpr float least_gain = 0.01F; ///< multipliers are not negative

private:
  friend struct NormalizeFunction;
  [[nodiscard]] Scale scale(std::size_t channel, double sum_mean, double sum_variance) const;
  void measure(const float* sums, std::int64_t pixels);
  void set(std::size_t channel, const Scale& scale);
  [[nodiscard]] SumScaling scaling() const;
  at::Tensor scaled(const at::Tensor& sums) const;

  int channels_;
  bool one_scale_, shift_only_;
  int factor_bits_;
  double unit_;
  int low_, high_;
  bool bipolar_;
  std::vector<float> factor_, bias_;     ///< by channel, of the batch or running
  std::vector<float> batch_mean_;        ///< of sums
  std::vector<double> inverse_variance_; ///< of the batch
};

/// a * a_factor + b * b_factor, rounded half up and clamped to 0..high; gradients pass straight through.
[[nodiscard]] at::Tensor sum_of_maps(const at::Tensor& a, const at::Tensor& b, double a_factor,
                                     double b_factor, int high);

} // namespace deltatwin
