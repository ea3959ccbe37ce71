#include "net/inference.h"
#include "base/clones.h"
#include "base/error.h"
#include "base/rounding.h"
#include "net/dataset.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr int batch = 64; ///< images that share one pass over a layer's weights

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// One image's sums of a layer to its results.
DELTATWIN_CLONES void requantize_row(const std::int32_t* sums, const DenseLayer& layer,
                                     std::int16_t* results) {
  const int* multiplier = layer.multiplier.data();
  const int* bias = layer.bias.data();
  const int k = layer.shift, outputs = layer.outputs;
  const std::int64_t low = activation_low(layer.activation), high = activation_high(layer.activation);
  for (int o = 0; o < outputs; ++o) {
    const std::int64_t y = requantize_unclamped(sums[o], multiplier[o], bias[o], k);
    results[o] = static_cast<std::int16_t>(y < low ? low : y > high ? high : y);
  }
}

std::vector<DenseLayer> dense_layers(const Network& network) {
  std::vector<DenseLayer> layers;
  for (const Layer& layer : network.layers) {
    DenseLayer& dense = layers.emplace_back(layer.inputs, layer.outputs);
    const std::vector<std::int8_t> weights = layer.weights();
    for (int o = 0, at = 0; o < layer.outputs; ++o)
      for (int i = 0; i < layer.inputs; ++i)
        dense.weight(o, i) = weights[static_cast<std::size_t>(at++)];
    dense.multiplier = layer.requantizer.multiplier;
    dense.bias = layer.requantizer.bias;
    dense.shift = layer.requantizer.shift - 8;
    dense.activation = layer.activation;
  }
  return layers;
}

} // namespace

DenseLayer::DenseLayer(int inputs_, int outputs_)
    : inputs(inputs_), outputs(outputs_), stride(round_up(inputs_, dot_padding)),
      weights(static_cast<std::size_t>(round_up(outputs_, dot_tile)) * static_cast<std::size_t>(stride)),
      multiplier(static_cast<std::size_t>(outputs_)), bias(static_cast<std::size_t>(outputs_)) {}

IntegerInference::IntegerInference(std::vector<DenseLayer> layers)
    : layers_(std::move(layers)), dot_(select_dot_kernel()) {
  int widest = 0;
  for (const DenseLayer& layer : layers_)
    widest = std::max({widest, layer.stride, round_up(layer.outputs, dot_padding)});
  for (auto& buffer : buffers_)
    buffer.assign(static_cast<std::size_t>(widest) * batch, 0);
  sums_.assign(static_cast<std::size_t>(widest) * batch, 0);
}

IntegerInference::IntegerInference(const Network& network) : IntegerInference(dense_layers(network)) {}

int IntegerInference::inputs() const { return layers_.front().inputs; }
int IntegerInference::outputs() const { return layers_.back().outputs; }

void IntegerInference::run(const std::int8_t* inputs, int count, std::int16_t* outputs) {
  for (int first = 0; first < count; first += batch) {
    const int images = std::min(batch, count - first);
    const std::int8_t* source = inputs + static_cast<std::ptrdiff_t>(first) * this->inputs();
    std::int16_t* x = buffers_[0].data();
    for (int i = 0; i < images; ++i, source += this->inputs()) {
      std::int16_t* row = x + static_cast<std::ptrdiff_t>(i) * layers_.front().stride;
      std::copy_n(source, this->inputs(), row);
      std::fill(row + this->inputs(), row + layers_.front().stride, std::int16_t{0});
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const DenseLayer& layer = layers_[l];
      const bool last = l + 1 == layers_.size();
      const int stride = last ? layer.outputs : layers_[l + 1].stride;
      std::int16_t* y =
          last ? outputs + static_cast<std::ptrdiff_t>(first) * layer.outputs : buffers_[(l + 1) % 2].data();
      const int sums_stride = round_up(layer.outputs, dot_tile);
      for (int o = 0; o < layer.outputs; o += dot_tile)
        for (int i = 0; i < images; i += dot_tile) {
          std::int32_t sums[dot_tile * dot_tile];
          dot_(x + static_cast<std::ptrdiff_t>(i) * layer.stride,
               layer.weights.data() + static_cast<std::ptrdiff_t>(o) * layer.stride, layer.stride, sums);
          for (int a = 0; a < dot_tile; ++a)
            std::copy_n(sums + a * dot_tile, dot_tile,
                        &sums_[static_cast<std::size_t>((i + a) * sums_stride + o)]);
        }
      for (int i = 0; i < images; ++i)
        requantize_row(&sums_[static_cast<std::size_t>(i * sums_stride)], layer,
                       y + static_cast<std::ptrdiff_t>(i) * stride);
      if (!last)
        for (int i = 0; i < images; ++i)
          std::fill(y + static_cast<std::ptrdiff_t>(i) * stride + layer.outputs,
                    y + static_cast<std::ptrdiff_t>(i + 1) * stride, std::int16_t{0});
      x = y;
    }
  }
}

double accuracy(const Network& network, const std::vector<std::int8_t>& inputs,
                const std::vector<std::uint8_t>& labels) {
  IntegerInference inference(network);
  check_labels(labels, inference.outputs());
  const int count = static_cast<int>(labels.size());
  const auto classes = static_cast<std::size_t>(inference.outputs());
  std::vector<std::int16_t> outputs(static_cast<std::size_t>(count) * classes);
  inference.run(inputs.data(), count, outputs.data());
  return count ? static_cast<double>(count_right(outputs, classes, labels)) / count : 0.0;
}

} // namespace deltatwin
