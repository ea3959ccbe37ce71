#pragma once
#include "base/json.h"
#include "net/graph.h"
#include "net/network.h"
#include <string>

namespace deltatwin {

/// Reads a network file of any format: "deltatwin-network-1" or -2 (traces/network-format.md). Throws
/// InputError that names file, layer or node, and field.
[[nodiscard]] Graph load_graph(const std::string& path);
/// Parses a network from JSON text; `origin` names it in errors.
[[nodiscard]] Graph parse_graph(const std::string& text, const std::string& origin);
/// Writes a network file of format 2 (one row of deltas per line), whole or not at all.
void save_graph(const Graph& graph, const std::string& path);

// The formats, one by one: all but what every format has.
[[nodiscard]] Network parse_format_1(const JsonField& root, const std::string& origin);
[[nodiscard]] Graph parse_format_2(const JsonField& root, const std::string& origin);
[[nodiscard]] std::string format_2_text(const Graph& graph);

} // namespace deltatwin
