#include "tops/array/layer_table.h"
#include "tops/array/timing.h"
#include <cstdio>
#include <map>

namespace deltatwin {

std::vector<ArrayLayerRow> array_layer_table(const Graph& graph, const ArrayConfig& config,
                                             const ArrayProgram& program) {
  constexpr int enough = 5; // images, for what is steady
  const ArrayRun run = array_run(config, program, enough);
  std::map<std::string, std::uint64_t> macs;
  for (const Node& node : graph.nodes)
    macs[node.name] += graph.macs(node);
  std::vector<ArrayLayerRow> rows(program.layers.size());
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const auto l = static_cast<std::size_t>(program.steps[s].layer);
    const ArrayLayer& layer = program.layers[l];
    ArrayLayerRow& row = rows[l];
    ++row.rows;
    row.cycles += static_cast<Cycle>(layer.entries) * static_cast<Cycle>(layer.tile_cycles());
    row.pauses += static_cast<Cycle>(layer.entries) * static_cast<Cycle>(layer.pause);
    row.waits += run.steps[s].idle_wait;
    row.input += run.steps[s].idle_rows;
    row.output += run.steps[s].idle_room;
  }
  for (std::size_t l = rows.size(); l-- > 0;) {
    const ArrayLayer& layer = program.layers[l];
    ArrayLayerRow& row = rows[l];
    row.node = program.nodes[l];
    row.kind = layer.max_pool ? "max pool" : layer.depthwise ? "depthwise" : "convolution";
    if (layer.add)
      row.kind += " + add";
    row.columns = layer.columns;
    row.tiles = layer.tiles;
    row.kept = program.kept[l];
    std::swap(row.macs, macs[row.node]); // a node's last layer has them
    row.utilization =
        static_cast<double>(row.macs) / (static_cast<double>(row.cycles) * config.outputs * config.window());
  }
  return rows;
}

boost::json::array to_json(const std::vector<ArrayLayerRow>& rows) {
  boost::json::array array;
  for (const ArrayLayerRow& row : rows)
    array.push_back({{"node", row.node},
                     {"kind", row.kind},
                     {"rows", row.rows},
                     {"columns", row.columns},
                     {"tiles", row.tiles},
                     {"macs", row.macs},
                     {"cycles", row.cycles},
                     {"utilization", row.utilization},
                     {"pauses", row.pauses},
                     {"waits_for_results", row.waits},
                     {"waits_for_input", row.input},
                     {"waits_for_output", row.output},
                     {"rows_kept", row.kept.rows},
                     {"map_words", row.kept.map_words},
                     {"skip_words", row.kept.skip_words}});
  return array;
}

void print(const std::vector<ArrayLayerRow>& rows) {
  std::printf("\n  layer  kind               results           MACs     cycles   used  pauses   waits   input"
              "  output  rows  words  skips  node\n");
  for (std::size_t l = 0; l < rows.size(); ++l) {
    const ArrayLayerRow& row = rows[l];
    const std::string shape =
        std::to_string(row.rows) + "x" + std::to_string(row.columns) + "x" + std::to_string(row.tiles);
    std::printf("  %5zu  %-17s  %-11s  %10llu %10llu %4.0f %% %7llu %7llu %7llu %7llu %5d %6d %6d  %s\n", l,
                row.kind.c_str(), shape.c_str(), static_cast<unsigned long long>(row.macs),
                static_cast<unsigned long long>(row.cycles), 100 * row.utilization,
                static_cast<unsigned long long>(row.pauses), static_cast<unsigned long long>(row.waits),
                static_cast<unsigned long long>(row.input), static_cast<unsigned long long>(row.output),
                row.kept.rows, row.kept.map_words, row.kept.skip_words, row.node.c_str());
  }
  std::printf("\n  results: rows x columns x tiles; pauses between tiles and waits for results, input and "
              "output in cycles\n\n");
}

} // namespace deltatwin
