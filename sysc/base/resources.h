#pragma once
#include "base/device.h"
#include <utility>

namespace deltatwin {

/// What a design, or a part of it, takes of a device.
struct Resources {
  int lut = 0; ///< of all kinds, those of LUT-RAM and shift registers included
  int ff = 0, dsp = 0, ramb18 = 0, ramb36 = 0;
  int lut_ram = 0; ///< the part of `lut` that is LUT-RAM or shift registers

  constexpr Resources& operator+=(const Resources& other) {
    lut += other.lut;
    ff += other.ff;
    dsp += other.dsp;
    ramb18 += other.ramb18;
    ramb36 += other.ramb36;
    lut_ram += other.lut_ram;
    return *this;
  }
  /// In RAMB36 (two RAMB18 share one).
  [[nodiscard]] int bram36() const { return ramb36 + (ramb18 + 1) / 2; }
};

[[nodiscard]] constexpr Resources operator+(Resources sum, const Resources& other) { return sum += other; }
[[nodiscard]] constexpr Resources operator*(int count, const Resources& each) {
  return {count * each.lut,    count * each.ff,     count * each.dsp,
          count * each.ramb18, count * each.ramb36, count * each.lut_ram};
}

/// Each count by name.
inline constexpr std::pair<const char*, int Resources::*> resource_fields[] = {
    {"lut", &Resources::lut}, {"lut_ram", &Resources::lut_ram}, {"ff", &Resources::ff},
    {"dsp", &Resources::dsp}, {"ramb18", &Resources::ramb18},   {"ramb36", &Resources::ramb36}};

/// Whether a device has this much; of LUTs and FFs, `tolerance` of the budget more are let through.
[[nodiscard]] bool fits(const Resources& used, const Device& device, double tolerance = 0);

// Block RAM, DSPs and LUT-RAM are what the RTL's memories and products come to by the rules of the
// 7 series and of Yosys. LUTs of logic and flip-flops follow the RTL's structure, with coefficients
// fitted to synthesis: `resources_test '[.fit]'` prints what they are fitted to.

/// Rounded up.
[[nodiscard]] constexpr int ceil_div(int number, int by) { return (number + by - 1) / by; }
/// Bits of an address of `words`.
[[nodiscard]] constexpr int address_bits(int words) {
  int bits = 0;
  while (1 << bits < words)
    ++bits;
  return bits;
}
/// LUTs of `width` multiplexers of `inputs`. Fitted: half a LUT an input more than one.
[[nodiscard]] constexpr int mux_luts(int width, int inputs) { return width * (inputs - 1) / 2; }

/// Of a simple-dual-port memory in LUT-RAM, its output multiplexers not included: RAM32M, or RAM64M
/// where there are more than 32 words.
[[nodiscard]] Resources lut_ram_resources(int width, int depth);
/// The same of any depth with them, its read register included.
[[nodiscard]] Resources distributed_ram_resources(int width, int depth);
/// Words of a block RAM memory that lie in LUT-RAM behind it: up to 32 more than a multiple of 512.
[[nodiscard]] constexpr int lut_ram_tail(int depth) {
  return depth > 512 && depth % 512 <= 32 ? depth % 512 : 0;
}
/// Of a simple-dual-port memory of which only the lowest `used` bits are read; those of up to 64 words
/// are LUT-RAM unless `block` is forced.
[[nodiscard]] Resources memory_resources(int width, int depth, bool block, int used);
[[nodiscard]] inline Resources memory_resources(int width, int depth, bool block) {
  return memory_resources(width, depth, block, width);
}

} // namespace deltatwin
