#include "net/networks_directory.h"
#include "base/error.h"
#include "base/paths.h"
#include <cstdlib>
#include <filesystem>

namespace deltatwin {
namespace {

// `hint`: where the names are told.
std::string find(const std::string& name, const char* ending, const std::string& hint) {
  std::error_code error;
  if (name.find('/') != std::string::npos || std::filesystem::is_regular_file(name, error))
    return name;
  const std::string path = networks_directory() + "/" + name + ending;
  if (!std::filesystem::exists(path, error))
    throw InputError("no network \"" + name + "\": it is neither a file nor in " + networks_directory() +
                     hint);
  return path;
}

} // namespace

std::string networks_directory() {
  const char* directory = std::getenv("DELTATWIN_NETWORKS");
  return directory ? directory : source_path("traces");
}

std::string find_network(const std::string& name) {
  return find(name, ".json", " (`deltatwin networks` lists those)");
}

std::string find_float_network(const std::string& name) {
  return find(name, ".safetensors", ", with .safetensors behind");
}

} // namespace deltatwin
