#pragma once
#include "net/graph.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// What every tensor of a graph holds, said as plainly as can be, and slow: the third opinion on the twins,
/// and on GraphInference. `input` has as many integers as the input tensor has elements.
[[nodiscard]] std::vector<std::vector<int>> reference_tensors(const Graph& graph,
                                                              const std::vector<int>& input);

} // namespace deltatwin
