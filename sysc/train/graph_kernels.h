#pragma once
#include <cstdint>

namespace deltatwin {

/// Loops over maps that lie [pixels][channels], of which a part can be given: they are most of what a step of
/// training takes beside its convolutions.

/// What a layer's sums become, by channel: v = (sum + bias) * factor, y = clamp(v to the nearest, low, high),
/// or, bipolar, 1 where v is not negative, else -1. Gradients pass where low <= v <= high (bipolar: where v
/// is within 1 / unit of 0, in units of `window`).
struct SumScaling {
  const float* factor; ///< [channels]
  const float* bias;   ///< [channels]
  float low, high;
  bool bipolar;
};

/// Adds each channel's sum and sum of squares, of values less `origin`.
void add_moments(const float* values, std::int64_t pixels, int channels, const float* origin, double* sums,
                 double* squares);
void scale_sums(const SumScaling& scaling, const float* sums, std::int64_t pixels, int channels, float* y);
/// Of gradients that pass, adds each channel's sum, and the sum of their products with (sum - mean).
void add_gradient_moments(const SumScaling& scaling, const float* sums, const float* gradient,
                          std::int64_t pixels, int channels, const float* mean, double* totals,
                          double* products);
/// to = factor * (passing gradient - level - (sum - mean) * slope), each by channel.
void pass_to_sums(const SumScaling& scaling, const float* sums, const float* gradient, std::int64_t pixels,
                  int channels, const float* mean, const float* level, const float* slope, float* to);

/// y = clamp(a * a_factor + b * b_factor to the nearest, low, high), and its gradients.
struct SumOfTwo {
  float a_factor, b_factor, low, high;
};
void add_maps(const SumOfTwo& rule, const float* a, const float* b, std::int64_t count, float* y);
void pass_to_maps(const SumOfTwo& rule, const float* a, const float* b, const float* gradient,
                  std::int64_t count, float* to_a, float* to_b);

/// The nearest integers r + d * step of weights / scale, d from low to high; ties upwards.
struct WeightGrid {
  float scale, reference, step, low, high;
  float margin; ///< in integers: so far beyond low and high a weight may be driven
};
void round_weights(const WeightGrid& grid, const float* weights, int count, float* rounded);
/// Gradients of rounded weights to those of the weights: none where a weight is outside, and driven further.
void pass_to_weights(const WeightGrid& grid, const float* weights, int count, float* gradient);
void sign_weights(const float* weights, int count, float* rounded);
/// Moves each weight by `amount` towards `center`, but not past it.
void pull_weights(float center, float amount, int count, float* weights);

} // namespace deltatwin
