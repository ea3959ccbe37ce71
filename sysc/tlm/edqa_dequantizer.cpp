#include "tlm/edqa_dequantizer.h"
#include <algorithm>
#include <cstring>

namespace deltatwin {

EdqaDequantizer::EdqaDequantizer(const sc_core::sc_module_name& name, const EdqaDequantizerConfig& config,
                                 double clock_mhz)
    : sc_module(name), config_(config), clock_(clock_mhz) {
  socket.register_b_transport(this, &EdqaDequantizer::transport);
}

void EdqaDequantizer::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<EdqaDequantizeExtension>();
  if (!payload.is_read() || !extension || extension->codes.empty() ||
      !possible(extension->scheme, config_.max_bits) || extension->scheme.extra > config_.max_extra ||
      payload.get_data_length() != 8 * extension->codes.size()) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  unsigned char* data = payload.get_data_ptr();
  extension->flags.clear();
  for (const EdqaDequantizeExtension::Code& code : extension->codes) {
    const EdqaResult result =
        edqa_dequantize(config_.format, extension->scheme, code.q, code.se, extension->maximum);
    std::memcpy(data, &result.value, 8);
    data += 8;
    extension->flags.push_back(static_cast<std::uint8_t>(result.flags));
  }
  delay = clock_.until(clock_.cycle(delay) + extension->codes.size() - 1 +
                       edqa_dequantizer_latency(config_.format));
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
