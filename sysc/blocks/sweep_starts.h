#pragma once
#include "blocks/array_scheduler.h"
#include "blocks/huffman_tiles.h"
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace deltatwin {

/// What a step of sweeps takes from one to the next.
struct SweepTiming {
  HuffmanTilesConfig tiles;
  int drained = 11; ///< from a last sweep's begin to its first pixel's tag
  int beats = 2;    ///< B, in which a pixel's results leave
  int written = 0;  ///< W, from a pixel's tag to its results

  static constexpr Cycle copied = 3;      ///< from a sweep's begin to the copy of its tile of weights
  static constexpr int shortest = 4;      ///< cycles of a sweep
  static constexpr int between_loads = 5; ///< from a load's last take to the next one's first
  static constexpr Cycle words_there = 5; ///< from a step's begin to the next one's words
  static constexpr Cycle next_step = 6;   ///< from a step's begin to the next one's at the earliest
  static constexpr Cycle first_step = 7;  ///< from a start, with its books
  static constexpr Cycle each_book = 9;   ///< more than two cycles a symbol, to build a book
  static constexpr Cycle faulty_book = 9; ///< more than a cycle a symbol, from its begin to the fault

  /// `seen`: E, of the array that sums; outputs: P, whose parameters are loaded one a cycle.
  [[nodiscard]] static int drained_behind(int seen, int outputs, int beats) {
    return std::max(seen + 2, outputs - beats + 1);
  }
  [[nodiscard]] static int sweep_cycles(int pixels) { return std::max(pixels, shortest); }
  /// Of sweeps as short as their weights' loads, from one to the next; of tiles as short as their drains.
  [[nodiscard]] int load_cycles() const { return tiles.takes() + between_loads; }
  [[nodiscard]] int drain_cycles(int pixels) const { return pixels * beats + drained; }
  /// Builds of all books; of the one with this number, if it is faulty, the cycle with the fault.
  [[nodiscard]] Cycle books() const { return static_cast<Cycle>(tiles.books) * book(); }
  [[nodiscard]] Cycle fault_of(int number) const {
    return static_cast<Cycle>(number) * book() + symbols() + faulty_book;
  }

private:
  [[nodiscard]] Cycle symbols() const { return Cycle{1} << tiles.symbol_bits(); }
  [[nodiscard]] Cycle book() const { return 2 * symbols() + each_book; }
};

/// Of a mark, which each tile of weights has where those of zeros are left out.
inline constexpr std::uint8_t mark_zero = 1, mark_last = 2; ///< it is not swept; its output tile's last one

/// A sweep of a step, of those that happen.
struct Sweep {
  int tile = 0, k = 0;                            ///< of outputs; of its walk
  int load = 0;                                   ///< the number of its weights in their stream
  int zeros = 0;                                  ///< tiles of weights that are left out right before it
  bool loads = true, first = false, last = false; ///< its weights are new; of its tile of outputs
};

/// Of a step of the layer, in their order. `marks`: of its tiles of weights, in the order of the walk; none:
/// all are swept. There are no sweeps where not each tile of outputs has one that is marked as its last one,
/// and is it.
[[nodiscard]] std::vector<Sweep> layer_sweeps(const ArrayLayer& layer,
                                              const std::vector<std::uint8_t>& marks);

/// When steps, their sweeps and their drains begin, step by step:
///
///     SweepStarts starts(timing);
///     starts.start(cycle);
///     starts.stream(layer);                     // of the next step, unless that is refused
///     Cycle begin = starts.next(step, there, room);
///     starts.begin(layer_sweeps(layer, marks), pixels, begin); // sweeps(), tags()
class SweepStarts {
public:
  explicit SweepStarts(const SweepTiming& timing) : timing_(timing), tiles_(timing.tiles) {}
  void start(Cycle cycle) {
    *this = SweepStarts(timing_);
    free_ = cycle + SweepTiming::first_step + timing_.books();
    words_ = free_ - 1;
    tiles_.reset(cycle);
  }
  /// The stream of the next step's weights begins: gives when, and when its first tile is taken; `never`:
  /// they wait for tiles that nobody takes.
  struct Stream {
    Cycle begin, first_take;
  };
  Stream stream(const ArrayLayer& layer);
  [[nodiscard]] Cycle next(const ArrayStep& step, Cycle there, Cycle room) const {
    if (there == never || room == never)
      return never;
    return std::max(
        {free_, step.wait && last_tag_ ? last_tag_ + static_cast<Cycle>(timing_.written) : 0, there, room});
  }
  [[nodiscard]] Cycle refused() const { return free_; }
  /// Of so many pixels. False: a sweep waits for weights that never come, or the step for its last sweep.
  bool begin(const std::vector<Sweep>& sweeps, int pixels, Cycle cycle);

  /// Of the latest step: the begin of each sweep; of each tile's first pixel the tag, the next
  /// ones follow every B cycles; of each load after the first one the first take.
  [[nodiscard]] const std::vector<Cycle>& sweeps() const { return sweeps_; }
  [[nodiscard]] const std::vector<Cycle>& tags() const { return tags_; }
  [[nodiscard]] const std::vector<Cycle>& takes() const { return takes_; }
  /// The cycle with which it ends, and its last write.
  [[nodiscard]] Cycle last() const { return last_; }
  [[nodiscard]] Cycle done() const { return last_tag_ + static_cast<Cycle>(timing_.written); }
  template <class Archive> void archive(Archive& bytes) {
    bytes(tiles_, free_, words_, last_, last_tag_, drained_);
  }

private:
  SweepTiming timing_;
  TileTimes tiles_;
  Cycle free_ = 0, words_ = 0; ///< of other steps; the next step's words are there
  Cycle last_ = 0, last_tag_ = 0;
  Cycle drained_ = 0; ///< behind the latest drain
  std::vector<Cycle> sweeps_, tags_, takes_;
};

} // namespace deltatwin
