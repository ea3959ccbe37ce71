#pragma once
#include "tops/family.h"

namespace deltatwin {

/// NoisyQuant's search, and quantization without it.
[[nodiscard]] const TopFamily& noisyquant_family();

} // namespace deltatwin
