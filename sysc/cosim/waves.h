#pragma once
#include "base/trace.h"
#include <map>
#include <string>
#include <vector>

namespace deltatwin {

/// The cycles of a waveform, and how long one is.
struct WaveWindow {
  Cycle first = 0, last = 0; ///< both included
  std::uint64_t period_ps = 10000;
};

/// The signals of all interfaces, each with its width: several interfaces may share parts of one.
[[nodiscard]] std::map<std::string, int> signal_widths(const std::vector<Interface>& interfaces);

/// Writes a model's beats as a VCD: each interface's strobes and fields under the names that the
/// RTL's signals have; strobes are high in the cycles of beats, fields hold their last value. `notes` stand
/// beside them; in their texts blanks and what cannot be printed become _, as VCD wants it.
void write_beats_vcd(const std::string& path, const std::string& block,
                     const std::vector<Interface>& interfaces, const BeatTrace& beats,
                     const WaveWindow& window, const std::vector<WaveNote>& notes = {});

/// Joins two VCDs of the same time scale into one, under the scopes `model` and `rtl`.
void merge_vcds(const std::string& model, const std::string& rtl, const std::string& output);

/// Makes an FST of a VCD with vcd2fst (package gtkwave); false when that is not installed.
bool convert_to_fst(const std::string& vcd, const std::string& fst);

} // namespace deltatwin
