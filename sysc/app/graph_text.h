#pragma once
#include "net/graph.h"
#include <string>

namespace deltatwin {

/// "int8 z-128", "uint4".
[[nodiscard]] std::string format_text(const Format& format);
/// "conv 3x3/2", "average 8x8", "add".
[[nodiscard]] std::string operator_text(const Node& node);
/// A node's name where it would be too long for a table: its end.
[[nodiscard]] std::string short_name(const Node& node);

} // namespace deltatwin
