#pragma once
#include "net/argmax.h"
#include "net/dot_kernel.h"
#include "net/network.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A dense layer as the kernel wants it. Sums wrap modulo 2^32, as the lanes' do.
struct DenseLayer {
  DenseLayer() = default;
  DenseLayer(int inputs, int outputs);
  [[nodiscard]] std::int16_t weight(int output, int input) const {
    return weights[static_cast<std::size_t>(output) * static_cast<std::size_t>(stride) +
                   static_cast<std::size_t>(input)];
  }
  [[nodiscard]] std::int16_t& weight(int output, int input) {
    return weights[static_cast<std::size_t>(output) * static_cast<std::size_t>(stride) +
                   static_cast<std::size_t>(input)];
  }

  template <class Archive> void archive(Archive& bytes) {
    bytes(inputs, outputs, stride, weights, multiplier, bias, shift, activation);
  }

  int inputs = 0, outputs = 0;
  int stride = 0;                    ///< inputs rounded up to whole vectors, the padding is 0
  std::vector<std::int16_t> weights; ///< [outputs rounded up to a register tile][stride]
  std::vector<int> multiplier, bias; ///< [outputs]
  int shift = 0;                     ///< k, the requantizer's shift less 8
  Activation activation = Activation::none;
};

/// Bit-exact integer inference with no notion of time: the functional half of the simulator, and
/// the yardstick that the benchmark measures the simulator against. Vectorized over blocks of
/// images and neurons on 16-bit operands.
class IntegerInference {
public:
  explicit IntegerInference(std::vector<DenseLayer> layers);
  explicit IntegerInference(const Network& network);

  [[nodiscard]] int inputs() const;
  [[nodiscard]] int outputs() const;

  /// Runs `count` images: `inputs` is [count * inputs()], `outputs` is [count * outputs()] (the
  /// last layer's values after its requantizer and clamp).
  void run(const std::int8_t* inputs, int count, std::int16_t* outputs);

private:
  std::vector<DenseLayer> layers_;
  DotKernel dot_;
  std::vector<std::int16_t> buffers_[2]; ///< activations of a batch
  std::vector<std::int32_t> sums_;
};

/// Share of images whose largest output is at their label.
[[nodiscard]] double accuracy(const Network& network, const std::vector<std::int8_t>& inputs,
                              const std::vector<std::uint8_t>& labels);

} // namespace deltatwin
