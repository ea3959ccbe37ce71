#include "base/cache.h"
#include "base/tool.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

const char* const advice = "; DELTATWIN_CACHE names another place";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Anybody can have made it before.
std::string private_directory(const std::string& path) {
  struct stat status {};
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw ToolError(path + ": cannot be made: " + std::strerror(errno) + advice);
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw ToolError(path + ": is not a directory that belongs to you alone" + advice);
  return path;
}

constexpr const char* work_prefix = ".deltatwin-";

int lock_directory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) == 0)
    return directory;
  if (directory >= 0)
    close(directory);
  return -1;
}

// Removes the work of processes that ended without doing so: whoever lives holds his lock.
void sweep(const std::string& parent) {
  constexpr std::time_t grace = 60; // between making a directory and locking it
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    const std::string path = entry->path().string();
    struct stat status {};
    if (entry->path().filename().string().rfind(work_prefix, 0) != 0 || lstat(path.c_str(), &status) != 0 ||
        std::time(nullptr) - status.st_mtime < grace)
      continue;
    const int lock = lock_directory(path);
    if (lock < 0)
      continue;
    std::error_code ignored;
    fs::remove_all(path, ignored);
    close(lock);
  }
}

std::string seal_of(const std::string& content) { return "\nsealed " + hash_text(content) + "\n"; }

} // namespace

std::string cache_directory() {
  if (const std::string cache = variable("DELTATWIN_CACHE"); !cache.empty())
    return fs::absolute(cache).string();
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return fs::absolute(cache).string() + "/deltatwin";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::absolute(home).string() + "/.cache/deltatwin";
  return private_directory(temporary_directory() + "/deltatwin-" + std::to_string(geteuid()));
}

std::string temporary_directory() {
  const std::string named = variable("TMPDIR");
  std::error_code error;
  if (!named.empty() && !fs::is_directory(named, error))
    throw ToolError("TMPDIR is " + named + ", which is not a directory");
  return named.empty() ? "/tmp" : named;
}

WorkDirectory::WorkDirectory(const std::string& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  if (!error)
    sweep(parent);
  path_ = parent + "/" + work_prefix + "XXXXXX";
  if (error || !mkdtemp(path_.data()))
    throw ToolError(parent + ": cannot be written: " + (error ? error.message() : std::strerror(errno)));
  lock_ = lock_directory(path_);
}

WorkDirectory WorkDirectory::beside(const std::string& file) {
  const std::string parent = fs::path(file).parent_path().string();
  return WorkDirectory(parent.empty() ? "." : parent);
}

WorkDirectory::~WorkDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (lock_ >= 0)
    close(lock_);
}

Sealed read_sealed(const std::string& path) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error)))
    return {};
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  std::string text = bytes.str();
  const std::size_t length = seal_of("").size();
  if (!in || text.size() < length)
    return {Sealed::damaged};
  const std::string seal = text.substr(text.size() - length);
  text.resize(text.size() - length);
  if (seal != seal_of(text))
    return {Sealed::damaged};
  return {Sealed::whole, std::move(text)};
}

void write_sealed(const std::string& path, const std::string& content) {
  const WorkDirectory work = WorkDirectory::beside(path);
  const std::string whole = work.path() + "/file";
  errno = 0;
  std::ofstream out(whole, std::ios::binary);
  out << content << seal_of(content);
  out.close();
  std::error_code error;
  if (out)
    fs::rename(whole, path, error);
  if (!out || error)
    throw ToolError(path + ": cannot be written: " + (error ? error.message() : std::strerror(errno)));
}

} // namespace deltatwin
