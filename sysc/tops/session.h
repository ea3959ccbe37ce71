#pragma once
#include "base/cycle.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// What a host does with a top, in order. Each action begins where the one before ended; streams flow
/// beside them.
struct HostAction {
  enum Kind {
    write,     ///< a register; ends with the response
    read,      ///< a register; ends with the response
    stream,    ///< hands data to an input stream's source, which offers it from here on
    flush,     ///< the source drops what it still has; nothing must run that would take it
    wait,      ///< `cycles`
    wait_stop, ///< until all responses are there and nothing runs, and `cycles` more
    hard_reset ///< rst_ni is low for `cycles`; responses that are outstanding never come
  } kind = wait;
  std::uint32_t address = 0, data = 0;
  unsigned strobe = 0xf;   ///< of a write: WSTRB
  unsigned protection = 0; ///< of an access: PROT
  bool posted = false;     ///< an access waits in its channel's queue, and the host goes on at once
  Cycle cycles = 0;
  std::size_t port = 0;               ///< of a stream and a flush: which input stream, as in Top::buses()
  std::vector<std::uint8_t> values{}; ///< of a stream: [beats * data_bits / 8], little-endian
  std::vector<std::uint8_t> tlast{};  ///< [beats]
};

/// What a host sees of a session.
struct RunRecord {
  std::vector<std::uint32_t> reads; ///< from registers, in order
  Cycle last_output = 0;            ///< the latest output beat's cycle; 0: there was none
};

/// A host's whole work with a top, with stalls at every port.
struct Session {
  std::vector<HostAction> actions;
  double stall = 0; ///< probability that a beat is held up, at every port, each cycle
  std::uint64_t seed = 0;

  HostAction& add(HostAction::Kind kind) {
    actions.emplace_back().kind = kind;
    return actions.back();
  }
  HostAction& write(std::uint32_t address, std::uint32_t data) {
    HostAction& action = add(HostAction::write);
    action.address = address;
    action.data = data;
    return action;
  }
  HostAction& read(std::uint32_t address) {
    HostAction& action = add(HostAction::read);
    action.address = address;
    return action;
  }
};

} // namespace deltatwin
