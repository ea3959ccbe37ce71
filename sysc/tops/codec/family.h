#pragma once
#include "tops/family.h"

namespace deltatwin {

/// The codec of symbol streams.
[[nodiscard]] const TopFamily& codec_family();

} // namespace deltatwin
