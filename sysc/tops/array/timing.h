#pragma once
#include "tops/array/program.h"
#include <vector>

namespace deltatwin {

/// When images come and go that are offered without a pause, and whose results are taken at once.
struct ArrayRun {
  struct Image {
    Cycle first, last; ///< the beat of its first value, and of its last result
  };
  /// Idle cycles before a step: for results, the image, the output, and the other engine's steps.
  struct Step {
    Cycle idle_wait = 0, idle_rows = 0, idle_room = 0, idle_other = 0;
    Cycle idle_sweeps = 0; ///< inside of it: for weights, drains of tiles before, and behind tiles of zeros
  };
  std::vector<Image> images;
  std::vector<Step> steps, stage_steps; ///< of the last image

  /// Cycles with an image inside, as register CYCLES tells.
  [[nodiscard]] Cycle cycles() const;
  /// From an image's first value to its last result, both included, with nothing before it.
  [[nodiscard]] Cycle latency() const { return images.front().last - images.front().first + 1; }
  /// From an image to the next, on average over the latter half.
  [[nodiscard]] double period() const;
};

/// The same, event by event, of all images.
struct ArrayEvents {
  struct Row { ///< of the image: its first value's beat, its last value's or padding's cycle
    Cycle first, last;
  };
  struct Step {
    Cycle begin;
    ArrayRun::Step idle; ///< before it
  };
  struct Entry { ///< of the output queue: the beats of its values
    Cycle first, last;
  };
  std::vector<Row> rows;
  std::vector<Step> steps, stage_steps;
  std::vector<Entry> entries;
};

/// The first value comes two cycles after the start, which is cycle 0, as hosts do. `events`: may be null.
[[nodiscard]] ArrayRun array_run(const ArrayConfig& config, const ArrayProgram& program, int images,
                                 ArrayEvents* events = nullptr);

} // namespace deltatwin
