// Training of quantized convolution networks: the language of graphs, integers that are what was trained,
// networks that learn, repeatability.
#include "base/error.h"
#include "base/file.h"
#include "net/formats/formats.h"
#include "net/graph_inference.h"
#include "net/input_set.h"
#include "net/reference.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include "train/graph_kernels.h"
#include "train/graph_trainer.h"
#include "train/normalization.h"
#include "train/residual.h"
#include "train/weight_tiles.h"
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>

using namespace deltatwin;

namespace {

// Bright stripes where the label says, on noise.
ImageSet striped(RandomWork& random, int planes, int count) {
  ImageSet set;
  set.planes = planes;
  set.rows = set.columns = 8;
  set.data.count = count;
  set.data.pixels = planes * 8 * 8;
  for (int i = 0; i < count; ++i) {
    const int label = i % 4;
    set.data.labels.push_back(static_cast<std::uint8_t>(label));
    for (int p = 0; p < set.data.pixels; ++p)
      set.data.images.push_back(
          static_cast<std::uint8_t>(random.in(0, 120) + (p / 8 % 4 == label ? 100 : 0)));
  }
  return set;
}

const std::string residual = "conv 6 3x3, block 6, block 8/2, average, dense 4";
const std::string plain = "conv 8 3x3 valid, maxpool 2, conv 12 3x3 valid, dense 8, dense 4";

GraphTrainOptions tiny(const std::string& graph, const std::string& precision) {
  GraphTrainOptions options;
  options.graph.elements = parse_graph_elements(graph);
  const LayerPrecision parsed = parse_precision(precision, "test");
  options.graph.weights = *parsed.weights;
  options.graph.activation_bits = *parsed.activation_bits;
  options.epochs = 1;
  options.batch = 20;
  options.learning_rate = 0.01;
  return options;
}

struct Case {
  std::string graph, precision;
  void (*change)(GraphTrainOptions&);
};

std::vector<Case> cases() {
  const auto none = [](GraphTrainOptions&) {};
  return {
      {residual, "w8a8", none},
      {residual, "w4a4", none},
      {residual, "w2a2", none},
      {residual, "d4a4", none},
      {residual, "d3a8", [](GraphTrainOptions& o) { o.graph.input_bits = 4; }},
      {residual, "b1a3", [](GraphTrainOptions& o) { o.graph.first = parse_precision("w8a8", "test"); }},
      {residual, "d2a5",
       [](GraphTrainOptions& o) {
         o.deltas = {DeltaTraining::Reference::mean, 4, Code::raw};
         o.graph.shortcut_bits = 4;
       }},
      {residual, "d4a4",
       [](GraphTrainOptions& o) {
         o.deltas.code = Code::huffman;
         o.graph.last = parse_precision("w8", "test");
       }},
      {residual, "d4a4",
       [](GraphTrainOptions& o) {
         o.deltas = {DeltaTraining::Reference::mean, 1, Code::huffman};
       }},
      {residual, "d4a4", [](GraphTrainOptions& o) { o.graph.shift_only = true; }},
      {residual, "d4a4",
       [](GraphTrainOptions& o) {
         o.graph.input_bits = o.graph.shortcut_bits = o.graph.branch_bits = 4;
         o.graph.multiplier_bits = 8;
       }},
      {"conv 6 3x3:w8a8, block 6:a2, average:a4, dense 4:w8", "b1a4", none},
      {plain, "b1a1", none},
      {plain, "b1a1",
       [](GraphTrainOptions& o) {
         o.graph.shift_only = true;
         o.graph.input_bits = 4;
         o.graph.first = parse_precision("w8", "test");
       }},
      {plain, "w3a6", [](GraphTrainOptions& o) { o.graph.shift_only = true; }},
      {"conv 6 3x3, average, dense 4", "b1a1", none},
      {"dense 12, dense 4", "d4a7", none},
      {"maxpool 2, conv 5 3x3, dense 4", "w4a4", none}, // the image's zero point is that of its maxima
      {"block 5, block 5, average:a6, dense 6, dense 4", "w5a4", none},
      {"conv 5 3x2 valid, maxpool 3, dense 4", "d5a4", none},
  };
}

int used_bits(const Convolution& convolution) {
  int bits = 1;
  for (const int w : convolution.weights)
    while (w < -(1 << (bits - 1)) || w > (1 << (bits - 1)) - 1)
      ++bits;
  return bits;
}

const Convolution& first_convolution(const Graph& graph) {
  for (const Node& node : graph.nodes)
    if (const auto* convolution = std::get_if<Convolution>(&node.op))
      return *convolution;
  throw InputError("there is none");
}

} // namespace

TEST_CASE("train graph: elements are read as they are written") {
  const std::vector<GraphElement> elements =
      parse_graph_elements("conv 16 3x5/2 valid:w8a8, block 32/2:d4 # a comment, with a comma\n\nblock "
                           "7,maxpool 2\n average : a6\ndense 10:b1");
  REQUIRE(elements.size() == 6);
  using Kind = GraphElement::Kind;
  CHECK(elements[0].kind == Kind::convolution);
  CHECK(elements[0].outputs == 16);
  CHECK(elements[0].rows == 3);
  CHECK(elements[0].columns == 5);
  CHECK(elements[0].stride == 2);
  CHECK_FALSE(elements[0].same);
  CHECK(to_text(*elements[0].precision.weights) == "w8");
  CHECK(elements[0].precision.activation_bits == 8);
  CHECK(elements[1].kind == Kind::block);
  CHECK(elements[1].outputs == 32);
  CHECK(elements[1].stride == 2);
  CHECK(to_text(*elements[1].precision.weights) == "d4");
  CHECK_FALSE(elements[1].precision.activation_bits);
  CHECK(elements[2].outputs == 7);
  CHECK(elements[2].stride == 1);
  CHECK(elements[3].kind == Kind::max_pool);
  CHECK(elements[3].rows == 2);
  CHECK(elements[4].kind == Kind::average);
  CHECK(elements[4].precision.activation_bits == 6);
  CHECK(elements[5].kind == Kind::dense);
  CHECK(to_text(*elements[5].precision.weights) == "b1");
  const auto refused = [](const std::string& text) {
    return refusal([&] { (void)parse_graph_elements(text); });
  };
  CHECK(refused("conv 16 3x3 same") == "accepted");
  CHECK(refused("") == "--graph: has no element; expected for example \"conv 16 3x3, average, dense 10\"");
  CHECK(refused("conv 16 3x3, pool 2") ==
        "--graph: \"pool 2\": expected conv, block, maxpool, average or dense");
  CHECK(refused("conv 16") ==
        "--graph: \"conv 16\": expected conv OUTPUTS ROWSxCOLUMNS[/STRIDE] [valid|same]");
  CHECK(refused("conv 0 3x3") == "--graph: \"conv 0 3x3\": \"0\", expected output channels, 1 to 4096");
  CHECK(refused("conv 4 33") == "--graph: \"conv 4 33\": \"33\", expected a kernel as in 3x3 or 3x3/2");
  CHECK(refused("conv 4 3x3/9") == "--graph: \"conv 4 3x3/9\": \"9\", expected a stride, 1 to 8");
  CHECK(refused("conv 4 3x3 full") == "--graph: \"conv 4 3x3 full\": \"full\", expected valid or same");
  CHECK(refused("conv 4 2x2").find("expected valid behind it") != std::string::npos);
  CHECK(refused("conv 4 2x2 valid") == "accepted");
  CHECK(refused("block 1 2") == "--graph: \"block 1 2\": expected block OUTPUTS[/STRIDE]");
  CHECK(refused("maxpool 1") == "--graph: \"maxpool 1\": \"1\", expected a size, 2 to 31");
  CHECK(refused("maxpool 2:a4") == "--graph: \"maxpool 2:a4\": a maxpool has the precision of what it reads");
  CHECK(refused("average:w8") == "--graph: \"average:w8\": an average has no weights");
  for (const char* bad : {"", "x4", "w1", "w9", "d1", "b2", "a9", "a0", "w4w4", "a4w4", "w4a4a4", "w"})
    CHECK(refused("dense 3:" + std::string(bad)).find("is no precision; expected w2 to w8") !=
          std::string::npos);
}

TEST_CASE("train graph: shapes and formats follow from the elements") {
  GraphOptions options;
  options.elements = parse_graph_elements("conv 16 3x3, block 16, block 32/2, average, dense 10");
  options.weights = {WeightFormat::Kind::delta, 4};
  options.activation_bits = 4;
  options.first = parse_precision("w8a8", "test");
  options.last = parse_precision("w6", "test");
  const GraphPlan plan = plan_graph(options, 3, 32, 32);
  std::string text;
  for (const PlannedStep& step : plan.steps) {
    const PlannedTensor& to = plan.tensors[step.to];
    text += step.name + " " + std::to_string(to.rows) + "x" + std::to_string(to.columns) + "x" +
            std::to_string(to.channels) + (to.is_signed ? " s" : " u") + std::to_string(to.bits) +
            (step.kind == PlannedStep::Kind::convolution ? " " + to_text(step.weights) : "") + "\n";
  }
  CHECK(text == "conv1 32x32x16 u8 w8\n"
                "block1.conv1 32x32x16 u4 d4\n"
                "block1.conv2 32x32x16 s8 d4\n"
                "block1.add 32x32x16 u4\n"
                "block2.shortcut 16x16x32 s8 d4\n"
                "block2.conv1 16x16x32 u4 d4\n"
                "block2.conv2 16x16x32 s8 d4\n"
                "block2.add 16x16x32 u4\n"
                "average 1x1x32 u8\n"
                "dense1 1x1x10 s8 w6\n");
  const auto refused = [](const std::string& elements, int bits) {
    GraphOptions bad;
    bad.elements = parse_graph_elements(elements);
    bad.activation_bits = bits;
    return refusal([&] { (void)plan_graph(bad, 1, 8, 8); });
  };
  CHECK(refused(residual, 4) == "accepted");
  CHECK(refused("conv 4 9x9 valid, dense 4", 4) ==
        "--graph: \"conv 4 9x9 valid\": a window of 9 x 9 does not fit on a map of 8 x 8");
  CHECK(refused("conv 4 3x3", 4) ==
        "--graph: \"conv 4 3x3\": the last element is a dense one, whose outputs are the classes");
  CHECK(refused("conv 4 3x3, block 4, dense 4", 1) ==
        "--graph: \"block 4\": a block adds; binary activations have no sum, expected 2 to 8 bits");
  CHECK(refused("average, dense 4", 4).find("expected a convolution before it") != std::string::npos);
  CHECK(refused("dense 4:w4a4", 4).find("expected weights alone behind the colon") != std::string::npos);
}

TEST_CASE("train graph: weights are rounded to what their format holds") {
  RandomWork random(base_seed());
  constexpr int outputs = 3, inputs = 40;
  std::vector<float> weights, rounded(outputs * inputs);
  for (int i = 0; i < outputs * inputs; ++i)
    weights.push_back(static_cast<float>(random.in(-1000, 1000)) / 3001);
  const auto error = [&](WeightQuantizer& quantizer) {
    quantizer.quantize(weights.data(), rounded.data());
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float scale = quantizer.scales()[quantizer.scales().size() == 1 ? 0 : i / inputs];
      sum += std::pow(static_cast<double>(weights[i] - scale * rounded[i]), 2);
    }
    return sum;
  };
  for (const auto& [text, low, high] :
       std::vector<std::tuple<std::string, int, int>>{{"w8", -127, 127}, {"w2", -1, 1}, {"d4", -8, 7}}) {
    CAPTURE(text);
    const WeightFormat format = *parse_precision(text, "test").weights;
    WeightQuantizer quantizer(outputs, inputs, format, {}, false);
    quantizer.fit(weights.data());
    const double fitted = error(quantizer);
    CHECK(quantizer.scales().size() == outputs);
    CHECK(*std::min_element(rounded.begin(), rounded.end()) >= static_cast<float>(low));
    CHECK(*std::max_element(rounded.begin(), rounded.end()) <= static_cast<float>(high));
    for (int n = 0; n < 5; ++n)
      quantizer.refit(weights.data(), rounded.data());
    CHECK(error(quantizer) <= fitted * 1.0001);
    for (const float factor : {0.9F, 1.1F}) { // no scale beside them is better by much
      WeightQuantizer other = quantizer;
      for (float& scale : other.scales())
        scale *= factor;
      CHECK(error(other) > 0.98 * fitted);
    }
  }
  WeightQuantizer mean(outputs, inputs, {WeightFormat::Kind::delta, 3},
                       {DeltaTraining::Reference::mean, 3, Code::raw}, false);
  for (float& weight : weights)
    weight += 0.5F;
  mean.fit(weights.data());
  (void)error(mean);
  const StoredDeltas stored = *mean.stored();
  CHECK(stored.bits == 3);
  CHECK(stored.shift == 3);
  CHECK(stored.references[0] > 8);
  for (const float w : rounded)
    CHECK(stored.delta(0, static_cast<int>(w)));
  WeightQuantizer binary(outputs, inputs, {WeightFormat::Kind::binary, 1}, {}, false);
  (void)error(binary);
  CHECK(std::all_of(rounded.begin(), rounded.end(), [](float w) { return std::abs(w) == 1; }));
}

TEST_CASE(
    "train graph: weights beyond the outermost integers move on, by one, unless a code keeps their scale") {
  const WeightFormat ternary = *parse_precision("w2", "test").weights,
                     coded = *parse_precision("d4", "test").weights;
  for (const bool code : {false, true}) {
    CAPTURE(code);
    constexpr float unit = 0.0625; // a code's
    const float high = code ? 7 : 1;
    DeltaTraining deltas;
    deltas.code = code ? Code::huffman : Code::raw;
    deltas.shift = 0;
    WeightQuantizer quantizer(1, 4, code ? coded : ternary, deltas, true);
    quantizer.scales() = {unit};
    const std::vector<float> weights = {(high - 0.5F) * unit, (high + 0.5F) * unit, (high + 1.5F) * unit,
                                        (high + 1.5F) * unit};
    std::vector<float> gradient = {-1, -1, -1, 1}; // outwards, the last one inwards
    quantizer.pass_gradient(weights.data(), gradient.data());
    CHECK(gradient[0] < 0);
    CHECK((gradient[1] < 0) == !code);
    CHECK(gradient[2] == 0);
    CHECK(gradient[3] > 0);
  }
}

TEST_CASE("train graph: loops over channels are the formulas, and their gradients") {
  RandomWork random(base_seed() + 1);
  for (int n = 0; n < repeats(5); ++n) {
    const int channels = random.in(1, 40), pixels = random.in(2, 300);
    const auto count = static_cast<std::size_t>(channels * pixels),
               width = static_cast<std::size_t>(channels);
    const auto values = [&](std::size_t many, int reach) {
      std::vector<float> all;
      for (std::size_t i = 0; i < many; ++i)
        all.push_back(static_cast<float>(random.in(-reach, reach)));
      return all;
    };
    const std::vector<float> sums = values(count, 50), gradient = values(count, 3), bias = values(width, 9),
                             mean = values(width, 5), level = values(width, 2), slope = values(width, 1);
    std::vector<float> factor(width, 0.125F), y(count), to(count);
    SumScaling scaling = {factor.data(), bias.data(), 0, 5, random.in(0, 3) == 0};
    scale_sums(scaling, sums.data(), pixels, channels, y.data());
    std::vector<double> first(width), second(width), totals(width), products(width);
    add_moments(sums.data(), pixels, channels, mean.data(), first.data(), second.data());
    if (scaling.bipolar) {
      scaling.low = -1;
      scaling.high = 1;
    }
    add_gradient_moments(scaling, sums.data(), gradient.data(), pixels, channels, mean.data(), totals.data(),
                         products.data());
    pass_to_sums(scaling, sums.data(), gradient.data(), pixels, channels, mean.data(), level.data(),
                 slope.data(), to.data());
    std::vector<double> sum(width), square(width), total(width), product(width);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = i % width;
      const double v = static_cast<double>(sums[i] + bias[c]) / 8,
                   less = static_cast<double>(sums[i] - mean[c]);
      REQUIRE(static_cast<double>(y[i]) ==
              (scaling.bipolar ? (v >= 0 ? 1 : -1) : std::clamp(std::floor(v + 0.5), 0.0, 5.0)));
      const double passing = v >= static_cast<double>(scaling.low) && v <= static_cast<double>(scaling.high)
                                 ? static_cast<double>(gradient[i])
                                 : 0;
      sum[c] += less;
      square[c] += less * less;
      total[c] += passing;
      product[c] += passing * less;
      REQUIRE(static_cast<double>(to[i]) ==
              Approx((passing - static_cast<double>(level[c]) - less * static_cast<double>(slope[c])) / 8));
    }
    for (std::size_t c = 0; c < width; ++c) {
      CHECK(first[c] == Approx(sum[c]).margin(1e-3));
      CHECK(second[c] == Approx(square[c]));
      CHECK(totals[c] == Approx(total[c]).margin(1e-3));
      CHECK(products[c] == Approx(product[c]).margin(1e-2));
    }
  }
}

TEST_CASE("train graph: gradients of a normalization, and of a sum, are those of their formulas") {
  at::Generator generator = at::detail::createCPUGenerator(base_seed());
  const auto uniform = [&](at::IntArrayRef sizes) { return at::rand(sizes, generator).add_(0.5); };
  for (const bool one_scale : {false, true}) {
    CAPTURE(one_scale);
    constexpr int channels = 5;
    PlannedTensor result;
    result.is_signed = true;
    result.unit = 20; // no value is clamped
    Normalization norm(channels, result, one_scale, false, 31);
    norm.gain.data().copy_(uniform(norm.gain.sizes()));
    norm.offset.data().copy_(uniform({channels}));
    at::Tensor sums = at::randint(-100, 100, {6, channels, 4, 3}, generator, at::kFloat).requires_grad_(true);
    const at::Tensor weights = uniform(sums.sizes());
    const at::Tensor y = norm.train(sums);
    (y * weights).sum().backward();

    const auto twin = [](const at::Tensor& tensor) {
      return tensor.detach().to(at::kDouble).requires_grad_(true);
    };
    const at::Tensor x = twin(sums), gain = twin(norm.gain), offset = twin(norm.offset);
    const at::Tensor mean = x.mean({0, 2, 3}, true);
    at::Tensor variance = (x - mean).square().mean({0, 2, 3}, true);
    if (one_scale)
      variance = variance.mean();
    const at::Tensor v =
        20 * (gain.view({1, -1, 1, 1}) * (x - mean) * (variance + 1e-5).rsqrt() + offset.view({1, -1, 1, 1}));
    (v * weights).sum().backward();
    CHECK((y - v).abs().max().item<double>() < 1); // a rounding, and that of the integer before the factor
    const auto close = [](const at::Tensor& a, const at::Tensor& b) {
      return (a - b).abs().max().item<double>() < 1e-4 * b.abs().max().item<double>();
    };
    CHECK(close(sums.grad(), x.grad()));
    CHECK(close(norm.gain.grad(), gain.grad()));
    CHECK(close(norm.offset.grad(), offset.grad()));
    CHECK(close(norm.mean, x.mean({0, 2, 3}) * 0.1));
  }
  at::Tensor a = at::randint(-20, 20, {2, 3, 4, 5}, generator, at::kFloat).requires_grad_(true),
             b = at::randint(0, 20, {2, 3, 4, 5}, generator, at::kFloat).requires_grad_(true);
  const at::Tensor weights = uniform(a.sizes()), y = sum_of_maps(a, b, 0.25, 0.5, 7);
  (y * weights).sum().backward();
  const at::Tensor to_a = a.grad().clone(), to_b = b.grad().clone();
  a.mutable_grad().reset();
  b.mutable_grad().reset();
  const at::Tensor v = (a * 0.25 + b * 0.5).clamp(0, 7);
  (v * weights).sum().backward();
  CHECK(y.equal(v.add(0.5).floor()));
  CHECK(to_a.allclose(a.grad()));
  CHECK(to_b.allclose(b.grad()));
}

TEST_CASE("train graph: in every precision the file's integers are what was trained") {
  for (const Case& each : cases()) {
    CAPTURE(each.graph, each.precision);
    RandomWork random(base_seed());
    const ImageSet set = striped(random, each.graph == plain ? 3 : 1, 240);
    GraphTrainOptions options = tiny(each.graph, each.precision);
    each.change(options);
    CAPTURE(options.graph.shift_only, options.deltas.shift);
    const TrainedGraph trained = train_graph(options, set, nullptr, {});
    const Graph graph = parse_graph(format_2_text(trained.graph), "g");
    CHECK(trained.validation_images == 24);
    CHECK(trained.different <= 1); // ties
    // What inference says is what the definitions say.
    const ImageSet held = set.part(216, 24);
    const InputSet inputs = image_inputs(held, "held", graph.tensors[graph.input]);
    GraphInference inference(graph);
    std::vector<std::int32_t> outputs(24 * inference.outputs());
    inference.run(inputs.values.data(), 24, outputs.data());
    const auto elements = static_cast<std::ptrdiff_t>(graph.tensors[graph.input].elements());
    const std::vector<int> first(inputs.values.begin(), inputs.values.begin() + elements);
    const std::vector<int> expected = reference_tensors(graph, first)[graph.output];
    CHECK(std::equal(expected.begin(), expected.end(), outputs.begin()));
    CHECK(accuracy(outputs, inference.outputs(), inputs.labels) == trained.validation_accuracy);
    for (const Node& node : graph.nodes)
      if (const auto* convolution = std::get_if<Convolution>(&node.op)) {
        CAPTURE(node.name);
        CHECK((convolution->delta || used_bits(*convolution) <= 8));
        if (options.graph.shift_only && convolution->requantization.rounding != Rounding::thresholds)
          for (const std::int32_t m : convolution->requantization.multipliers)
            CHECK(m == 1);
        else
          for (const std::int32_t m : convolution->requantization.multipliers)
            CHECK(std::int64_t{m} < std::int64_t{1} << options.graph.multiplier_bits);
      } else if (std::holds_alternative<Add>(node.op)) {
        CHECK(graph.tensors[node.inputs[0]].format.bits == options.graph.branch_bits);
      }
    const Convolution& convolution = first_convolution(graph);
    const WeightFormat weights = options.graph.first.weights.value_or(
        options.graph.elements[0].precision.weights.value_or(options.graph.weights));
    if (weights.kind == WeightFormat::Kind::binary || weights.bits < 8) {
      REQUIRE(convolution.delta);
      CHECK(convolution.delta->bits == weights.bits);
      CHECK(convolution.delta->code ==
            (weights.kind == WeightFormat::Kind::delta ? options.deltas.code : Code::raw));
    }
  }
}

TEST_CASE("train graph: networks learn, and the same options give the same one again") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 1, 400);
  for (const auto& [graph, precision] : std::vector<std::pair<std::string, std::string>>{
           {residual, "d4a4"}, {"conv 16 3x3 valid, conv 16 3x3 valid, dense 4", "b1a1"}}) {
    CAPTURE(graph, precision);
    GraphTrainOptions options = tiny(graph, precision);
    options.epochs = 5;
    const TrainedGraph trained = train_graph(options, set, nullptr, {});
    CHECK(trained.validation_accuracy > 0.8);
    const TrainedGraph again = train_graph(options, set, nullptr, {});
    CHECK(format_2_text(again.graph) == format_2_text(trained.graph));
  }
}

TEST_CASE("train graph: a training that was broken off goes on as if it had not been") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 1, 200);
  const TemporaryDirectory directory("deltatwin-train");
  GraphTrainOptions options = tiny(residual, "d3a4");
  options.epochs = 3;
  options.crop = 1;
  options.identity = "this";
  const std::string whole = format_2_text(train_graph(options, set, nullptr, {}).graph);
  options.checkpoint = directory.path() + "/x.checkpoint";
  struct Broken {};
  const auto break_off = [&](const GraphProgress& progress) {
    if (progress.share == 1 && progress.epoch - progress.begun_at == 1)
      throw Broken{};
  };
  CHECK_THROWS_AS(train_graph(options, set, nullptr, break_off), Broken);
  CHECK_THROWS_AS(train_graph(options, set, nullptr, break_off), Broken);
  CHECK(format_2_text(train_graph(options, set, nullptr, {}).graph) == whole);
  CHECK(format_2_text(train_graph(options, set, nullptr, {}).graph) == whole); // nothing is left to do
  const std::string good = read_file(options.checkpoint);
  const auto refused = [&] { return refusal([&] { (void)train_graph(options, set, nullptr, {}); }); };
  options.identity = "that";
  CHECK_THAT(refused(), Catch::EndsWith("x.checkpoint: is of another training: this"));
  options.identity = "this";
  write_file(options.checkpoint, "no checkpoint at all");
  CHECK_THAT(refused(), Catch::Contains("is no safetensors file"));
  write_file(options.checkpoint, good.substr(0, good.size() - 4));
  CHECK_THAT(refused(), Catch::Contains("x.checkpoint: "));
  write_file(options.checkpoint, good);
  // Another precision begins with these weights, another shape cannot.
  GraphTrainOptions next = tiny(residual, "b1a4");
  next.start = options.checkpoint;
  next.epochs = 1;
  CHECK(refusal([&] { (void)train_graph(next, set, nullptr, {}); }) == "accepted");
  next.graph.elements = parse_graph_elements("conv 7 3x3, block 6, block 8/2, average, dense 4");
  CHECK_THAT(refusal([&] { (void)train_graph(next, set, nullptr, {}); }),
             Catch::Contains("x.checkpoint: the tensor \"conv1.weight\" has 54 values, this network's 63"));
}

TEST_CASE("train graph: tiles shrink by their root mean square, and are 0 where it was less") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(20); ++round) {
    const int outputs = random.in(1, 20), places = random.in(1, 9), channels = random.in(1, 40);
    const TileSize size{random.in(1, 9), random.in(1, 17)};
    const WeightTiles tiles(outputs, places, channels, size);
    std::vector<float> weights;
    for (int i = 0; i < outputs * places * channels; ++i)
      weights.push_back(static_cast<float>(random.in(-100, 100)) / 100);
    const double amount = 0.01 * random.in(0, 90);
    const auto tile_of = [&](int i) {
      return std::array{i / channels / places / size.outputs, i / channels % places,
                        i % channels / size.channels};
    };
    std::map<std::array<int, 3>, std::pair<double, int>> squares;
    for (int i = 0; i < outputs * places * channels; ++i) {
      auto& [sum, count] = squares[tile_of(i)];
      sum += std::pow(static_cast<double>(weights[static_cast<std::size_t>(i)]), 2);
      ++count;
    }
    std::vector<float> shrunk = weights;
    tiles.shrink(shrunk.data(), amount);
    CHECK(tiles.count() == static_cast<int>(squares.size()));
    std::vector<std::int16_t> integers;
    int zeros = 0;
    for (const auto& [tile, square] : squares)
      zeros += std::sqrt(square.first / square.second) <= amount;
    for (int i = 0; i < outputs * places * channels; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto& [sum, count] = squares[tile_of(i)];
      const double mean = std::sqrt(sum / count), left = mean > amount ? (mean - amount) / mean : 0;
      REQUIRE(static_cast<double>(shrunk[at]) ==
              Approx(left * static_cast<double>(weights[at])).margin(1e-6));
      integers.push_back(static_cast<std::int16_t>(left > 0));
    }
    CHECK(tiles.zeros(integers) == zeros);
  }
}

TEST_CASE("train graph: a pull of tiles makes whole ones zero, whose integers are what was trained") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 1, 240);
  int before = -1;
  for (const double penalty : {0.0, 0.3, 3.0}) {
    CAPTURE(penalty);
    GraphTrainOptions options = tiny(residual, "d4a4");
    options.epochs = 4;
    options.deltas.code = Code::huffman;
    options.tile_penalty = penalty;
    options.tile = {4, 4};
    const TrainedGraph trained = train_graph(options, set, nullptr, {});
    CHECK(trained.different <= 1);
    // block1: 2 layers of 2 x 9 x 2, block2: a 1x1 of 2 x 2, 2 x 9 x 2 and 2 x 9 x 2
    CHECK(trained.tiles == 4 * 36 + 4);
    CHECK(trained.zero_tiles > before);
    before = trained.zero_tiles;
    CHECK_NOTHROW(parse_graph(format_2_text(trained.graph), "g"));
  }
  CHECK(before > 0);
}

TEST_CASE("train graph: a float network teaches") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 1, 200);
  ResidualOptions float_options;
  float_options.width = 2;
  float_options.epochs = 1;
  float_options.batch = 20;
  float_options.crop = 0;
  const FloatNetwork teacher = train_residual(float_options, set, {});
  GraphTrainOptions options = tiny("conv 6 3x3, average, dense 10", "d4a4");
  const std::string alone = format_2_text(train_graph(options, set, nullptr, {}).graph),
                    taught = format_2_text(train_graph(options, set, &teacher, {}).graph);
  CHECK(taught != alone);
  options.teacher_share = 0;
  CHECK(format_2_text(train_graph(options, set, &teacher, {}).graph) == alone);
  options.graph.elements = parse_graph_elements("conv 6 3x3, average, dense 4");
  CHECK(refusal([&] { (void)train_graph(options, set, &teacher, {}); }) ==
        "--teacher-network: resnet has 10 classes, the last element of --graph 4");
}

TEST_CASE("train graph: an option that cannot be is named") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 1, 40);
  const auto refused = [&](const auto& change) {
    GraphTrainOptions options = tiny(residual, "d4a4");
    change(options);
    return refusal([&] { (void)train_graph(options, set, nullptr, {}); });
  };
  using Options = GraphTrainOptions;
  CHECK(refused([](Options&) {}) == "accepted");
  CHECK(refused([](Options& o) { o.name = "a b"; }).find("--name: ") == 0);
  CHECK(refused([](Options& o) { o.epochs = 0; }) == "--epochs: 0, expected 1 to 10000");
  CHECK(refused([](Options& o) { o.batch = 1; }) == "--batch: 1, expected 2 to 10000 images");
  CHECK(refused([](Options& o) { o.learning_rate = 0; }) ==
        "--learning-rate: expected more than 0 and at most 1");
  CHECK(refused([](Options& o) { o.weight_decay = -1; }) == "--weight-decay: expected 0 to 10");
  CHECK(refused([](Options& o) { o.label_smoothing = 1; }) == "--label-smoothing: expected 0 to less than 1");
  CHECK(refused([](Options& o) { o.crop = 4; }) == "--crop: 4, expected less than half of an image");
  CHECK(refused([](Options& o) { o.threads = 0; }) == "--threads: 0, expected 1 to 256");
  CHECK(refused([](Options& o) { o.deltas.shift = 5; }) ==
        "--shift: 5, expected 0 to 4 with deltas of 4 bits, so that weights stay in 8");
  const WeightFormat plain_weights = {WeightFormat::Kind::narrow, 4};
  CHECK(refused([&](Options& o) {
          o.graph.weights = plain_weights;
          o.deltas.code = Code::huffman;
        }) == "--code: no layer has deltas (d2 to d8) to be coded");
  CHECK(refused([&](Options& o) {
          o.graph.weights = plain_weights;
          o.deltas.reference = DeltaTraining::Reference::mean;
        }) == "--reference: no layer has deltas (d2 to d8)");
  CHECK(refused([](Options& o) { o.graph.input_bits = 1; }) == "--input-bits: 1, expected 2 to 8");
  CHECK(refused([](Options& o) { o.graph.shortcut_bits = 9; }) ==
        "--shortcut-bits: 9, expected 2 to 8, or 0 for the widest map's");
  CHECK(refused([](Options& o) { o.graph.branch_bits = 1; }) == "--branch-bits: 1, expected 2 to 8");
  CHECK(refused([](Options& o) { o.graph.multiplier_bits = 32; }) ==
        "--multiplier-bits: 32, expected 2 to 31");
  CHECK(refused([](Options& o) { o.graph.last = parse_precision("w8a8", "x"); }) ==
        "--last: the outputs have 8 bits; expected weights alone: w8");
  CHECK(refused([](Options& o) { o.graph.elements = parse_graph_elements("conv 4 3x3, dense 3"); }) ==
        "--graph: the last element has 3 outputs, an image has the label 3");
  CHECK(refused([](Options& o) { o.graph.elements = parse_graph_elements("conv 4 3x3"); }) ==
        "--graph: \"conv 4 3x3\": the last element is a dense one, whose outputs are the classes");
  CHECK(refused([](Options& o) { o.start = "/nowhere"; }).find("/nowhere") == 0);
  FloatNetwork teacher;
  teacher.name = "other";
  teacher.planes = 3;
  teacher.rows = teacher.columns = 8;
  CHECK(refusal([&] { (void)train_graph(tiny(residual, "d4a4"), set, &teacher, {}); }) ==
        "--teacher-network: other takes images of 3 x 8 x 8 values, these have 1 x 8 x 8");
}
