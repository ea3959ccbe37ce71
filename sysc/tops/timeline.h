#pragma once
#include "base/cycle.h"
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// What happens inside a design, cycle by cycle, as people look at it.
struct Timeline {
  enum class Kind {
    in,         ///< what comes in
    work,       ///< what is computed
    other,      ///< the same by other means
    beside,     ///< by what runs at the same time
    out,        ///< what leaves
    wait_work,  ///< nothing, for results that are on their way
    wait_in,    ///< nothing, for what comes in, or its place
    wait_out,   ///< nothing, for room for what leaves
    wait_beside ///< nothing, for what runs at the same time
  };
  static constexpr std::size_t kinds = 9;
  struct Bar {
    Cycle first, last; ///< both included
    Kind kind;
    bool aside;       ///< of what comes before or behind
    std::string text; ///< all that is known of it, in lines
  };
  struct Line {
    std::string name, detail; ///< "stem", "convolution 3x3"
    std::vector<Bar> bars;
  };
  /// How much of a memory is in use.
  struct Area {
    std::string name, unit;                     ///< "maps, bank 0", "words"
    int size = 0;                               ///< all of it
    std::vector<std::pair<Cycle, int>> changes; ///< from a cycle on; the first one is the timeline's first
  };
  std::string title, note;
  std::array<std::string, kinds> legend; ///< by kind
  Cycle first = 0, last = 0;             ///< both included
  std::vector<Line> lines;
  std::vector<Area> areas;
};

} // namespace deltatwin
