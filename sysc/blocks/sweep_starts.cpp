#include "blocks/sweep_starts.h"

namespace deltatwin {

SweepStarts::Stream SweepStarts::stream(const ArrayLayer& layer) {
  const Cycle ready = tiles_.ready();
  if (ready == never)
    return {never, never};
  const Cycle begin = std::max(words_, ready);
  tiles_.begin(begin, layer.loads);
  return {begin, tiles_.first_take()};
}

bool SweepStarts::begin(const ArrayLayer& layer, const ArrayStep& step, Cycle cycle) {
  const int pixels = layer.columns * step.rows, steps = layer.pass_steps();
  const auto length = static_cast<Cycle>(SweepTiming::sweep_cycles(pixels));
  sweeps_.clear();
  tags_.clear();
  takes_.clear();
  Cycle free = cycle;
  for (int tile = 0; tile < layer.tiles; ++tile)
    for (int k = 0; k < steps; ++k) {
      const bool loads = k == 0 || !layer.still, last = k + 1 == steps;
      Cycle begin = free;
      if (loads && tiles_.full() == never)
        return false;
      if (loads)
        begin = std::max(begin, tiles_.full());
      if (last)
        begin = std::max(begin, drained_);
      if (loads) {
        tiles_.copy(begin + SweepTiming::copied);
        if (tiles_.first_take() != never)
          takes_.push_back(tiles_.first_take());
      }
      sweeps_.push_back(begin);
      if (last) {
        tags_.push_back(std::max(drained_, begin + static_cast<Cycle>(timing_.drained)));
        drained_ = tags_.back() + static_cast<Cycle>(pixels * timing_.beats);
        last_tag_ = drained_ - static_cast<Cycle>(timing_.beats);
      }
      free = begin + length;
    }
  last_ = free - 1;
  free_ = std::max(free, cycle + SweepTiming::next_step);
  words_ = cycle + SweepTiming::words_there;
  return true;
}

} // namespace deltatwin
