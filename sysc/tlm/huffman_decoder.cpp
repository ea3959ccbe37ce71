#include "tlm/huffman_decoder.h"
#include <algorithm>

namespace deltatwin {
namespace {

unsigned gap(const std::vector<unsigned>& gaps, std::size_t index) { return gaps.empty() ? 0 : gaps[index]; }

} // namespace

HuffmanDecoder::HuffmanDecoder(const sc_core::sc_module_name& name, int symbol_bits, double clock_mhz)
    : sc_module(name), symbols_(std::size_t{1} << symbol_bits), clock_(clock_mhz),
      book_(CodeTable::uniform(symbol_bits)) {
  socket.register_b_transport(this, &HuffmanDecoder::transport);
}

bool HuffmanDecoder::load(const tlm::tlm_generic_payload& payload) {
  if (payload.get_address() != 0 || payload.get_data_length() != symbols_)
    return false;
  const unsigned char* data = payload.get_data_ptr();
  CodeTable book(std::vector<int>(data, data + symbols_));
  if (book.fault != BookFault::none)
    return false;
  book_ = std::move(book);
  return true;
}

void HuffmanDecoder::decode(tlm::tlm_generic_payload& payload, HuffmanDecodeExtension& stream, Cycle& cycle) {
  stream.word_cycles.clear();
  stream.take_cycles.clear();
  stream.fault = StreamFault::none;
  stream.raised = never;
  const std::size_t before = core_.accepted().size(), count = payload.get_data_length();
  const Cycle first = cycle;
  core_.stream(stream.words, [&, this](std::size_t index, Cycle from) {
    const Cycle free = index ? core_.accepted().back() + 1 : first;
    return std::max(from, free + gap(stream.word_gaps, index));
  });
  for (std::size_t i = 0; i < count; ++i) {
    const Cycle taken = core_.ready(cycle + gap(stream.take_gaps, i));
    stream.take_cycles.push_back(taken);
    const HuffmanDecoderCore::Symbol symbol = core_.take(book_, taken);
    payload.get_data_ptr()[i] = static_cast<unsigned char>(symbol.symbol);
    if (symbol.fault != StreamFault::none) {
      stream.fault = symbol.fault;
      stream.raised = taken + 1;
    }
    cycle = taken + 1;
  }
  --cycle;
  const HuffmanDecoderCore::End end = core_.end(cycle);
  if (end.fault != StreamFault::none) {
    stream.fault = end.fault;
    stream.raised = end.raised;
  }
  for (std::size_t i = before; i < core_.accepted().size(); ++i)
    if (core_.accepted()[i] < core_.failed_from())
      stream.word_cycles.push_back(core_.accepted()[i]);
}

void HuffmanDecoder::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  if (payload.is_write()) {
    if (load(payload))
      payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return;
  }
  auto* stream = payload.get_extension<HuffmanDecodeExtension>();
  const auto fits = [](const std::vector<unsigned>& gaps, std::size_t beats) {
    return gaps.empty() || gaps.size() == beats;
  };
  if (!payload.is_read() || !stream || stream->words.empty() || payload.get_data_length() == 0 ||
      core_.failed() || !fits(stream->word_gaps, stream->words.size()) ||
      !fits(stream->take_gaps, payload.get_data_length()))
    return;
  Cycle cycle = clock_.cycle(delay);
  decode(payload, *stream, cycle);
  delay = clock_.until(cycle);
  if (stream->fault == StreamFault::none)
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
