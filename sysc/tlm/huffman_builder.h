#pragma once
#include "base/pacer.h"
#include "blocks/huffman_builder.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// A histogram, carried by a READ whose data receive the code lengths (a byte each, in the order of
/// symbols).
struct HistogramExtension : StackExtension<HistogramExtension> {
  std::vector<std::uint64_t> counts; ///< one a symbol
  std::vector<unsigned> gaps;        ///< idle cycles before each count, after the one before was taken;
                                     ///< empty: none
  Pacer sink;                        ///< takes the lengths
  std::vector<Cycle> taken;          ///< filled by the target: the cycle of each count's beat
  std::vector<Cycle> sent;           ///< filled by the target: the cycle of each length's beat
  bool error = false;                ///< filled by the target: no symbol occurs, or too many do
};

/// The builder, a histogram a transaction: the first count not before the cycle of the annotated
/// delay, nor before the last length of the histogram before is taken; on the way back, the cycle
/// after the last length's beat. A histogram without a book gives lengths of 0 and answers
/// TLM_GENERIC_ERROR_RESPONSE with `error` set; a bad burst answers the same without it.
///
///     HuffmanBuilder builder("builder", 16, 8, 20, 100); // 16 symbols, 8 bits, counts of 20 bits
///     HistogramExtension histogram;
///     histogram.counts = ...;                            // 16 of them
///     payload.set_extension(&histogram);                 // a READ of 16 bytes
///     initiator->b_transport(payload, delay);            // the data are the lengths
class HuffmanBuilder : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<HuffmanBuilder> socket{"socket"};

  HuffmanBuilder(const sc_core::sc_module_name& name, int symbols, int limit, int count_bits,
                 double clock_mhz);
  /// Forgets the histogram under way.
  void reset() { free_ = 0; }

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  [[nodiscard]] bool well_formed(const tlm::tlm_generic_payload& payload,
                                 const HistogramExtension* extension) const;

  BuilderTiming timing_;
  int count_bits_;
  Clock clock_;
  Cycle free_ = 0; ///< the earliest cycle of the next histogram's first count
};

} // namespace deltatwin
