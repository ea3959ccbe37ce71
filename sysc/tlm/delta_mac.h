#pragma once
#include "blocks/delta_mac.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// A tile's operands, carried by a READ whose data receive the sums (int32, one an active lane).
struct MacExtension : StackExtension<MacExtension> {
  MacBurst burst;
  std::vector<Cycle> beats; ///< cycle of each input beat; empty: as close as the multiplier takes them
  std::vector<Cycle> reference_requests; ///< filled by the target, one a block and lane
  Cycle first_sum = 0;                   ///< filled by the target: lane 0's; one more cycle a lane
};

/// The lanes' delta MACs, a tile a transaction: the first beat in the cycle of the annotated delay;
/// on the way back, the cycle after the last sum.
class DeltaMac : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<DeltaMac> socket{"socket"};
  DeltaMac(const sc_core::sc_module_name& name, const DeltaMacConfig& config, double clock_mhz);

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  DeltaMacTiming timing_;
  Clock clock_;
};

} // namespace deltatwin
