#pragma once
#include "base/pacer.h"
#include "cosim/lockstep.h"
#include "cosim/waves.h"
#include "tops/session.h"
#include "tops/top.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a session needs to know of a top.
struct TopPorts {
  std::vector<Bus> buses;
  std::vector<Interface> interfaces;
  std::vector<Register> registers;

  explicit TopPorts(const Top& top)
      : buses(top.buses()), interfaces(top.interfaces()), registers(top.registers()) {}
};

/// What the model did in a session: its beats, and when what the host waited for happened.
struct SessionTrace {
  BeatTrace beats;
  std::vector<Cycle> action_start; ///< of each host action
  RunRecord record;
  Cycle begin = 0, end = 0; ///< the session's first cycle, and the one after its last

  explicit SessionTrace(std::size_t interfaces) : beats(interfaces) {}
};

/// The pacers of a session's ports, each with a seed of its own.
struct SessionPacers {
  Pacer aw, w, b, ar, r;
  std::vector<Pacer> streams; ///< by bus
  SessionPacers(const Session& session, std::size_t buses);
};

/// Runs a session on the model, from cycle `begin` on, and records its beats.
void run_model(const Session& session, const TopPorts& ports, TopModel& model, SessionTrace& trace,
               Cycle begin = 0);

struct CosimResult {
  std::uint64_t beats = 0; ///< on which the twins agree
  RunRecord record;        ///< of the RTL
  std::optional<Divergence> divergence;
  std::vector<std::uint64_t> interface_beats{}; ///< on which the twins agree, of each interface
};

/// Runs the same session on the RTL, in lockstep with the model's beats. Ends at the first
/// divergence.
[[nodiscard]] CosimResult run_rtl(const Session& session, const TopPorts& ports, RtlModel& rtl,
                                  const SessionTrace& trace,
                                  const std::function<void(Cycle done)>& progress = {});

/// Runs a session on the RTL alone, as it ran before, and writes the window's cycles to a VCD that
/// stays open until the model is destroyed. The RTL must have been built with trace.
void replay_rtl(const Session& session, const TopPorts& ports, RtlModel& rtl, const SessionTrace& trace,
                const std::string& vcd, const WaveWindow& window);

} // namespace deltatwin
