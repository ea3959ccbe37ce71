#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include "blocks/array_scheduler.h"
#include "blocks/pixel_loader.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `array`.
struct ArrayConfig {
  int outputs = 8;                         ///< P: outputs of a tile, 2..32, a power of two, at most S
  int channels = 16;                       ///< S: channels of a word, 4..32, a power of two
  int rows = 3;                            ///< T: row banks, 1..7
  int results = 4;                         ///< R: results a cycle, a divisor of P
  int multiplier = 1;                      ///< 0: LUTs, 1: pairs in a DSP
  int sum_bits = 25;                       ///< of a sum with its bias, 25..32
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
  double clock_mhz = 100;

  /// B: cycles in which a tile's results of a pixel leave the array.
  [[nodiscard]] constexpr int beats() const { return outputs / results; }
  /// M B: of all pixels, whether a layer takes them or not.
  [[nodiscard]] constexpr int drain_beats() const { return pixels * beats(); }
  /// D: from a tile's last window to its sums.
  [[nodiscard]] int dot_latency() const;
  /// W: from a tile's last issue beat to the cycle in which its results are written.
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

inline constexpr int array_sum_bits = 25;      ///< of a sum of products
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
inline constexpr std::size_t array_designs = 10; ///< registers DESIGN
enum class ArrayError : std::uint32_t {
  none,
  input,  ///< TLAST elsewhere than at an image's last value
  program ///< a start without steps, or with more than there are; a step that cannot be
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
  stage_steps
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
