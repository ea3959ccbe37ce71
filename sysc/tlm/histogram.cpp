#include "tlm/histogram.h"
#include <algorithm>

namespace deltatwin {

Histogram::Histogram(const sc_core::sc_module_name& name, const HistogramConfig& config, double clock_mhz)
    : sc_module(name), config_(config), clock_(clock_mhz), core_(config.symbols) {
  socket.register_b_transport(this, &Histogram::transport);
}

void Histogram::reset() {
  core_ = HistogramCore(config_.symbols);
  counted_ = 0;
}

bool Histogram::well_formed(const tlm::tlm_generic_payload& payload, const CountExtension* extension) const {
  const unsigned char* data = payload.get_data_ptr();
  const std::size_t length = payload.get_data_length();
  return payload.is_write() && extension && length != 0 &&
         (extension->gaps.empty() || extension->gaps.size() == length) &&
         (counted_ + length) >> config_.count_bits == 0 &&
         std::all_of(data, data + length, [this](unsigned char symbol) { return symbol < config_.symbols; });
}

void Histogram::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<CountExtension>();
  if (!well_formed(payload, extension)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  const std::size_t length = payload.get_data_length();
  extension->taken.clear();
  extension->counts.clear();
  extension->sent.clear();
  Cycle cycle = clock_.cycle(delay);
  for (std::size_t i = 0; i < length; ++i) {
    const Cycle beat = core_.beat(cycle + (extension->gaps.empty() ? 0 : extension->gaps[i]));
    core_.take(payload.get_data_ptr()[i], extension->last && i + 1 == length, beat);
    extension->taken.push_back(beat);
    cycle = beat + 1;
  }
  counted_ = extension->last ? 0 : counted_ + length;
  if (extension->last) {
    extension->counts = core_.counts();
    Cycle sent = core_.offered();
    for (int s = 0; s < config_.symbols; ++s, ++sent)
      extension->sent.push_back(sent = extension->sink.next_ready(sent));
    core_.given(sent - 1);
  }
  delay = clock_.until(cycle);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
