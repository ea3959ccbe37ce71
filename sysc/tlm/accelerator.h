#pragma once
#include "tlm/stream.h"
#include "tops/accelerator/accelerator.h"
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace deltatwin {

/// Output beats of one tile on their way to whoever takes them. `taken` receives the cycle of each
/// beat: not before it is offered, and each later than the one before.
struct OutputTile {
  const std::int16_t* values;
  int count;
  bool last;     ///< the tile ends an inference: its last beat carries TLAST
  Cycle offered; ///< of the first beat, after the beats before were taken; one more cycle a beat
};
using TileSink = std::function<void(const OutputTile&, std::vector<Cycle>& taken)>;

/// A sink that is always ready.
void take_at_once(const OutputTile& tile, std::vector<Cycle>& taken);

/// The accelerator as a TLM-2.0 component of a virtual platform: blocking transport, loosely timed
/// with exact annotations. Either twin stands behind these sockets: the model below, or the
/// Verilated RTL (cosim/rtl_accelerator.h).
///
///     Accelerator accelerator("accelerator", design);
///     host.control.bind(accelerator.control);   // registers: 4-byte reads and writes, see `reg`
///     host.input.bind(accelerator.input);       // a burst: one or more inferences' int8 inputs
///     accelerator.output.bind(host.output);     // a burst of int16 results a tile of the last layer
///
/// `control`: the annotated delay is the cycle of the address and data beats; on the way back the
/// earliest one of the response beat. SLVERR is TLM_GENERIC_ERROR_RESPONSE. Byte enables are WSTRB: a
/// write without any byte does nothing, one of some bytes is refused.
/// `input`, `output`: see StreamExtension. A burst that is not taken whole (the run has ended, or
/// erred) answers TLM_GENERIC_ERROR_RESPONSE.
class AcceleratorSockets : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<AcceleratorSockets> control{"control"};
  tlm_utils::simple_target_socket<AcceleratorSockets> input{"input"};
  tlm_utils::simple_initiator_socket<AcceleratorSockets> output{"output"};

  [[nodiscard]] const Clock& clock() const { return clock_; }

protected:
  AcceleratorSockets(const sc_core::sc_module_name& name, const Design& design);
  virtual bool write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) = 0;
  virtual TopModel::ReadResult read(std::uint32_t address, Cycle cycle) = 0;
  /// Returns how many beats were taken; `from` becomes the cycle after the last one.
  virtual std::size_t stream(const std::int8_t* data, std::size_t count, Cycle& from,
                             StreamExtension* extension) = 0;
  /// Sends a tile's results downstream.
  void deliver(const OutputTile& tile, std::vector<Cycle>& taken);

private:
  void control_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void input_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  Clock clock_;
};

/// The model: computes when each beat happens instead of ticking.
class Accelerator : public AcceleratorSockets {
public:
  Accelerator(const sc_core::sc_module_name& name, const Design& design);
  /// For traces, resets and what is known of the run ahead of time.
  [[nodiscard]] AcceleratorCore& core() { return core_; }
  [[nodiscard]] const AcceleratorCore& core() const { return core_; }

protected:
  bool write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) override;
  TopModel::ReadResult read(std::uint32_t address, Cycle cycle) override;
  std::size_t stream(const std::int8_t* data, std::size_t count, Cycle& from,
                     StreamExtension* extension) override;

private:
  AcceleratorCore core_;
};

} // namespace deltatwin
