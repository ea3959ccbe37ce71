#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// How a depthwise stage multiplies: in LUTs, or a product in a DSP48E1.
enum class DepthwiseMultiplier { lut, dsp };

/// The parameters of the RTL `depthwise_array`, which has the contract.
struct DepthwiseArrayConfig {
  int channels = 16; ///< S, 4..32, a power of two
  int lanes = 3;     ///< T, 1..7
  DepthwiseMultiplier multiplier = DepthwiseMultiplier::dsp;

  /// Bits of a sum.
  static constexpr int accumulator_bits = 25;
  /// Products in a beat.
  [[nodiscard]] constexpr int terms() const { return lanes * channels; }
};

/// When sums stand.
struct DepthwiseArrayTiming {
  Cycle sums; ///< D, from a sum's last beat

  explicit constexpr DepthwiseArrayTiming(const DepthwiseArrayConfig& config)
      : sums(4 + static_cast<Cycle>(address_bits(config.lanes))) {}
};

/// All channels' sums, beat by beat.
///
///     DepthwiseArrayCore array(config);
///     array.beat(first, x, w);
///     if (last)
///       give(cycle + DepthwiseArrayTiming(config).sums, array.sum(0), ...);
class DepthwiseArrayCore {
public:
  explicit DepthwiseArrayCore(const DepthwiseArrayConfig& config)
      : config_(config), sums_(static_cast<std::size_t>(config.channels)) {}

  /// x: terms() activations, lane by lane; w: the weight of each.
  void beat(bool first, const std::int8_t* x, const std::int8_t* w);
  /// Of the beats since the latest first one, modulo 2^25, signed.
  [[nodiscard]] std::int32_t sum(int channel) const;

private:
  DepthwiseArrayConfig config_;
  std::vector<std::uint32_t> sums_; ///< modulo 2^32
};

/// What it takes.
[[nodiscard]] Resources depthwise_array_resources(const DepthwiseArrayConfig& config);

} // namespace deltatwin
