#include "tlm/huffman_code_book.h"
#include <algorithm>
#include <utility>

namespace deltatwin {

HuffmanCodeBook::HuffmanCodeBook(const sc_core::sc_module_name& name, int symbol_bits, int books,
                                 double clock_mhz)
    : sc_module(name), symbol_bits_(symbol_bits), clock_(clock_mhz),
      lengths_(static_cast<std::size_t>(books) << symbol_bits), tables_(static_cast<std::size_t>(books)) {
  socket.register_b_transport(this, &HuffmanCodeBook::transport);
}

const CodeTable* HuffmanCodeBook::table(int book) const {
  const auto& table = tables_.at(static_cast<std::size_t>(book));
  return table ? &*table : nullptr;
}

bool HuffmanCodeBook::well_formed(const tlm::tlm_generic_payload& payload, bool build) const {
  const std::uint64_t address = payload.get_address();
  const std::uint64_t length = payload.is_write() ? payload.get_data_length() : 0;
  const std::uint64_t book = std::uint64_t{1} << symbol_bits_;
  if (payload.is_read() || address >= lengths_.size() || length > lengths_.size() - address ||
      (payload.is_write() ? length == 0 : !build))
    return false;
  if (build && (address % book || (payload.is_write() && length != book)))
    return false;
  const unsigned char* data = payload.get_data_ptr();
  return std::all_of(data, data + length, [](unsigned char value) { return value < 16; });
}

void HuffmanCodeBook::build(std::size_t book, Cycle from, CodeBookExtension& extension) {
  const auto first = lengths_.begin() + static_cast<std::ptrdiff_t>(book << symbol_bits_);
  CodeBookTiming timing = code_book_timing(symbol_bits_);
  std::vector<int> lengths(first, first + static_cast<std::ptrdiff_t>(timing.symbols));
  if (extension.uniform)
    lengths.assign(lengths.size(), symbol_bits_);
  if (extension.symbols) {
    timing.symbols = static_cast<Cycle>(extension.symbols);
    std::fill(lengths.begin() + extension.symbols, lengths.end(), 0);
  }
  const CodeTable& table = tables_[book].emplace(std::move(lengths));
  extension.fault = table.fault;
  extension.start = std::max(from, free_);
  extension.done = free_ =
      extension.start + (table.fault == BookFault::none ? timing.build() : timing.fault());
}

void HuffmanCodeBook::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<CodeBookExtension>();
  if (!well_formed(payload, extension != nullptr) ||
      (extension && (extension->symbols < 0 || extension->symbols > 1 << symbol_bits_))) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  const std::uint64_t address = payload.get_address();
  Cycle cycle = clock_.cycle(delay);
  if (payload.is_write()) {
    std::copy_n(payload.get_data_ptr(), payload.get_data_length(),
                lengths_.begin() + static_cast<std::ptrdiff_t>(address));
    cycle += payload.get_data_length();
  }
  if (extension) {
    build(address >> symbol_bits_, cycle, *extension);
    cycle = extension->done + 1;
  }
  delay = clock_.until(cycle);
  payload.set_response_status(extension && extension->fault != BookFault::none
                                  ? tlm::TLM_GENERIC_ERROR_RESPONSE
                                  : tlm::TLM_OK_RESPONSE);
}

} // namespace deltatwin
