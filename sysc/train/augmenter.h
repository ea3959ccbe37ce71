#pragma once
#include "net/image_set.h"
#include <cstdint>
#include <random>
#include <torch/torch.h>

namespace deltatwin {

/// Images of a batch, moved and mirrored; what comes in from outside is black.
class Augmenter {
public:
  /// Moved by up to `crop` pixels in each direction; with `mirror`, half of them are mirrored.
  Augmenter(const ImageSet& set, int crop, bool mirror, std::uint64_t seed)
      : set_(set), crop_(crop), mirror_(mirror), random_(seed) {}

  /// The images of these indices, as bytes [count][planes][rows][columns].
  [[nodiscard]] at::Tensor batch(const std::int64_t* chosen, std::int64_t count);

private:
  void draw(const std::uint8_t* from, std::uint8_t* to);
  int offset();

  const ImageSet& set_;
  int crop_;
  bool mirror_;
  std::mt19937_64 random_;
};

/// [count][classes]: labels, of which a share is spread over all classes.
[[nodiscard]] at::Tensor smoothed_targets(const ImageSet& set, const std::int64_t* chosen, std::int64_t count,
                                          int classes, double smoothing);

} // namespace deltatwin
