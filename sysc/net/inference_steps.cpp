#include "net/inference_steps.h"
#include "base/clones.h"
#include <algorithm>

namespace deltatwin {
namespace {

DELTATWIN_CLONES void add_to(std::int32_t* sums, const std::int16_t* x, int add, int channels) {
  for (int c = 0; c < channels; ++c)
    sums[c] += x[c] + add;
}

DELTATWIN_CLONES void most_of(std::int32_t* sums, const std::int16_t* x, int channels) {
  for (int c = 0; c < channels; ++c)
    sums[c] = sums[c] > x[c] ? sums[c] : x[c];
}

class PoolStep : public GraphInference::Step {
public:
  PoolStep(const Pool& pool, const Tensor& in, const Tensor& out)
      : window_(pool.window), is_max_(pool.kind == Pool::Kind::max), map_rows_(in.shape[0]),
        map_columns_(in.shape[1]), channels_(in.shape[2]), rows_(out.shape[0]), columns_(out.shape[1]),
        lowest_(in.format.low() - in.format.zero_point), add_(pool.raw ? in.format.zero_point : 0),
        requantizer_(pool.requantization, channels_, out.format, pool.raw ? 0 : out.format.zero_point),
        sums_(static_cast<std::size_t>(columns_ * channels_)) {}

  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    for (int r = 0; r < rows_; ++r) {
      const int first = r * window_.row_stride - window_.top;
      for (int c = 0; c < columns_; ++c) {
        const int left = c * window_.column_stride - window_.left;
        std::int32_t* sums = &sums_[static_cast<std::size_t>(c * channels_)];
        std::fill_n(sums, channels_, is_max_ ? lowest_ : 0);
        for (int i = std::max(first, 0); i < std::min(first + window_.rows, map_rows_); ++i)
          for (int j = std::max(left, 0); j < std::min(left + window_.columns, map_columns_); ++j) {
            const std::int16_t* x = a + (std::ptrdiff_t{i} * map_columns_ + j) * channels_;
            if (is_max_)
              most_of(sums, x, channels_);
            else
              add_to(sums, x, add_, channels_);
          }
      }
      requantizer_.run(sums_.data(), nullptr, columns_, channels_,
                       y + std::ptrdiff_t{r} * columns_ * channels_, channels_);
    }
  }

private:
  Window window_;
  bool is_max_;
  int map_rows_, map_columns_, channels_, rows_, columns_, lowest_, add_;
  RowRequantizer requantizer_;
  std::vector<std::int32_t> sums_;
};

// Of numbers of up to 8 bits the result is looked up, of others it is computed.
class AddStep : public GraphInference::Step {
public:
  AddStep(const Add& add, const Tensor& a, const Tensor& b, const Tensor& out)
      : elements_(out.elements()), low_{a.format.low() - a.format.zero_point,
                                        b.format.low() - b.format.zero_point},
        output_(add.output, 1, out.format, out.format.zero_point) {
    terms_[0] = terms(add, 0, a.format);
    terms_[1] = terms(add, 1, b.format);
    if (a.format.bits > 8 || b.format.bits > 8)
      return;
    for (const std::int32_t first : terms_[0])
      for (const std::int32_t second : terms_[1]) {
        const std::int32_t sum = first + second;
        std::int16_t y = 0;
        output_.run(&sum, nullptr, 1, 1, &y, 1);
        sums_.push_back(y);
      }
  }

  void run(const std::int16_t* a, const std::int16_t* b, std::int16_t* y) override {
    if (!sums_.empty()) {
      const std::size_t step = terms_[1].size();
      const std::int16_t* sums = sums_.data();
      const std::ptrdiff_t origin = -std::ptrdiff_t{low_[0]} * static_cast<std::ptrdiff_t>(step) - low_[1];
      for (std::size_t i = 0; i < elements_; ++i)
        y[i] = sums[origin + std::ptrdiff_t{a[i]} * static_cast<std::ptrdiff_t>(step) + b[i]];
      return;
    }
    for (std::size_t i = 0; i < elements_; ++i) {
      const std::int32_t sum = terms_[0][static_cast<std::size_t>(a[i] - low_[0])] +
                               terms_[1][static_cast<std::size_t>(b[i] - low_[1])];
      output_.run(&sum, nullptr, 1, 1, y + i, 1);
    }
  }

private:
  // What each integer of an input comes to, from the lowest on.
  static std::vector<std::int32_t> terms(const Add& add, std::size_t input, const Format& format) {
    const Requantization& requantization = add.inputs[input];
    std::vector<std::int32_t> result;
    for (int x = format.low(); x <= format.high(); ++x)
      result.push_back(static_cast<std::int32_t>(
          requantized(requantization.rounding, (x - format.zero_point) * (1 << add.left_shift),
                      requantization.multiplier(0), requantization.shift(0))));
    return result;
  }

  std::size_t elements_;
  int low_[2];
  std::vector<std::int32_t> terms_[2];
  std::vector<std::int16_t> sums_; ///< [first][second]
  RowRequantizer output_;
};

class RescaleStep : public GraphInference::Step {
public:
  RescaleStep(const Rescale& rescale, const Tensor& in, const Tensor& out)
      : channels_(in.shape.back()), pixels_(static_cast<int>(in.elements()) / channels_),
        requantizer_(rescale.requantization, channels_, out.format, out.format.zero_point),
        sums_(static_cast<std::size_t>(channels_)) {}

  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    for (int p = 0; p < pixels_; ++p, a += channels_, y += channels_) {
      std::copy_n(a, channels_, sums_.data());
      requantizer_.run(sums_.data(), nullptr, 1, channels_, y, channels_);
    }
  }

private:
  int channels_, pixels_;
  RowRequantizer requantizer_;
  std::vector<std::int32_t> sums_;
};

// A dense layer of deltas, whose requantizer is its own.
class LayerStep : public GraphInference::Step {
public:
  explicit LayerStep(const Layer& layer) : layer_(layer), weights_(layer.weights()) {}

  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    const auto inputs = static_cast<std::size_t>(layer_.inputs);
    for (std::size_t o = 0; o < static_cast<std::size_t>(layer_.outputs); ++o) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < inputs; ++i)
        sum += a[i] * weights_[o * inputs + i];
      y[o] = requantize(sum, layer_.requantizer.multiplier[o], layer_.requantizer.bias[o],
                        layer_.requantizer.shift - 8, layer_.activation);
    }
  }

private:
  Layer layer_;
  std::vector<std::int8_t> weights_;
};

class CopyStep : public GraphInference::Step {
public:
  explicit CopyStep(std::size_t elements) : elements_(elements) {}
  void run(const std::int16_t* a, const std::int16_t*, std::int16_t* y) override {
    std::copy_n(a, elements_, y);
  }

private:
  std::size_t elements_;
};

} // namespace

std::unique_ptr<GraphInference::Step> make_step(const Graph& graph, const Node& node,
                                                const ConvolutionKernels& kernels) {
  const Tensor &in = graph.tensors[node.inputs[0]], &out = graph.tensors[node.output];
  if (const auto* layer = std::get_if<Layer>(&node.op))
    return std::make_unique<LayerStep>(*layer);
  if (const auto* convolution = std::get_if<Convolution>(&node.op))
    return make_convolution_step(*convolution, in, out, kernels);
  if (const auto* pool = std::get_if<Pool>(&node.op))
    return std::make_unique<PoolStep>(*pool, in, out);
  if (const auto* add = std::get_if<Add>(&node.op))
    return std::make_unique<AddStep>(*add, in, graph.tensors[node.inputs[1]], out);
  if (const auto* rescale = std::get_if<Rescale>(&node.op))
    return std::make_unique<RescaleStep>(*rescale, in, out);
  return std::make_unique<CopyStep>(in.elements());
}

} // namespace deltatwin
