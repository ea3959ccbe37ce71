#include "tlm/scheduler.h"
#include <cstring>

namespace deltatwin {

Scheduler::Scheduler(const sc_core::sc_module_name& name, const SchedulerConfig& config, double clock_mhz)
    : sc_module(name), config_(config), clock_(clock_mhz),
      words_(2 * static_cast<std::size_t>(config.max_layers)) {
  program.register_b_transport(this, &Scheduler::program_transport);
  run.register_b_transport(this, &Scheduler::run_transport);
}

void Scheduler::reset() {
  timing_.reset();
  error_ = {};
}

void Scheduler::program_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::uint64_t address = payload.get_address(), length = payload.get_data_length();
  if (length == 0 || address % 4 || length % 4 || length > 4 * words_.size() ||
      address > 4 * words_.size() - length) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.is_write())
    std::memcpy(words_.data() + address / 4, payload.get_data_ptr(), length);
  else
    std::memcpy(payload.get_data_ptr(), words_.data() + address / 4, length);
  delay += static_cast<double>(length / 4) * clock_.period();
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool Scheduler::start(std::uint32_t layers, std::uint32_t images, const BooksExtension* books, Cycle cycle) {
  if (error_.code != ErrorCode::none)
    return false;
  const std::vector<LayerDescriptor> table = read_table(words_);
  timing_.reset();
  error_ = check_program(config_, table, layers, images);
  if (error_.code == ErrorCode::none && config_.huffman) {
    if (!books || books->books.size() != layers)
      return false;
    error_ = check_books(config_, books->books);
  }
  if (error_.code != ErrorCode::none) {
    error_.cycle += cycle + 1;
    return false;
  }
  timing_.emplace(config_, std::vector(table.begin(), table.begin() + layers),
                  cycle + preparation_cycles(config_, layers));
  return true;
}

void Scheduler::run_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto* extension = payload.get_extension<IssueExtension>();
  bool okay = false;
  if (payload.is_write() && payload.get_data_length() == 8) {
    std::uint32_t words[2];
    std::memcpy(words, payload.get_data_ptr(), 8);
    okay = start(words[0], words[1], payload.get_extension<BooksExtension>(), clock_.cycle(delay));
  } else if (extension && timing_ && error_.code == ErrorCode::none) {
    timing_->loaded(extension->loaded);
    extension->blocks.clear();
    extension->error = error_ = timing_->issue(
        [&](const IssuedBlock& block) { extension->blocks.push_back(block); }, take_each_cycle);
    if (!extension->blocks.empty())
      delay = clock_.until(extension->blocks.back().last_slot + 1);
    okay = extension->error.code == ErrorCode::none;
  }
  payload.set_response_status(okay ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

} // namespace deltatwin
