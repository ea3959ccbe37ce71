// What each directory of sysc/ may include of the others. The compiler refuses most of it (CMakeLists.txt),
// but neither SystemC nor a path upwards, nor a library that is linked to the wrong one.
#include "base/file.h"
#include "base/paths.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

using Layers = std::set<std::string>;

// base <- {net, blocks} <- tops <- {explore, tlm <- cosim} <- app; train, activations and import know
// networks alone.
const std::map<std::string, Layers> allowed = {
    {"base", {}},
    {"net", {"base"}},
    {"blocks", {"base"}},
    {"tops", {"base", "net", "blocks"}},
    {"tlm", {"base", "net", "blocks", "tops"}},
    {"cosim", {"base", "net", "blocks", "tops", "tlm"}},
    {"explore", {"base", "net", "blocks", "tops"}},
    {"import", {"base", "net"}},
    {"train", {"base", "net"}},
    {"activations", {"base", "net"}},
    {"app", {"base", "net", "blocks", "tops", "tlm", "cosim", "explore", "import", "train", "activations"}},
};
const Layers with_systemc = {"tlm", "cosim", "app"};

/// What is wrong with a source's includes; empty: nothing.
std::string complaint(const std::string& layer, const std::string& text) {
  static const std::regex include(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">])re");
  const auto rule = allowed.find(layer);
  if (rule == allowed.end())
    return layer + " is no layer";
  for (std::sregex_iterator found(text.begin(), text.end(), include), end; found != end; ++found) {
    const std::string path = (*found)[2];
    const std::string of = path.substr(0, path.find('/'));
    if (allowed.count(of) && path != of && of != layer && !rule->second.count(of))
      return layer + " includes " + path;
    const bool systemc = path == "systemc" || path == "tlm" || of == "tlm_utils" || path == "systemc.h";
    if ((*found)[1] == "<" && systemc && !with_systemc.count(layer))
      return layer + " includes SystemC";
    if (path.find("..") != std::string::npos)
      return layer + " includes " + path;
  }
  return "";
}

} // namespace

TEST_CASE("layers: no source includes what is above it or beside it") {
  const std::filesystem::path root = deltatwin::source_path("sysc");
  std::map<std::string, int> sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp")
      continue;
    const std::filesystem::path path = entry.path().lexically_relative(root);
    const std::string layer = path.begin()->string();
    ++sources[layer];
    CAPTURE(path.string());
    CHECK(complaint(layer, deltatwin::read_file(entry.path().string())) == "");
  }
  for (const auto& rule : allowed) {
    CAPTURE(rule.first);
    CHECK(sources[rule.first] > 0);
  }
}

TEST_CASE("layers: what breaks the rule is found") {
  CHECK(complaint("blocks", "#include \"base/cycle.h\"\n#include <vector>\n#include \"own.h\"\n") == "");
  CHECK(complaint("tlm", "#pragma once\n#include <systemc>\n#include <tlm>\n") == "");
  CHECK(complaint("base", "// x\n  #  include \"tops/top.h\"\n") == "base includes tops/top.h");
  CHECK(complaint("blocks", "#include \"net/network.h\"") == "blocks includes net/network.h");
  CHECK(complaint("explore", "#include <cosim/twins.h>") == "explore includes cosim/twins.h");
  CHECK(complaint("tops", "#include <tlm_utils/simple_target_socket.h>") == "tops includes SystemC");
  CHECK(complaint("net", "#include \"../blocks/x.h\"") != "");
  CHECK(complaint("odd", "") == "odd is no layer");
}
