#pragma once
#include "blocks/huffman_encoder.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// How a burst of symbols comes and its words go.
struct EncodeExtension : StackExtension<EncodeExtension> {
  bool last = true;                 ///< the burst's last symbol is its stream's last
  bool empty = false;               ///< the burst's symbols add no bits, and need no code
  std::vector<unsigned> gaps;       ///< idle cycles before each symbol, after the one before was taken;
                                    ///< empty: none
  Pacer sink;                       ///< takes the words
  std::vector<Cycle> taken;         ///< filled by the target: the cycle of each symbol's beat
  std::vector<EncodedWord> words;   ///< filled by the target: those that the burst completes
  std::vector<std::size_t> uncoded; ///< filled by the target: which symbols have no code
};

/// The encoder. `table` is its memory of codes, two bytes {code, length} a symbol at address
/// 2 * symbol; a WRITE stores a row a cycle. `socket` takes a WRITE of symbols, a byte each: a stream
/// or a part of one. The annotated delay is the first symbol's earliest cycle on the way in, the cycle
/// after the last one's beat on the way back; words may leave later. A symbol without a code counts no
/// bits; the burst goes on and answers TLM_GENERIC_ERROR_RESPONSE, as bad bursts do.
///
///     HuffmanEncoder encoder("encoder", 4, 100); // 4-bit symbols, 100 MHz
///     std::vector<CodeEntry> rows = code_entries(table); // a WRITE of them to encoder.table
///     EncodeExtension stream;                    // no gaps, words taken at once
///     payload.set_extension(&stream);            // a WRITE of symbols to encoder.socket
///     initiator->b_transport(payload, delay);    // then stream.words
class HuffmanEncoder : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<HuffmanEncoder> table{"table"};
  tlm_utils::simple_target_socket<HuffmanEncoder> socket{"socket"};

  HuffmanEncoder(const sc_core::sc_module_name& name, int symbol_bits, double clock_mhz);
  /// Forgets what is on its way; the table is kept.
  void reset();

private:
  void table_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  [[nodiscard]] bool well_formed(const tlm::tlm_generic_payload& payload,
                                 const EncodeExtension* extension) const;

  Clock clock_;
  std::vector<CodeEntry> entries_;
  BitPacker packer_;
  EncoderTiming timing_;
};

} // namespace deltatwin
