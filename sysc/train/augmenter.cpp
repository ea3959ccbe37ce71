#include "train/augmenter.h"
#include <algorithm>

namespace deltatwin {

at::Tensor Augmenter::batch(const std::int64_t* chosen, std::int64_t count) {
  at::Tensor bytes = at::zeros({count, set_.planes, set_.rows, set_.columns}, at::kByte);
  auto* to = bytes.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i, to += set_.data.pixels)
    draw(set_.data.images.data() + chosen[i] * set_.data.pixels, to);
  return bytes;
}

void Augmenter::draw(const std::uint8_t* from, std::uint8_t* to) {
  const int down = offset(), right = offset();
  const bool mirrored = mirror_ && (random_() >> 32 & 1);
  for (int plane = 0; plane < set_.planes; ++plane)
    for (int row = 0; row < set_.rows; ++row) {
      if (row + down < 0 || row + down >= set_.rows)
        continue;
      const std::uint8_t* source = from + (plane * set_.rows + row + down) * set_.columns;
      std::uint8_t* target = to + (plane * set_.rows + row) * set_.columns;
      const int begin = std::max(0, -right), end = std::min(set_.columns, set_.columns - right);
      for (int column = begin; column < end; ++column)
        target[mirrored ? set_.columns - 1 - column : column] = source[column + right];
    }
}

int Augmenter::offset() {
  const auto places = static_cast<std::uint64_t>(2 * crop_ + 1);
  return static_cast<int>(random_() % places) - crop_;
}

at::Tensor smoothed_targets(const ImageSet& set, const std::int64_t* chosen, std::int64_t count, int classes,
                            double smoothing) {
  at::Tensor result = at::full({count, classes}, smoothing / classes);
  auto values = result.accessor<float, 2>();
  for (std::int64_t i = 0; i < count; ++i)
    values[i][set.data.labels[static_cast<std::size_t>(chosen[i])]] += static_cast<float>(1 - smoothing);
  return result;
}

} // namespace deltatwin
