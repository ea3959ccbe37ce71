#include "tlm/huffman_builder.h"
#include <algorithm>

namespace deltatwin {

HuffmanBuilder::HuffmanBuilder(const sc_core::sc_module_name& name, int symbols, int limit, int count_bits,
                               double clock_mhz)
    : sc_module(name), timing_{symbols, limit}, count_bits_(count_bits), clock_(clock_mhz) {
  socket.register_b_transport(this, &HuffmanBuilder::transport);
}

bool HuffmanBuilder::well_formed(const tlm::tlm_generic_payload& payload,
                                 const HistogramExtension* extension) const {
  const std::size_t symbols = static_cast<std::size_t>(timing_.symbols);
  return payload.is_read() && payload.get_data_length() == symbols && extension &&
         extension->counts.size() == symbols &&
         (extension->gaps.empty() || extension->gaps.size() == symbols) &&
         std::all_of(extension->counts.begin(), extension->counts.end(),
                     [this](std::uint64_t count) { return count >> count_bits_ == 0; });
}

void HuffmanBuilder::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<HistogramExtension>();
  if (!well_formed(payload, extension)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  extension->taken.clear();
  extension->sent.clear();
  Cycle cycle = clock_.cycle(delay);
  for (std::size_t s = 0; s < extension->counts.size(); ++s) {
    cycle = std::max(cycle + (extension->gaps.empty() ? 0 : extension->gaps[s]), free_);
    extension->taken.push_back(cycle++);
  }
  const BuiltLengths built = build_lengths(extension->counts, timing_.limit);
  cycle = extension->taken.back() + timing_.lengths();
  for (std::size_t s = 0; s < built.lengths.size(); ++s) {
    payload.get_data_ptr()[s] = static_cast<unsigned char>(built.lengths[s]);
    cycle = extension->sink.next_ready(cycle);
    extension->sent.push_back(cycle++);
  }
  extension->error = built.error;
  free_ = cycle;
  delay = clock_.until(cycle);
  payload.set_response_status(built.error ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
