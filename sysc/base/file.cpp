#include "base/file.h"
#include "base/error.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace deltatwin {
namespace {

constexpr mode_t new_file_mode = 0666; ///< less the umask

class File {
public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { (void)close(); }
  explicit operator bool() const { return descriptor_ >= 0; }
  [[nodiscard]] int get() const { return descriptor_; }
  // False: what was written did not arrive; errno says why.
  bool close() { return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0; }

private:
  int descriptor_;
};

bool write_all(const File& file, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = write(file.get(), text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR)
      return false;
    at += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  return true;
}

// A file beside `path` that nobody else has or can foresee; it is removed unless it is renamed.
class Temporary {
public:
  explicit Temporary(const std::string& path)
      : path_(unforeseen(path)), file_(create(path_)), is_there_(static_cast<bool>(file_)) {}
  ~Temporary() {
    if (is_there_)
      unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  [[nodiscard]] bool is_there() const { return is_there_; }
  [[nodiscard]] bool become(const std::string& path, const std::string& text, std::optional<mode_t> mode) {
    if (!write_all(file_, text) || (mode && fchmod(file_.get(), *mode) != 0) || !file_.close() ||
        rename(path_.c_str(), path.c_str()) != 0)
      return false;
    is_there_ = false;
    return true;
  }

private:
  static std::string unforeseen(const std::string& path) {
    std::random_device random;
    return path + ".part" + std::to_string(std::uint64_t{random()} << 32 | random());
  }
  static int create(const std::string& path) {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, new_file_mode);
  }

  std::string path_;
  File file_;
  bool is_there_;
};

// What stands at a path, links not followed; nothing where there is nothing.
std::optional<struct stat> status(const std::string& path) {
  struct stat there {};
  return lstat(path.c_str(), &there) == 0 ? std::optional(there) : std::nullopt;
}

// Only a plain file is replaced; links, devices and pipes (/dev/stdout) are written through.
bool is_replaced(const std::optional<struct stat>& there) { return !there || S_ISREG(there->st_mode); }

[[noreturn]] void cannot_write(const std::string& path, int error) {
  throw InputError(path + ": cannot be written: " + std::strerror(error));
}

} // namespace

std::string read_file(const std::string& path, std::size_t most) {
  const auto fail = [&path](const std::string& why) -> void {
    throw InputError(path + ": cannot be read: " + why);
  };
  // A pipe that nobody writes to would hold up a blocking open() for ever.
  const File file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat there {};
  if (!file || fstat(file.get(), &there) != 0)
    fail(std::strerror(errno));
  if (S_ISDIR(there.st_mode))
    throw InputError(path + ": is a directory, expected a file");
  if (!S_ISREG(there.st_mode) && !S_ISFIFO(there.st_mode))
    throw InputError(path + ": is a device, expected a file");
  const auto too_large = [&] { fail("it has more than " + std::to_string(most) + " bytes"); };
  if (static_cast<std::size_t>(there.st_size) > most)
    too_large();
  (void)fcntl(file.get(), F_SETFL, 0); // blocking again
  std::string text;
  constexpr std::size_t chunk = 1 << 20;
  text.reserve(static_cast<std::size_t>(there.st_size));
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + std::min(chunk, most + 1 - before));
    const ssize_t count = read(file.get(), text.data() + before, text.size() - before);
    if (count < 0 && errno != EINTR)
      fail(std::strerror(errno));
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (text.size() > most)
      too_large();
    if (count == 0)
      break;
  }
  if (text.empty())
    fail("the file is empty");
  return text;
}

void write_file(const std::string& path, const std::string& text) {
  const auto there = status(path);
  if (is_replaced(there)) {
    Temporary temporary(path);
    const auto mode = there ? std::optional<mode_t>(there->st_mode & 07777) : std::nullopt;
    if (!temporary.is_there() || !temporary.become(path, text, mode))
      cannot_write(path, errno);
    return;
  }
  File file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, new_file_mode));
  if (!file || !write_all(file, text) || !file.close())
    cannot_write(path, errno);
}

void check_writable(const std::string& path) {
  struct stat target {};
  if (stat(path.c_str(), &target) == 0 && S_ISDIR(target.st_mode))
    throw InputError(path + ": cannot be written: it is a directory");
  if (is_replaced(status(path)) ? !Temporary(path).is_there() : access(path.c_str(), W_OK) != 0)
    cannot_write(path, errno);
}

} // namespace deltatwin
