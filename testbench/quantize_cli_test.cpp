// `quantize`, from the command line: a float ONNX network and a committed one.
#include "desk.h"
#include "net/formats/formats.h"
#include "net/npy.h"
#include "onnx_models.h"
#include <cstring>

using namespace deltatwin;

namespace {

constexpr int channels = 3, side = 8, classes = 4, count = 24;

/// A residual network with batch normalization for inputs of {1, 3, 8, 8}.
std::string small_model(RandomWork& random) {
  OnnxModelWriter writer;
  const auto numbers = [&](int many, float most, float from = 0) {
    std::vector<float> values;
    for (int i = 0; i < many; ++i)
      values.push_back(from + static_cast<float>(random.in(-1000, 1000)) * most / 1000);
    return values;
  };
  writer.input("x", onnx::TensorProto::FLOAT, {0, channels, side, side});
  const auto convolution = [&](const std::string& from, const std::string& name, int inputs, int outputs) {
    auto* node = writer.node(
        "Conv",
        {from, writer.reals(name + "_w", {outputs, inputs, 3, 3}, numbers(outputs * inputs * 9, 0.3F))},
        name);
    OnnxModelWriter::set(node, "pads", {1, 1, 1, 1});
    writer.node("BatchNormalization",
                {name, writer.reals(name + "_s", {outputs}, numbers(outputs, 0.3F, 1)),
                 writer.reals(name + "_b", {outputs}, numbers(outputs, 0.3F)),
                 writer.reals(name + "_m", {outputs}, numbers(outputs, 0.3F)),
                 writer.reals(name + "_v", {outputs}, numbers(outputs, 0.3F, 1))},
                name + "_n");
    return name + "_n";
  };
  writer.node("Relu", {convolution("x", "first", channels, 6)}, "a");
  writer.node("Add", {convolution("a", "second", 6, 6), "a"}, "sum");
  writer.node("Relu", {"sum"}, "b");
  writer.node("GlobalAveragePool", {"b"}, "mean");
  writer.node("Flatten", {"mean"}, "flat");
  writer.node("Gemm", {"flat", writer.reals("w", {6, classes}, numbers(6 * classes, 1))}, "logits");
  writer.node("Softmax", {"logits"}, "y");
  return writer.text("y");
}

std::string npy_of(const std::vector<float>& values, const std::vector<std::uint64_t>& shape) {
  NpyArray array;
  array.kind = NpyArray::Kind::real;
  array.bytes = 4;
  array.shape = shape;
  array.data.resize(values.size() * 4);
  std::memcpy(array.data.data(), values.data(), array.data.size());
  return npy_text(array);
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A desk with a model, inputs in the file's order and in the tensor's, and labels.
struct QuantizeDesk : Desk {
  QuantizeDesk() {
    RandomWork random(base_seed());
    write("model.onnx", small_model(random));
    std::vector<float> values, moved;
    for (int i = 0; i < count * channels * side * side; ++i)
      values.push_back(static_cast<float>(random.in(-1000, 1000)) / 500);
    for (int i = 0; i < count; ++i)
      for (int at = 0; at < side * side; ++at)
        for (int c = 0; c < channels; ++c)
          moved.push_back(values[static_cast<std::size_t>((i * channels + c) * side * side + at)]);
    write("inputs.npy", npy_of(values, {count, channels, side, side}));
    write("moved.npy", npy_of(moved, {count, side, side, channels}));
    std::string labels = "name,label\n";
    for (int i = 0; i < count; ++i)
      labels += "x," + std::to_string(random.in(0, classes - 1)) + "\n";
    write("labels.csv", labels);
  }
};

} // namespace

TEST_CASE("command line: a float ONNX network becomes one of integers, with its tables") {
  const QuantizeDesk desk;
  const Outcome outcome =
      desk.run(words("quantize model.onnx --calibration inputs.npy --inputs inputs.npy --labels labels.csv "
                     "--tables tables --json result.json"));
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out,
             Catch::Contains("model_int8.json: model_int8, 5 nodes, 510 weights") &&
                 Catch::Contains("calibrated on 24 inputs") && Catch::Contains("SQNR dB") &&
                 Catch::Contains("the host quantizes the input: integer = clamp(round(real / ") &&
                 Catch::Contains("the host computes the softmax") &&
                 Catch::Contains("24 test inputs: float "));
  const Graph graph = load_graph(desk.path("model_int8.json"));
  CHECK_THAT(graph.description, Catch::Contains("deltatwin quantize model.onnx --calibration inputs.npy"));
  const boost::json::value result = desk.json_file("result.json");
  CHECK(result.at("format").as_string() == "deltatwin-quantize-1");
  CHECK(result.at("layers").as_array().size() == 5);
  CHECK(result.at("test").at("same_class").to_number<double>() > 0.8);
  CHECK(result.at("test").at("accuracy").is_double());
  CHECK(lines(read_file(desk.path("tables/weights.csv"))) == 1 + 510);
  CHECK(lines(read_file(desk.path("tables/biases.csv"))) == 1 + 6 + 6 + classes);
  CHECK(lines(read_file(desk.path("tables/scales.csv"))) == 1 + graph.tensors.size() + 6 + 6 + classes);
  const auto& first = std::get<Convolution>(graph.nodes[0].op);
  CHECK_THAT(read_file(desk.path("tables/weights.csv")),
             Catch::Contains("\nfirst_n,0,0,0,0," + std::to_string(first.weights[0]) + "\n") ||
                 Catch::Contains("\nfirst,0,0,0,0," + std::to_string(first.weights[0]) + "\n"));
  // The same inputs in the order of the tensor make the same network.
  REQUIRE(desk.run(words("quantize model.onnx --calibration moved.npy -o moved.json")).code == 0);
  const Graph moved = load_graph(desk.path("moved.json"));
  CHECK(std::get<Convolution>(moved.nodes[0].op).bias == first.bias);
  CHECK(moved.tensors[0].scale == graph.tensors[0].scale);
}

TEST_CASE("command line: networks of 8 and of 4 bits that quantize makes run on the array") {
  const QuantizeDesk desk;
  for (const std::string bits :
       {"8 --activation-bits 8 --range percentile", "4 --activation-bits 8 --first-weight-bits 8",
        "4 --activation-bits 4 --range squared-error"}) {
    CAPTURE(bits);
    const Outcome made = desk.run(
        words("quantize model.onnx --calibration inputs.npy --calibration-count 9 -o q.json --weight-bits " +
              bits));
    CAPTURE(made.err);
    REQUIRE(made.code == 0);
    const Outcome run = desk.run(words("simulate --top array --network q.json --images random:3"));
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK_THAT(run.out, Catch::Contains("cycles an image"));
  }
  CHECK(load_graph(desk.path("q.json")).tensors.back().format.bits == 8); // the output keeps its bits
}

TEST_CASE("command line: the committed network of integers is what its command writes") {
  const Desk desk;
  const std::string traces = std::string(DELTATWIN_RTL_DIRECTORY) + "/../traces/";
  const Outcome outcome = desk.run({"quantize", "--network", traces + "fashion_resnet8.safetensors",
                                    "--images", "50", "-o", "again.json"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK((read_file(desk.path("again.json")) == read_file(traces + "fashion_resnet8_int8.json")));
}

TEST_CASE("command line: what quantize cannot do is one line") {
  const QuantizeDesk desk;
  desk.write("cut.onnx", read_file(desk.path("model.onnx")).substr(0, 300));
  desk.write("short.npy", npy_of({1, 2, 3}, {3}));
  desk.write("nan.npy", npy_of(std::vector<float>(192, NAN), {1, channels, side, side}));
  const struct {
    std::string options, says;
  } rows[] = {
      {"none.onnx --calibration inputs.npy", "none.onnx"},
      {"cut.onnx --calibration inputs.npy", "cut.onnx: "},
      {"model.onnx", "model takes 8x8x3"},
      {"model.onnx --calibration short.npy", "no whole inputs of 8x8x3 = 192"},
      {"model.onnx --calibration nan.npy", "no finite number"},
      {"model.onnx --calibration none.npy", "none.npy"},
      {"model.onnx --calibration 0", "possible are 1 to 5,000, or a file of inputs"},
      {"model.onnx --calibration inputs.npy --calibration-count 25", "has 24 inputs, 25 are asked for"},
      {"model.onnx --calibration inputs.npy --range most", "possible are min-max, percentile, squared-error"},
      {"model.onnx --calibration inputs.npy --weight-bits 1", "weights of 1 bits; possible are 2 to 8"},
      {"model.onnx --calibration inputs.npy --mean 1,2", "for 2 channels, its input has 3"},
      {"model.onnx --calibration inputs.npy --labels labels.csv", "--inputs, which is missing"},
      {"--network fashion_resnet8 --mean 1", "--mean, --deviation and --full-scale are for ONNX files"},
      {"model.onnx --network fashion_resnet8", "excludes"},
      {"small.json", "small.json"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.options);
    const Outcome outcome = desk.run(words("quantize " + row.options));
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(row.says));
    CHECK(lines(outcome.err) == 1);
  }
}
