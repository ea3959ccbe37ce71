#pragma once
#include "net/float_network.h"
#include "net/image_set.h"
#include <torch/torch.h>
#include <vector>

namespace deltatwin {

/// A float network that runs, stage by stage; all tensors are [images][channels][rows][columns]. Several
/// threads may use one at the same time.
class FloatModel {
public:
  explicit FloatModel(const FloatNetwork& network);

  /// Images of a set as the network takes them.
  [[nodiscard]] at::Tensor images(const ImageSet& set, int begin, int count) const;
  [[nodiscard]] at::Tensor stem(const at::Tensor& images) const;
  [[nodiscard]] at::Tensor block(std::size_t number, const at::Tensor& input) const;
  /// Logits, [images][classes], from the last block's output.
  [[nodiscard]] at::Tensor classify(const at::Tensor& values) const;

private:
  struct Convolution {
    explicit Convolution(const FloatConvolution& layer);
    [[nodiscard]] at::Tensor run(const at::Tensor& input) const;
    at::Tensor weights, bias;
    int stride, padding;
  };
  struct Block {
    std::vector<Convolution> body;
    std::vector<Convolution> projection; ///< one or none
    Shortcut shortcut;
    int stride, outputs;
  };
  at::Tensor mean_, factor_; ///< [1][planes][1][1]
  Convolution stem_, dense_;
  std::vector<Block> blocks_;
};

/// Planes that are bytes, [count][planes][rows][columns], as a network of this mean and deviation takes them.
[[nodiscard]] at::Tensor normalized(const at::Tensor& bytes, const std::vector<float>& mean,
                                    const std::vector<float>& deviation);
/// The input at every stride-th row and column, with channels of 0 half before and half behind.
[[nodiscard]] at::Tensor padded_shortcut(const at::Tensor& input, int stride, std::int64_t outputs);

} // namespace deltatwin
