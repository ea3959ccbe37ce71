#pragma once
#include "base/pacer.h"
#include "cosim/lockstep.h"
#include "cosim/waves.h"
#include "tlm/host.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/program.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a host does with an accelerator, in order. AXI4-Lite accesses follow each other; streams
/// flow beside them.
struct HostAction {
  enum Kind {
    write,     ///< a register
    read,      ///< a register
    stream,    ///< hands data to the input stream's source, which offers it from here on
    flush,     ///< the source drops what it still has; the run must have ended
    wait,      ///< `cycles`
    wait_stop, ///< until the run has stopped, and `cycles` more
    hard_reset ///< rst_ni is low for `cycles`
  } kind = wait;
  std::uint32_t address = 0, data = 0;
  unsigned strobe = 0xf; ///< of a write: WSTRB
  Cycle cycles = 0;
  std::vector<std::int8_t> values{}; ///< of a stream
  std::vector<std::uint8_t> tlast{}; ///< of each value
};

/// A host's whole work with an accelerator, with stalls at every edge.
struct Session {
  std::vector<HostAction> actions;
  double stall = 0; ///< probability that a beat is held up, at every port, each cycle
  std::uint64_t seed = 0;
};

/// Appends the loading of a program (and LAYERS).
void load_program(Session& session, const Program& program);
/// Appends a run over `images` inferences: START, the stream, the wait, and reads of STATUS,
/// CYCLES and INFERENCES.
void run_images(Session& session, std::vector<std::int8_t> inputs, int images);

/// The model as a Session's host sees it: the TLM accelerator behind its sockets.
class SocketPort {
public:
  SocketPort(const Design& design, const Pacer& sink);
  [[nodiscard]] AcceleratorCore& core() { return accelerator_.core(); }
  [[nodiscard]] Host& host() { return host_; }

  bool write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe = 0xf);
  AcceleratorCore::ReadResult read(std::uint32_t address, Cycle cycle);
  void input(const HostAction& stream, Cycle from, const Pacer& gaps);
  void hard_reset(Cycle cycle);
  /// The first cycle in which the run is over; `never` while it is not known.
  [[nodiscard]] Cycle stop_cycle();

private:
  Accelerator accelerator_;
  Host host_;
};

/// What the model did in a session: its beats, and when what the host waited for happened.
struct SessionTrace {
  BeatTrace beats;
  std::vector<Cycle> action_start; ///< of each host action
  Cycle begin = 0, end = 0;        ///< the session's first cycle, and the one after its last

  explicit SessionTrace(const Design& design) : beats(AcceleratorCore::interfaces(design).size()) {}
};

/// The pacers of a session's ports, each with a seed of its own.
struct SessionPacers {
  Pacer aw, w, b, ar, r, source, sink;
  explicit SessionPacers(const Session& session);
};

/// The sink at the output stream: takes a beat in each cycle in which its pacer is ready.
[[nodiscard]] TileSink paced_sink(const Pacer& pacer);

/// Runs a session on the model, from cycle `begin` on, and records its beats.
void run_model(const Session& session, SocketPort& port, SessionTrace& trace, Cycle begin = 0);

struct CosimResult {
  std::uint64_t beats = 0;          ///< on which the twins agree
  std::vector<std::uint32_t> reads; ///< what the host read from the RTL's registers
  std::optional<Divergence> divergence;
};

/// Runs the same session on the RTL, in lockstep with the model's beats. Ends at the first
/// divergence.
[[nodiscard]] CosimResult run_rtl(const Session& session, RtlModel& rtl,
                                  const std::vector<Interface>& interfaces, const SessionTrace& trace,
                                  const std::function<void(Cycle done)>& progress = {});

/// Runs a session on the RTL alone, as it ran before, and writes the window's cycles to a VCD that
/// stays open until the model is destroyed. The RTL must have been built with trace.
void replay_rtl(const Session& session, RtlModel& rtl, const SessionTrace& trace, const std::string& vcd,
                const WaveWindow& window);

} // namespace deltatwin
