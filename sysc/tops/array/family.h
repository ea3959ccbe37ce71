#pragma once
#include "tops/family.h"

namespace deltatwin {

/// The array of dot products for networks of convolutions.
[[nodiscard]] const TopFamily& array_family();

} // namespace deltatwin
