#include "app/commands.h"
#include "app/options.h"
#include "app/simulate_graph.h"
#include "base/error.h"
#include "base/text.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

namespace deltatwin {
namespace {

void tell_foreign(const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints)
    std::fprintf(stderr, "deltatwin: not listed: %s\n", printable(complaint).c_str());
}

void list_network(const Network& network, const std::string& name, const std::string& file, TextTable& table,
                  boost::json::array& list) {
  std::string shape = std::to_string(network.layers.front().inputs);
  for (const Layer& layer : network.layers)
    shape += "-" + std::to_string(layer.outputs);
  const Layer& first = network.layers.front();
  table.add_row({name, shape, grouped(network.macs()), grouped(network.weight_count()),
                 grouped(network.stored_bits()),
                 std::string(first.scheme == Scheme::fixed_reference ? "fixed" : to_string(first.scheme)) +
                     ", D=" + std::to_string(first.delta_bits) +
                     (first.code == Code::huffman         ? ", Huffman"
                      : first.code == Code::huffman_pairs ? ", Huffman pairs"
                                                          : "")});
  list.push_back({{"name", name},
                  {"file", file},
                  {"description", network.description},
                  {"shape", shape},
                  {"macs", network.macs()},
                  {"weights", network.weight_count()},
                  {"stored_bits", network.stored_bits()},
                  {"scheme", to_string(first.scheme)},
                  {"delta_bits", first.delta_bits},
                  {"code", to_string(first.code)}});
}

// Of convolutions: its shape is the input's.
void list_graph(const Graph& graph, const std::string& name, const std::string& file, TextTable& table,
                boost::json::array& list) {
  const std::string shape = shape_text(graph.tensors[graph.input].shape);
  table.add_row({name, shape, grouped(graph.macs()), grouped(graph.weights()), "-",
                 count_of(graph.nodes.size(), "node")});
  list.push_back({{"name", name},
                  {"file", file},
                  {"description", graph.description},
                  {"shape", shape},
                  {"macs", graph.macs()},
                  {"weights", graph.weights()},
                  {"nodes", graph.nodes.size()}});
}

void list_networks(const std::string& json) {
  prepare_json(json);
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(networks_directory(), error))
    if (entry.path().extension() == ".json")
      files.push_back(entry.path().string());
  if (error)
    throw InputError(networks_directory() + ": " + error.message());
  std::sort(files.begin(), files.end());
  boost::json::array list;
  std::vector<std::string> foreign;
  TextTable table;
  for (const char* head : {"network", "layers"})
    table.add_column(head, TextTable::left, 2);
  for (const char* head : {"MACs", "weights", "bits"})
    table.add_column(head, TextTable::right, 2);
  table.add_column("format", TextTable::left, 1);
  for (const std::string& file : files) {
    const std::string name = printable(std::filesystem::path(file).stem().string());
    try {
      Graph graph = load_graph(file);
      if (is_dense_chain(graph))
        list_network(dense_chain(std::move(graph), file), name, file, table, list);
      else
        list_graph(graph, name, file, table, list);
    } catch (const InputError& complaint) {
      foreign.emplace_back(complaint.what());
    }
  }
  std::printf("%s", table.text().c_str());
  tell_foreign(foreign);
  write_json(json, "networks", {{"networks", std::move(list)}});
}

void list_devices(const std::string& json) {
  prepare_json(json);
  std::vector<std::string> foreign;
  const std::vector<Device> all = devices(&foreign);
  boost::json::array list;
  std::printf("%-8s %8s %8s %8s %7s  %s\n", "device", "LUT", "FF", "DSP48E1", "RAMB36", "");
  for (const Device& device : all) {
    std::printf("%-8s %8s %8s %8d %7d  %s\n", device.name.c_str(),
                grouped(static_cast<std::uint64_t>(device.lut)).c_str(),
                grouped(static_cast<std::uint64_t>(device.ff)).c_str(), device.dsp, device.bram36,
                printable(device.description).c_str());
    list.push_back({{"name", device.name},
                    {"description", device.description},
                    {"lut", device.lut},
                    {"ff", device.ff},
                    {"dsp", device.dsp},
                    {"bram36", device.bram36}});
  }
  tell_foreign(foreign);
  write_json(json, "devices", {{"devices", std::move(list)}});
}

void add_list_command(CLI::App& app, const std::string& name, const std::string& description,
                      void (*list)(const std::string& json)) {
  auto* command = app.add_subcommand(name, description);
  auto json = std::make_shared<std::string>();
  add_json_option(*command, *json);
  command->footer("Examples:\n  deltatwin " + name + "\n  deltatwin " + name + " --json -");
  command->callback([json, list] { list(*json); });
}

} // namespace

void add_networks_command(CLI::App& app) {
  add_list_command(app, "networks", "list the committed networks", list_networks);
}

void add_devices_command(CLI::App& app) {
  add_list_command(app, "devices", "list the devices and their budgets", list_devices);
}

} // namespace deltatwin
