// QONNX against a plain computation of the same graph in real numbers: random networks, and those of other
// people's tools where they are there.
#include "base/file.h"
#include "import/import.h"
#include "net/graph_inference.h"
#include "net/reference.h"
#include "onnx_evaluator.h"
#include "onnx_models.h"
#include "random_work.h"
#include "refusal.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>

using namespace deltatwin;

namespace {

/// Outputs over some inputs, and those that are not what the graph gives in float and in double.
struct Agreement {
  int inputs = 0;
  std::int64_t elements = 0, not_float = 0, not_double = 0, neither = 0;
};

void add(Agreement& to, const Agreement& more) {
  to.inputs += more.inputs;
  to.elements += more.elements;
  to.not_float += more.not_float;
  to.not_double += more.not_double;
  to.neither += more.neither;
}

std::string shown(const Agreement& agreement) {
  return std::to_string(agreement.inputs) + " inputs, of " + std::to_string(agreement.elements) +
         " outputs other than in float " + std::to_string(agreement.not_float) + ", than in double " +
         std::to_string(agreement.not_double) + ", than in both " + std::to_string(agreement.neither);
}

/// A network as it is imported and as the graph itself computes it.
class Pair {
public:
  Pair(const std::string& bytes, const std::string& name)
      : imported_(import_onnx(bytes, name)), model_(parsed(bytes)), single_(model_), double_(model_),
        inference_(imported_.graph) {}

  [[nodiscard]] const Import& imported() const { return imported_; }
  [[nodiscard]] const Graph& graph() const { return imported_.graph; }
  [[nodiscard]] std::uint64_t differing() const {
    std::uint64_t sums = 0;
    for (const NodeReport& report : imported_.nodes)
      sums += report.different;
    return sums;
  }
  [[nodiscard]] bool has_note(const std::string& part) const {
    return std::any_of(imported_.notes.begin(), imported_.notes.end(),
                       [&](const std::string& note) { return note.find(part) != std::string::npos; });
  }
  /// The value of the graph that the integers of the output stand for; else its own output.
  void compare_with(const std::string& value) { value_ = value; }
  /// How the host makes integers; else by scale and zero point.
  void quantize_by(std::function<int(float)> quantize) { quantize_ = std::move(quantize); }
  void limit(int low, int high) { low_ = low, high_ = high; }

  void run(RandomWork& random, Agreement& agreement, bool plainly) {
    const Tensor& input = graph().tensors[graph().input];
    const int low = low_ < high_ ? low_ : input.format.low(),
              high = low_ < high_ ? high_ : input.format.high();
    const std::size_t count = input.elements();
    std::vector<float> reals(count);
    std::vector<std::int32_t> lying(count), result(inference_.outputs());
    for (std::size_t i = 0; i < count; ++i) {
      const float jitter = static_cast<float>(random.in(-40, 40)) / 100;
      const int integer = random.in(low, high);
      reals[i] =
          (static_cast<float>(integer - input.format.zero_point) + (quantize_ ? 0 : jitter)) * input.scale;
      const float units = reals[i] / input.scale + static_cast<float>(input.format.zero_point);
      const int own = quantize_ ? quantize_(reals[i])
                                : static_cast<int>(std::nearbyint(
                                      std::clamp(units, static_cast<float>(low), static_cast<float>(high))));
      lying[imported_.input_order.empty() ? i : imported_.input_order[i]] = own;
    }
    inference_.run(lying.data(), 1, result.data());
    if (plainly)
      REQUIRE(reference_tensors(graph(), lying)[graph().output] == result);
    const std::vector<double> single = values(single_, reals), real = values(double_, reals);
    REQUIRE(real.size() == result.size());
    const Tensor& output = graph().tensors[graph().output];
    ++agreement.inputs;
    for (std::size_t i = 0; i < result.size(); ++i) {
      const int own = result[imported_.output_order.empty() ? i : imported_.output_order[i]];
      const auto equals = [&](double value) {
        return std::abs(value / output.scale + output.format.zero_point - own) < 0.01;
      };
      ++agreement.elements;
      agreement.not_float += !equals(single[i]);
      agreement.not_double += !equals(real[i]);
      agreement.neither += !equals(single[i]) && !equals(real[i]);
    }
  }

private:
  static onnx::ModelProto parsed(const std::string& bytes) {
    onnx::ModelProto model;
    REQUIRE(model.ParseFromString(bytes));
    return model;
  }

  template <class Real>
  std::vector<double> values(const OnnxEvaluator<Real>& evaluator, const std::vector<float>& reals) const {
    OnnxArray<Real> input;
    for (const auto& value : model_.graph().input())
      if (input.dims.empty() && value.type().tensor_type().has_shape() && is_free(value.name()))
        for (const auto& dim : value.type().tensor_type().shape().dim())
          input.dims.push_back(std::max<std::int64_t>(dim.dim_value(), 1));
    input.values.assign(reals.begin(), reals.end());
    const auto all = evaluator.run(input);
    const OnnxArray<Real>& output = all.at(value_.empty() ? model_.graph().output(0).name() : value_);
    return {output.values.begin(), output.values.end()};
  }
  [[nodiscard]] bool is_free(const std::string& name) const {
    const auto& constants = model_.graph().initializer();
    return std::none_of(constants.begin(), constants.end(),
                        [&](const auto& constant) { return constant.name() == name; });
  }

  Import imported_;
  onnx::ModelProto model_;
  OnnxEvaluator<float> single_;
  OnnxEvaluator<double> double_;
  GraphInference inference_;
  std::string value_;
  std::function<int(float)> quantize_;
  int low_ = 0, high_ = 0;
};

} // namespace

TEST_CASE("qonnx: networks of other people's tools, in every output what their graphs give") {
  const char* data = std::getenv("DELTATWIN_DATA");
  if (!data || !std::filesystem::exists(std::filesystem::path(data) / "qonnx")) {
    WARN("not run: DELTATWIN_DATA names no folder with qonnx");
    return;
  }
  struct Case {
    const char* name;
    std::size_t nodes;
    std::uint64_t macs;
    int inputs;
    const char* value; ///< that the output stands for
  };
  RandomWork random(base_seed() + 1);
  for (const Case& each :
       {Case{"tfc_w1a1", 4, 59'008, 20, "66"}, Case{"kwsmlp_w3a3", 4, 259'584, 20, ""},
        Case{"resnet8_w4a4", 16, 12'501'632, 1, ""}, Case{"resnet8_w8a8", 22, 12'501'632, 1, ""}}) {
    CAPTURE(each.name);
    Pair pair(read_file(std::string(data) + "/qonnx/" + each.name + ".onnx"), each.name);
    CHECK(pair.graph().nodes.size() == each.nodes);
    CHECK(pair.graph().macs() == each.macs);
    CHECK(pair.differing() == 0);
    pair.compare_with(each.value);
    if (each.value[0] != 0) {
      pair.quantize_by([](float real) { return real * 2 - 1 >= 0 ? 1 : -1; });
      pair.limit(0, 1);
    } else if (std::string(each.name) == "kwsmlp_w3a3") {
      pair.limit(-127, 127);
    }
    Agreement agreement;
    for (int n = 0; n < repeats(each.inputs); ++n)
      pair.run(random, agreement, n == 0);
    WARN(each.name << ": " << shown(agreement));
    CHECK(agreement.not_double == 0);
  }
}

namespace {

/// A random network of QONNX's operators, layer by layer.
class RandomQonnx {
public:
  explicit RandomQonnx(RandomWork& random) : random_(random) {
    channels_ = in(1, 6), rows_ = in(4, 9), columns_ = in(4, 9);
    model_.input("x", onnx::TensorProto::FLOAT, {1, channels_, rows_, columns_});
    scale_ = scale(-4);
    value_ = quant("x", in(3, 8), in(0, 1) == 1, scale_);
    spread_ = scale_ * 30;
  }

  std::string make() {
    for (int layers = in(1, 4); layers > 0; --layers)
      layer();
    if (once(3))
      average();
    if (once(2))
      dense();
    return model_.text(value_);
  }

private:
  int in(int low, int high) { return random_.in(low, high); }
  bool once(int many) { return in(1, many) == 1; }
  std::string fresh(const char* kind) { return kind + std::to_string(count_++); }
  std::string domain() {
    static const char* const names[] = {"", "onnx.brevitas", "qonnx.custom_op.general",
                                        "finn.custom_op.general"};
    return names[in(0, 3)];
  }
  // About 2^exponent, mostly a power of two itself.
  float scale(int exponent) {
    return std::ldexp(once(3) ? 1 + static_cast<float>(in(1, 999)) / 1000 : 1, exponent);
  }
  float real() { return static_cast<float>(in(-1000, 1000)) / 1000; }
  std::vector<float> reals(int count) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i)
      values.push_back(real());
    return values;
  }

  std::string quant(const std::string& of, int bits, bool is_signed, float scale, int narrow = 0,
                    const std::vector<int>& dims = {}, const std::vector<float>& scales = {}) {
    const std::string name = fresh("q");
    auto* node = model_.node(
        once(4) ? "IntQuant" : "Quant",
        {of, dims.empty() ? model_.scalar(name + "_s", scale) : model_.reals(name + "_s", dims, scales),
         model_.scalar(name + "_z", 0), model_.scalar(name + "_b", static_cast<float>(bits))},
        name, domain());
    OnnxModelWriter::set(node, "signed", is_signed ? 1 : 0);
    OnnxModelWriter::set(node, "narrow", narrow);
    OnnxModelWriter::set(node, "rounding_mode", "ROUND");
    return name;
  }

  // Quantized weights of these dimensions; of each output or all one scale.
  std::string weights(const std::vector<int>& dims) {
    const std::string name = fresh("w");
    int count = 1;
    for (const int size : dims)
      count *= size;
    model_.reals(name, dims, reals(count));
    const int bits = in(1, 8);
    if (bits == 1) {
      weight_scale_ = scale(-2);
      one_scale_ = true;
      model_.node("BipolarQuant", {name, model_.scalar(name + "_s", weight_scale_)}, name + "_q", domain());
      return name + "_q";
    }
    weight_scale_ = scale(1 - bits);
    one_scale_ = !once(3);
    if (one_scale_)
      return quant(name, bits, true, weight_scale_, in(0, 1));
    std::vector<int> along(dims.size(), 1);
    along[0] = dims[0];
    std::vector<float> scales;
    for (int o = 0; o < dims[0]; ++o)
      scales.push_back(scale(1 - bits));
    return quant(name, bits, true, 0, in(0, 1), along, scales);
  }

  // A bias of the products' own unit, or of any real numbers.
  std::string bias(int count) {
    const std::string name = fresh("b");
    std::vector<float> values = reals(count);
    for (float& value : values)
      value *= spread_;
    model_.reals(name, {count}, values);
    return one_scale_ && once(2) ? quant(name, 32, true, scale_ * weight_scale_) : name;
  }

  std::string normalized(const std::string& of, int channels) {
    const std::string name = fresh("bn");
    std::vector<float> gamma, mean, variance;
    for (int c = 0; c < channels; ++c) {
      gamma.push_back(once(20) ? 0 : real() * 2);
      mean.push_back(real() * spread_);
      variance.push_back(spread_ * spread_ * (1.2f + real()));
    }
    model_.node("BatchNormalization",
                {of, model_.reals(name + "_g", {channels}, gamma),
                 model_.reals(name + "_b", {channels}, reals(channels)),
                 model_.reals(name + "_m", {channels}, mean),
                 model_.reals(name + "_v", {channels}, variance)},
                name);
    spread_ = 1;
    return name;
  }

  // Anything that makes integers of a few bits of real numbers of about `spread_`.
  std::string activation(const std::string& of, int channels) {
    const int kind = in(0, 5);
    if (kind == 0) {
      const std::string name = fresh("sign");
      scale_ = scale(0);
      spread_ = scale_;
      model_.node("BipolarQuant", {of, model_.scalar(name + "_s", scale_)}, name, domain());
      return name;
    }
    if (kind == 1) {
      const std::string name = fresh("count");
      const int steps = in(1, 15), own = once(2) ? channels : 1;
      std::vector<float> values;
      for (int c = 0; c < own; ++c) {
        std::vector<float> row = reals(steps);
        std::sort(row.begin(), row.end());
        for (const float value : row)
          values.push_back(value * spread_ * 2);
      }
      auto* node = model_.node("MultiThreshold", {of, model_.reals(name + "_t", {own, steps}, values)}, name,
                               domain());
      const float out = scale(-1);
      const bool halves = steps <= 7 && once(3);
      OnnxModelWriter::set(node, "out_scale", out);
      OnnxModelWriter::set(node, "out_bias", halves ? -0.5f * out : static_cast<float>(in(-8, 0)) * out);
      scale_ = halves ? out / 2 : out;
      spread_ = out * static_cast<float>(steps);
      return name;
    }
    std::string value = of;
    bool is_signed = once(2);
    if (kind >= 4) {
      value = fresh("relu");
      model_.node("Relu", {of}, value);
      is_signed = false;
    }
    const int bits = once(2) ? in(2, 4) : in(2, 8);
    scale_ = scale(static_cast<int>(std::floor(std::log2(spread_ * 3))) - bits);
    spread_ = scale_ * static_cast<float>(1 << (bits - 1));
    return quant(value, bits, is_signed, scale_, in(0, 1));
  }

  void layer() {
    const int kernel = in(1, 3), stride = in(1, 2), padding = in(0, kernel - 1);
    const bool residual = once(3);
    const bool depthwise = !residual && once(4);
    const int outputs = residual || depthwise ? channels_ : in(1, 8);
    const int size = residual ? 1 : kernel, step = residual ? 1 : stride, pad = residual ? 0 : padding;
    if (rows_ + 2 * pad < size || columns_ + 2 * pad < size)
      return;
    const std::string from = value_, name = fresh("conv");
    const float from_scale = scale_, from_spread = spread_;
    const int own = depthwise ? 1 : channels_;
    std::vector<std::string> inputs = {from, weights({outputs, own, size, size})};
    spread_ = from_spread * std::sqrt(static_cast<float>(own * size * size)) * 0.4f;
    if (once(2))
      inputs.push_back(bias(outputs));
    const bool has_real_bias = inputs.size() > 2 && inputs[2][0] == 'b';
    auto* node = model_.node("Conv", inputs, name);
    OnnxModelWriter::set(node, "group", depthwise ? channels_ : 1);
    OnnxModelWriter::set(node, "strides", {step, step});
    OnnxModelWriter::set(node, "pads", {pad, pad, pad, pad});
    channels_ = outputs;
    rows_ = (rows_ + 2 * pad - size) / step + 1;
    columns_ = (columns_ + 2 * pad - size) / step + 1;
    value_ = name;
    const bool powers = is_power(from_scale) && is_power(weight_scale_) && one_scale_;
    if (residual) {
      // The sums themselves are added, where both are of powers of two.
      if (!powers || has_real_bias || once(2)) {
        if (once(2))
          value_ = normalized(value_, channels_);
        value_ = activation(value_, channels_);
      }
      const std::string sum = fresh("sum");
      model_.node("Add", {value_, from}, sum);
      spread_ = std::max(spread_, from_spread);
      value_ = quantized_sum(sum);
      return;
    }
    if (once(2))
      value_ = normalized(value_, channels_);
    value_ = activation(value_, channels_);
    if (once(4) && rows_ >= 2 && columns_ >= 2) {
      const std::string most = fresh("max");
      OnnxModelWriter::set(model_.node("MaxPool", {value_}, most), "kernel_shape", {2, 2});
      value_ = most;
      rows_ -= 1, columns_ -= 1;
    }
  }

  std::string quantized_sum(const std::string& of) {
    const int bits = in(2, 8);
    scale_ = std::ldexp(1.0f, static_cast<int>(std::floor(std::log2(spread_ * 3))) - bits);
    spread_ = scale_ * static_cast<float>(1 << (bits - 1));
    return quant(of, bits, in(0, 1) == 1, scale_);
  }

  // A mean as Brevitas writes it: times the count, less bits.
  void average() {
    const int size = std::min({in(1, 3), rows_, columns_});
    const std::string name = fresh("mean");
    OnnxModelWriter::set(model_.node("AveragePool", {value_}, name), "kernel_shape", {size, size});
    model_.node("Mul", {name, model_.scalar(name + "_n", static_cast<float>(size * size))}, name + "_sum");
    const int shift = size == 1 ? 0 : size == 2 ? 2 : 4; // 9 numbers of 8 bits have 12
    OnnxModelWriter::set(
        model_.node("Trunc",
                    {name + "_sum", model_.scalar(name + "_s", scale_), model_.scalar(name + "_z", 0),
                     model_.scalar(name + "_i", static_cast<float>(8 + shift)),
                     model_.scalar(name + "_o", 8)},
                    name + "_cut", domain()),
        "rounding_mode", "FLOOR");
    value_ = name + "_cut";
    rows_ -= size - 1, columns_ -= size - 1;
  }

  void dense() {
    const int inputs = channels_ * rows_ * columns_, outputs = in(1, 10);
    const std::string name = fresh("dense");
    model_.node("Flatten", {value_}, name + "_flat");
    const std::string w = weights({outputs, inputs});
    spread_ *= std::sqrt(static_cast<float>(inputs)) * 0.4f;
    OnnxModelWriter::set(model_.node("Transpose", {w}, name + "_t"), "perm", {1, 0});
    model_.node("MatMul", {name + "_flat", name + "_t"}, name);
    value_ = name;
    if (once(2))
      value_ = normalized(value_, outputs);
    value_ = activation(value_, outputs);
  }

  static bool is_power(float scale) {
    int exponent = 0;
    return std::frexp(scale, &exponent) == 0.5f;
  }

  RandomWork& random_;
  OnnxModelWriter model_;
  std::string value_;
  int channels_ = 1, rows_ = 1, columns_ = 1, count_ = 0;
  float scale_ = 1, spread_ = 1; ///< of the latest integers, and about how far their real numbers reach
  float weight_scale_ = 1;
  bool one_scale_ = true;
};

} // namespace

TEST_CASE("qonnx: random networks give what their graphs give") {
  RandomWork random(base_seed() + 2);
  Agreement agreement, inexact;
  int exact = 0;
  std::uint64_t different = 0, sums = 0;
  std::map<std::string, int> kinds;
  for (int n = 0; n < repeats(150); ++n) {
    const std::string bytes = RandomQonnx(random).make();
    CAPTURE(n);
    if (refusal([&] { (void)import_onnx(bytes, "random.onnx"); }).find("more than 16 bits hold") !=
        std::string::npos)
      continue; // sums that are added as they are
    Pair pair(bytes, "random.onnx");
    for (const Node& node : pair.graph().nodes)
      if (const auto* convolution = std::get_if<Convolution>(&node.op))
        ++kinds[to_string(convolution->requantization.rounding)];
    Agreement own;
    for (int i = 0; i < 3; ++i)
      pair.run(random, own, i == 0);
    if (pair.differing() > 0) {
      for (const NodeReport& report : pair.imported().nodes) {
        different += report.different;
        sums += report.different > 0 ? report.sums : 0;
      }
      add(inexact, own);
      continue;
    }
    ++exact;
    CHECK(own.neither == 0);
    add(agreement, own);
  }
  WARN(exact << " networks exact; " << shown(agreement) << "; the others, where " << different << " of "
             << sums << " sums differ: " << shown(inexact));
  CHECK(kinds.size() == 2);
}

namespace {

/// A small model by hand: x of {1, 2, 3, 3} through a Quant of 4 signed bits and scale 1/2.
struct Small {
  OnnxModelWriter model;
  std::string x = "x";

  explicit Small(bool quantized = true) {
    model.input("x", onnx::TensorProto::FLOAT, {1, 2, 3, 3});
    if (quantized)
      x = quant("x", "q", 4, true, 0.5f);
  }
  std::string quant(const std::string& of, const std::string& name, float bits, bool is_signed, float scale,
                    const char* mode = "ROUND") {
    auto* node = model.node(
        "Quant",
        {of, model.scalar(name + "_s", scale), model.scalar(name + "_z", 0), model.scalar(name + "_b", bits)},
        name, "qonnx.custom_op.general");
    OnnxModelWriter::set(node, "signed", is_signed ? 1 : 0);
    OnnxModelWriter::set(node, "narrow", 0);
    OnnxModelWriter::set(node, "rounding_mode", mode);
    return name;
  }
  /// 1x1 weights of 3 bits, scale 1.
  std::string weights(const std::string& name, const std::vector<float>& values) {
    return quant(model.reals(name, {static_cast<int>(values.size()) / 2, 2, 1, 1}, values), name + "_q", 3,
                 true, 1);
  }
  [[nodiscard]] Pair pair(const std::string& output) { return {model.text(output), "small.onnx"}; }
  [[nodiscard]] std::string complaint(const std::string& output) {
    return refusal([&] { (void)import_onnx(model.text(output), "small.onnx"); });
  }
};

void check_equal(Pair& pair, int inputs = 20) {
  RandomWork random(base_seed() + 3);
  Agreement agreement;
  for (int n = 0; n < inputs; ++n)
    pair.run(random, agreement, true);
  CHECK(pair.differing() == 0);
  CHECK(agreement.not_double == 0);
}

template <class Op> const Op& last(const Pair& pair) { return std::get<Op>(pair.graph().nodes.back().op); }

} // namespace

TEST_CASE("qonnx: a factor below 0 turns its channel's weights round, a factor of 0 leaves one result") {
  for (const float bits : {3.0f, 8.0f}) { // with thresholds where they are few
    Small small;
    small.model.node("Conv", {small.x, small.weights("w", {1, 2, 3, -1, -2, 2})}, "c");
    small.model.node("BatchNormalization",
                     {"c", small.model.reals("g", {3}, {-1, 0, 2}),
                      small.model.reals("b", {3}, {0.5f, 1, -1}), small.model.reals("m", {3}, {1, 2, 3}),
                      small.model.reals("v", {3}, {4, 1, 1})},
                     "n");
    Pair pair = small.pair(small.quant("n", "y", bits, true, 0.25f));
    check_equal(pair);
    const auto& convolution = last<Convolution>(pair);
    CHECK(convolution.weights[0] == -1);
    CHECK(convolution.weights[1] == -2);
    CHECK(pair.graph().tensors[pair.graph().output].format == Format{static_cast<int>(bits), true, 0});
  }
}

TEST_CASE("qonnx: one bit is -1 and 1, in a format of two") {
  Small small;
  small.model.node("Conv", {small.x, small.weights("w", {1, 2, 3, -1})}, "c");
  small.model.node("BipolarQuant", {"c", small.model.scalar("s", 0.5f)}, "y", "finn.custom_op.general");
  Pair pair = small.pair("y");
  check_equal(pair);
  const Requantization& by = last<Convolution>(pair).requantization;
  CHECK(by.rounding == Rounding::thresholds);
  CHECK(by.thresholds == std::vector<std::int32_t>{0, 0});
  CHECK(by.low == -1);
  CHECK(by.high == 1);
  CHECK(pair.graph().tensors[pair.graph().output].format == Format{2, true, 0});
}

TEST_CASE("qonnx: sums that nothing has quantized are added as they are, as wide as they matter") {
  Small small;
  small.model.node("Conv", {small.x, small.weights("w", {1, 2, 3, -1})}, "c");
  small.model.node("Add", {"c", small.x}, "sum");
  small.model.node("Relu", {"sum"}, "r");
  Pair pair = small.pair(small.quant("r", "y", 2, false, 1));
  check_equal(pair);
  REQUIRE(pair.graph().nodes.size() == 2);
  // 0..3 with halves: beyond -4..13 halves no other addend, -8..7, matters.
  CHECK(pair.graph().tensors[pair.graph().nodes[0].output].format.bits <= 6);
}

TEST_CASE("qonnx: rounding down needs a constant, and is exact") {
  for (const char* mode : {"FLOOR", "CEIL", "ROUND"}) {
    CAPTURE(mode);
    Small small;
    OnnxModelWriter::set(small.model.node("AveragePool", {small.x}, "p"), "kernel_shape", {2, 2});
    small.model.node("Mul", {"p", small.model.scalar("four", 4)}, "m");
    OnnxModelWriter::set(small.model.node("Trunc",
                                          {"m", small.model.scalar("s", 0.5f), small.model.scalar("z", 0),
                                           small.model.scalar("i", 9), small.model.scalar("o", 7)},
                                          "y", "qonnx.custom_op.general"),
                         "rounding_mode", mode);
    Pair pair = small.pair("y");
    check_equal(pair);
    Small few;
    OnnxModelWriter::set(few.model.node("Trunc",
                                        {few.x, few.model.scalar("s", 0.5f), few.model.scalar("z", 0),
                                         few.model.scalar("i", 4), few.model.scalar("o", 3)},
                                        "y", "qonnx.custom_op.general"),
                         "rounding_mode", mode);
    if (std::string(mode) == "FLOOR") { // -8..7 to -4..3
      Pair cut = few.pair("y");
      check_equal(cut);
    } else {
      CHECK(few.complaint("y").find("its numbers reach 4, more than the 3 bits that it tells") !=
            std::string::npos);
    }
    Small quantized;
    Pair other = quantized.pair(quantized.quant(quantized.x, "y", 6, true, 1.5f, mode));
    check_equal(other);
  }
}

TEST_CASE("qonnx: what is before the first Quant is the host's, or the scale's") {
  Small scaled(false);
  scaled.model.node("Div", {"x", scaled.model.scalar("d", 4)}, "t");
  scaled.quant("t", "q", 4, true, 0.5f);
  scaled.model.node("Conv", {"q", scaled.weights("w", {1, 2, 3, -1})}, "c");
  Pair pair = scaled.pair(scaled.quant("c", "y", 8, true, 1));
  CHECK(pair.graph().tensors[pair.graph().input].scale == 2);
  CHECK(pair.has_note("the host quantizes the input: integer = clamp(round(real / 2), -8, 7)"));
  check_equal(pair);

  Small shifted(false);
  shifted.model.node("Mul", {"x", shifted.model.scalar("f", 2)}, "t");
  shifted.model.node("Sub", {"t", shifted.model.scalar("o", 1)}, "u");
  shifted.quant("u", "q", 4, true, 0.5f);
  shifted.model.node("Conv", {"q", shifted.weights("w", {1, 2, 3, -1})}, "c");
  Pair other = shifted.pair(shifted.quant("c", "y", 8, true, 1));
  CHECK(
      other.has_note("the host quantizes the input: multiply by 2, add -1, then integer = clamp(round(real / "
                     "0.5), -8, 7)"));
  CHECK(other.graph().tensors[other.graph().input].scale == 0.5f);
  other.quantize_by([](float real) {
    return static_cast<int>(std::nearbyint(std::clamp((real * 2 - 1) / 0.5f, -8.0f, 7.0f)));
  });
  check_equal(other);
}

TEST_CASE("qonnx: an input that the host quantizes keeps its scale, whatever quantizes it once more") {
  Small small;
  small.model.node("Mul", {small.x, small.model.scalar("f", 2)}, "t");
  small.quant("t", "r", 4, true, 1);
  small.model.node("Conv", {"r", small.weights("w", {1, 2, 3, -1})}, "c");
  Pair pair = small.pair(small.quant("c", "y", 8, true, 1));
  CHECK(pair.graph().tensors[pair.graph().input].scale == 0.5f);
  check_equal(pair);
}

TEST_CASE("qonnx: an input of integers takes its preprocessing into its zero point, or into a node") {
  const auto annotated = [](Small& small, const char* type) {
    auto* note = small.model.model().mutable_graph()->add_quantization_annotation();
    note->set_tensor_name("x");
    auto* entry = note->add_quant_parameter_tensor_names();
    entry->set_key("finn_datatype");
    entry->set_value(type);
  };
  for (const float step : {1.0f, 2.0f}) { // of the Quant: another scale than the integers' cannot be folded
    Small small(false);
    annotated(small, "UINT8");
    small.model.node("Sub", {"x", small.model.scalar("o", 128)}, "t");
    small.model.node("Div", {"t", small.model.scalar("d", 128)}, "u");
    small.quant("u", "q", 8, true, step / 128);
    small.model.node("Conv", {"q", small.weights("w", {1, 2, 3, -1})}, "c");
    Pair pair = small.pair(small.quant("c", "y", 8, true, 0.125f));
    const Tensor& input = pair.graph().tensors[pair.graph().input];
    CHECK(input.format == Format{8, false, step == 1 ? 128 : 0});
    CHECK(pair.graph().nodes.size() == (step == 1 ? 1 : 2));
    pair.quantize_by([](float real) { return static_cast<int>(real); });
    CHECK(pair.has_note("the host gives the input's integers as they are"));
    // The tensor's scale is that of the Quant: the file's own numbers are the integers.
    RandomWork random(base_seed() + 4);
    const OnnxEvaluator<double> evaluator(small.model.model());
    GraphInference inference(pair.graph());
    for (int n = 0; n < 20; ++n) {
      OnnxArray<double> x{{1, 2, 3, 3}, {}};
      std::vector<std::int32_t> lying(18), result(18);
      for (std::size_t i = 0; i < 18; ++i) {
        x.values.push_back(random.in(0, 255));
        lying[pair.imported().input_order[i]] = static_cast<std::int32_t>(x.values[i]);
      }
      inference.run(lying.data(), 1, result.data());
      const auto y = evaluator.run(x).at("y");
      for (std::size_t i = 0; i < 18; ++i)
        REQUIRE(y.values[i] == result[pair.imported().output_order[i]] * 0.125);
    }
  }
}

TEST_CASE("qonnx: FINN's form, of thresholds, integer weights and annotated types") {
  OnnxModelWriter model;
  model.input("x", onnx::TensorProto::FLOAT, {1, 6});
  model.node("MultiThreshold", {"x", model.reals("t0", {1, 3}, {10, 100, 200})}, "a",
             "finn.custom_op.general");
  model.reals("w", {6, 4}, {1, -1, 1, 1, -1, 1, 1, 1, 1, 1, -1, 1, 1, 1, 1, -1, -1, -1, 1, 1, 1, 1, -1, -1});
  model.node("MatMul", {"a", "w"}, "m");
  auto* node = model.node("MultiThreshold", {"m", model.reals("t1", {4, 1}, {0.5f, -1, 2, 3})}, "y",
                          "finn.custom_op.general");
  OnnxModelWriter::set(node, "out_scale", 2.0f);
  OnnxModelWriter::set(node, "out_bias", -1.0f);
  const auto complaint = [&] { return refusal([&] { (void)import_onnx(model.text("y"), "f.onnx"); }); };
  CHECK(
      complaint().find("(finn.custom_op.general.MultiThreshold): it counts thresholds of the input, of which "
                       "nothing tells that it has integers") != std::string::npos);
  const auto annotate = [&](const char* name, const char* type) {
    auto* note = model.model().mutable_graph()->add_quantization_annotation();
    note->set_tensor_name(name);
    auto* entry = note->add_quant_parameter_tensor_names();
    entry->set_key("finn_datatype");
    entry->set_value(type);
  };
  annotate("x", "UINT8");
  CHECK(complaint().find("its weights are real numbers") != std::string::npos);
  annotate("w", "BIPOLAR");
  Pair pair(model.text("y"), "f.onnx");
  CHECK(pair.graph().nodes.size() == 3); // one of them makes a row a map
  pair.quantize_by([](float real) { return static_cast<int>(real); });
  check_equal(pair, 200);
}

TEST_CASE("qonnx: what is left to the host, and what is refused") {
  Small small;
  small.model.node("Conv", {small.x, small.weights("w", {1, 2, 3, -1})}, "c");
  small.quant("c", "y", 8, true, 1);
  OnnxModelWriter::set(small.model.node("ArgMax", {"y"}, "best"), "axis", 1);
  Pair pair = small.pair("best");
  CHECK(pair.has_note("the host computes the ArgMax of the output"));
  small.model.node("Relu", {"best"}, "r");
  CHECK(small.complaint("r") == "small.onnx: node \"r\" (Relu): it reads what a ArgMax gives; possible is "
                                "one at the end, for the host");

  const auto refused = [](float bits, float zero, const char* mode, float scale) {
    Small other(false);
    auto* node = other.model.node(
        "Quant",
        {"x", other.model.scalar("s", scale), other.model.scalar("z", zero), other.model.scalar("b", bits)},
        "q", "onnx.brevitas");
    OnnxModelWriter::set(node, "signed", 1);
    OnnxModelWriter::set(node, "rounding_mode", mode);
    other.model.node("Conv", {"q", other.weights("w", {1, 2, 3, -1})}, "c");
    return other.complaint(other.quant("c", "y", 8, true, 1));
  };
  CHECK(refused(4, 0, "ROUND", 1) == "accepted");
  CHECK(refused(4, 3, "ROUND", 1) == "accepted");
  CHECK(refused(4, 9, "ROUND", 1).find("its zero point is 9, no integer of its format") != std::string::npos);
  CHECK(refused(4, 0.5f, "ROUND", 1).find("its zero point is 0.5") != std::string::npos);
  CHECK(refused(9, 0, "ROUND", 1).find("its integers have 9 bits; possible are 1 to 8") != std::string::npos);
  CHECK(refused(2.5f, 0, "ROUND", 1).find("its integers have 2.5 bits") != std::string::npos);
  CHECK(refused(4, 0, "SOMEHOW", 1).find("its rounding_mode is \"SOMEHOW\"") != std::string::npos);
  CHECK(refused(4, 0, "ROUND", -1).find("its scale is -1") != std::string::npos);

  Small threshold;
  threshold.model.node("Conv", {threshold.x, threshold.weights("w", {1, 2, 3, -1})}, "c");
  threshold.model.node("MultiThreshold", {"c", threshold.model.reals("t", {1, 16}, std::vector<float>(16))},
                       "y");
  CHECK(threshold.complaint("y").find("it has 16 thresholds; possible are 15, that is 4 bits") !=
        std::string::npos);
  Small half;
  half.model.node("Conv", {half.x, half.weights("w", {1, 2, 3, -1})}, "c");
  OnnxModelWriter::set(half.model.node("MultiThreshold", {"c", half.model.reals("t", {1, 1}, {1})}, "y"),
                       "out_bias", 0.3f);
  CHECK(half.complaint("y").find("is no multiple of half of out_scale, 1") != std::string::npos);
  Small channels;
  channels.model.node("Conv", {channels.x, channels.weights("w", {1, 2, 3, -1})}, "c");
  channels.model.node("MultiThreshold", {"c", channels.model.reals("t", {3, 1}, {1, 2, 3})}, "y");
  CHECK(channels.complaint("y").find("a constant has another shape") != std::string::npos);
}

TEST_CASE("qonnx: broken files are read or refused, nothing else") {
  RandomWork random(base_seed() + 5);
  int read = 0, refused = 0;
  for (int n = 0; n < repeats(200); ++n) {
    onnx::ModelProto model;
    REQUIRE(model.ParseFromString(RandomQonnx(random).make()));
    onnx::GraphProto& graph = *model.mutable_graph();
    for (int change = random.in(1, 3); change > 0; --change) {
      onnx::NodeProto& node = *graph.mutable_node(random.in(0, graph.node_size() - 1));
      onnx::TensorProto& tensor = *graph.mutable_initializer(random.in(0, graph.initializer_size() - 1));
      static const char* const operators[] = {"Quant",  "BipolarQuant", "Trunc",   "MultiThreshold",
                                              "Conv",   "Relu",         "Flatten", "BatchNormalization",
                                              "MatMul", "Add",          "Mul",     "ArgMax"};
      switch (random.in(0, 5)) {
      case 0: // other numbers
        tensor.mutable_raw_data()->at(
            static_cast<std::size_t>(random.in(0, static_cast<int>(tensor.raw_data().size()) - 1))) =
            static_cast<char>(random.word(8));
        break;
      case 1:
        node.set_op_type(operators[random.in(0, 11)]);
        break;
      case 2: // another input
        if (node.input_size() > 0)
          node.set_input(random.in(0, node.input_size() - 1),
                         random.in(0, 1) ? tensor.name()
                                         : graph.node(random.in(0, graph.node_size() - 1)).output(0));
        break;
      case 3:
        if (node.input_size() > 0)
          node.mutable_input()->RemoveLast();
        break;
      case 4:
        if (tensor.dims_size() > 0)
          tensor.set_dims(0, random.in(0, 9));
        break;
      default:
        if (node.attribute_size() > 0)
          node.mutable_attribute(0)->set_i(random.in(-2, 5));
      }
    }
    const std::string says = refusal([&] { (void)import_onnx(model.SerializeAsString(), "broken.onnx"); });
    ++(says == "accepted" ? read : refused);
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}
