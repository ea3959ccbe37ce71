#include "base/clones.h"
#include "net/inference_steps.h"
#include <algorithm>
#include <cstring>

namespace deltatwin {
namespace {

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// A map with its padding of zeros, of some of its channels.
class PaddedMap {
public:
  PaddedMap(const Window& window, const Tensor& in, int channels, int padded_channels)
      : rows_(in.shape[0]), columns_(in.shape[1]), all_channels_(in.shape[2]), channels_(channels),
        step_(padded_channels), top_(window.top), left_(window.left),
        row_step_((in.shape[1] + window.left + window.right) * std::ptrdiff_t{padded_channels}),
        values_(static_cast<std::size_t>((in.shape[0] + window.top + window.bottom) * row_step_)),
        copies_(window.top || window.left || window.bottom || window.right || channels != all_channels_ ||
                channels != padded_channels) {}

  /// Whether the map as it is will not do.
  [[nodiscard]] bool copies() const { return copies_; }
  [[nodiscard]] std::ptrdiff_t row_step() const { return row_step_; }
  /// Channels from `first` on.
  const std::int16_t* fill(const std::int16_t* x, int first) {
    if (!copies_)
      return x;
    for (int r = 0; r < rows_; ++r) {
      std::int16_t* to =
          &values_[static_cast<std::size_t>((r + top_) * row_step_ + std::ptrdiff_t{left_} * step_)];
      const std::int16_t* from = x + std::ptrdiff_t{r} * columns_ * all_channels_ + first;
      if (channels_ == all_channels_ && channels_ == step_)
        std::memcpy(to, from,
                    sizeof *to * static_cast<std::size_t>(columns_) * static_cast<std::size_t>(step_));
      else
        for (int c = 0; c < columns_; ++c, to += step_, from += all_channels_)
          std::copy_n(from, channels_, to);
    }
    return values_.data();
  }

private:
  int rows_, columns_, all_channels_, channels_, step_, top_, left_;
  std::ptrdiff_t row_step_;
  std::vector<std::int16_t> values_;
  bool copies_;
};

// Every group by the tiles of the kernel.
class WholeStep : public GraphInference::Step {
public:
  WholeStep(const Convolution& convolution, const Tensor& in, const Tensor& out,
            const ConvolutionKernels& kernels)
      : kernels_(kernels), window_(convolution.window), groups_(convolution.groups),
        inputs_(in.shape[2] / groups_), outputs_(convolution.outputs / groups_),
        blocks_(round_up(outputs_, kernel_channels) / kernel_channels), rows_(out.shape[0]),
        columns_(out.shape[1]), padded_inputs_(round_up(inputs_, 2)),
        map_(window_, in, inputs_, padded_inputs_) {
    const bool dot = window_.rows == 1 && window_.columns == 1 && window_.row_stride == 1 &&
                     window_.column_stride == 1 && window_.top == 0 && window_.left == 0 &&
                     window_.bottom == 0 && window_.right == 0;
    if (dot) { // pixels of all rows are as one row's
      columns_ *= rows_;
      rows_ = 1;
    }
    pairs_ = window_.columns * padded_inputs_ / 2;
    pack(convolution);
    sums_.resize(static_cast<std::size_t>(columns_ * blocks_) * kernel_channels);
    for (int g = 0; g < groups_; ++g) {
      Requantization part = convolution.requantization;
      const auto cut = [&](auto& values, int each) {
        values = {values.begin() + std::ptrdiff_t{g} * outputs_ * each,
                  values.begin() + std::ptrdiff_t{g + 1} * outputs_ * each};
      };
      if (part.multipliers.size() > 1) {
        cut(part.multipliers, 1);
        cut(part.shifts, 1);
      }
      if (const int steps = part.high - part.low; part.thresholds.size() > static_cast<std::size_t>(steps))
        cut(part.thresholds, steps);
      requantizers_.emplace_back(part, outputs_, out.format, out.format.zero_point,
                                 &kernels == &convolution_kernels().back());
    }
  }

  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    const int all = outputs_ * groups_, step = blocks_ * kernel_channels;
    for (int g = 0; g < groups_; ++g) {
      const std::int16_t* x = map_.fill(a, g * inputs_);
      for (int r = 0; r < rows_; ++r) {
        const std::int16_t* row = x + std::ptrdiff_t{r} * window_.row_stride * map_.row_step();
        sums_of_row(row, g);
        requantizers_[static_cast<std::size_t>(g)].run(
            sums_.data(), &bias_[static_cast<std::size_t>(g * step)], columns_, step,
            y + std::ptrdiff_t{r} * columns_ * all + std::ptrdiff_t{g} * outputs_, all);
      }
    }
  }

private:
  // [groups][blocks][rows][pairs][16][2]
  void pack(const Convolution& convolution) {
    const int each = window_.rows * window_.columns * inputs_;
    block_ = std::ptrdiff_t{window_.rows} * pairs_ * 2 * kernel_channels;
    weights_.assign(static_cast<std::size_t>(block_) * static_cast<std::size_t>(blocks_ * groups_), 0);
    bias_.assign(static_cast<std::size_t>(blocks_ * groups_) * kernel_channels, 0);
    for (int g = 0; g < groups_; ++g)
      for (int o = 0; o < outputs_; ++o) {
        const std::ptrdiff_t block = std::ptrdiff_t{g} * blocks_ + o / kernel_channels;
        const int lane = o % kernel_channels, channel = g * outputs_ + o;
        bias_[static_cast<std::size_t>(block * kernel_channels + lane)] =
            convolution.bias[static_cast<std::size_t>(channel)];
        std::size_t at = static_cast<std::size_t>(channel) * static_cast<std::size_t>(each);
        for (int r = 0; r < window_.rows; ++r)
          for (int c = 0; c < window_.columns; ++c)
            for (int i = 0; i < inputs_; ++i, ++at) {
              const int element = c * padded_inputs_ + i;
              weights_[static_cast<std::size_t>(
                  block * block_ + ((std::ptrdiff_t{r} * pairs_ + element / 2) * kernel_channels + lane) * 2 +
                  element % 2)] = convolution.weights[at];
            }
      }
  }

  void sums_of_row(const std::int16_t* row, int group) {
    ConvolutionTile tile;
    tile.pixel_step = std::ptrdiff_t{window_.column_stride} * padded_inputs_;
    tile.row_step = map_.row_step();
    tile.rows = window_.rows;
    tile.pairs = pairs_;
    tile.sums_step = std::ptrdiff_t{blocks_} * kernel_channels;
    for (int b = 0; b < blocks_; b += 2) {
      const int beside = b + 1 < blocks_ ? 1 : 0;
      tile.weights = weights_.data() + (std::ptrdiff_t{group} * blocks_ + b) * block_;
      int c = 0;
      for (int size = 0; size < 4; ++size)
        for (; c + ConvolutionKernels::pixels(size) <= columns_; c += ConvolutionKernels::pixels(size)) {
          tile.x = row + c * tile.pixel_step;
          tile.sums = sums_.data() + c * tile.sums_step + b * kernel_channels;
          kernels_.tile[size][beside](tile);
        }
    }
  }

  const ConvolutionKernels& kernels_;
  Window window_;
  int groups_, inputs_, outputs_, blocks_, rows_, columns_, padded_inputs_, pairs_ = 0;
  PaddedMap map_;
  std::ptrdiff_t block_ = 0;
  std::vector<std::int16_t> weights_;
  std::vector<std::int32_t> bias_, sums_;
  std::vector<RowRequantizer> requantizers_;
};

// One tap of a depthwise window: sums[c] += x[c] * w[c].
DELTATWIN_CLONES void tap(std::int32_t* sums, const std::int16_t* x, const std::int16_t* w, int channels) {
  for (int c = 0; c < channels; ++c)
    sums[c] += x[c] * w[c];
}

// One input channel for each output channel.
class DepthwiseStep : public GraphInference::Step {
public:
  DepthwiseStep(const Convolution& convolution, const Tensor& in, const Tensor& out)
      : window_(convolution.window), channels_(in.shape[2]), rows_(out.shape[0]), columns_(out.shape[1]),
        map_(window_, in, channels_, channels_), bias_(convolution.bias),
        requantizer_(convolution.requantization, channels_, out.format, out.format.zero_point) {
    const int taps = window_.rows * window_.columns;
    for (int t = 0; t < taps; ++t)
      for (int c = 0; c < channels_; ++c)
        weights_.push_back(convolution.weights[static_cast<std::size_t>(c * taps + t)]);
    sums_.resize(static_cast<std::size_t>(columns_ * channels_));
  }

  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    const std::int16_t* x = map_.fill(a, 0);
    for (int r = 0; r < rows_; ++r) {
      for (int c = 0; c < columns_; ++c) {
        std::int32_t* sums = &sums_[static_cast<std::size_t>(c * channels_)];
        std::fill_n(sums, channels_, 0);
        const std::int16_t* w = weights_.data();
        for (int i = 0; i < window_.rows; ++i)
          for (int j = 0; j < window_.columns; ++j, w += channels_)
            tap(sums,
                x + (std::ptrdiff_t{r} * window_.row_stride + i) * map_.row_step() +
                    (std::ptrdiff_t{c} * window_.column_stride + j) * channels_,
                w, channels_);
      }
      requantizer_.run(sums_.data(), bias_.data(), columns_, channels_,
                       y + std::ptrdiff_t{r} * columns_ * channels_, channels_);
    }
  }

private:
  Window window_;
  int channels_, rows_, columns_;
  PaddedMap map_;
  std::vector<std::int16_t> weights_; ///< [taps][channels]
  std::vector<std::int32_t> bias_, sums_;
  RowRequantizer requantizer_;
};

} // namespace

std::unique_ptr<GraphInference::Step> make_convolution_step(const Convolution& convolution, const Tensor& in,
                                                            const Tensor& out,
                                                            const ConvolutionKernels& kernels) {
  if (convolution.groups > 1 && convolution.groups == in.shape[2] &&
      convolution.groups == convolution.outputs)
    return std::make_unique<DepthwiseStep>(convolution, in, out);
  return std::make_unique<WholeStep>(convolution, in, out, kernels);
}

} // namespace deltatwin
