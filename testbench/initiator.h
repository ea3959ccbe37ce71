#pragma once
#include "tlm/host.h"
#include <string>

namespace deltatwin {

/// The other end of a block model's socket: one transaction a call, at a given cycle of 10 ns.
class Initiator : public sc_core::sc_module {
public:
  tlm_utils::simple_initiator_socket<Initiator> socket{"socket"};

  template <class Target> Initiator(const sc_core::sc_module_name& name, Target& target) : sc_module(name) {
    socket.bind(target);
  }

  /// Returns whether the target answered OK; `cycle` becomes what it annotated.
  template <class Extension = StreamExtension>
  bool access(tlm::tlm_command command, std::uint64_t address, void* data, std::size_t length, Cycle& cycle,
              Extension* extension = nullptr) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(static_cast<unsigned>(length));
    payload.set_streaming_width(static_cast<unsigned>(length));
    payload.set_extension(extension);
    sc_core::sc_time delay = clock_.until(cycle);
    socket->b_transport(payload, delay);
    payload.clear_extension(extension);
    cycle = clock_.cycle(delay);
    return payload.is_response_ok();
  }

private:
  Clock clock_{100};
};

} // namespace deltatwin
