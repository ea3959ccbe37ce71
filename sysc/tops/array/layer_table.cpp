#include "tops/array/layer_table.h"
#include "blocks/sweep_starts.h"
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
  std::vector<ArrayLayerRow> rows(program.order.size());
  std::vector<std::size_t> row_of[2];        // of an engine's layers
  std::vector<std::vector<Sweep>> sweeps_of; // by layer
  if (config.has_sweeps())
    sweeps_of = program.sweeps_of_layers();
  for (std::size_t n = 0; n < program.order.size(); ++n)
    row_of[program.order[n].on_stage].push_back(n);
  for (const bool on_stage : {false, true}) {
    const ArrayTables& tables = on_stage ? program.stage : program;
    for (std::size_t s = 0; s < tables.steps.size(); ++s) {
      const auto l = static_cast<std::size_t>(tables.steps[s].layer);
      const ArrayLayer& layer = tables.layers[l];
      const ArrayRun::Step& idle = (on_stage ? run.stage_steps : run.steps)[s];
      ArrayLayerRow& row = rows[row_of[on_stage][l]];
      ++row.rows;
      if (config.has_sweeps()) { // what holds up its sweeps is between tiles
        const int in_block = tables.steps[s].rows;
        row.rows += in_block - 1;
        row.cycles +=
            idle.idle_sweeps +
            sweeps_of[l].size() * static_cast<Cycle>(SweepTiming::sweep_cycles(layer.columns * in_block));
        row.pauses += idle.idle_sweeps;
        row.waits += idle.idle_wait;
        row.input += idle.idle_rows;
        row.output += idle.idle_room;
        continue;
      }
      row.cycles += static_cast<Cycle>(layer.entries) * static_cast<Cycle>(layer.tile_cycles());
      row.pauses += static_cast<Cycle>(layer.entries) * static_cast<Cycle>(layer.pause);
      row.waits += idle.idle_wait;
      row.input += idle.idle_rows;
      row.output += idle.idle_room;
      row.other += idle.idle_other;
    }
  }
  for (std::size_t n = rows.size(); n-- > 0;) {
    const ArrayTables& tables = program.order[n].on_stage ? program.stage : program;
    const std::size_t l = program.order[n].layer;
    const ArrayLayer& layer = tables.layers[l];
    ArrayLayerRow& row = rows[n];
    row.on_stage = program.order[n].on_stage;
    row.node = tables.nodes[l];
    row.kind = layer.max_pool ? "max pool" : layer.depthwise ? "depthwise" : "convolution";
    if (layer.add)
      row.kind += " + add";
    row.columns = layer.columns;
    row.pixels = layer.tile_pixels(config.pixels);
    row.tiles = layer.tiles;
    row.kept = tables.kept[l];
    std::swap(row.macs, macs[row.node]); // a node's last layer has them
    row.read_bits = width_bits(layer.read_code);
    row.result_bits = width_bits(layer.write_code);
    row.passes = layer.passes;
    const int outputs = row.on_stage ? 1 : config.pixels * config.outputs;
    row.ideal = static_cast<double>(row.macs) * row.passes /
                (static_cast<double>(outputs) * (config.window() << layer.read_code));
    if (config.has_sweeps()) {
      row.of_tiles = layer.tiles * layer.steps();
      row.zeros = row.of_tiles - static_cast<int>(sweeps_of[l].size());
      row.ideal *= static_cast<double>(sweeps_of[l].size()) / row.of_tiles;
    }
    row.utilization = row.ideal / static_cast<double>(row.cycles);
  }
  return rows;
}

boost::json::array to_json(const std::vector<ArrayLayerRow>& rows) {
  boost::json::array array;
  for (const ArrayLayerRow& row : rows)
    array.push_back({{"node", row.node},
                     {"kind", row.kind},
                     {"engine", row.on_stage ? "stage" : "array"},
                     {"rows", row.rows},
                     {"columns", row.columns},
                     {"pixels", row.pixels},
                     {"tiles", row.tiles},
                     {"macs", row.macs},
                     {"cycles", row.cycles},
                     {"utilization", row.utilization},
                     {"bits", row.read_bits},
                     {"result_bits", row.result_bits},
                     {"passes", row.passes},
                     {"tiles_of_zeros", row.zeros},
                     {"pauses", row.pauses},
                     {"waits_for_results", row.waits},
                     {"waits_for_input", row.input},
                     {"waits_for_output", row.output},
                     {"waits_for_other_engine", row.other},
                     {"rows_kept", row.kept.rows},
                     {"map_words", row.kept.map_words},
                     {"skip_words", row.kept.skip_words}});
  return array;
}

void print(const std::vector<ArrayLayerRow>& rows) {
  std::printf("\n  layer  kind               results           MACs     cycles   used  pauses   waits   input"
              "  output   other  rows  words  skips  node\n");
  for (std::size_t l = 0; l < rows.size(); ++l) {
    const ArrayLayerRow& row = rows[l];
    const std::string shape =
        std::to_string(row.rows) + "x" + std::to_string(row.columns) + "x" + std::to_string(row.tiles);
    std::string name = row.node;
    if (row.read_bits < 8 || row.result_bits < 8 || row.passes > 1)
      name += " (" + std::to_string(row.read_bits) + " to " + std::to_string(row.result_bits) + " bits" +
              (row.passes > 1 ? ", " + std::to_string(row.passes) + " passes" : "") + ")";
    if (row.zeros > 0)
      name += ", " + std::to_string(row.zeros) + " of " + std::to_string(row.of_tiles) + " tiles zero";
    std::printf(
        "  %5zu  %-17s  %-11s  %10llu %10llu %4.0f %% %7llu %7llu %7llu %7llu %7llu %5d %6d %6d  %s\n", l,
        (row.kind + (row.on_stage ? ", stage" : "")).c_str(),
        (shape + (row.pixels > 1 ? "x" + std::to_string(row.pixels) : "")).c_str(),
        static_cast<unsigned long long>(row.macs), static_cast<unsigned long long>(row.cycles),
        100 * row.utilization, static_cast<unsigned long long>(row.pauses),
        static_cast<unsigned long long>(row.waits), static_cast<unsigned long long>(row.input),
        static_cast<unsigned long long>(row.output), static_cast<unsigned long long>(row.other),
        row.kept.rows, row.kept.map_words, row.kept.skip_words, name.c_str());
  }
  std::printf("\n  results: rows x columns x tiles (x pixels); pauses between tiles and waits for results, "
              "input, output "
              "and the other engine in cycles\n\n");
}

} // namespace deltatwin
