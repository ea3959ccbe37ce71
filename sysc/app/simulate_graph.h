#pragma once
#include "app/options.h"
#include "app/result_files.h"
#include "net/graph.h"

namespace deltatwin {

/// Whether a graph is what the accelerator runs: dense layers, one behind another.
[[nodiscard]] bool is_dense_chain(const Graph& graph);

/// `simulate` of a graph that the accelerator cannot run: integer inference, and it says so. Returns the exit
/// code.
int simulate_graph(const Graph& graph, const CommonOptions& options, const FileOptions& files);

/// Tells what was expected; returns the exit code.
int print_comparison(const FileOptions& files, const Comparison& comparison);

} // namespace deltatwin
