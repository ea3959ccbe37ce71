#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `codec`.
struct CodecConfig {
  int symbols = 8;  ///< of the alphabet, 2..32
  int limit = 8;    ///< longest code: enough for a code for every symbol, at most 8
  int depth = 4096; ///< symbols of the longest block, 1..4096
  double clock_mhz = 100;

  /// B: log2 of the symbols, rounded up.
  [[nodiscard]] int symbol_bits() const;
  /// Bits of a symbol's count.
  [[nodiscard]] int count_bits() const;
  /// Symbols that wait to be encoded: a power of two, at least two blocks.
  [[nodiscard]] int fifo_depth() const;
  /// Words of a coded block: B bits per symbol, because the code of B bits for every symbol is one of
  /// those that the best is chosen of.
  [[nodiscard]] int store_words() const;
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

/// Books that are in use at a time: built, encoded with, and of the coded blocks.
inline constexpr int codec_books = 4;

/// Names the first impossible parameter and what would be possible; empty: the codec is possible.
[[nodiscard]] std::string complaint(const CodecConfig& config);
/// Throws InputError with the complaint, if there is one.
void validate(const CodecConfig& config);

// Addresses and values of the registers: rtl/codec_control.sv has the contract.
namespace codec_reg {
inline constexpr std::uint32_t id = 0x000, control = 0x004, status = 0x008, blocks = 0x00c, alphabet = 0x010,
                               limit = 0x014, depth = 0x018, cycles = 0x01c, sizes = 0x100;
} // namespace codec_reg
inline constexpr std::uint32_t codec_id = 0x44544331, codec_control_reset = 2;
inline constexpr unsigned codec_sizes = 64; ///< that are kept
enum class CodecStatus : std::uint32_t { idle = 0, running = 1, error = 3 };
enum class CodecError : std::uint32_t {
  none,
  symbol, ///< outside the alphabet
  length  ///< the block is longer than the depth
};

[[nodiscard]] std::vector<Register> codec_registers();

/// Cycles from one block to the next, on average, when blocks of `length` symbols come one behind
/// another without pauses and are taken at once: what the slowest of builder, book, decoder and queue
/// of symbols needs.
[[nodiscard]] double steady_cycles(const CodecConfig& config, int length);
/// Cycles from a lone block's last symbol to its beginning, in which nothing is encoded yet.
[[nodiscard]] Cycle book_latency(const CodecConfig& config);

} // namespace deltatwin
