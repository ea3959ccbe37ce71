#pragma once
#include "tlm/accelerator.h"
#include "tops/accelerator/session.h"
#include <algorithm>
#include <string>
#include <vector>

namespace deltatwin {

/// The other side of an accelerator's sockets: loads a program, streams inferences, collects
/// results. Blocking calls that keep a local time (`now`), as a temporally decoupled initiator does.
///
///     Host host("host", accelerator);            // binds the three sockets
///     end_elaboration();                         // for use without sc_start()
///     host.load(compile(network, design));
///     host.start(images);
///     host.stream(inputs.data(), inputs.size()); // results: host.results(), one int16 an output
class Host : public sc_core::sc_module {
public:
  tlm_utils::simple_initiator_socket<Host> control{"control"};
  tlm_utils::simple_initiator_socket<Host> input{"input"};
  tlm_utils::simple_target_socket<Host> output{"output"};

  Host(const sc_core::sc_module_name& name, AcceleratorSockets& accelerator);

  /// A register access in a given cycle; `strobe`: the bytes written.
  bool write_at(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe = 0xf);
  TopModel::ReadResult read_at(std::uint32_t address, Cycle cycle);
  /// Stream beats from a given cycle on; returns whether all were taken.
  bool stream_at(const std::int8_t* data, std::size_t count, Cycle& cycle,
                 StreamExtension* extension = nullptr);

  /// Register accesses one after the other; throws std::runtime_error on SLVERR.
  void write(std::uint32_t address, std::uint32_t data);
  std::uint32_t read(std::uint32_t address);
  void load(const Program& program);
  void start(std::uint32_t images);
  void stream(const std::int8_t* data, std::size_t count);

  /// What takes the results; at once by default. Results are collected whatever the sink.
  void set_sink(TileSink sink) { sink_ = std::move(sink); }
  [[nodiscard]] const std::vector<std::int16_t>& results() const { return results_; }
  void clear_results() { results_.clear(); }
  /// The cycle of the latest output beat.
  [[nodiscard]] Cycle last_output() const { return last_output_; }
  [[nodiscard]] Cycle now() const { return now_; }
  void wait_until(Cycle cycle) { now_ = std::max(now_, cycle); }

private:
  void output_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool access(tlm::tlm_command command, std::uint32_t address, std::uint32_t& data, Cycle cycle,
              unsigned strobe);

  Clock clock_;
  TileSink sink_ = static_cast<void (*)(const OutputTile&, std::vector<Cycle>&)>(take_at_once);
  std::vector<std::int16_t> results_;
  Cycle now_ = 0, last_output_ = 0;
};

/// Ends SystemC's elaboration without letting time pass, so that sockets can be used from outside of
/// any process.
void end_elaboration();

} // namespace deltatwin
