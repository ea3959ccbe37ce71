#pragma once
#include "base/device.h"
#include "base/fit.h"
#include "explore/space.h"
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace deltatwin {

/// What became of a point: the first that applies.
enum class Verdict {
  feasible,
  impossible, ///< no such design, or it does not hold what it has to
  does_not_fit,
  below_minimum, ///< of a figure
  above_maximum
};
inline constexpr std::size_t verdicts = 5;
[[nodiscard]] const char* to_string(Verdict verdict);

/// A point of a space, evaluated. An impossible one has no area and figures.
struct DesignPoint {
  static constexpr std::size_t most_figures = Evaluation::most_figures + 3;

  std::uint64_t id = 0;
  Coordinates at{};
  Verdict verdict = Verdict::impossible;
  Fit fit = Fit::no; ///< by the area model, of points that the space takes to fit
  Resources used;
  std::array<double, most_figures> figures{};           ///< by Objective; NaN where it is not known
  std::array<double, Evaluation::most_stored> stored{}; ///< like Evaluation::stored

  [[nodiscard]] double figure(Objective objective) const { return figures[objective]; }
};

/// Everything about a space's points that pure functions can tell.
class Evaluator {
public:
  /// Loads what the space names, and what figures take from `dataset`. Throws InputError.
  Evaluator(Space space, const std::string& dataset);

  [[nodiscard]] const Space& space() const { return space_; }
  [[nodiscard]] const std::vector<Device>& devices() const { return devices_; }
  [[nodiscard]] const ResultSchema& schema() const { return schema_; }
  /// Changes when the space, what it names, a device or the models do.
  [[nodiscard]] std::string fingerprint() const;

  [[nodiscard]] DesignPoint evaluate(std::uint64_t point) const;
  /// Shows each of the points first .. first + count - 1; quicker than one at a time.
  void evaluate(std::uint64_t first, std::uint64_t count,
                const std::function<void(const DesignPoint&)>& visit) const;

  [[nodiscard]] const Device& device(const DesignPoint& point) const { return devices_[point.at.device]; }
  /// What `deltatwin simulate`, `cosim` and `synth` take for this design.
  [[nodiscard]] std::vector<std::string> arguments(const DesignPoint& point) const;
  /// What `deltatwin cosim` also takes, to run `count` items (0: all there are).
  [[nodiscard]] std::vector<std::string> work_arguments(const DesignPoint& point, int count) const;
  /// Of a run over `items` items.
  [[nodiscard]] Cycle run_cycles(const DesignPoint& point, int items) const;
  /// Equal where two points are the same hardware with the same work, whatever clock and device.
  [[nodiscard]] std::vector<std::string> hardware(const DesignPoint& point) const;
  /// Of an impossible point.
  [[nodiscard]] std::string why_impossible(const DesignPoint& point) const;

private:
  using Choices = std::array<double, Coordinates::most_axes>;
  [[nodiscard]] Choices choices(const Coordinates& at) const;
  void judge(const Evaluation& evaluation, DesignPoint& point) const;

  Space space_;
  std::unique_ptr<Exploration> exploration_;
  ResultSchema schema_;
  std::vector<Device> devices_;
};

/// Of these points, those that no other one on the same device dominates: none is at least as good in
/// each of the space's objectives and better in one; none of an objective that is not known. Of equal ones
/// the first of the space stays. Sorted,
/// best first, by the objectives in their order, then as the space has them.
[[nodiscard]] std::vector<DesignPoint> pareto_front(const Space& space,
                                                    const std::vector<DesignPoint>& points);

} // namespace deltatwin
