#pragma once
#include "blocks/huffman_code_book.h"
#include "tlm/stream.h"
#include <optional>
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// Asks for the build of the book at the transaction's address.
struct CodeBookExtension : StackExtension<CodeBookExtension> {
  bool uniform = false;              ///< every symbol gets D bits; the lengths are not looked at
  int symbols = 0;                   ///< that are counted and placed, the first ones; 0: all
  BookFault fault = BookFault::none; ///< filled by the target
  Cycle start = 0, done = 0;         ///< filled by the target: first and last cycle of the build
};

/// The code books: a memory of code lengths, one byte (0..15) a symbol at address book * 2^D + symbol,
/// and the builder that makes tables of them. A WRITE stores a length a cycle, the first in the cycle
/// of the annotated delay. With a CodeBookExtension it must be a whole book, which is then built; an
/// IGNORE with the extension builds what is there. A build waits for the one before. The delay on the
/// way back is the cycle after the last write, or after the build. A faulty book answers
/// TLM_GENERIC_ERROR_RESPONSE, the extension says why; bad addresses and bursts leave it as it was.
///
///     HuffmanCodeBook books("books", 4, 1, 100); // 4-bit symbols, one book, 100 MHz
///     CodeBookExtension build;
///     payload.set_command(tlm::TLM_WRITE_COMMAND); // data: 16 lengths, address 0
///     payload.set_extension(&build);
///     initiator->b_transport(payload, delay);      // then books.table(0)->codes
class HuffmanCodeBook : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<HuffmanCodeBook> socket{"socket"};

  HuffmanCodeBook(const sc_core::sc_module_name& name, int symbol_bits, int books, double clock_mhz);
  /// What the last build of a book made, a faulty one too; null before its first build.
  [[nodiscard]] const CodeTable* table(int book) const;
  /// Aborts a build, whose book is then to be built again; lengths are kept.
  void reset() { free_ = 0; }

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  [[nodiscard]] bool well_formed(const tlm::tlm_generic_payload& payload, bool build) const;
  void build(std::size_t book, Cycle from, CodeBookExtension& extension);

  int symbol_bits_;
  Clock clock_;
  std::vector<int> lengths_;
  std::vector<std::optional<CodeTable>> tables_;
  Cycle free_ = 0; ///< the earliest cycle in which a build can start
};

} // namespace deltatwin
