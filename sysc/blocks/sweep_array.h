#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/plane_array.h"
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `sweep_array`, which has the contract.
struct SweepArrayConfig {
  int outputs = 8;           ///< P, 2..32
  int channels = 8;          ///< S, bytes of a window: 8..32, a power of two
  int planes = 4;            ///< U, planes of weights in a beat: 1, 2, 4 or 8
  int widths = 2;            ///< of activations: a bit for each code
  int accumulator_bits = 18; ///< 12..25
  int pixels = 64;           ///< sums of an output in a half: 16, 32 or 64

  /// The array that sums one pixel alone.
  [[nodiscard]] constexpr PlaneArrayConfig pixel() const {
    return {outputs, channels, 1, planes, widths, false, accumulator_bits};
  }
};

/// When sums are read, and what is in them.
struct SweepArrayTiming {
  static constexpr Cycle read = 2; ///< from a read to its sums
  Cycle seen;                      ///< E: a read sees the beats of so many cycles before, and older ones

  explicit constexpr SweepArrayTiming(const SweepArrayConfig& config)
      : seen(PlaneArrayTiming(config.pixel()).sums) {}
};

/// All sums of both halves, beat by beat and read by read, in the order of their cycles.
///
///     SweepArrayCore array(config);
///     array.beat(cycle, {half, pixel}, {first, top, shift, code}, x, w);
///     give(later + SweepArrayTiming::read, array.read(later, {half, pixel}));
class SweepArrayCore {
public:
  /// Whose sums.
  struct Place {
    int half = 0, pixel = 0;
  };

  explicit SweepArrayCore(const SweepArrayConfig& config)
      : config_(config), timing_(config),
        seen_(2 * static_cast<std::size_t>(config.pixels), PlaneArrayCore(config.pixel())), latest_(seen_) {}

  /// x: of the window; w: of each output its planes from the lowest on.
  void beat(Cycle cycle, Place place, const PlaneArrayCore::Beat& beat, const std::int8_t* x,
            const std::int8_t* w);
  /// A sum of each output.
  [[nodiscard]] std::vector<std::int32_t> read(Cycle cycle, Place place);
  /// Beats that a read in this cycle would not see are lost.
  void reset(Cycle cycle);

private:
  struct Change {
    Cycle cycle; ///< of the beat
    std::size_t at;
    PlaneArrayCore sums;
  };
  [[nodiscard]] std::size_t index(Place place) const {
    return static_cast<std::size_t>(place.half * config_.pixels + place.pixel);
  }
  void look(Cycle cycle);

  SweepArrayConfig config_;
  SweepArrayTiming timing_;
  std::vector<PlaneArrayCore> seen_;   ///< as a read sees them
  std::vector<PlaneArrayCore> latest_; ///< with the beats on their way
  std::deque<Change> changes_;
};

/// What it takes.
[[nodiscard]] Resources sweep_array_resources(const SweepArrayConfig& config);

} // namespace deltatwin
