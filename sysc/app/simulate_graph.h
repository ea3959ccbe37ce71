#pragma once
#include "app/options.h"
#include "app/result_files.h"
#include "net/graph.h"

namespace deltatwin {

/// Whether a graph is what the accelerator runs: dense layers, one behind another.
[[nodiscard]] bool is_dense_chain(const Graph& graph);

/// The test images of a directory; throws InputError that says what else there is.
[[nodiscard]] InputSet load_test_set(const std::string& directory, const Tensor& input, int count);

/// `simulate` of a graph that no top runs: integer inference, and it says so and why. Returns the exit code.
int simulate_graph(const Graph& graph, const CommonOptions& options, const FileOptions& files);

/// Tells what was expected; returns the exit code.
int print_comparison(const FileOptions& files, const Comparison& comparison);

} // namespace deltatwin
