#pragma once
#include "cosim/waves.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// What a view of waves shows: notes first, then the interfaces of both twins side by side, AXI4-Lite last.
struct WaveView {
  std::string module; ///< the top's
  std::vector<Interface> interfaces;
  WaveWindow window;                ///< the first cycles are seen
  std::optional<Cycle> marker;      ///< or those around this one, which gets a marker
  std::vector<WaveNote> notes = {}; ///< their signals
};

/// A GTKWave save file that opens `waves`.
[[nodiscard]] std::string view_text(const std::string& waves, const WaveView& view);

/// Has `write` write a VCD to the path that it is given, and makes STEM.vcd, STEM.fst where vcd2fst is
/// installed, and STEM.gtkw of it: each is there whole or not at all, however many write to one place
/// at once. Returns whether there is an FST. Throws what `write` throws, and ToolError.
bool write_wave_files(const std::string& stem, const WaveView& view,
                      const std::function<void(const std::string& vcd)>& write);

} // namespace deltatwin
