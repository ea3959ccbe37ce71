#include "tlm/weight_bank.h"
#include <cstring>

namespace deltatwin {

WeightBank::WeightBank(const sc_core::sc_module_name& name, const WeightBankConfig& config, double clock_mhz)
    : sc_module(name), config_(config), clock_(clock_mhz), contents_(config) {
  socket.register_b_transport(this, &WeightBank::transport);
}

void WeightBank::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (payload.get_address() % 8 || payload.get_data_length() % 8 || payload.get_data_length() == 0) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  Cycle cycle = clock_.cycle(delay);
  std::uint64_t address = payload.get_address() / 8;
  unsigned char* data = payload.get_data_ptr();
  for (unsigned i = 0; i < payload.get_data_length() / 8; ++i, ++address, ++cycle, data += 8) {
    std::uint64_t word;
    if (payload.is_write()) {
      std::memcpy(&word, data, 8);
      contents_.write(address, word, cycle);
    } else {
      word = contents_.read(address, cycle);
      std::memcpy(data, &word, 8);
    }
  }
  delay = clock_.until(payload.is_write() ? cycle : cycle - 1 + static_cast<Cycle>(config_.read_latency));
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
