#include "app/float_stages.h"

namespace deltatwin {
namespace {

/// One thread for each that calls, and no gradients.
struct Calm {
  Calm() {
    static thread_local const bool set = (at::set_num_threads(1), true);
    static_cast<void>(set);
  }
  torch::NoGradGuard no_gradients;
};

at::Tensor to_tensor(const Activations& values) {
  return at::from_blob(const_cast<float*>(values.values.data()),
                       {values.images, values.shape.channels, values.shape.rows, values.shape.columns},
                       at::kFloat);
}

Activations to_activations(const at::Tensor& values) {
  const at::Tensor plain = values.contiguous();
  Activations result;
  result.images = static_cast<int>(plain.size(0));
  result.shape = {static_cast<int>(plain.size(1)), static_cast<int>(plain.size(2)),
                  static_cast<int>(plain.size(3))};
  result.values.assign(plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel());
  return result;
}

} // namespace

FloatStages::FloatStages(const FloatNetwork& network)
    : model_(network), shapes_(check_shapes(network, network.name)) {}

Activations FloatStages::begin(const ImageSet& set, int first, int count) const {
  const Calm calm;
  return to_activations(model_.stem(model_.images(set, first, count)));
}

Activations FloatStages::block(std::size_t number, const Activations& input) const {
  const Calm calm;
  return to_activations(model_.block(number, to_tensor(input)));
}

std::vector<int> FloatStages::classify(const Activations& values) const {
  const Calm calm;
  const at::Tensor best = model_.classify(to_tensor(values)).argmax(1).contiguous();
  return {best.data_ptr<std::int64_t>(), best.data_ptr<std::int64_t>() + best.numel()};
}

} // namespace deltatwin
