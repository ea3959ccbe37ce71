// Float networks in integers: what the integers say is what the floats say, but for the steps between them.
#include "import/float_inference.h"
#include "import/post_training.h"
#include "net/graph_inference.h"
#include "net/reference.h"
#include "random_work.h"
#include "refusal.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace deltatwin;

namespace {

constexpr int size = 8, planes = 2, classes = 5;

float unit(RandomWork& random) { return static_cast<float>(random.in(-1000, 1000)) / 1000; }

FloatConvolution random_layer(RandomWork& random, int inputs, int outputs, int kernel, int stride) {
  FloatConvolution layer;
  layer.name = "layer";
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.kernel = kernel;
  layer.stride = stride;
  layer.padding = (kernel - 1) / 2;
  const int terms = inputs * kernel * kernel;
  for (int i = 0; i < outputs * terms; ++i)
    layer.weights.push_back(unit(random) * 2 / std::sqrt(static_cast<float>(terms)));
  for (int o = 0; o < outputs; ++o)
    layer.bias.push_back(unit(random) / 4);
  return layer;
}

FloatNetwork random_network(RandomWork& random) {
  FloatNetwork network;
  network.name = "random";
  network.planes = planes;
  network.rows = network.columns = size;
  network.mean = {0.3F, 0.3F}; // one mean: padding is exact
  network.deviation = {0.2F, 0.5F};
  network.stem = random_layer(random, planes, 6, 3, 1);
  FloatBlock identity, padded, projected;
  identity.body = {random_layer(random, 6, 6, 3, 1), random_layer(random, 6, 6, 3, 1)};
  padded.body = {random_layer(random, 6, 10, 3, 2), random_layer(random, 10, 10, 3, 1)};
  padded.shortcut = Shortcut::padded;
  projected.body = {random_layer(random, 10, 12, 3, 2), random_layer(random, 12, 12, 3, 1)};
  projected.shortcut = Shortcut::projection;
  projected.projection = random_layer(random, 10, 12, 1, 2);
  network.blocks = {identity, padded, projected};
  network.dense = random_layer(random, 12, classes, 1, 1);
  const char* const names[] = {"b0.0", "b0.1", "b1.0", "b1.1", "b2.0", "b2.1"};
  for (std::size_t b = 0; b < network.blocks.size(); ++b)
    for (std::size_t c = 0; c < 2; ++c)
      network.blocks[b].body[c].name = names[2 * b + c];
  network.blocks[2].projection->name = "b2.projection";
  network.stem.name = "stem";
  network.dense.name = "dense";
  return network;
}

GivenInputs random_bytes(RandomWork& random, int count) {
  GivenInputs inputs;
  inputs.count = count;
  inputs.byte_step = 1.0 / 255;
  for (int i = 0; i < count * planes * size * size; ++i)
    inputs.values.push_back(static_cast<float>(random.in(0, 255)) / 255);
  return inputs;
}

const float* given(const GivenInputs& inputs, int i) {
  return inputs.values.data() + static_cast<std::ptrdiff_t>(i) * planes * size * size;
}

/// The mean over inputs, rows and columns of each channel's sums of a convolution, in steps of 16 sums: in
/// integers, less what it is in floats.
std::vector<double> mean_errors(const FloatGraph& network, const PostTrained& quantized,
                                const GivenInputs& inputs, std::size_t n) {
  constexpr int shift = 4;
  Graph graph = quantized.graph;
  graph.nodes.resize(n + 1);
  const Node& node = graph.nodes[n];
  graph.output = node.output;
  auto& convolution = std::get<Convolution>(graph.nodes[n].op);
  graph.tensors[node.output].format = {16, true, 0};
  Requantization& wide = convolution.requantization;
  wide.multipliers = {1};
  wide.shifts = {shift};
  wide.low = -32768;
  wide.high = 32767;
  FloatInference real(network);
  GraphInference integer(graph);
  std::vector<double> errors(convolution.bias.size());
  std::vector<std::int32_t> sums(integer.outputs());
  for (int i = 0; i < inputs.count; ++i) {
    real.run(given(inputs, i));
    integer.run(integers_of(quantized, given(inputs, i)).data(), 1, sums.data());
    const double share = static_cast<double>(errors.size()) / static_cast<double>(sums.size()) / inputs.count;
    for (std::size_t e = 0; e < sums.size(); ++e) {
      const std::size_t channel = e % errors.size();
      const double step = quantized.graph.tensors[node.inputs[0]].scale *
                          quantized.channels[n][channel].weight_scale * (1 << shift);
      errors[channel] += share * (sums[e] - real.tensor(node.output)[e] / step);
    }
  }
  return errors;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values)
    most = std::max(most, std::abs(value));
  return most;
}

} // namespace

TEST_CASE("post_training: outputs are near the float ones, and all integers agree") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(5); ++round) {
    CAPTURE(round, base_seed());
    const FloatGraph network = float_graph(random_network(random));
    const GivenInputs inputs = random_bytes(random, 20);
    PostTrainingOptions options;
    options.recalibrates_biases = round % 2 == 1;
    options.range = static_cast<RangeMethod>(round % 3);
    const PostTrained quantized = quantize_after_training(network, inputs, options);
    const Graph& graph = quantized.graph;
    const Tensor& out = graph.tensors[graph.output];
    FloatInference real(network);
    GraphInference inference(graph);
    float low = 0, high = 0;
    double error = 0;
    for (int i = 0; i < inputs.count; ++i) {
      real.run(given(inputs, i));
      const std::vector<float>& expected = real.tensor(graph.output);
      const std::vector<std::int32_t> input = integers_of(quantized, given(inputs, i));
      std::vector<std::int32_t> output(classes);
      inference.run(input.data(), 1, output.data());
      const std::vector<std::vector<int>> tensors =
          reference_tensors(graph, std::vector<int>(input.begin(), input.end()));
      for (std::size_t t = 0; t < graph.tensors.size(); ++t)
        REQUIRE(inference.tensor(t) == std::vector<std::int32_t>(tensors[t].begin(), tensors[t].end()));
      for (std::size_t c = 0; c < classes; ++c) {
        REQUIRE(output[c] == tensors[graph.output][c]);
        const float value = static_cast<float>(output[c] - out.format.zero_point) * out.scale;
        error = std::max(error, static_cast<double>(std::abs(value - expected[c])));
        low = std::min(low, expected[c]);
        high = std::max(high, expected[c]);
      }
    }
    CHECK(error < 0.1 * (high - low));
    CHECK(error > 0); // it is in 8 bits
    for (const Node& node : graph.nodes)
      CHECK(quantized.tensors[node.output].signal_to_noise > 20);
  }
}

TEST_CASE("post_training: bytes enter less 128, and integers stay in their bits") {
  RandomWork random(base_seed());
  const FloatGraph network = float_graph(random_network(random));
  const GivenInputs inputs = random_bytes(random, 10);
  for (const int bits : {2, 3, 4, 5, 7, 8}) {
    CAPTURE(bits);
    PostTrainingOptions options;
    options.weight_bits = bits;
    options.activation_bits = 10 - bits;
    options.first_weight_bits = 8;
    options.last_weight_bits = 6;
    options.output_bits = 7;
    const PostTrained quantized = quantize_after_training(network, inputs, options);
    const Graph& graph = quantized.graph;
    const std::vector<std::int32_t> integers = integers_of(quantized, given(inputs, 3));
    for (std::size_t i = 0; i < integers.size(); ++i)
      REQUIRE(integers[i] == static_cast<int>(std::lround(given(inputs, 3)[i] * 255)) - 128);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      CHECK(graph.tensors[node.output].format.bits == (node.output == graph.output ? 7 : 10 - bits));
      const auto* convolution = std::get_if<Convolution>(&node.op);
      if (!convolution)
        continue;
      const int own = n == 0 ? 8 : n + 1 == graph.nodes.size() ? 6 : bits, most = (1 << (own - 1)) - 1;
      int used = 0;
      for (const std::int16_t weight : convolution->weights)
        used = std::max(used, std::abs(static_cast<int>(weight)));
      CHECK(used == most);
      CHECK((convolution->delta ? convolution->delta->bits : 8) == own);
    }
  }
}

TEST_CASE("post_training: recalibrated biases take the mean error out of every channel") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(3); ++round) {
    FloatNetwork floats = random_network(random);
    FloatGraph network = float_graph(floats);
    for (FloatNode& node : network.nodes)
      node.low = -std::numeric_limits<float>::infinity(); // a clamp would move means once more
    const GivenInputs inputs = random_bytes(random, 10);
    PostTrainingOptions options;
    options.weight_bits = 3;
    const PostTrained as_they_are = quantize_after_training(network, inputs, options);
    options.recalibrates_biases = true;
    const PostTrained recalibrated = quantize_after_training(network, inputs, options);
    for (std::size_t n = 0; n < network.graph.nodes.size(); ++n) {
      const Node& node = network.graph.nodes[n];
      if (!std::holds_alternative<Convolution>(node.op))
        continue;
      const double before = largest(mean_errors(network, as_they_are, inputs, n)),
                   after = largest(mean_errors(network, recalibrated, inputs, n));
      CAPTURE(round, base_seed(), node.name, before);
      CHECK(after < 0.6); // a bias is an integer, and so are these sums' steps
      CHECK(after < before);
    }
  }
}

TEST_CASE(
    "post_training: ranges by percentile cut the ends, by squared error what costs more than it gives") {
  RandomWork random(base_seed());
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i)
    values.push_back(unit(random) + unit(random) + unit(random));
  values.push_back(50);
  values.push_back(-20);
  ValueHistogram histogram;
  histogram.see(values);
  histogram.count(values);
  const ValueRange all = histogram.chosen(RangeMethod::min_max, 4, 0);
  CHECK(all.low == -20);
  CHECK(all.high == 50);
  const ValueRange most = histogram.chosen(RangeMethod::percentile, 4, 99.9);
  CHECK((most.high < 3.1 && most.high > 2 && most.low > -3.1 && most.low < -2));
  const auto error_of = [&](const ValueRange& range, int bits) {
    const double steps = (1 << bits) - 1, step = (range.high - range.low) / steps,
                 zero = std::nearbyint(-range.low / step);
    double sum = 0;
    for (const float value : values) {
      const double integer = std::clamp(std::nearbyint(value / step) + zero, 0.0, steps);
      sum += std::pow((integer - zero) * step - value, 2);
    }
    return sum;
  };
  for (const int bits : {2, 4, 8}) {
    const ValueRange best = histogram.chosen(RangeMethod::squared_error, bits, 0);
    CAPTURE(bits, best.low, best.high);
    CHECK(error_of(best, bits) < error_of(all, bits));
    for (const double factor :
         {0.8, 1.25}) { // no other range about there is better by more than bins are wide
      CHECK(error_of(best, bits) < 1.02 * error_of({best.low, best.high * factor}, bits));
      CHECK(error_of(best, bits) < 1.02 * error_of({best.low * factor, best.high}, bits));
    }
  }
  ValueHistogram zeros;
  zeros.see({0, 0});
  zeros.count({0, 0});
  CHECK(zeros.chosen(RangeMethod::squared_error, 8, 0).high == 0);
  CHECK(weight_step(RangeMethod::min_max, values.data(), values.size(), 7) == Approx(50.0 / 7));
  CHECK(weight_step(RangeMethod::squared_error, values.data(), values.size(), 7) < 50.0 / 7);
  const float alone = -3;
  CHECK(weight_step(RangeMethod::squared_error, &alone, 1, 7) == Approx(3.0 / 7));
}

TEST_CASE("post_training: what is wrong is named") {
  RandomWork random(base_seed());
  FloatGraph network = float_graph(random_network(random));
  GivenInputs inputs = random_bytes(random, 2);
  PostTrainingOptions options;
  const auto told = [&] { return refusal([&] { (void)quantize_after_training(network, inputs, options); }); };
  CHECK(told() == "accepted");
  options.weight_bits = 9;
  CHECK_THAT(told(), Catch::Contains("weights of 9 bits; possible are 2 to 8"));
  options = {};
  options.percentile = 10;
  CHECK_THAT(told(), Catch::Contains("percentile of 10"));
  options = {};
  inputs.values[7] = std::numeric_limits<float>::infinity();
  CHECK_THAT(told(), Catch::Contains("no finite number"));
  inputs.count = 0;
  CHECK_THAT(told(), Catch::Contains("no input to calibrate with"));
  inputs = random_bytes(random, 2);
  network.nodes[0].bias[0] = 1e35F;
  CHECK_THAT(told(), Catch::Contains("node \"stem\" makes numbers beyond 1e30"));
  CHECK_THAT(refusal([&] {
               network.normalize({1, 2, 3}, {1}, "here");
             }),
             Catch::Contains("for 3 channels, its input has 2"));
  CHECK_THAT(refusal([&] { network.normalize({1}, {0}, "here"); }), Catch::Contains("divided by is 0"));
  CHECK_THAT(refusal([] { (void)parse_range_method("mean"); }), Catch::Contains("possible are min-max"));
}
