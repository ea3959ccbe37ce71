// Graphs of convolutions, pools and additions: what is one, and what is refused.
#include "net/formats/formats.h"
#include "net/graph.h"
#include "net/reference.h"
#include "random_graph.h"
#include "random_work.h"
#include "refusal.h"
#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace deltatwin;

namespace {

// y = round(sum * multiplier / 2^shift), from the definitions on long integers.
std::int64_t rounded(Rounding rounding, std::int64_t sum, std::int64_t multiplier, int shift) {
  __extension__ using Wide = __int128;
  const auto floor_half = [](Wide value, int bits) { // nearest, ties upwards
    const Wide unit = Wide{1} << bits, twice = 2 * value + unit;
    return twice >= 0 ? twice / (2 * unit) : -((-twice + 2 * unit - 1) / (2 * unit));
  };
  if (rounding == Rounding::tflite) {
    const int exponent = 31 - shift;
    const Wide high = floor_half(Wide{sum} * (Wide{1} << std::max(exponent, 0)) * multiplier, 31);
    const Wide magnitude = floor_half(high < 0 ? -high : high, std::max(-exponent, 0));
    return static_cast<std::int64_t>(high < 0 ? -magnitude : magnitude);
  }
  const Wide product = Wide{sum} * multiplier, nearest = floor_half(product, shift);
  const bool tie = shift > 0 && nearest * (Wide{1} << shift) - product == Wide{1} << (shift - 1);
  return static_cast<std::int64_t>(rounding == Rounding::half_even && tie && nearest % 2 != 0 ? nearest - 1
                                                                                              : nearest);
}

/// A map of 5 x 4 x 3 to one of 2 x 2 x 4 by a 3x3 convolution, that to a global average and a dense layer,
/// and an addition.
Graph sample() {
  Graph graph;
  graph.name = "sample";
  graph.tensors = {{"input", {5, 4, 3}, {8, true, -3}},    {"map", {2, 2, 4}, {8, true, 5}},
                   {"sum", {2, 2, 4}, {8, false, 128}},    {"mean", {1, 1, 4}, {8, false, 128}},
                   {"row", {1, 1, 4}, {8, true, 0}, 0.5F}, {"output", {4}, {8, true, 0}, 0.5F}};
  Convolution convolution;
  convolution.window = {3, 3, 2, 2, 0, 0, 0, 1};
  convolution.outputs = 4;
  convolution.weights.assign(4 * 3 * 3 * 3, 7);
  convolution.bias = {1, -2, 3, -4};
  convolution.requantization = {Rounding::tflite, {1 << 30}, {38}, -128, 127};
  graph.nodes.push_back({"conv", {0}, 1, convolution});
  Add add;
  add.left_shift = 20;
  for (Requantization& input : add.inputs) {
    input.rounding = Rounding::tflite;
    input.multipliers = {1 << 30};
    input.shifts = {31};
  }
  add.output = {Rounding::tflite, {1 << 30}, {50}, 0, 255};
  graph.nodes.push_back({"add", {1, 1}, 2, add});
  Pool pool;
  pool.kind = Pool::Kind::average;
  pool.window.rows = pool.window.columns = 2;
  pool.requantization = {Rounding::half_even, {1}, {2}, 0, 255};
  graph.nodes.push_back({"pool", {2}, 3, pool});
  Rescale rescale;
  rescale.requantization = {Rounding::half_up, {1, 2, 3, 4}, {1, 2, 3, 4}, -128, 127};
  graph.nodes.push_back({"scale", {3}, 4, rescale});
  graph.nodes.push_back({"flat", {4}, 5, Reshape{}});
  graph.input = 0;
  graph.output = 5;
  graph.softmax = Softmax{};
  return graph;
}

template <class Op> Op& op(Graph& graph, std::size_t node) { return std::get<Op>(graph.nodes[node].op); }

/// Why a graph's text is refused, with the first `from` replaced.
std::string refusal_of_edit(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return refusal([&] { (void)parse_graph(text.replace(at, from.size(), to), "g"); });
}

} // namespace

TEST_CASE("graph: a sum is requantized by the rule's definition, ties and ends included") {
  std::mt19937_64 random(base_seed() + 1);
  const auto number = [&](int bits) {
    return static_cast<std::int64_t>(random() & ((std::uint64_t{1} << bits) - 1));
  };
  for (int n = 0; n < repeats(20000); ++n) {
    const auto rounding = static_cast<Rounding>(random() % 3);
    int shift = static_cast<int>(random() % 63);
    std::int64_t multiplier = number(static_cast<int>(random() % 31) + 1);
    std::int64_t sum = number(32) >> (random() % 32);
    if (random() % 4 == 0) { // a tie, or one beside it
      multiplier = std::int64_t{1} << (random() % 31);
      sum = (sum | 1) & 0xffff;
    }
    sum = std::min<std::int64_t>(sum, (std::int64_t{1} << 31) - 1);
    if (random() % 2)
      sum = -sum - static_cast<std::int64_t>(random() % 2);
    if (rounding == Rounding::tflite) {
      while (shift < 31 && (sum * (std::int64_t{1} << (31 - shift)) >= std::int64_t{1} << 31 ||
                            sum * (std::int64_t{1} << (31 - shift)) < -(std::int64_t{1} << 31)))
        ++shift;
    }
    CAPTURE(to_string(rounding), sum, multiplier, shift);
    REQUIRE(requantized(rounding, static_cast<std::int32_t>(sum), static_cast<std::int32_t>(multiplier),
                        shift) == rounded(rounding, sum, multiplier, shift));
  }
  CHECK(requantized(Rounding::tflite, -1, 1 << 30, 31) == 0);  // the first step's ties go upwards,
  CHECK(requantized(Rounding::tflite, -2, 1 << 30, 32) == -1); // the second's away from zero
  CHECK(requantized(Rounding::half_up, -1, 1, 1) == 0);
  CHECK(requantized(Rounding::half_even, 3, 1, 1) == 2);
  CHECK(requantized(Rounding::half_even, -1, 1, 1) == 0);
  CHECK(requantized(Rounding::half_up, -2147483647 - 1, 2147483647, 0) ==
        -(std::int64_t{1} << 31) * 2147483647);
}

TEST_CASE("graph: multiplications and weights of convolutions are counted") {
  const Graph graph = sample();
  validate(graph, "sample");
  CHECK(graph.macs() == 2 * 2 * 4 * 3 * 3 * 3);
  CHECK(graph.weights() == 4 * 3 * 3 * 3);
  CHECK(graph.macs(graph.nodes[0]) == graph.macs());
  CHECK(graph.macs(graph.nodes[1]) == 0);
}

TEST_CASE("graph: what no hardware could compute is refused by node and field") {
  const auto refused = [](const auto& change) {
    Graph graph = sample();
    change(graph);
    return refusal([&] { validate(graph, "g"); });
  };
  CHECK(refused([](Graph&) {}) == "accepted");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).window.rows = 7; }) ==
        "g: nodes[0].window.rows: 7 is outside 1..5");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).window.top = 3; }) ==
        "g: nodes[0].window.top: 3 is outside 0..2");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).window.row_stride = 0; }) ==
        "g: nodes[0].window.row_stride: 0 is outside 1..32768");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).window.row_stride = 1; }) ==
        "g: nodes[0].output: tensor \"map\" has not the shape [3, 2, 4]");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).groups = 2; }) ==
        "g: nodes[0].groups: 2 does not divide 3 and 4 channels");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).weights.pop_back(); }) ==
        "g: nodes[0].weights: expected 108 integers, got 107");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).weights[28] = 256; }) ==
        "g: nodes[0].weights[1][1]: 256 is outside -255..255");
  CHECK(refused([](Graph& g) {
          op<Convolution>(g, 0).bias[3] = 2147483647;
        }).find("g: nodes[0].requantization: the sums of channel 3 can reach -23625..2147508217") == 0);
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).requantization.multipliers = {-5}; }) ==
        "g: nodes[0].requantization.multipliers[0]: -5 is outside 0..2147483647");
  CHECK(refused([](Graph& g) {
          op<Convolution>(g, 0).requantization.shifts = {10};
        }).find("a shift of 10 leave 32 bits") != std::string::npos);
  CHECK(refused([](Graph& g) {
          op<Convolution>(g, 0).requantization.multipliers = {1, 2};
        }) == "g: nodes[0].requantization.multipliers: expected 4 integers, got 2");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).requantization.low = -129; }) ==
        "g: nodes[0].requantization.low: -129 is outside -128..127");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).requantization.high = -128; }) == "accepted");
  CHECK(refused([](Graph& g) {
          op<Convolution>(g, 0).requantization.low = 5;
          op<Convolution>(g, 0).requantization.high = 4;
        }) == "g: nodes[0].requantization.low: 5 is above high, 4");
  const auto thresholds = [](Graph& g, int low, int high, const std::vector<std::int32_t>& values) {
    op<Convolution>(g, 0).requantization = {Rounding::thresholds, {1}, {0}, low, high, values};
  };
  CHECK(refused([&](Graph& g) { thresholds(g, -1, 1, {5, 5}); }) == "accepted");
  CHECK(refused([&](Graph& g) { thresholds(g, -1, 1, {5, 5, 1, 2, 3, 4, 5, 6}); }) == "accepted");
  CHECK(refused([&](Graph& g) {
          thresholds(g, -1, 1, {5, 5, 1, 2, 3, 4});
        }) == "g: nodes[0].requantization.thresholds: expected 8 integers, got 6");
  CHECK(refused([&](Graph& g) {
          thresholds(g, -1, 1, {5, 5, 1, 2, 3, 4, 6, 5});
        }) == "g: nodes[0].requantization.thresholds[3][1]: 5 is below the one before, 6");
  CHECK(refused([&](Graph& g) { thresholds(g, 0, 16, std::vector<std::int32_t>(16)); }) ==
        "g: nodes[0].requantization.high: is 16 above low; thresholds are 1 to 15");
  CHECK(refused([&](Graph& g) {
          thresholds(g, -1, 1, {5, 5});
          op<Convolution>(g, 0).requantization.shifts = {1};
        }) == "g: nodes[0].requantization.shifts: has no meaning with rounding thresholds");
  CHECK(refused([](Graph& g) { op<Convolution>(g, 0).requantization.thresholds = {1}; }) ==
        "g: nodes[0].requantization.thresholds: has a meaning with rounding thresholds only");
  CHECK(refused([](Graph& g) {
          op<Pool>(g, 2).requantization = {Rounding::thresholds, {1}, {0}, 0, 1, {1}};
          op<Pool>(g, 2).kind = Pool::Kind::max;
        }).find("g: nodes[2].requantization.rounding: a maximum is not counted") == 0);
  CHECK(refused([](Graph& g) { op<Add>(g, 1).inputs[0].rounding = Rounding::thresholds; }) ==
        "g: nodes[1].first.rounding: 3 is outside 0..2");
  CHECK(refused([](Graph& g) { g.nodes[1].inputs.pop_back(); }) ==
        "g: nodes[1].inputs: expected 2 tensors, got 1");
  CHECK(refused([](Graph& g) { op<Add>(g, 1).left_shift = 21; }) ==
        "g: nodes[1].left_shift: 21 is outside 0..20");
  CHECK(refused([](Graph& g) { op<Add>(g, 1).inputs[1].low = 0; }) ==
        "g: nodes[1].second.low: results that are added are not clamped");
  CHECK(refused([](Graph& g) {
          op<Add>(g, 1).inputs[0] = {Rounding::half_up, {100}, {0}, -2147483647 - 1, 2147483647};
        }).find("g: nodes[1].first: the results can reach") == 0);
  CHECK(refused([](Graph& g) { op<Pool>(g, 2).raw = true; }) == "accepted");
  CHECK(refused([](Graph& g) {
          op<Pool>(g, 2).raw = true;
          op<Pool>(g, 2).kind = Pool::Kind::max;
        }) == "g: nodes[2].raw: has a meaning with kind average only");
  CHECK(refused([](Graph& g) {
          op<Pool>(g, 2).raw = true;
          g.tensors[3].format.zero_point = 0;
        }) == "g: nodes[2].raw: tensors \"sum\" and \"mean\" have different formats");
  CHECK(refused([](Graph& g) { op<Rescale>(g, 3).requantization.shifts[2] = 63; }) ==
        "g: nodes[3].requantization.shifts[2]: 63 is outside 0..62");
  CHECK(refused([](Graph& g) { g.tensors[5].shape = {5}; }) ==
        "g: nodes[4].output: tensor \"output\" has 5 elements, tensor \"row\" has 4");
  CHECK(refused([](Graph& g) { g.tensors[5].format.zero_point = 1; }).find("g: nodes[4].output:") == 0);
  CHECK(refused([](Graph& g) {
          g.tensors[0].format = {16, false, 0};
        }).find("g: nodes[0].inputs: tensor \"input\" has 16 unsigned bits") == 0);
  CHECK(refused([](Graph& g) { g.tensors[5].scale = 0; }) ==
        "g: softmax.rule: the output tensor has no scale");
  CHECK(refused([](Graph& g) { g.tensors[1].scale = -1; }) ==
        "g: tensors[1].scale: expected a positive number, or 0: not known");
}

TEST_CASE("graph: a file holds any graph, and gives it back as it was") {
  RandomWork random(base_seed() + 2);
  std::map<std::string, int> kinds;
  std::int64_t values = 0, ends = 0;
  for (int n = 0; n < repeats(100); ++n) {
    RandomGraphLimits limits;
    limits.dense = true;
    limits.thresholds = true;
    const Graph graph = random_graph(random, limits);
    const std::string text = format_2_text(graph);
    const Graph again = parse_graph(text, "g");
    REQUIRE(format_2_text(again) == text);
    REQUIRE(again.macs() == graph.macs());
    REQUIRE(again.weights() == graph.weights());
    const std::vector<int> input = random_inputs(random, graph, 1);
    const std::vector<std::vector<int>> tensors = reference_tensors(graph, input);
    REQUIRE(reference_tensors(again, input) == tensors);
    for (const Node& node : graph.nodes) {
      ++kinds[std::to_string(node.op.index())];
      if (const auto* convolution = std::get_if<Convolution>(&node.op)) {
        ++kinds[convolution->groups > 1 ? "grouped" : "whole"];
        ++kinds[to_string(convolution->requantization.rounding)];
        const Format& format = graph.tensors[node.output].format;
        for (const int y : tensors[node.output])
          ends += y == format.low() || y == format.high();
        values += static_cast<std::int64_t>(tensors[node.output].size());
      }
    }
  }
  CHECK(kinds.size() == 6 + 2 + 4); // the graphs are worth the trouble
  CHECK(ends < values / 2);
}

TEST_CASE("graph: fields of a file that contradict each other are named") {
  Graph graph = sample();
  op<Pool>(graph, 2).raw = true;
  graph.softmax = Softmax{Softmax::Rule::tflite, 1 << 30, 20};
  const std::string good = format_2_text(graph);
  const auto refused = [&](const std::string& from, const std::string& to) {
    return refusal_of_edit(good, from, to);
  };
  CHECK(refused("sample", "simple") == "accepted");
  CHECK(refused("\"convolution\"", "\"conv\"") ==
        "g: nodes[0].op: \"conv\" is none of \"dense\", \"convolution\", \"pool\", \"add\", \"rescale\", "
        "\"reshape\"");
  CHECK(refused("\"groups\": 1", "\"group\": 1") == "g: nodes[0]: unknown field \"group\"");
  CHECK(refused("\"groups\": 1", "\"groups\": 2") ==
        "g: nodes[0].groups: 2 does not divide 3 and 4 channels");
  CHECK(refused("\"rows\": 3", "\"rows\": 6") == "g: nodes[0].window.rows: 6 is outside 1..5");
  CHECK(refused("\"left\": 0", "\"left\": 3") == "g: nodes[0].window.left: 3 is outside 0..2");
  CHECK(refused("\"right\": 1", "\"right\": 1, \"dilation\": 1") ==
        "g: nodes[0].window: unknown field \"dilation\"");
  CHECK(refused("\"bias\": [1", "\"bias\": [2147483648") ==
        "g: nodes[0].bias[0]: 2147483648 is outside -2147483648..2147483647");
  CHECK(refused("[7,7", "[256,7") == "g: nodes[0].weights[0][0]: 256 is outside -255..255");
  CHECK(refused("[7,7", "[7") == "g: nodes[0].weights[0]: expected 27 integers, got 26");
  CHECK(refused("\"shifts\": [38]", "\"shifts\": [38,38]") ==
        "g: nodes[0].requantization.shifts: expected 1 integers, got 2");
  CHECK(refused("\"tflite\"", "\"stochastic\"") == "g: nodes[0].requantization.rounding: \"stochastic\" is "
                                                   "none of \"half_up\", \"tflite\", \"half_even\", "
                                                   "\"thresholds\"");
  CHECK(refused("[\"map\", \"map\"]", "[\"map\"]") == "g: nodes[1].inputs: expected 2 tensors, got 1");
  CHECK(refused("\"first\": {", "\"first\": {\"low\": 1, ") == "g: nodes[1].first: unknown field \"low\"");
  CHECK(refused("\"average\"", "\"max\"") == "g: nodes[2].raw: has a meaning with kind average only");
  CHECK(refused("\"multipliers\": [1,2,3,4]", "\"multipliers\": [1,2,3]") ==
        "g: nodes[3].requantization.multipliers: expected 4 integers, got 3");
  CHECK(refused("\"op\": \"reshape\"", "\"op\": \"reshape\", \"shape\": [4]") ==
        "g: nodes[4]: unknown field \"shape\"");
  CHECK(refused("\"output\": \"output\"", "\"output\": \"input\"") == "g: output: it is the input");
  CHECK(refused("\"scale\": 0.5", "\"scale\": -0.5").find("g: tensors[4].scale: expected a number in 0..") ==
        0);
  CHECK(refused("\"rule\": \"tflite\"", "\"rule\": \"real\"") ==
        "g: softmax.multiplier: has a meaning with rule tflite only");
  CHECK(refused("\"shape\": [5,4,3]", "\"shape\": [60]") ==
        "g: nodes[0].inputs: tensor \"input\" has 1 dimensions, expected 3: rows, columns, channels");
}

TEST_CASE("graph: fields of thresholds, read from a file") {
  Graph graph = sample();
  op<Convolution>(graph, 0).requantization = {Rounding::thresholds,    {1}, {0}, -1, 1,
                                              {5, 6, 1, 2, 3, 4, 5, 6}};
  const std::string good = format_2_text(graph);
  const auto refused = [&](const std::string& from, const std::string& to) {
    return refusal_of_edit(good, from, to);
  };
  CHECK(refused("sample", "simple") == "accepted");
  CHECK(refused("[5,6],", "[5,6,7],") ==
        "g: nodes[0].requantization.thresholds[0]: expected 2 integers, got 3");
  CHECK(refused("[5,6],", "") ==
        "g: nodes[0].requantization.thresholds: expected 4 rows (one per output), got 3");
  CHECK(refused("[5,6],", "[6,5],") ==
        "g: nodes[0].requantization.thresholds[0][1]: 5 is below the one before, 6");
  CHECK(refused("\"low\": -1", "\"shifts\": [0], \"low\": -1") ==
        "g: nodes[0].requantization.shifts: has no meaning with rounding thresholds");
}

TEST_CASE("graph: a convolution says how its weights are stored, and is held to it") {
  RandomWork random(base_seed() + 3);
  for (int n = 0; n < repeats(50); ++n) {
    Graph graph = sample();
    Convolution& convolution = op<Convolution>(graph, 0);
    StoredDeltas deltas;
    deltas.bits = random.in(1, 6);
    deltas.shift = random.in(0, 7 - deltas.bits);
    deltas.code = random.in(0, 1) ? Code::huffman : Code::raw;
    deltas.references.clear();
    const std::size_t count = random.in(0, 1) ? 1 : 4;
    for (std::size_t r = 0; r < count; ++r)
      deltas.references.push_back(random.in(-128, 127));
    for (std::size_t i = 0; i < convolution.weights.size(); ++i)
      convolution.weights[i] = static_cast<std::int16_t>(
          deltas.reference(i / 27) +
          random.in(lowest_delta(deltas.bits), highest_delta(deltas.bits)) * (1 << deltas.shift));
    convolution.delta = deltas;
    const std::string text = format_2_text(graph);
    const Graph again = parse_graph(text, "g");
    REQUIRE(format_2_text(again) == text);
    const StoredDeltas& read = *std::get<Convolution>(again.nodes[0].op).delta;
    CHECK(read.bits == deltas.bits);
    CHECK(read.shift == deltas.shift);
    CHECK(read.references == deltas.references);
    CHECK(read.code == deltas.code);
    // One more bit of a weight, and it is another one's.
    std::int16_t& weight = convolution.weights[static_cast<std::size_t>(random.in(0, 107))];
    weight = static_cast<std::int16_t>(
        deltas.shift > 0 ? weight + 1 : deltas.reference(0) + highest_delta(deltas.bits) + 300);
    CHECK(refusal([&] { validate(graph, "g"); }).find("g: nodes[0].weights[") == 0);
  }
  Graph graph = sample();
  op<Convolution>(graph, 0).delta = StoredDeltas{1, 1, {9}, Code::raw};
  op<Convolution>(graph, 0).weights[30] = 9;
  const std::string good = format_2_text(graph);
  const auto refused = [&](const std::string& from, const std::string& to) {
    return refusal_of_edit(good, from, to);
  };
  CHECK(refused("sample", "simple") == "accepted");
  CHECK(refused("\"references\": [9]", "\"references\": [9,9,9,9]") == "accepted");
  CHECK(refused("\"references\": [9]", "\"references\": [9,9]") ==
        "g: nodes[0].delta.references: expected 4 integers, got 2");
  CHECK(refused("\"references\": [9]", "\"references\": [128]") ==
        "g: nodes[0].delta.references[0]: 128 is outside -128..127");
  CHECK(refused("[9], \"code\"", "[7], \"code\"") ==
        "g: nodes[0].weights[1][3]: 9 is not 7 + d * 2 with d in -1..0, as delta says");
  CHECK(refused("\"bits\": 1, \"shift\": 1", "\"bits\": 9, \"shift\": 1") ==
        "g: nodes[0].delta.bits: 9 is outside 1..8");
  CHECK(refused("\"bits\": 1, \"shift\": 1", "\"bits\": 1, \"shift\": 8") ==
        "g: nodes[0].delta.shift: 8 is outside 0..7");
  CHECK(refused("\"code\": \"raw\"", "\"code\": \"pairs\"") ==
        "g: nodes[0].delta.code: \"pairs\" is none of \"raw\", \"huffman\"");
  CHECK(refused("\"code\": \"raw\"", "\"book\": [], \"code\": \"raw\"") ==
        "g: nodes[0].delta: unknown field \"book\"");
}

TEST_CASE("graph: the reference computes by hand what operators say") {
  // One row of three columns, two channels; padding counts nothing, whatever the zero point.
  Graph graph;
  graph.name = "hand";
  graph.tensors = {{"x", {1, 3, 2}, {8, true, 10}}, {"y", {1, 2, 2}, {8, true, 1}}};
  graph.output = 1;
  Convolution convolution;
  convolution.window = {1, 2, 1, 2, 0, 0, 0, 1};
  convolution.outputs = 2;
  convolution.weights = {1, 2, 3, 4, -1, 0, 0, 1};
  convolution.bias = {5, -5};
  convolution.requantization = {Rounding::half_up, {1, 3}, {1, 0}, -128, 100};
  graph.nodes.push_back({"c", {0}, 1, convolution});
  validate(graph, "hand");
  // less 10: (1, 2), (3, 4), (5, 6): sums 5+1+4+9+16 = 35, -5-1+4 = -2; 5+5+12 = 22, -5-5 = -10
  CHECK(reference_tensors(graph, {11, 12, 13, 14, 15, 16})[1] == std::vector<int>{19, -5, 12, -29});
  // The same sums counted in thresholds, which know no zero point.
  convolution.requantization = {Rounding::thresholds, {1}, {0}, -1, 1, {35, 36, -10, -2}};
  graph.nodes[0] = {"c", {0}, 1, convolution};
  validate(graph, "hand");
  CHECK(reference_tensors(graph, {11, 12, 13, 14, 15, 16})[1] == std::vector<int>{0, 1, -1, 0});
  Pool pool;
  pool.window = {1, 2, 1, 2, 0, 0, 0, 1};
  pool.requantization = {Rounding::half_even, {1}, {1}, -128, 127};
  graph.nodes[0] = {"p", {0}, 1, pool};
  // 3, 4; 5, 6 less the zero point: 1.5 to 2, 2; 2.5 to 2, 3
  CHECK(reference_tensors(graph, {11, 12, 13, 14, 15, 16})[1] == std::vector<int>{3, 3, 3, 4});
  pool.kind = Pool::Kind::average;
  graph.nodes[0] = {"p", {0}, 1, pool};
  // 4, 6; 5, 6
  CHECK(reference_tensors(graph, {11, 12, 13, 14, 15, 16})[1] == std::vector<int>{3, 4, 3, 4});
  graph.tensors[1].format.zero_point = 10;
  pool.raw = true;
  graph.nodes[0] = {"p", {0}, 1, pool};
  CHECK(reference_tensors(graph, {11, 12, 14, -14, 15, 17})[1] == std::vector<int>{12, -1, 8, 8});
  graph.tensors[1] = {"y", {1, 3, 2}, {8, false, 100}, 0};
  Rescale rescale;
  rescale.requantization = {Rounding::tflite, {1 << 30, 1 << 30}, {31, 32}, 0, 101};
  graph.nodes[0] = {"r", {0}, 1, rescale};
  // halves of 3, -3, 4: ties upwards; quarters of 5, -6, -2: to 2.5, -3, -1 upwards, then away from zero
  CHECK(reference_tensors(graph, {13, 15, 7, 4, 14, 8})[1] == std::vector<int>{101, 101, 99, 98, 101, 99});
}
