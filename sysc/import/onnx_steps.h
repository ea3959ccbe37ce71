#pragma once
// What real numbers go through between a sum and its quantization.
#include "import/onnx_values.h"
#include <string>
#include <vector>

namespace deltatwin {

/// In float32, step by step.
[[nodiscard]] float through(const std::vector<RealStep>& steps, float real, std::size_t channel);
[[nodiscard]] bool only_clamps(const std::vector<RealStep>& steps);
/// "multiply by 2, add -1".
[[nodiscard]] std::string to_text(const std::vector<RealStep>& steps);

/// What the steps mean for numbers that no clamp touches: real * slope + offset.
struct RealLine {
  double slope = 1, offset = 0;
};
[[nodiscard]] RealLine line(const std::vector<RealStep>& steps, std::size_t channel);

} // namespace deltatwin
