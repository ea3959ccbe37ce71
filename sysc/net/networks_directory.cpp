#include "net/networks_directory.h"
#include "base/error.h"
#include "base/paths.h"
#include <cstdlib>
#include <filesystem>

namespace deltatwin {

std::string networks_directory() {
  const char* directory = std::getenv("DELTATWIN_NETWORKS");
  return directory ? directory : source_path("traces");
}

std::string find_network(const std::string& name) {
  std::error_code error;
  if (name.find('/') != std::string::npos || std::filesystem::is_regular_file(name, error))
    return name;
  const std::string path = networks_directory() + "/" + name + ".json";
  if (!std::filesystem::exists(path, error))
    throw InputError("no network \"" + name + "\": it is neither a file nor in " + networks_directory() +
                     " (`deltatwin networks` lists those)");
  return path;
}

} // namespace deltatwin
