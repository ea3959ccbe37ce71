#include "train/float_model.h"

namespace deltatwin {
namespace {

using namespace torch::indexing;

at::Tensor copied(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

at::Tensor by_plane(const std::vector<float>& values) {
  return copied(values, {1, static_cast<std::int64_t>(values.size()), 1, 1});
}

} // namespace

at::Tensor normalized(const at::Tensor& bytes, const std::vector<float>& mean,
                      const std::vector<float>& deviation) {
  return bytes.to(at::kFloat).div_(255).sub_(by_plane(mean)).div_(by_plane(deviation));
}

at::Tensor padded_shortcut(const at::Tensor& input, int stride, std::int64_t outputs) {
  const at::Tensor some =
      stride == 1 ? input
                  : input.index({Slice(), Slice(), Slice(None, None, stride), Slice(None, None, stride)});
  const std::int64_t more = outputs - input.size(1), before = more / 2;
  return more > 0 ? at::constant_pad_nd(some, {0, 0, 0, 0, before, more - before}) : some;
}

FloatModel::Convolution::Convolution(const FloatConvolution& layer)
    : weights(copied(layer.weights, {layer.outputs, layer.inputs, layer.kernel, layer.kernel})),
      bias(copied(layer.bias, {layer.outputs})), stride(layer.stride), padding(layer.padding) {}

at::Tensor FloatModel::Convolution::run(const at::Tensor& input) const {
  return at::conv2d(input, weights, bias, stride, padding);
}

FloatModel::FloatModel(const FloatNetwork& network)
    : mean_(by_plane(network.mean)), factor_(by_plane(network.deviation)), stem_(network.stem),
      dense_(network.dense) {
  for (const FloatBlock& each : network.blocks) {
    Block block = {{}, {}, each.shortcut, each.stride(), each.outputs()};
    for (const FloatConvolution& layer : each.body)
      block.body.emplace_back(layer);
    if (each.projection)
      block.projection.emplace_back(*each.projection);
    blocks_.push_back(std::move(block));
  }
}

at::Tensor FloatModel::images(const ImageSet& set, int begin, int count) const {
  const auto* first = set.data.images.data() + static_cast<std::ptrdiff_t>(begin) * set.data.pixels;
  const at::Tensor bytes =
      at::from_blob(const_cast<std::uint8_t*>(first), {count, set.planes, set.rows, set.columns}, at::kByte);
  return bytes.to(at::kFloat).div_(255).sub_(mean_).div_(factor_);
}

at::Tensor FloatModel::stem(const at::Tensor& images) const { return stem_.run(images).relu_(); }

at::Tensor FloatModel::block(std::size_t number, const at::Tensor& input) const {
  const Block& block = blocks_[number];
  at::Tensor values = input;
  for (const Convolution& layer : block.body) {
    values = layer.run(values);
    if (&layer != &block.body.back())
      values.relu_();
  }
  if (block.shortcut == Shortcut::projection)
    values.add_(block.projection.front().run(input));
  else if (block.shortcut == Shortcut::padded)
    values.add_(padded_shortcut(input, block.stride, block.outputs));
  else
    values.add_(input);
  return values.relu_();
}

at::Tensor FloatModel::classify(const at::Tensor& values) const {
  return dense_.run(values.mean({2, 3}, true)).flatten(1);
}

} // namespace deltatwin
