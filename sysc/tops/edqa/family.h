#pragma once
#include "tops/family.h"

namespace deltatwin {

/// The eDQA accelerator of activations.
[[nodiscard]] const TopFamily& edqa_family();

} // namespace deltatwin
