#include "base/cache.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/tool.h"
#include "cosim/rtl_library.h"
#include "cosim/rtl_sources.h"
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

bool is_checked(const RtlSource& source) {
  const char* variable = std::getenv("DELTATWIN_RTL_CHECKED");
  return !source.fast && variable && variable == std::string("1");
}

// A name in Verilator's C++ as it is in the RTL, below the top: "gen_words[0].u_bank.memory_q".
std::string rtl_name(std::string name) {
  for (const auto& [from, to] :
       {std::pair("__DOT__", "."), {"__BRA__", "["}, {"__KET__", "]"}, {"__05F", "_"}})
    for (std::size_t at; (at = name.find(from)) != std::string::npos;)
      name.replace(at, std::string(from).size(), to);
  return name;
}

// What rtl_shim.cpp needs to know of the Verilated class: its name, its ports, nets and memories.
std::string top_header(const std::string& top, const std::string& header, const std::string& root) {
  std::ostringstream signals, memories;
  const auto row = [&](const std::string& name, const std::string& member, const std::string& high) {
    signals << "    {\"" << name << "\", " << std::stoi(high) + 1 << ", &top." << member << "},\n";
  };
  const std::regex port(R"(VL_(?:IN|OUT)(?:8|16|64|W)?\(&(\w+),(\d+),0(?:,\d+)?\);)");
  for (std::sregex_iterator it(header.begin(), header.end(), port), end; it != end; ++it)
    row((*it)[1], (*it)[1], (*it)[2]);
  const std::string element = R"((?:[CSIQ]Data|VlWide<\d+>)/\*(\d+):0\*/)";
  const std::regex net(element + " (" + top + R"(__DOT__(\w+));)");
  for (std::sregex_iterator it(root.begin(), root.end(), net), end; it != end; ++it)
    row(rtl_name((*it)[3]), "rootp->" + (*it)[2].str(), (*it)[1]);
  const std::regex memory("VlUnpacked<" + element + R"(, (\d+)> ()" + top + R"(__DOT__(\w+));)");
  for (std::sregex_iterator it(root.begin(), root.end(), memory), end; it != end; ++it) {
    const std::string array = "top.rootp->" + (*it)[3].str();
    memories << "    {\"" << rtl_name((*it)[4]) << "\", " << std::stoi((*it)[1]) + 1 << ", " << (*it)[2]
             << ", sizeof(" << array << "[0]), &" << array << "[0]},\n";
  }
  return "#include \"V" + top + ".h\"\n#include \"V" + top + "___024root.h\"\nusing Top = V" + top +
         ";\ninline std::vector<Signal> top_signals(Top& top) {\n  return {\n" + signals.str() +
         "  };\n}\ninline std::vector<Memory> top_memories([[maybe_unused]] Top& top) {\n  return {\n" +
         memories.str() + "  };\n}\n";
}

// The RTL's part of a build: which files, which options.
struct Recipe {
  RtlSources sources;
  std::vector<std::string> verilator; ///< its arguments, in a directory where rtl/ is the RTL
  std::vector<std::string> compiler, runtime_compiler;
  std::string shim, key;

  explicit Recipe(const RtlSource& source, const std::string& directory)
      : sources(rtl_sources(directory, source.top)) {
    static const std::string tool_version = run_tool("verilator", {"--version"});
    const bool checked = is_checked(source);
    verilator = {"--cc", "-O3", "--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal"};
    verilator.insert(verilator.end(), {"--Mdir", ".", "-Irtl", "--top-module", source.top});
    if (!source.fast) // without it Verilator drops $error and $fatal
      verilator.push_back("--assert");
    if (source.trace)
      verilator.push_back("--trace");
    if (source.savable)
      verilator.push_back("--savable");
    for (const auto& [name, value] : source.parameters)
      verilator.push_back("-G" + name + "=" + std::to_string(value));
    for (const auto* files : {&sources.waivers, &sources.files})
      for (const std::string& file : *files)
        verilator.push_back("rtl/" + file);
    const std::string trace = source.trace ? "1" : "0";
    compiler = {"-c",
                "-std=c++17",
                "-fPIC",
                "-pthread",
                "-w",
                "-faligned-new",
                "-fcf-protection=none",
                "-I.",
                "-include",
                "rtl_hooks.h",
                "-DVM_COVERAGE=0",
                "-DVM_SC=0",
                "-DVM_TRACE_FST=0",
                "-DVM_TRACE=" + trace,
                "-DVM_TRACE_VCD=" + trace,
                std::string("-DVM_SAVABLE=") + (source.savable ? "1" : "0")};
    runtime_compiler = compiler;
    compiler.push_back(checked ? "-O0" : "-O3");
    runtime_compiler.push_back(checked ? "-O1" : "-O2");
    shim =
        read_file(source_path("sysc/cosim/rtl_shim.h")) + read_file(source_path("sysc/cosim/rtl_shim.cpp"));
    std::string text = tool_version + sources.key + shim;
    for (const auto* words : {&verilator, &compiler, &runtime_compiler})
      text += shell_line(*words) + "\n";
    key = hash_text(text);
  }
};

// Files that Verilator has read although Recipe did not foresee them, each with a hash of its content.
std::string contents(const std::vector<std::string>& files) {
  std::ostringstream text;
  for (const std::string& file : files) {
    std::ostringstream content;
    content << std::ifstream(file, std::ios::binary).rdbuf();
    text << file << "\n" << hash_text(content.str()) << "\n";
  }
  return text.str();
}

std::vector<std::string> unforeseen_files(const RtlSources& sources, const std::string& directory,
                                          const std::string& work, const std::string& dependencies) {
  std::istringstream words(dependencies.substr(dependencies.find(" : ") + 3));
  std::vector<std::string> files;
  for (std::string word; words >> word;) {
    const fs::path path = fs::path(word).is_absolute() ? fs::path(word) : fs::path(work) / word;
    std::error_code error;
    if (path.filename() == "verilator_bin" || !fs::is_regular_file(path, error))
      continue;
    // rtl/ of the work directory is a link to the RTL's directory.
    std::string file = word.rfind("rtl/", 0) == 0 ? fs::path(directory) / word.substr(4) : path;
    file = fs::path(file).lexically_normal().string();
    const std::string name = fs::path(file).lexically_relative(directory).string();
    const auto has = [](const auto& list, const std::string& wanted) {
      return std::find(list.begin(), list.end(), wanted) != list.end();
    };
    if (!has(sources.files, name) && !has(sources.waivers, name) && !has(sources.named, file))
      files.push_back(file);
  }
  return files;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

// Verilates and compiles in `work`; returns the library's path.
std::string make_library(const RtlSource& source, const Recipe& recipe, const std::string& work) {
  run_tool("verilator", recipe.verilator, {}, {}, work);
  static const std::string root = lines_of(run_tool("verilator", {"--getenv", "VERILATOR_ROOT"})).at(0);
  const std::string prefix = work + "/V" + source.top;
  write_file(work + "/rtl_hooks.h", read_file(source_path("sysc/cosim/rtl_shim.h")));
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(work))
    if (entry.path().extension() == ".cpp")
      parts.push_back(entry.path().filename().string());
  std::sort(parts.begin(), parts.end());
  std::string all = top_header(source.top, read_file(prefix + ".h"), read_file(prefix + "___024root.h")) +
                    read_file(source_path("sysc/cosim/rtl_shim.cpp")) + "#define VL_INCLUDE_OPT include\n";
  for (const std::string& part : parts)
    all += "#include \"" + part + "\"\n";
  write_file(work + "/all.cpp", all);
  const bool cached = has_tool("ccache");
  std::vector<ToolCall> calls;
  std::vector<std::string> link = {"-shared", "-pthread", "-o", "lib.so"};
  const auto compile = [&](std::vector<std::string> arguments, const std::string& file) {
    const std::string object = fs::path(file).stem().string() + ".o";
    if (cached)
      arguments.insert(arguments.begin(), "g++");
    for (const char* include : {"/include", "/include/vltstd"})
      arguments.insert(arguments.end(), {"-isystem", root + include});
    arguments.insert(arguments.end(), {"-o", object, file});
    calls.push_back({cached ? "ccache" : "g++", arguments});
    link.push_back(object);
  };
  compile(recipe.compiler, "all.cpp");
  std::vector<std::string> runtime = {"verilated", "verilated_threads"};
  if (source.trace)
    runtime.push_back("verilated_vcd_c");
  if (source.savable)
    runtime.push_back("verilated_save");
  for (const std::string& name : runtime)
    compile(recipe.runtime_compiler, root + "/include/" + name + ".cpp");
  run_tools(calls, work);
  run_tool("g++", link, {}, {}, work);
  return work + "/lib.so";
}

} // namespace

std::string build_rtl(const RtlSource& source, const std::function<void(const std::string&)>& progress) {
  const std::string directory =
      fs::absolute(source.directory.empty() ? rtl_directory() : source.directory).lexically_normal().string();
  const Recipe recipe(source, directory);
  const std::string cache = cache_directory() + "/rtl";
  const std::string manifest = cache + "/" + source.top + "-" + recipe.key + ".inputs";
  const auto library_of = [&](const std::vector<std::string>& unforeseen) {
    return cache + "/" + source.top + "-" + hash_text(recipe.key + contents(unforeseen)) + ".so";
  };
  if (const Sealed inputs = read_sealed(manifest); inputs.state == Sealed::whole) {
    const std::string library = library_of(lines_of(inputs.content));
    const Sealed::State state = read_sealed(library).state;
    if (state == Sealed::whole)
      return library;
    if (state == Sealed::damaged && progress)
      progress(library + " is damaged and is built again");
  }
  if (progress)
    progress("building the RTL twin of " + source.top + " with Verilator (once for each design point)");
  const WorkDirectory work(cache_directory() + "/work");
  fs::create_directory_symlink(directory, work.path() + "/rtl");
  const std::string made = make_library(source, recipe, work.path());
  const std::vector<std::string> unforeseen = unforeseen_files(
      recipe.sources, directory, work.path(), read_file(work.path() + "/V" + source.top + "__ver.d"));
  const std::string library = library_of(unforeseen);
  write_sealed(library, read_file(made));
  std::string list;
  for (const std::string& file : unforeseen)
    list += file + "\n";
  write_sealed(manifest, list);
  return library;
}

} // namespace deltatwin
