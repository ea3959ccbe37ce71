#pragma once
#include "tops/top.h"
#include <string>
#include <vector>

namespace deltatwin {

/// What the cells of a top's netlist, as Yosys writes it in JSON, take of a 7 series device, by part
/// (SynthesisResult says how cells are told apart).
[[nodiscard]] std::vector<Resources> count_cells(const std::string& text, const std::string& origin,
                                                 const std::string& module, const std::vector<Part>& parts);

} // namespace deltatwin
