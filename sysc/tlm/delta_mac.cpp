#include "tlm/delta_mac.h"
#include <algorithm>
#include <cstring>

namespace deltatwin {

DeltaMac::DeltaMac(const sc_core::sc_module_name& name, const DeltaMacConfig& config, double clock_mhz)
    : sc_module(name), timing_(config), clock_(clock_mhz) {
  socket.register_b_transport(this, &DeltaMac::transport);
}

void DeltaMac::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<MacExtension>();
  if (!payload.is_read() || !extension ||
      payload.get_data_length() != 4 * static_cast<unsigned>(extension->burst.lanes)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  const MacBurst& burst = extension->burst;
  const std::size_t inputs = burst.x.size(), lanes = payload.get_data_length() / 4;
  const std::size_t block = static_cast<std::size_t>(std::max(1, burst.block_length));
  if (inputs == 0 || burst.block_length < 1 || burst.deltas.size() != inputs * lanes ||
      burst.references.size() != (inputs + block - 1) / block * lanes ||
      !(extension->beats.empty() || extension->beats.size() == inputs)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  std::vector<Cycle> beats = extension->beats;
  for (std::size_t i = beats.size(); i < inputs; ++i)
    beats.push_back(clock_.cycle(delay) + i * static_cast<Cycle>(timing_.cycles_per_mac));
  extension->reference_requests.clear();
  for (std::size_t end = 0; end < burst.x.size();) {
    end = std::min(burst.x.size(), end + static_cast<std::size_t>(burst.block_length));
    for (int lane = 0; lane < burst.lanes; ++lane)
      extension->reference_requests.push_back(beats[end - 1] + timing_.reference_request() +
                                              static_cast<Cycle>(lane));
  }
  const std::vector<std::int32_t> sums = delta_mac_sums(burst);
  std::memcpy(payload.get_data_ptr(), sums.data(), payload.get_data_length());
  extension->first_sum = beats.back() + timing_.sum();
  delay = clock_.until(extension->first_sum + sums.size());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
