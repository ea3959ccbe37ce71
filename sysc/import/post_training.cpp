#include "import/post_training.h"
#include "import/import.h"
#include "import/tflite_scale.h"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace deltatwin {
namespace {

constexpr int pixel_zero = 128;
constexpr double pixel_step = 1.0 / 255;

// What a padded shortcut does, as a convolution.
FloatConvolution projection_of(const FloatBlock& block, std::size_t number, int inputs) {
  FloatConvolution layer;
  layer.name = "block" + std::to_string(number) + ".shortcut";
  layer.inputs = inputs;
  layer.outputs = block.outputs();
  layer.stride = block.stride();
  layer.weights.assign(static_cast<std::size_t>(layer.inputs) * static_cast<std::size_t>(layer.outputs), 0);
  layer.bias.assign(static_cast<std::size_t>(layer.outputs), 0);
  const int before = (layer.outputs - inputs) / 2;
  for (int i = 0; i < inputs; ++i)
    layer.weights[static_cast<std::size_t>((before + i) * inputs + i)] = 1;
  return layer;
}

void relu(std::vector<float>& values) {
  for (float& value : values)
    value = std::max(value, 0.0F);
}

Requantization scaled_by(const std::vector<double>& factors, bool has_relu, int zero_point) {
  Requantization requantization;
  requantization.rounding = Rounding::half_even;
  requantization.multipliers.clear();
  requantization.shifts.clear();
  for (const double factor : factors) {
    const QuantizedMultiplier multiplier = quantized_multiplier(factor);
    requantization.multipliers.push_back(multiplier.multiplier);
    requantization.shifts.push_back(multiplier.shift());
  }
  if (has_relu)
    requantization.low = zero_point;
  return requantization;
}

// Puts a graph together, tensor by tensor.
class Builder {
public:
  std::size_t tensor(const std::string& name, const std::vector<int>& shape, double low, double high) {
    constexpr double steps = 255;
    const double scale = high > low ? (high - low) / steps : 1;
    Format format;
    format.zero_point =
        static_cast<int>(std::clamp(std::nearbyint(-pixel_zero - low / scale), -128.0, 127.0));
    return graph_.tensor(name, shape, format, static_cast<float>(scale));
  }
  // `constants`: what each input channel holds beside its integers, in real numbers.
  void convolution(const FloatConvolution& layer, std::size_t input, std::size_t output, bool has_relu,
                   const std::vector<double>& constants = {}) {
    Convolution node;
    node.outputs = layer.outputs;
    node.window.rows = node.window.columns = layer.kernel;
    node.window.row_stride = node.window.column_stride = layer.stride;
    node.window.top = node.window.left = node.window.bottom = node.window.right = layer.padding;
    const double input_scale = at(input).scale, output_scale = at(output).scale;
    const auto area = static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel),
               inputs = static_cast<std::size_t>(layer.inputs);
    std::vector<double> factors;
    for (std::size_t o = 0; o < static_cast<std::size_t>(layer.outputs); ++o) {
      const float* const weights = layer.weights.data() + o * inputs * area;
      double bias = layer.bias[o], largest = 0;
      for (std::size_t i = 0; i < inputs * area; ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
        bias += constants.empty() ? 0 : constants[i / area] * weights[i];
      }
      constexpr double most_bias = 1 << 30, steps = 127;
      // A scale below that of the bias would lose it: then weights are coarser.
      const double scale =
          std::max({largest / steps, std::abs(bias) / (input_scale * most_bias), 1e-12 / input_scale});
      for (std::size_t k = 0; k < area; ++k) // from [inputs][k] to [k][inputs]
        for (std::size_t i = 0; i < inputs; ++i)
          node.weights.push_back(static_cast<std::int16_t>(std::nearbyint(weights[i * area + k] / scale)));
      node.bias.push_back(static_cast<std::int32_t>(std::nearbyint(bias / (input_scale * scale))));
      factors.push_back(input_scale * scale / output_scale);
    }
    node.requantization = scaled_by(factors, has_relu, at(output).format.zero_point);
    graph_.node(layer.name, {input}, output, std::move(node), {});
  }
  void sum(const std::string& name, std::size_t a, std::size_t b, std::size_t output) {
    Add node;
    const double largest = std::max(at(a).scale, at(b).scale);
    constexpr double one = 1 << 20; // nine bits less their zero point, and a bit for the sum, are left
    for (const std::size_t i : {0U, 1U}) {
      node.inputs[i].rounding = Rounding::half_even;
      node.inputs[i].multipliers = {
          static_cast<std::int32_t>(std::nearbyint(at(i ? b : a).scale / largest * one))};
    }
    node.output = scaled_by({largest / one / at(output).scale}, true, at(output).format.zero_point);
    graph_.node(name, {a, b}, output, node, {});
  }
  void average(const std::string& name, std::size_t input, std::size_t output) {
    Pool node;
    node.kind = Pool::Kind::average;
    node.window.rows = node.window.row_stride = at(input).shape[0];
    node.window.columns = node.window.column_stride = at(input).shape[1];
    const double pixels = static_cast<double>(node.window.rows) * node.window.columns;
    node.requantization = scaled_by({at(input).scale / (pixels * at(output).scale)}, false, 0);
    graph_.node(name, {input}, output, node, {});
  }
  [[nodiscard]] const Tensor& at(std::size_t tensor) const { return graph_.tensor(tensor); }
  [[nodiscard]] GraphBuilder& graph() { return graph_; }

private:
  GraphBuilder graph_{"float32"};
};

} // namespace

PostTraining::PostTraining(const FloatNetwork& network) : network_(network) {
  (void)check_shapes(network_, network_.name);
  int channels = network_.stem.outputs;
  std::size_t tensors = 3; // behind the stem, the average and the dense layer
  for (std::size_t b = 0; b < network_.blocks.size(); ++b) {
    FloatBlock& block = network_.blocks[b];
    if (block.shortcut == Shortcut::padded) {
      block.projection = projection_of(block, b, channels);
      block.shortcut = Shortcut::projection;
    }
    channels = block.outputs();
    tensors += block.body.size() + (block.projection ? 1 : 0) + 1;
  }
  ranges_.resize(tensors);
}

PostTraining::Map PostTraining::convolve(const Map& input, const FloatConvolution& layer) {
  Map map;
  map.channels = layer.outputs;
  map.rows = (input.rows + 2 * layer.padding - layer.kernel) / layer.stride + 1;
  map.columns = (input.columns + 2 * layer.padding - layer.kernel) / layer.stride + 1;
  const auto in_row = static_cast<std::size_t>(input.columns),
             out_row = static_cast<std::size_t>(map.columns);
  const auto at = [](int channel, int rows, int row) {
    return static_cast<std::size_t>(channel) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row);
  };
  const float* weight = layer.weights.data();
  for (int o = 0; o < map.channels; ++o) {
    map.values.resize(at(o + 1, map.rows, 0) * out_row, layer.bias[static_cast<std::size_t>(o)]);
    for (int i = 0; i < layer.inputs; ++i)
      for (int ky = 0; ky < layer.kernel; ++ky)
        for (int kx = 0; kx < layer.kernel; ++kx, ++weight) {
          // Columns whose window is inside at kx.
          const int shift = kx - layer.padding;
          const int first = shift < 0 ? (-shift + layer.stride - 1) / layer.stride : 0;
          const int end = std::min(map.columns, (input.columns - 1 - shift) / layer.stride + 1);
          for (int y = 0; y < map.rows; ++y) {
            const int row = y * layer.stride + ky - layer.padding;
            if (row < 0 || row >= input.rows)
              continue;
            const float* const from = input.values.data() + at(i, input.rows, row) * in_row;
            float* const to = map.values.data() + at(o, map.rows, y) * out_row;
            for (int x = first; x < end; ++x)
              to[x] += *weight * from[x * layer.stride + shift];
          }
        }
  }
  return map;
}

template <class See> std::vector<float> PostTraining::run(const std::uint8_t* image, See see) const {
  Map map{network_.planes, network_.rows, network_.columns, {}};
  const auto plane = static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns);
  for (std::size_t p = 0; p < static_cast<std::size_t>(map.channels); ++p)
    for (std::size_t i = 0; i < plane; ++i)
      map.values.push_back((static_cast<float>(image[p * plane + i]) / 255 - network_.mean[p]) /
                           network_.deviation[p]);
  std::size_t tensor = 0;
  map = convolve(map, network_.stem);
  relu(map.values);
  see(tensor++, map.values);
  for (const FloatBlock& block : network_.blocks) {
    Map body = map;
    for (std::size_t c = 0; c < block.body.size(); ++c) {
      body = convolve(body, block.body[c]);
      if (c + 1 < block.body.size())
        relu(body.values);
      see(tensor++, body.values);
    }
    if (block.projection) {
      map = convolve(map, *block.projection);
      see(tensor++, map.values);
    }
    for (std::size_t i = 0; i < body.values.size(); ++i)
      body.values[i] += map.values[i];
    relu(body.values);
    see(tensor++, body.values);
    map = std::move(body);
  }
  Map average{map.channels, 1, 1, {}};
  const auto pixels = static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns);
  for (std::size_t c = 0; c < static_cast<std::size_t>(map.channels); ++c) {
    float sum = 0;
    for (std::size_t i = 0; i < pixels; ++i)
      sum += map.values[c * pixels + i];
    average.values.push_back(sum / static_cast<float>(pixels));
  }
  see(tensor++, average.values);
  const Map outputs = convolve(average, network_.dense);
  see(tensor, outputs.values);
  return outputs.values;
}

void PostTraining::calibrate(const std::uint8_t* image) {
  (void)run(image, [&](std::size_t tensor, const std::vector<float>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    Range& range = ranges_[tensor];
    range.low = std::min(range.low, *low);
    range.high = std::max(range.high, *high);
  });
}

std::vector<float> PostTraining::run(const std::uint8_t* image) const {
  return run(image, [](std::size_t, const std::vector<float>&) {});
}

Graph PostTraining::quantized() const {
  Builder builder;
  Graph& graph = builder.graph().graph();
  graph.description = network_.description;
  const std::vector<BlockShape> shapes = check_shapes(network_, network_.name);
  std::size_t next = 0;
  const auto tensor = [&](const std::string& name, const std::vector<int>& shape) {
    const Range& range = ranges_[next++];
    return builder.tensor(name, shape, range.low, range.high);
  };
  const auto behind = [&](const FloatConvolution& layer, std::size_t input) {
    const std::vector<int>& shape = builder.at(input).shape;
    const auto size = [&](int in) { return (in + 2 * layer.padding - layer.kernel) / layer.stride + 1; };
    return std::vector<int>{size(shape[0]), size(shape[1]), layer.outputs};
  };

  // The input's integers are pixels; padding is the mean of the means, and what a plane's own differs from
  // that is in the biases.
  double mean = 0;
  for (const float m : network_.mean)
    mean += m / network_.planes;
  Format pixels;
  pixels.zero_point = static_cast<int>(std::nearbyint(mean / pixel_step)) - pixel_zero;
  std::size_t at = builder.graph().tensor("image", {network_.rows, network_.columns, network_.planes}, pixels,
                                          static_cast<float>(pixel_step));
  graph.input = at;
  FloatConvolution stem = network_.stem;
  std::vector<double> constants;
  const auto window = static_cast<std::size_t>(stem.kernel) * static_cast<std::size_t>(stem.kernel),
             planes = static_cast<std::size_t>(network_.planes);
  for (std::size_t p = 0; p < planes; ++p)
    constants.push_back((pixels.zero_point + pixel_zero) * pixel_step - network_.mean[p]);
  for (std::size_t w = 0; w < stem.weights.size(); ++w)
    stem.weights[w] /= network_.deviation[w / window % planes];
  std::size_t output = tensor("stem", behind(stem, at));
  builder.convolution(stem, at, output, true, constants);
  at = output;

  for (std::size_t b = 0; b < network_.blocks.size(); ++b) {
    const FloatBlock& block = network_.blocks[b];
    const std::string name = "block" + std::to_string(b);
    std::size_t body = at;
    for (std::size_t c = 0; c < block.body.size(); ++c) {
      output = tensor(name + ".body" + std::to_string(c), behind(block.body[c], body));
      builder.convolution(block.body[c], body, output, c + 1 < block.body.size());
      body = output;
    }
    if (block.projection) {
      output = tensor(name + ".projection", behind(*block.projection, at));
      builder.convolution(*block.projection, at, output, false);
      at = output;
    }
    output = tensor(name, {shapes[b].rows, shapes[b].columns, shapes[b].channels});
    builder.sum(name + ".add", body, at, output);
    at = output;
  }
  output = tensor("average", {1, 1, shapes.back().channels});
  builder.average("average", at, output);
  at = output;
  output = tensor("logits", {1, 1, network_.classes()});
  builder.convolution(network_.dense, at, output, false);
  graph.output = output;
  graph.softmax = Softmax{};
  Graph finished = builder.graph().finish(network_.name).graph;
  finished.name = network_.name;
  return finished;
}

std::vector<std::int8_t> network_input(const ImageSet& set, int image) {
  std::vector<std::int8_t> values;
  for (const std::uint8_t pixel : interleaved(set, image))
    values.push_back(static_cast<std::int8_t>(pixel - pixel_zero));
  return values;
}

} // namespace deltatwin
