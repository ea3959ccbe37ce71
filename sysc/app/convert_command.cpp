#include "app/commands.h"
#include "app/options.h"
#include "base/error.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace deltatwin {

void add_convert_command(CLI::App& app) {
  struct Arguments {
    std::string input, output;
  };
  auto* command = app.add_subcommand("convert", "write a network file anew, in the current format");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("network", arguments->input, "name of a committed network, or a network file")
      ->required();
  command->add_option("-o,--output", arguments->output,
                      "file to write [NAME.json in this directory, where there is none yet]");
  command->footer("Example:\n  deltatwin convert old.json --output new.json");
  command->callback([arguments] {
    const Graph graph = load_graph(find_network(arguments->input));
    const std::string path = arguments->output.empty() ? graph.name + ".json" : arguments->output;
    if (arguments->output.empty() && std::filesystem::exists(path))
      throw InputError(path + ": is there already; --output names it to replace it");
    save_graph(graph, path);
    std::printf("%s: %s, %zu nodes, %s weights, %s MACs\n", path.c_str(), graph.name.c_str(),
                graph.nodes.size(), grouped(graph.weights()).c_str(), grouped(graph.macs()).c_str());
  });
}

} // namespace deltatwin
