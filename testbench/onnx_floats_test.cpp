// Float ONNX networks: what is read of them computes what a second reading of the operators gives
// (onnx_evaluator), and what ONNX's own tests expect; their integers are near.
#include "import/float_inference.h"
#include "import/post_training.h"
#include "onnx_evaluator.h"
#include "onnx_models.h"
#include "random_work.h"
#include "refusal.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

using namespace deltatwin;

namespace {

/// A random network, node by node, with names that count.
class RandomFloats {
public:
  explicit RandomFloats(std::uint64_t seed) : random_(seed) {
    channels_ = random_.in(1, 4);
    rows_ = random_.in(6, 9);
    columns_ = random_.in(6, 9);
    const bool channels_last = random_.in(0, 3) == 0;
    dims_ = channels_last ? std::vector{1, rows_, columns_, channels_}
                          : std::vector{1, channels_, rows_, columns_};
    writer_.input("x", onnx::TensorProto::FLOAT, dims_);
    at_ = "x";
    if (random_.in(0, 2) == 0)
      preprocess(channels_last);
    if (channels_last)
      OnnxModelWriter::set(add("Transpose", {at_}), "perm", {0, 3, 1, 2});
    convolution(random_.in(2, 6), random_.in(0, 2) > 0);
    for (int layer = random_.in(1, 4); layer > 0; --layer)
      any_layer();
    head();
    text_ = writer_.text(at_);
    evaluated_ = writer_.model();
    if (random_.in(0, 1) == 0) {
      add("Softmax", {at_});
      text_ = writer_.text(at_);
    }
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::vector<std::int64_t> dims() const { return {dims_.begin(), dims_.end()}; }
  [[nodiscard]] std::vector<double> expected(const std::vector<float>& x) const {
    OnnxEvaluator<double> evaluator(evaluated_);
    return evaluator.run({dims(), {x.begin(), x.end()}}).at(evaluated_.graph().output(0).name()).values;
  }
  [[nodiscard]] std::vector<float> input() {
    std::vector<float> x(static_cast<std::size_t>(channels_of_input() * dims_[1] * dims_[2] * dims_[3]));
    for (float& value : x)
      value = number(1);
    return x;
  }

private:
  static int channels_of_input() { return 1; }
  float number(float most) { return static_cast<float>(random_.in(-1000, 1000)) * most / 1000; }
  std::vector<float> numbers(int count, float most, float from = 0) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i)
      values.push_back(from + number(most));
    return values;
  }
  onnx::NodeProto* add(const std::string& op, const std::vector<std::string>& inputs) {
    const std::string name = "n" + std::to_string(++count_);
    auto* node = writer_.node(op, inputs, name);
    at_ = name;
    return node;
  }
  std::string constant(const std::vector<int>& dims, const std::vector<float>& values) {
    return writer_.reals("c" + std::to_string(++count_), dims, values);
  }
  std::vector<int> by_channel() const { return {1, channels_, 1, 1}; }

  void preprocess(bool channels_last) {
    const std::vector<int> dims = random_.in(0, 1) == 0 ? std::vector<int>{}
                                  : channels_last       ? std::vector{channels_}
                                                        : by_channel();
    const int count = dims.empty() ? 1 : channels_;
    add("Sub", {at_, constant(dims, numbers(count, 0.2F, 0.1F))});
    if (random_.in(0, 1) == 0)
      add("Div", {at_, constant(dims, numbers(count, 0.2F, 0.5F))});
    else
      add("Mul", {constant({}, {1.5F}), at_});
  }

  void convolution(int outputs, bool same) {
    const int kernel = same ? 3 : random_.in(1, 3), stride = same ? 1 : random_.in(1, 2),
              dilation = kernel > 1 && !same ? random_.in(1, 2) : 1;
    int groups = 1;
    if (channels_ > 1 && outputs % channels_ == 0 && random_.in(0, 1) == 0)
      groups = channels_;
    const int own = channels_ / groups, extent = (kernel - 1) * dilation + 1;
    const float most = 2 / std::sqrt(static_cast<float>(own * kernel * kernel));
    std::vector<std::string> inputs = {
        at_, constant({outputs, own, kernel, kernel}, numbers(outputs * own * kernel * kernel, most))};
    if (random_.in(0, 2) > 0)
      inputs.push_back(constant({outputs}, numbers(outputs, 0.3F)));
    auto* node = add("Conv", inputs);
    const int before = same ? 1 : random_.in(0, extent - 1), behind = same ? 1 : random_.in(0, extent - 1);
    OnnxModelWriter::set(node, "pads", {before, before, behind, behind});
    OnnxModelWriter::set(node, "strides", {stride, stride});
    OnnxModelWriter::set(node, "dilations", {dilation, dilation});
    OnnxModelWriter::set(node, "group", groups);
    rows_ = (rows_ + before + behind - extent) / stride + 1;
    columns_ = (columns_ + before + behind - extent) / stride + 1;
    channels_ = outputs;
    if (random_.in(0, 1) == 0)
      normalization();
    if (random_.in(0, 2) > 0)
      clamp();
  }

  void normalization() {
    add("BatchNormalization",
        {at_, constant({channels_}, numbers(channels_, 0.5F, 1)),
         constant({channels_}, numbers(channels_, 0.5F)), constant({channels_}, numbers(channels_, 0.3F)),
         constant({channels_}, numbers(channels_, 0.3F, 0.8F))});
  }

  void clamp() {
    if (random_.in(0, 2) > 0)
      add("Relu", {at_});
    else
      add("Clip", {at_, constant({}, {-0.5F}), constant({}, {1.5F})});
  }

  void any_layer() {
    switch (random_.in(0, 5)) {
    case 0: { // residual
      const std::string shortcut = at_;
      convolution(channels_, true);
      if (random_.in(0, 1) == 0)
        add("Add", {at_, shortcut});
      else
        add("Add", {shortcut, at_});
      if (random_.in(0, 1) == 0)
        clamp();
      break;
    }
    case 1:
      if (rows_ > 2 && columns_ > 2) {
        auto* node = add(random_.in(0, 1) == 0 ? "MaxPool" : "AveragePool", {at_});
        OnnxModelWriter::set(node, "kernel_shape", {2, 2});
        OnnxModelWriter::set(node, "strides", {2, 2});
        rows_ = (rows_ - 2) / 2 + 1;
        columns_ = (columns_ - 2) / 2 + 1;
        if (random_.in(0, 1) == 0)
          clamp();
      }
      break;
    case 2:
      normalization();
      break;
    case 3:
      add("Mul", {at_, constant(by_channel(), numbers(channels_, 0.5F, 0.8F))});
      break;
    default:
      if (rows_ > 4 && columns_ > 4)
        convolution(random_.in(0, 1) == 0 ? channels_ : random_.in(2, 6), random_.in(0, 1) == 0);
    }
  }

  void head() {
    int features = channels_ * rows_ * columns_;
    if (random_.in(0, 1) == 0) {
      add("GlobalAveragePool", {at_});
      features = channels_;
    }
    OnnxModelWriter::set(add("Flatten", {at_}), "axis", 1);
    const int classes = random_.in(2, 6);
    const float most = 2 / std::sqrt(static_cast<float>(features));
    const std::vector<float> weights = numbers(features * classes, most);
    if (random_.in(0, 1) == 0) {
      auto* node = add(
          "Gemm", {at_, constant({classes, features}, weights), constant({classes}, numbers(classes, 0.5F))});
      OnnxModelWriter::set(node, "transB", 1);
      OnnxModelWriter::set(node, "alpha", 0.5F);
    } else {
      add("MatMul", {at_, constant({features, classes}, weights)});
      add("Add", {at_, constant({classes}, numbers(classes, 0.5F))});
    }
  }

  RandomWork random_;
  OnnxModelWriter writer_;
  onnx::ModelProto evaluated_;
  std::string at_, text_;
  std::vector<int> dims_;
  int channels_ = 1, rows_ = 1, columns_ = 1, count_ = 0;
};

std::vector<float> in_order(const std::vector<float>& file, const std::vector<std::uint32_t>& order) {
  std::vector<float> result = file;
  for (std::size_t i = 0; i < order.size(); ++i)
    result[order[i]] = file[i];
  return result;
}

template <class Proto> Proto read_proto(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Proto proto;
  REQUIRE(proto.ParseFromIstream(&file));
  return proto;
}

std::vector<float> floats_of(const onnx::TensorProto& tensor) {
  std::vector<float> values(tensor.float_data().begin(), tensor.float_data().end());
  const std::string& raw = tensor.raw_data();
  values.resize(values.size() + raw.size() / sizeof(float));
  if (!raw.empty())
    std::memcpy(values.data(), raw.data(), raw.size() / sizeof(float) * sizeof(float));
  return values;
}

/// The model of one of ONNX's tests, all inputs but the first frozen.
std::string frozen(const std::filesystem::path& directory) {
  auto model = read_proto<onnx::ModelProto>(directory / "model.onnx");
  auto* graph = model.mutable_graph();
  std::vector<std::string> constants;
  for (const auto& tensor : graph->initializer())
    constants.push_back(tensor.name());
  int index = 0;
  for (const auto& input : graph->input()) {
    if (std::find(constants.begin(), constants.end(), input.name()) != constants.end())
      continue;
    const auto file = directory / "test_data_set_0" / ("input_" + std::to_string(index) + ".pb");
    if (index++ > 0 && std::filesystem::exists(file)) {
      auto tensor = read_proto<onnx::TensorProto>(file);
      tensor.set_name(input.name());
      *graph->add_initializer() = tensor;
    }
  }
  return model.SerializeAsString();
}

std::string small_model(OnnxModelWriter& writer, const std::string& op,
                        const std::vector<std::string>& inputs) {
  writer.input("x", onnx::TensorProto::FLOAT, {1, 2, 4, 4});
  writer.node(op, inputs, "y");
  return writer.text("y");
}

} // namespace

TEST_CASE("onnx floats: random networks compute what a second reading gives, and their integers are near") {
  std::vector<double> noise;
  for (int round = 0; round < repeats(60); ++round) {
    CAPTURE(round, base_seed());
    RandomFloats made(base_seed() * 1000 + static_cast<std::uint64_t>(round));
    const FloatGraph network = read_float_onnx(made.text(), "random.onnx");
    FloatInference inference(network);
    GivenInputs inputs;
    std::vector<std::vector<double>> expected;
    double largest = 0;
    for (inputs.count = 0; inputs.count < 8; ++inputs.count) {
      const std::vector<float> x = made.input(), given = in_order(x, network.input_order);
      inputs.values.insert(inputs.values.end(), given.begin(), given.end());
      expected.push_back(made.expected(x));
      for (const double value : expected.back())
        largest = std::max(largest, std::abs(value));
    }
    const std::size_t each = inputs.values.size() / 8;
    for (std::size_t i = 0; i < 8; ++i) {
      inference.run(inputs.values.data() + i * each);
      const std::vector<float>& got = inference.tensor(network.graph.output);
      REQUIRE(got.size() == expected[i].size());
      for (std::size_t o = 0; o < got.size(); ++o)
        REQUIRE(std::abs(got[o] - expected[i][o]) <= 1e-5 * (largest + 1));
    }
    PostTrainingOptions options;
    options.recalibrates_biases = round % 2 == 0;
    options.range = round % 3 == 0 ? RangeMethod::squared_error : RangeMethod::min_max;
    const PostTrained quantized = quantize_after_training(network, inputs, options);
    noise.push_back(quantized.tensors[network.graph.output].signal_to_noise);
    CHECK(noise.back() > 5);
    // What can be, is part of the nodes before: no clamp or factor is left behind a convolution that only it
    // reads.
    for (const Node& node : network.graph.nodes)
      if (std::holds_alternative<Rescale>(node.op) || scales_channels(node))
        for (const Node& before : network.graph.nodes)
          if (before.output == node.inputs[0] && std::holds_alternative<Convolution>(before.op)) {
            std::size_t readers = 0;
            for (const Node& reader : network.graph.nodes)
              readers += static_cast<std::size_t>(
                  std::count(reader.inputs.begin(), reader.inputs.end(), before.output));
            const std::size_t at = static_cast<std::size_t>(&before - network.graph.nodes.data());
            CHECK((readers > 1 || (network.nodes[at].clamps() && scales_channels(node))));
          }
  }
  std::sort(noise.begin(), noise.end());
  CHECK(noise[noise.size() / 2] > 25);
}

TEST_CASE("onnx floats: ONNX's own tests of real numbers give what they expect, or are refused") {
  const std::filesystem::path data = "/usr/share/libonnx-testdata/data";
  if (!std::filesystem::exists(data))
    FAIL("there is no " << data << "; install libonnx-testdata");
  int accepted = 0, refused = 0;
  for (const char* part : {"pytorch-converted", "pytorch-operator", "node"})
    for (const auto& entry : std::filesystem::directory_iterator(data / part)) {
      const std::string name = entry.path().filename().string();
      const auto sets = entry.path() / "test_data_set_0";
      if (!std::filesystem::exists(sets / "input_0.pb") || !std::filesystem::exists(sets / "output_0.pb"))
        continue;
      const auto first = read_proto<onnx::TensorProto>(sets / "input_0.pb"),
                 last = read_proto<onnx::TensorProto>(sets / "output_0.pb");
      if (first.data_type() != onnx::TensorProto::FLOAT || last.data_type() != onnx::TensorProto::FLOAT)
        continue;
      FloatGraph network;
      const std::string told =
          refusal([&] { network = read_float_onnx(frozen(entry.path()), name + ".onnx"); });
      if (told != "accepted") {
        CAPTURE(name);
        CHECK_THAT(told, Catch::StartsWith(name + ".onnx: "));
        ++refused;
        continue;
      }
      const bool left_to_host = network.graph.softmax ||
                                std::any_of(network.notes.begin(), network.notes.end(), [](const auto& note) {
                                  return note.find("the host computes the") == 0;
                                });
      if (left_to_host)
        continue;
      ++accepted;
      CAPTURE(name);
      const std::vector<float> given = floats_of(first), expected = floats_of(last);
      FloatInference inference(network);
      const std::size_t each = network.graph.tensors[network.graph.input].elements(),
                        results = network.graph.tensors[network.graph.output].elements();
      REQUIRE(given.size() % each == 0);
      REQUIRE(expected.size() == given.size() / each * results);
      for (std::size_t b = 0; b < given.size() / each; ++b) {
        const auto begin = given.begin() + static_cast<std::ptrdiff_t>(b * each);
        inference.run(
            in_order({begin, begin + static_cast<std::ptrdiff_t>(each)}, network.input_order).data());
        const std::vector<float>& got = inference.tensor(network.graph.output);
        for (std::size_t i = 0; i < results; ++i) {
          const float value = got[network.output_order.empty() ? i : network.output_order[i]],
                      wanted = expected[b * results + i];
          REQUIRE(std::abs(value - wanted) <= 1e-4F * (1 + std::abs(wanted)));
        }
      }
    }
  CAPTURE(accepted, refused);
  CHECK(accepted > 60);
}

TEST_CASE("onnx floats: integers less the bytes' mean are exact where channels share it") {
  OnnxModelWriter writer;
  writer.input("x", onnx::TensorProto::FLOAT, {0, 2, 3, 3});
  writer.node("Sub", {"x", writer.reals("mean", {1, 2, 1, 1}, {102, 102})}, "less");
  auto* node = writer.node("Conv", {"less", writer.reals("w", {1, 2, 3, 3}, std::vector<float>(18, 1))}, "y");
  OnnxModelWriter::set(node, "pads", {1, 1, 1, 1});
  const FloatGraph network = read_float_onnx(writer.text("y"), "mean.onnx");
  CHECK(network.mean == std::vector<float>{102, 102});
  GivenInputs inputs;
  inputs.count = 1;
  inputs.byte_step = 1;
  for (int i = 0; i < 18; ++i)
    inputs.values.push_back(static_cast<float>(14 * i));
  const PostTrained quantized = quantize_after_training(network, inputs, {});
  const Tensor& input = quantized.graph.tensors[quantized.graph.input];
  CHECK(input.format.zero_point == 102 - 128);
  CHECK(quantized.input_zero == 102);
  CHECK(std::get<Convolution>(quantized.graph.nodes[0].op).bias[0] == 0);
  CHECK(quantized.tensors[quantized.graph.output].signal_to_noise > 45);
}

TEST_CASE("onnx floats: files with other bytes are read or refused") {
  RandomWork random(base_seed());
  int refused = 0;
  const int rounds = repeats(300);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, base_seed());
    std::string text = RandomFloats(base_seed() + static_cast<std::uint64_t>(round % 10)).text();
    for (int change = random.in(1, 3); change > 0; --change)
      text[static_cast<std::size_t>(random.in(0, static_cast<int>(text.size()) - 1))] =
          static_cast<char>(random.in(0, 255));
    FloatGraph network;
    const std::string told = refusal([&] { network = read_float_onnx(text, "m.onnx"); });
    refused += told != "accepted";
    if (told != "accepted")
      CHECK_THAT(told, Catch::StartsWith("m.onnx: "));
    if (told != "accepted" || network.graph.macs() > 1'000'000)
      continue;
    GivenInputs inputs;
    inputs.count = 1;
    inputs.values.assign(network.graph.tensors[network.graph.input].elements(), 0.5F);
    (void)refusal([&] { (void)quantize_after_training(network, inputs, {}); });
  }
  CHECK(refused > rounds / 10);
}

TEST_CASE("onnx floats: what cannot be is named, with its node") {
  const auto told = [](const std::string& op, const std::vector<std::string>& inputs,
                       const std::function<void(OnnxModelWriter&)>& prepare = {}) {
    OnnxModelWriter writer;
    if (prepare)
      prepare(writer);
    const std::string text = small_model(writer, op, inputs);
    return refusal([&] { (void)read_float_onnx(text, "m.onnx"); });
  };
  CHECK_THAT(told("Tanh", {"x"}), Catch::StartsWith("m.onnx: node \"y\" (Tanh)") &&
                                      Catch::Contains("possible in a float network are Conv"));
  CHECK_THAT(told("QuantizeLinear", {"x"}), Catch::Contains("deltatwin import reads it"));
  CHECK_THAT(told("Mul", {"x", "x"}), Catch::Contains("it joins two tensors"));
  CHECK_THAT(told("Conv", {"x", "w"}), Catch::Contains("which no node before it writes"));
  CHECK_THAT(told("Conv", {"x", "w"},
                  [](OnnxModelWriter& w) {
                    w.reals("w", {1, 3, 1, 1}, {1, 1, 1});
                  }),
             Catch::Contains("weights for 3 channels in 1 groups do not go with 2 input"));
  CHECK_THAT(told("Conv", {"x", "w"},
                  [](OnnxModelWriter& w) {
                    w.bytes("w", true, {1, 2, 1, 1}, {1, 1});
                  }),
             Catch::Contains("deltatwin import"));
  CHECK_THAT(told("Conv", {"x", "w"},
                  [](OnnxModelWriter& w) {
                    w.reals("w", {1, 2, 1, 1}, {1, INFINITY});
                  }),
             Catch::Contains("no finite number"));
  CHECK_THAT(told("Div", {"x", "c"}, [](OnnxModelWriter& w) { w.scalar("c", 0); }),
             Catch::Contains("a constant is 0"));
  CHECK_THAT(told("Sub", {"x", "c"}, [](OnnxModelWriter& w) { w.scalar("c", 1); }),
             Catch::Contains("there is nothing to quantize"));
  CHECK_THAT(told("Clip", {"x", "a", "b"},
                  [](OnnxModelWriter& w) {
                    w.scalar("a", 1);
                    w.scalar("b", 0);
                  }),
             Catch::Contains("it clamps to 1 to 0"));
  CHECK_THAT(told("MatMul", {"w", "x"},
                  [](OnnxModelWriter& w) {
                    w.reals("w", {4, 4}, std::vector<float>(16));
                  }),
             Catch::Contains("second, a constant matrix"));
  CHECK_THAT(refusal([] { (void)read_float_onnx("nothing", "n.onnx"); }), Catch::Contains("n.onnx"));
  OnnxModelWriter writer;
  writer.input("x", onnx::TensorProto::FLOAT, {1, 2, 4, 4});
  writer.node("Sub", {"x", writer.scalar("one", 1)}, "less");
  writer.node("Relu", {"less"}, "y");
  CHECK_THAT(refusal([&] { (void)read_float_onnx(writer.text("y"), "m.onnx"); }),
             Catch::Contains("something else reads it, too"));
}
