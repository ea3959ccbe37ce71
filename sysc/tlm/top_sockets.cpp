#include "tlm/top_sockets.h"
#include <cstring>
#include <string>

namespace deltatwin {
namespace {

// WSTRB of four bytes.
unsigned strobes(const tlm::tlm_generic_payload& payload) {
  const unsigned char* enables = payload.get_byte_enable_ptr();
  const unsigned length = payload.get_byte_enable_length();
  unsigned bits = 0;
  for (unsigned i = 0; i < 4; ++i)
    bits |= unsigned{!enables || length == 0 || enables[i % length] != 0} << i;
  return bits;
}

bool is_legal(const OutputBurst& burst, const std::vector<Cycle>& taken) {
  Cycle earliest = burst.offered;
  for (const Cycle cycle : taken) {
    if (cycle < earliest || cycle == never)
      return false;
    earliest = cycle + 1;
  }
  return taken.size() == static_cast<std::size_t>(burst.beats);
}

} // namespace

bool in_thread() {
  const sc_core::sc_curr_proc_kind kind = sc_core::sc_get_current_process_handle().proc_kind();
  return kind == sc_core::SC_THREAD_PROC_ || kind == sc_core::SC_CTHREAD_PROC_;
}

TopSockets::TopSockets(const sc_core::sc_module_name& name, const Top& top)
    : sc_module(name), clock_(top.clock_mhz()), address_bits_(top.buses().front().address_bits) {
  for (const Bus& bus : top.buses())
    if (bus.kind != Bus::axi_lite)
      (bus.kind == Bus::stream_in ? input_bytes_ : output_bytes_)
          .push_back(static_cast<std::size_t>(bus.data_bits) / 8);
  inputs.init(input_bytes_.size());
  outputs.init(output_bytes_.size());
  control.register_b_transport(this, &TopSockets::control_transport);
  control.register_transport_dbg(this, &TopSockets::control_debug);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i].register_b_transport(this, &TopSockets::input_transport, static_cast<int>(i));
}

void TopSockets::report(const std::string& what) const {
  SC_REPORT_ERROR("/deltatwin/tlm", (std::string(name()) + ' ' + what).c_str());
}

// A sink is being called, and may wait.
class TopSockets::Delivery {
public:
  explicit Delivery(TopSockets& top) : top_(top) {
    top.delivering_ = true;
    top.deliverer_ = sc_core::sc_get_current_process_handle();
  }
  ~Delivery() {
    top_.delivering_ = false;
    top_.delivered_.notify();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

private:
  TopSockets& top_;
};

// While a sink waits its burst is not done, so whoever comes meanwhile waits too.
void TopSockets::enter() {
  while (delivering_) {
    if (!in_thread() || sc_core::sc_get_current_process_handle() == deliverer_)
      report("is accessed by the sink of one of its outputs; let it notify another process");
    sc_core::wait(delivered_);
  }
}

void TopSockets::hard_reset(Cycle& cycle, Cycle cycles) {
  enter();
  reset(cycle, cycles);
}

void TopSockets::control_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (payload.get_data_length() != 4 || payload.get_streaming_width() < 4) { // AXI4-Lite has no bursts
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_address() >> address_bits_ != 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  Cycle cycle = clock_.cycle(delay);
  enter();
  const auto address = static_cast<std::uint32_t>(payload.get_address());
  bool okay = true;
  if (payload.is_write()) {
    std::uint32_t data;
    std::memcpy(&data, payload.get_data_ptr(), 4);
    okay = write(address, data, strobes(payload), cycle);
  } else if (payload.is_read()) {
    const TopModel::ReadResult result = read(address, cycle);
    std::memcpy(payload.get_data_ptr(), &result.data, 4);
    okay = result.okay;
  }
  delay = clock_.until(cycle);
  payload.set_response_status(okay ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

unsigned TopSockets::control_debug(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read() || payload.get_data_length() < 4 || payload.get_address() >> address_bits_ != 0)
    return 0;
  const TopModel::ReadResult result = peek(static_cast<std::uint32_t>(payload.get_address()));
  if (!result.okay)
    return 0;
  std::memcpy(payload.get_data_ptr(), &result.data, 4);
  return 4;
}

void TopSockets::input_transport(int stream, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!payload.is_write()) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  const auto index = static_cast<std::size_t>(stream);
  const std::size_t length = payload.get_data_length(), beats = length / input_bytes_[index];
  auto* extension = payload.get_extension<StreamExtension>();
  const auto fits = [&](const auto& per_beat) { return per_beat.empty() || per_beat.size() == beats; };
  if (length == 0 || length % input_bytes_[index] != 0 || payload.get_streaming_width() < length ||
      payload.get_byte_enable_ptr() || (extension && !(fits(extension->gaps) && fits(extension->tlast)))) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  StreamBurst burst{payload.get_data_ptr(), beats};
  if (extension) {
    extension->taken.clear();
    extension->taken.reserve(beats);
    if (!extension->gaps.empty())
      burst.gaps = [extension](std::uint64_t beat) { return extension->gaps[beat]; };
    if (!extension->tlast.empty())
      burst.tlast = extension->tlast.data();
  }
  Cycle cycle = clock_.cycle(delay);
  enter();
  const std::size_t taken = offer(index, burst, cycle, extension ? &extension->taken : nullptr);
  delay = clock_.until(cycle);
  payload.set_response_status(taken == beats ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

void TopSockets::deliver(std::size_t stream, const OutputBurst& burst, std::vector<Cycle>& taken) {
  const auto beats = static_cast<std::size_t>(burst.beats);
  StreamExtension extension; // outlives the payload, where a sink throws, too
  tlm::tlm_generic_payload payload;
  extension.tlast.assign(beats, 0);
  extension.tlast.back() = burst.last;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(const_cast<unsigned char*>(burst.data));
  payload.set_data_length(static_cast<unsigned>(beats * output_bytes_[stream]));
  payload.set_streaming_width(payload.get_data_length());
  payload.set_extension(&extension);
  sc_core::sc_time delay = clock_.until(burst.offered);
  const sc_core::sc_time told = sc_core::sc_time_stamp() + delay;
  {
    const Delivery delivery(*this);
    outputs[stream]->b_transport(payload, delay);
  }
  payload.clear_extension(&extension);
  const std::string socket = "has a sink at output " + std::to_string(stream);
  if (!payload.is_response_ok())
    report(socket + " that answers " + payload.get_response_string() + "; a stream cannot be refused");
  if (extension.taken.empty()) {
    if (sc_core::sc_time_stamp() + delay != told)
      report(socket + " that adds a delay; StreamExtension::taken is for that");
    for (std::size_t i = 0; i < beats; ++i)
      taken.push_back(burst.offered + i);
    return;
  }
  if (!is_legal(burst, extension.taken))
    report(socket + " that takes beats before they are offered, or not in their order, or never");
  taken.insert(taken.end(), extension.taken.begin(), extension.taken.end());
}

} // namespace deltatwin
