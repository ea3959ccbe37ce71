// Float networks in int8: what the integers say is what the floats say, but for the steps between them.
#include "import/post_training.h"
#include "net/graph_inference.h"
#include "net/reference.h"
#include "random_work.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

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

} // namespace

TEST_CASE("post_training: int8 outputs are near the float ones, and all integers agree") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(5); ++round) {
    CAPTURE(round, base_seed());
    PostTraining training(random_network(random));
    ImageSet set;
    set.planes = planes;
    set.rows = set.columns = size;
    set.data.pixels = planes * size * size;
    set.data.count = 20;
    for (int i = 0; i < set.data.count * set.data.pixels; ++i)
      set.data.images.push_back(static_cast<std::uint8_t>(random.in(0, 255)));
    const auto image = [&](int i) {
      return set.data.images.data() + static_cast<std::ptrdiff_t>(i) * set.data.pixels;
    };
    for (int i = 0; i < set.data.count; ++i)
      training.calibrate(image(i));
    const Graph graph = training.quantized();
    const Tensor& out = graph.tensors[graph.output];
    GraphInference inference(graph);
    float low = 0, high = 0;
    double error = 0;
    for (int i = 0; i < set.data.count; ++i) {
      const std::vector<float> expected = training.run(image(i));
      const std::vector<std::int8_t> input = network_input(set, i);
      std::vector<std::int8_t> output(classes);
      inference.run(input.data(), 1, output.data());
      const std::vector<std::vector<int>> tensors =
          reference_tensors(graph, std::vector<int>(input.begin(), input.end()));
      for (std::size_t c = 0; c < classes; ++c) {
        REQUIRE(output[c] == tensors[graph.output][c]);
        const float real = static_cast<float>(output[c] - out.format.zero_point) * out.scale;
        error = std::max(error, static_cast<double>(std::abs(real - expected[c])));
        low = std::min(low, expected[c]);
        high = std::max(high, expected[c]);
      }
    }
    CHECK(error < 0.1 * (high - low));
    CHECK(error > 0); // it is int8
  }
}
