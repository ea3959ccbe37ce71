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

void HistogramCore::given(Cycle last_count) {
  given_ = last_count + 1;
  free_[free_[0] == never ? 0 : 1] = given_;
}

} // namespace deltatwin
