#pragma once
#include "tops/accelerator/area.h"
#include <string>

namespace deltatwin {

/// What the cells of the accelerator's netlist, as Yosys writes it in JSON, take of a 7 series
/// device, told apart by block (SynthesisResult says how).
[[nodiscard]] BlockResources count_cells(const std::string& text, const std::string& origin);

} // namespace deltatwin
