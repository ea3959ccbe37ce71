#pragma once
#include "cosim/lockstep.h"
#include "tops/top.h"
#include <optional>
#include <vector>

namespace deltatwin {

/// The first word in which the twins' memories differ in `cycle`, as a divergence of the memory's path;
/// none: there is no such word.
[[nodiscard]] std::optional<Divergence> compare_memories(const std::vector<MemoryImage>& model,
                                                         const RtlModel& rtl, Cycle cycle);

} // namespace deltatwin
