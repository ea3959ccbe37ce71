#include "core/inference.h"
#include "base/error.h"
#include "core/requantizer.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr int tile = 4;           ///< images and neurons a register tile
constexpr int vector_length = 32; ///< 16-bit elements rows are padded to
constexpr int batch = 64;         ///< images that share one pass over a layer's weights

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// One 4 x 4 tile of dot products; the sixteen sums stay in registers over the whole row.
#if defined(__x86_64__)
__attribute__((target_clones("arch=sapphirerapids", "arch=icelake-server", "avx2", "default")))
#endif
void dot_tile(const std::int16_t* x, const std::int16_t* w, int stride, int* sums) {
  int s[tile * tile] = {};
  for (int i = 0; i < stride; ++i) {
    const int x0 = x[i], x1 = x[stride + i], x2 = x[2 * stride + i], x3 = x[3 * stride + i];
    const int w0 = w[i], w1 = w[stride + i], w2 = w[2 * stride + i], w3 = w[3 * stride + i];
    s[0] += x0 * w0;
    s[1] += x0 * w1;
    s[2] += x0 * w2;
    s[3] += x0 * w3;
    s[4] += x1 * w0;
    s[5] += x1 * w1;
    s[6] += x1 * w2;
    s[7] += x1 * w3;
    s[8] += x2 * w0;
    s[9] += x2 * w1;
    s[10] += x2 * w2;
    s[11] += x2 * w3;
    s[12] += x3 * w0;
    s[13] += x3 * w1;
    s[14] += x3 * w2;
    s[15] += x3 * w3;
  }
  std::copy(s, s + tile * tile, sums);
}

std::vector<DenseLayer> dense_layers(const Network &network) {
  std::vector<DenseLayer> layers;
  for (const Layer &layer : network.layers) {
    DenseLayer &dense = layers.emplace_back(layer.inputs, layer.outputs);
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
    : inputs(inputs_), outputs(outputs_), stride(round_up(inputs_, vector_length)),
      weights(static_cast<std::size_t>(round_up(outputs_, tile)) * static_cast<std::size_t>(stride)),
      multiplier(static_cast<std::size_t>(outputs_)), bias(static_cast<std::size_t>(outputs_)) {}

IntegerInference::IntegerInference(std::vector<DenseLayer> layers) : layers_(std::move(layers)) {
  int widest = 0;
  for (const DenseLayer &layer : layers_)
    widest = std::max({widest, layer.stride, round_up(layer.outputs, vector_length)});
  for (auto &buffer : buffers_)
    buffer.assign(static_cast<std::size_t>(widest) * batch, 0);
}

IntegerInference::IntegerInference(const Network &network) : IntegerInference(dense_layers(network)) {}

int IntegerInference::inputs() const { return layers_.front().inputs; }
int IntegerInference::outputs() const { return layers_.back().outputs; }

void IntegerInference::run(const std::int8_t *inputs, int count, std::int16_t *outputs) {
  for (int first = 0; first < count; first += batch) {
    const int images = std::min(batch, count - first);
    const std::int8_t *source = inputs + static_cast<std::ptrdiff_t>(first) * this->inputs();
    std::int16_t *x = buffers_[0].data();
    for (int i = 0; i < images; ++i, source += this->inputs()) {
      std::int16_t *row = x + static_cast<std::ptrdiff_t>(i) * layers_.front().stride;
      std::copy_n(source, this->inputs(), row);
      std::fill(row + this->inputs(), row + layers_.front().stride, std::int16_t{0});
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const DenseLayer &layer = layers_[l];
      const bool last = l + 1 == layers_.size();
      const int stride = last ? layer.outputs : layers_[l + 1].stride;
      std::int16_t *y =
          last ? outputs + static_cast<std::ptrdiff_t>(first) * layer.outputs : buffers_[(l + 1) % 2].data();
      for (int o = 0; o < layer.outputs; o += tile)
        for (int i = 0; i < images; i += tile) {
          int sums[tile * tile];
          dot_tile(x + static_cast<std::ptrdiff_t>(i) * layer.stride,
                   layer.weights.data() + static_cast<std::ptrdiff_t>(o) * layer.stride, layer.stride, sums);
          for (int a = 0; a < std::min(tile, images - i); ++a)
            for (int b = 0; b < std::min(tile, layer.outputs - o); ++b)
              y[static_cast<std::ptrdiff_t>(i + a) * stride + o + b] =
                  requantize(sums[a * tile + b], layer.multiplier[o + b], layer.bias[o + b], layer.shift,
                             layer.activation);
        }
      if (!last)
        for (int i = 0; i < images; ++i)
          std::fill(y + static_cast<std::ptrdiff_t>(i) * stride + layer.outputs,
                    y + static_cast<std::ptrdiff_t>(i + 1) * stride, std::int16_t{0});
      x = y;
    }
  }
}

int argmax(const std::int16_t *values, int count) {
  return static_cast<int>(std::max_element(values, values + count) - values);
}

double accuracy(const Network &network, const std::vector<std::int8_t> &inputs,
                const std::vector<std::uint8_t> &labels) {
  IntegerInference inference(network);
  const int count = static_cast<int>(labels.size());
  std::vector<std::int16_t> outputs(static_cast<std::size_t>(count) * inference.outputs());
  inference.run(inputs.data(), count, outputs.data());
  int right = 0;
  for (int i = 0; i < count; ++i)
    right +=
        argmax(&outputs[static_cast<std::size_t>(i) * inference.outputs()], inference.outputs()) == labels[i];
  return count ? static_cast<double>(right) / count : 0.0;
}

} // namespace deltatwin
