#pragma once
#include "tops/codec/config.h"
#include "tops/top.h"
#include <vector>

namespace deltatwin {

/// The parts of a codec and what each takes: `codec_test '[.fit]'` prints it beside synthesis.
[[nodiscard]] std::vector<Part> codec_parts(const CodecConfig& config);

} // namespace deltatwin
