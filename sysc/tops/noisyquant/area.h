#pragma once
#include "tops/noisyquant/config.h"
#include "tops/top.h"
#include <vector>

namespace deltatwin {

/// The parts of a design and what each takes: `noisyquant_test '[.fit]'` prints it beside synthesis.
[[nodiscard]] std::vector<Part> noisyquant_parts(const NoisyQuantConfig& config);

} // namespace deltatwin
