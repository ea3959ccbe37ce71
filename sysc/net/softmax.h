#pragma once
#include "net/graph.h"
#include <vector>

namespace deltatwin {

/// Probabilities that the host makes of the output's integers, by graph.softmax: over the last dimension.
[[nodiscard]] std::vector<double> probabilities(const Graph& graph, const std::vector<int>& output);

} // namespace deltatwin
