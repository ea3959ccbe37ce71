#pragma once
#include "base/cycle.h"
#include "tlm/clock.h"
#include "tlm/extension.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Carried by a generic payload that is a burst of stream beats: a WRITE, its data are TDATA's bytes, beat
/// behind beat, little-endian; the address has no meaning. What is not said: beats are offered one per
/// cycle, and a burst is one packet, whose last beat carries TLAST.
struct StreamExtension : StackExtension<StreamExtension> {
  std::vector<unsigned> gaps;      ///< idle cycles before each beat, after the one before was taken; or empty
  std::vector<std::uint8_t> tlast; ///< of each beat, 0 or 1; or empty
  std::vector<Cycle> taken;        ///< filled by the target: the cycle of each beat that is taken
};

} // namespace deltatwin
