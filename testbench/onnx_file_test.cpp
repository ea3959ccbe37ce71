// ONNX files as ONNX's own classes write them, cut off and broken ones, and such as mean harm.
#include "import/import.h"
#include "import/onnx_file.h"
#include "onnx_models.h"
#include "random_work.h"
#include "refusal.h"
#include <catch2/catch.hpp>
#include <random>
#include <sys/resource.h>

using namespace deltatwin;

namespace {

std::string complaint(const std::string& bytes) {
  return refusal([&] { (void)import_onnx(bytes, "x.onnx"); });
}

// A convolution in QDQ form, and an addition, whose scales take a while.
OnnxModelWriter small_model(bool adds = true) {
  OnnxModelWriter model;
  model.input("x", onnx::TensorProto::FLOAT, {0, 2, 4, 4});
  model.quantize("x", "q", 0.5f, 3, true);
  const std::string x = model.dequantize("q");
  model.bytes("w", true, {2, 2, 1, 1}, {1, -2, 3, 4});
  model.node("DequantizeLinear",
             {"w", model.reals("w_scale", {2}, {0.5f, 0.25f}), model.bytes("w_zero", true, {2}, {0, 0})},
             "w_real");
  OnnxModelWriter::set(model.model().mutable_graph()->mutable_node(2), "axis", 0);
  model.node("Conv", {x, "w_real"}, "conv");
  model.quantize("conv", "c", 1, -5, true);
  model.node(adds ? "Add" : "Relu", {model.dequantize("c")}, "sum");
  if (adds)
    model.model().mutable_graph()->mutable_node(model.model().graph().node_size() - 1)->add_input(x);
  model.quantize("sum", "y", 2, 0, true);
  return model;
}

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}
std::string field(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string field(int number, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) + varint(value);
}

} // namespace

TEST_CASE("onnx file: everything is read as ONNX's own classes wrote it") {
  OnnxModelWriter writer = small_model();
  auto* graph = writer.model().mutable_graph();
  const auto tensor = [&](const std::string& name, int type, int size) {
    auto* added = graph->add_initializer();
    added->set_name(name);
    added->set_data_type(type);
    added->add_dims(size);
    return added;
  };
  auto* ints = tensor("ints", onnx::TensorProto::INT8, 3);
  for (const int value : {-128, 0, 127})
    ints->add_int32_data(value);
  auto* wide = tensor("wide", onnx::TensorProto::INT64, 2);
  wide->add_int64_data(-5);
  wide->add_int64_data(std::int64_t{1} << 40);
  auto* reals = tensor("reals", onnx::TensorProto::FLOAT, 2);
  reals->add_float_data(0.1f);
  reals->add_float_data(-3);
  auto* doubles = tensor("doubles", onnx::TensorProto::DOUBLE, 1);
  doubles->add_double_data(0.1);
  auto* node = writer.node("Odd", {"a", "", "b"}, "o", "some.domain");
  OnnxModelWriter::set(node, "ints", std::vector<int>{1, -2, 300});
  OnnxModelWriter::set(node, "int", -7);
  OnnxModelWriter::set(node, "real", 0.25f);
  OnnxModelWriter::set(node, "text", "SAME_UPPER");
  auto* list = node->add_attribute();
  list->set_name("reals");
  list->set_type(onnx::AttributeProto::FLOATS);
  list->add_floats(1.5f);
  list->add_floats(2.5f);

  const OnnxModel model = read_onnx(writer.text("y"), "x.onnx");
  CHECK(model.producer == "test");
  CHECK(model.opsets.at("") == 13);
  CHECK(model.opsets.at("some.domain") == 1);
  REQUIRE(model.inputs.size() == 1);
  CHECK(model.inputs[0].name == "x");
  CHECK(model.inputs[0].type == OnnxType::float32);
  CHECK(model.inputs[0].dims == std::vector<std::int64_t>{0, 2, 4, 4});
  REQUIRE(model.outputs.size() == 1);
  CHECK(model.outputs[0].name == "y");
  REQUIRE(static_cast<int>(model.nodes.size()) == graph->node_size());
  const OnnxNode& odd = model.nodes.back();
  CHECK(odd.op == "Odd");
  CHECK(odd.domain == "some.domain");
  CHECK(odd.inputs == std::vector<std::string>{"a", "", "b"});
  CHECK(odd.outputs == std::vector<std::string>{"o"});
  CHECK(odd.attributes.at("ints").integers == std::vector<std::int64_t>{1, -2, 300});
  CHECK(odd.attributes.at("int").integer == -7);
  CHECK(odd.attributes.at("real").real == 0.25f);
  CHECK(odd.attributes.at("text").text == "SAME_UPPER");
  CHECK(odd.attributes.at("reals").reals == std::vector<float>{1.5f, 2.5f});
  const OnnxTensor& w = model.initializers.at("w");
  CHECK(w.type == OnnxType::int8);
  CHECK(w.dims == std::vector<std::int64_t>{2, 2, 1, 1});
  CHECK(w.integer(1) == -2);
  CHECK(w.integer(3) == 4);
  CHECK(model.initializers.at("ints").integer(0) == -128);
  CHECK(model.initializers.at("ints").integer(2) == 127);
  CHECK(model.initializers.at("wide").integer(0) == -5);
  CHECK(model.initializers.at("wide").integer(1) == std::int64_t{1} << 40);
  CHECK(model.initializers.at("reals").real(0) == double{0.1f});
  CHECK(model.initializers.at("doubles").real(0) == 0.1);
}

TEST_CASE("onnx file: one that is cut off anywhere is refused in one line") {
  const std::string bytes = small_model().text("y");
  REQUIRE(complaint(bytes) == "accepted");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string what = complaint(bytes.substr(0, size));
    CAPTURE(size, what);
    CHECK(what.rfind("x.onnx: ", 0) == 0);
    CHECK(what.find('\n') == std::string::npos);
  }
  CHECK(complaint(bytes.substr(0, bytes.size() / 2)).find("cut off") != std::string::npos);
  CHECK(complaint("").find("no graph") != std::string::npos);
  CHECK(complaint("TFL3 and something else").find("no whole ONNX file") != std::string::npos);
}

TEST_CASE("onnx file: broken bytes are refused, or make another network") {
  const std::string texts[] = {small_model(false).text("y"), small_model().text("y")};
  std::mt19937_64 random(base_seed());
  int refused = 0;
  for (int i = 0; i < repeats(1500); ++i) {
    std::string broken = texts[i % 16 == 0];
    for (std::uint64_t n = random() % 4 + 1; n > 0; --n)
      broken[random() % broken.size()] = static_cast<char>(random());
    const std::string what = complaint(broken);
    CAPTURE(i, what);
    if (what != "accepted")
      ++refused;
    CHECK((what == "accepted" || what.rfind("x.onnx: ", 0) == 0));
  }
  CHECK(refused > 100);
}

TEST_CASE("onnx file: sizes that nobody has do not cost memory") {
  const auto tensor = [](const std::string& content) { return field(7, field(5, field(8, "w") + content)); };
  const long before = peak_megabytes();
  CHECK(complaint(tensor(field(1, std::uint64_t{1} << 40) + field(2, 3))) ==
        "x.onnx: constant \"w\" has more than 16777216 elements");
  CHECK(complaint(tensor(field(1, 1 << 20) + field(1, 1 << 20) + field(2, 3))) ==
        "x.onnx: constant \"w\" has more than 16777216 elements");
  CHECK(complaint(tensor(field(1, ~std::uint64_t{0}) + field(2, 3))) ==
        "x.onnx: constant \"w\" has more than 16777216 elements");
  CHECK(complaint(tensor(field(1, 1000) + field(2, 3) + field(9, "123"))) ==
        "x.onnx: constant \"w\" has 3 elements, its dimensions tell 1000");
  CHECK(complaint(varint(7 << 3 | 2) + varint(std::uint64_t{1} << 60) + "x").find("cut off") !=
        std::string::npos);
  std::string nodes;
  for (int i = 0; i < 30'000; ++i)
    nodes += field(1, "");
  CHECK(complaint(field(7, nodes)) == "x.onnx: it has more than 20000 nodes");
  std::string inputs;
  for (int i = 0; i < 500'000; ++i)
    inputs += field(1, "");
  CHECK(complaint(field(7, field(1, inputs))) ==
        "x.onnx: it has more than 200000 inputs, outputs and attributes of nodes");
  std::string dimensions;
  for (int i = 0; i < 1000; ++i)
    dimensions += field(1, 1);
  CHECK(complaint(tensor(dimensions + field(2, 3))) ==
        "x.onnx: it has more than 8 dimensions of one constant");
  const std::string million(std::size_t{2} << 20, '\1'); // packed ones
  CHECK(complaint(field(7, field(1, field(5, field(1, "a") + field(8, million))))) ==
        "x.onnx: it has more than 1048576 numbers in attributes");
  CHECK(peak_megabytes() - before < 100);

  OnnxModelWriter model;
  model.input("x", onnx::TensorProto::FLOAT, {1, 1 << 20, 1 << 10, 1 << 10});
  model.quantize("x", "q", 1, 0, true);
  CHECK(complaint(model.text("q")) == "x.onnx: input \"x\" has more than 16777216 elements");
  CHECK(peak_megabytes() - before < 100);
}

TEST_CASE("onnx file: constants that double each other are stopped") {
  OnnxModelWriter model;
  model.input("x", onnx::TensorProto::FLOAT, {1, 2});
  model.constant("c0", onnx::TensorProto::INT64, {1}, std::vector<std::int64_t>{1});
  std::string last = "c0";
  for (int i = 1; i < 60; ++i) {
    const std::string next = "c" + std::to_string(i);
    OnnxModelWriter::set(model.node("Concat", {last, last}, next), "axis", 0);
    last = next;
  }
  model.node("Reshape", {"x", last}, "y");
  const long before = peak_megabytes();
  CHECK(complaint(model.text("y")).find("it makes more than a million numbers") != std::string::npos);
  CHECK(peak_megabytes() - before < 200);
}

TEST_CASE("onnx file: what no importer here reads is told by name") {
  CHECK(complaint(field(7, field(15, ""))) == "x.onnx: it has sparse constants; store them densely");
  CHECK(complaint(field(25, "")) ==
        "x.onnx: it defines functions of its own; inline them (onnx.inliner) first");
  CHECK(complaint(field(7, field(5, field(8, "w") + field(14, 1)))) ==
        "x.onnx: constant \"w\" lies in another file; save the model with all data in one");
  OnnxModelWriter old = small_model();
  old.model().mutable_opset_import(0)->set_version(99);
  CHECK(complaint(old.text("y")) == "x.onnx: it is of operator set 99; known are 1 to 23");
  OnnxModelWriter two = small_model();
  two.input("z", onnx::TensorProto::FLOAT, {1});
  CHECK(complaint(two.text("y")) ==
        "x.onnx: it has 2 inputs that are no constants; possible is one (freeze the others into the file)");
}
