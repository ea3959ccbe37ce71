#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// How the array multiplies: in LUTs, or two outputs' weights by one activation in a DSP48E1.
enum class DotMultiplier { lut, dsp_pairs };

/// The parameters of the RTL `dot_array`, which has the contract.
struct DotArrayConfig {
  int outputs = 8;   ///< P, 2..32, even
  int channels = 16; ///< S, 4..32, a power of two
  int lanes = 3;     ///< T, 1..7
  DotMultiplier multiplier = DotMultiplier::dsp_pairs;
  int accumulator_bits = 25; ///< 23..32

  /// Products of an output in a beat.
  [[nodiscard]] constexpr int terms() const { return lanes * channels; }
};

/// When sums stand.
struct DotArrayTiming {
  Cycle sums; ///< D, from a sum's last beat

  explicit constexpr DotArrayTiming(const DotArrayConfig& config)
      : sums(4 + static_cast<Cycle>(address_bits(config.terms()))) {}
};

/// All outputs' sums, beat by beat.
///
///     DotArrayCore array(config);
///     array.beat(first, x, w);
///     if (last)
///       give(cycle + DotArrayTiming(config).sums, array.sum(0), ...);
class DotArrayCore {
public:
  explicit DotArrayCore(const DotArrayConfig& config)
      : config_(config), sums_(static_cast<std::size_t>(config.outputs)) {}

  /// x: terms() activations, lane by lane; w: as many weights for each output.
  void beat(bool first, const std::int8_t* x, const std::int8_t* w);
  /// Of the beats since the latest first one, modulo 2^accumulator_bits, signed.
  [[nodiscard]] std::int32_t sum(int output) const;

private:
  DotArrayConfig config_;
  std::vector<std::uint32_t> sums_; ///< modulo 2^32
};

/// What it takes.
[[nodiscard]] Resources dot_array_resources(const DotArrayConfig& config);

} // namespace deltatwin
