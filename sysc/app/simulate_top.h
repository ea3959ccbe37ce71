#pragma once
#include "base/device.h"
#include "base/resources.h"
#include <memory>

namespace CLI {
class App;
}

namespace deltatwin {

/// `simulate` of the selected top, where that is not the accelerator: its work on the model alone, held
/// against the plain function.
void add_top_simulation(CLI::App& command, const std::shared_ptr<bool>& allow_overflow, int& exit_code);

/// What the area model says, beside the device's budget.
void print_area(const Resources& used, const Device& device, double wall_seconds);

} // namespace deltatwin
