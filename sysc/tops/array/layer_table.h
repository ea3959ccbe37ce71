#pragma once
#include "base/json.h"
#include "tops/array/program.h"
#include <string>
#include <vector>

namespace deltatwin {

/// Where a layer's time goes in a steady state, and what it keeps.
struct ArrayLayerRow {
  std::string node, kind;                 ///< "convolution", "depthwise", "max pool", with "+ add"
  bool on_stage = false;                  ///< it runs on the depthwise stage
  int rows = 0, columns = 0, tiles = 0;   ///< of results, that are computed
  int pixels = 1;                         ///< that a column is of
  std::uint64_t macs = 0;                 ///< of the node; 0 for a copy
  Cycle cycles = 0;                       ///< from its steps' beginnings to their ends, pauses included ...
  Cycle pauses = 0;                       ///< ... between tiles, for their results to leave
  Cycle waits = 0, input = 0, output = 0; ///< before its steps: for results, for rows of the image, for room
  Cycle other = 0;                        ///< for the other engine's steps
  int read_bits = 8, result_bits = 8, passes = 1;
  int zeros = 0, of_tiles = 0; ///< tiles of weights that are not swept, of how many
  double ideal = 0;       ///< cycles in which it had all multipliers, or planes, all the time, without these
  double utilization = 0; ///< of these in `cycles`
  ArrayProgram::Kept kept;
};

[[nodiscard]] std::vector<ArrayLayerRow> array_layer_table(const Graph& graph, const ArrayConfig& config,
                                                           const ArrayProgram& program);
[[nodiscard]] boost::json::array to_json(const std::vector<ArrayLayerRow>& rows);
void print(const std::vector<ArrayLayerRow>& rows);

} // namespace deltatwin
