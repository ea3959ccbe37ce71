#include "tlm/requantizer.h"
#include <cstring>

namespace deltatwin {

Requantizer::Requantizer(const sc_core::sc_module_name& name, double clock_mhz)
    : sc_module(name), clock_(clock_mhz) {
  socket.register_b_transport(this, &Requantizer::transport);
}

void Requantizer::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto* extension = payload.get_extension<RequantizeExtension>();
  if (!payload.is_read() || !extension || extension->sums.empty() ||
      extension->parameters.size() != extension->sums.size() ||
      payload.get_data_length() != 2 * extension->sums.size()) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  for (std::size_t i = 0; i < extension->sums.size(); ++i) {
    const std::uint64_t parameter = extension->parameters[i];
    const std::int16_t result =
        requantize(extension->sums[i], parameter_multiplier(parameter), parameter_bias(parameter),
                   extension->shift, extension->activation);
    std::memcpy(payload.get_data_ptr() + 2 * i, &result, 2);
  }
  delay = clock_.until(clock_.cycle(delay) + extension->sums.size() - 1 + RequantizerTiming::latency);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
