#include "base/file.h"
#include "base/error.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace deltatwin {
namespace {

// Only a plain file is replaced; links, devices and pipes (/dev/stdout) are written through.
bool is_replaced(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
}

} // namespace

std::string read_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InputError(path + ": is a directory, expected a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    throw InputError(path + ": cannot be read: " + (errno ? std::strerror(errno) : "the file is empty"));
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  const bool replaced = is_replaced(path);
  const std::string temporary = replaced ? path + ".part" + std::to_string(getpid()) : path;
  errno = 0;
  std::ofstream out(temporary, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out && replaced)
    std::filesystem::rename(temporary, path, error);
  if (!out || error) {
    const std::string reason = error ? error.message() : std::strerror(errno);
    if (replaced)
      std::filesystem::remove(temporary, error);
    throw InputError(path + ": cannot be written: " + reason);
  }
}

void check_writable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InputError(path + ": cannot be written: it is a directory");
  const bool replaced = is_replaced(path);
  const std::string probe = path + ".part" + std::to_string(getpid());
  errno = 0;
  if (replaced ? !std::ofstream(probe) : access(path.c_str(), W_OK) != 0)
    throw InputError(path + ": cannot be written: " + std::strerror(errno));
  if (replaced)
    std::filesystem::remove(probe, error);
}

} // namespace deltatwin
