#include "base/device.h"
#include "base/error.h"

namespace deltatwin {

const std::vector<Device>& devices() {
  static const std::vector<Device> all = {
      {"xc7s6", "Spartan-7 XC7S6", 3750, 7500, 10, 5},
      {"xc7s15", "Spartan-7 XC7S15", 8000, 16000, 20, 10},
      {"xc7s25", "Spartan-7 XC7S25", 14600, 29200, 80, 45},
      {"xc7s50", "Spartan-7 XC7S50", 32600, 65200, 120, 75},
      {"xc7z020", "Zynq-7020 XC7Z020 (PYNQ-Z1)", 53200, 106400, 220, 140},
  };
  return all;
}

const Device& find_device(const std::string& name) {
  std::string known;
  for (const Device& device : devices()) {
    if (name == device.name)
      return device;
    known += (known.empty() ? "" : ", ") + std::string(device.name);
  }
  throw InputError("unknown device \"" + name + "\"; known are " + known);
}

} // namespace deltatwin
