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
  double clock_mhz = 100;

  /// B: cycles in which a tile's results leave the array.
  [[nodiscard]] constexpr int beats() const { return outputs / results; }
  /// D: from a tile's last window to its sums.
  [[nodiscard]] int dot_latency() const;
  /// W: from a tile's last issue beat to the cycle in which its results are written.
  [[nodiscard]] int write_latency() const { return 22 + dot_latency() + beats(); }
  /// Bytes of a window, and of one output's weights.
  [[nodiscard]] constexpr int window() const { return rows * channels; }
  /// Memories, FIFO and tables become 0: as large as a network takes.
  void leave_open();
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

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
inline constexpr std::size_t array_designs = 6; ///< registers DESIGN
enum class ArrayError : std::uint32_t {
  none,
  input,  ///< TLAST elsewhere than at an image's last value
  program ///< a start without steps, or with more than there are
};
/// What LOAD_ADDRESS names.
enum class ArraySpace : std::uint32_t { weights, parameters, layers, steps, tables };
[[nodiscard]] constexpr std::uint32_t load_address(ArraySpace space, std::uint32_t word,
                                                   std::uint32_t piece = 0) {
  return static_cast<std::uint32_t>(space) << 28 | (word & 0xffff) << 12 | (piece & 0xfff);
}
/// Pieces of 32 bits that a word of the space has.
[[nodiscard]] int load_pieces(const ArrayConfig& config, ArraySpace space);
/// Whether there is such a word.
[[nodiscard]] bool has_word(const ArrayConfig& config, ArraySpace space, std::uint32_t word);

/// What register DESIGN[index] reads.
[[nodiscard]] std::uint32_t design_register(const ArrayConfig& config, std::size_t index);
[[nodiscard]] std::vector<Register> array_registers();

} // namespace deltatwin
