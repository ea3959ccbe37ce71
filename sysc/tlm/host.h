#pragma once
#include "tlm/top_sockets.h"
#include "tops/session.h"
#include <cstring>
#include <string>
#include <vector>

namespace deltatwin {

/// The other side of a top's sockets: accesses registers, streams inputs, collects outputs, or plays a
/// whole session. Blocking calls that keep a local time (`now`), as a temporally decoupled initiator
/// does; it is never behind SystemC's.
///
///     Host host("host", accelerator);            // binds the sockets
///     end_elaboration();                         // for use without sc_start()
///     Session session;
///     load_program(session, program);
///     host.play(session);
///     host.write(reg::images, images);
///     host.write(reg::control, control_start);
///     host.stream(0, inputs.data(), inputs.size(), inputs_of_an_image); // then host.values<std::int16_t>()
class Host : public sc_core::sc_module {
public:
  tlm_utils::simple_initiator_socket<Host> control{"control"};
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<Host>> inputs{"input"};
  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Host>> outputs{"output"};

  Host(const sc_core::sc_module_name& name, TopSockets& top);

  /// A register access in a given cycle, or as soon as it can be; `strobes`: the bytes written.
  bool write_at(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobes = 0xf);
  TopModel::ReadResult read_at(std::uint32_t address, Cycle cycle);
  /// Streams beats from a given cycle on, which becomes what TopSockets says; returns whether all were taken.
  bool stream_at(std::size_t port, const std::uint8_t* data, std::size_t beats, Cycle& cycle,
                 StreamExtension* extension = nullptr);

  /// Register accesses one after the other; throws std::runtime_error on SLVERR.
  void write(std::uint32_t address, std::uint32_t data);
  std::uint32_t read(std::uint32_t address);
  /// Packets of `packet` beats each, the last one may be shorter; throws std::runtime_error when not all is
  /// taken.
  void stream(std::size_t port, const std::uint8_t* data, std::size_t beats, std::size_t packet);
  /// Reads STATUS until nothing runs; a run whose input is missing has no end.
  void wait_stop();
  /// Does what a session says, one action behind the other: a stream is taken, or given up, before what
  /// comes next. With its stalls, until the next session.
  RunRecord play(const Session& session);

  /// What takes an output stream; at once by default. Outputs are collected whatever the sink.
  void set_sink(std::size_t port, OutputSink sink) { received_[port].sink = std::move(sink); }
  /// TDATA of the output beats, and the cycles of those with TLAST.
  [[nodiscard]] const std::vector<std::uint8_t>& bytes(std::size_t port = 0) const {
    return received_[port].bytes;
  }
  template <class Value> [[nodiscard]] std::vector<Value> values(std::size_t port = 0) const {
    std::vector<Value> values(bytes(port).size() / sizeof(Value));
    std::memcpy(values.data(), bytes(port).data(), values.size() * sizeof(Value));
    return values;
  }
  [[nodiscard]] const std::vector<Cycle>& ends(std::size_t port = 0) const { return received_[port].ends; }
  void clear_received();
  /// The cycle of the latest output beat.
  [[nodiscard]] Cycle last_output() const { return last_output_; }
  [[nodiscard]] Cycle now() const { return std::max(now_, clock_.cycle()); }
  void wait_until(Cycle cycle) { now_ = std::max(now_, cycle); }
  /// Lets SystemC's time come as far, where a thread calls.
  void synchronize() const;

private:
  struct Received {
    OutputSink sink;
    std::vector<std::uint8_t> bytes;
    std::vector<Cycle> ends;
  };

  void output_transport(int port, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool access(tlm::tlm_command command, std::uint32_t address, std::uint32_t& data, Cycle cycle,
              unsigned strobes);

  TopSockets& top_;
  Clock clock_;
  std::vector<Received> received_;
  Cycle now_ = 0, last_output_ = 0;
};

/// Ends SystemC's elaboration without letting time pass, so that sockets can be used from outside of
/// any process.
void end_elaboration();

} // namespace deltatwin
