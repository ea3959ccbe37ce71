#pragma once
#include "net/graph.h"
#include <string>

namespace deltatwin {

/// Of validate(): what concerns a node, whose tensors are in the graph; `at` is its place.
void validate_node(const Graph& graph, const Node& node, const std::string& at);

} // namespace deltatwin
