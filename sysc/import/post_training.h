#pragma once
#include "net/float_network.h"
#include "net/graph.h"
#include "net/image_set.h"
#include <array>
#include <vector>

namespace deltatwin {

/// A float network run in plain loops, and what its tensors hold.
class PostTraining {
public:
  explicit PostTraining(const FloatNetwork& network);

  /// Runs an image (planes of 0..255), and widens the ranges by what comes.
  void calibrate(const std::uint8_t* image);
  /// The outputs of the dense layer.
  [[nodiscard]] std::vector<float> run(const std::uint8_t* image) const;
  /// The network in int8: activations from the lowest to the highest value that calibration saw, 0 among
  /// them, in 256 steps; weights of each output channel symmetric in 255; biases in 32 bits; ties to even.
  /// Its input is [rows, columns, planes], pixel - 128. A bias beyond 30 bits makes its channel's weights
  /// coarser.
  [[nodiscard]] Graph quantized() const;

private:
  struct Map {
    int channels = 0, rows = 0, columns = 0;
    std::vector<float> values; ///< [channels][rows][columns]
  };
  struct Range {
    float low = 0, high = 0;
  };
  // Calls see(tensor's number, values) for each tensor, in the order of `quantized`.
  template <class See> std::vector<float> run(const std::uint8_t* image, See see) const;
  [[nodiscard]] static Map convolve(const Map& input, const FloatConvolution& layer);

  FloatNetwork network_; ///< its padded shortcuts are projections
  std::vector<Range> ranges_;
};

/// `image` of a set as the integer network takes it: rows, columns, planes, pixel - 128.
[[nodiscard]] std::vector<std::int8_t> network_input(const ImageSet& set, int image);

} // namespace deltatwin
