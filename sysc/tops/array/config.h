#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include "blocks/array_scheduler.h"
#include "blocks/fields.h"
#include "blocks/pixel_loader.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

struct HuffmanTilesConfig;
struct PlaneArrayConfig;
struct SweepArrayConfig;
struct SweepTiming;
struct ThresholdSearchConfig;

/// The parameters of the RTL `array`.
struct ArrayConfig {
  int outputs = 8;                         ///< P: outputs of a tile, 2..64, a power of two
  int channels = 16;                       ///< S: bytes of a word, 4..32, a power of two
  int rows = 3;                            ///< T: row banks, 1..7
  int results = 4;                         ///< R: results a cycle, a divisor of P
  int multiplier = 1;                      ///< 0: LUTs, 1: pairs in a DSP, 2: none, planes alone
  int sum_bits = 25;                       ///< of a sum with its bias, 25..32, of planes alone 12..32
  int map_depth = 1024, input_depth = 512; ///< words a bank
  int weight_depth = 1024, param_depth = 512;
  int skip_depth = 1024, output_depth = 64; ///< entries of P values
  int layers = 32, steps = 1024, pages = 4; ///< 1..32, 1..1024, 0..16
  /// The depthwise stage: results a cycle, a divisor of S (0: there is none), and how it multiplies: 0: LUTs,
  /// 1: a DSP a product.
  int stage_results = 0, stage_multiplier = 1;
  int stage_map_depth = 512, stage_row_depth = 512; ///< words a bank of what it reads, and of what it makes
  int stage_weight_depth = 256, stage_param_depth = 128, stage_steps = 512;
  int lut_ram = 0; ///< a bit a buffer, of ArrayBuffer: in LUT-RAM instead of block RAM
  int pixels = 1;  ///< M: adjacent columns of results at a time, 1, 2 or 4
  /// Precision by layer: planes of weights at a time (0: bytes alone), codes of the maps' widths as a mask,
  /// bits of a reference, whether scalers multiply.
  int planes = 0, widths = 1, reference_bits = 0, scale_multiply = 1;
  /// Weights that stand still: pixels of a sweep at most, 16, 32 or 64 (0: weights change with every window);
  /// decoders of their streams, weights of a symbol, books of codes.
  int sweep = 0, decoders = 2, symbol_weights = 2, books = 1;
  int scale_bits = 31; ///< of multipliers, 8..31
  int lookup = 0;      ///< additions are tables of both values, which have 4 bits at most
  /// Of sweeps: words of marks, of which each tile of weights takes one, so that those of zeros are left out,
  /// 2..65535; 0: there are none; open_depth: as many as a network takes.
  int zero_depth = 0;
  int input_bits = 0;     ///< kept of a word of the input map, its top ones, a multiple of 4; 0: all
  int dsp_outputs = 0;    ///< outputs whose products are in DSPs, with sweeps of 4 by 4 bits: a multiple of 3
  int threshold_bits = 0; ///< of a count of thresholds, 1..4; 0: there are none
  int wide_sums = 0;      ///< sums of more than 8 bits may leave, as two bytes, and be added to
  double clock_mhz = 100;

  static constexpr int no_multiplier = 2;
  static constexpr int open_depth = -1;

  [[nodiscard]] constexpr bool has_bytes() const { return multiplier != no_multiplier; }
  [[nodiscard]] constexpr bool has_planes() const { return planes > 0; }
  [[nodiscard]] constexpr bool has_sweeps() const { return sweep > 0; }
  [[nodiscard]] constexpr bool has_marks() const { return zero_depth != 0; }
  /// Whether layers may read maps of a code, and whether they can write them: a tile's results are a part of
  /// a word.
  [[nodiscard]] constexpr bool has_width(int code) const { return widths >> code & 1; }
  [[nodiscard]] constexpr bool writes_width(int code) const {
    return has_width(code) && outputs * width_bits(code) <= 8 * channels;
  }
  /// Channels of a word, and the tiles' parts of it.
  [[nodiscard]] constexpr int word_channels(int code) const { return channels << code; }
  [[nodiscard]] constexpr int parts(int code) const { return word_channels(code) / outputs; }
  /// What of a word can be written alone: a tile's results of the narrowest width.
  [[nodiscard]] constexpr int piece_bits() const { return outputs * width_bits(narrowest()); }
  [[nodiscard]] constexpr int pieces() const { return 8 * channels / piece_bits(); }
  [[nodiscard]] constexpr int narrowest() const {
    int code = width_codes - 1;
    while (code > 0 && !has_width(code))
      --code;
    return code;
  }
  /// Of a value that is added later: the widest that can be written.
  [[nodiscard]] constexpr int skip_bits() const {
    int code = 0;
    while (code < width_codes - 1 && !writes_width(code))
      ++code;
    return width_bits(code);
  }
  /// Of a sum of products.
  [[nodiscard]] constexpr int accumulator_bits() const {
    return has_bytes() || sum_bits > 25 ? 25 : sum_bits;
  }
  /// Bytes of a plane of a window's weights: a bit for each of its activations of the narrowest width.
  [[nodiscard]] constexpr int plane_bytes() const { return window() / width_bits(narrowest()); }
  /// Of a word of weights, of what takes more of it, in whole columns of 64 bits; with sweeps one of a
  /// stream.
  [[nodiscard]] constexpr int weight_bytes() const {
    if (has_sweeps())
      return 8;
    constexpr int column = 8;
    const int of_bytes = has_bytes() ? outputs * window() : 0,
              of_planes = has_planes() ? (outputs * planes + (reference_bits > 0)) * plane_bytes() : 0;
    return ((of_bytes > of_planes ? of_bytes : of_planes) + column - 1) / column * column;
  }
  /// B: cycles in which a tile's results of a pixel leave the array.
  [[nodiscard]] constexpr int beats() const { return outputs / results; }
  /// M B: of all pixels, whether a layer takes them or not.
  [[nodiscard]] constexpr int drain_beats() const { return pixels * beats(); }
  [[nodiscard]] PlaneArrayConfig plane_array() const;
  /// With sweeps: what sums them, and what their weights come from.
  [[nodiscard]] SweepArrayConfig sweep_array() const;
  [[nodiscard]] HuffmanTilesConfig huffman_tiles() const;
  [[nodiscard]] SweepTiming sweep_timing() const;
  [[nodiscard]] constexpr bool has_thresholds() const { return threshold_bits > 0; }
  /// Of a word of parameters: a tree's nodes, of which 0 is none, and the places of their load space.
  [[nodiscard]] constexpr int threshold_nodes() const { return 1 << threshold_bits; }
  static constexpr int threshold_places = 16;
  [[nodiscard]] ThresholdSearchConfig threshold_search() const;
  /// Symbols of a book.
  [[nodiscard]] constexpr int symbols() const { return 1 << symbol_weights * planes; }
  /// D: from a tile's last window to its sums; with sweeps more than from the tag of a pixel that is drained.
  [[nodiscard]] int dot_latency() const;
  /// W: from a tile's last issue beat, with sweeps a pixel's tag, to the cycle in which its results are
  /// written.
  [[nodiscard]] int write_latency() const { return 22 + dot_latency() + drain_beats(); }
  /// Bytes of a window, and of one output's weights.
  [[nodiscard]] constexpr int window() const { return rows * channels; }
  [[nodiscard]] constexpr bool has_stage() const { return stage_results > 0; }
  /// B, D and W of the stage.
  [[nodiscard]] constexpr int stage_beats() const { return has_stage() ? channels / stage_results : 1; }
  [[nodiscard]] int stage_dot_latency() const;
  [[nodiscard]] int stage_write_latency() const { return 22 + stage_dot_latency() + stage_beats(); }
  /// The stage as an array of as many outputs as channels, but for its latencies: it has the array's column
  /// banks, and computes one pixel at a time.
  [[nodiscard]] ArrayConfig stage() const;
  /// Memories, FIFO and tables become 0: as large as a network takes.
  void leave_open();
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

/// Buffers, by their bits in ArrayConfig::lut_ram.
enum class ArrayBuffer {
  maps,
  input,
  weights,
  parameters,
  skips,
  steps,
  stage_maps,
  stage_rows,
  stage_weights,
  stage_parameters,
  stage_steps
};
inline constexpr const char* array_buffers[] = {
    "maps",       "input",      "weights",       "parameters",       "skips",      "steps",
    "stage_maps", "stage_rows", "stage_weights", "stage_parameters", "stage_steps"};
inline constexpr int array_buffer_count = sizeof array_buffers / sizeof *array_buffers;

inline constexpr int array_sum_bits = 25;      ///< of a sum of products of bytes
inline constexpr int array_window_latency = 4; ///< from an issue beat to its window

/// Names the first impossible parameter and what would be possible; empty: the design is possible.
[[nodiscard]] std::string complaint(const ArrayConfig& config);
/// Throws InputError with the complaint, if there is one.
void validate(const ArrayConfig& config);

// Addresses and values of the registers: rtl/array_control.sv has the contract.
namespace array_reg {
inline constexpr std::uint32_t id = 0x000, control = 0x004, status = 0x008, images = 0x00c, input = 0x010,
                               steps = 0x020, load_address = 0x024, load_data = 0x028, cycles = 0x02c,
                               design = 0x030;
} // namespace array_reg
inline constexpr std::uint32_t array_id = 0x44544132, array_start = 1, array_reset = 2;
inline constexpr std::size_t array_designs = 13; ///< registers DESIGN
enum class ArrayError : std::uint32_t {
  none,
  input,      ///< TLAST elsewhere than at an image's last value
  program,    ///< a start without steps, or with more than there are; a step that cannot be; a faulty book
  weights = 4 ///< a bad code
};
/// What LOAD_ADDRESS names.
enum class ArraySpace : std::uint32_t {
  weights,
  parameters,
  layers,
  steps,
  tables,
  stage_weights,
  stage_parameters,
  stage_layers,
  stage_steps,
  books,     ///< {book, symbol}: the length of its code
  marks,     ///< of tiles of weights: whether it is zero, whether its sweep is an output tile's last one
  thresholds ///< {word of parameters, node}: of each result
};
[[nodiscard]] constexpr std::uint32_t load_address(ArraySpace space, std::uint32_t word,
                                                   std::uint32_t piece = 0) {
  return static_cast<std::uint32_t>(space) << 28 | (word & 0xffff) << 12 | (piece & 0xfff);
}
/// Whether the design has such a space.
[[nodiscard]] bool has_space(const ArrayConfig& config, std::uint32_t space);
/// Pieces of 32 bits that a word of the space has.
[[nodiscard]] int load_pieces(const ArrayConfig& config, ArraySpace space);
/// Whether there is such a word.
[[nodiscard]] bool has_word(const ArrayConfig& config, ArraySpace space, std::uint32_t word);

/// What register DESIGN[index] reads.
[[nodiscard]] std::uint32_t design_register(const ArrayConfig& config, std::size_t index);
[[nodiscard]] std::vector<Register> array_registers();

} // namespace deltatwin
