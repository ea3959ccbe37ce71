#include "train/optimizer.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int longest_warm_up = 500; ///< steps; a tenth of a short training
constexpr double first_decay = 0.9, second_decay = 0.999;

struct Rates {
  float step;      ///< learning rate over the first moment's bias
  float root_bias; ///< inverse square root of the second moment's bias
  float keep;      ///< what weight decay leaves
};

void update(const Rates& rates, std::size_t count, float* __restrict values, const float* __restrict gradient,
            float* __restrict first, float* __restrict second) {
  constexpr float b1 = static_cast<float>(first_decay), b2 = static_cast<float>(second_decay);
  const Rates r = rates;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    first[i] = b1 * first[i] + (1 - b1) * g;
    second[i] = b2 * second[i] + (1 - b2) * g * g;
    values[i] = values[i] * r.keep - r.step * first[i] / (__builtin_sqrtf(second[i]) * r.root_bias + 1e-8f);
  }
}

} // namespace

Optimizer::Optimizer(double learning_rate, int steps)
    : learning_rate_(learning_rate), steps_(steps), warm_up_(std::min(longest_warm_up, steps / 10 + 1)) {}

void Optimizer::add(const std::vector<at::Tensor>& parameters, double weight_decay) {
  for (const at::Tensor& values : parameters) {
    const std::vector<float> zeros(static_cast<std::size_t>(values.numel()));
    parameters_.push_back({values, static_cast<float>(weight_decay), zeros, zeros});
  }
}

void Optimizer::clear_gradients() {
  for (const Moments& parameter : parameters_)
    parameter.values.mutable_grad().reset();
}

double Optimizer::step() {
  const double cosine = (1 + std::cos(std::acos(-1.0) * done_ / steps_)) / 2;
  ++done_;
  const double rate = learning_rate_ * std::min(1.0, static_cast<double>(done_) / warm_up_) * cosine;
  for (Moments& parameter : parameters_) {
    const Rates rates = {static_cast<float>(rate / (1 - std::pow(first_decay, done_))),
                         static_cast<float>(1 / std::sqrt(1 - std::pow(second_decay, done_))),
                         static_cast<float>(1 - rate * static_cast<double>(parameter.weight_decay))};
    const at::Tensor gradient = parameter.values.grad().contiguous();
    update(rates, parameter.first.size(), parameter.values.data_ptr<float>(), gradient.data_ptr<float>(),
           parameter.first.data(), parameter.second.data());
  }
  return rate;
}

std::vector<std::vector<float>*> Optimizer::moments() {
  std::vector<std::vector<float>*> all;
  for (Moments& parameter : parameters_)
    all.insert(all.end(), {&parameter.first, &parameter.second});
  return all;
}

} // namespace deltatwin
