#include "import/post_training.h"
#include "base/error.h"
#include "import/float_inference.h"
#include "import/tflite_scale.h"
#include "net/graph_inference.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace deltatwin {
namespace {

constexpr int pixel_zero = 128;
constexpr int judged = 100; // calibration inputs on which errors are told

Requantization scaled_by(const std::vector<double>& factors, const FloatNode& node, const Tensor& output,
                         double output_scale) {
  Requantization requantization;
  requantization.rounding = Rounding::half_even;
  requantization.multipliers.clear();
  requantization.shifts.clear();
  for (const double factor : factors) {
    const QuantizedMultiplier multiplier = quantized_multiplier(factor);
    requantization.multipliers.push_back(multiplier.multiplier);
    requantization.shifts.push_back(multiplier.shift());
  }
  const Format& format = output.format;
  const auto bound = [&](float real, int otherwise) {
    if (std::isinf(real))
      return otherwise;
    const double integer = std::nearbyint(static_cast<double>(real) / output_scale) + format.zero_point;
    return static_cast<int>(std::clamp(integer, double(format.low()), double(format.high())));
  };
  requantization.low = bound(node.low, format.low());
  requantization.high = bound(node.high, format.high());
  return requantization;
}

// Works on one network, step by step.
class Quantizer {
public:
  Quantizer(const FloatGraph& network, const GivenInputs& calibration, const PostTrainingOptions& options,
            const std::function<void(double)>& progress)
      : network_(network), calibration_(calibration), options_(options), progress_(progress),
        histograms_(network.graph.tensors.size()), sum_means_(network.graph.nodes.size()) {
    result_.graph = network.graph;
    result_.tensors.resize(network.graph.tensors.size());
    result_.channels.resize(network.graph.nodes.size());
  }

  PostTrained run() {
    observe();
    set_input();
    for (std::size_t n = 0; n < network_.graph.nodes.size(); ++n)
      set_output(n);
    for (std::size_t n = 0; n < network_.graph.nodes.size(); ++n)
      set_operator(n);
    validate(result_.graph, result_.graph.name);
    if (options_.recalibrates_biases) {
      recalibrate();
      validate(result_.graph, result_.graph.name);
    }
    judge();
    return std::move(result_);
  }

private:
  void observe();
  void set_input();
  void set_output(std::size_t n);
  void set_operator(std::size_t n);
  void set_convolution(std::size_t n, Convolution& convolution);
  void set_format(std::size_t tensor, int bits, const ValueRange& range);
  void recalibrate();
  void correct(std::size_t n);
  void judge();
  void advance(double share) const {
    if (progress_)
      progress_(share);
  }
  [[nodiscard]] const float* given(int i) const {
    return calibration_.values.data() +
           static_cast<std::size_t>(i) * network_.graph.tensors[network_.graph.input].elements();
  }
  [[nodiscard]] Tensor& tensor(std::size_t index) { return result_.graph.tensors[index]; }
  [[nodiscard]] double scale(std::size_t index) const { return result_.graph.tensors[index].scale; }
  [[nodiscard]] int weight_bits(std::size_t n) const;
  [[nodiscard]] ValueRange range_of(std::size_t tensor, int bits);

  const FloatGraph& network_;
  const GivenInputs& calibration_;
  const PostTrainingOptions& options_;
  const std::function<void(double)>& progress_;
  std::vector<ValueHistogram> histograms_;
  std::vector<std::vector<double>> sum_means_; ///< of each convolution's channels, before they are clamped
  std::vector<double> constants_; ///< what each input channel holds beside its integers, in real numbers
  PostTrained result_;
};

void Quantizer::observe() {
  const Graph& graph = network_.graph;
  const auto mean_at = [&](std::size_t c) { return network_.mean[network_.mean.size() == 1 ? 0 : c]; };
  for (std::size_t c = 0; c < network_.mean.size(); ++c)
    result_.input_zero += static_cast<double>(mean_at(c)) / static_cast<double>(network_.mean.size());
  ValueHistogram& inputs = histograms_[graph.input];
  std::vector<float> offsets(calibration_.values.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (!std::isfinite(calibration_.values[i]))
      throw InputError("an input to calibrate with is no finite number");
    offsets[i] = static_cast<float>(calibration_.values[i] - result_.input_zero);
  }
  inputs.see(offsets);
  inputs.count(offsets);
  const bool counts = options_.range != RangeMethod::min_max;
  FloatInference inference(network_);
  const int rounds = counts ? 2 : 1;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < calibration_.count; ++i) {
      inference.run(given(i), [&](std::size_t n, const std::vector<float>& sums) {
        const auto* convolution = std::get_if<Convolution>(&graph.nodes[n].op);
        if (round > 0 || !options_.recalibrates_biases || !convolution)
          return;
        const auto channels = static_cast<std::size_t>(convolution->outputs);
        sum_means_[n].resize(channels);
        const double share =
            static_cast<double>(channels) / static_cast<double>(sums.size()) / calibration_.count;
        for (std::size_t e = 0; e < sums.size(); ++e)
          sum_means_[n][e % channels] += static_cast<double>(sums[e]) * share;
      });
      for (const Node& node : graph.nodes) {
        const std::vector<float>& values = inference.tensor(node.output);
        if (round == 0)
          histograms_[node.output].see(values);
        else
          histograms_[node.output].count(values);
        const ValueRange& seen = histograms_[node.output].seen();
        if (!std::isfinite(seen.low) || !std::isfinite(seen.high) || seen.high - seen.low > 1e30)
          throw InputError(graph.name + ": node \"" + node.name +
                           "\" makes numbers beyond 1e30 of the calibration inputs");
      }
      advance(0.7 * (round * calibration_.count + i + 1) / (rounds * calibration_.count));
    }
}

void Quantizer::set_format(std::size_t index, int bits, const ValueRange& range) {
  Tensor& to = tensor(index);
  to.format.bits = bits;
  const double steps = (1 << bits) - 1, step = range.high > range.low ? (range.high - range.low) / steps : 1;
  to.format.zero_point = static_cast<int>(std::clamp(std::nearbyint(to.format.low() - range.low / step),
                                                     double(to.format.low()), double(to.format.high())));
  to.scale = static_cast<float>(step);
  result_.tensors[index].chosen = range;
}

void Quantizer::set_input() {
  const std::size_t input = network_.graph.input;
  result_.tensors[input].seen = histograms_[input].seen();
  if (calibration_.byte_step > 0 && options_.input_bits == 8) {
    // Integers are bytes less 128; padding is the mean of the means, and what a channel's own differs from
    // that is in the biases.
    Tensor& to = tensor(input);
    const double integer = std::nearbyint(result_.input_zero / calibration_.byte_step) - pixel_zero;
    to.format.zero_point = static_cast<int>(std::clamp(integer, -128.0, 127.0));
    to.scale = static_cast<float>(calibration_.byte_step);
    result_.input_zero = (to.format.zero_point + pixel_zero) * calibration_.byte_step;
    result_.tensors[input].chosen = {-result_.input_zero, 255 * calibration_.byte_step - result_.input_zero};
  } else {
    set_format(input, options_.input_bits, range_of(input, options_.input_bits));
  }
  for (const float mean : network_.mean)
    constants_.push_back(result_.input_zero - mean);
}

ValueRange Quantizer::range_of(std::size_t index, int bits) {
  const ValueHistogram& histogram = histograms_[index];
  result_.tensors[index].seen = histogram.seen();
  return histogram.chosen(options_.range, bits, options_.percentile);
}

void Quantizer::set_output(std::size_t n) {
  const Node& node = network_.graph.nodes[n];
  const auto* pool = std::get_if<Pool>(&node.op);
  if ((pool && pool->kind == Pool::Kind::max) || std::holds_alternative<Reshape>(node.op)) {
    // The same integers.
    const Tensor& from = tensor(node.inputs[0]);
    tensor(node.output).format = from.format;
    tensor(node.output).scale = from.scale;
    result_.tensors[node.output] = result_.tensors[node.inputs[0]];
    return;
  }
  const int bits = node.output == network_.graph.output ? options_.output_bits : options_.activation_bits;
  set_format(node.output, bits, range_of(node.output, bits));
}

int Quantizer::weight_bits(std::size_t n) const {
  const std::vector<Node>& nodes = network_.graph.nodes;
  const auto is_one = [](const Node& node) { return std::holds_alternative<Convolution>(node.op); };
  const auto last = std::find_if(nodes.rbegin(), nodes.rend(), is_one);
  if (&nodes[n] == &*last && options_.last_weight_bits != 0)
    return options_.last_weight_bits;
  if (&nodes[n] == &*std::find_if(nodes.begin(), nodes.end(), is_one) && options_.first_weight_bits != 0)
    return options_.first_weight_bits;
  return options_.weight_bits;
}

void Quantizer::set_convolution(std::size_t n, Convolution& convolution) {
  const Node& node = network_.graph.nodes[n];
  const FloatNode& reals = network_.nodes[n];
  const bool is_first = node.inputs[0] == network_.graph.input;
  const double input_scale = scale(node.inputs[0]), output_scale = scale(node.output);
  const std::size_t outputs = reals.bias.size(), each = reals.weights.size() / outputs,
                    own = each / static_cast<std::size_t>(convolution.window.rows) /
                          static_cast<std::size_t>(convolution.window.columns);
  const std::size_t group = outputs / static_cast<std::size_t>(convolution.groups);
  const int most = (1 << (weight_bits(n) - 1)) - 1;
  std::vector<double> factors;
  std::vector<float> row(each);
  for (std::size_t o = 0; o < outputs; ++o) {
    double bias = reals.bias[o];
    for (std::size_t i = 0; i < each; ++i) {
      row[i] = reals.weights[o * each + i];
      if (!is_first)
        continue;
      const std::size_t channel = o / group * own + i % own;
      row[i] /= network_.deviation[network_.deviation.size() == 1 ? 0 : channel];
      bias += constants_[constants_.size() == 1 ? 0 : channel] * row[i];
    }
    constexpr double most_bias = 1 << 30;
    // A scale below that of the bias would lose it: then weights are coarser.
    const double step = std::max({weight_step(options_.weight_range, row.data(), each, most),
                                  std::abs(bias) / (input_scale * most_bias), 1e-12 / input_scale});
    for (const float weight : row)
      convolution.weights.push_back(
          static_cast<std::int16_t>(std::clamp(std::nearbyint(weight / step), double(-most), double(most))));
    convolution.bias.push_back(static_cast<std::int32_t>(std::nearbyint(bias / (input_scale * step))));
    factors.push_back(input_scale * step / output_scale);
    result_.channels[n].push_back({step, 0});
  }
  convolution.requantization = scaled_by(factors, reals, tensor(node.output), output_scale);
  if (most < 127) {
    convolution.delta.emplace();
    convolution.delta->bits = weight_bits(n);
  }
}

void Quantizer::set_operator(std::size_t n) {
  Node& node = result_.graph.nodes[n];
  const FloatNode& reals = network_.nodes[n];
  const Tensor& output = tensor(node.output);
  const double output_scale = scale(node.output), input_scale = scale(node.inputs[0]);
  if (auto* convolution = std::get_if<Convolution>(&node.op)) {
    set_convolution(n, *convolution);
  } else if (auto* add = std::get_if<Add>(&node.op)) {
    const double largest = std::max(input_scale, scale(node.inputs[1]));
    constexpr double one = 1 << 20; // nine bits less their zero point, and a bit for the sum, are left
    for (const std::size_t i : {0U, 1U}) {
      add->inputs[i].rounding = Rounding::half_even;
      add->inputs[i].multipliers = {
          static_cast<std::int32_t>(std::nearbyint(scale(node.inputs[i]) / largest * one))};
    }
    add->output = scaled_by({largest / one / output_scale}, reals, output, output_scale);
  } else if (auto* rescale = std::get_if<Rescale>(&node.op)) {
    rescale->requantization = scaled_by({input_scale / output_scale}, reals, output, output_scale);
  } else if (auto* pool = std::get_if<Pool>(&node.op)) {
    if (pool->kind == Pool::Kind::average) {
      pool->requantization =
          scaled_by({input_scale / (reals.count * output_scale)}, reals, output, output_scale);
      return;
    }
    pool->requantization = {};
    pool->requantization.rounding = Rounding::half_even;
    pool->requantization.low = output.format.low();
    pool->requantization.high = output.format.high();
  }
}

void Quantizer::recalibrate() {
  const std::size_t count = network_.graph.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    if (std::holds_alternative<Convolution>(network_.graph.nodes[n].op))
      correct(n);
    advance(0.7 + 0.25 * static_cast<double>(n + 1) / static_cast<double>(count));
  }
}

// What the sums of a convolution are on average follows from what each of its taps reads on average.
void Quantizer::correct(std::size_t n) {
  Graph before = result_.graph;
  before.nodes.resize(n);
  before.output = before.nodes.empty() ? before.input : before.nodes.back().output;
  GraphInference inference(before);
  const Node& node = result_.graph.nodes[n];
  auto& convolution = std::get<Convolution>(result_.graph.nodes[n].op);
  const Window& window = convolution.window;
  const Tensor &in = tensor(node.inputs[0]), &out = tensor(node.output);
  const auto channels = static_cast<std::size_t>(in.shape[2]);
  const auto taps = static_cast<std::size_t>(window.rows) * static_cast<std::size_t>(window.columns);
  std::vector<double> means(taps * channels);
  std::vector<std::int32_t> ignored(inference.outputs());
  for (int image = 0; image < calibration_.count; ++image) {
    inference.run(integers_of(result_, given(image)).data(), 1, ignored.data());
    const std::vector<std::int32_t> x = inference.tensor(node.inputs[0]);
    for (int y = 0; y < out.shape[0]; ++y)
      for (int ky = 0; ky < window.rows; ++ky) {
        const int row = y * window.row_stride - window.top + ky;
        if (row < 0 || row >= in.shape[0])
          continue;
        for (int kx = 0; kx < window.columns; ++kx) {
          double* const to = means.data() + static_cast<std::size_t>(ky * window.columns + kx) * channels;
          for (int c = 0; c < out.shape[1]; ++c) {
            const int column = c * window.column_stride - window.left + kx;
            if (column < 0 || column >= in.shape[1])
              continue;
            const std::int32_t* const pixel =
                x.data() + static_cast<std::size_t>(row * in.shape[1] + column) * channels;
            for (std::size_t i = 0; i < channels; ++i)
              to[i] += pixel[i] - in.format.zero_point;
          }
        }
      }
  }
  const double positions = static_cast<double>(calibration_.count) * out.shape[0] * out.shape[1];
  const std::size_t outputs = convolution.bias.size(), own = convolution.weights.size() / outputs / taps,
                    group = outputs / static_cast<std::size_t>(convolution.groups);
  for (std::size_t o = 0; o < outputs; ++o) {
    double sum = convolution.bias[o];
    for (std::size_t k = 0; k < taps; ++k)
      for (std::size_t i = 0; i < own; ++i)
        sum += convolution.weights[(o * taps + k) * own + i] * means[k * channels + o / group * own + i] /
               positions;
    const double unit = scale(node.inputs[0]) * result_.channels[n][o].weight_scale;
    const double steps = std::nearbyint(sum_means_[n][o] / unit - sum);
    constexpr double most_bias = 1 << 30;
    const double bias = std::clamp(convolution.bias[o] + steps, -most_bias, most_bias);
    result_.channels[n][o].correction = (bias - convolution.bias[o]) * unit;
    convolution.bias[o] = static_cast<std::int32_t>(bias);
  }
}

void Quantizer::judge() {
  const Graph& graph = result_.graph;
  FloatInference real(network_);
  GraphInference integer(graph);
  std::vector<double> signals(graph.tensors.size()), errors(graph.tensors.size());
  std::vector<std::int32_t> ignored(integer.outputs());
  const int count = std::min(calibration_.count, judged);
  for (int i = 0; i < count; ++i) {
    real.run(given(i));
    integer.run(integers_of(result_, given(i)).data(), 1, ignored.data());
    for (const Node& node : graph.nodes) {
      const Tensor& to = graph.tensors[node.output];
      const std::vector<std::int32_t> integers = integer.tensor(node.output);
      const std::vector<float>& reals = real.tensor(node.output);
      for (std::size_t e = 0; e < integers.size(); ++e) {
        const double error = (integers[e] - to.format.zero_point) * static_cast<double>(to.scale) - reals[e];
        signals[node.output] += static_cast<double>(reals[e]) * reals[e];
        errors[node.output] += error * error;
      }
    }
    advance(0.95 + 0.05 * (i + 1) / count);
  }
  for (std::size_t t = 0; t < graph.tensors.size(); ++t)
    result_.tensors[t].signal_to_noise =
        errors[t] > 0 ? 10 * std::log10(signals[t] / errors[t]) : std::numeric_limits<double>::infinity();
}

} // namespace

void PostTrainingOptions::check() const {
  const auto within = [](const char* what, int bits, bool may_be_none) {
    if ((bits < 2 || bits > 8) && !(may_be_none && bits == 0))
      throw InputError(std::string(what) + " of " + std::to_string(bits) + " bits; possible are 2 to 8");
  };
  within("weights", weight_bits, false);
  within("activations", activation_bits, false);
  within("the first layer's weights", first_weight_bits, true);
  within("the last layer's weights", last_weight_bits, true);
  within("an input", input_bits, false);
  within("an output", output_bits, false);
  if (!(percentile > 50 && percentile <= 100))
    throw InputError("a percentile of " + std::to_string(percentile) + "; possible is more than 50, to 100");
}

PostTrained quantize_after_training(const FloatGraph& network, const GivenInputs& calibration,
                                    const PostTrainingOptions& options,
                                    const std::function<void(double)>& progress) {
  options.check();
  if (calibration.count < 1)
    throw InputError(network.graph.name + ": no input to calibrate with");
  return Quantizer(network, calibration, options, progress).run();
}

std::vector<std::int32_t> integers_of(const PostTrained& quantized, const float* given) {
  const Tensor& input = quantized.graph.tensors[quantized.graph.input];
  std::vector<std::int32_t> integers(input.elements());
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const double steps = std::nearbyint((given[i] - quantized.input_zero) / static_cast<double>(input.scale));
    integers[i] = static_cast<std::int32_t>(
        std::clamp(steps + input.format.zero_point, double(input.format.low()), double(input.format.high())));
  }
  return integers;
}

} // namespace deltatwin
