#include "app/commands.h"
#include "app/graph_text.h"
#include "app/output.h"
#include "app/text.h"
#include "base/error.h"
#include "import/import.h"
#include "net/formats/formats.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace deltatwin {
namespace {

// Of the requantization of a node's results; null: it has none.
const Requantization* requantization_of(const Node& node) {
  if (const auto* convolution = std::get_if<Convolution>(&node.op))
    return &convolution->requantization;
  if (const auto* pool = std::get_if<Pool>(&node.op))
    return &pool->requantization;
  if (const auto* add = std::get_if<Add>(&node.op))
    return &add->output;
  if (const auto* rescale = std::get_if<Rescale>(&node.op))
    return &rescale->requantization;
  return nullptr;
}

std::string exactness(const NodeReport& report) {
  if (report.sums == 0)
    return "-";
  return report.different == 0 ? "yes" : "but " + grouped(report.different) + " of " + grouped(report.sums);
}

void print_nodes(const Import& network) {
  const Graph& graph = network.graph;
  TextTable table;
  table.add_column("node", TextTable::left, 9);
  table.add_column("does", TextTable::left, 10);
  table.add_column("from", TextTable::left, 3);
  table.add_column("shape", TextTable::left, 8);
  table.add_column("format", TextTable::left, 5);
  table.add_column("MACs", TextTable::right, 7);
  table.add_column("weights", TextTable::right, 6);
  table.add_column("rounding", TextTable::left, 4);
  table.add_column("exact", TextTable::left, 8);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Tensor& out = graph.tensors[node.output];
    const Requantization* requantization = requantization_of(node);
    const NodeReport& report = network.nodes[n];
    table.add_row({short_name(node), operator_text(node), report.source, shape_text(out.shape),
                   format_text(out.format), grouped(graph.macs(node)), grouped(node.weights()),
                   requantization ? to_string(requantization->rounding) : "-", exactness(report)});
  }
  std::printf("%s\n", table.text().c_str());
}

boost::json::object to_json(const Import& network, const std::string& path) {
  const Graph& graph = network.graph;
  boost::json::array nodes;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Tensor& out = graph.tensors[node.output];
    const Requantization* requantization = requantization_of(node);
    nodes.push_back({{"name", node.name},
                     {"does", operator_text(node)},
                     {"source", network.nodes[n].source},
                     {"shape", boost::json::array(out.shape.begin(), out.shape.end())},
                     {"bits", out.format.bits},
                     {"signed", out.format.is_signed},
                     {"zero_point", out.format.zero_point},
                     {"macs", graph.macs(node)},
                     {"weights", node.weights()},
                     {"rounding", requantization ? boost::json::value(to_string(requantization->rounding))
                                                 : boost::json::value()},
                     {"remark", network.nodes[n].remark},
                     {"sums", network.nodes[n].sums},
                     {"different_sums", network.nodes[n].different}});
  }
  return {{"network", graph.name},
          {"kind", network.kind},
          {"file", path},
          {"macs", graph.macs()},
          {"weights", graph.weights()},
          {"nodes", std::move(nodes)},
          {"notes", boost::json::array(network.notes.begin(), network.notes.end())}};
}

} // namespace

void add_import_command(CLI::App& app) {
  struct Arguments {
    std::string input, output, json;
  };
  auto* command =
      app.add_subcommand("import", "read a quantized network of TensorFlow Lite or ONNX into a network file");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("file", arguments->input,
                   "model: .tflite or .onnx, of int8 or uint8, or QONNX of 1 to 8 bits")
      ->required();
  command->add_option("-o,--output", arguments->output,
                      "file to write [NAME.json in this directory, where there is none yet]");
  add_json_option(*command, arguments->json);
  command->footer("Exact: every sum that a node's accumulators can reach, over all inputs, becomes the very "
                  "integer that\n"
                  "the model's own arithmetic gives; else how many do not.\n"
                  "Example:\n  deltatwin import model.tflite --output model.json");
  command->callback([arguments] {
    prepare_json(arguments->json);
    const Import network = import_network(arguments->input);
    const Graph& graph = network.graph;
    const std::string path = arguments->output.empty() ? graph.name + ".json" : arguments->output;
    if (arguments->output.empty() && std::filesystem::exists(path))
      throw InputError(path + ": is there already; --output names it to replace it");
    save_graph(graph, path);
    const Tensor& input = graph.tensors[graph.input];
    std::printf("%s, %s: input %s of %s, %zu nodes, %s weights, %s MACs\n\n", graph.name.c_str(),
                network.kind.c_str(), shape_text(input.shape).c_str(), format_text(input.format).c_str(),
                graph.nodes.size(), grouped(graph.weights()).c_str(), grouped(graph.macs()).c_str());
    print_nodes(network);
    for (const std::string& note : network.notes)
      std::printf("%s\n", folded(note).c_str());
    std::printf("%s is written\n", path.c_str());
    write_json(arguments->json, "import", to_json(network, arguments->input));
  });
}

} // namespace deltatwin
