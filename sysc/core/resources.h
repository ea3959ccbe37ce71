#pragma once
#include "base/design.h"

namespace deltatwin {

/// What a design takes of a device.
struct Resources {
  int lut = 0; ///< of all kinds, those of LUT-RAM and shift registers included
  int ff = 0, dsp = 0, ramb18 = 0, ramb36 = 0;

  /// In RAMB36 (two RAMB18 share one).
  [[nodiscard]] int bram36() const { return ramb36 + (ramb18 + 1) / 2; }
};

/// Of one simple-dual-port memory; those of up to 64 words are distributed unless `block` is forced.
[[nodiscard]] Resources memory_resources(int width, int depth, bool block);
/// Of the accelerator: block RAM and DSPs as the RTL infers them.
[[nodiscard]] Resources resources(const Design& design);

} // namespace deltatwin
