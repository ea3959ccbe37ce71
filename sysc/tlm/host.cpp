#include "tlm/host.h"
#include <cstring>
#include <stdexcept>

namespace deltatwin {

Host::Host(const sc_core::sc_module_name& name, AcceleratorSockets& accelerator)
    : sc_module(name), clock_(accelerator.clock()) {
  control.bind(accelerator.control);
  input.bind(accelerator.input);
  accelerator.output.bind(output);
  output.register_b_transport(this, &Host::output_transport);
}

bool Host::access(tlm::tlm_command command, std::uint32_t address, std::uint32_t& data, Cycle cycle,
                  unsigned strobe) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  unsigned char enables[4];
  for (unsigned i = 0; i < 4; ++i)
    enables[i] = strobe >> i & 1 ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED;
  if (strobe != 0xf) {
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(4);
  }
  sc_core::sc_time delay = clock_.until(cycle);
  control->b_transport(payload, delay);
  now_ = clock_.cycle(delay) + 1; // the response beat is taken at once
  return payload.is_response_ok();
}

bool Host::write_at(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) {
  return access(tlm::TLM_WRITE_COMMAND, address, data, cycle, strobe);
}

TopModel::ReadResult Host::read_at(std::uint32_t address, Cycle cycle) {
  TopModel::ReadResult result;
  result.okay = access(tlm::TLM_READ_COMMAND, address, result.data, cycle, 0xf);
  return result;
}

bool Host::stream_at(const std::int8_t* data, std::size_t count, Cycle& cycle, StreamExtension* extension) {
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(const_cast<std::int8_t*>(data)));
  payload.set_data_length(static_cast<unsigned>(count));
  payload.set_streaming_width(static_cast<unsigned>(count));
  payload.set_extension(extension);
  sc_core::sc_time delay = clock_.until(cycle);
  input->b_transport(payload, delay);
  payload.clear_extension(extension);
  cycle = clock_.cycle(delay);
  return payload.is_response_ok();
}

void Host::write(std::uint32_t address, std::uint32_t data) {
  if (!write_at(address, data, now_))
    throw std::runtime_error("the accelerator refused a write to register " + std::to_string(address));
}

std::uint32_t Host::read(std::uint32_t address) {
  const TopModel::ReadResult result = read_at(address, now_);
  if (!result.okay)
    throw std::runtime_error("the accelerator refused a read of register " + std::to_string(address));
  return result.data;
}

void Host::load(const Program& program) {
  for_each_load(program, [this](std::uint32_t address, std::uint32_t data) { write(address, data); });
}

void Host::start(std::uint32_t images) {
  write(reg::images, images);
  write(reg::control, control_start);
}

void Host::stream(const std::int8_t* data, std::size_t count) {
  constexpr std::size_t largest_burst = std::size_t{1} << 30; // a payload's length has 32 bits
  for (std::size_t done = 0; done < count;) {
    const std::size_t burst = std::min(largest_burst, count - done);
    if (!stream_at(data + done, burst, now_))
      throw std::runtime_error("the accelerator did not take the whole input stream");
    done += burst;
  }
}

void Host::output_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::size_t count = payload.get_data_length() / 2, before = results_.size();
  results_.resize(before + count);
  std::memcpy(&results_[before], payload.get_data_ptr(), payload.get_data_length());
  auto* extension = payload.get_extension<StreamExtension>();
  sink_({&results_[before], static_cast<int>(count), extension->tlast.back() != 0, clock_.cycle(delay)},
        extension->taken);
  last_output_ = extension->taken.back();
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void end_elaboration() {
  sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

} // namespace deltatwin
