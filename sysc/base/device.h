#pragma once
#include <string>
#include <vector>

namespace deltatwin {

/// An FPGA's budget. One RAMB36 is two RAMB18.
struct Device {
  std::string name, description;
  int lut = 0, ff = 0, dsp = 0, bram36 = 0;
};

/// Reads a device file: a JSON object of exactly these fields. Throws InputError that names file and field.
[[nodiscard]] Device load_device(const std::string& path);

/// Where the named devices stand: the environment variable DELTATWIN_DEVICES, or sysc/devices.
[[nodiscard]] std::string devices_directory();
/// The named devices, smallest first. What else is in their directory hides none of them: `foreign`, if
/// not null, gets why a .json file there is no device.
[[nodiscard]] std::vector<Device> devices(std::vector<std::string>* foreign = nullptr);
/// A device by name, or by the path of its file. Throws InputError with the list of known names.
[[nodiscard]] Device find_device(const std::string& name);

} // namespace deltatwin
