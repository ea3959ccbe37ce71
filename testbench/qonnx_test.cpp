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
#include <random>

using namespace deltatwin;

namespace {

/// Outputs over some inputs, and those that are not what the graph gives in float and in double.
struct Agreement {
  int inputs = 0;
  std::int64_t elements = 0, not_float = 0, not_double = 0, neither = 0;
};

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
    WARN(each.name << ": " << agreement.inputs << " inputs, of " << agreement.elements
                   << " outputs other than in float " << agreement.not_float << ", than in double "
                   << agreement.not_double << ", than in both " << agreement.neither);
    CHECK(agreement.not_double == 0);
  }
}
