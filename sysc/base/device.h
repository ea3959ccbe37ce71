#pragma once
#include <string>
#include <vector>

namespace deltatwin {

/// An FPGA's budget (AMD DS180, DS190). One RAMB36 is two RAMB18.
struct Device {
  const char* name;
  const char* description;
  int lut, ff, dsp, bram36;
};

[[nodiscard]] const std::vector<Device>& devices();
/// Throws InputError with the list of known names.
[[nodiscard]] const Device& find_device(const std::string& name);

} // namespace deltatwin
