#pragma once
#include "base/resources.h"

namespace deltatwin {

/// What one output's products take (the RTL's `plane_product`), of `bytes` of a window, without what is the
/// same for all outputs.
[[nodiscard]] Resources plane_product_resources(int bytes, int planes, int widths);
/// That: the windows' widths and signs on their way.
[[nodiscard]] Resources plane_product_control_resources(int bytes, int planes, int widths);
/// What three outputs' products in DSPs take (the RTL's `product_triple`).
[[nodiscard]] Resources product_triple_resources(int bytes);

} // namespace deltatwin
