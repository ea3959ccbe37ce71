#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// An outside tool is missing or has refused its work; the message holds what it said.
class ToolError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Runs a program found on the PATH (or named by a path) to its end; returns what it printed, throws
/// ToolError with that when it fails. Each line is first shown to `watch`: those that it takes (true)
/// are left out. `package` is the Debian package that has the tool, if not its namesake; `directory`,
/// where it runs, if not here.
std::string run_tool(const std::string& tool, const std::vector<std::string>& arguments,
                     const std::function<bool(const std::string& line)>& watch = {},
                     const std::string& package = {}, const std::string& directory = {});

/// Is the tool on the PATH?
[[nodiscard]] bool has_tool(const std::string& tool);

/// A tool and its arguments.
using ToolCall = std::pair<std::string, std::vector<std::string>>;
/// Runs tools at the same time in `directory`, where what they print goes to files; like run_tool
/// for the first that fails.
void run_tools(const std::vector<ToolCall>& calls, const std::string& directory);

/// The path of this program.
[[nodiscard]] std::string this_program();

/// The words as a line that a shell takes apart into them again.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// A text's name: equal for equal texts, different for different ones (a UUID of version 5, of SHA-1).
[[nodiscard]] std::string hash_text(const std::string& text);

/// Where the RTL stands: the environment variable DELTATWIN_RTL, else where it was at build time.
[[nodiscard]] std::string rtl_directory();
/// The .sv and .v files of a directory, sorted, without hidden ones; throws ToolError when there are none.
[[nodiscard]] std::vector<std::string> rtl_files(const std::string& directory);

} // namespace deltatwin
