#include "cosim/rtl_library.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/tool.h"
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <boost/process/search_path.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <unistd.h>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;
// What rtl_shim.cpp needs to know of the Verilated class: its name, and its ports and nets.
std::string top_header(const std::string& top, const std::string& header, const std::string& root) {
  std::ostringstream table;
  const auto row = [&](const std::string& name, const std::string& member, const std::string& high) {
    table << "    {\"" << name << "\", " << std::stoi(high) + 1 << ", &top." << member << "},\n";
  };
  const std::regex port(R"(VL_(?:IN|OUT)(?:8|16|64|W)?\(&(\w+),(\d+),0(?:,\d+)?\);)");
  for (std::sregex_iterator it(header.begin(), header.end(), port), end; it != end; ++it)
    row((*it)[1], (*it)[1], (*it)[2]);
  const std::regex net("(?:[CSIQ]Data|VlWide<\\d+>)/\\*(\\d+):0\\*/ (" + top +
                       "__DOT__((?:(?!__DOT__)\\w)+));");
  for (std::sregex_iterator it(root.begin(), root.end(), net), end; it != end; ++it)
    row((*it)[3], "rootp->" + (*it)[2].str(), (*it)[1]);
  return "#include \"V" + top + ".h\"\n#include \"V" + top + "___024root.h\"\nusing Top = V" + top +
         ";\nstruct Signal { const char* name; int width; void* data; };\n"
         "inline int top_signals(Top& top, Signal* out) {\n  const Signal all[] = {\n" +
         table.str() +
         "  };\n  int count = 0;\n  for (const Signal& signal : all) {\n    if (out)\n"
         "      out[count] = signal;\n    ++count;\n  }\n  return count;\n}\n";
}

bool is_checked(const RtlSource& source) {
  const char* variable = std::getenv("DELTATWIN_RTL_CHECKED");
  return !source.fast && variable && variable == std::string("1");
}

} // namespace

std::string build_rtl(const RtlSource& source, const std::function<void(const std::string&)>& progress) {
  const fs::path directory = source.directory.empty() ? rtl_directory() : source.directory;
  const std::vector<std::string> files = rtl_files(directory.string());
  static const std::string tool_version = run_tool("verilator", {"--version"});
  std::vector<std::string> arguments = {"--cc",        "-O3",  "--x-assign",      "fast",
                                        "--x-initial", "fast", "-Wno-fatal",      "--top-module",
                                        source.top,    "-y",   directory.string()};
  if (source.trace)
    arguments.push_back("--trace");
  if (is_checked(source))
    arguments.push_back("--assert");
  for (const auto& [name, value] : source.parameters)
    arguments.push_back("-G" + name + "=" + std::to_string(value));
  const std::string shim = read_file(source_path("sysc/cosim/rtl_shim.cpp"));
  const std::string level = is_checked(source) ? "-O1" : "-O3";
  std::string key = shim + tool_version + level;
  for (const std::string& argument : arguments)
    key += argument + "\n";
  for (const std::string& file : files)
    key += read_file(file);
  const fs::path inner_nets = directory / (source.top + ".vlt"); // those that stay for us to see
  if (fs::exists(inner_nets)) {
    arguments.push_back(inner_nets.string());
    key += read_file(inner_nets.string());
  }
  const fs::path library = fs::path(cache_directory()) / "rtl" / (source.top + "-" + hash_text(key) + ".so");
  if (fs::exists(library))
    return library.string();

  if (progress)
    progress("building the RTL twin of " + source.top + " with Verilator (once for each design point)");
  const WorkDirectory directory_of_work(library.string() + "." + std::to_string(getpid()));
  const fs::path work = directory_of_work.path();
  arguments.insert(arguments.end(), {"--Mdir", work.string(), (directory / (source.top + ".sv")).string()});
  run_tool("verilator", arguments);
  const std::string prefix = (work / ("V" + source.top)).string();
  write_file((work / "rtl_shim.cpp").string(), shim);
  write_file((work / "rtl_top.h").string(),
             top_header(source.top, read_file(prefix + ".h"), read_file(prefix + "___024root.h")));
  std::vector<std::string> objects = {"V" + source.top + "__ALL.a", "rtl_shim.o", "verilated.o",
                                      "verilated_threads.o"};
  if (source.trace)
    objects.push_back("verilated_vcd_c.o");
  std::vector<std::string> make = {"-s",
                                   "-j2",
                                   "-C",
                                   work.string(),
                                   "-f",
                                   "V" + source.top + ".mk",
                                   "VM_USER_CLASSES=rtl_shim",
                                   "OPT_FAST=" + level + " -fPIC",
                                   "OPT_SLOW=-O1 -fPIC",
                                   "OPT_GLOBAL=-O1 -fPIC"};
  if (!boost::process::search_path("ccache").empty())
    make.push_back("OBJCACHE=ccache");
  make.insert(make.end(), objects.begin(), objects.end());
  run_tool("make", make);
  std::vector<std::string> link = {"-shared", "-pthread", "-o", (work / "lib.so").string()};
  std::reverse(objects.begin(), objects.end()); // the archive after what refers to it
  for (const std::string& object : objects)
    link.push_back((work / object).string());
  run_tool("g++", link);
  fs::rename(work / "lib.so", library); // two builders at once: the last one wins, both are whole
  return library.string();
}

std::uint64_t RtlSignal::get(int lsb, int bits) const {
  std::uint64_t value = 0;
  if (width <= 8)
    value = *static_cast<std::uint8_t*>(data) >> lsb;
  else if (width <= 16)
    value = *static_cast<std::uint16_t*>(data) >> lsb;
  else if (width <= 32)
    value = *static_cast<std::uint32_t*>(data) >> lsb;
  else if (width <= 64)
    value = *static_cast<std::uint64_t*>(data) >> lsb;
  else
    for (int at = 0; at < bits;) { // 32-bit words
      const int offset = (lsb + at) % 32, chunk = std::min(32 - offset, bits - at);
      value |= static_cast<std::uint64_t>(static_cast<std::uint32_t*>(data)[(lsb + at) / 32] >> offset) << at;
      at += chunk;
    }
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

void RtlSignal::set(std::uint64_t value) const {
  if (width <= 8)
    *static_cast<std::uint8_t*>(data) = static_cast<std::uint8_t>(value);
  else if (width <= 16)
    *static_cast<std::uint16_t*>(data) = static_cast<std::uint16_t>(value);
  else if (width <= 32)
    *static_cast<std::uint32_t*>(data) = static_cast<std::uint32_t>(value);
  else
    *static_cast<std::uint64_t*>(data) = value;
}

void RtlSignal::set_bits(int lsb, int bits, std::uint64_t value) const {
  if (width <= 64) {
    const std::uint64_t mask = ((bits == 64 ? 0 : std::uint64_t{1} << bits) - 1) << lsb;
    set((get(0, width) & ~mask) | (value << lsb & mask));
    return;
  }
  auto* words = static_cast<std::uint32_t*>(data);
  for (int i = 0; i < bits; ++i) {
    const std::uint32_t bit = std::uint32_t{1} << ((lsb + i) % 32);
    std::uint32_t& word = words[(lsb + i) / 32];
    word = value >> i & 1 ? word | bit : word & ~bit;
  }
}

struct RtlModel::Library {
  struct Entry {
    const char* name;
    int width;
    void* data;
  };
  boost::dll::shared_library file;
  void* model = nullptr;
  void (*settle)(void*) = nullptr;
  void (*edge)(void*) = nullptr;
  std::map<std::string, RtlSignal> signals;

  template <class Function> Function* get(const char* name) { return &file.get<Function>(name); }
};

RtlModel::RtlModel(const RtlSource& source, const std::function<void(const std::string&)>& progress)
    : library_(std::make_unique<Library>()) {
  Library& lib = *library_;
  lib.file.load(build_rtl(source, progress));
  lib.model = lib.get<void*()>("dt_create")();
  lib.settle = lib.get<void(void*)>("dt_settle");
  lib.edge = lib.get<void(void*)>("dt_edge");
  const auto list = lib.get<int(void*, Library::Entry*)>("dt_signals");
  std::vector<Library::Entry> entries(static_cast<std::size_t>(list(lib.model, nullptr)));
  list(lib.model, entries.data());
  for (const Library::Entry& entry : entries)
    lib.signals.insert({entry.name, {entry.width, entry.data}});
}

RtlModel::~RtlModel() { library_->get<void(void*)>("dt_destroy")(library_->model); }

const RtlSignal& RtlModel::signal(const std::string& name) const {
  const auto found = library_->signals.find(name);
  if (found == library_->signals.end())
    throw std::out_of_range("the RTL has no signal " + name);
  return found->second;
}

void RtlModel::settle() { library_->settle(library_->model); }
void RtlModel::edge() { library_->edge(library_->model); }

void RtlModel::open_trace(const std::string& path, std::uint64_t first_cycle, std::uint64_t period) {
  library_->get<void(void*, const char*, unsigned long long, unsigned long long)>("dt_open")(
      library_->model, path.c_str(), first_cycle * period, period);
}

void RtlModel::close_trace() { library_->get<void(void*)>("dt_close")(library_->model); }

} // namespace deltatwin
