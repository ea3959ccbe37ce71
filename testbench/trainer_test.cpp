// The trainer: exact fake quantization, networks that learn, repeatability.
#include "base/error.h"
#include "net/inference.h"
#include "train/fake_quantize.h"
#include "train/trainer.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

using namespace deltatwin;

namespace {

struct FormatCase {
  std::string name;
  DeltaFormat format;
};

// Every scheme and group with D = 2, 4 and 8, at the step each is trained with.
std::vector<FormatCase> formats() {
  std::vector<FormatCase> cases;
  for (const int bits : {2, 4, 8}) {
    cases.push_back({"plain D=" + std::to_string(bits), {Scheme::plain, bits, Group::layer, 0, 0}});
    for (const Scheme scheme : {Scheme::fixed_reference, Scheme::consecutive})
      for (const Group group : {Group::layer, Group::neuron, Group::block})
        cases.push_back(
            {std::string(to_string(scheme)) + " D=" + std::to_string(bits) + " group " + to_string(group),
             {scheme, bits, group, group == Group::block ? 9 : 0, default_shift(scheme, bits)}});
  }
  return cases;
}

// Weights [inputs][outputs] around zero, in 64ths at odd places: no sum or rounding is in doubt.
std::vector<float> random_weights(int inputs, int outputs, int reach, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> weights(static_cast<std::size_t>(inputs * outputs));
  for (float& weight : weights)
    weight = static_cast<float>(
                 2 * (static_cast<int>(generator() % static_cast<unsigned>(64 * reach)) - 32 * reach) + 1) /
             64;
  return weights;
}

std::vector<float> transposed(const std::vector<float>& values, int rows, int columns) {
  std::vector<float> result(values.size());
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      result[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
  return result;
}

const Dataset& training_images() {
  static const Dataset set = load_dataset(default_dataset, "train", 1000);
  return set;
}

TrainOptions tiny(const DeltaFormat& format) {
  TrainOptions options;
  options.name = "tiny";
  options.hidden = {24, 16};
  options.format = format;
  options.epochs = 12;
  options.batch = 32;
  return options;
}

double test_accuracy(const Network& network) {
  const Dataset test = load_dataset(default_dataset, "t10k", 1000);
  return accuracy(network, test.inputs(test.count), test.labels);
}

std::string layer_key(const Network& network) {
  std::string key;
  for (const Layer& layer : network.layers) {
    key.append(layer.deltas.begin(), layer.deltas.end());
    for (const auto* values : {&layer.references, &layer.requantizer.multiplier, &layer.requantizer.bias})
      for (const int value : *values)
        key += "," + std::to_string(value);
    key += ":" + std::to_string(layer.requantizer.shift);
  }
  return key;
}

} // namespace

TEST_CASE("fake-quantized weights are what the stored deltas decode to", "[trainer]") {
  const int inputs = 37, outputs = 11;
  for (const FormatCase& each : formats())
    for (const int reach : {3, 40, 300}) { // within one step, typical, far outside int8
      INFO(each.name << ", weights within +-" << reach);
      const std::vector<float> weights = random_weights(inputs, outputs, reach, 7);
      FakeQuantizer quantizer(inputs, outputs, each.format); // at scale 1
      std::vector<float> rounded(weights.size());
      quantizer.quantize(weights.data(), rounded.data());
      const Layer layer = quantizer.encode(rounded.data());
      const std::vector<float> by_neuron = transposed(rounded, inputs, outputs);
      const std::vector<std::int8_t> decoded = layer.weights();
      REQUIRE(std::equal(decoded.begin(), decoded.end(), by_neuron.begin(), by_neuron.end()));

      // The plain reference rule gives the same.
      const Layer expected = quantize(inputs, outputs, transposed(weights, inputs, outputs), each.format);
      CHECK(layer.references == expected.references);
      CHECK(decoded == expected.weights());
    }
}

TEST_CASE("weights at a set scale are rounded as quantize() rounds them", "[trainer]") {
  const int inputs = 37, outputs = 11;
  for (FormatCase each : formats()) {
    each.format.shift = 0;
    INFO(each.name << ", shift 0");
    const std::vector<float> scaled = random_weights(inputs, outputs, 12, 5);
    std::vector<float> weights = scaled, rounded(scaled.size());
    for (float& weight : weights)
      weight /= 16;
    FakeQuantizer quantizer(inputs, outputs, each.format);
    quantizer.set_scale(1.0f / 16);
    quantizer.quantize(weights.data(), rounded.data());
    const Layer layer = quantizer.encode(rounded.data());
    const Layer expected = quantize(inputs, outputs, transposed(scaled, inputs, outputs), each.format);
    CHECK(layer.references == expected.references);
    CHECK(layer.deltas == expected.deltas);
  }
}

TEST_CASE("shrinking pulls deltas to 0 and not past it", "[trainer]") {
  FakeQuantizer quantizer(1, 4, {Scheme::fixed_reference, 4, Group::layer, 0, 0});
  std::vector<float> weights = {1, 2.75f, 3.125f, 5.125f}, rounded(4); // their mean rounds to 3
  quantizer.quantize(weights.data(), rounded.data());
  quantizer.shrink_deltas(weights.data(), 0.5f);
  CHECK(weights == std::vector<float>{1.5f, 3, 3, 4.625f});

  FakeQuantizer chain(3, 1, {Scheme::consecutive, 4, Group::neuron, 0, 0});
  weights = {4, 1, 1.5f};
  chain.quantize(weights.data(), rounded.data());
  chain.shrink_deltas(weights.data(), 0.5f);
  CHECK(weights == std::vector<float>{3.5f, 1.5f, 1.5f});
}

TEST_CASE("fitting and refitting the scale lowers the error", "[trainer]") {
  const int inputs = 64, outputs = 16;
  const std::vector<float> weights = random_weights(inputs, outputs, 2, 3);
  const auto error = [&weights](const FakeQuantizer& quantizer, const std::vector<float>& rounded) {
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double difference = static_cast<double>(weights[i] - quantizer.scale() * rounded[i]);
      sum += difference * difference;
    }
    return sum;
  };
  for (const FormatCase& each : formats()) {
    INFO(each.name);
    FakeQuantizer quantizer(inputs, outputs, each.format);
    std::vector<float> rounded(weights.size());
    quantizer.quantize(weights.data(), rounded.data());
    const double at_one = error(quantizer, rounded);
    quantizer.fit(weights.data());
    quantizer.quantize(weights.data(), rounded.data());
    const double fitted = error(quantizer, rounded);
    CHECK(fitted <= at_one);
    quantizer.refit(weights.data(), rounded.data());
    CHECK(error(quantizer, rounded) <= fitted * 1.0001);
  }
}

TEST_CASE("a saturated weight's gradient only pulls it back inside", "[trainer]") {
  FakeQuantizer quantizer(1, 4, {Scheme::plain, 4, Group::layer, 0, 0}); // -8..7 at scale 1
  const std::vector<float> weights = {9, 9, -12, -12};
  std::vector<float> rounded(4), gradient = {1, -1, 1, -1};
  quantizer.quantize(weights.data(), rounded.data());
  CHECK(rounded == std::vector<float>{7, 7, -8, -8});
  quantizer.pass_gradient(gradient.data());
  CHECK(gradient == std::vector<float>{1, 0, 0, -1});
}

TEST_CASE("every format trains to a valid integer network", "[trainer][slow]") {
  for (const FormatCase& each : formats()) {
    INFO(each.name);
    TrainProgress last;
    std::vector<double> gaps;
    const Network network = train(tiny(each.format), training_images(), [&](const TrainProgress& progress) {
      last = progress;
      gaps.push_back(std::abs(progress.validation_accuracy - progress.model_accuracy));
    });
    CHECK_NOTHROW(validate(network, each.name));
    CHECK(network.layers.size() == 3);
    CHECK(network.layers[0].scheme == each.format.scheme);
    CHECK(network.layers[0].delta_bits == each.format.delta_bits);
    CHECK(last.epoch == 12);
    CHECK(*std::max_element(gaps.begin(), gaps.end()) <= 0.03); // integer against fake-quantized
    CHECK(test_accuracy(network) > 0.6);                        // chance is 0.1
  }
}

TEST_CASE("a delta penalty shrinks what a Huffman code stores", "[trainer][slow]") {
  for (const DeltaFormat& format : {DeltaFormat{Scheme::fixed_reference, 4, Group::layer, 0, -1},
                                    DeltaFormat{Scheme::fixed_reference, 2, Group::neuron, 0, -1},
                                    DeltaFormat{Scheme::consecutive, 4, Group::neuron, 0, -1},
                                    DeltaFormat{Scheme::plain, 8, Group::layer, 0, -1}}) {
    INFO(to_string(format.scheme) << " D=" << format.delta_bits);
    TrainOptions options = tiny(format);
    options.code = Code::huffman;
    options.delta_penalty = 0;
    const Network without = train(options, training_images());
    options.delta_penalty = 2; // much, as the epochs are few and short
    TrainProgress kept;
    const Network network = train(options, training_images(), [&kept](const TrainProgress& progress) {
      if (progress.kept)
        kept = progress;
    });
    CHECK_NOTHROW(validate(network, "huffman"));
    for (const Layer& layer : network.layers) {
      CHECK(layer.code == Code::huffman);
      CHECK(layer.shift == 0);
      CHECK(layer.delta_bits == format.delta_bits);
    }
    CHECK(static_cast<double>(network.stored_bits()) < 0.85 * static_cast<double>(without.stored_bits()));
    CHECK(network.weight_bits() == without.weight_bits());
    CHECK(test_accuracy(network) > 0.6);
    CHECK(kept.epoch > 9); // of the last quarter
    CHECK(kept.bits_a_weight * static_cast<double>(network.weight_count()) ==
          Approx(static_cast<double>(network.stored_bits())));
  }
}

TEST_CASE("relu networks, blocks longer than a layer and no hidden layer train too", "[trainer]") {
  TrainOptions options = tiny({Scheme::fixed_reference, 4, Group::block, 100, -1});
  options.activation = Activation::relu;
  const Network network = train(options, training_images());
  CHECK(network.layers[0].block == 100);
  CHECK(network.layers[1].block == 24);
  CHECK(network.layers[0].activation == Activation::relu);
  CHECK(network.layers[2].activation == Activation::none);
  CHECK(test_accuracy(network) > 0.6);
  options.hidden.clear();
  CHECK(test_accuracy(train(options, training_images())) > 0.6);
}

TEST_CASE("the last layer's logits use a good part of int16", "[trainer]") {
  const Network network = train(tiny({}), training_images());
  IntegerInference inference(network);
  std::vector<std::int16_t> outputs(1000 * 10);
  inference.run(training_images().inputs(1000).data(), 1000, outputs.data());
  const auto [low, high] = std::minmax_element(outputs.begin(), outputs.end());
  CHECK(*high - *low > 1000);
  CHECK(std::count_if(outputs.begin(), outputs.end(), [](int y) { return y == -32768 || y == 32767; }) == 0);
}

TEST_CASE("distillation trains the teacher first", "[trainer]") {
  TrainOptions options = tiny({});
  options.teacher = {32};
  options.epochs = 7;
  std::string order;
  const Network network = train(options, training_images(), [&order](const TrainProgress& p) {
    order += (p.teacher ? "t" : "n") + std::to_string(p.epoch);
  });
  CHECK(order == "t1t2n1n2n3n4n5n6n7");
  CHECK(network.layers[0].outputs == 24);
}

TEST_CASE("several teachers are trained one after the other and distilled together", "[trainer]") {
  TrainOptions options = tiny({});
  options.epochs = 7;
  options.teacher = {32};
  const Network with_one = train(options, training_images());
  options.teachers = 2;
  std::string order;
  std::vector<double> together;
  const auto follow = [&](const TrainProgress& p) {
    order += (p.teacher ? "t" + std::to_string(p.teacher) + "." : "n") + std::to_string(p.epoch) + " ";
    if (p.teacher && p.epoch == p.epochs)
      together.push_back(p.teachers_accuracy - p.validation_accuracy);
  };
  const std::string with_two = layer_key(train(options, training_images(), follow));
  CHECK(order == "t1.1 t1.2 t2.1 t2.2 n1 n2 n3 n4 n5 n6 n7 ");
  REQUIRE(together.size() == 2);
  CHECK(together[0] == 0); // alone so far
  CHECK(with_two != layer_key(with_one));
}

TEST_CASE("a convolutional teacher learns, and trains repeatably", "[trainer]") {
  TrainOptions options = tiny({});
  options.teacher = {32};
  options.teacher_channels = {4, 8};
  double learnt = 0;
  const auto follow = [&learnt](const TrainProgress& p) {
    if (p.teacher)
      learnt = p.validation_accuracy;
  };
  const Network network = train(options, training_images(), follow);
  CHECK(learnt > 0.5); // chance is 0.1
  CHECK(test_accuracy(network) > 0.6);
  CHECK(layer_key(train(options, training_images())) == layer_key(network));

  Dataset oblong = training_images();
  oblong.count = 24;
  oblong.pixels = 27 * 28;
  oblong.images.resize(24 * 27 * 28);
  oblong.labels.resize(24);
  CHECK_THROWS_WITH(train(options, oblong), Catch::Matchers::StartsWith("--teacher-channels"));
  options.teacher_channels.assign(5, 2); // 28 is halved four times
  CHECK_THROWS_WITH(train(options, training_images()), Catch::Matchers::StartsWith("--teacher-channels"));
}

TEST_CASE("a seed decides the whole network", "[trainer]") {
  TrainOptions options = tiny({});
  options.epochs = 2;
  const std::string first = layer_key(train(options, training_images()));
  CHECK(layer_key(train(options, training_images())) == first);
  options.seed = 2;
  CHECK(layer_key(train(options, training_images())) != first);
  options.code = Code::huffman;
  const std::string coded = layer_key(train(options, training_images()));
  CHECK(layer_key(train(options, training_images())) == coded);
  options.code = Code::huffman_pairs; // the same training
  Network pairs = train(options, training_images());
  for (Layer& layer : pairs.layers) {
    CHECK(layer.code == Code::huffman_pairs);
    layer.code = Code::huffman;
  }
  CHECK(layer_key(pairs) == coded);
}

TEST_CASE("impossible options are refused by name", "[trainer]") {
  const auto refused = [](const char* part, auto change) {
    TrainOptions options;
    change(options);
    INFO(part);
    CHECK_THROWS_AS(check(options), InputError);
    CHECK_THROWS_WITH(check(options), Catch::Matchers::StartsWith(part));
  };
  for (const char* name : {"a b", "", ".hid", "-x", "=1+1", "a\x1b[31m", "a/b"})
    refused("--name", [name](TrainOptions& o) { o.name = name; });
  refused("--layers", [](TrainOptions& o) { o.hidden = {100, 0}; });
  refused("--layers", [](TrainOptions& o) { o.hidden.assign(16, 8); });
  refused("--teacher", [](TrainOptions& o) { o.teacher = {5000}; });
  refused("--teacher-channels", [](TrainOptions& o) { o.teacher_channels = {16, 0}; });
  refused("--teacher-channels", [](TrainOptions& o) { o.teacher_channels.assign(9, 8); });
  refused("--teacher-share", [](TrainOptions& o) { o.teacher_share = 1.5; });
  refused("--teachers", [](TrainOptions& o) { o.teachers = 0; });
  refused("--teachers", [](TrainOptions& o) { o.teachers = 101; });
  refused("--activation", [](TrainOptions& o) { o.activation = Activation::none; });
  refused("--delta-bits", [](TrainOptions& o) { o.format.delta_bits = 9; });
  refused("--shift", [](TrainOptions& o) { o.format.shift = 8; });
  refused("--block", [](TrainOptions& o) { o.format.group = Group::block; });
  refused("--block", [](TrainOptions& o) { o.format.block = 4; });
  refused("--shift", [](TrainOptions& o) {
    o.code = Code::huffman;
    o.format.shift = 3;
  });
  refused("--delta-bits", [](TrainOptions& o) {
    o.code = Code::huffman_pairs;
    o.format.delta_bits = 5;
  });
  refused("--delta-penalty", [](TrainOptions& o) { o.delta_penalty = -1; });
  refused("--delta-penalty", [](TrainOptions& o) { o.delta_penalty = 11; });
  refused("--epochs", [](TrainOptions& o) { o.epochs = 0; });
  refused("--batch", [](TrainOptions& o) { o.batch = 1; });
  refused("--learning-rate", [](TrainOptions& o) { o.learning_rate = 0; });
  refused("--weight-decay", [](TrainOptions& o) { o.weight_decay = -1; });
  refused("--label-smoothing", [](TrainOptions& o) { o.label_smoothing = 1; });
  refused("--input-dropout", [](TrainOptions& o) { o.input_dropout = 1; });
}
