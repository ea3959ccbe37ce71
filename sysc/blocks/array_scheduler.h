#pragma once
#include "base/cycle.h"
#include "blocks/fields.h"
#include "blocks/record.h"
#include <algorithm>
#include <array>
#include <cstdint>

namespace deltatwin {

inline constexpr int array_layer_words = 15, array_step_words = 5; ///< of 32 bits
inline constexpr int array_precision_word = 12; ///< of a layer: what designs with planes have
inline constexpr int array_sweep_word = 13;     ///< this one and the next: what designs with sweeps have

/// How the array walks over a layer and what becomes of its sums; rtl/array_scheduler.sv has the contract.
struct ArrayLayer {
  int max_pool = 0, group_mode = 0, depthwise = 0, from_input = 0;
  int to_map = 0, to_skip = 0, to_output = 0, add = 0;
  int from_stage = 0, to_stage = 0;       ///< reads what the depthwise stage makes; it reads the results
  int shared = 0;                         ///< every tile has the first one's weights
  int wide = 0;                           ///< a tile is of as many adjacent columns as the design has pixels
  int padding = 0;                        ///< what is read outside of the map
  int row_groups = 1, kernel_columns = 1; ///< of T kernel rows each
  int map_columns = 1, map_rows = 1;      ///< of the map read
  int first_column = 0,
      column_stride = 1;      ///< of the first window; from one to the next, of wide ones the pixels
  int group_steps = 1;        ///< in the k loop
  int pause = 0;              ///< cycles without a window before a tile's
  int pitch = 1, groups = 1;  ///< words a slot; words a column
  int base = 0, end = 1;      ///< of the ring of slots
  int columns = 1, tiles = 1; ///< of a row of results; of wide ones a column is of all pixels
  int last_outputs = 1, kernel_rows = 1; ///< outputs of the last tile, 0 of 64; rows that count
  int weight_base = 0, param_base = 0;
  int result_groups = 1; ///< words a column of the result
  int entries = 1;       ///< columns * tiles
  int zero = 0, low = 0, high = 0, rule = 0;
  int add_zero = 0, add_low = 0, add_high = 0, add_rule = 0, add_shift = 0, add_multiplier = 0;
  int page = 0;
  int stride_words = 1, first_words = 0; ///< column_stride and first_column in words of a column bank
  int read_code = 0, write_code = 0;     ///< of the map read; of the results
  int passes = 1;                        ///< N: over a tile's windows, each with other planes of weights
  int reference_shift = 0;               ///< s
  int counts = 0;                        ///< results count thresholds, where the design has any
  int sum_bytes = 0;                     ///< results are bytes of sums, where the design has such
  int direct = 0;                        ///< sums are what a map is added to, where the design can
  int planes = 0;                        ///< sums are those of planes, where the design has bytes, too
  int block_rows = 1, block_pixels = 0;  ///< of a step at most; of a whole block
  int book = 0;                          ///< of the codes of its weights
  int still = 0;                         ///< a tile's weights are the same in all its sweeps
  int marks = 0, loads = 0;              ///< its first mark; tiles of weights of its stream

  /// k-steps of a tile: of a pass, and in all.
  [[nodiscard]] int pass_steps() const { return row_groups * kernel_columns * group_steps; }
  [[nodiscard]] int steps() const { return passes * pass_steps(); }
  /// Cycles of a tile.
  [[nodiscard]] int tile_cycles() const { return steps() + pause; }
  /// Tiles of a row of results.
  [[nodiscard]] int row_tiles() const { return columns * tiles; }
  /// Values of an entry of the output queue.
  [[nodiscard]] int outputs_of_last() const { return last_outputs ? last_outputs : 64; }
  /// In a design of so many pixels: those that a tile's results are of; columns of results, those beyond the
  /// map included.
  [[nodiscard]] int tile_pixels(int pixels) const { return wide ? pixels : 1; }
  [[nodiscard]] int result_columns(int pixels) const { return columns * tile_pixels(pixels); }
  /// Without what the stage ignores; without what sweeps do.
  [[nodiscard]] ArrayLayer of_stage() const;
  [[nodiscard]] ArrayLayer of_sweeps() const;

  using Words = std::array<std::uint32_t, array_layer_words>;
  /// Throws InputError that names the field, what it is and what is possible.
  [[nodiscard]] Words pack() const;
  [[nodiscard]] static ArrayLayer unpack(const Words& words);

private:
  template <class Self, class Visit> static void fields(Self& self, Visit visit);
};

/// A row of results of a layer; with sweeps a block of rows.
struct ArrayStep {
  int layer = 0;
  int rows = 1;
  int wait = 0;                      ///< until all results are written
  int bank = 0;                      ///< of the first row read: y0 mod T
  int result_bank = 0;               ///< of the row written
  int first_row = 0;                 ///< y0
  int need = 0;                      ///< rows of the image that must be there
  int slot = 0;                      ///< address of that of the first row
  int result_slot = 0;               ///< address
  int skip_read = 0, skip_write = 0; ///< addresses
  int frees = 0;                     ///< rows of the image that are free behind it
  int other_need = 0;                ///< steps of this image that the other engine must have done

  using Words = std::array<std::uint32_t, array_step_words>;
  [[nodiscard]] Words pack() const;
  [[nodiscard]] static ArrayStep unpack(const Words& words);

private:
  template <class Self, class Visit> static void fields(Self& self, Visit visit);
};

/// A beat of the walk through a step: a window. Lane j reads row row + j at one group, or in group mode group
/// + j of one row. All is of pixel 0; pixel m is m columns further.
struct ArrayWindow {
  int row = 0, column = 0, group = 0;
  int bank = 0;                         ///< of lane 0
  int column_bank = 0;                  ///< column c of a map lies in column bank c mod M
  std::uint16_t before = 0, behind = 0; ///< addresses of lanes below `turn`, and of the others
  int turn = 0;                         ///< in group mode lanes add their number to `before`
};

/// Step by step, windows of k-step `k` (passes, row groups, kernel columns, group steps) of a tile.
class ArrayWalk {
public:
  /// Of a design with `banks` banks, `channels` bytes a word, `outputs` a tile, `pixels` column banks.
  ArrayWalk(const ArrayLayer& layer, const ArrayStep& step, int banks, int channels, int outputs, int pixels)
      : layer_(layer), step_(step), banks_(banks), channels_(channels), outputs_(outputs), pixels_(pixels) {}

  /// Columns of further rows of a block follow those of the first one.
  [[nodiscard]] ArrayWindow window(int x, int tile, int k) const;
  /// Of a lane, and a pixel: its word's banks and address; whether it lies outside of the map; whether a
  /// maximum counts it.
  [[nodiscard]] int bank(const ArrayWindow& window, int lane) const { return (window.bank + lane) % banks_; }
  [[nodiscard]] int column_bank(const ArrayWindow& window, int pixel) const {
    return (window.column_bank + pixel) % pixels_;
  }
  [[nodiscard]] std::uint16_t address(const ArrayWindow& window, int lane, int pixel = 0) const {
    const int further = window.column_bank + pixel >= pixels_ ? layer_.groups : 0;
    if (layer_.group_mode)
      return static_cast<std::uint16_t>(window.before + lane + further);
    return static_cast<std::uint16_t>((lane < window.turn ? window.before : window.behind) + further);
  }
  [[nodiscard]] bool outside(const ArrayWindow& window, int lane, int pixel = 0) const {
    const int row = window.row + (layer_.group_mode ? 0 : lane), column = window.column + pixel;
    return row < 0 || row >= layer_.map_rows || column < 0 || column >= layer_.map_columns;
  }
  [[nodiscard]] bool counts(const ArrayWindow& window, int lane, int pixel = 0) const {
    return !outside(window, lane, pixel) && window.row - step_.first_row + lane < layer_.kernel_rows;
  }
  [[nodiscard]] std::uint16_t weight(int tile, int k) const {
    return static_cast<std::uint16_t>(layer_.weight_base + (layer_.shared ? 0 : tile * layer_.steps()) + k);
  }
  /// Pixels that a tile's results are of.
  [[nodiscard]] int tile_pixels() const { return layer_.tile_pixels(pixels_); }
  /// Where results of a tile go: banks, address, and which of the word's parts.
  [[nodiscard]] int result_group(int tile) const {
    return layer_.max_pool ? tile : tile / parts(layer_.write_code);
  }
  [[nodiscard]] int result_bank(int tile) const { return (step_.result_bank + result_group(tile)) % banks_; }
  [[nodiscard]] int result_column_bank(int x, int pixel) const { return layer_.wide ? pixel : x % pixels_; }
  [[nodiscard]] std::uint16_t result_address(int x, int tile) const {
    return static_cast<std::uint16_t>(
        step_.result_slot + (layer_.wide ? x : x / pixels_) * layer_.result_groups + result_group(tile));
  }
  [[nodiscard]] int result_part(int tile) const { return tile % parts(layer_.write_code); }

private:
  // Tiles of a word.
  [[nodiscard]] int parts(int code) const { return std::max(1, (channels_ << code) / outputs_); }

  const ArrayLayer& layer_;
  const ArrayStep& step_;
  int banks_, channels_, outputs_, pixels_;
};

/// What a table must keep to: the memories behind it, and what else is there.
struct ArrayBounds {
  int layers = 32, banks = 3;     ///< T
  int beats = 2, drain_beats = 2; ///< that a tile takes parameters of; that its results leave in
  int rows = 0, other_steps = 0;  ///< of an image: its rows; the other engine's steps
  int output_depth = 0;           ///< 0: nothing leaves
  int weight_depth = 0, param_depth = 0;
  int skip_depth = 0;           ///< 0: none is read
  int widths = 1, writable = 1; ///< codes that are read or written; that a map is written of
  int sweep = 0, books = 1;     ///< most pixels of a sweep, 0: there are none; code books
  int marks = 0;                ///< words of them; 0: there are none

  /// Whether a step can begin at all; `layer`: number step.layer, where that is below `layers`.
  [[nodiscard]] bool allows(const ArrayStep& step, const ArrayLayer& layer) const;
  /// Windows of the step, one after the other by tile and k, before the first one that reads a word of
  /// weights, parameters or skips that is not there; all of them if there is none.
  [[nodiscard]] int good_windows(const ArrayStep& step, const ArrayLayer& layer) const;
};

/// When steps begin, one behind the other. A step has a tile's `pause` before its first window.
class ArrayStarts {
public:
  static constexpr Cycle first_step = 5; ///< from the write that starts
  static constexpr Cycle row_there = 3;  ///< from a row's last value or padding
  static constexpr Cycle room_there = 2; ///< from the beat that makes room in the output queue
  static constexpr Cycle step_there = 2; ///< from the last write of the other engine's step

  /// `written`: from a tile's last window to its results.
  explicit ArrayStarts(int written) : written_(static_cast<Cycle>(written)) {}
  void start(Cycle cycle) {
    free_ = cycle + first_step;
    last_ = 0;
  }
  /// When the next step begins, not before `there` and `room`: `never` if one of them is.
  [[nodiscard]] Cycle next(const ArrayStep& step, Cycle there, Cycle room) const;
  /// When it is refused, if it cannot begin at all.
  [[nodiscard]] Cycle refused() const { return free_; }
  /// It begins.
  void begin(const ArrayLayer& layer, Cycle cycle);
  /// Of the latest step: its last window, with which it ends, and its last write.
  [[nodiscard]] Cycle last() const { return last_; }
  [[nodiscard]] Cycle done() const { return last_ + written_; }
  template <class Archive> void archive(Archive& bytes) { bytes(free_, last_); }

private:
  Cycle written_;
  Cycle free_ = 0; ///< of other steps
  Cycle last_ = 0; ///< 0: there was none
};

} // namespace deltatwin
