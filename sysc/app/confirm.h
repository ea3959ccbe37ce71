#pragma once
#include "explore/database.h"
#include <atomic>
#include <functional>
#include <vector>

namespace deltatwin {

/// Designs to run on RTL and to synthesize: the best `count` of the front, and as many feasible ones
/// at random. No two are the same hardware.
struct ConfirmationPlan {
  std::vector<DesignPoint> best, random;
};
[[nodiscard]] ConfirmationPlan plan_confirmation(const Evaluator& evaluator, const Database& database,
                                                 const std::vector<DesignPoint>& front, int count,
                                                 std::uint64_t seed);

/// Runs each planned design on RTL (`deltatwin cosim`) and through `deltatwin synth`, prints a line
/// for each and hands it to `record`, until `stop` is set. Returns whether all cycles agree. Throws
/// ToolError where a run fails.
bool confirm(const Evaluator& evaluator, const ConfirmationPlan& plan, const std::atomic<bool>& stop,
             const std::function<void(const Confirmation&)>& record);

} // namespace deltatwin
