#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace deltatwin {

/// The index of the largest of `count` values, the first one on a tie.
template <class Value> [[nodiscard]] int argmax(const Value* values, std::size_t count) {
  return static_cast<int>(std::max_element(values, values + count) - values);
}

/// Of rows of `width` values, of how many the largest one is at their label.
template <class Value, class Label>
[[nodiscard]] int count_right(const std::vector<Value>& rows, std::size_t width,
                              const std::vector<Label>& labels) {
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += argmax(rows.data() + i * width, width) == static_cast<int>(labels[i]);
  return right;
}

} // namespace deltatwin
