#pragma once
#include "tops/edqa/config.h"
#include "tops/top.h"
#include <vector>

namespace deltatwin {

/// The parts of a design and what each takes.
[[nodiscard]] std::vector<Part> edqa_parts(const EdqaConfig& config);

} // namespace deltatwin
