#pragma once
#include "base/pacer.h"
#include "blocks/histogram.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// How a burst of symbols comes, and the counts of its block go.
struct CountExtension : StackExtension<CountExtension> {
  bool last = true;                  ///< the burst's last symbol is its block's last
  std::vector<unsigned> gaps;        ///< idle cycles before each symbol, after the one before was taken;
                                     ///< empty: none
  Pacer sink;                        ///< takes the counts
  std::vector<Cycle> taken;          ///< filled by the target: the cycle of each symbol's beat
  std::vector<std::uint64_t> counts; ///< filled by the target after a block's last symbol: one a symbol
  std::vector<Cycle> sent;           ///< filled by the target: the cycle of each count's beat
};

/// The histogram. A WRITE of symbols, a byte each, is a block or a part of one. The annotated delay is
/// the first symbol's earliest cycle on the way in, the cycle after the last one's beat on the way
/// back; counts may leave later. A symbol outside the alphabet, or one more than a count can hold,
/// answers TLM_GENERIC_ERROR_RESPONSE, and nothing of its burst is counted.
///
///     Histogram histogram("histogram", {8, 13}, 100); // 8 symbols, counts of 13 bits, 100 MHz
///     CountExtension block;                      // no gaps, counts taken at once
///     payload.set_extension(&block);             // a WRITE of symbols
///     initiator->b_transport(payload, delay);    // then block.counts
class Histogram : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<Histogram> socket{"socket"};

  Histogram(const sc_core::sc_module_name& name, const HistogramConfig& config, double clock_mhz);
  /// Forgets the block under way, and the counts that have not left.
  void reset();

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  [[nodiscard]] bool well_formed(const tlm::tlm_generic_payload& payload,
                                 const CountExtension* extension) const;

  HistogramConfig config_;
  Clock clock_;
  HistogramCore core_;
  std::uint64_t counted_ = 0; ///< symbols of the block under way
};

} // namespace deltatwin
