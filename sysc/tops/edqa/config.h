#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include "blocks/edqa_quantizer.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `edqa`.
struct EdqaConfig {
  EdqaFormat format = EdqaFormat::int16;
  int bits = 3;        ///< 2..8: the largest N
  int extra = 3;       ///< 0..4: the largest m
  int depth = 4096;    ///< values of the largest channel, 1..4096
  bool dynamic = true; ///< has mode paper: queue of values, histogram, builder
  bool whole = false;  ///< has mode whole; `bits` + `extra` are at most 6
  int books = 1;       ///< of mode whole: 1, 2, 4, 8
  int channels = 1;    ///< P, in parallel: 1..16
  double clock_mhz = 200;

  [[nodiscard]] int max_bits() const { return bits + extra; }
  /// S: of what is coded.
  [[nodiscard]] int symbol_bits() const;
  /// Books that are in use at a time.
  [[nodiscard]] int book_slots() const;
  /// Symbols of a dynamic book, and its longest code: longer ones would not be shorter in all.
  [[nodiscard]] int builder_symbols() const;
  [[nodiscard]] int builder_limit() const;
  // Places of the queues of values, symbols, quantized values, and of the ring of words.
  [[nodiscard]] int value_depth() const;
  [[nodiscard]] int symbol_depth() const;
  [[nodiscard]] int quantized_depth() const;
  [[nodiscard]] int store_words() const;
  /// Rows of the channel table: 64 entries, addressed by row and lane.
  [[nodiscard]] int lane_bits() const;
  [[nodiscard]] int rows() const { return 64 >> lane_bits(); }
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

/// Names the first impossible parameter and what would be possible; empty: the design is possible.
[[nodiscard]] std::string complaint(const EdqaConfig& config);
/// Throws InputError with the complaint, if there is one.
void validate(const EdqaConfig& config);

enum class EdqaMode {
  paper, ///< a channel's own maximum, and its own book for the shifting errors
  fixed, ///< "static": scale and book from calibration
  whole  ///< the same, and whole values are coded
};

/// What register CONFIG and its like say.
struct EdqaSettings {
  int bits = 3, extra = 3; ///< N, m
  EdqaMode mode = EdqaMode::paper;
  bool is_signed = true, half_down = false, raw = false;
  int count = 1; ///< rows of the channel table in use
  int row = 4;   ///< values of a row, 4..64, where there are several books
  int books = 1; ///< in use

  [[nodiscard]] int total_bits() const { return bits + extra; }
  [[nodiscard]] EdqaScheme scheme() const { return {bits + extra, extra, is_signed, half_down, raw}; }
  /// The three registers.
  [[nodiscard]] std::uint32_t config() const;
  [[nodiscard]] std::uint32_t row_register() const;
  [[nodiscard]] static EdqaSettings of(std::uint32_t config, std::uint32_t count, std::uint32_t row);
  /// After rst_ni.
  [[nodiscard]] static EdqaSettings initial(const EdqaConfig& config);
};

/// What START would refuse; empty: nothing.
[[nodiscard]] std::string complaint(const EdqaConfig& config, const EdqaSettings& settings);

// Addresses and values of the registers: rtl/edqa_control.sv has the contract.
namespace edqa_reg {
inline constexpr std::uint32_t id = 0x000, control = 0x004, status = 0x008, groups = 0x00c, config = 0x010,
                               count = 0x014, row = 0x018, cycles = 0x01c, design = 0x020, depth = 0x024,
                               inject = 0x028, sizes = 0x100, scales = 0x200, direct = 0x300, book_of = 0x400,
                               lengths = 0x800;
} // namespace edqa_reg
inline constexpr std::uint32_t edqa_id = 0x44544531, edqa_control_start = 1, edqa_control_reset = 2;
inline constexpr int edqa_entries = 64; ///< of each table
enum class EdqaError : std::uint32_t {
  none,
  length,        ///< a channel is longer than the depth
  code,          ///< a value has no code in a static book
  stream,        ///< a stored stream is corrupt
  configuration, ///< what complaint() says
  book           ///< a static book is none
};

[[nodiscard]] std::vector<Register> edqa_registers(const EdqaConfig& config);

} // namespace deltatwin
