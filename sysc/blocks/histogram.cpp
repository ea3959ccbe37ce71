#include "blocks/histogram.h"
#include <algorithm>
#include <utility>

namespace deltatwin {

Cycle HistogramCore::beat(Cycle offered) const { return within_ ? offered : std::max(offered, free_[0]); }

void HistogramCore::take(int symbol, bool last, Cycle beat) {
  if (!within_)
    counts_.fill(0);
  ++counts_[static_cast<std::size_t>(symbol)];
  within_ = !last;
  if (!last)
    return;
  last_symbol_ = beat;
  free_[0] = std::exchange(free_[1], never);
}

Cycle HistogramCore::offered() const { return std::max(last_symbol_ + 1, given_); }

Resources histogram_resources(const HistogramConfig& config) {
  // Fitted: the multiplexers of what was seen, and the counts that are 0 or one more.
  constexpr double shared = 62, per_row = 4.5, per_count_bit = 2;
  const int bits = address_bits(config.symbols), rows = 2 << bits;
  const int counts = rows <= 32 ? 4 * ceil_div(config.count_bits, 4) : 2 * config.count_bits; // two ports
  const int logic = static_cast<int>(shared + per_row * rows + per_count_bit * config.count_bits);
  return {counts + logic, rows + 4 + bits, 0, 0, 0, counts};
}

void HistogramCore::given(Cycle last_count) {
  given_ = last_count + 1;
  free_[free_[0] == never ? 0 : 1] = given_;
}

} // namespace deltatwin
