// Networks in QDQ and in QOperator form against plain arithmetic on the file's own order of dimensions, and
// what is refused.
#include "base/file.h"
#include "import/import.h"
#include "net/reference.h"
#include "onnx_models.h"
#include "random_work.h"
#include "refusal.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

using namespace deltatwin;

namespace {

/// Integers in ONNX's order: channels, rows, columns.
struct Map {
  int channels = 1, rows = 1, columns = 1;
  std::vector<int> values;

  [[nodiscard]] std::size_t at(int c, int y, int x) const {
    return static_cast<std::size_t>((c * rows + y) * columns + x);
  }
};

struct Edge {
  std::string name; ///< of the integers; reals: name + "_real"
  Map map;
  float scale = 1;
  int zero_point = 0;
  bool is_signed = true;

  [[nodiscard]] int clamped(float units) const {
    const float low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
    return static_cast<int>(std::clamp(std::nearbyint(units) + static_cast<float>(zero_point), low, high));
  }
};

/// One network, written in both forms and computed at once, layer by layer, as onnxruntime's integer kernels
/// do.
class TwoForms {
public:
  explicit TwoForms(std::uint64_t seed) : random_(seed) {}

  Edge input(int channels, int rows, int columns) {
    Edge edge = made("q", {channels, rows, columns, {}});
    for (int i = 0; i < channels * rows * columns; ++i)
      edge.map.values.push_back(any(edge));
    qdq_.input("x", onnx::TensorProto::FLOAT, {0, channels, rows, columns});
    qop_.input("x", onnx::TensorProto::FLOAT, {0, channels, rows, columns});
    qdq_.quantize("x", "q", edge.scale, edge.zero_point, edge.is_signed);
    qop_.quantize("x", "q", edge.scale, edge.zero_point, edge.is_signed);
    qdq_.dequantize("q");
    given_ = edge.map.values;
    return edge;
  }

  Edge convolution(const Edge& x) {
    const int channels = x.map.channels;
    std::vector<int> divisors;
    for (int g = 1; g <= channels; ++g)
      if (channels % g == 0)
        divisors.push_back(g);
    const int groups = divisors[random_.in(0, static_cast<int>(divisors.size()) - 1)];
    const int outputs = groups * random_.in(1, 4), own = channels / groups;
    const int kernel[2] = {random_.in(1, 4), random_.in(1, 3)},
              strides[2] = {random_.in(1, 3), random_.in(1, 2)};
    int pads[4] = {}; // top, left, bottom, right
    for (int i = 0; i < 4; ++i)
      pads[i] = random_.in(0, kernel[i % 2] - 1);
    while (x.map.rows + pads[0] + pads[2] < kernel[0])
      ++pads[2];
    while (x.map.columns + pads[1] + pads[3] < kernel[1])
      ++pads[3];
    const std::string name = fresh("conv");
    const bool by_channel = random_.in(0, 1) == 1, is_signed = x.is_signed || random_.in(0, 1) == 1;
    std::vector<int> w, zeros, bias;
    std::vector<float> scales;
    for (int i = 0; i < outputs * own * kernel[0] * kernel[1]; ++i)
      w.push_back(is_signed ? random_.in(-128, 127) : random_.in(0, 255));
    for (int o = 0; o < (by_channel ? outputs : 1); ++o) {
      zeros.push_back(is_signed ? 0 : random_.in(100, 150));
      scales.push_back(scale());
    }
    for (int o = 0; o < outputs; ++o)
      bias.push_back(random_.in(-3000, 3000));
    Edge y = made(name, {outputs,
                         (x.map.rows + pads[0] + pads[2] - kernel[0]) / strides[0] + 1,
                         (x.map.columns + pads[1] + pads[3] - kernel[1]) / strides[1] + 1,
                         {}});
    y.scale = x.scale * scales[0] * 40 * std::sqrt(static_cast<float>(own * kernel[0] * kernel[1]));
    const auto of = [&](const auto& list, int o) {
      return list[by_channel ? static_cast<std::size_t>(o) : 0];
    };
    const bool relu = random_.in(0, 2) == 0;
    for (int o = 0; o < outputs; ++o)
      for (int r = 0; r < y.map.rows; ++r)
        for (int c = 0; c < y.map.columns; ++c) {
          int sum = bias[static_cast<std::size_t>(o)];
          for (int i = 0; i < own; ++i)
            for (int kr = 0; kr < kernel[0]; ++kr)
              for (int kc = 0; kc < kernel[1]; ++kc) {
                const int row = r * strides[0] - pads[0] + kr, column = c * strides[1] - pads[1] + kc;
                if (row < 0 || row >= x.map.rows || column < 0 || column >= x.map.columns)
                  continue;
                const int weight =
                    w[static_cast<std::size_t>(((o * own + i) * kernel[0] + kr) * kernel[1] + kc)];
                const int value = x.map.values[x.map.at(o / (outputs / groups) * own + i, row, column)];
                sum += (value - x.zero_point) * (weight - of(zeros, o));
              }
          const float factor = x.scale * of(scales, o) / y.scale;
          const int result = y.clamped(static_cast<float>(sum) * factor);
          y.map.values.push_back(relu ? std::max(result, y.zero_point) : result);
        }
    const auto weights = [&](OnnxModelWriter& model, const std::string& own_name) {
      model.bytes(own_name + "_w", is_signed, {outputs, own, kernel[0], kernel[1]}, w);
      const std::vector<int> dims = by_channel ? std::vector{outputs} : std::vector<int>{};
      model.reals(own_name + "_ws", dims, scales);
      model.bytes(own_name + "_wz", is_signed, dims, zeros);
      model.constant(own_name + "_b", onnx::TensorProto::INT32, {outputs}, bias);
    };
    const auto attributes = [&](onnx::NodeProto* node) {
      OnnxModelWriter::set(node, "group", groups);
      OnnxModelWriter::set(node, "strides", {strides[0], strides[1]});
      OnnxModelWriter::set(node, "pads", {pads[0], pads[1], pads[2], pads[3]});
      OnnxModelWriter::set(node, "kernel_shape", {kernel[0], kernel[1]});
    };
    weights(qdq_, name);
    OnnxModelWriter::set(
        qdq_.node("DequantizeLinear", {name + "_w", name + "_ws", name + "_wz"}, name + "_wr"), "axis", 0);
    std::vector<float> units;
    for (const float own_scale : scales)
      units.push_back(x.scale * own_scale);
    qdq_.reals(name + "_bs", by_channel ? std::vector{outputs} : std::vector<int>{}, units);
    OnnxModelWriter::set(qdq_.node("DequantizeLinear", {name + "_b", name + "_bs"}, name + "_br"), "axis", 0);
    attributes(qdq_.node("Conv", {x.name + "_real", name + "_wr", name + "_br"}, name + "_sum"));
    std::string sum = name + "_sum";
    if (relu)
      qdq_.node("Relu", {sum}, sum + "_relu"), sum += "_relu";
    finish(qdq_, sum, y);
    weights(qop_, name);
    Edge raw = y;
    raw.name = relu ? name + "_raw" : name;
    attributes(qop_.node("QLinearConv", parameters(qop_, name, x, raw, true), raw.name));
    if (relu) { // of integers
      qop_.node("Clip", {raw.name, qop_.bytes(name + "_low", y.is_signed, {}, {y.zero_point})}, name);
    }
    return y;
  }

  Edge addition(const Edge& a, const Edge& b) {
    Edge y = made(fresh("add"), {a.map.channels, a.map.rows, a.map.columns, {}});
    for (std::size_t i = 0; i < a.map.values.size(); ++i) {
      const float left = static_cast<float>(a.map.values[i] - a.zero_point) * a.scale;
      const float right = static_cast<float>(b.map.values[i] - b.zero_point) * b.scale;
      y.map.values.push_back(y.clamped((left + right) / y.scale));
    }
    qdq_.node("Add", {a.name + "_real", b.name + "_real"}, y.name + "_sum");
    finish(qdq_, y.name + "_sum", y);
    scales(qop_, y.name, y);
    qop_.node("QLinearAdd",
              {a.name, a.name + "_scale", a.name + "_zero", b.name, b.name + "_scale", b.name + "_zero",
               y.name + "_scale", y.name + "_zero"},
              y.name, "com.microsoft");
    return y;
  }

  Edge pool(const Edge& x, bool is_max, bool is_global) {
    const int kernel[2] = {is_global ? x.map.rows : std::min(random_.in(1, 3), x.map.rows),
                           is_global ? x.map.columns : std::min(random_.in(1, 3), x.map.columns)};
    const int strides[2] = {random_.in(1, 2), random_.in(1, 2)};
    int pads[4] = {};
    for (int i = 0; i < 4 && is_max && !is_global; ++i)
      pads[i] = random_.in(0, kernel[i % 2] - 1);
    Edge y = x;
    y.name = fresh(is_max ? "max" : "mean");
    y.map = {x.map.channels,
             (x.map.rows + pads[0] + pads[2] - kernel[0]) / strides[0] + 1,
             (x.map.columns + pads[1] + pads[3] - kernel[1]) / strides[1] + 1,
             {}};
    if (is_global)
      y.map.rows = y.map.columns = 1;
    if (!is_max) {
      y.is_signed = x.is_signed;
      y.scale = x.scale * 0.77f;
      y.zero_point = x.is_signed ? random_.in(-20, 20) : random_.in(100, 140);
    }
    const int count = kernel[0] * kernel[1];
    for (int ch = 0; ch < y.map.channels; ++ch)
      for (int r = 0; r < y.map.rows; ++r)
        for (int c = 0; c < y.map.columns; ++c) {
          int most = -1000, sum = 0;
          for (int kr = 0; kr < kernel[0]; ++kr)
            for (int kc = 0; kc < kernel[1]; ++kc) {
              const int row = r * strides[0] - pads[0] + kr, column = c * strides[1] - pads[1] + kc;
              if (row < 0 || row >= x.map.rows || column < 0 || column >= x.map.columns)
                continue;
              const int value = x.map.values[x.map.at(ch, row, column)];
              most = std::max(most, value);
              sum += value - x.zero_point;
            }
          const float units =
              is_global ? static_cast<float>(sum) * (x.scale / (y.scale * static_cast<float>(count)))
                        : static_cast<float>(sum) * x.scale / static_cast<float>(count) / y.scale;
          y.map.values.push_back(is_max ? most : y.clamped(units));
        }
    const auto attributes = [&](onnx::NodeProto* node) {
      if (is_global)
        return;
      OnnxModelWriter::set(node, "strides", {strides[0], strides[1]});
      OnnxModelWriter::set(node, "pads", {pads[0], pads[1], pads[2], pads[3]});
      OnnxModelWriter::set(node, "kernel_shape", {kernel[0], kernel[1]});
    };
    const std::string op = std::string(is_global ? "Global" : "") + (is_max ? "MaxPool" : "AveragePool");
    attributes(qdq_.node(op, {x.name + "_real"}, y.name + "_sum"));
    finish(qdq_, y.name + "_sum", y);
    scales(qop_, y.name, y);
    if (is_max)
      attributes(qop_.node(op, {x.name}, y.name));
    else
      attributes(qop_.node("QLinear" + op,
                           {x.name, x.name + "_scale", x.name + "_zero", y.name + "_scale", y.name + "_zero"},
                           y.name, "com.microsoft"));
    return y;
  }

  /// All elements to a few: Flatten or Reshape, then a Gemm, a MatMul, or the like.
  Edge dense(const Edge& x) {
    const int inputs = static_cast<int>(x.map.values.size()), outputs = random_.in(1, 9);
    const std::string name = fresh("dense");
    Edge y = made(name, {outputs, 1, 1, {}});
    std::vector<int> w, bias;
    for (int i = 0; i < inputs * outputs; ++i)
      w.push_back(random_.in(-128, 127));
    for (int o = 0; o < outputs; ++o)
      bias.push_back(random_.in(-3000, 3000));
    const float own_scale = scale();
    y.scale = x.scale * own_scale * 40 * std::sqrt(static_cast<float>(inputs));
    const bool gemm = random_.in(0, 1) == 1, transposed = gemm && random_.in(0, 1) == 1;
    for (int o = 0; o < outputs; ++o) {
      int sum = gemm ? bias[static_cast<std::size_t>(o)] : 0;
      for (int i = 0; i < inputs; ++i)
        sum += (x.map.values[static_cast<std::size_t>(i)] - x.zero_point) *
               w[static_cast<std::size_t>(transposed ? o * inputs + i : i * outputs + o)];
      y.map.values.push_back(y.clamped(static_cast<float>(sum) * (x.scale * own_scale / y.scale)));
    }
    const std::vector<int> dims = transposed ? std::vector{outputs, inputs} : std::vector{inputs, outputs};
    for (OnnxModelWriter* model : {&qdq_, &qop_}) {
      model->bytes(name + "_w", true, dims, w);
      model->scalar(name + "_ws", own_scale);
      model->bytes(name + "_wz", true, {}, {0});
      model->constant(name + "_b", onnx::TensorProto::INT32, {outputs}, bias);
      model->constant(name + "_to", onnx::TensorProto::INT64, {2}, std::vector<std::int64_t>{1, -1});
    }
    qdq_.node("Flatten", {x.name + "_real"}, name + "_flat");
    qdq_.node("DequantizeLinear", {name + "_w", name + "_ws", name + "_wz"}, name + "_wr");
    qdq_.scalar(name + "_bs", x.scale * own_scale);
    qdq_.node("DequantizeLinear", {name + "_b", name + "_bs"}, name + "_br");
    qop_.node("Reshape", {x.name, name + "_to"}, name + "_flat");
    Edge flat = x;
    flat.name = name + "_flat";
    if (gemm) {
      OnnxModelWriter::set(qdq_.node("Gemm", {name + "_flat", name + "_wr", name + "_br"}, name + "_sum"),
                           "transB", transposed ? 1 : 0);
      scales(qop_, name, y);
      OnnxModelWriter::set(
          qop_.node("QGemm",
                    {name + "_flat", x.name + "_scale", x.name + "_zero", name + "_w", name + "_ws",
                     name + "_wz", name + "_b", name + "_scale", name + "_zero"},
                    name, "com.microsoft"),
          "transB", transposed ? 1 : 0);
    } else {
      qdq_.node("MatMul", {name + "_flat", name + "_wr"}, name + "_sum");
      scales(qop_, name, y);
      qop_.node("QLinearMatMul",
                {name + "_flat", x.name + "_scale", x.name + "_zero", name + "_w", name + "_ws", name + "_wz",
                 name + "_scale", name + "_zero"},
                name);
    }
    finish(qdq_, name + "_sum", y);
    return y;
  }

  /// One to six of them.
  Edge any_layers(Edge edge) {
    for (int layers = in(1, 4); layers > 0; --layers) {
      const int kind = in(0, 5);
      if (kind <= 2)
        edge = convolution(edge);
      else if (kind == 3)
        edge = addition(edge, edge);
      else
        edge = pool(edge, kind == 4, false);
    }
    if (in(0, 1) == 1)
      edge = pool(edge, in(0, 1) == 1, true);
    if (in(0, 1) == 1)
      edge = dense(edge);
    return edge;
  }

  [[nodiscard]] int in(int low, int high) { return random_.in(low, high); }
  [[nodiscard]] std::string qdq(const Edge& output) { return qdq_.text(output.name, type_of(output)); }
  [[nodiscard]] std::string qoperator(const Edge& output) { return qop_.text(output.name, type_of(output)); }
  [[nodiscard]] const std::vector<int>& given() const { return given_; }

private:
  static int type_of(const Edge& edge) {
    return edge.is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
  }
  [[nodiscard]] float scale() { return std::ldexp(1 + static_cast<float>(random_.in(0, 999)) / 1000, -7); }
  [[nodiscard]] int any(const Edge& edge) {
    return edge.is_signed ? random_.in(-128, 127) : random_.in(0, 255);
  }
  std::string fresh(const char* kind) { return kind + std::to_string(count_++); }
  Edge made(const std::string& name, Map map) {
    Edge edge;
    edge.name = name;
    edge.map = std::move(map);
    edge.scale = scale();
    edge.is_signed = signed_;
    edge.zero_point = edge.is_signed ? random_.in(-128, 127) : random_.in(0, 255);
    return edge;
  }
  static void finish(OnnxModelWriter& model, const std::string& sum, const Edge& y) {
    model.quantize(sum, y.name, y.scale, y.zero_point, y.is_signed);
    model.dequantize(y.name);
  }
  static void scales(OnnxModelWriter& model, const std::string& name, const Edge& y) {
    model.scalar(name + "_scale", y.scale);
    model.bytes(name + "_zero", y.is_signed, {}, {y.zero_point});
  }
  static std::vector<std::string> parameters(OnnxModelWriter& model, const std::string& name, const Edge& x,
                                             const Edge& y, bool has_bias) {
    scales(model, name, y);
    std::vector<std::string> result = {x.name,       x.name + "_scale", x.name + "_zero", name + "_w",
                                       name + "_ws", name + "_wz",      name + "_scale",  name + "_zero"};
    if (has_bias)
      result.push_back(name + "_b");
    return result;
  }

  RandomWork random_;
  OnnxModelWriter qdq_, qop_;
  std::vector<int> given_;
  int count_ = 0;
  bool signed_ = random_.in(0, 1) == 1;
};

std::vector<int> computed(const Import& imported, const std::vector<int>& inputs) {
  std::vector<int> lying(inputs.size()), results;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    lying[imported.input_order.empty() ? i : imported.input_order[i]] = inputs[i];
  const std::vector<int> result = reference_tensors(imported.graph, lying)[imported.graph.output];
  for (std::size_t i = 0; i < result.size(); ++i)
    results.push_back(result[imported.output_order.empty() ? i : imported.output_order[i]]);
  return results;
}

std::uint64_t differing(const Import& imported) {
  std::uint64_t sums = 0;
  for (const NodeReport& report : imported.nodes)
    sums += report.different;
  return sums;
}

} // namespace

TEST_CASE("onnx: random networks in both forms compute what plain arithmetic does") {
  int equal = 0;
  const int count = repeats(60);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t seed = base_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    TwoForms forms(seed);
    const Edge first = forms.input(forms.in(1, 5), forms.in(1, 9), forms.in(1, 9)),
               edge = forms.any_layers(first);
    if (edge.name == first.name)
      continue;
    const Import qdq = import_onnx(forms.qdq(edge), "qdq.onnx"),
                 qop = import_onnx(forms.qoperator(edge), "qop.onnx");
    CHECK(differing(qdq) <= differing(qop)); // a clamp hides some
    const bool same = computed(qdq, forms.given()) == edge.map.values;
    equal += same;
    CHECK((same || differing(qdq) > 0));
    CHECK((computed(qop, forms.given()) == edge.map.values || differing(qop) > 0));
  }
  CHECK(equal * 20 >= count * 19);
}

namespace {

/// A model whose input "x" of {1, 2, 5, 6} is quantized to "q"; parts are put behind it.
struct Part {
  OnnxModelWriter model;
  std::string x;

  explicit Part(int opset = 13, const std::vector<int>& dims = {1, 2, 5, 6}, bool is_signed = true)
      : model(opset) {
    model.input("x", onnx::TensorProto::FLOAT, dims);
    model.quantize("x", "q", 0.5f, is_signed ? -3 : 120, is_signed);
    x = model.dequantize("q");
  }
  std::string weights(const std::string& name, const std::vector<int>& dims, int seed = 1) {
    RandomWork random(static_cast<std::uint64_t>(seed));
    std::vector<int> values;
    int count = 1;
    for (const int size : dims)
      count *= size;
    for (int i = 0; i < count; ++i)
      values.push_back(random.in(-128, 127));
    model.bytes(name + "_w", true, dims, values);
    model.node("DequantizeLinear", {name + "_w", model.scalar(name + "_s", 0.01f)}, name);
    return name;
  }
  onnx::NodeProto* node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::string& output) {
    return model.node(op, inputs, output);
  }
  [[nodiscard]] Import quantized(const std::string& reals, float scale = 5, int zero_point = 7) {
    model.quantize(reals, "y", scale, zero_point, true);
    return import_onnx(model.text("y"), "x.onnx");
  }
  [[nodiscard]] std::string complaint(const std::string& output) {
    const std::string text = model.text(output);
    return refusal([&] { (void)import_onnx(text, "x.onnx"); });
  }
};

std::vector<int> some_input(const Import& imported) {
  RandomWork random(base_seed());
  std::vector<int> values;
  for (std::uint64_t i = imported.graph.tensors[imported.graph.input].elements(); i > 0; --i)
    values.push_back(random.in(-128, 127));
  return values;
}

bool alike(const Import& a, const Import& b) {
  const std::vector<int> input = some_input(a);
  return computed(a, input) == computed(b, input);
}

Import plain_convolution(const std::vector<int>& pads = {1, 0, 2, 1}) {
  Part part;
  OnnxModelWriter::set(part.node("Conv", {part.x, part.weights("w", {3, 2, 3, 2})}, "c"), "pads", pads);
  return part.quantized("c");
}

} // namespace

TEST_CASE("onnx: what only moves is gone, whichever way it is written") {
  const Import plain = plain_convolution();
  CHECK(plain.graph.nodes.size() == 1);
  CHECK(plain.graph.tensors[plain.graph.input].shape == std::vector<int>{5, 6, 2});

  SECTION("channels last in the file") {
    Part part(13, {1, 5, 6, 2});
    OnnxModelWriter::set(part.node("Transpose", {part.x}, "t"), "perm", {0, 3, 1, 2});
    OnnxModelWriter::set(part.node("Conv", {"t", part.weights("w", {3, 2, 3, 2})}, "c"), "pads",
                         {1, 0, 2, 1});
    OnnxModelWriter::set(part.node("Transpose", {"c"}, "r"), "perm", {0, 2, 3, 1});
    const Import imported = part.quantized("r");
    CHECK(imported.graph.nodes.size() == 1);
    CHECK(imported.input_order.empty());
    CHECK(imported.output_order.empty());
    const std::vector<int> lying = some_input(imported);
    CHECK(reference_tensors(imported.graph, lying).back() == reference_tensors(plain.graph, lying).back());
  }
  SECTION("a flat input that becomes a map") {
    Part part(13, {0, 60});
    part.model.constant("to", onnx::TensorProto::INT64, {4}, std::vector<std::int64_t>{-1, 2, 5, 6});
    part.node("Reshape", {part.x, "to"}, "m");
    OnnxModelWriter::set(part.node("Conv", {"m", part.weights("w", {3, 2, 3, 2})}, "c"), "pads",
                         {1, 0, 2, 1});
    const Import imported = part.quantized("c");
    CHECK(imported.graph.nodes.size() == 1);
    CHECK(alike(imported, plain));
  }
  SECTION("a batch that is fixed") {
    Part part(13, {8, 2, 5, 6});
    OnnxModelWriter::set(part.node("Conv", {part.x, part.weights("w", {3, 2, 3, 2})}, "c"), "pads",
                         {1, 0, 2, 1});
    const Import imported = part.quantized("c");
    CHECK(alike(imported, plain));
    CHECK(imported.notes[0] == "the file computes 8 inputs at a time, this network one");
  }
  SECTION("padding on its own") {
    Part part;
    part.model.constant("pads", onnx::TensorProto::INT64, {8},
                        std::vector<std::int64_t>{0, 0, 1, 0, 0, 0, 2, 1});
    part.node("Pad", {part.x, "pads"}, "p");
    part.node("Conv", {"p", part.weights("w", {3, 2, 3, 2})}, "c");
    const Import imported = part.quantized("c");
    CHECK(imported.graph.nodes.size() == 1);
    CHECK(alike(imported, plain));
  }
  SECTION("a dead branch and names that no file here may have") {
    Part part;
    part.node("Sigmoid", {part.x}, "unused");
    OnnxModelWriter::set(part.node("Conv", {part.x, part.weights("w", {3, 2, 3, 2})}, "a/b:0 c"), "pads",
                         {1, 0, 2, 1});
    const Import imported = part.quantized("a/b:0 c");
    CHECK(imported.graph.nodes[0].name == "a_b_0_c");
    CHECK(alike(imported, plain));
  }
}

TEST_CASE("onnx: weights in any wrapping") {
  Part plain;
  plain.node("Flatten", {plain.x}, "f");
  OnnxModelWriter::set(plain.node("Gemm", {"f", plain.weights("w", {4, 60})}, "d"), "transB", 1);
  const Import expected = plain.quantized("d");

  SECTION("transposed by a node, behind a flatten by arithmetic of shapes") {
    Part part;
    part.node("Shape", {part.x}, "shape");
    part.model.constant("zero", onnx::TensorProto::INT64, {}, std::vector<std::int64_t>{0});
    part.model.constant("minus", onnx::TensorProto::INT64, {1}, std::vector<std::int64_t>{-1});
    part.model.constant("axes", onnx::TensorProto::INT64, {1}, std::vector<std::int64_t>{0});
    OnnxModelWriter::set(part.node("Gather", {"shape", "zero"}, "batch"), "axis", 0);
    part.node("Unsqueeze", {"batch", "axes"}, "batch1");
    OnnxModelWriter::set(part.node("Concat", {"batch1", "minus"}, "to"), "axis", 0);
    part.node("Reshape", {part.x, "to"}, "f");
    OnnxModelWriter::set(part.node("Transpose", {part.weights("w", {4, 60})}, "wt"), "perm", {1, 0});
    part.node("MatMul", {"f", "wt"}, "d");
    CHECK(alike(part.quantized("d"), expected));
  }
  SECTION("real weights that are quantized in the file") {
    Part part;
    RandomWork random(1);
    std::vector<float> values;
    for (int i = 0; i < 240; ++i)
      values.push_back(static_cast<float>(random.in(-128, 127)) * 0.01f);
    part.model.reals("real", {4, 60}, values);
    part.model.bytes("zero", true, {}, {0});
    part.node("QuantizeLinear", {"real", part.model.scalar("s", 0.01f), "zero"}, "wq");
    part.node("DequantizeLinear", {"wq", "s", "zero"}, "w");
    part.node("Flatten", {part.x}, "f");
    OnnxModelWriter::set(part.node("Gemm", {"f", "w"}, "d"), "transB", 1);
    CHECK(alike(part.quantized("d"), expected));
  }
  SECTION("as a convolution as large as the map") {
    Part part;
    part.node("Conv", {part.x, part.weights("w", {4, 2, 5, 6})}, "c");
    part.node("Flatten", {"c"}, "d");
    CHECK(alike(part.quantized("d"), expected));
  }
}

TEST_CASE("onnx: automatic padding, and kernels with gaps") {
  for (const bool upper : {true, false}) {
    Part part;
    auto* node = part.node("Conv", {part.x, part.weights("w", {3, 2, 4, 2})}, "c");
    OnnxModelWriter::set(node, "auto_pad", upper ? "SAME_UPPER" : "SAME_LOWER");
    OnnxModelWriter::set(node, "strides", {2, 1});
    Part told;
    node = told.node("Conv", {told.x, told.weights("w", {3, 2, 4, 2})}, "c");
    OnnxModelWriter::set(node, "pads", upper ? std::vector{1, 0, 2, 1} : std::vector{2, 1, 1, 0});
    OnnxModelWriter::set(node, "strides", {2, 1});
    CHECK(alike(part.quantized("c"), told.quantized("c")));
  }
  Part part;
  OnnxModelWriter::set(part.node("Conv", {part.x, part.weights("w", {1, 2, 2, 2})}, "c"), "dilations",
                       {3, 2});
  const Import imported = part.quantized("c");
  const auto& convolution = std::get<Convolution>(imported.graph.nodes[0].op);
  CHECK(convolution.window.rows == 4);
  CHECK(convolution.window.columns == 3);
  CHECK(std::count(convolution.weights.begin(), convolution.weights.end(), 0) >= 16);
}

TEST_CASE("onnx: clamps become the requantizer's, and a maximum waits for it") {
  Part part;
  part.model.scalar("low", 0);
  part.model.scalar("high", 6);
  part.node("Conv", {part.x, part.weights("w", {3, 2, 3, 2})}, "c");
  part.node("Clip", {"c", "low", "high"}, "r");
  OnnxModelWriter::set(part.node("MaxPool", {"r"}, "m"), "kernel_shape", {2, 2});
  const Import imported = part.quantized("m", 0.1f, -100);
  REQUIRE(imported.graph.nodes.size() == 2);
  const auto& convolution = std::get<Convolution>(imported.graph.nodes[0].op);
  CHECK(convolution.requantization.low == -100);
  CHECK(convolution.requantization.high == -40);
  CHECK(std::get<Pool>(imported.graph.nodes[1].op).kind == Pool::Kind::max);

  Part on_the_grid; // clamped between DequantizeLinear and the next operator, without a scale of its own
  on_the_grid.node("Relu", {on_the_grid.x}, "r");
  OnnxModelWriter::set(on_the_grid.node("MaxPool", {"r"}, "m"), "kernel_shape", {2, 2});
  const Import relu = on_the_grid.quantized("m", 0.5f, -3);
  REQUIRE(relu.graph.nodes.size() == 2);
  CHECK(std::get<Rescale>(relu.graph.nodes[1].op).requantization.low == -3);
}

TEST_CASE("onnx: integers of fewer bits are clamped where they are made") {
  const auto clipped = [](Part& part, const std::string& name, int low, int high) {
    part.model.bytes(name + "_low", true, {}, {low});
    part.model.bytes(name + "_high", true, {}, {high});
    part.node("Clip", {name, name + "_low", name + "_high"}, name + "_clipped");
    return name + "_clipped";
  };
  Part part;
  std::vector<int> w(12);
  for (int i = 0; i < 12; ++i)
    w[static_cast<std::size_t>(i)] = i * 5 - 30;
  part.model.bytes("w", true, {3, 2, 2, 1}, w);
  part.node("DequantizeLinear", {clipped(part, "w", -8, 7), part.model.scalar("ws", 0.1f)}, "wr");
  part.node("Conv", {part.x, "wr"}, "c");
  part.model.quantize("c", "n", 0.7f, 1, true);
  clipped(part, "n", -8, 7);
  part.node("DequantizeLinear", {"n_clipped", "n_scale", "n_zero"}, "r");
  OnnxModelWriter::set(part.node("MaxPool", {"r"}, "m"), "kernel_shape", {2, 2});
  const Import imported = part.quantized("m", 0.7f, 1);
  REQUIRE(imported.graph.nodes.size() == 2);
  const auto& convolution = std::get<Convolution>(imported.graph.nodes[0].op);
  CHECK(convolution.requantization.low == -8);
  CHECK(convolution.requantization.high == 7);
  CHECK(*std::min_element(convolution.weights.begin(), convolution.weights.end()) == -8);
  CHECK(*std::max_element(convolution.weights.begin(), convolution.weights.end()) == 7);
}

TEST_CASE("onnx: int32 sums, scaled by nodes of their own, are exact as well") {
  OnnxModelWriter model;
  model.input("x", onnx::TensorProto::UINT8, {1, 1, 3, 4});
  std::vector<int> w;
  for (int i = 0; i < 2 * 4; ++i)
    w.push_back(i * 29 - 100);
  model.bytes("w", true, {2, 1, 2, 2}, w);
  model.bytes("zero", false, {}, {77});
  model.node("ConvInteger", {"x", "w", "zero"}, "sum");
  OnnxModelWriter::set(model.node("Cast", {"sum"}, "real"), "to", 1);
  const std::vector<float> factors = {0.011f, 0.0173f}, added = {3.3f, -70.1f};
  model.reals("factor", {2, 1, 1}, factors);
  model.reals("added", {1, 2, 1, 1}, added);
  model.node("Mul", {"real", "factor"}, "scaled");
  model.node("Add", {"scaled", "added"}, "biased");
  model.node("Relu", {"biased"}, "relu");
  model.quantize("relu", "y", 0.9f, 4, false);
  const Import imported = import_onnx(model.text("y"), "x.onnx");
  REQUIRE(imported.graph.nodes.size() == 1);
  CHECK(imported.graph.tensors[imported.graph.input].format.zero_point == 77);
  RandomWork random(base_seed());
  int wrong = 0;
  for (int i = 0; i < repeats(50); ++i) {
    std::vector<int> x, expected;
    for (int n = 0; n < 12; ++n)
      x.push_back(random.in(0, 255));
    for (std::size_t o = 0; o < 2; ++o)
      for (std::size_t r = 0; r < 2; ++r)
        for (std::size_t c = 0; c < 3; ++c) {
          int sum = 0;
          for (std::size_t k = 0; k < 4; ++k)
            sum += (x[(r + k / 2) * 4 + c + k % 2] - 77) * w[o * 4 + k];
          const float real = std::max(0.0f, static_cast<float>(sum) * factors[o] + added[o]);
          expected.push_back(static_cast<int>(std::clamp(std::nearbyint(real / 0.9f) + 4, 0.0f, 255.0f)));
        }
    wrong += computed(imported, x) != expected;
  }
  CHECK(imported.nodes[0].sums > 10'000);
  CHECK((wrong == 0 || imported.nodes[0].different > 0));
  CHECK(imported.nodes[0].different * 200 <
        imported.nodes[0].sums); // the constant is no whole number of sums
}

TEST_CASE("onnx: a softmax at the end is the host's") {
  Part part;
  part.node("Flatten", {part.x}, "f");
  OnnxModelWriter::set(part.node("Gemm", {"f", part.weights("w", {4, 60})}, "d"), "transB", 1);
  part.model.quantize("d", "y", 5, 7, true);
  part.node("Softmax", {part.model.dequantize("y")}, "p");
  const Import imported = import_onnx(part.model.text("p"), "x.onnx");
  CHECK(imported.graph.softmax.has_value());
  CHECK(imported.graph.nodes.size() == 1);
  CHECK(imported.graph.tensors[imported.graph.output].scale == 5);
  CHECK(std::count(imported.notes.begin(), imported.notes.end(),
                   "the host computes the softmax of the output") == 1);
}

TEST_CASE("onnx: what cannot be had is refused with node, operator and what would do") {
  const auto behind = [](const std::string& op,
                         const std::function<void(Part&, onnx::NodeProto*)>& change = nullptr) {
    Part part;
    auto* node = part.node(op, {part.x}, "n");
    if (change)
      change(part, node);
    part.model.quantize("n", "y", 1, 0, true);
    return part.complaint("y");
  };
  CHECK(behind("LeakyRelu")
            .rfind("x.onnx: node \"n\" (LeakyRelu): there is no such operator here; possible are Conv, ",
                   0) == 0);
  CHECK(behind("BatchNormalization") == "x.onnx: node \"n\" (BatchNormalization): input 1 is missing");
  CHECK(behind("Quant", [](Part&, onnx::NodeProto* node) { node->set_domain("org.other"); })
            .rfind("x.onnx: node \"n\" (org.other.Quant): operators of domain \"org.other\" are unknown",
                   0) == 0);
  CHECK(behind("Conv",
               [](Part& part, onnx::NodeProto* node) {
                 node->add_input(part.model.reals("w", {1, 2, 1, 1}, {1, 2}));
               }) ==
        "x.onnx: node \"n\" (Conv): its weights are real numbers; quantize them to int8 (QuantizeLinear, "
        "DequantizeLinear)");
  CHECK(behind("Conv", [](Part& part, onnx::NodeProto* node) {
          node->add_input("w");
          part.weights("w", {4, 1, 1, 1});
        }) == "x.onnx: node \"n\" (Conv): it reads \"w\", which no node before it writes");
  CHECK(behind("MaxPool") == "x.onnx: node \"n\" (MaxPool): kernel_shape is missing");
  CHECK(behind("AveragePool", [](Part&, onnx::NodeProto* node) {
          OnnxModelWriter::set(node, "kernel_shape", {2, 2});
          OnnxModelWriter::set(node, "pads", {1, 1, 0, 0});
        }).find("count fewer elements than others") != std::string::npos);
  CHECK(behind("MaxPool", [](Part&, onnx::NodeProto* node) {
          OnnxModelWriter::set(node, "kernel_shape", {2, 2});
          OnnxModelWriter::set(node, "pads", {2, 0, 0, 0});
        }) == "x.onnx: node \"n\" (MaxPool): its padding of 2 is not less than its kernel of 2");
  CHECK(behind("Mul", [](Part& part, onnx::NodeProto* node) { node->add_input(part.x); }) ==
        "x.onnx: node \"n\" (Mul): it multiplies two tensors; possible is to multiply by a constant");

  Part loose;
  loose.node("Conv", {loose.x, loose.weights("w", {3, 2, 3, 2})}, "c");
  loose.node("Conv", {"c", loose.weights("v", {3, 3, 1, 1})}, "d");
  CHECK(loose.complaint("d") ==
        "x.onnx: node \"d\" (Conv): it reads real numbers that nothing has quantized; put a "
        "QuantizeLinear and a DequantizeLinear before it");
  Part real;
  real.node("Conv", {real.x, real.weights("w", {3, 2, 3, 2})}, "c");
  CHECK(real.complaint("c") == "x.onnx: node \"c\" (the last operator): its results are real numbers, and no "
                               "QuantizeLinear is behind it; add one");
  Part moved;
  moved.node("Conv", {moved.x, moved.weights("w", {3, 2, 3, 2})}, "c");
  moved.model.quantize("c", "q1", 1, 0, true);
  OnnxModelWriter::set(moved.node("Transpose", {moved.model.dequantize("q1")}, "t"), "perm", {0, 3, 2, 1});
  moved.node("Conv", {"t", moved.weights("v", {3, 5, 1, 1})}, "d");
  moved.model.quantize("d", "y", 1, 0, true);
  CHECK(moved.complaint("y").find("would move elements in memory") != std::string::npos);
  Part far(13, {1, 2, 5, 6});
  far.node("Conv", {far.x, far.weights("w", {3, 2, 3, 2})}, "c");
  far.model.quantize("c", "y", 1e-42f, 0, true);
  CHECK(far.complaint("y") == "x.onnx: node \"y\" (QuantizeLinear): its scales are too far apart");
  Part large(13, {1, 1, 4000, 4000});
  large.node("Conv", {large.x, large.weights("w", {8, 1, 1, 1})}, "c");
  large.model.quantize("c", "y", 1, 0, true);
  CHECK(large.complaint("y") == "x.onnx: node \"c\" (Conv): its result has more than 16777216 elements");
  Part wide;
  wide.node("Flatten", {wide.x}, "f");
  wide.model.bytes("w", true, {60, 4}, std::vector<int>(240, 127));
  wide.node("QuantizeLinear", {"f", "q_scale", "q_zero"}, "fq");
  wide.node("MatMulInteger", {"fq", "w", "q_zero"}, "sums");
  CHECK(wide.complaint("sums").find("its sums can reach -952500 to 990600, results have 16 bits at most") !=
        std::string::npos);
}

TEST_CASE("onnx: MLPerf Tiny's networks, and in how many sums they differ from float32") {
  const char* data = std::getenv("DELTATWIN_DATA");
  if (!data || !std::filesystem::exists(std::filesystem::path(data) / "mlperf-tiny")) {
    WARN("not run: DELTATWIN_DATA names no folder with mlperf-tiny");
    return;
  }
  struct Case {
    const char* name;
    std::size_t nodes;
    std::uint64_t macs, differing;
  };
  for (const Case& each : {Case{"ic", 14, 12'501'632, 45}, Case{"kws", 11, 2'656'768, 34}}) {
    CAPTURE(each.name);
    const Import imported = import_onnx(
        read_file(std::string(data) + "/mlperf-tiny/" + each.name + "/model_qdq.onnx"), each.name);
    CHECK(imported.graph.nodes.size() == each.nodes);
    CHECK(imported.graph.macs() == each.macs);
    CHECK(differing(imported) == each.differing);
    CHECK(imported.graph.softmax.has_value());
  }
}

namespace {

/// A model, inputs and the results that were computed here, for testbench/onnxruntime.mjs.
class CaseWriter {
public:
  CaseWriter(const std::filesystem::path& directory, const std::string& name) : path_(directory / name) {}

  void write(const std::string& model, const std::vector<int>& dims,
             const std::vector<std::vector<float>>& inputs,
             const std::vector<std::vector<int>>& outputs) const {
    std::ofstream(path_.string() + ".onnx", std::ios::binary) << model;
    std::ofstream file(path_.string() + ".json");
    file << "{\"dims\": " << list(dims) << ", \"inputs\": [";
    for (std::size_t i = 0; i < inputs.size(); ++i)
      file << (i ? ",\n" : "") << list(inputs[i]);
    file << "], \"outputs\": [";
    for (std::size_t i = 0; i < outputs.size(); ++i)
      file << (i ? ",\n" : "") << list(outputs[i]);
    file << "]}\n";
  }

private:
  template <class T> static std::string list(const std::vector<T>& values) {
    std::ostringstream text;
    text.precision(9);
    for (const T& value : values)
      text << (text.tellp() > 0 ? "," : "") << value;
    return "[" + text.str() + "]";
  }
  std::filesystem::path path_;
};

/// The model up to the integers that its last DequantizeLinear reads.
std::string without_tail(const std::string& bytes) {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  auto* graph = model.mutable_graph();
  std::string output = graph->output(0).name();
  const auto writer = [&](const std::string& name) {
    for (int n = 0; n < graph->node_size(); ++n)
      if (graph->node(n).output(0) == name)
        return n;
    return -1;
  };
  for (int at = writer(output); at >= 0 && graph->node(at).op_type() != "QuantizeLinear";
       at = writer(output)) {
    output = graph->node(at).input(0);
    graph->mutable_node()->DeleteSubrange(at, 1);
  }
  auto* value = graph->mutable_output(0);
  value->set_name(output);
  value->mutable_type()->mutable_tensor_type()->clear_shape();
  value->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT8);
  return model.SerializeAsString();
}

} // namespace

// Writes models of both forms, and those of MLPerf Tiny if DELTATWIN_DATA names them, into DELTATWIN_OUT.
TEST_CASE("onnx: cases for onnxruntime", "[.onnxruntime]") {
  const char *out = std::getenv("DELTATWIN_OUT"), *data = std::getenv("DELTATWIN_DATA");
  if (!out)
    FAIL("DELTATWIN_OUT names no directory");
  std::filesystem::create_directories(out);
  for (int i = 0; i < repeats(100); ++i) {
    TwoForms forms(base_seed() + static_cast<std::uint64_t>(i));
    const Edge first = forms.input(forms.in(1, 5), forms.in(1, 9), forms.in(1, 9)),
               last = forms.any_layers(first);
    if (last.name == first.name)
      continue;
    std::vector<float> reals;
    for (const int value : forms.given())
      reals.push_back(static_cast<float>(value - first.zero_point) * first.scale);
    const std::vector<int> dims = {1, first.map.channels, first.map.rows, first.map.columns};
    CaseWriter(out, "qdq" + std::to_string(i)).write(forms.qdq(last), dims, {reals}, {last.map.values});
    CaseWriter(out, "qoperator" + std::to_string(i))
        .write(forms.qoperator(last), dims, {reals}, {last.map.values});
  }
  for (const char* network : {"ic", "kws"}) {
    const std::filesystem::path directory = std::filesystem::path(data ? data : "") / "mlperf-tiny" / network;
    if (!data || !std::filesystem::exists(directory))
      continue;
    const std::string bytes = read_file((directory / "model_qdq.onnx").string());
    const std::string records = read_file((directory / "inputs.bin").string());
    const bool pixels = std::string(network) == "ic";
    const Import imported = import_onnx(bytes, network);
    const Tensor& input = imported.graph.tensors[imported.graph.input];
    const std::size_t size = input.elements();
    std::vector<std::vector<float>> inputs;
    std::vector<std::vector<int>> outputs;
    for (std::size_t first = 0; first < records.size(); first += size) {
      std::vector<int> values;
      inputs.emplace_back();
      for (std::size_t i = 0; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(records[first + i]);
        values.push_back(pixels ? byte - 128 : static_cast<signed char>(byte));
        inputs.back().push_back(static_cast<float>(values.back() - input.format.zero_point) * input.scale);
      }
      outputs.push_back(computed(imported, values));
    }
    const std::vector<int> dims = pixels ? std::vector{1, 32, 32, 3} : std::vector{1, 490};
    CaseWriter(out, network).write(without_tail(bytes), dims, inputs, outputs);
  }
}
