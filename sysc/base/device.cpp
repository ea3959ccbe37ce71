#include "base/device.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/paths.h"
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

namespace deltatwin {

namespace fs = std::filesystem;

Device load_device(const std::string& path) {
  const JsonDocument document(read_file(path, 1 << 20), path);
  const JsonField field = document.root();
  field.check_keys({"name", "description", "lut", "ff", "dsp", "bram36"});
  const auto count = [&field](const char* key) {
    return static_cast<int>(field.at(key).integer(0, 10'000'000));
  };
  Device device;
  device.name = field.at("name").name();
  device.description = field.at("description").text();
  device.lut = count("lut");
  device.ff = count("ff");
  device.dsp = count("dsp");
  device.bram36 = count("bram36");
  return device;
}

std::string devices_directory() {
  const char* directory = std::getenv("DELTATWIN_DEVICES");
  return directory ? directory : source_path("sysc/devices");
}

std::vector<Device> devices(std::vector<std::string>* foreign) {
  std::vector<Device> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(devices_directory(), error))
    if (entry.path().extension() == ".json") {
      try {
        all.push_back(load_device(entry.path().string()));
      } catch (const InputError& problem) {
        if (foreign)
          foreign->emplace_back(problem.what());
      }
    }
  if (error)
    throw InputError(devices_directory() + ": " + error.message());
  std::sort(all.begin(), all.end(), [](const Device& a, const Device& b) {
    return std::tie(a.lut, a.name) < std::tie(b.lut, b.name);
  });
  return all;
}

Device find_device(const std::string& name) {
  std::error_code error;
  if (name.find('/') != std::string::npos || fs::is_regular_file(name, error))
    return load_device(name);
  std::string known;
  std::vector<std::string> foreign;
  for (const Device& device : devices(&foreign)) {
    if (name == device.name)
      return device;
    known += (known.empty() ? "" : ", ") + device.name;
  }
  throw InputError("unknown device \"" + name + "\"; known are " + known +
                   (foreign.empty() ? "" : "; unreadable is " + foreign.front()));
}

} // namespace deltatwin
