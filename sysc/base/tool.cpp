#include "base/tool.h"
#include "base/paths.h"
#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/process.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace deltatwin {

namespace fs = std::filesystem;
namespace process = boost::process;

namespace {

boost::filesystem::path find_tool(const std::string& tool, const std::string& package = {}) {
  const boost::filesystem::path program =
      tool.find('/') == std::string::npos ? process::search_path(tool) : boost::filesystem::path(tool);
  if (program.empty())
    throw ToolError("\"" + tool + "\" is not installed (Debian package " +
                    (package.empty() ? tool : package) + ")");
  return boost::filesystem::absolute(program);
}

std::string complaint(const std::string& tool, const process::child& child, const std::string& text) {
  return tool + " failed with exit code " + std::to_string(child.exit_code()) + ":\n" + text;
}

} // namespace

std::string hash_text(const std::string& text) {
  return boost::uuids::to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(text));
}

std::string run_tool(const std::string& tool, const std::vector<std::string>& arguments,
                     const std::function<bool(const std::string&)>& watch, const std::string& package,
                     const std::string& directory) {
  const boost::filesystem::path program = find_tool(tool, package);
  process::ipstream output;
  process::child child(program, process::args(arguments), (process::std_out & process::std_err) > output,
                       process::std_in < process::null,
                       process::start_dir(directory.empty() ? "." : directory));
  std::string text, line;
  while (std::getline(output, line))
    if (!watch || !watch(line))
      text += line + "\n";
  child.wait();
  if (child.exit_code() != 0)
    throw ToolError(complaint(tool, child, text));
  return text;
}

bool has_tool(const std::string& tool) { return !process::search_path(tool).empty(); }

void run_tools(const std::vector<ToolCall>& calls, const std::string& directory) {
  const auto log = [&](std::size_t call) { return directory + "/log" + std::to_string(call); };
  std::vector<process::child> children;
  for (const auto& [tool, arguments] : calls)
    children.emplace_back(find_tool(tool), process::args(arguments),
                          (process::std_out & process::std_err) >
                              boost::filesystem::path(log(children.size())),
                          process::std_in < process::null, process::start_dir(directory));
  for (process::child& child : children)
    child.wait();
  for (std::size_t i = 0; i < children.size(); ++i)
    if (children[i].exit_code() != 0) {
      std::ostringstream text;
      text << std::ifstream(log(i)).rdbuf();
      throw ToolError(complaint(calls[i].first, children[i], text.str()));
    }
}

std::string this_program() { return boost::dll::program_location().string(); }

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

std::string rtl_directory() {
  const char* directory = std::getenv("DELTATWIN_RTL");
  return directory && *directory ? directory : source_path("rtl");
}

std::vector<std::string> rtl_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored; // editors leave links that lead nowhere
    if ((path.extension() == ".sv" || path.extension() == ".v") && path.filename().string()[0] != '.' &&
        fs::is_regular_file(path, ignored))
      files.push_back(path.string());
  }
  if (files.empty())
    throw ToolError(directory + ": holds no .sv file; DELTATWIN_RTL names the directory with the RTL");
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace deltatwin
