#pragma once
#include "tops/family.h"

namespace deltatwin {

/// All that `--top` and a space's "top" can name, the accelerator first.
[[nodiscard]] const std::vector<const TopFamily*>& families();
/// Throws InputError, with the names there are.
[[nodiscard]] const TopFamily& find_family(const std::string& name);

} // namespace deltatwin
