#include "import/float_inference.h"
#include <algorithm>
#include <cstddef>

namespace deltatwin {
namespace {

std::size_t unsigned_of(int value) { return static_cast<std::size_t>(value); }

// to[i] += factor * from[i]
void add_scaled(float* to, const float* from, float factor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] += factor * from[i];
}

// to[i] += a[i] * b[i]
void add_products(float* to, const float* a, const float* b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] += a[i] * b[i];
}

} // namespace

FloatInference::FloatInference(const FloatGraph& network) : network_(&network) {
  const Graph& graph = network.graph;
  for (const Tensor& tensor : graph.tensors)
    tensors_.emplace_back(tensor.elements());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    std::vector<float>& to = weights_.emplace_back();
    const auto* convolution = std::get_if<Convolution>(&graph.nodes[n].op);
    if (!convolution)
      continue;
    const std::vector<float>& from = network.nodes[n].weights;
    const auto groups = unsigned_of(convolution->groups),
               outputs = unsigned_of(convolution->outputs) / groups,
               area = unsigned_of(convolution->window.rows) * unsigned_of(convolution->window.columns),
               own = from.size() / area / outputs / groups;
    to.resize(from.size());
    for (std::size_t g = 0; g < groups; ++g)
      for (std::size_t o = 0; o < outputs; ++o)
        for (std::size_t k = 0; k < area; ++k)
          for (std::size_t i = 0; i < own; ++i)
            to[((g * own + i) * area + k) * outputs + o] = from[((g * outputs + o) * area + k) * own + i];
    if (own == 1 && outputs == 1) // depthwise: [rows][columns][channels]
      for (std::size_t g = 0; g < groups; ++g)
        for (std::size_t k = 0; k < area; ++k)
          to[k * groups + g] = from[g * area + k];
  }
}

void FloatInference::convolve(std::size_t n) {
  const Node& node = network_->graph.nodes[n];
  const auto& convolution = std::get<Convolution>(node.op);
  const Window& window = convolution.window;
  const std::vector<int>&in = network_->graph.tensors[node.inputs[0]].shape,
        &out = network_->graph.tensors[node.output].shape;
  const std::vector<float>& bias = network_->nodes[n].bias;
  const auto groups = unsigned_of(convolution.groups), outputs = unsigned_of(convolution.outputs) / groups,
             channels = unsigned_of(in[2]), own = channels / groups;
  const std::ptrdiff_t area = std::ptrdiff_t{window.rows} * window.columns;
  const bool depthwise = own == 1 && outputs == 1;
  float* to = tensors_[node.output].data();
  for (int y = 0; y < out[0]; ++y)
    for (int x = 0; x < out[1]; ++x, to += out[2]) {
      std::copy(bias.begin(), bias.end(), to);
      const int row = y * window.row_stride - window.top, column = x * window.column_stride - window.left;
      const int first_row = std::max(0, -row), end_row = std::min(window.rows, in[0] - row),
                first_column = std::max(0, -column), end_column = std::min(window.columns, in[1] - column);
      // The pixel at the window's corner, which may be outside: only offsets to what is inside are read.
      const std::ptrdiff_t corner =
          (std::ptrdiff_t{row} * in[1] + column) * static_cast<std::ptrdiff_t>(channels);
      const float* const map = tensors_[node.inputs[0]].data();
      const auto pixel = [&](int ky, int kx) {
        return corner + (std::ptrdiff_t{ky} * in[1] + kx) * static_cast<std::ptrdiff_t>(channels);
      };
      if (depthwise) {
        for (int ky = first_row; ky < end_row; ++ky)
          for (int kx = first_column; kx < end_column; ++kx)
            add_products(to, map + pixel(ky, kx),
                         weights_[n].data() + unsigned_of(ky * window.columns + kx) * channels, channels);
        continue;
      }
      const float* weights = weights_[n].data();
      for (std::size_t i = 0; i < channels; ++i, weights += area * static_cast<std::ptrdiff_t>(outputs)) {
        float* const group = to + i / own * outputs;
        for (int ky = first_row; ky < end_row; ++ky)
          for (int kx = first_column; kx < end_column; ++kx)
            if (const float value = map[pixel(ky, kx) + static_cast<std::ptrdiff_t>(i)]; value != 0)
              add_scaled(group, weights + unsigned_of(ky * window.columns + kx) * outputs, value, outputs);
      }
    }
}

void FloatInference::pool(std::size_t n) {
  const Node& node = network_->graph.nodes[n];
  const auto& pool = std::get<Pool>(node.op);
  const Window& window = pool.window;
  const std::vector<int>&in = network_->graph.tensors[node.inputs[0]].shape,
        &out = network_->graph.tensors[node.output].shape;
  const auto channels = unsigned_of(in[2]);
  const auto count = static_cast<float>(network_->nodes[n].count);
  const bool is_max = pool.kind == Pool::Kind::max;
  float* to = tensors_[node.output].data();
  for (int y = 0; y < out[0]; ++y)
    for (int x = 0; x < out[1]; ++x, to += channels) {
      std::fill_n(to, channels, is_max ? -std::numeric_limits<float>::infinity() : 0.0F);
      for (int ky = 0; ky < window.rows; ++ky)
        for (int kx = 0; kx < window.columns; ++kx) {
          const int row = y * window.row_stride - window.top + ky,
                    column = x * window.column_stride - window.left + kx;
          if (row < 0 || row >= in[0] || column < 0 || column >= in[1])
            continue;
          const float* const from = tensors_[node.inputs[0]].data() +
                                    (unsigned_of(row) * unsigned_of(in[1]) + unsigned_of(column)) * channels;
          for (std::size_t c = 0; c < channels; ++c)
            to[c] = is_max ? std::max(to[c], from[c]) : to[c] + from[c];
        }
      for (std::size_t c = 0; !is_max && c < channels; ++c)
        to[c] /= count;
    }
}

void FloatInference::run(const float* given,
                         const std::function<void(std::size_t, const std::vector<float>&)>& see) {
  const Graph& graph = network_->graph;
  std::vector<float>& input = tensors_[graph.input];
  const std::vector<float>&mean = network_->mean, &deviation = network_->deviation;
  const auto channels = unsigned_of(graph.tensors[graph.input].shape.back());
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = (given[i] - mean[mean.size() == 1 ? 0 : i % channels]) /
               deviation[deviation.size() == 1 ? 0 : i % channels];
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    std::vector<float>& to = tensors_[node.output];
    if (std::holds_alternative<Convolution>(node.op)) {
      convolve(n);
    } else if (std::holds_alternative<Pool>(node.op)) {
      pool(n);
    } else {
      to = tensors_[node.inputs[0]];
      if (std::holds_alternative<Add>(node.op))
        for (std::size_t i = 0; i < to.size(); ++i)
          to[i] += tensors_[node.inputs[1]][i];
    }
    if (see)
      see(n, to);
    const FloatNode& reals = network_->nodes[n];
    if (reals.clamps())
      for (float& value : to)
        value = std::min(std::max(value, reals.low), reals.high);
  }
}

} // namespace deltatwin
