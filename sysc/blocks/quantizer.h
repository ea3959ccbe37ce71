#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace deltatwin {

/// What a float32 value becomes; the RTL `quantizer` has the contract.
enum class QuantizerMode {
  int8,  ///< -128..127
  uint8, ///< 0..255
  int4,  ///< -8..7
  binary ///< x >= 0
};

struct QuantizerSettings {
  QuantizerMode mode = QuantizerMode::int8;
  float scale = 1; ///< positive and normal
  int zero = 0;    ///< -128..127, of uint8 0..255
};

/// ONNX's QuantizeLinear of one value: the division is rounded in float32, then to an integer, both half to
/// even. NaN is the zero point; of a binary value 0.
[[nodiscard]] inline int quantized(const QuantizerSettings& settings, float x) {
  if (settings.mode == QuantizerMode::binary)
    return x >= 0;
  const double low = settings.mode == QuantizerMode::uint8  ? 0
                     : settings.mode == QuantizerMode::int4 ? -8
                                                            : -128;
  const double high = settings.mode == QuantizerMode::uint8  ? 255
                      : settings.mode == QuantizerMode::int4 ? 7
                                                             : 127;
  const double rounded = std::isnan(x) ? 0.0 : static_cast<double>(std::nearbyint(x / settings.scale));
  return static_cast<int>(std::clamp(rounded + settings.zero, low, high));
}

/// When values come in, and their results are on the output. Events in the order of their cycles; what is
/// asked of a cycle is asked before its events.
class QuantizerFlow {
public:
  static constexpr Cycle latency = 15;
  static constexpr std::size_t capacity = 16; ///< values inside

  [[nodiscard]] bool empty() const { return inside_.empty(); }
  [[nodiscard]] bool ready() const { return inside_.size() < capacity; }
  void accept(Cycle cycle) { inside_.push_back(cycle + latency); }
  /// The cycle from which on the oldest value's result is on the output.
  [[nodiscard]] Cycle offered() const { return std::max(inside_.front(), free_); }
  [[nodiscard]] bool offers(Cycle cycle) const { return !empty() && offered() <= cycle; }
  /// The oldest result leaves.
  void take(Cycle cycle) {
    free_ = cycle + 1;
    inside_.pop_front();
  }
  /// A reset: what is inside is gone.
  void clear() { inside_.clear(); }

private:
  Cycle free_ = 0;           ///< the output, of results before
  std::deque<Cycle> inside_; ///< when each result is behind the last stage
};

/// What it takes.
[[nodiscard]] constexpr Resources quantizer_resources() { return {534, 395, 0, 0, 0, 26}; }

} // namespace deltatwin
