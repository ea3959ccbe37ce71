#include "train/weight_quantizer.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr float coded_step = 1.0F / 16; ///< of a delta under a Huffman code: fitted, it would fill all codes
// Weights of few bits that could not leave the outermost integers outwards would shrink, and their scale too.
constexpr float margin = 1;
constexpr int trials = 24;
constexpr float between_trials = 0.85F;

} // namespace

WeightQuantizer::WeightQuantizer(int outputs, int inputs, const WeightFormat& format,
                                 const DeltaTraining& deltas, bool one_scale)
    : outputs_(outputs), inputs_(inputs), format_(format), deltas_(deltas),
      coded_(format.kind == WeightFormat::Kind::delta && deltas.code == Code::huffman),
      by_mean_(format.kind == WeightFormat::Kind::delta &&
               deltas.reference == DeltaTraining::Reference::mean) {
  if (format.kind != WeightFormat::Kind::delta)
    deltas_ = {};
  // A reference is of the layer: then its integers are worth the same in all outputs.
  scales_.assign(one_scale || coded_ || by_mean_ ? 1 : static_cast<std::size_t>(outputs), 1.0F);
  if (coded_)
    scales_[0] = std::ldexp(coded_step, -deltas_.shift);
}

WeightGrid WeightQuantizer::grid(int output) const {
  const auto reach = static_cast<float>(1 << (format_.bits - 1));
  const bool narrow = format_.kind == WeightFormat::Kind::narrow;
  return {scales_[scale_of(output)],   reference_, static_cast<float>(1 << deltas_.shift),
          narrow ? 1 - reach : -reach, reach - 1,  coded_ ? 0 : margin};
}

void WeightQuantizer::choose_reference(const float* weights) {
  if (!by_mean_)
    return;
  double sum = 0;
  const std::int64_t count = std::int64_t{outputs_} * inputs_;
  for (std::int64_t i = 0; i < count; ++i)
    sum += static_cast<double>(weights[i]);
  // No weight leaves int8, whatever its delta.
  const double mean = sum / (static_cast<double>(count) * static_cast<double>(scales_[0]));
  const int step = 1 << deltas_.shift, low = -128 - lowest_delta(format_.bits) * step,
            high = 127 - highest_delta(format_.bits) * step;
  reference_ =
      static_cast<float>(std::clamp(std::round(mean), static_cast<double>(low), static_cast<double>(high)));
}

void WeightQuantizer::quantize(const float* weights, float* rounded) {
  choose_reference(weights);
  for (int o = 0; o < outputs_; ++o, weights += inputs_, rounded += inputs_)
    if (format_.kind == WeightFormat::Kind::binary)
      sign_weights(weights, inputs_, rounded);
    else
      round_weights(grid(o), weights, inputs_, rounded);
}

void WeightQuantizer::fit(const float* weights) {
  if (coded_ || format_.kind == WeightFormat::Kind::binary)
    return;
  const auto inputs = static_cast<std::size_t>(inputs_);
  const std::size_t rows = scales_.size() == 1 ? static_cast<std::size_t>(outputs_) : 1;
  std::vector<float> rounded(inputs * rows);
  for (std::size_t s = 0; s < scales_.size(); ++s) {
    const float* const own = weights + s * inputs;
    float largest = 0;
    for (std::size_t i = 0; i < rounded.size(); ++i)
      largest = std::max(largest, std::abs(own[i]));
    const float reach = std::ldexp(1.0F, format_.bits - 1 + deltas_.shift);
    float candidate = largest > 0 ? 1.3F * largest / reach : 1.0F, best = candidate;
    double best_error = -1;
    for (int trial = 0; trial < trials; ++trial, candidate *= between_trials) {
      scales_[s] = candidate;
      if (by_mean_)
        choose_reference(own);
      for (std::size_t r = 0; r < rows; ++r)
        round_weights(grid(static_cast<int>(s)), own + r * inputs, inputs_, &rounded[r * inputs]);
      double error = 0;
      for (std::size_t i = 0; i < rounded.size(); ++i) {
        const auto difference = static_cast<double>(own[i] - candidate * rounded[i]);
        error += difference * difference;
      }
      if (best_error < 0 || error < best_error) {
        best_error = error;
        best = candidate;
      }
    }
    scales_[s] = best;
  }
}

void WeightQuantizer::refit(const float* weights, const float* rounded) {
  if (coded_ || format_.kind == WeightFormat::Kind::binary)
    return;
  const auto inputs = static_cast<std::size_t>(inputs_);
  const std::size_t count = scales_.size() == 1 ? inputs * static_cast<std::size_t>(outputs_) : inputs;
  bool lost = false;
  for (std::size_t s = 0; s < scales_.size(); ++s) {
    double product = 0, square = 0;
    for (std::size_t i = s * count; i < (s + 1) * count; ++i) {
      product += static_cast<double>(weights[i] * rounded[i]);
      square += static_cast<double>(rounded[i] * rounded[i]);
    }
    if (product > 0)
      scales_[s] = static_cast<float>(product / square);
    else
      lost = true; // every integer is 0: the weights shrank under the scale
  }
  if (lost)
    fit(weights);
}

void WeightQuantizer::pass_gradient(const float* weights, float* gradient) const {
  for (int o = 0; o < outputs_; ++o, weights += inputs_, gradient += inputs_)
    if (format_.kind != WeightFormat::Kind::binary)
      pass_to_weights(grid(o), weights, inputs_, gradient);
}

void WeightQuantizer::shrink_deltas(float* weights, double share) const {
  if (!coded_)
    return;
  const float unit = scales_[0];
  pull_weights(reference_ * unit, static_cast<float>(share) * unit * static_cast<float>(1 << deltas_.shift),
               outputs_ * inputs_, weights);
}

void WeightQuantizer::clip(float* weights) const {
  if (format_.kind == WeightFormat::Kind::binary)
    for (std::int64_t i = 0, count = std::int64_t{outputs_} * inputs_; i < count; ++i)
      weights[i] = std::clamp(weights[i], -1.0F, 1.0F);
}

std::optional<StoredDeltas> WeightQuantizer::stored() const {
  switch (format_.kind) {
  case WeightFormat::Kind::binary:
    return StoredDeltas{1, 1, {1}, Code::raw};
  case WeightFormat::Kind::delta:
    return StoredDeltas{format_.bits, deltas_.shift, {static_cast<int>(reference_)}, deltas_.code};
  case WeightFormat::Kind::narrow:
    break;
  }
  if (format_.bits == 8)
    return {};
  return StoredDeltas{format_.bits, 0, {0}, Code::raw};
}

} // namespace deltatwin
