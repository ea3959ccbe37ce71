#pragma once
#include "base/design.h"
#include <functional>
#include <string>

namespace deltatwin {

/// What Yosys (`synth_xilinx -family xc7`, out of context, no I/O pads) makes of a design.
struct SynthesisResult {
  int lut = 0;     ///< LUTs of all kinds, those of LUT-RAM and shift registers included
  int lut_ram = 0; ///< the part that is LUT-RAM and shift registers
  int ff = 0, dsp = 0, ramb18 = 0, ramb36 = 0;

  /// In RAMB36 (two RAMB18 share one).
  [[nodiscard]] int bram36() const { return ramb36 + (ramb18 + 1) / 2; }
};

/// Synthesizes the accelerator of a design point, or answers from the cache (a hash of RTL,
/// parameters and tool version). Throws ToolError where Yosys is missing or fails.
[[nodiscard]] SynthesisResult synthesize(const Design& design,
                                         const std::function<void(const std::string&)>& message = {});

} // namespace deltatwin
