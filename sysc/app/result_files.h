#pragma once
#include "net/graph.h"
#include "net/input_set.h"
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace deltatwin {

/// Which inputs a simulation runs instead of a data set's, what is expected of it, and where outputs go.
struct FileOptions {
  std::string inputs, type, labels, expected, outputs;

  [[nodiscard]] bool given() const { return !inputs.empty(); }
};
/// --inputs and --input-type; --labels, --expected and, by these names, where outputs go.
void add_input_options(CLI::App& command, FileOptions& options);
void add_result_options(CLI::App& command, FileOptions& options, const std::string& outputs);

/// The inputs of --inputs, `limit` of them (0: all), with the labels of --labels or --expected. Throws
/// InputError; to be called before anything runs, as it checks that outputs can be written.
[[nodiscard]] InputSet load_inputs(const FileOptions& options, const Tensor& tensor, int limit);

/// Labels of `count` inputs, of --labels or --expected; where the latter has outputs alone, the largest one's
/// place. None: neither is given.
[[nodiscard]] std::vector<int> load_labels(const FileOptions& options, int count);
/// --input-type.
[[nodiscard]] ByteType byte_type(const std::string& name);

/// What is expected of the first outputs.
struct Comparison {
  int images = 0, equal = 0;
  std::string first; ///< where they are not, the first: "image 3 (x.bin), output 5 is 17, expected 18"
};

/// Outputs of a network, [images][elements of its output tensor].
struct Outputs {
  const Graph& graph;
  int images;
  const std::vector<std::int32_t>& values;
};

/// Holds them against the file of --expected; it has integers, or, of a network with a softmax,
/// probabilities, which are equal where they differ by less than the last of the file's decimals.
[[nodiscard]] Comparison compare(const FileOptions& options, const Outputs& outputs);

/// Writes the outputs: integers, in CSV with the probabilities beside them.
void write_outputs(const FileOptions& options, const Outputs& outputs);

} // namespace deltatwin
