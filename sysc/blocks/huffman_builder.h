#pragma once
#include "base/cycle.h"
#include "base/huffman.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The Huffman builder's pure functions: optimal code lengths of at most `limit` bits from a
/// histogram of N symbols (package-merge: Larmore and Hirschberg, J. ACM 37, 1990), in a time that
/// does not depend on the counts: rank the symbols, merge level by level, walk back.
struct BuilderTiming {
  int symbols; ///< N, 2..32
  int limit;   ///< 1..8

  [[nodiscard]] constexpr Cycle rank() const {
    return static_cast<Cycle>(symbols) * static_cast<Cycle>(symbols);
  }
  [[nodiscard]] constexpr Cycle merge() const {
    return static_cast<Cycle>(limit - 1) * static_cast<Cycle>(2 * symbols - 2);
  }
  /// From the last count's beat to the cycle in which error_o may be high.
  [[nodiscard]] constexpr Cycle error() const { return rank() + merge() + static_cast<Cycle>(limit); }
  /// From the last count's beat to the first length's offer; the others follow one a cycle.
  [[nodiscard]] constexpr Cycle lengths() const { return error() + 1; }
};

struct BuiltLengths {
  std::vector<int> lengths; ///< one a symbol; all 0 with an error
  bool error = false;       ///< no symbol occurs, or more than 2^limit do
};

/// What the builder makes of a histogram: huffman_lengths(), with an error instead of an exception.
[[nodiscard]] BuiltLengths build_lengths(const std::vector<std::uint64_t>& counts, int limit);

} // namespace deltatwin
