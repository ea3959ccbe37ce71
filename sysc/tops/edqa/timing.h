#pragma once
#include "tops/edqa/config.h"

namespace deltatwin {

/// Cycles of a lone channel of `values` values, coded, which come without pauses and are taken at once.
struct EdqaLatency {
  Cycle encode; ///< from its first value to its last word in the store, both counted
  Cycle decode; ///< from there to its last value's beat, that counted
};
/// At most: a channel whose last code fills a word takes one cycle less to encode.
[[nodiscard]] EdqaLatency lone_latency(const EdqaConfig& config, const EdqaSettings& settings, int values);

/// Cycles from one channel to the next when channels of one size come without pauses, and their words fit the
/// store: at most.
[[nodiscard]] Cycle steady_cycles(const EdqaConfig& config, const EdqaSettings& settings, int values);

} // namespace deltatwin
