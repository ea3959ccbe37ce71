#pragma once
#include <string>

namespace deltatwin {

// The papers' tables of hardware beside what the designs here take, printed and, where a path is given, as
// JSON; areas by the model, or by Yosys.

/// eDQA, section 4.4: Tables 3 and 4.
void compare_edqa(bool by_synthesis, const std::string& json_path);
/// The configurable convolution accelerator, section 11: throughput and resources by precision.
void compare_array(bool by_synthesis, const std::string& json_path);

} // namespace deltatwin
