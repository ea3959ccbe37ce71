// Residual networks in float32: what they compute, and that they learn.
#include "random_work.h"
#include "train/float_model.h"
#include "train/residual.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace deltatwin;

namespace {

struct Volume {
  int channels, rows, columns;
  std::vector<double> values;
  [[nodiscard]] double at(int channel, int row, int column) const {
    if (row < 0 || row >= rows || column < 0 || column >= columns)
      return 0;
    return values[static_cast<std::size_t>((channel * rows + row) * columns + column)];
  }
};

Volume convolved(const Volume& in, const FloatConvolution& layer) {
  const auto size = [&](int n) { return (n + 2 * layer.padding - layer.kernel) / layer.stride + 1; };
  Volume out = {layer.outputs, size(in.rows), size(in.columns), {}};
  for (int o = 0; o < layer.outputs; ++o)
    for (int row = 0; row < out.rows; ++row)
      for (int column = 0; column < out.columns; ++column) {
        double sum = layer.bias[static_cast<std::size_t>(o)];
        for (int i = 0; i < layer.inputs; ++i)
          for (int y = 0; y < layer.kernel; ++y)
            for (int x = 0; x < layer.kernel; ++x)
              sum +=
                  static_cast<double>(layer.weights[static_cast<std::size_t>(
                      ((o * layer.inputs + i) * layer.kernel + y) * layer.kernel + x)]) *
                  in.at(i, row * layer.stride + y - layer.padding, column * layer.stride + x - layer.padding);
        out.values.push_back(sum);
      }
  return out;
}

void rectify(Volume& values) {
  for (double& value : values.values)
    value = std::max(value, 0.0);
}

Volume run_block(const Volume& in, const FloatBlock& block) {
  Volume out = in;
  for (std::size_t i = 0; i < block.body.size(); ++i) {
    if (i)
      rectify(out);
    out = convolved(out, block.body[i]);
  }
  Volume past = in;
  if (block.shortcut == Shortcut::projection)
    past = convolved(in, *block.projection);
  if (block.shortcut == Shortcut::padded) {
    past = {out.channels, out.rows, out.columns, {}};
    const int before = (out.channels - in.channels) / 2;
    for (int channel = 0; channel < out.channels; ++channel)
      for (int row = 0; row < out.rows; ++row)
        for (int column = 0; column < out.columns; ++column)
          past.values.push_back(channel < before || channel >= before + in.channels
                                    ? 0
                                    : in.at(channel - before, row * block.stride(), column * block.stride()));
  }
  for (std::size_t i = 0; i < out.values.size(); ++i)
    out.values[i] += past.values[i];
  rectify(out);
  return out;
}

FloatConvolution convolution(RandomWork& random, int inputs, int outputs, int kernel, int stride) {
  FloatConvolution layer = {"x", inputs, outputs, kernel, stride, (kernel - 1) / 2, {}, {}};
  for (int i = 0; i < inputs * outputs * kernel * kernel; ++i)
    layer.weights.push_back(static_cast<float>(random.in(-100, 100)) / 200);
  for (int i = 0; i < outputs; ++i)
    layer.bias.push_back(static_cast<float>(random.in(-100, 100)) / 100);
  return layer;
}

// Bright stripes where the label says, on noise.
ImageSet striped(RandomWork& random, int count) {
  ImageSet set;
  set.planes = 2;
  set.rows = set.columns = 8;
  set.data.count = count;
  set.data.pixels = 2 * 8 * 8;
  for (int i = 0; i < count; ++i) {
    const int label = i % 4;
    set.data.labels.push_back(static_cast<std::uint8_t>(label));
    for (int p = 0; p < set.data.pixels; ++p)
      set.data.images.push_back(
          static_cast<std::uint8_t>(random.in(0, 120) + (p / 8 % 4 == label ? 100 : 0)));
  }
  return set;
}

} // namespace

TEST_CASE("residual: a float model computes what its file says") {
  RandomWork random(base_seed());
  FloatNetwork network;
  network.planes = 2;
  network.rows = 8;
  network.columns = 8;
  network.mean = {0.25f, 0.5f};
  network.deviation = {0.5f, 0.25f};
  network.stem = convolution(random, 2, 3, 3, 1);
  network.blocks.push_back({{convolution(random, 3, 3, 3, 1), convolution(random, 3, 3, 3, 1)}});
  network.blocks.push_back(
      {{convolution(random, 3, 6, 3, 2), convolution(random, 6, 6, 3, 1)}, Shortcut::padded});
  network.blocks.push_back(
      {{convolution(random, 6, 4, 5, 1)}, Shortcut::projection, convolution(random, 6, 4, 1, 1)});
  network.dense = convolution(random, 4, 10, 1, 1);
  const ImageSet set = striped(random, 3);
  const FloatModel model(network);
  const torch::NoGradGuard no_gradients;
  at::Tensor tensor = model.stem(model.images(set, 1, 2));
  Volume volume = {2, 8, 8, {}};
  for (int i = 0; i < set.data.pixels; ++i) {
    const auto plane = static_cast<std::size_t>(i / 64);
    volume.values.push_back((set.data.images[static_cast<std::size_t>(2 * set.data.pixels + i)] / 255.0 -
                             static_cast<double>(network.mean[plane])) /
                            static_cast<double>(network.deviation[plane]));
  }
  volume = convolved(volume, network.stem);
  rectify(volume);
  const auto compare = [&] { // the second image
    const at::Tensor second = tensor[1].contiguous();
    REQUIRE(static_cast<std::size_t>(second.numel()) == volume.values.size());
    for (std::size_t i = 0; i < volume.values.size(); ++i)
      REQUIRE(static_cast<double>(second.data_ptr<float>()[i]) == Approx(volume.values[i]).margin(1e-4));
  };
  compare();
  for (std::size_t block = 0; block < network.blocks.size(); ++block) {
    tensor = model.block(block, tensor);
    volume = run_block(volume, network.blocks[block]);
    compare();
  }
  Volume mean = {4, 1, 1, {}};
  const int pixels = volume.rows * volume.columns;
  for (int channel = 0; channel < 4; ++channel) {
    double sum = 0;
    for (int i = 0; i < pixels; ++i)
      sum += volume.values[static_cast<std::size_t>(channel * pixels + i)];
    mean.values.push_back(sum / pixels);
  }
  tensor = model.classify(tensor);
  volume = convolved(mean, network.dense);
  compare();
}

TEST_CASE("residual: a network learns, is the same again, and is what was judged") {
  RandomWork random(base_seed());
  const ImageSet set = striped(random, 400);
  ResidualOptions options;
  options.width = 4;
  options.epochs = 4;
  options.batch = 20;
  options.crop = 0; // a moved stripe would be another one's
  double judged = 0;
  const FloatNetwork network = train_residual(options, set, [&](const ResidualProgress& progress) {
    if (progress.best)
      judged = progress.validation_accuracy;
  });
  CHECK(judged > 0.8);
  const std::vector<BlockShape> shapes = check_shapes(network, "it");
  CHECK(shapes.size() == 3);
  CHECK(shapes.back().channels == 16);
  const FloatNetwork again = train_residual(options, set, {});
  CHECK(again.blocks[2].body[1].weights == network.blocks[2].body[1].weights);
  CHECK(again.dense.bias == network.dense.bias);

  const torch::NoGradGuard no_gradients;
  const FloatModel model(network);
  const int held = validation_count(400);
  at::Tensor values = model.stem(model.images(set, 400 - held, held));
  for (std::size_t block = 0; block < 3; ++block)
    values = model.block(block, values);
  const at::Tensor classes = model.classify(values).argmax(1).contiguous();
  int right = 0;
  for (int i = 0; i < held; ++i)
    right += classes.data_ptr<std::int64_t>()[i] == set.data.labels[static_cast<std::size_t>(400 - held + i)];
  CHECK(static_cast<double>(right) / held == Approx(judged).margin(1.01 / held));
}
