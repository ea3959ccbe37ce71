#pragma once
#include <string>

namespace deltatwin {

/// Where built things are kept: DELTATWIN_CACHE, else XDG_CACHE_HOME/deltatwin, else
/// ~/.cache/deltatwin, else a directory of the user's own in temporary_directory(). Throws ToolError
/// where that one is somebody else's or open to others: what is in it would be run.
[[nodiscard]] std::string cache_directory();

/// TMPDIR, else /tmp; throws ToolError where there is no such directory.
[[nodiscard]] std::string temporary_directory();

/// A new directory in `parent` (which is made if need be) for one piece of work, removed with all that
/// is in it. What a killed process has left there is removed when the next one comes.
class WorkDirectory {
public:
  explicit WorkDirectory(const std::string& parent);
  /// On the disk where `file` will be.
  [[nodiscard]] static WorkDirectory beside(const std::string& file);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
  int lock_ = -1; ///< held while the work goes on
};

/// A file of the cache with a seal behind its content, by which damage shows.
struct Sealed {
  enum State { missing, damaged, whole } state = missing;
  std::string content{}; ///< of a whole one
};
[[nodiscard]] Sealed read_sealed(const std::string& path);
/// Writes the file whole or not at all, however many do so at once; throws ToolError.
void write_sealed(const std::string& path, const std::string& content);

} // namespace deltatwin
