#include "blocks/sweep_starts.h"

namespace deltatwin {

std::vector<Sweep> layer_sweeps(const ArrayLayer& layer, const std::vector<std::uint8_t>& marks) {
  std::vector<Sweep> sweeps;
  const int steps = layer.pass_steps();
  int loads = 0, zeros = 0;
  for (int tile = 0; tile < layer.tiles; ++tile) {
    bool first = true, over = false;
    for (int k = 0; k < steps; ++k) {
      const auto at = static_cast<std::size_t>(tile * steps + k);
      if (!marks.empty() && marks[at] & mark_zero) {
        ++zeros;
        continue;
      }
      if (over)
        return {};
      const bool takes = first || !layer.still;
      loads += takes;
      over = marks.empty() ? k + 1 == steps : (marks[at] & mark_last) != 0;
      sweeps.push_back({tile, k, loads - 1, zeros, takes, first, over});
      zeros = 0;
      first = false;
    }
    if (!over)
      return {};
  }
  return sweeps;
}

SweepStarts::Stream SweepStarts::stream(const ArrayLayer& layer) {
  const Cycle ready = tiles_.ready();
  if (ready == never)
    return {never, never};
  const Cycle begin = std::max(words_, ready);
  tiles_.begin(begin, layer.loads);
  return {begin, tiles_.first_take()};
}

bool SweepStarts::begin(const std::vector<Sweep>& sweeps, int pixels, Cycle cycle) {
  if (sweeps.empty())
    return false;
  const auto length = static_cast<Cycle>(SweepTiming::sweep_cycles(pixels));
  sweeps_.clear();
  tags_.clear();
  takes_.clear();
  Cycle free = cycle, looked_at = cycle; // a tile of weights a cycle is looked at
  for (const Sweep& sweep : sweeps) {
    Cycle begin = std::max(free, looked_at + static_cast<Cycle>(sweep.zeros));
    if (sweep.loads && tiles_.full() == never)
      return false;
    if (sweep.loads)
      begin = std::max(begin, tiles_.full());
    if (sweep.last)
      begin = std::max(begin, drained_);
    if (sweep.loads) {
      tiles_.copy(begin + SweepTiming::copied);
      if (tiles_.first_take() != never)
        takes_.push_back(tiles_.first_take());
    }
    sweeps_.push_back(begin);
    if (sweep.last) {
      tags_.push_back(std::max(drained_, begin + static_cast<Cycle>(timing_.drained)));
      drained_ = tags_.back() + static_cast<Cycle>(pixels * timing_.beats);
      last_tag_ = drained_ - static_cast<Cycle>(timing_.beats);
    }
    free = begin + length;
    looked_at = begin + 1;
  }
  last_ = free - 1;
  free_ = std::max(free, cycle + SweepTiming::next_step);
  words_ = cycle + SweepTiming::words_there;
  return true;
}

} // namespace deltatwin
