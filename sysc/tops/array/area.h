#pragma once
#include "tops/array/config.h"
#include "tops/top.h"
#include <vector>

namespace deltatwin {

/// The parts of an array and what each takes: `deltatwin synth --top array` prints it beside synthesis.
[[nodiscard]] std::vector<Part> array_parts(const ArrayConfig& config);

} // namespace deltatwin
