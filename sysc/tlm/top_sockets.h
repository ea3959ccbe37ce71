#pragma once
#include "tlm/stream.h"
#include "tops/top.h"
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace deltatwin {

/// A top as a TLM-2.0 component of a virtual platform: blocking transport, loosely timed with exact
/// annotations. Either twin stands behind these sockets, with the same answers and times: the model
/// (ModelTop in tlm/model_top.h) or the Verilated RTL (RtlTop in cosim/rtl_top.h).
///
///     ModelTop codec("codec", CodecTop(config));
///     cpu.socket.bind(codec.control);    // registers: reads and writes of 4 bytes
///     dma.socket.bind(codec.inputs[0]);  // bursts of beats, in the order of the top's buses
///     codec.outputs[0].bind(buffer.socket);
///
/// `control`. The annotated delay is the cycle in which the access is offered; on the way back, the cycle
/// after its response. Byte enables are WSTRB. SLVERR is TLM_GENERIC_ERROR_RESPONSE, an address beyond the
/// port's bits TLM_ADDRESS_ERROR_RESPONSE. transport_dbg() reads a register without time or effect.
///
/// `inputs`. A burst as in StreamExtension. The delay is the first beat's earliest cycle; on the way back,
/// the cycle after the last beat's. A beat that waits while STATUS is not running is given up with the rest
/// of its burst: TLM_GENERIC_ERROR_RESPONSE, and the delay leads behind that cycle.
///
/// `outputs`. Bursts as in StreamExtension, the delay is the cycle from which on the first beat is offered.
/// A sink says in `taken` when it takes each beat; where it does not, it takes them at once. It may wait
/// for that cycle, but a stream cannot be refused nor delayed otherwise: any response but TLM_OK_RESPONSE,
/// or another delay without `taken`, is reported as an error. So is an access by the sink from within.
class TopSockets : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<TopSockets> control{"control"};
  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<TopSockets>> inputs{"input"};
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<TopSockets>> outputs{"output"};

  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// Of a stream's TDATA.
  [[nodiscard]] std::size_t input_bytes(std::size_t stream) const { return input_bytes_[stream]; }
  [[nodiscard]] std::size_t output_bytes(std::size_t stream) const { return output_bytes_[stream]; }

  /// rst_ni is low for `cycles` from cycle `cycle` on, which becomes the first one after.
  void hard_reset(Cycle& cycle, Cycle cycles);

protected:
  TopSockets(const sc_core::sc_module_name& name, const Top& top);

  /// Accesses; `cycle` as the delay of `control`.
  virtual bool write(std::uint32_t address, std::uint32_t data, unsigned strobes, Cycle& cycle) = 0;
  virtual TopModel::ReadResult read(std::uint32_t address, Cycle& cycle) = 0;
  virtual TopModel::ReadResult peek(std::uint32_t address) = 0;
  /// Returns how many beats are taken; `from` as the delay of `inputs`; `taken` may be null.
  virtual std::size_t offer(std::size_t stream, const StreamBurst& burst, Cycle& from,
                            std::vector<Cycle>* taken) = 0;
  virtual void reset(Cycle& cycle, Cycle cycles) = 0;
  /// Sends a burst downstream; an OutputSink.
  void deliver(std::size_t stream, const OutputBurst& burst, std::vector<Cycle>& taken);

private:
  class Delivery;
  void control_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned control_debug(tlm::tlm_generic_payload& payload);
  void input_transport(int stream, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void enter();
  void report(const std::string& what) const;

  Clock clock_;
  int address_bits_;
  std::vector<std::size_t> input_bytes_, output_bytes_;
  bool delivering_ = false; ///< there is a Delivery
  sc_core::sc_process_handle deliverer_;
  sc_core::sc_event delivered_;
};

/// Is the caller a process that may wait?
[[nodiscard]] bool in_thread();

} // namespace deltatwin
