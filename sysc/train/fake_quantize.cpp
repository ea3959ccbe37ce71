#include "train/fake_quantize.h"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace deltatwin {
namespace {

// Rounds half up; |value| must be below 256. An offset and a truncation, as those vectorize.
float round_small(float value) { return static_cast<float>(static_cast<int>(value + 256.5f) - 256); }

// By value, unlike std::min and std::max, for the vectorizer's sake.
float larger(float a, float b) { return a > b ? a : b; }
float smaller(float a, float b) { return a < b ? a : b; }

float round_to_int8(double value) {
  return static_cast<float>(std::lround(std::clamp(value, -128.0, 127.0)));
}

struct Grid {
  float unit;            ///< int8 LSBs in a real weight of 1
  float step, per_step;  ///< int8 LSBs in a delta of 1, and the inverse
  float lowest, highest; ///< delta
};

// Rounds one input's weights of all neurons; all pointers are to [width].
template <bool consecutive>
void round_row(const Grid& grid, std::size_t width, const float* __restrict weights,
               const float* __restrict reference, const float* __restrict low, const float* __restrict high,
               float* __restrict running, float* __restrict rounded, float* __restrict excess) {
  const Grid g = grid;
  for (std::size_t o = 0; o < width; ++o) {
    const float wanted = (weights[o] * g.unit - reference[o]) * g.per_step;
    const float least = larger(running[o] + g.lowest, low[o]);
    const float most = smaller(running[o] + g.highest, high[o]);
    const float delta = round_small(smaller(larger(wanted, least), most));
    rounded[o] = reference[o] + g.step * delta;
    if constexpr (consecutive)
      running[o] = delta;
    else
      excess[o] = wanted - smaller(larger(wanted, least - 0.5f), most + 0.5f);
  }
}

// Pulls one input's weights of all neurons towards their references.
void pull(std::size_t width, float amount, float scale, const float* __restrict reference,
          float* __restrict weights) {
  for (std::size_t o = 0; o < width; ++o)
    weights[o] -= smaller(larger(weights[o] - scale * reference[o], -amount), amount);
}

// Pulls neighbours together.
void pull_together(std::size_t width, float amount, float* __restrict before, float* __restrict weights) {
  for (std::size_t o = 0; o < width; ++o) {
    const float pull = smaller(larger((weights[o] - before[o]) / 2, -amount), amount);
    weights[o] -= pull;
    before[o] += pull;
  }
}

} // namespace

FakeQuantizer::FakeQuantizer(int inputs, int outputs, const DeltaFormat& format)
    : inputs_(inputs), outputs_(outputs), format_(format),
      block_length_(format.group == Group::block ? format.block : inputs),
      blocks_((inputs + block_length_ - 1) / block_length_) {
  if (format_.scheme == Scheme::plain) {
    format_.shift = 0;
    block_length_ = inputs;
    blocks_ = 1;
  }
  const auto width = static_cast<std::size_t>(outputs);
  references_.resize(width * static_cast<std::size_t>(blocks_));
  low_.resize(width);
  high_.resize(width);
  running_.resize(width);
  sums_.resize(width);
  excess_.resize(width * static_cast<std::size_t>(inputs));
}

void FakeQuantizer::fit(const float* weights) {
  const std::size_t count = excess_.size();
  float largest = 0;
  for (std::size_t i = 0; i < count; ++i)
    largest = std::max(largest, std::abs(weights[i]));
  const float reach = std::ldexp(1.0f, format_.delta_bits - 1 + format_.shift);
  float candidate = largest > 0 ? 2 * largest / reach : 1.0f;
  float best_scale = candidate;
  double best_error = -1;
  std::vector<float> rounded(count);
  for (int trial = 0; trial < 20; ++trial, candidate *= 0.84f) {
    scale_ = candidate;
    quantize(weights, rounded.data());
    double error = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double difference = static_cast<double>(weights[i] - scale_ * rounded[i]);
      error += difference * difference;
    }
    if (best_error < 0 || error < best_error) {
      best_error = error;
      best_scale = candidate;
    }
  }
  scale_ = best_scale;
}

void FakeQuantizer::refit(const float* weights, const float* rounded) {
  double product = 0, square = 0;
  for (std::size_t i = 0; i < excess_.size(); ++i) {
    product += static_cast<double>(weights[i] * rounded[i]);
    square += static_cast<double>(rounded[i] * rounded[i]);
  }
  if (product > 0)
    scale_ = static_cast<float>(product / square);
  else
    fit(weights); // every code is 0: the weights shrank under the scale
}

void FakeQuantizer::choose_references(const float* weights) {
  if (format_.scheme == Scheme::plain)
    return;
  const auto width = static_cast<std::size_t>(outputs_);
  const double unit = 1 / static_cast<double>(scale_);
  const bool one = format_.group == Group::layer;
  for (int b = 0; b < blocks_; ++b) {
    const int from = b * block_length_;
    // The mean, but a neuron's or a block's chain starts at its first weight.
    const int length =
        format_.scheme == Scheme::consecutive && !one ? 1 : std::min(block_length_, inputs_ - from);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (int i = from; i < from + length; ++i)
      for (std::size_t o = 0; o < width; ++o)
        sums_[o] += static_cast<double>(weights[static_cast<std::size_t>(i) * width + o]);
    if (one)
      std::fill(sums_.begin(), sums_.end(), std::accumulate(sums_.begin(), sums_.end(), 0.0) / outputs_);
    for (std::size_t o = 0; o < width; ++o)
      references_[static_cast<std::size_t>(b) * width + o] = round_to_int8(sums_[o] / length * unit);
  }
}

void FakeQuantizer::round_block(int block, const float* weights, float* rounded) {
  const auto width = static_cast<std::size_t>(outputs_);
  const float step = std::ldexp(1.0f, format_.shift), reach = std::ldexp(1.0f, format_.delta_bits - 1);
  const Grid grid = {1 / scale_, step, 1 / step, -reach, reach - 1};
  const float* reference = &references_[static_cast<std::size_t>(block) * width];
  for (std::size_t o = 0; o < width; ++o) {
    low_[o] = std::max(std::ceil((-128 - reference[o]) * grid.per_step), -128.0f);
    high_[o] = std::min(std::floor((127 - reference[o]) * grid.per_step), 127.0f);
    running_[o] = 0;
  }
  const auto round = format_.scheme == Scheme::consecutive ? round_row<true> : round_row<false>;
  const int end = std::min((block + 1) * block_length_, inputs_);
  for (int i = block * block_length_; i < end; ++i) {
    const std::size_t row = static_cast<std::size_t>(i) * width;
    round(grid, width, weights + row, reference, low_.data(), high_.data(), running_.data(), rounded + row,
          &excess_[row]);
  }
}

void FakeQuantizer::quantize(const float* weights, float* rounded) {
  choose_references(weights);
  for (int b = 0; b < blocks_; ++b)
    round_block(b, weights, rounded);
}

void FakeQuantizer::pass_gradient(float* gradient) const {
  const float unit = 1 / scale_;
  const float* excess = excess_.data();
  for (std::size_t i = 0, count = excess_.size(); i < count; ++i)
    gradient[i] *= gradient[i] * excess[i] < 0 ? 0.0f : unit; // descent goes against the gradient
}

void FakeQuantizer::shrink_deltas(float* weights, float amount) const {
  const auto width = static_cast<std::size_t>(outputs_);
  for (int i = 0; i < inputs_; ++i) {
    float* row = weights + static_cast<std::size_t>(i) * width;
    if (format_.scheme != Scheme::consecutive)
      pull(width, amount, scale_, &references_[static_cast<std::size_t>(i / block_length_) * width], row);
    else if (i % block_length_ != 0)
      pull_together(width, amount, row - width, row);
  }
}

Layer FakeQuantizer::encode(const float* rounded) const {
  std::vector<std::int8_t> weights(excess_.size());
  for (int o = 0, at = 0; o < outputs_; ++o)
    for (int i = 0; i < inputs_; ++i, ++at)
      weights[static_cast<std::size_t>(at)] = static_cast<std::int8_t>(rounded[i * outputs_ + o]);
  std::vector<int> references;
  if (format_.scheme != Scheme::plain)
    for (int o = 0; o < (format_.group == Group::layer ? 1 : outputs_); ++o)
      for (int b = 0; b < blocks_; ++b)
        references.push_back(static_cast<int>(references_[static_cast<std::size_t>(b * outputs_ + o)]));
  return deltatwin::encode(inputs_, outputs_, weights, format_, references);
}

} // namespace deltatwin
