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
  int pixels = 64;           ///< sums of an output: 16, 32 or 64
  int dsp_outputs = 0;       ///< of DSPs, the first ones: a multiple of 3, of 4 planes and 4 bits alone

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

/// All sums, beat by beat and read by read, in the order of their cycles.
///
///     SweepArrayCore array(config);
///     array.beat(cycle, pixel, {first, top, shift, code}, last, x, w);
///     give(later + SweepArrayTiming::read, array.read(later, pixel));
class SweepArrayCore {
public:
  explicit SweepArrayCore(const SweepArrayConfig& config)
      : config_(config), timing_(config),
        sums_(static_cast<std::size_t>(config.pixels), PlaneArrayCore(config.pixel())), latest_(sums_),
        whole_(sums_) {}

  /// x: of the window; w: of each output its planes from the lowest on.
  void beat(Cycle cycle, int pixel, const PlaneArrayCore::Beat& beat, bool last, const std::int8_t* x,
            const std::int8_t* w);
  /// A sum of each output.
  [[nodiscard]] std::vector<std::int32_t> read(Cycle cycle, int pixel);
  /// Beats that are on their way are lost.
  void reset(Cycle cycle);

private:
  struct Change {
    Cycle cycle; ///< of the beat
    std::size_t pixel;
    bool last;
    PlaneArrayCore sums;
  };
  void arrive(Cycle cycle);

  SweepArrayConfig config_;
  SweepArrayTiming timing_;
  std::vector<PlaneArrayCore> sums_;   ///< of the beats that have arrived
  std::vector<PlaneArrayCore> latest_; ///< with those on their way
  std::vector<PlaneArrayCore> whole_;  ///< as they are read
  std::deque<Change> changes_;         ///< the beats on their way
};

/// What it takes.
[[nodiscard]] Resources sweep_array_resources(const SweepArrayConfig& config);

} // namespace deltatwin
