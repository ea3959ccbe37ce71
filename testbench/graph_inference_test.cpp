// Fast inference of graphs against the plain reference.
#include "net/convolution_kernel.h"
#include "net/graph_inference.h"
#include "net/reference.h"
#include "random_graph.h"
#include <catch2/catch.hpp>
#include <ctime>

using namespace deltatwin;

namespace {

std::vector<int> reference_output(const Graph& graph, const std::vector<int>& input) {
  return reference_tensors(graph, input)[graph.output];
}

/// A residual network as MLPerf Tiny's for 32 x 32 x 3 images: 12.5 M MAC.
Graph residual_network(RandomWork& random) {
  Graph graph;
  graph.name = "residual";
  graph.tensors.push_back({"input", {32, 32, 3}, {8, true, -128}});
  std::size_t at = 0;
  const auto convolve = [&](std::size_t from, int kernel, int stride, int outputs) {
    const std::vector<int> map = graph.tensors[from].shape;
    Convolution convolution;
    Window& window = convolution.window;
    window.rows = window.columns = kernel;
    window.row_stride = window.column_stride = stride;
    window.top = window.left = stride == 1 ? (kernel - 1) / 2 : 0;
    window.bottom = window.right = kernel / 2;
    convolution.outputs = outputs;
    for (int i = 0; i < outputs * kernel * kernel * map[2]; ++i)
      convolution.weights.push_back(static_cast<std::int16_t>(random.in(-127, 127)));
    for (int o = 0; o < outputs; ++o)
      convolution.bias.push_back(random.in(-5000, 5000));
    convolution.requantization.rounding = Rounding::tflite;
    convolution.requantization.multipliers.assign(static_cast<std::size_t>(outputs),
                                                  (1 << 30) + random.in(0, 1 << 29));
    convolution.requantization.shifts.assign(static_cast<std::size_t>(outputs), 39);
    graph.tensors.push_back({"t" + std::to_string(graph.tensors.size()),
                             {window.result_rows(map[0]), window.result_columns(map[1]), outputs},
                             {8, true, random.in(-128, 10)}});
    at = graph.tensors.size() - 1;
    graph.nodes.push_back({"n" + std::to_string(at), {from}, at, convolution});
    return at;
  };
  const auto join = [&](std::size_t a, std::size_t b) {
    Add add;
    add.left_shift = 20;
    for (Requantization& input : add.inputs) {
      input.rounding = Rounding::tflite;
      input.multipliers = {(1 << 30) + random.in(0, 1000)};
      input.shifts = {31};
    }
    add.output = {Rounding::tflite, {1 << 30}, {50}, -128, 127};
    graph.tensors.push_back(
        {"t" + std::to_string(graph.tensors.size()), graph.tensors[a].shape, {8, true, -128}});
    at = graph.tensors.size() - 1;
    graph.nodes.push_back({"n" + std::to_string(at), {a, b}, at, add});
  };
  convolve(0, 3, 1, 16);
  for (const int channels : {16, 32, 64}) {
    const std::size_t from = at;
    const int stride = channels == 16 ? 1 : 2;
    const std::size_t body = convolve(convolve(from, 3, stride, channels), 3, 1, channels);
    join(stride == 1 ? from : convolve(from, 1, 2, channels), body);
  }
  Pool pool;
  pool.kind = Pool::Kind::average;
  pool.window.rows = pool.window.columns = 8;
  pool.requantization = {Rounding::half_even, {1}, {6}, -128, 127};
  graph.tensors.push_back({"pooled", {1, 1, 64}, {8, true, -128}});
  graph.nodes.push_back({"pool", {at}, graph.tensors.size() - 1, pool});
  graph.output = convolve(graph.tensors.size() - 1, 1, 1, 10);
  validate(graph, "residual");
  return graph;
}

double mac_per_second(const Graph& graph, const std::vector<int>& inputs, int images) {
  GraphInference inference(graph);
  std::vector<std::int32_t> outputs(inference.outputs() * static_cast<std::size_t>(images));
  inference.run(inputs.data(), 1, outputs.data());
  const std::clock_t begin = std::clock(); // of this processor: others may be busy
  inference.run(inputs.data(), images, outputs.data());
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return static_cast<double>(graph.macs()) * images / seconds;
}

} // namespace

TEST_CASE("graph inference: outputs of random graphs are the reference's, by every kernel there is") {
  RandomWork random(base_seed() + 1);
  for (int n = 0; n < repeats(150); ++n) {
    RandomGraphLimits limits;
    limits.dense = true;
    limits.thresholds = n % 2 == 0;
    limits.channels = n % 3 == 0 ? 70 : 20;
    const Graph graph = random_graph(random, limits);
    const int images = 2;
    const std::vector<int> inputs = random_inputs(random, graph, images);
    const auto size = static_cast<std::ptrdiff_t>(graph.tensors[graph.input].elements());
    std::vector<int> expected;
    for (int i = 0; i < images; ++i) {
      const std::vector<int> one =
          reference_output(graph, {inputs.begin() + i * size, inputs.begin() + (i + 1) * size});
      expected.insert(expected.end(), one.begin(), one.end());
    }
    for (std::size_t variant = 0; variant < convolution_kernels().size(); ++variant) {
      GraphInference inference(graph, variant);
      std::vector<std::int32_t> outputs(expected.size());
      inference.run(inputs.data(), images, outputs.data());
      CAPTURE(n, variant);
      REQUIRE(outputs == expected);
    }
  }
}

TEST_CASE("graph inference: a residual network as large as MLPerf Tiny's") {
  RandomWork random(base_seed() + 2);
  const Graph graph = residual_network(random);
  CHECK(graph.macs() == 12'501'632);
  const std::vector<int> inputs = random_inputs(random, graph, 1);
  std::vector<std::int32_t> outputs(10);
  GraphInference(graph).run(inputs.data(), 1, outputs.data());
  CHECK(outputs == reference_output(graph, inputs));
}

TEST_CASE("graph inference: how fast it is", "[.speed]") {
  RandomWork random(base_seed() + 2);
  const Graph graph = residual_network(random);
  const int images = 1000;
  const std::vector<int> inputs = random_inputs(random, graph, images);
  for (int n = 0; n < 3; ++n)
    WARN("residual network: " << mac_per_second(graph, inputs, images) / 1e9 << " G MAC/s");
}
