#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/fields.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `plane_array`, which has the contract.
struct PlaneArrayConfig {
  int outputs = 8;           ///< P
  int channels = 16;         ///< S, bytes of a word: 8..32, a power of two
  int lanes = 3;             ///< T, 1..7
  int planes = 1;            ///< U, planes of weights in a beat: 1, 2, 4 or 8
  int widths = 1;            ///< of activations: a bit for each code
  bool references = false;   ///< with a total
  int accumulator_bits = 25; ///< 12..25

  /// Bytes of a window, and of a plane of an output's weights.
  [[nodiscard]] constexpr int window() const { return lanes * channels; }
  /// Bytes of the weights of a beat.
  [[nodiscard]] constexpr int word() const { return (outputs * planes + references) * window(); }
};

/// When sums stand.
struct PlaneArrayTiming {
  Cycle sums; ///< D, from a sum's last beat

  explicit constexpr PlaneArrayTiming(const PlaneArrayConfig& config)
      : sums(5 +
             static_cast<Cycle>(address_bits(ceil_div(config.window(), 3)) + address_bits(config.planes))) {}
};

/// All outputs' sums, beat by beat, of weights that come plane by plane, U at a time, the uppermost ones
/// first.
///
///     PlaneArrayCore array(config);
///     array.beat({first, top, shift, code}, x, w);
///     if (last)
///       give(cycle + PlaneArrayTiming(config).sums, array.sum(0), ..., array.total());
class PlaneArrayCore {
public:
  struct Beat {
    bool first = false; ///< of a sum
    bool top = false;   ///< the uppermost plane is that of signs; totals count
    bool shift = false; ///< what is there counts 2^U times
    int code = 0;       ///< of the activations
  };
  explicit PlaneArrayCore(const PlaneArrayConfig& config)
      : config_(config), sums_(static_cast<std::size_t>(config.outputs)) {}

  /// x: window() bytes; w: word() bytes, of each output its planes from the lowest on, then the total's mask.
  void beat(const Beat& beat, const std::int8_t* x, const std::int8_t* w);
  /// Of the beats since the latest first one, modulo 2^accumulator_bits, signed.
  [[nodiscard]] std::int32_t sum(int output) const { return held(sums_[static_cast<std::size_t>(output)]); }
  [[nodiscard]] std::int32_t total() const { return config_.references ? held(total_) : 0; }

private:
  [[nodiscard]] std::int32_t held(std::uint32_t sum) const {
    return sign_extended(static_cast<std::int32_t>(sum), config_.accumulator_bits);
  }

  PlaneArrayConfig config_;
  std::vector<std::uint32_t> sums_; ///< modulo 2^32
  std::uint32_t total_ = 0;
};

/// What it takes.
[[nodiscard]] Resources plane_array_resources(const PlaneArrayConfig& config);

} // namespace deltatwin
