#include "tlm/huffman_encoder.h"
#include <algorithm>

namespace deltatwin {

HuffmanEncoder::HuffmanEncoder(const sc_core::sc_module_name& name, int symbol_bits, double clock_mhz)
    : sc_module(name), clock_(clock_mhz), entries_(std::size_t{1} << symbol_bits) {
  table.register_b_transport(this, &HuffmanEncoder::table_transport);
  socket.register_b_transport(this, &HuffmanEncoder::transport);
}

void HuffmanEncoder::reset() {
  packer_ = {};
  timing_ = {};
}

void HuffmanEncoder::table_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::uint64_t address = payload.get_address(), length = payload.get_data_length();
  const unsigned char* data = payload.get_data_ptr();
  bool okay = payload.is_write() && length != 0 && address % 2 == 0 && length % 2 == 0 &&
              address < 2 * entries_.size() && length <= 2 * entries_.size() - address;
  for (std::uint64_t i = 0; okay && i < length; i += 2)
    okay = data[i + 1] <= max_code_length && data[i] >> data[i + 1] == 0;
  if (!okay) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  for (std::uint64_t i = 0; i < length; i += 2)
    entries_[(address + i) / 2] = {data[i], data[i + 1]};
  delay = clock_.until(clock_.cycle(delay) + length / 2);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool HuffmanEncoder::well_formed(const tlm::tlm_generic_payload& payload,
                                 const EncodeExtension* extension) const {
  const unsigned char* data = payload.get_data_ptr();
  const std::size_t length = payload.get_data_length();
  return payload.is_write() && extension && length != 0 &&
         (extension->gaps.empty() || extension->gaps.size() == length) &&
         std::all_of(data, data + length, [this](unsigned char symbol) { return symbol < entries_.size(); });
}

void HuffmanEncoder::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<EncodeExtension>();
  if (!well_formed(payload, extension)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  const std::size_t length = payload.get_data_length();
  std::vector<EncodedWord>& words = extension->words;
  words.clear();
  extension->taken.clear();
  extension->uncoded.clear();
  Cycle cycle = clock_.cycle(delay);
  for (std::size_t i = 0; i < length; ++i) {
    const Cycle beat = timing_.take(cycle + (extension->gaps.empty() ? 0 : extension->gaps[i]));
    extension->taken.push_back(beat);
    const CodeEntry entry = extension->empty ? CodeEntry{} : entries_[payload.get_data_ptr()[i]];
    if (entry.length == 0 && !extension->empty)
      extension->uncoded.push_back(i);
    const std::size_t before = words.size();
    pack(packer_, entry, extension->last && i + 1 == length, words);
    for (std::size_t w = before; w < words.size(); ++w)
      timing_.emit(words[w], extension->sink);
    cycle = beat + 1;
  }
  delay = clock_.until(cycle);
  payload.set_response_status(extension->uncoded.empty() ? tlm::TLM_OK_RESPONSE
                                                         : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

} // namespace deltatwin
