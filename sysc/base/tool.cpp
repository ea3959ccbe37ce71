#include "base/tool.h"
#include "base/paths.h"
#include <algorithm>
#include <boost/process.hpp>
#include <boost/uuid/detail/sha1.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace deltatwin {

namespace fs = std::filesystem;
namespace process = boost::process;

std::string hash_text(const std::string& text) {
  boost::uuids::detail::sha1 hash;
  hash.process_bytes(text.data(), text.size());
  unsigned digest[5];
  hash.get_digest(digest);
  std::ostringstream hex;
  for (const unsigned word : digest) {
    hex.width(8);
    hex.fill('0');
    hex << std::hex << word;
  }
  return hex.str();
}

std::string run_tool(const std::string& tool, const std::vector<std::string>& arguments,
                     const std::function<bool(const std::string&)>& watch, const std::string& package) {
  const boost::filesystem::path program =
      tool.find('/') == std::string::npos ? process::search_path(tool) : boost::filesystem::path(tool);
  if (program.empty())
    throw ToolError("\"" + tool + "\" is not installed (Debian package " +
                    (package.empty() ? tool : package) + ")");
  process::ipstream output;
  process::child child(program, process::args(arguments), (process::std_out & process::std_err) > output,
                       process::std_in < process::null);
  std::string text, line;
  while (std::getline(output, line))
    if (!watch || !watch(line))
      text += line + "\n";
  child.wait();
  if (child.exit_code() != 0)
    throw ToolError(tool + " failed with exit code " + std::to_string(child.exit_code()) + ":\n" + text);
  return text;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    const bool plain = !word.empty() &&
                       word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                              "_-./+:=") == std::string::npos;
    line += line.empty() ? "" : " ";
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char letter : word)
      line += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    line += '\'';
  }
  return line;
}

std::string cache_directory() {
  if (const char* cache = std::getenv("DELTATWIN_CACHE"))
    return cache;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"))
    return std::string(cache) + "/deltatwin";
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "/tmp") + "/.cache/deltatwin";
}

WorkDirectory::WorkDirectory(std::string path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error)
    throw ToolError(path_ + ": cannot be made: " + error.message() + "; DELTATWIN_CACHE names another place");
}

WorkDirectory::~WorkDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string rtl_directory() {
  const char* directory = std::getenv("DELTATWIN_RTL");
  return directory ? directory : source_path("rtl");
}

std::vector<std::string> rtl_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".sv")
      files.push_back(entry.path().string());
  if (files.empty())
    throw ToolError(directory + ": holds no .sv file; DELTATWIN_RTL names the directory with the RTL");
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace deltatwin
