// Networks from outside: what they become, and what is refused.
#include "base/file.h"
#include "import/import.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/reference.h"
#include "net/softmax.h"
#include "random_work.h"
#include "refusal.h"
#include "tflite_model_maker.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>

using namespace deltatwin;

namespace {

/// A folder with networks, inputs and outputs of others; empty: there is none.
std::string data_directory() {
  const char* directory = std::getenv("DELTATWIN_DATA");
  return directory ? directory : "";
}

struct Expected {
  std::string name;
  int label = 0;
  std::vector<std::string> outputs;
};

std::vector<Expected> read_expected(const std::string& path) {
  std::vector<Expected> rows;
  std::istringstream lines(read_file(path));
  std::string line, cell;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    Expected row;
    std::getline(cells, row.name, ',');
    std::getline(cells, cell, ',');
    row.label = std::stoi(cell);
    while (std::getline(cells, cell, ','))
      row.outputs.push_back(cell);
    rows.push_back(row);
  }
  return rows;
}

std::vector<int> run(const Graph& graph, const std::vector<int>& input) {
  GraphInference inference(graph);
  std::vector<std::int32_t> outputs(inference.outputs());
  inference.run(input.data(), 1, outputs.data());
  return outputs;
}

/// Some layers, one behind another, with skips.
std::string random_model(RandomWork& random, TfliteMaker& maker, TfliteMaker::Map& input,
                         TfliteMaker::Map& output) {
  using Map = TfliteMaker::Map;
  input = maker.input(random.in(1, 9), random.in(1, 9), random.in(1, 6));
  Map x = input;
  const int layers = random.in(1, 6);
  for (int l = 0; l < layers; ++l) {
    TfliteMaker::Geometry g;
    g.same = random.in(0, 1) != 0;
    g.rows = random.in(1, g.same ? 7 : std::min(7, x.rows));
    g.columns = random.in(1, g.same ? 7 : std::min(7, x.columns));
    g.row_stride = random.in(1, 4);
    g.column_stride = random.in(1, 4);
    g.fused = random.in(0, 3);
    switch (random.in(0, 9)) {
    case 0:
    case 1:
    case 2:
      if (random.in(0, 3) == 0 && g.same) { // a kernel may reach over the map
        g.row_dilation = random.in(1, 2);
        g.column_dilation = random.in(1, 3);
      } else if (!g.same && random.in(0, 1)) {
        g.pad_top = random.in(0, g.rows - 1);
        g.pad_left = random.in(0, g.columns - 1);
        g.pad_bottom = random.in(0, g.rows - 1);
        g.pad_right = random.in(0, g.columns - 1);
      }
      x = maker.convolve(x, g, random.in(1, 9), false, random.in(0, 1) != 0);
      break;
    case 3:
      x = maker.convolve(x, g, x.channels * random.in(1, 2), true, random.in(0, 1) != 0);
      break;
    case 4:
      x = maker.pool(x, g, true);
      break;
    case 5:
      g.same = false;
      g.rows = random.in(1, x.rows);
      g.columns = random.in(1, x.columns);
      x = maker.pool(x, g, false);
      break;
    case 6: {
      TfliteMaker::Geometry same;
      same.rows = random.in(1, 3);
      same.columns = random.in(1, 3);
      const Map body = maker.convolve(x, same, x.channels, false, true);
      x = random.in(0, 1) ? maker.add(x, body, random.in(0, 3)) : maker.add(body, x, 0);
      break;
    }
    case 7:
      x = maker.rescale(x, std::vector<int>{114, 19, 20, 21}[static_cast<std::size_t>(random.in(0, 3))]);
      break;
    default:
      break;
    }
  }
  if (random.in(0, 2) == 0)
    x = maker.mean(x);
  else if (random.in(0, 1))
    x = maker.flatten(x);
  if (random.in(0, 1) || x.tensor == input.tensor)
    x = maker.dense(x, random.in(1, 12), random.in(0, 1) != 0, random.in(0, 1));
  output = x;
  return maker.writer.file({input.tensor}, {output.tensor});
}

/// The least model of which a change is refused: a convolution of 4 x 4 x 2.
struct SmallModel {
  TfliteWriter writer;
  TfliteWriter::Tensor input{"in", {1, 4, 4, 2}, 9, {0.5F}, {3}, "", 0};
  TfliteWriter::Tensor weights{"w", {3, 1, 1, 2}, 9, {0.25F}, {0}, std::string("\1\2\3\4\5\6", 6), 0};
  TfliteWriter::Tensor bias{"b", {3}, 2, {}, {}, std::string(12, '\1'), 0};
  TfliteWriter::Tensor output{"out;fused", {1, 4, 4, 3}, 9, {0.5F}, {-1}, "", 0};
  int code = 3;
  FlatItem::Fields options = {{0, FlatItem::scalar(std::int8_t{1})},
                              {1, FlatItem::scalar(std::int32_t{1})},
                              {2, FlatItem::scalar(std::int32_t{1})}};

  std::string file() {
    const int in = writer.add(input), w = writer.add(weights), b = writer.add(bias), out = writer.add(output);
    writer.node(code, {in, w, b}, {out}, options);
    return writer.file({in}, {out});
  }
};

} // namespace

TEST_CASE("import: random TensorFlow Lite models compute what their kernels are defined to") {
  RandomWork random(base_seed() + 1);
  for (int n = 0; n < repeats(120); ++n) {
    TfliteMaker maker(random, n % 3 == 0);
    TfliteMaker::Map input, output;
    const std::string model = random_model(random, maker, input, output);
    CAPTURE(n);
    const Import network = import_tflite(model, "model.tflite");
    REQUIRE(reference_tensors(network.graph, input.values)[network.graph.output] == output.values);
    REQUIRE(run(network.graph, input.values) == output.values);
    REQUIRE(network.nodes.size() == network.graph.nodes.size());
    for (const NodeReport& report : network.nodes)
      REQUIRE(report.different == 0);
    const Graph again = parse_graph(format_2_text(network.graph), "again");
    REQUIRE(run(again, input.values) == output.values);
  }
}

TEST_CASE("import: what cannot run is refused by operator and node") {
  const auto refused = [](const auto& change) {
    SmallModel model;
    change(model);
    return refusal([&] { (void)import_tflite(model.file(), "m.tflite"); });
  };
  CHECK(refused([](SmallModel&) {}) == "accepted");
  CHECK_THAT(
      refused([](SmallModel& m) { m.code = 18; }),
      Catch::StartsWith("m.tflite: node 0, MUL \"out;fused\": cannot run here; possible are CONV_2D, "));
  CHECK_THAT(refused([](SmallModel& m) { m.code = 140; }), Catch::Contains("node 0, REDUCE_ALL \"out"));
  CHECK_THAT(refused([](SmallModel& m) { m.code = 32, m.writer.custom = "Mine"; }),
             Catch::Contains("node 0, CUSTOM Mine \"out"));
  CHECK_THAT(refused([](SmallModel& m) { m.input.type = 0; }),
             Catch::Contains("tensor \"in\" is float32; the whole network must be quantized"));
  CHECK_THAT(refused([](SmallModel& m) { m.output.type = 7; }),
             Catch::Contains("tensor \"out;fused\" is int16; int8 and uint8 are possible"));
  CHECK_THAT(refused([](SmallModel& m) { m.input.shape[0] = 2; }),
             Catch::Contains("has a batch of 2, expected 1"));
  CHECK_THAT(refused([](SmallModel& m) { m.input.shape[1] = -1; }), Catch::Contains("sizes must be known"));
  CHECK_THAT(refused([](SmallModel& m) { m.weights.data += 'x'; }),
             Catch::Contains("has 7 bytes of weights for a shape of 6"));
  CHECK_THAT(refused([](SmallModel& m) {
               m.weights.scales = {1, 2};
             }),
             Catch::Contains("has 2 scales of weights, expected one, or one an output"));
  CHECK_THAT(refused([](SmallModel& m) { m.weights.shape[3] = 1 << 14, m.weights.shape[0] = 1 << 14; }),
             Catch::Contains("other channels than the 2 of its input"));
  CHECK_THAT(refused([](SmallModel& m) { m.bias.type = 4; }), Catch::Contains("has a bias of int64"));
  CHECK_THAT(
      refused([](SmallModel& m) { m.bias.data = std::string("\xff\xff\xff\x7f", 4) + std::string(8, '\0'); }),
      Catch::Contains("the sums of channel 0 can reach"));
  CHECK_THAT(refused([](SmallModel& m) { m.options.at(1) = FlatItem::scalar(std::int32_t{0}); }),
             Catch::Contains("has a stride of 0"));
  CHECK_THAT(refused([](SmallModel& m) { m.options.emplace(3, FlatItem::scalar(std::int8_t{4})); }),
             Catch::Contains("has a fused activation of number 4; none, RELU, RELU6"));
  CHECK_THAT(refused([](SmallModel& m) { m.output.scales = {}; }),
             Catch::Contains("has 0 scales, expected one"));
  CHECK_THAT(refused([](SmallModel& m) { m.output.scales = {0}; }),
             Catch::Contains("has a scale that is no positive number"));
  CHECK_THAT(refused([](SmallModel& m) { m.input.zero_points = {200}; }),
             Catch::Contains("has a zero point of 200"));
  CHECK_THAT(refused([](SmallModel& m) { m.writer.version = 2; }),
             Catch::Contains("of version 2, expected 3"));
  CHECK_THAT(refused([](SmallModel& m) { m.writer.graphs = 2; }),
             Catch::Contains("has 2 graphs, expected one"));
}

TEST_CASE("import: a file that is cut or damaged anywhere is refused, or read, and nothing else") {
  SmallModel model;
  const std::string good = model.file();
  REQUIRE(refusal([&] { (void)import_tflite(good, "m"); }) == "accepted");
  int refusals = 0;
  for (std::size_t length = 8; length < good.size(); length += 3)
    refusals += refusal([&] { (void)import_tflite(good.substr(0, length), "m"); }) != "accepted";
  CHECK(refusals > static_cast<int>(good.size() / 3 / 2));
  RandomWork random(base_seed() + 2);
  for (int n = 0; n < repeats(1500); ++n) {
    std::string bad = good;
    for (int change = random.in(1, 3); change > 0; --change)
      bad[static_cast<std::size_t>(random.in(0, static_cast<int>(bad.size()) - 1))] =
          static_cast<char>(random.in(0, 2) ? random.in(0, 255) : random.in(0, 1) * 255);
    (void)refusal([&] { (void)import_tflite(bad, "m"); }); // any other exception fails
  }
}

TEST_CASE("import: sums for which two rules differ are counted one by one") {
  RandomWork random(base_seed() + 3);
  for (int n = 0; n < repeats(200); ++n) {
    const int low = -random.in(0, 500), high = low + random.in(0, 1000);
    const int a = random.in(1, 60), b = random.in(1, 60), shift = random.in(0, 20);
    const auto first = [&](std::int64_t x) { return (x * a + 3000) / 64; };
    const auto second = [&](std::int64_t x) { return (x * b + 3000 + shift) / 64; };
    std::uint64_t count = 0;
    for (int x = low; x <= high; ++x)
      count += first(x) != second(x);
    REQUIRE(count_differences(low, high, first, second) == count);
  }
}

TEST_CASE("import: outputs of MLPerf Tiny's networks equal those that a board logged") {
  const std::string directory = data_directory();
  if (directory.empty()) {
    WARN("not run: DELTATWIN_DATA names no folder with mlperf-tiny");
    return;
  }
  struct Case {
    const char* name;
    int images, offset;
    double digits;
  };
  for (const Case& each : {Case{"ic", 100, 128, 1e6}, Case{"kws", 500, 0, 1e3}}) {
    const std::string at = directory + "/mlperf-tiny/" + each.name;
    const Import network = import_network(at + "/model.tflite");
    const std::string inputs = read_file(at + "/inputs.bin");
    const std::vector<Expected> expected = read_expected(at + "/expected.csv");
    const Tensor& input = network.graph.tensors[network.graph.input];
    const auto elements = static_cast<std::size_t>(input.elements());
    REQUIRE(inputs.size() == elements * expected.size());
    int same = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(each.images); ++i) {
      std::vector<int> values;
      for (std::size_t e = 0; e < elements; ++e)
        values.push_back(each.offset ? static_cast<std::uint8_t>(inputs[i * elements + e]) - each.offset
                                     : static_cast<std::int8_t>(inputs[i * elements + e]));
      const std::vector<double> outputs = probabilities(network.graph, run(network.graph, values));
      bool equal = outputs.size() == expected[i].outputs.size();
      for (std::size_t o = 0; equal && o < outputs.size(); ++o) {
        const double logged = std::stod(expected[i].outputs[o]);
        const double told = each.offset ? std::round(outputs[o] * each.digits) / each.digits
                                        : std::floor(outputs[o] * each.digits) / each.digits;
        equal = std::abs(told - logged) < 1e-9;
      }
      same += equal;
    }
    CHECK(same == each.images);
  }
}
