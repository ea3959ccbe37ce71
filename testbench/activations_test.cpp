// Quantized activations against plain references: arithmetic, storage, search and ranking.
#include "activations/chart.h"
#include "activations/compression.h"
#include "activations/quantizer.h"
#include "activations/study.h"
#include "random_work.h"
#include "refusal.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <queue>

using namespace deltatwin;

namespace {

float random_float(RandomWork& random, int scale = 1) {
  switch (random.in(0, 5)) {
  case 0:
    return 0;
  case 1: // halves of a grid, with any luck
    return static_cast<float>(random.in(0, 64)) / 32 * static_cast<float>(scale);
  default:
    return static_cast<float>(random.word(24)) / static_cast<float>(1 << 22) * static_cast<float>(scale);
  }
}

// round(a 2^K / maximum), halves to even, clamped: by whole numbers alone. Both are under 32 and multiples of
// 2^-46.
int reference_code(float a, float maximum, int k, bool is_signed) {
  if (maximum == 0)
    return 0;
  const auto whole = [](float value) {
    return static_cast<std::int64_t>(std::ldexp(static_cast<double>(value), 46));
  };
  const std::int64_t numerator = whole(a) * (std::int64_t{1} << k), denominator = whole(maximum);
  std::int64_t quotient = numerator / denominator, rest = numerator % denominator;
  if (rest < 0) {
    rest += denominator;
    --quotient;
  }
  if (2 * rest > denominator || (2 * rest == denominator && quotient % 2 != 0))
    ++quotient;
  const std::int64_t low = is_signed ? -(1 << k) : 0, high = (1 << k) - 1;
  return static_cast<int>(std::clamp(quotient, low, high));
}

// Huffman's own algorithm: bits of all symbols.
std::uint64_t reference_huffman_bits(const std::vector<std::uint64_t>& histogram) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue;
  for (const std::uint64_t count : histogram)
    if (count)
      queue.push(count);
  if (queue.size() == 1)
    return queue.top();
  std::uint64_t bits = 0;
  while (queue.size() > 1) {
    const std::uint64_t a = queue.top();
    queue.pop();
    const std::uint64_t b = queue.top();
    queue.pop();
    bits += a + b;
    queue.push(a + b);
  }
  return bits;
}

// Two blocks that keep four channels of 3 x 5 values; the class is the channel with the largest sum.
class FakeStages : public Stages {
public:
  static constexpr int channels = 4, rows = 3, columns = 5;
  [[nodiscard]] const std::vector<BlockShape>& shapes() const override { return shapes_; }
  [[nodiscard]] Activations begin(const ImageSet& set, int first, int count) const override {
    Activations values = {count, shapes_[0], {}};
    for (int i = 0; i < count * set.data.pixels; ++i)
      values.values.push_back(
          static_cast<float>(set.data.images[static_cast<std::size_t>(first * set.data.pixels + i)]) / 64);
    return values;
  }
  [[nodiscard]] Activations block(std::size_t number, const Activations& input) const override {
    Activations values = input;
    for (std::size_t i = 0; i < values.values.size(); ++i)
      values.values[i] = std::max(0.0f, values.values[i] * (number ? 0.75f : 1.5f) - 0.25f);
    return values;
  }
  [[nodiscard]] std::vector<int> classify(const Activations& values) const override {
    std::vector<int> classes;
    for (int image = 0; image < values.images; ++image) {
      std::vector<double> sums;
      for (int channel = 0; channel < channels; ++channel)
        sums.push_back(std::accumulate(values.channel(image, channel),
                                       values.channel(image, channel) + values.plane(), 0.0));
      classes.push_back(static_cast<int>(std::max_element(sums.begin(), sums.end()) - sums.begin()));
    }
    return classes;
  }

private:
  std::vector<BlockShape> shapes_ = {{channels, rows, columns}, {channels, rows, columns}};
};

ImageSet random_images(RandomWork& random, int count) {
  ImageSet set;
  set.planes = FakeStages::channels;
  set.rows = FakeStages::rows;
  set.columns = FakeStages::columns;
  set.data.count = count;
  set.data.pixels = set.planes * set.rows * set.columns;
  for (int i = 0; i < count * set.data.pixels; ++i)
    set.data.images.push_back(static_cast<std::uint8_t>(random.in(0, 3) ? random.in(0, 120) : 0));
  const FakeStages stages;
  Activations values = stages.block(1, stages.block(0, stages.begin(set, 0, count)));
  for (const int label : stages.classify(values))
    set.data.labels.push_back(static_cast<std::uint8_t>(label));
  return set;
}

// What a channel's values become, said plainly; the maximum is given.
std::vector<float> reference_values(std::vector<float> values, float maximum, int k, bool is_signed) {
  for (float& value : values) {
    const int code = reference_code(value, maximum, k, is_signed);
    value = static_cast<float>(static_cast<double>(maximum) * code / std::pow(2.0, k));
  }
  return values;
}

LayerPlan plan_of(const std::vector<char>& important) {
  LayerPlan layer;
  layer.important = important;
  return layer;
}

Activations random_activations(RandomWork& random, int images) {
  Activations values = {images, {FakeStages::channels, FakeStages::rows, FakeStages::columns}, {}};
  for (int i = 0; i < images * values.shape.values(); ++i)
    values.values.push_back(random_float(random, 1 + i % 3));
  return values;
}

} // namespace

TEST_CASE("activations: codes are the exact quotient rounded, halves to even") {
  RandomWork random(base_seed());
  for (int n = 0; n < repeats(20000); ++n) {
    const float maximum = random.in(0, 9) ? random_float(random) : static_cast<float>(random.in(1, 16));
    const float value = random.in(0, 1) ? random_float(random) : -random_float(random);
    const int k = random.in(1, 8);
    const bool is_signed = random.in(0, 1) != 0;
    CAPTURE(value, maximum, k, is_signed);
    const Grid grid(static_cast<double>(maximum), k, is_signed);
    const int code = grid.code(static_cast<double>(value));
    REQUIRE(code == reference_code(value, maximum, k, is_signed));
    float back = value;
    std::int16_t stored = 0;
    const double error = grid.quantize(&back, 1, &stored);
    REQUIRE(stored == (maximum == 0 ? 0 : code));
    REQUIRE(back == grid.value(maximum == 0 ? 0 : code));
    REQUIRE(error ==
            Approx(std::pow(static_cast<double>(value) - static_cast<double>(back), 2)).margin(1e-12));
  }
}

TEST_CASE("activations: the error is at most half a step of N + m bits, and a step at the top") {
  RandomWork random(base_seed());
  for (int n = 0; n < repeats(20000); ++n) {
    const float maximum = random_float(random) + 0.01f;
    const float value = maximum * static_cast<float>(random.word(20)) / (1 << 20);
    const int bits = random.in(2, 5), m = random.in(0, 3), k = bits + m - 1;
    const Grid grid(static_cast<double>(maximum), k, true);
    const int v = grid.code(static_cast<double>(value));
    const double step = static_cast<double>(maximum) / std::pow(2.0, k);
    const double error = std::abs(static_cast<double>(value) - static_cast<double>(grid.value(v)));
    CAPTURE(value, maximum, bits, m, v);
    REQUIRE(error <= (v == grid.highest() ? 1.0 : 0.5) * step * (1 + 1e-6));
    // What is stored apart comes together again: equation 3.
    const int q = v >> m, se = v & ((1 << m) - 1);
    REQUIRE((q < 1 << (bits - 1) && q >= -(1 << (bits - 1))));
    const double coarse = static_cast<double>(maximum) / std::pow(2.0, bits - 1);
    REQUIRE(static_cast<double>(grid.value(v)) == Approx(coarse * (q + se / std::pow(2.0, m))).margin(1e-12));
  }
}

TEST_CASE("activations: powers of two are the nearest in the logarithm") {
  RandomWork random(base_seed());
  for (int n = 0; n < repeats(5000); ++n) {
    const float value = random.in(0, 1) ? random_float(random, 3) : -random_float(random, 3) / 100;
    const int bits = random.in(2, 6);
    const bool normalized = random.in(0, 1) != 0;
    const double maximum = 7.3, size = std::abs(static_cast<double>(value)) / (normalized ? maximum : 1.0);
    const double low = normalized ? 1 - std::pow(2, bits - 1) : -std::pow(2, bits - 2);
    const double high = normalized ? 0 : std::pow(2, bits - 2) - 1;
    const double exponent = value == 0 ? 0 : std::clamp(std::round(std::log2(size)), low, high);
    const double expected =
        value == 0 ? 0 : std::copysign(std::pow(2, exponent) * (normalized ? maximum : 1), value);
    CAPTURE(value, bits, normalized);
    REQUIRE(static_cast<double>(power_of_two(value, bits, normalized, maximum)) == Approx(expected));
  }
}

TEST_CASE("activations: the scale of least squared error beats the maximum and its neighbours") {
  RandomWork random(base_seed());
  for (int n = 0; n < repeats(5); ++n) {
    std::vector<float> values;
    for (int i = 0; i < 3000; ++i) // many small ones, few large ones
      values.push_back(static_cast<float>(std::pow(static_cast<double>(random.word(16)) / 65536, 6.0)) * 5);
    const float maximum = *std::max_element(values.begin(), values.end());
    const int bits = random.in(1, 4);
    Distribution distribution(static_cast<double>(maximum));
    distribution.add(values.data(), values.size());
    const auto error = [&](double scale) {
      const Grid grid(scale, bits, false);
      double sum = 0;
      for (const float value : values)
        sum += std::pow(static_cast<double>(value) -
                            static_cast<double>(grid.value(grid.code(static_cast<double>(value)))),
                        2);
      return sum;
    };
    double least = error(static_cast<double>(maximum));
    for (int percent = 4; percent <= 150; ++percent)
      least = std::min(least, error(static_cast<double>(maximum) * percent / 100));
    CHECK(error(distribution.best_maximum(bits, false)) <= 1.001 * least); // bins are not exact
  }
  CHECK(Distribution(0).best_maximum(3, true) == 0);
}

TEST_CASE("activations: each kind of scale is what it says") {
  RandomWork random(base_seed());
  for (int n = 0; n < repeats(20); ++n) {
    const Activations values = random_activations(random, 3);
    Plan plan;
    plan.quantization.bits = random.in(2, 4);
    plan.quantization.extra = random.in(0, 2);
    plan.quantization.is_signed = random.in(0, 1) != 0;
    plan.quantization.per = static_cast<Per>(random.in(0, 2));
    plan.quantization.dynamic = plan.quantization.per == Per::channel_image || random.in(0, 1);
    plan.layers = {plan_of({0, 1, 0, 1})};
    plan.layers[0].maxima = {1.5, 2.5, 0.75, 0};
    Activations quantized = values;
    LayerResult layer;
    const std::vector<std::int16_t> codes = Quantizer{plan, 0, {}}.run(quantized, layer);
    double error = 0;
    for (int image = 0; image < values.images; ++image)
      for (int channel = 0; channel < FakeStages::channels; ++channel) {
        float maximum = 0;
        for (int other = 0; other < values.images; ++other)
          for (int from = 0; from < FakeStages::channels; ++from)
            if (plan.quantization.per == Per::layer ||
                (from == channel && (plan.quantization.per == Per::channel || other == image)))
              for (std::size_t i = 0; i < values.plane(); ++i)
                maximum = std::max(maximum, values.channel(other, from)[i]);
        if (!plan.quantization.dynamic)
          maximum = static_cast<float>(plan.layers[0].maxima[static_cast<std::size_t>(channel)]);
        const int k = plan.quantization.bits + (channel % 2 ? plan.quantization.extra : 0) -
                      (plan.quantization.is_signed ? 1 : 0);
        const float* first = values.channel(image, channel);
        const std::vector<float> expected =
            reference_values({first, first + values.plane()}, maximum, k, plan.quantization.is_signed);
        const float* got = quantized.channel(image, channel);
        REQUIRE(std::equal(expected.begin(), expected.end(), got));
        for (std::size_t i = 0; i < values.plane(); ++i) {
          REQUIRE(codes[static_cast<std::size_t>(got - quantized.values.data()) + i] ==
                  reference_code(first[i], maximum, k, plan.quantization.is_signed));
          error += std::pow(static_cast<double>(first[i]) - static_cast<double>(expected[i]), 2);
        }
      }
    CHECK(layer.error == Approx(error).margin(1e-9));
    CHECK(layer.values == values.values.size());
  }
}

TEST_CASE("activations: the search of noise finds the best of its scales and offsets") {
  RandomWork random(base_seed());
  const Activations values = random_activations(random, 2);
  const auto response = [](const Activations& tried) {
    std::vector<float> result = tried.values;
    for (std::size_t i = 1; i < result.size(); ++i)
      result[i] += 0.5f * result[i - 1];
    return result;
  };
  const int bits = 3, steps = 12;
  const NoisyChoice found = search_noise(values, bits, steps, response, 1);
  const auto loss = [&](double scale, double offset) {
    Activations tried = values;
    for (float& value : tried.values) {
      const double code =
          std::clamp(std::nearbyint((static_cast<double>(value) + offset) / scale), -4.0, 3.0);
      value = static_cast<float>(scale * code - offset);
    }
    const std::vector<float> a = response(tried), b = response(values);
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    return sum;
  };
  const double maximum = static_cast<double>(*std::max_element(values.values.begin(), values.values.end()));
  double least = -1, scale = 0, offset = 0;
  for (int i = steps; i > 0; --i)
    if (const double each = loss(maximum * i / steps / 3, 0); least < 0 || each < least) {
      least = each;
      scale = maximum * i / steps / 3;
    }
  least = -1;
  for (int i = 0; i < steps; ++i)
    if (const double each = loss(scale, scale * (2.0 * i / steps - 1)); least < 0 || each < least) {
      least = each;
      offset = scale * (2.0 * i / steps - 1);
    }
  CHECK(found.scale == Approx(scale));
  CHECK(found.offset == Approx(offset).margin(1e-12));
  const NoisyChoice parallel = search_noise(values, bits, steps, response, 2);
  CHECK(parallel.scale == found.scale);
  CHECK(parallel.offset == found.offset);
}

TEST_CASE("activations: sizes are those of a reference Huffman coder") {
  RandomWork random(base_seed());
  constexpr int rows = 4, columns = 6;
  const std::vector<char> important = {1, 0, 1};
  for (int n = 0; n < repeats(40); ++n) {
    Quantization q;
    q.bits = 3;
    q.extra = random.in(1, 3);
    q.ratio = 0.7;
    q.is_signed = random.in(0, 1) != 0;
    const int images = random.in(1, 5);
    std::vector<std::vector<std::int16_t>> planes; // [image * 3 + channel]
    for (int i = 0; i < 3 * images; ++i) {
      const int top = (1 << q.scale_bits(important[static_cast<std::size_t>(i % 3)] != 0)) - 1;
      auto& plane = planes.emplace_back();
      for (int j = 0; j < rows * columns; ++j)
        plane.push_back(static_cast<std::int16_t>(random.in(0, 2) ? random.in(0, top) : 0));
    }
    for (const Books books : {Books::layer, Books::channel, Books::batch, Books::image})
      for (const Coded coded : {Coded::errors, Coded::whole})
        for (const int contexts : {1, 4}) {
          if (coded == Coded::errors && contexts > 1)
            continue;
          StorageMeter meter(q, {coded, books, contexts}, important);
          for (std::size_t i = 0; i < planes.size(); ++i)
            meter.add(static_cast<int>(i % 3), planes[i].data(), rows, columns);
          meter.end_batch();
          // Histograms by what shares a book, counted here once more.
          std::map<std::vector<int>, std::vector<std::uint64_t>> histograms;
          std::uint64_t flat = 0;
          for (std::size_t i = 0; i < planes.size(); ++i) {
            const bool is_important = important[i % 3] != 0;
            const int width = is_important ? q.bits + q.extra : q.bits;
            for (int j = 0; j < rows * columns; ++j) {
              const int v = planes[i][static_cast<std::size_t>(j)];
              const int above = j < columns ? 0 : planes[i][static_cast<std::size_t>(j - columns)];
              std::vector<int> key = {books == Books::layer ? is_important : static_cast<int>(i % 3),
                                      books == Books::image ? static_cast<int>(i) : 0,
                                      std::min(above, contexts - 1)};
              if (coded == Coded::errors)
                flat += static_cast<std::uint64_t>(q.bits);
              if (coded == Coded::errors && !is_important)
                continue;
              auto& histogram = histograms[key];
              histogram.resize(std::size_t{1} << (coded == Coded::errors ? q.extra : width));
              ++histogram[static_cast<std::size_t>(coded == Coded::errors ? v % (1 << q.extra) : v)];
            }
          }
          std::uint64_t expected = flat;
          const bool dynamic = books == Books::batch || books == Books::image;
          for (const auto& [key, histogram] : histograms)
            expected += reference_huffman_bits(histogram) + (dynamic ? 4 * histogram.size() : 0);
          CAPTURE(static_cast<int>(books), static_cast<int>(coded), contexts, images);
          if (dynamic) {
            REQUIRE(meter.bits({}) == expected);
            continue;
          }
          // A book made of the same values, but for the one more of each symbol, costs hardly more.
          const std::uint64_t bits = meter.bits(meter.static_books());
          REQUIRE(bits >= expected);
          for (const auto& book : meter.static_books())
            REQUIRE((book.empty() || std::none_of(book.begin(), book.end(), [](int l) { return l == 0; })));
          StorageMeter twice = meter;
          twice.add(meter);
          REQUIRE(twice.bits(meter.static_books()) == 2 * bits);
        }
    StorageMeter plain(q, {}, important);
    for (std::size_t i = 0; i < planes.size(); ++i)
      plain.add(static_cast<int>(i % 3), planes[i].data(), rows, columns);
    REQUIRE(plain.bits({}) ==
            static_cast<std::uint64_t>(images * rows * columns * (3 * q.bits + 2 * q.extra)));
  }
}

TEST_CASE("activations: compressors") {
  CHECK(pack_bits({1, 2, 3}, 3) == std::string("\x29\x80", 2)); // 001 010 011, then zeros
  CHECK(pack_bits({}, 3).empty());
  RandomWork random(base_seed());
  std::vector<std::uint8_t> symbols;
  std::vector<std::uint64_t> histogram(8);
  for (int i = 0; i < 5000; ++i) {
    symbols.push_back(static_cast<std::uint8_t>(std::min(random.in(0, 7), random.in(0, 7))));
    ++histogram[symbols.back()];
  }
  const std::uint64_t bits = reference_huffman_bits(histogram), words = (bits + 35) / 36;
  CHECK(compressed_bits(Compressor::huffman, symbols, 3) == words * 36 + 32);
  const std::vector<std::uint8_t> zeros(5000);
  for (const Compressor each : compressors)
    if (is_there(each)) {
      CAPTURE(to_string(each));
      CHECK(compressed_bits(each, symbols, 3) > bits / 2);
      CHECK(compressed_bits(each, symbols, 3) < 3 * 5000 + 1000);
      CHECK(compressed_bits(each, zeros, 3) < (each == Compressor::huffman ? 5100 : 1500));
    }
}

TEST_CASE("activations: methods are read and told") {
  for (const char* text :
       {"float", "direct:n=4", "edqa:n=3", "edqa:n=3,m=2,r=0.25,rank=energy", "edqa:n=3,per=image,book=image",
        "unsigned:n=1", "unsigned:n=3,code=whole,contexts=4", "unsigned:n=4,scale=dynamic,fit=max",
        "pot:n=3,reading=released", "noisyquant:n=3,search=online,steps=10"})
    CHECK(to_string(parse_method(text)) == text);
  CHECK(to_string(parse_method("edqa:n=4,code=whole,book=image").quantization) == "edqa:n=4");
  CHECK(to_string(parse_method("edqa:m=0,r=0,code=none,book=channel")) == "direct:n=3");
  const auto refuse = [](const char* text) {
    return refusal([&] { static_cast<void>(parse_method(text)); });
  };
  CHECK_THAT(refuse("nothing"), Catch::Contains("unknown name \"nothing\", expected float, direct, edqa"));
  CHECK_THAT(refuse("edqa:n=x"), Catch::Contains("\"n=x\", expected N"));
  CHECK_THAT(refuse("edqa:n=9"), Catch::Contains("\"n=9\""));
  CHECK_THAT(refuse("edqa:n=6,m=3"), Catch::Contains("n + m is 9, expected 8 or less"));
  CHECK_THAT(refuse("edqa:n=2,m=3"), Catch::Contains("m is 3, expected n or less"));
  CHECK_THAT(refuse("edqa:r=1.5"), Catch::Contains("\"r=1.5\""));
  CHECK_THAT(refuse("edqa:r"), Catch::Contains("\"r\" is unknown"));
  CHECK_THAT(refuse("pot:m=3"), Catch::Contains("\"m=3\" is unknown, expected n=, reading="));
  CHECK_THAT(refuse("direct:n=1"), Catch::Contains("expected 2 or more"));
  CHECK_THAT(refuse("unsigned:per=image"), Catch::Contains("per=image has no static scale"));
  CHECK_THAT(refuse("unsigned:code=whole,contexts=3"),
             Catch::Contains("contexts is 3, expected 1, 2, 4 or 8"));
  CHECK_THAT(refuse("unsigned:contexts=2"), Catch::Contains("with code=whole only"));
  CHECK_THAT(refuse("unsigned:"), Catch::Contains("\"\" is unknown"));
}

TEST_CASE("activations: an evaluation is the sum over batches, however many threads") {
  RandomWork random(base_seed());
  const FakeStages stages;
  const ImageSet set = random_images(random, 70);
  PlannerOptions planner_options;
  planner_options.calibration_images = 30;
  planner_options.ranking_images = 30;
  planner_options.batch = 16;
  Planner planner(stages, set, planner_options);
  EvaluationOptions options;
  options.batch = 16;
  for (const char* text : {"edqa:n=3,r=0.5", "unsigned:n=2,code=whole,contexts=4", "unsigned:n=3,per=layer",
                           "noisyquant:n=3,steps=5", "pot:n=4", "edqa:n=2,m=2,per=image,book=image,r=0.75"}) {
    CAPTURE(text);
    const Method method = parse_method(text);
    const Plan plan = planner.plan(method.quantization);
    const std::vector<StoragePlan> storages = planner.storages(plan, {method.storage});
    options.threads = 1;
    const Evaluation one = evaluate(stages, set, plan, storages, options);
    options.threads = 3;
    const Evaluation three = evaluate(stages, set, plan, storages, options);
    CHECK(one.images == 70);
    CHECK(one.right == three.right);
    CHECK(one.bits_a_value(0) == three.bits_a_value(0));
    CHECK(one.layers[1].error == three.layers[1].error);
    CHECK(one.layers[0].values == 70 * 60);
    CHECK(one.bits_a_value(0) > 0.5);
    CHECK(one.bits_a_value(0) < 8);
  }
  // No important channels: Direct; all of them: Direct with m more bits.
  const auto run = [&](const char* text) {
    const Plan plan = planner.plan(parse_method(text).quantization);
    return evaluate(stages, set, plan, {}, options);
  };
  CHECK(run("edqa:n=3,r=0").layers[1].error == run("direct:n=3").layers[1].error);
  CHECK(run("edqa:n=3,m=2,r=1").layers[1].error == run("direct:n=5").layers[1].error);
  CHECK(run("float").accuracy() == 1);
}

TEST_CASE("activations: rankings tell the channels that matter") {
  RandomWork random(base_seed());
  const FakeStages stages;
  ImageSet set = random_images(random, 60);
  // Channel 2 is of another size than the others: three bits lose most there.
  for (std::size_t i = 0; i < set.data.images.size(); ++i)
    if (i / 15 % 4 == 2)
      set.data.images[i] = static_cast<std::uint8_t>(set.data.images[i] * 2);
  Activations values = stages.block(1, stages.block(0, stages.begin(set, 0, 60)));
  const std::vector<int> labels = stages.classify(values);
  set.data.labels.assign(labels.begin(), labels.end());
  PlannerOptions options;
  options.calibration_images = options.ranking_images = 60;
  Planner planner(stages, set, options);
  for (const Ranking kind : {Ranking::greedy, Ranking::energy, Ranking::random})
    for (const ChannelRanking& order : planner.ranking(kind)) {
      ChannelRanking sorted = order;
      std::sort(sorted.begin(), sorted.end());
      CHECK(sorted == ChannelRanking{0, 1, 2, 3});
    }
  CHECK(planner.ranking(Ranking::energy)[0].back() == 2);
  CHECK(important_count(0.4, 16) == 6);
  CHECK(important_count(0.3, 10) == 3);
  CHECK(important_count(1, 7) == 7);
  // Algorithm 3's first block, said plainly: the channel that is worth most when it alone stays as it is.
  const ImageSet sample = planner.ranking_images();
  std::vector<int> right;
  for (int kept = 0; kept < 4; ++kept) {
    const Activations real = stages.block(0, stages.begin(sample, 0, 60));
    Activations mixed = real;
    for (int channel = 0; channel < 4; ++channel) {
      float maximum = 0;
      for (int image = 0; image < 60; ++image)
        maximum = std::max(maximum, *std::max_element(real.channel(image, channel),
                                                      real.channel(image, channel) + real.plane()));
      for (int image = 0; channel != kept && image < 60; ++image) {
        const float* from = real.channel(image, channel);
        const auto quantized = reference_values({from, from + real.plane()}, maximum, 2, true);
        std::copy(quantized.begin(), quantized.end(), mixed.channel(image, channel));
      }
    }
    const std::vector<int> classes = stages.classify(stages.block(1, mixed));
    int sum = 0;
    for (std::size_t i = 0; i < classes.size(); ++i)
      sum += classes[i] == sample.data.labels[i];
    right.push_back(sum);
  }
  const ChannelRanking& greedy = planner.ranking(Ranking::greedy)[0];
  for (std::size_t i = 1; i < 4; ++i)
    CHECK(right[static_cast<std::size_t>(greedy[i - 1])] <= right[static_cast<std::size_t>(greedy[i])]);
}

TEST_CASE("activations: a study runs each quantization once") {
  RandomWork random(base_seed());
  const FakeStages stages;
  const ImageSet set = random_images(random, 40);
  PlannerOptions planner_options;
  planner_options.calibration_images = 20;
  Planner planner(stages, set, planner_options);
  Study study(stages, planner, set, {});
  const std::vector<Method> methods = {
      parse_method("float"), parse_method("unsigned:n=3"), parse_method("unsigned:n=3,code=whole"),
      parse_method("unsigned:n=3,code=whole,contexts=8"), parse_method("edqa:n=3,rank=energy,r=0.5")};
  study.want(methods);
  study.want(methods);
  double last = 0;
  study.run([&](const std::string&, double done, double all) {
    CHECK(all == 3);
    last = done;
  });
  CHECK(last == Approx(3));
  CHECK(study.result(methods[0]).accuracy == 1);
  CHECK(study.result(methods[1]).bits_a_value == 3);
  CHECK(study.result(methods[2]).bits_a_value < 3);
  CHECK(study.result(methods[2]).accuracy == study.result(methods[1]).accuracy);
  const MethodResult& edqa = study.result(methods[4]);
  CHECK(edqa.error_counts.size() == 8);
  CHECK(std::accumulate(edqa.error_counts.begin(), edqa.error_counts.end(), std::uint64_t{0}) ==
        40 * 2 * 2 * 15);
  const Difference lost = difference(study.result(methods[0]), edqa);
  const double share = 1 - edqa.accuracy; // float gets all right
  CHECK(lost.mean == Approx(share));
  CHECK(lost.error == Approx(std::sqrt(share * (1 - share) / 40)).margin(1e-12));
  CHECK(study.accuracy_of_block(methods[0].quantization, 1) == 1);
  CHECK(dominated({{1, 0.5}, {2, 0.4}, {2, 0.6}, {3, 0.6}, {1, 0.5}}) ==
        std::vector<bool>{false, true, false, true, false});
}

TEST_CASE("activations: charts are drawn and told") {
  Chart chart = {"A < B", "x", "y", {{"one", {{0, 1}, {1, 3}}}, {"two, too", {{1, 2}}}}};
  CHECK(to_csv(chart) == "x,one,\"two, too\"\n0,1,\n1,3,2\n");
  for (const bool bars : {false, true}) {
    chart.bars = bars;
    const std::string svg = to_svg(chart);
    CHECK(svg.find("<svg ") == 0);
    CHECK_THAT(svg, Catch::Contains("A &lt; B") && Catch::Contains("</svg>"));
    CHECK((svg.find("<circle") == std::string::npos) == bars);
    CHECK(svg.find("nan") == std::string::npos);
  }
}
