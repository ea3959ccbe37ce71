#include "base/trace.h"
#include <algorithm>

namespace deltatwin {
namespace {

template <class Predicate>
void drop(std::vector<std::vector<Beat>>& beats, std::size_t first, Predicate unwanted) {
  for (std::size_t i = first; i < beats.size(); ++i)
    beats[i].erase(std::remove_if(beats[i].begin(), beats[i].end(), unwanted), beats[i].end());
}

} // namespace

void BeatTrace::drop_cycles_after(Cycle cycle, std::size_t first) {
  drop(beats, first, [=](const Beat& beat) { return beat.cycle > cycle; });
}

BeatTrace BeatTrace::split_off(Cycle cycle) {
  BeatTrace rest(beats.size());
  rest.resets = resets;
  for (std::size_t i = 0; i < beats.size(); ++i) {
    const auto first = std::stable_partition(beats[i].begin(), beats[i].end(),
                                             [=](const Beat& beat) { return beat.cycle < cycle; });
    rest.beats[i].assign(first, beats[i].end());
    beats[i].erase(first, beats[i].end());
  }
  return rest;
}

void BeatTrace::reset_after(Cycle cycle, std::size_t first) {
  drop_cycles_after(cycle, first);
  resets.push_back(cycle);
}

void BeatTrace::drop_origins_after(Cycle cycle, std::size_t first) {
  drop(beats, first, [=](const Beat& beat) { return beat.origin > cycle; });
}

} // namespace deltatwin
