#pragma once
#include "blocks/huffman_decoder.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace deltatwin {

/// A whole stream, carried by a READ whose data receive its symbols, one byte each: as many takes
/// as the data have bytes, and the stream's end with the last of them.
struct HuffmanDecodeExtension : StackExtension<HuffmanDecodeExtension> {
  std::vector<std::uint64_t> words; ///< 36 bits each, the first bit highest
  std::vector<unsigned> word_gaps; ///< idle cycles before each word, after the one before was taken; or empty
  std::vector<unsigned> take_gaps; ///< the same of the takes; or empty

  // Filled by the target.
  std::vector<Cycle> word_cycles; ///< of the word beats that happened
  std::vector<Cycle> take_cycles; ///< symbols appear a cycle later
  StreamFault fault = StreamFault::none;
  Cycle raised = never; ///< the cycle in which the fault is raised
};

/// The Huffman decoder. A WRITE at address 0 gives it the code lengths of its book, a byte a symbol,
/// 2^D symbols (an error response to a faulty book). A READ decodes a stream; words and takes are
/// offered from the cycle of the annotated delay on, which becomes the cycle of the stream's end. A
/// stream with a fault answers with an error response, and so does every READ after it until
/// reset(); its symbols are 0 from the fault on.
///
///     HuffmanDecodeExtension stream;
///     stream.words = {0b101'1'0ull << 31};
///     payload.set_extension(&stream);
///     decoder.socket->b_transport(payload, delay);
class HuffmanDecoder : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<HuffmanDecoder> socket{"socket"};

  HuffmanDecoder(const sc_core::sc_module_name& name, int symbol_bits, double clock_mhz);
  /// rst_ni is low in the cycle before `clean`.
  void reset(Cycle clean) { core_.reset(clean); }

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  [[nodiscard]] bool load(const tlm::tlm_generic_payload& payload);
  void decode(tlm::tlm_generic_payload& payload, HuffmanDecodeExtension& stream, Cycle& cycle);

  std::size_t symbols_;
  Clock clock_;
  CodeTable book_;
  HuffmanDecoderCore core_;
};

} // namespace deltatwin
