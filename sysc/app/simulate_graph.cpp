#include "app/simulate_graph.h"
#include "app/commands.h"
#include "app/images.h"
#include "app/output.h"
#include "app/subject.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "net/graph_inference.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

namespace deltatwin {
namespace {

void line(const char* name, const std::string& text) { std::printf("  %-22s %s\n", name, text.c_str()); }

void print_nodes(const Graph& graph) {
  constexpr const char* kinds[] = {"dense", "convolution", "pool", "add", "rescale", "reshape"};
  TextTable table;
  table.add_column("node", TextTable::left, 9);
  table.add_column("operator", TextTable::left, 8);
  table.add_column("result", TextTable::left, 7);
  table.add_column("MACs", TextTable::right, 6);
  table.add_column("weights", TextTable::right, 5);
  for (const Node& node : graph.nodes)
    table.add_row({node.name, kinds[node.op.index()], shape_text(graph.tensors[node.output].shape),
                   grouped(graph.macs(node)), grouped(node.weights())});
  std::printf("\n%s\n", table.text().c_str());
}

InputSet inputs_of(const Graph& graph, const CommonOptions& options, const FileOptions& files,
                   const ImageChoice& choice) {
  const Tensor& tensor = graph.tensors[graph.input];
  if (files.given())
    return load_inputs(files, tensor, choice.count);
  if (choice.random)
    return make_inputs(tensor, choice.count, choice.seed);
  return load_test_set(options.dataset, tensor, choice.count);
}

} // namespace

bool is_dense_chain(const Graph& graph) {
  return std::all_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return std::holds_alternative<Layer>(node.op); });
}

InputSet load_test_set(const std::string& directory, const Tensor& input, int count) {
  try {
    return load_input_directory(directory, input, count);
  } catch (const InputError& error) {
    throw InputError(std::string(error.what()) +
                     "; --inputs FILE names a file of inputs, --images random:100 "
                     "makes some up, --dataset DIR names images of that size");
  }
}

int print_comparison(const FileOptions& files, const Comparison& comparison) {
  line("outputs", std::to_string(comparison.equal) + " of " + std::to_string(comparison.images) +
                      " equal those of " + files.expected);
  if (!comparison.first.empty())
    line("first difference", comparison.first);
  return comparison.equal == comparison.images ? 0 : exit_twins_diverge;
}

int simulate_graph(const Graph& graph, const CommonOptions& options, const FileOptions& files) {
  prepare_json(options.json);
  if (!files.outputs.empty())
    check_writable(files.outputs);
  const ImageChoice choice = parse_images(options.images);
  const InputSet inputs = inputs_of(graph, options, files, choice);
  GraphInference inference(graph);
  std::vector<std::int32_t> values(static_cast<std::size_t>(inputs.count) * inference.outputs());
  const auto begin = std::chrono::steady_clock::now();
  inference.run(inputs.values.data(), inputs.count, values.data());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const Outputs outputs = {graph, inputs.count, values};
  const std::string images = describe(choice, inputs.count);
  std::printf("%s: integer inference alone, without cycles\n%s\n", graph.name.c_str(),
              folded("The array does not run it: " + array_complaint(options.network)).c_str());
  std::optional<double> right;
  if (!inputs.labels.empty())
    right = accuracy(values, inference.outputs(), inputs.labels);
  line("accuracy", right ? fixed(100 * *right, 2) + " % of " + images : "not known: there are no labels");
  int exit_code = 0;
  boost::json::object json = {{"network", graph.name}, {"simulated", "integer inference"}};
  if (files.given()) {
    json["images"] = inputs.count;
    json["inputs"] = files.inputs;
  } else {
    add_images(json, choice, options.dataset, inputs.count);
  }
  json["accuracy"] = right ? boost::json::value(*right) : boost::json::value();
  json["macs_per_inference"] = graph.macs();
  json["weights"] = graph.weights();
  json["wall_seconds"] = seconds;
  if (!files.expected.empty()) {
    const Comparison comparison = compare(files, outputs);
    exit_code = print_comparison(files, comparison);
    json["expected"] = files.expected;
    json["equal_outputs"] = comparison.equal;
  }
  line("an inference", grouped(graph.macs()) + " MACs, " + grouped(graph.weights()) + " weights");
  if (graph.softmax)
    line("left to the host", "softmax");
  print_nodes(graph);
  std::printf("  %s in %s s: %s G MAC/s\n", images.c_str(), fixed(seconds, 2).c_str(),
              rate(static_cast<double>(graph.macs()) * inputs.count / std::max(seconds, 1e-9) / 1e9).c_str());
  write_outputs(files, outputs);
  write_json(options.json, "simulate", json);
  return exit_code;
}

} // namespace deltatwin
