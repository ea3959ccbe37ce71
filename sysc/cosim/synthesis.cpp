#include "cosim/synthesis.h"
#include "base/file.h"
#include "base/json.h"
#include "cosim/tool.h"
#include <filesystem>
#include <unistd.h>

namespace deltatwin {
namespace {

// A cell's LUTs: LUT-RAM cells take more than one (UG474).
SynthesisResult count_cells(const boost::json::object& cells) {
  SynthesisResult result;
  for (const auto& cell : cells) {
    const std::string type(cell.key().data(), cell.key().size());
    const int count = static_cast<int>(cell.value().as_int64());
    const auto is = [&](const char* prefix) { return type.rfind(prefix, 0) == 0; };
    const int ram_luts = is("RAM32M") || is("RAM64M") || is("RAM128X1D") || is("RAM256X1S") ? 4
                         : is("RAM32X1D") || is("RAM64X1D") || is("RAM128X1S")              ? 2
                         : is("RAM32X1S") || is("RAM64X1S") || is("SRL16") || is("SRLC32")  ? 1
                                                                                            : 0;
    if (is("RAMB18"))
      result.ramb18 += count;
    else if (is("RAMB36"))
      result.ramb36 += count;
    else if (is("DSP48"))
      result.dsp += count;
    else if (is("FD") || is("LD"))
      result.ff += count;
    else if (is("LUT") || type == "INV")
      result.lut += count;
    result.lut_ram += ram_luts * count;
  }
  result.lut += result.lut_ram;
  return result;
}

} // namespace

SynthesisResult synthesize(const Design& design, const std::function<void(const std::string&)>& message) {
  std::string script = "read_verilog -sv -defer";
  std::string key = run_tool("yosys", {"-V"});
  for (const std::string& file : rtl_files(rtl_directory())) {
    script += " \"" + file + "\"";
    key += read_file(file);
  }
  script += "; chparam";
  for (const auto& [name, value] : design.parameters())
    script += " -set " + name + " " + std::to_string(value);
  script += " accelerator; synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top accelerator; "
            "tee -q -o ";
  const std::filesystem::path directory = std::filesystem::path(cache_directory()) / "synthesis";
  const std::string result = (directory / (hash_text(key + script) + ".json")).string();
  if (!std::filesystem::exists(result)) {
    if (message)
      message("synthesizing with Yosys (about a minute, once for each design point)");
    const WorkDirectory work(result + "." + std::to_string(getpid()));
    const std::string statistics = work.path() + "/stat.json";
    run_tool("yosys", {"-q", "-p", script + statistics + " stat -json -top accelerator"});
    std::filesystem::rename(statistics, result);
  }
  const std::string text = read_file(result);
  const boost::json::value document = parse_json(text.substr(text.find('{')), result);
  return count_cells(document.at("design").at("num_cells_by_type").as_object());
}

} // namespace deltatwin
