// ONNX's own node tests (Debian's libonnx-testdata): models, inputs and outputs of somebody else's. Run alone
// it prints a table: what passes, and what is refused and why. Nothing may be wrong.
//
// Integer tests are taken as they are, their parameters frozen into the model. Tests of real numbers are put
// in QDQ form first: scales are the least powers of two that hold all numbers in int8. Where inputs, weights
// and outputs are multiples of these (as in most that count 0, 1, 2, ...) the result must be equal; else it
// must be within 4 steps of 256 of the peer's, and on average within 1.5.
#include "import/import.h"
#include "net/reference.h"
#include "onnx_models.h"
#include "refusal.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

using namespace deltatwin;

namespace {

const std::filesystem::path data_directory = "/usr/share/libonnx-testdata/data";

template <class Proto> Proto read_proto(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Proto proto;
  REQUIRE(proto.ParseFromIstream(&file));
  return proto;
}

struct Numbers {
  int type = 0;
  std::vector<int> dims;
  std::vector<double> values;
};

template <class T> void append(Numbers& numbers, const std::string& raw) {
  for (std::size_t at = 0; at + sizeof(T) <= raw.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, raw.data() + at, sizeof value);
    numbers.values.push_back(static_cast<double>(value));
  }
}

Numbers numbers_of(const onnx::TensorProto& tensor) {
  Numbers numbers;
  numbers.type = tensor.data_type();
  numbers.dims.assign(tensor.dims().begin(), tensor.dims().end());
  const std::string& raw = tensor.raw_data();
  switch (numbers.type) {
  case onnx::TensorProto::FLOAT:
    append<float>(numbers, raw);
    numbers.values.insert(numbers.values.end(), tensor.float_data().begin(), tensor.float_data().end());
    break;
  case onnx::TensorProto::UINT8:
    append<std::uint8_t>(numbers, raw);
    break;
  case onnx::TensorProto::INT8:
    append<std::int8_t>(numbers, raw);
    break;
  case onnx::TensorProto::INT32:
    append<std::int32_t>(numbers, raw);
    break;
  case onnx::TensorProto::INT64:
    append<std::int64_t>(numbers, raw);
    numbers.values.insert(numbers.values.end(), tensor.int64_data().begin(), tensor.int64_data().end());
    break;
  default:
    break;
  }
  if (raw.empty())
    numbers.values.insert(numbers.values.end(), tensor.int32_data().begin(), tensor.int32_data().end());
  return numbers;
}

/// A directory of the package.
struct PeerTest {
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> inputs; ///< as graph inputs
  Numbers output;

  explicit PeerTest(const std::filesystem::path& directory)
      : model(read_proto<onnx::ModelProto>(directory / "model.onnx")) {
    const std::filesystem::path set = directory / "test_data_set_0";
    for (int i = 0; std::filesystem::exists(set / ("input_" + std::to_string(i) + ".pb")); ++i)
      inputs.push_back(read_proto<onnx::TensorProto>(set / ("input_" + std::to_string(i) + ".pb")));
    output = numbers_of(read_proto<onnx::TensorProto>(set / "output_0.pb"));
  }
};

/// All inputs but the first become constants.
std::string frozen(const PeerTest& test) {
  onnx::ModelProto model = test.model;
  auto* graph = model.mutable_graph();
  for (int i = 1; i < graph->input_size(); ++i) {
    auto* constant = graph->add_initializer();
    *constant = test.inputs[static_cast<std::size_t>(i)];
    constant->set_name(graph->input(i).name());
  }
  graph->mutable_input()->DeleteSubrange(1, graph->input_size() - 1);
  return model.SerializeAsString();
}

double least_power(const Numbers& numbers) {
  double most = 0;
  for (const double value : numbers.values)
    most = std::max(most, std::abs(value));
  return most == 0 ? 1 : std::exp2(std::ceil(std::log2(most / 127) - 1e-9));
}

bool are_multiples(const Numbers& numbers, double of) {
  return std::all_of(numbers.values.begin(), numbers.values.end(),
                     [&](double value) { return value / of == std::nearbyint(value / of); });
}

/// The test's operator between QuantizeLinear and DequantizeLinear.
struct Quantized {
  std::string model;
  double x_scale = 1, y_scale = 1;
  bool exact = true;
};

Quantized in_qdq_form(const PeerTest& test) {
  Quantized result;
  OnnxModelWriter writer;
  const auto& graph = test.model.graph();
  for (const auto& set : test.model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx")
      writer.model().mutable_opset_import(0)->set_version(set.version());
  const Numbers x = numbers_of(test.inputs[0]);
  result.x_scale = least_power(x);
  result.y_scale = least_power(test.output);
  result.exact = are_multiples(x, result.x_scale) && are_multiples(test.output, result.y_scale);
  writer.input("x", onnx::TensorProto::FLOAT, x.dims);
  writer.quantize("x", "q", static_cast<float>(result.x_scale), 0, true);
  std::map<std::string, std::string> names = {{graph.input(0).name(), writer.dequantize("q")}};
  double weight_scale = 1;
  // Constants of the model, and inputs that are frozen: weights to int8, a bias to int32.
  std::map<std::string, onnx::TensorProto> constants;
  for (const auto& constant : graph.initializer())
    constants[constant.name()] = constant;
  for (std::size_t i = 1; i < test.inputs.size(); ++i)
    constants[graph.input(static_cast<int>(i)).name()] = test.inputs[i];
  int count = 0;
  for (auto node : graph.node()) {
    const bool multiplies =
        node.op_type() == "Conv" || node.op_type() == "Gemm" || node.op_type() == "MatMul";
    for (int i = 0; i < node.input_size(); ++i) {
      const std::string name = node.input(i);
      if (names.count(name)) {
        node.set_input(i, names[name]);
        continue;
      }
      if (!constants.count(name))
        continue;
      const Numbers numbers = numbers_of(constants[name]);
      const bool weighs = (multiplies && i == 1) || node.op_type() == "Transpose";
      if (weighs || (multiplies && i == 2)) {
        const double scale = weighs ? least_power(numbers) : result.x_scale * weight_scale;
        weight_scale = weighs ? scale : weight_scale;
        result.exact = result.exact && are_multiples(numbers, scale);
        std::vector<std::int32_t> integers;
        for (const double value : numbers.values)
          integers.push_back(static_cast<std::int32_t>(std::nearbyint(value / scale)));
        const std::string own = name + std::to_string(count++);
        if (weighs)
          writer.bytes(own + "_q", true, numbers.dims, integers);
        else
          writer.constant(own + "_q", onnx::TensorProto::INT32, numbers.dims, integers);
        writer.node("DequantizeLinear", {own + "_q", writer.scalar(own + "_s", static_cast<float>(scale))},
                    own + "_r");
        node.set_input(i, own + "_r");
      } else {
        auto* constant = writer.model().mutable_graph()->add_initializer();
        *constant = constants[name];
        constant->set_name(name);
      }
    }
    *writer.model().mutable_graph()->add_node() = node;
  }
  writer.quantize(graph.output(0).name(), "y", static_cast<float>(result.y_scale), 0, true);
  result.model = writer.text("y");
  return result;
}

/// The integers of the outputs, in the peer's order, of its inputs' integers.
std::vector<double> computed(const Import& imported, const std::vector<int>& inputs) {
  const Graph& graph = imported.graph;
  const std::size_t size = graph.tensors[graph.input].elements();
  std::vector<double> results;
  REQUIRE(inputs.size() % size == 0);
  for (std::size_t first = 0; first < inputs.size(); first += size) {
    std::vector<int> lying(size);
    for (std::size_t i = 0; i < size; ++i)
      lying[imported.input_order.empty() ? i : imported.input_order[i]] = inputs[first + i];
    const std::vector<int> result = reference_tensors(graph, lying)[graph.output];
    for (std::size_t i = 0; i < result.size(); ++i)
      results.push_back(result[imported.output_order.empty() ? i : imported.output_order[i]]);
  }
  return results;
}

std::vector<int> quantized(const std::vector<double>& values, const Tensor& tensor) {
  std::vector<int> integers;
  for (const double value : values) {
    const double units = std::nearbyint(static_cast<float>(value) / tensor.scale) + tensor.format.zero_point;
    integers.push_back(
        static_cast<int>(std::clamp(units, double(tensor.format.low()), double(tensor.format.high()))));
  }
  return integers;
}

enum class Outcome { equal, close, refused, wrong };

struct Row {
  Outcome outcome;
  std::string detail;
};

Row compared(const std::vector<double>& results, const std::vector<double>& expected, double step,
             bool exact) {
  double worst = 0, all = 0;
  if (results.size() != expected.size())
    return {Outcome::wrong,
            std::to_string(results.size()) + " outputs instead of " + std::to_string(expected.size())};
  for (std::size_t i = 0; i < results.size(); ++i) {
    worst = std::max(worst, std::abs(results[i] * step - expected[i]) / step);
    all += std::abs(results[i] * step - expected[i]) / step;
  }
  const std::string detail = "at most " + std::to_string(worst) + " steps away";
  if (worst == 0)
    return {Outcome::equal, ""};
  const bool close = !exact && worst <= 4 && all <= 1.5 * static_cast<double>(results.size());
  return {close ? Outcome::close : Outcome::wrong, detail};
}

bool is_of_reals(const PeerTest& test) {
  const std::string& op = test.model.graph().node(0).op_type();
  return test.inputs[0].data_type() == onnx::TensorProto::FLOAT && op != "QuantizeLinear" &&
         op != "DynamicQuantizeLinear";
}

Row run(const PeerTest& test) {
  try {
    if (is_of_reals(test)) {
      const Quantized quantized_test = in_qdq_form(test);
      const Import imported = import_onnx(quantized_test.model, "it");
      const std::vector<int> inputs =
          quantized(numbers_of(test.inputs[0]).values, imported.graph.tensors[imported.graph.input]);
      return compared(computed(imported, inputs), test.output.values, quantized_test.y_scale,
                      quantized_test.exact);
    }
    const Import imported = import_onnx(frozen(test), "it");
    const Tensor& input = imported.graph.tensors[imported.graph.input];
    const Tensor& output = imported.graph.tensors[imported.graph.output];
    const Numbers x = numbers_of(test.inputs[0]);
    std::vector<int> inputs(x.values.begin(), x.values.end());
    if (x.type == onnx::TensorProto::FLOAT)
      inputs = quantized(x.values, input);
    std::vector<double> results = computed(imported, inputs);
    if (test.output.type == onnx::TensorProto::FLOAT)
      for (double& result : results)
        result = static_cast<float>(result - output.format.zero_point) * output.scale;
    return compared(results, test.output.values, 1, true);
  } catch (const InputError& error) {
    return {Outcome::refused, std::string(error.what()).substr(4)};
  }
}

// Of the node tests those with one of these operators alone, or with them and others of the list.
const std::set<std::string> operators = {"AveragePool",
                                         "Clip",
                                         "Conv",
                                         "ConvInteger",
                                         "DequantizeLinear",
                                         "DynamicQuantizeLinear",
                                         "Flatten",
                                         "Gemm",
                                         "GlobalAveragePool",
                                         "GlobalMaxPool",
                                         "Identity",
                                         "MatMul",
                                         "MatMulInteger",
                                         "MaxPool",
                                         "QLinearConv",
                                         "QLinearMatMul",
                                         "QuantizeLinear",
                                         "Relu",
                                         "Reshape",
                                         "Squeeze",
                                         "Transpose",
                                         "Unsqueeze"};

bool concerns(const onnx::ModelProto& model) {
  const auto& nodes = model.graph().node();
  const bool integers =
      std::any_of(model.graph().input().begin(), model.graph().input().end(), [](const auto& input) {
        const int type = input.type().tensor_type().elem_type();
        return type == onnx::TensorProto::INT8 || type == onnx::TensorProto::UINT8;
      });
  return nodes.size() > 0 && model.graph().input_size() > 0 &&
         model.graph().input(0).type().has_tensor_type() &&
         (integers || std::all_of(nodes.begin(), nodes.end(),
                                  [](const auto& node) { return operators.count(node.op_type()) > 0; }));
}

} // namespace

TEST_CASE("onnx peer: of ONNX's node tests none is wrong") {
  if (!std::filesystem::exists(data_directory))
    FAIL("there is no " << data_directory << "; install libonnx-testdata");
  std::map<std::string, Row> rows;
  for (const char* set : {"node", "pytorch-converted", "pytorch-operator", "simple"})
    for (const auto& entry : std::filesystem::directory_iterator(data_directory / set)) {
      const auto model = read_proto<onnx::ModelProto>(entry.path() / "model.onnx");
      if (!concerns(model))
        continue;
      rows[std::string(set) + "/" + entry.path().filename().string().substr(5)] = run(PeerTest(entry.path()));
    }
  std::map<Outcome, int> counts;
  const std::map<Outcome, const char*> names = {{Outcome::equal, "equal"},
                                                {Outcome::close, "close"},
                                                {Outcome::refused, "refused"},
                                                {Outcome::wrong, "WRONG"}};
  for (const auto& [name, row] : rows) {
    std::cout << names.at(row.outcome) << "  " << name << (row.detail.empty() ? "" : ": ") << row.detail
              << "\n";
    ++counts[row.outcome];
    CAPTURE(name, row.detail);
    CHECK(row.outcome != Outcome::wrong);
  }
  for (const char* name :
       {"qlinearconv", "qlinearmatmul_2D", "basic_convinteger", "convinteger_with_padding",
        "convinteger_without_padding", "matmulinteger", "quantizelinear", "dequantizelinear",
        "maxpool_2d_uint8", "clip_default_int8_inbounds", "clip_default_int8_max", "clip_default_int8_min",
        "conv_with_autopad_same", "conv_with_strides_no_padding"}) {
    CAPTURE(name);
    CHECK(rows.at(std::string("node/") + name).outcome == Outcome::equal);
  }
  CHECK(counts[Outcome::equal] + counts[Outcome::close] >= 130);
  std::cout << counts[Outcome::equal] << " equal, " << counts[Outcome::close] << " close, "
            << counts[Outcome::refused] << " refused, " << counts[Outcome::wrong] << " wrong\n";
}
