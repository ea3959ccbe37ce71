#pragma once
#include <string>

namespace deltatwin {

/// Where the committed networks stand: the environment variable DELTATWIN_NETWORKS, or traces/.
[[nodiscard]] std::string networks_directory();
/// The file of a network that is named by a path, or by its name in networks_directory(); throws
/// InputError where there is none.
[[nodiscard]] std::string find_network(const std::string& name);
/// The same of a float network, a .safetensors file.
[[nodiscard]] std::string find_float_network(const std::string& name);

} // namespace deltatwin
