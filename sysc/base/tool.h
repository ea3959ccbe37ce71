#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace deltatwin {

/// An outside tool is missing or has refused its work; the message holds what it said.
class ToolError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Runs a program found on the PATH (or named by a path) to its end; returns what it printed, throws
/// ToolError with that when it fails. Each line is first shown to `watch`: those that it takes (true)
/// are left out. `package` is the Debian package that has the tool, if not its namesake.
std::string run_tool(const std::string& tool, const std::vector<std::string>& arguments,
                     const std::function<bool(const std::string& line)>& watch = {},
                     const std::string& package = {});

/// The words as a line that a shell takes apart into them again.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// Where built things are kept: DELTATWIN_CACHE, else XDG_CACHE_HOME/deltatwin, else
/// ~/.cache/deltatwin.
[[nodiscard]] std::string cache_directory();

/// The SHA-1 of a text, in hexadecimal.
[[nodiscard]] std::string hash_text(const std::string& text);

/// A directory for one piece of work, removed with all that is in it.
class WorkDirectory {
public:
  explicit WorkDirectory(std::string path);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// Where the RTL stands: the environment variable DELTATWIN_RTL, else where it was at build time.
[[nodiscard]] std::string rtl_directory();
/// The .sv files of a directory, sorted; throws ToolError when there are none.
[[nodiscard]] std::vector<std::string> rtl_files(const std::string& directory);

} // namespace deltatwin
