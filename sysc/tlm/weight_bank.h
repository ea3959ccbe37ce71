#pragma once
#include "blocks/weight_bank.h"
#include "tlm/stream.h"
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// A weight bank (also every other buffer of the accelerator): one write port, one read port, a
/// word a cycle each. Memory-mapped, 8 bytes a word. A burst's first word is accessed in the cycle
/// of the annotated delay; on the way back the delay is the cycle after a write's last word, or the
/// cycle in which a read's last word is on the output, `read_latency` after its address.
class WeightBank : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<WeightBank> socket{"socket"};

  WeightBank(const sc_core::sc_module_name& name, const WeightBankConfig& config, double clock_mhz);
  /// Block RAM primitives that the bank occupies.
  [[nodiscard]] Resources occupancy() const { return weight_bank_resources(config_); }

private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  WeightBankConfig config_;
  Clock clock_;
  BankContents contents_;
};

} // namespace deltatwin
