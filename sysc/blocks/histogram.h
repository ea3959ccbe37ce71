#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <array>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `histogram`.
struct HistogramConfig {
  int symbols = 8;     ///< 2..32
  int count_bits = 13; ///< 1..32
};

/// Counts of blocks of symbols, one symbol per cycle, in two banks: while one block is counted, the
/// counts of the block before are given out, in order of symbols.
class HistogramCore {
public:
  explicit HistogramCore(int symbols) : symbols_(symbols) {}

  /// The beat of the next symbol, which is offered from cycle `offered` on: a block's first one waits
  /// until the counts of the block two before are given; `never` while those are to come.
  [[nodiscard]] Cycle beat(Cycle offered) const;
  /// Counts a symbol; at a block's last one the counts are whole.
  void take(int symbol, bool last, Cycle beat);

  /// After a block's last symbol and until the next block's first one: its counts, and the first
  /// cycle in which the first of them is offered, the counts of the block before having been given.
  [[nodiscard]] std::vector<std::uint64_t> counts() const {
    return {counts_.begin(), counts_.begin() + symbols_};
  }
  [[nodiscard]] Cycle offered() const;
  /// The beat of the last count of the oldest block whose counts were to be given.
  void given(Cycle last_count);

private:
  int symbols_;
  std::array<std::uint64_t, 32> counts_{};
  bool within_ = false;    ///< a block
  Cycle last_symbol_ = 0;  ///< of the latest block
  Cycle free_[2] = {0, 0}; ///< from when a bank counts: that of the next block, and the other one
  Cycle given_ = 0;        ///< the cycle after the latest count
};

/// What the histogram takes.
[[nodiscard]] Resources histogram_resources(const HistogramConfig& config);

} // namespace deltatwin
