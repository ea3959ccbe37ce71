#pragma once
#include "base/cache.h"
#include "base/file.h"
#include "base/tool.h"
#include "cosim/rtl_library.h"
#include "cosim/rtl_sources.h"
#include "temporary_directory.h"
#include <filesystem>

namespace deltatwin {

/// What Yosys makes of a block for the 7 series: LUTs, carry chains, DSPs and registers, each replaced by
/// Yosys's own model of it, as RTL that a bench runs in the block's place.
class Netlist {
public:
  explicit Netlist(const RtlSource& block) : directory_("deltatwin-netlist"), top_(block.top) {
    const std::string rtl = std::filesystem::absolute(rtl_directory()).string();
    std::string script = "read_verilog -sv -defer";
    for (const std::string& file : rtl_sources(rtl, block.top).files)
      script += " \"rtl/" + file + "\"";
    script += "; chparam";
    for (const auto& [name, value] : block.parameters)
      script += " -set " + name + " " + std::to_string(value);
    script += " " + block.top + "; synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top " + block.top +
              "; rename -top " + block.top + "; write_verilog -noattr cells.v; design -reset; " +
              "read_verilog cells.v +/xilinx/cells_sim.v; hierarchy -top " + block.top +
              "; proc; flatten; opt_clean -purge; write_verilog -noattr " + block.top + ".sv";
    const WorkDirectory work(cache_directory() + "/work");
    std::filesystem::create_directory_symlink(rtl, work.path() + "/rtl");
    run_tool("yosys", {"-q", "-p", script}, {}, {}, work.path());
    write_file(directory_.path() + "/" + top_ + ".sv", read_file(work.path() + "/" + top_ + ".sv"));
  }
  [[nodiscard]] RtlSource source() const { return {top_, {}, false, directory_.path()}; }

private:
  TemporaryDirectory directory_;
  std::string top_;
};

} // namespace deltatwin
