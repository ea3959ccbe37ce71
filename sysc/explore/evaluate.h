#pragma once
#include "base/device.h"
#include "base/fit.h"
#include "explore/space.h"
#include "tops/accelerator/area.h"
#include "tops/accelerator/program.h"
#include "tops/accelerator/run_timing.h"
#include <array>
#include <string>
#include <vector>

namespace deltatwin {

/// What became of a point: the first that applies.
enum class Verdict {
  feasible,
  impossible, ///< no such design, or its banks do not hold the network
  does_not_fit,
  inaccurate,
  slow
};
inline constexpr std::size_t verdicts = 5;
[[nodiscard]] const char* to_string(Verdict verdict);

/// A point of a space, evaluated. An impossible one has no timing, area and figures.
struct DesignPoint {
  std::uint64_t id = 0;
  Coordinates at{};
  std::size_t variant = 0; ///< in Evaluator::variants()
  Verdict verdict = Verdict::impossible;
  Design design;
  RunTiming timing;
  Resources used;
  Fit fit = Fit::no;                             ///< by the area model, whatever the space tolerates
  std::array<double, objective_count> figures{}; ///< by Objective; accuracy is NaN where it is not known

  [[nodiscard]] double figure(Objective objective) const {
    return figures[static_cast<std::size_t>(objective)];
  }
};

/// A network under one of the space's codes.
struct Variant {
  std::string network; ///< its name
  const char* code;    ///< "raw", "huffman", or "mixed"
  double accuracy;     ///< of the integer network on the test images; NaN where it is not known
  std::uint64_t macs, weights, stored_bits;
  Demand demand;
  std::vector<LayerDescriptor> layers;
};

/// Everything about a space's points that pure functions can tell: cycles by run_timing(), which is
/// exact, area by resources().
class Evaluator {
public:
  /// Loads networks and devices, and runs the networks over the test images of `dataset`; without
  /// these, accuracies are unknown unless the space needs them. Throws InputError.
  Evaluator(Space space, const std::string& dataset);

  [[nodiscard]] const Space& space() const { return space_; }
  /// Each network under each code.
  [[nodiscard]] const std::vector<Variant>& variants() const { return variants_; }
  [[nodiscard]] const std::vector<Device>& devices() const { return devices_; }
  /// Changes when the space, a network, a device or the models do.
  [[nodiscard]] std::string fingerprint() const;

  [[nodiscard]] DesignPoint evaluate(std::uint64_t point) const;
  [[nodiscard]] const Device& device(const DesignPoint& point) const { return devices_[point.at.device]; }
  /// Whether the data set has images for a point's network; if not, they are made up where it is run.
  [[nodiscard]] bool has_images(const DesignPoint& point) const;
  /// What `deltatwin simulate`, `cosim` and `synth` take for this design.
  [[nodiscard]] std::vector<std::string> arguments(const DesignPoint& point) const;
  /// What the first two also take, to run `count` images (0: all there are).
  [[nodiscard]] std::vector<std::string> image_arguments(const DesignPoint& point, int count) const;

private:
  Space space_;
  std::string dataset_;
  std::vector<Variant> variants_;
  std::vector<Device> devices_;
};

/// Of an impossible point.
[[nodiscard]] std::string why_impossible(const Evaluator& evaluator, const DesignPoint& point);

/// Of these points, those that no other one on the same device dominates: none is at least as good in
/// each of the space's objectives and better in one. Of equal ones the first of the space stays. Sorted,
/// best first, by the objectives in their order, then as the space has them.
[[nodiscard]] std::vector<DesignPoint> pareto_front(const std::vector<Objective>& goals,
                                                    const std::vector<DesignPoint>& points);

} // namespace deltatwin
