#include "train/graph_kernels.h"
#include "base/clones.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace deltatwin {
namespace {

constexpr std::int64_t run = 64; ///< pixels whose sums are added in float

bool passes(float v, float low, float high) { return v >= low && v <= high; }

DELTATWIN_CLONES void moments_of_run(const float* __restrict values, std::int64_t pixels, int channels,
                                     const float* __restrict origin, float* __restrict sums,
                                     float* __restrict squares) {
  for (std::int64_t p = 0; p < pixels; ++p, values += channels)
    for (int c = 0; c < channels; ++c) {
      const float x = values[c] - origin[c];
      sums[c] += x;
      squares[c] += x * x;
    }
}

DELTATWIN_CLONES void gradients_of_run(const SumScaling& scaling, const float* __restrict values,
                                       const float* __restrict gradient, std::int64_t pixels, int channels,
                                       const float* __restrict mean, float* __restrict totals,
                                       float* __restrict products) {
  const float* __restrict factor = scaling.factor, * __restrict bias = scaling.bias, low = scaling.low,
                          high = scaling.high;
  for (std::int64_t p = 0; p < pixels; ++p, values += channels, gradient += channels)
    for (int c = 0; c < channels; ++c) {
      const float v = (values[c] + bias[c]) * factor[c];
      const float g = passes(v, low, high) ? gradient[c] : 0.0F;
      totals[c] += g;
      products[c] += g * (values[c] - mean[c]);
    }
}

DELTATWIN_CLONES void scale_all(const SumScaling& scaling, const float* __restrict values,
                                std::int64_t pixels, int channels, float* __restrict y) {
  const float* __restrict factor = scaling.factor, * __restrict bias = scaling.bias, low = scaling.low,
                          high = scaling.high;
  for (std::int64_t p = 0; p < pixels; ++p, values += channels, y += channels)
    for (int c = 0; c < channels; ++c) {
      const float v = __builtin_floorf((values[c] + bias[c]) * factor[c] + 0.5F);
      const float w = v < low ? low : v;
      y[c] = w > high ? high : w;
    }
}

DELTATWIN_CLONES void sign_all(const SumScaling& scaling, const float* __restrict values, std::int64_t pixels,
                               int channels, float* __restrict y) {
  const float* __restrict bias = scaling.bias;
  for (std::int64_t p = 0; p < pixels; ++p, values += channels, y += channels)
    for (int c = 0; c < channels; ++c)
      y[c] = values[c] + bias[c] >= 0 ? 1.0F : -1.0F;
}

DELTATWIN_CLONES void pass_all(const SumScaling& scaling, const float* __restrict values,
                               const float* __restrict gradient, std::int64_t pixels, int channels,
                               const float* __restrict mean, const float* __restrict level,
                               const float* __restrict slope, float* __restrict to) {
  const float* __restrict factor = scaling.factor, * __restrict bias = scaling.bias, low = scaling.low,
                          high = scaling.high;
  for (std::int64_t p = 0; p < pixels; ++p, values += channels, gradient += channels, to += channels)
    for (int c = 0; c < channels; ++c) {
      const float v = (values[c] + bias[c]) * factor[c];
      const float g = passes(v, low, high) ? gradient[c] : 0.0F;
      to[c] = factor[c] * (g - level[c] - (values[c] - mean[c]) * slope[c]);
    }
}

void flush(std::vector<float>& from, int channels, double* first, double* second) {
  for (int c = 0; c < channels; ++c) {
    first[c] += static_cast<double>(from[static_cast<std::size_t>(c)]);
    second[c] += static_cast<double>(from[static_cast<std::size_t>(channels + c)]);
  }
  std::fill(from.begin(), from.end(), 0.0F);
}

} // namespace

void add_moments(const float* values, std::int64_t pixels, int channels, const float* origin, double* sums,
                 double* squares) {
  std::vector<float> parts(2 * static_cast<std::size_t>(channels));
  for (std::int64_t p = 0; p < pixels; p += run) {
    moments_of_run(values + p * channels, std::min(run, pixels - p), channels, origin, parts.data(),
                   parts.data() + channels);
    flush(parts, channels, sums, squares);
  }
}

void scale_sums(const SumScaling& scaling, const float* sums, std::int64_t pixels, int channels, float* y) {
  if (scaling.bipolar)
    sign_all(scaling, sums, pixels, channels, y);
  else
    scale_all(scaling, sums, pixels, channels, y);
}

void add_gradient_moments(const SumScaling& scaling, const float* sums, const float* gradient,
                          std::int64_t pixels, int channels, const float* mean, double* totals,
                          double* products) {
  std::vector<float> parts(2 * static_cast<std::size_t>(channels));
  for (std::int64_t p = 0; p < pixels; p += run) {
    gradients_of_run(scaling, sums + p * channels, gradient + p * channels, std::min(run, pixels - p),
                     channels, mean, parts.data(), parts.data() + channels);
    flush(parts, channels, totals, products);
  }
}

void pass_to_sums(const SumScaling& scaling, const float* sums, const float* gradient, std::int64_t pixels,
                  int channels, const float* mean, const float* level, const float* slope, float* to) {
  pass_all(scaling, sums, gradient, pixels, channels, mean, level, slope, to);
}

DELTATWIN_CLONES void add_maps(const SumOfTwo& rule, const float* a, const float* b, std::int64_t count,
                               float* y) {
  const SumOfTwo r = rule;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = __builtin_floorf(a[i] * r.a_factor + b[i] * r.b_factor + 0.5F);
    const float w = v < r.low ? r.low : v;
    y[i] = w > r.high ? r.high : w;
  }
}

DELTATWIN_CLONES void pass_to_maps(const SumOfTwo& rule, const float* a, const float* b,
                                   const float* gradient, std::int64_t count, float* to_a, float* to_b) {
  const SumOfTwo r = rule;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = a[i] * r.a_factor + b[i] * r.b_factor;
    const float g = passes(v, r.low, r.high) ? gradient[i] : 0.0F;
    to_a[i] = g * r.a_factor;
    to_b[i] = g * r.b_factor;
  }
}

DELTATWIN_CLONES void round_weights(const WeightGrid& grid, const float* weights, int count, float* rounded) {
  const WeightGrid g = grid;
  const float factor = 1 / (g.scale * g.step), offset = g.reference / g.step;
  for (int i = 0; i < count; ++i) {
    const float d = __builtin_floorf(weights[i] * factor - offset + 0.5F);
    const float e = d < g.low ? g.low : d;
    rounded[i] = g.reference + (e > g.high ? g.high : e) * g.step;
  }
}

DELTATWIN_CLONES void pass_to_weights(const WeightGrid& grid, const float* weights, int count,
                                      float* gradient) {
  const WeightGrid g = grid;
  const float factor = 1 / (g.scale * g.step), offset = g.reference / g.step, unit = 1 / g.scale;
  for (int i = 0; i < count; ++i) {
    const float d = weights[i] * factor - offset;
    // Descent goes against the gradient.
    const bool outwards =
        (d > g.high + g.margin && gradient[i] < 0) || (d < g.low - g.margin && gradient[i] > 0);
    gradient[i] *= outwards ? 0.0F : unit;
  }
}

DELTATWIN_CLONES void sign_weights(const float* weights, int count, float* rounded) {
  for (int i = 0; i < count; ++i)
    rounded[i] = weights[i] >= 0 ? 1.0F : -1.0F;
}

DELTATWIN_CLONES void pull_weights(float center, float amount, int count, float* weights) {
  for (int i = 0; i < count; ++i) {
    const float d = weights[i] - center;
    const float less = d > amount ? d - amount : 0.0F, more = d < -amount ? d + amount : 0.0F;
    weights[i] = center + less + more;
  }
}

} // namespace deltatwin
