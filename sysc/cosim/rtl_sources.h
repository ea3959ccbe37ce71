#pragma once
#include <string>
#include <vector>

namespace deltatwin {

/// The files of an RTL directory that a top is made of: those that declare it and what it names, as
/// far as that goes. A file of the same directory that nothing names plays no part.
struct RtlSources {
  std::vector<std::string> files;   ///< names in the directory, sorted
  std::vector<std::string> waivers; ///< X.vlt for each X.sv that has one: Verilator's options
  /// Of the names and contents of all of these, and of every file that they name in a string or an
  /// `include (relative to themselves, to the directory, or absolute).
  std::string key;
  std::vector<std::string> named; ///< those that are named, as absolute paths
  bool complete = true;           ///< false: an `include names what only a preprocessor can tell
};

/// Throws ToolError where nothing, or more than one file of other names, declares what is needed.
[[nodiscard]] RtlSources rtl_sources(const std::string& directory, const std::string& top);

} // namespace deltatwin
