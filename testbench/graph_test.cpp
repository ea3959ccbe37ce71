// Graphs of convolutions, pools and additions: what is one, and what is refused.
#include "net/graph.h"
#include "random_work.h"
#include "refusal.h"
#include <catch2/catch.hpp>
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
  graph.tensors = {{"input", {5, 4, 3}, {8, true, -3}},   {"map", {2, 2, 4}, {8, true, 5}},
                   {"sum", {2, 2, 4}, {8, false, 128}},   {"mean", {1, 1, 4}, {8, false, 128}},
                   {"row", {1, 1, 4}, {8, true, 0}, 0.5}, {"output", {4}, {8, true, 0}, 0.5}};
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
      multiplier |= 1 << 30;
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
  CHECK(refused([](Graph& g) {
          op<Convolution>(g, 0).requantization.multipliers = {5};
        }).find("multiplier 5 of channel 0 is outside 1073741824..2147483647") != std::string::npos);
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
  CHECK(refused([](Graph& g) { g.nodes[1].inputs.pop_back(); }) ==
        "g: nodes[1].inputs: expected 2 tensors, got 1");
  CHECK(refused([](Graph& g) { op<Add>(g, 1).left_shift = 21; }) ==
        "g: nodes[1].left_shift: 21 is outside 0..20");
  CHECK(refused([](Graph& g) { op<Add>(g, 1).inputs[1].low = 0; }) ==
        "g: nodes[1].second.requantization: is not clamped");
  CHECK(refused([](Graph& g) {
          op<Add>(g, 1).inputs[0] = {Rounding::half_up, {100}, {0}, -2147483647 - 1, 2147483647};
        }).find("g: nodes[1].first.requantization: the results can reach") == 0);
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
