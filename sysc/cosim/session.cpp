#include "cosim/session.h"

namespace deltatwin {

SessionPacers::SessionPacers(const Session& session, std::size_t buses)
    : aw(session.stall, session.seed * 16), w(session.stall, session.seed * 16 + 1),
      b(session.stall, session.seed * 16 + 2), ar(session.stall, session.seed * 16 + 3),
      r(session.stall, session.seed * 16 + 4) {
  for (std::size_t bus = 0; bus < buses; ++bus)
    streams.emplace_back(session.stall, session.seed * 16 + 4 + bus);
}

} // namespace deltatwin
