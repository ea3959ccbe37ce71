#pragma once
#include <torch/torch.h>
#include <vector>

namespace deltatwin {

/// Adam with decoupled weight decay, a linear warm-up over the first steps and a cosine to 0. One
/// pass over a tensor a step, where torch::optim::AdamW takes ten.
class Optimizer {
public:
  Optimizer(double learning_rate, int steps);

  /// Registers parameters; `weight_decay` a step is learning rate * weight_decay * value.
  void add(const std::vector<at::Tensor>& parameters, double weight_decay);
  /// Sets all gradients to 0.
  void clear_gradients();
  /// Moves all parameters by their gradients; the learning rate it used.
  double step();

  /// What it remembers beside the parameters: two running means of each, in the order of add(), and how many
  /// steps are done.
  [[nodiscard]] std::vector<std::vector<float>*> moments();
  [[nodiscard]] int& done() { return done_; }

private:
  struct Moments {
    at::Tensor values;
    float weight_decay;
    std::vector<float> first, second; ///< running means of the gradient and of its square
  };
  double learning_rate_;
  int steps_, warm_up_, done_ = 0;
  std::vector<Moments> parameters_;
};

} // namespace deltatwin
