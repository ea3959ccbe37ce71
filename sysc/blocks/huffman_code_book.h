#pragma once
#include "base/cycle.h"
#include "base/huffman.h"
#include <array>
#include <vector>

namespace deltatwin {

/// A code book as the hardware holds it, made from code lengths alone. Symbols are 0..2^D - 1; those
/// that a build leaves out have length 0.
///
/// Decoding compares the next 8 bits v with left-aligned limits: the code's length is the smallest
/// l with v < limit[l], its rank in canonical order is (v >> (8 - l)) + base[l] modulo 2^D.
struct CodeTable {
  CodeTable() = default; ///< of no symbol
  /// `lengths`: one a symbol, 2^D of them.
  explicit CodeTable(std::vector<int> code_lengths);
  /// All symbols with D bits, in the order of their values.
  [[nodiscard]] static CodeTable uniform(int symbol_bits);

  template <class Archive> void archive(Archive& bytes) {
    bytes(fault, lengths, limit, base, codes, ranks, symbols);
  }

  BookFault fault = BookFault::empty;
  std::vector<int> lengths;                     ///< by symbol, 0: no code
  std::array<int, max_code_length + 1> limit{}; ///< by length; 0..256
  std::array<int, max_code_length + 1> base{};  ///< by length
  std::vector<unsigned> codes;                  ///< by symbol, right-aligned; empty with a fault
  std::vector<int> ranks;                       ///< by symbol; empty with a fault
  std::vector<int> symbols;                     ///< by rank; empty with a fault
};

/// A build takes a pass that counts lengths, one cycle a length for the limits, and a pass that
/// places the symbols; cycles count from the one with the start.
struct CodeBookTiming {
  Cycle symbols; ///< that are counted and placed, the first ones: 1..2^D

  /// To the last cycle of a build whose book is faulty.
  [[nodiscard]] constexpr Cycle fault() const { return symbols + max_code_length; }
  /// To symbol 0's table entry; the others follow one a cycle.
  [[nodiscard]] constexpr Cycle table() const { return fault() + 1; }
  /// To the last cycle of a build.
  [[nodiscard]] constexpr Cycle build() const { return fault() + symbols; }
};
/// Of all symbols.
[[nodiscard]] constexpr CodeBookTiming code_book_timing(int symbol_bits) { return {Cycle{1} << symbol_bits}; }

} // namespace deltatwin
