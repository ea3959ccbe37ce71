#include "blocks/huffman_builder.h"
#include <algorithm>

namespace deltatwin {

BuiltLengths build_lengths(const std::vector<std::uint64_t>& counts, int limit) {
  const auto used =
      static_cast<std::ptrdiff_t>(counts.size()) - std::count(counts.begin(), counts.end(), std::uint64_t{0});
  if (used == 0 || used > std::ptrdiff_t{1} << limit)
    return {std::vector<int>(counts.size()), true};
  return {huffman_lengths(counts, limit), false};
}

} // namespace deltatwin
