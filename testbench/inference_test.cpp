#include "net/inference.h"
#include "random_work.h"
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

// Modulo 2^32, as the lanes do.
std::int32_t plain_dot(const std::int16_t* x, const std::int16_t* w, int stride) {
  std::uint32_t sum = 0;
  for (int k = 0; k < stride; ++k)
    sum += static_cast<std::uint32_t>(static_cast<std::int64_t>(x[k]) * w[k]);
  return static_cast<std::int32_t>(sum);
}

using Draw = std::int16_t (*)(RandomWork&);

const Draw draws[] = {
    [](RandomWork& random) { return static_cast<std::int16_t>(random.word(16)); },
    [](RandomWork& random) { return static_cast<std::int16_t>(random.in(-128, 127)); },
    [](RandomWork& random) { return static_cast<std::int16_t>(random.in(0, 1) ? INT16_MAX : INT16_MIN); },
    [](RandomWork&) { return std::int16_t{INT16_MIN}; }, // two such products already make 2^31
    [](RandomWork&) { return std::int16_t{INT16_MAX}; },
    [](RandomWork& random) { return static_cast<std::int16_t>(random.in(0, 30) == 0 ? INT16_MIN : 0); },
};

// Runs `count` random images and compares each with the plain reference.
void require_reference(IntegerInference& inference, const Network& network, int count, RandomWork& random) {
  const auto inputs = static_cast<std::size_t>(inference.inputs());
  const auto outputs = static_cast<std::size_t>(inference.outputs());
  const auto images = static_cast<std::size_t>(count);
  const std::vector<std::int8_t> x = random.bytes(images * inputs);
  constexpr std::int16_t untouched = 0x5a5a;
  std::vector<std::int16_t> y(images * outputs + 64, untouched);
  inference.run(x.data(), count, y.data());
  for (std::size_t i = 0; i < images; ++i) {
    const std::vector<int> expected = reference_inference(network, &x[i * inputs]);
    REQUIRE(std::vector<int>(y.begin() + static_cast<std::ptrdiff_t>(i * outputs),
                             y.begin() + static_cast<std::ptrdiff_t>((i + 1) * outputs)) == expected);
  }
  for (std::size_t at = images * outputs; at < y.size(); ++at)
    REQUIRE(y[at] == untouched);
}

} // namespace

TEST_CASE("dot kernel: equals a plain loop on random and extreme rows") {
  RandomWork random(base_seed());
  CAPTURE(base_seed());
  for (const DotKernel kernel : dot_kernels())
    for (const int stride : {dot_padding, 2 * dot_padding, 3 * dot_padding, 800, 4096})
      for (const Draw draw_x : draws)
        for (const Draw draw_w : draws) {
          const std::size_t offset = static_cast<std::size_t>(random.in(0, 3)); // rows need no alignment
          std::vector<std::int16_t> x(static_cast<std::size_t>(dot_tile * stride) + offset), w(x.size());
          for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = draw_x(random);
            w[i] = draw_w(random);
          }
          std::vector<std::int32_t> sums(dot_tile * dot_tile + 2, 12345);
          kernel(x.data() + offset, w.data() + offset, stride, sums.data() + 1);
          for (int i = 0; i < dot_tile; ++i)
            for (int o = 0; o < dot_tile; ++o) {
              CAPTURE(stride, i, o);
              REQUIRE(sums[static_cast<std::size_t>(1 + dot_tile * i + o)] ==
                      plain_dot(&x[offset + static_cast<std::size_t>(i * stride)],
                                &w[offset + static_cast<std::size_t>(o * stride)], stride));
            }
          REQUIRE(sums.front() == 12345);
          REQUIRE(sums.back() == 12345);
        }
}

TEST_CASE("integer inference: equals the plain reference for every format and number of images") {
  const DeltaFormat formats[] = {
      {Scheme::fixed_reference, 4, Group::layer, 0, 3}, {Scheme::fixed_reference, 1, Group::neuron, 0, 6},
      {Scheme::fixed_reference, 8, Group::block, 7, 0}, {Scheme::consecutive, 2, Group::layer, 0, 5},
      {Scheme::consecutive, 4, Group::neuron, 0, 2},    {Scheme::consecutive, 8, Group::block, 5, 7},
      {Scheme::plain, 8, Group::layer, 0, 0},           {Scheme::plain, 4, Group::layer, 0, 0},
  };
  // Around the tile of 4 neurons, the padding of 32 elements and the batch of 64 images.
  const std::vector<std::vector<int>> shapes = {{1, 1},       {3, 5, 2},       {31, 32, 33, 1},
                                                {32, 64, 10}, {65, 3, 97, 17}, {300, 1, 130}};
  for (const DeltaFormat& format : formats)
    for (const std::vector<int>& widths : shapes) {
      const std::uint64_t seed = base_seed() + widths.size();
      CAPTURE(to_string(format.scheme), to_string(format.group), widths, seed);
      RandomWork random(seed);
      const Network network = random.network(widths, format);
      IntegerInference inference(network);
      REQUIRE(inference.inputs() == widths.front());
      REQUIRE(inference.outputs() == widths.back());
      for (const int count : {1, 2, 3, 4, 5, 130, 64, 63, 65, 7}) // one object: nothing is left over
        require_reference(inference, network, count, random);
      std::int16_t untouched = 77;
      inference.run(nullptr, 0, &untouched);
      CHECK(untouched == 77);
    }
}

TEST_CASE("integer inference: equals the plain reference at the ends of every range") {
  RandomWork random(base_seed());
  CAPTURE(base_seed());
  for (const int shift : {8, 9, 20, 38, 39})
    for (const Activation activation : {Activation::none, Activation::relu, Activation::hardtanh}) {
      CAPTURE(shift, to_string(activation));
      Network network = random.network({4096, 6, 9}, {Scheme::plain, 8, Group::layer, 0, 0});
      for (Layer& layer : network.layers) {
        layer.requantizer.shift = shift;
        for (int o = 0; o < layer.outputs; ++o) {
          const auto neuron = static_cast<std::size_t>(o);
          layer.requantizer.multiplier[neuron] = random.in(0, 1) ? 65535 : random.in(0, 2);
          layer.requantizer.bias[neuron] = random.in(0, 1) ? (1 << 19) - 1 : -(1 << 19);
          for (int i = 0; i < layer.inputs; ++i)
            layer.deltas[static_cast<std::size_t>(o * layer.inputs + i)] = o % 2 ? -128 : 127;
        }
      }
      network.layers.back().activation = activation;
      IntegerInference inference(network);
      require_reference(inference, network, 3, random);
      const std::vector<std::int8_t> darkest(4096, -128);
      std::vector<std::int16_t> outputs(9);
      inference.run(darkest.data(), 1, outputs.data());
      CHECK(std::vector<int>(outputs.begin(), outputs.end()) == reference_inference(network, darkest.data()));
    }
}

TEST_CASE("integer inference: the answer is the first of the largest outputs") {
  const auto first = [](const std::vector<std::int16_t>& values) {
    return argmax(values.data(), static_cast<int>(values.size()));
  };
  CHECK(first({5}) == 0);
  CHECK(first({1, 7, 3}) == 1);
  CHECK(first({7, 1, 7}) == 0);
  CHECK(first({-32768, -32768, -32767}) == 2);
  CHECK(first({0, 0, 0, 0}) == 0);
}

TEST_CASE("integer inference: accuracy is the share of images whose label has the largest output") {
  RandomWork random(base_seed());
  const Network network = random.network({20, 10}, {Scheme::plain, 8, Group::layer, 0, 0});
  const std::vector<std::int8_t> inputs = random.bytes(20 * 100);
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::vector<int> y = reference_inference(network, &inputs[20 * i]);
    labels.push_back(static_cast<std::uint8_t>(std::max_element(y.begin(), y.end()) - y.begin()));
  }
  CHECK(accuracy(network, inputs, labels) == 1);
  for (std::size_t i = 0; i < 25; ++i)
    labels[4 * i] = static_cast<std::uint8_t>((labels[4 * i] + 1) % 10);
  CHECK(accuracy(network, inputs, labels) == 0.75);
  CHECK(accuracy(network, {}, {}) == 0);
}
