#include "tlm/edqa_quantizer.h"
#include <cstring>

namespace deltatwin {

EdqaQuantizer::EdqaQuantizer(const sc_core::sc_module_name& name, const EdqaQuantizerConfig& config,
                             double clock_mhz)
    : sc_module(name), config_(config), clock_(clock_mhz) {
  socket.register_b_transport(this, &EdqaQuantizer::transport);
}

void EdqaQuantizer::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto* extension = payload.get_extension<EdqaQuantizeExtension>();
  if (!payload.is_read() || !extension || extension->values.empty() ||
      !possible(extension->scheme, config_.max_bits) ||
      payload.get_data_length() != 2 * extension->values.size()) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  unsigned char* data = payload.get_data_ptr();
  for (const EdqaMagnitude& value : extension->values) {
    const auto v = static_cast<std::int16_t>(
        edqa_quantize(config_.format, extension->scheme, value, extension->maximum, extension->direct));
    std::memcpy(data, &v, 2);
    data += 2;
  }
  delay = clock_.until(clock_.cycle(delay) + extension->values.size() - 1 +
                       edqa_quantizer_latency(extension->scheme.bits));
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
