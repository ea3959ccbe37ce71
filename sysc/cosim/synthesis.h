#pragma once
#include "tops/top.h"
#include <functional>
#include <vector>

namespace deltatwin {

/// Whether Yosys dissolves the modules' borders before it optimizes, or synthesizes each module once and
/// puts the results together: no cell is shared or simplified across a border then (a few % more LUTs),
/// and a design of many equal modules is done in a fraction of the time.
enum class Hierarchy { flattened, kept };

/// What Yosys (`synth_xilinx -family xc7`, out of context, no I/O pads) makes of a design.
/// In the flattened netlist a cell belongs to the part in which it or the net that it drives is
/// named (an instance's input, `_i`, is named by who drives it), a cell without such a name to the
/// part that it drives, directly or through others of the kind; of several, to the first in
/// Top::parts(); of none, to the part without instances.
struct SynthesisResult : Resources {
  std::vector<Resources> parts; ///< like Top::parts(), whose sum this is
};

/// Synthesizes a design's RTL, or answers from the cache (a hash of RTL, parameters, script and tool
/// version). `progress` is told the share that is done, again and again. Throws ToolError where
/// Yosys is missing or fails.
[[nodiscard]] SynthesisResult synthesize(const Top& top, const std::function<void(double)>& progress = {},
                                         Hierarchy hierarchy = Hierarchy::flattened);

} // namespace deltatwin
