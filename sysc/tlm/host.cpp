#include "tlm/host.h"
#include "base/pacer.h"
#include <algorithm>
#include <stdexcept>

namespace deltatwin {

Host::Host(const sc_core::sc_module_name& name, TopSockets& top)
    : sc_module(name), top_(top), clock_(top.clock()), received_(top.outputs.size()) {
  inputs.init(top.inputs.size());
  outputs.init(top.outputs.size());
  control.bind(top.control);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i].bind(top.inputs[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    top.outputs[i].bind(outputs[i]);
    outputs[i].register_b_transport(this, &Host::output_transport, static_cast<int>(i));
  }
}

void Host::synchronize() const {
  if (in_thread())
    sc_core::wait(clock_.until(now_));
}

bool Host::access(tlm::tlm_command command, std::uint32_t address, std::uint32_t& data, Cycle cycle,
                  unsigned strobes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  unsigned char enables[4];
  for (unsigned i = 0; i < 4; ++i)
    enables[i] = strobes >> i & 1 ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED;
  if (strobes != 0xf) {
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(4);
  }
  sc_core::sc_time delay = clock_.until(cycle);
  control->b_transport(payload, delay);
  now_ = clock_.cycle(delay);
  return payload.is_response_ok();
}

bool Host::write_at(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobes) {
  return access(tlm::TLM_WRITE_COMMAND, address, data, cycle, strobes);
}

TopModel::ReadResult Host::read_at(std::uint32_t address, Cycle cycle) {
  TopModel::ReadResult result;
  result.okay = access(tlm::TLM_READ_COMMAND, address, result.data, cycle, 0xf);
  return result;
}

bool Host::stream_at(std::size_t port, const std::uint8_t* data, std::size_t beats, Cycle& cycle,
                     StreamExtension* extension) {
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(const_cast<unsigned char*>(data));
  payload.set_data_length(static_cast<unsigned>(beats * top_.input_bytes(port)));
  payload.set_streaming_width(payload.get_data_length());
  payload.set_extension(extension);
  sc_core::sc_time delay = clock_.until(cycle);
  inputs[port]->b_transport(payload, delay);
  payload.clear_extension(extension);
  cycle = clock_.cycle(delay);
  return payload.is_response_ok();
}

void Host::write(std::uint32_t address, std::uint32_t data) {
  if (!write_at(address, data, now()))
    throw std::runtime_error(std::string(top_.name()) + " refused a write to register " +
                             std::to_string(address));
}

std::uint32_t Host::read(std::uint32_t address) {
  const TopModel::ReadResult result = read_at(address, now());
  if (!result.okay)
    throw std::runtime_error(std::string(top_.name()) + " refused a read of register " +
                             std::to_string(address));
  return result.data;
}

void Host::stream(std::size_t port, const std::uint8_t* data, std::size_t beats, std::size_t packet) {
  constexpr std::size_t large_burst = std::size_t{1} << 22; // beats; bounds memory
  const std::size_t burst = std::max<std::size_t>(1, large_burst / packet) * packet;
  StreamExtension extension;
  for (std::size_t done = 0; done < beats; done += burst) {
    const std::size_t count = std::min(burst, beats - done);
    extension.tlast.assign(count, 0);
    for (std::size_t last = packet - 1; last < count; last += packet)
      extension.tlast[last] = 1;
    extension.tlast.back() = 1;
    Cycle cycle = now();
    const bool whole = stream_at(port, data + done * top_.input_bytes(port), count, cycle, &extension);
    now_ = cycle;
    if (!whole)
      throw std::runtime_error(std::string(top_.name()) + " did not take the whole input stream");
  }
}

void Host::wait_stop() {
  constexpr Cycle interval = 64;
  while (top_status(read(status_register)) == TopStatus::running) {
    now_ += interval;
    synchronize();
  }
}

RunRecord Host::play(const Session& session) {
  const auto pacer = [&](std::size_t stream) { return Pacer(session.stall, session.seed * 16 + stream); };
  for (std::size_t port = 0; port < received_.size(); ++port)
    received_[port].sink = paced(pacer(port));
  const Pacer accesses = pacer(15);
  RunRecord record;
  std::uint64_t index = 0;
  for (const HostAction& action : session.actions) {
    const Cycle offered = now() + accesses.gap(index++);
    switch (action.kind) {
    case HostAction::write:
      (void)write_at(action.address, action.data, offered, action.strobe);
      break;
    case HostAction::read:
      record.reads.push_back(read_at(action.address, offered).data);
      break;
    case HostAction::stream: {
      StreamExtension extension;
      extension.tlast = action.tlast;
      const Pacer source = pacer(8 + action.port);
      for (std::size_t beat = 0; session.stall > 0 && beat < action.tlast.size(); ++beat)
        extension.gaps.push_back(source.gap(beat));
      Cycle cycle = now();
      (void)stream_at(action.port, action.values.data(), action.tlast.size(), cycle, &extension);
      now_ = cycle;
      break;
    }
    case HostAction::flush:
      break;
    case HostAction::wait:
      now_ = now() + action.cycles;
      break;
    case HostAction::wait_stop:
      wait_stop();
      now_ += action.cycles;
      break;
    case HostAction::hard_reset:
      now_ = now();
      top_.hard_reset(now_, action.cycles);
      break;
    }
  }
  record.last_output = last_output_;
  return record;
}

void Host::clear_received() {
  for (Received& received : received_) {
    received.bytes.clear();
    received.ends.clear();
  }
  last_output_ = 0;
}

void Host::output_transport(int port, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Received& received = received_[static_cast<std::size_t>(port)];
  const unsigned char* data = payload.get_data_ptr();
  received.bytes.insert(received.bytes.end(), data, data + payload.get_data_length());
  const auto beats =
      static_cast<int>(payload.get_data_length() / top_.output_bytes(static_cast<std::size_t>(port)));
  auto* extension = payload.get_extension<StreamExtension>();
  const bool last = !extension || extension->tlast.empty() || extension->tlast.back() != 0;
  const Cycle offered = clock_.cycle(delay);
  last_output_ = offered + static_cast<Cycle>(beats) - 1;
  if (extension && received.sink) {
    extension->taken.clear();
    received.sink({data, beats, last, offered}, extension->taken);
    last_output_ = extension->taken.back();
  }
  if (last)
    received.ends.push_back(last_output_);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void end_elaboration() {
  sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

} // namespace deltatwin
