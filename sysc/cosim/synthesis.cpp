#include "cosim/synthesis.h"
#include "base/cache.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tool.h"
#include "cosim/netlist.h"
#include "cosim/rtl_sources.h"
#include <cstdlib>
#include <filesystem>

namespace deltatwin {
namespace {

std::string to_text(const std::vector<Part>& parts, const std::vector<Resources>& counts) {
  boost::json::object document;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    boost::json::object row;
    for (const auto& [name, member] : resource_fields)
      row[name] = counts[p].*member;
    document[parts[p].name] = std::move(row);
  }
  return boost::json::serialize(document) + "\n";
}

SynthesisResult from_text(const std::vector<Part>& parts, const std::string& text,
                          const std::string& origin) {
  const JsonDocument document(text, origin);
  SynthesisResult result;
  for (const Part& part : parts) {
    Resources& of = result.parts.emplace_back();
    for (const auto& [name, member] : resource_fields)
      of.*member = static_cast<int>(document.root().at(part.name).at(name).integer(0, 1'000'000'000));
    static_cast<Resources&>(result) += of;
  }
  return result;
}

// Yosys numbers its passes, "18.42. Executing ABC pass": synth_xilinx has some fifty, of about the
// same length.
double share_done(const std::string& line) {
  constexpr double passes = 50;
  const std::size_t point = line.find('.');
  if (point == std::string::npos || line.find_first_not_of("0123456789") != point)
    return 0;
  return std::min(1.0, std::strtod(line.c_str() + point + 1, nullptr) / passes);
}

} // namespace

SynthesisResult synthesize(const Top& top, const std::function<void(double)>& progress, Hierarchy hierarchy) {
  const bool kept = hierarchy == Hierarchy::kept;
  const std::vector<Part> parts = top.parts();
  const std::string rtl = std::filesystem::absolute(rtl_directory()).string();
  const RtlSources sources = rtl_sources(rtl, top.module());
  std::string script = "read_verilog -sv -defer -Irtl";
  for (const std::string& file : sources.files)
    script += " \"rtl/" + file + "\"";
  script += "; chparam";
  for (const auto& [name, value] : top.parameters())
    script += " -set " + name + " " + std::to_string(value);
  script += " " + top.module() + "; synth_xilinx -family xc7 " + (kept ? "" : "-flatten ") +
            "-noiopad -noclkbuf -top " + top.module() + (kept ? "; flatten; clean" : "") +
            "; json -o netlist.json";

  std::string key = run_tool("yosys", {"-V"}) + sources.key + script;
  for (const Part& part : parts) { // by which the counts are told apart
    key += "\n" + part.name;
    for (const std::string& instance : part.instances)
      key += " " + instance;
  }
  const std::string result = cache_directory() + "/synthesis/" + hash_text(key) + ".json";
  if (const Sealed known = read_sealed(result); known.state == Sealed::whole && sources.complete)
    return from_text(parts, known.content, result);
  const WorkDirectory work(cache_directory() + "/work"); // where names are plain, whatever the RTL's path
  std::filesystem::create_directory_symlink(rtl, work.path() + "/rtl");
  const auto watch = [&](const std::string& line) {
    const double done = share_done(line);
    if (done > 0 && progress)
      progress(done);
    return done > 0 || line.rfind("Warning: ", 0) == 0;
  };
  run_tool("yosys", {"-v", "2", "-p", script}, watch, {}, work.path());
  const std::string netlist = work.path() + "/netlist.json";
  const std::string text = to_text(parts, count_cells(read_file(netlist), netlist, top.module(), parts));
  write_sealed(result, text);
  return from_text(parts, text, result);
}

} // namespace deltatwin
