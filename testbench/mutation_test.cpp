// Are the twins' tests any good? Breaks the RTL at random, one place at a time, block by block, and
// counts how many of the broken ones a block's own test or the lockstep of a whole top catches. Hidden
// from the quick run; the README names the command. DELTATWIN_BLOCK=scheduler looks at one block alone.
#include "base/file.h"
#include "base/paths.h"
#include "base/tool.h"
#include "cosim/twins.h"
#include "random_work.h"
#include "temporary_directory.h"
#include "tops/accelerator/accelerator.h"
#include "tops/accelerator/session.h"
#include "tops/accelerator/top.h"
#include <algorithm>
#include <boost/process.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

using namespace deltatwin;

namespace {

struct Mutation {
  const char *from, *to;
};

constexpr Mutation mutations[] = {{" + ", " - "},        {" - ", " + "},   {" == ", " != "}, {" != ", " == "},
                                  {" && ", " || "},      {" || ", " && "}, {" < ", " <= "},  {" >= ", " > "},
                                  {"'d1", "'d2"},        {"'b1", "'b0"},   {" ? ", " ? !"},  {" & ", " | "},
                                  {"_q <= ", "_q <= ~"}, {"if (", "if (!"}};

struct Mutant {
  std::string file, text, place;
};

Mutant mutate(RandomWork& random, const std::string& file) {
  const std::string text = read_file(file);
  for (;;) {
    const Mutation& mutation = mutations[random.in(0, static_cast<int>(std::size(mutations)) - 1)];
    const std::size_t at =
        text.find(mutation.from, static_cast<std::size_t>(random.in(0, static_cast<int>(text.size()) - 1)));
    if (at == std::string::npos)
      continue;
    const std::size_t begin = text.rfind('\n', at) + 1;
    const std::string line = text.substr(begin, text.find('\n', at) - begin);
    if (line.find("//") != std::string::npos || line.find("parameter") != std::string::npos ||
        line.find("localparam") != std::string::npos || line.find("for (") != std::string::npos ||
        line.find("assert") != std::string::npos)
      continue;
    std::string broken = text;
    broken.replace(at, std::string(mutation.from).size(), mutation.to);
    std::string place =
        line.substr(line.find_first_not_of(' ')) + "   //" + mutation.from + "->" + mutation.to;
    place.erase(place.find_last_not_of(' ') + 1);
    return {std::filesystem::path(file).filename().string(), broken, place};
  }
}

// The tests that look at a block closest: its own, and of a part without one those of the blocks it is in.
std::vector<std::string> tests_of(const std::string& block) {
  static const std::map<std::string, std::vector<std::string>> others = {
      {"adder_tree", {"dot_array", "depthwise_array", "plane_array"}},
      {"array_control", {"array"}},
      {"array_results", {"array"}},
      {"array_scheduler", {"array"}},
      {"array_step_check", {"array"}},
      {"array_walk", {"array"}},
      {"axi_lite", {"axi_control"}},
      {"codec_control", {"codec"}},
      {"delay_line", {"array"}},
      {"depthwise_stage", {"array"}},
      {"dot_pair", {"dot_array"}},
      {"dot_product", {"dot_array", "depthwise_array"}},
      {"edqa_books", {"edqa"}},
      {"edqa_context", {"edqa"}},
      {"edqa_control", {"edqa"}},
      {"edqa_intake", {"edqa"}},
      {"edqa_lane", {"edqa"}},
      {"edqa_magnitude", {"edqa_quantizer"}},
      {"huffman_length", {"huffman_decoder", "channel_decoder"}},
      {"huffman_window", {"huffman_decoder", "channel_decoder"}},
      {"issue_walker", {"scheduler"}},
      {"noisyquant_control", {"noisyquant"}},
      {"pair_count", {"plane_array"}},
      {"plane_product", {"plane_array", "sweep_array"}},
      {"product_triple", {"sweep_array"}},
      {"code_store", {"code_store", "codec"}},
      {"step_fetch", {"array"}},
      {"sweep_walk", {"array"}},
      {"sweep_weights", {"array"}},
      {"symbol_fifo", {"symbol_fifo", "codec"}}};
  const auto found = others.find(block);
  return found == others.end() ? std::vector<std::string>{block} : found->second;
}

// Does a block's test, if there is such a one, fail on this RTL?
bool test_fails(const std::string& block, const std::string& directory) {
  namespace process = boost::process;
  const std::filesystem::path test =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / (block + "_test");
  if (!std::filesystem::exists(test))
    return false;
  process::environment variables = boost::this_process::environment();
  variables["DELTATWIN_RTL"] = directory;
  return process::system(test.string(), "-a", process::std_out > process::null,
                         process::std_err > process::null, variables) != 0;
}

// The mutants that are known to change nothing: a line each in mutants.txt, its reason behind it.
std::set<std::string> known_equivalents() {
  std::set<std::string> known;
  std::istringstream lines(read_file(source_path("testbench/mutants.txt")));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line[0] != '#' && line.substr(0, 2) != "  ")
      known.insert(line);
  return known;
}

bool diverges(const Design& design, const RtlSource& source, std::uint64_t seed) {
  RandomWork random(seed);
  Twins twins(AcceleratorTop(design), 0.3 * random.in(0, 1), seed, {}, source);
  return twins
      .run([&](Session& session) {
        for (int run = 0; run < 6; ++run) {
          const std::vector<int> widths = {random.in(1, 40), random.in(1, 40), random.in(1, 40)};
          Program program = random.program(design, widths);
          if (run == 3 && design.huffman) // streams that go wrong somewhere
            for (auto& bank : program.banks)
              bank[bank.size() / 2] ^= 1;
          if (run == 4)
            program.layers[static_cast<std::size_t>(random.in(0, 1))].block_length = 0;
          load_program(session, program);
          run_images(session, random.bytes(static_cast<std::size_t>(widths[0] * 4)), 4);
          if (run == 5) { // a framing error
            auto stream = session.actions.rbegin();
            while (stream->kind != HostAction::stream)
              ++stream;
            stream->tlast.back() = 0;
          }
          if (run >= 3) // the other runs start from DONE
            session.write(reg::control, control_reset);
          session.add(HostAction::flush);
        }
      })
      .divergence.has_value();
}

// Does the lockstep of a whole accelerator find it, in any of six designs? A mutant may touch only one.
bool accelerator_diverges(const std::string& directory) {
  Design design;
  design.lanes = 5;
  design.lanes_per_bank = 3;
  design.bank_depth = 1500;
  design.in_depth = design.act_depth = 64;
  design.ref_depth = 1024;
  design.param_depth = 128;
  design.out_depth = 16;
  RtlSource source;
  source.directory = directory;
  for (int choice = 0; choice < 6; ++choice) {
    design.huffman = choice < 2;
    design.symbol_deltas = choice == 1 ? 2 : 1;
    design.symbol_depth = 600;
    design.multiplier = static_cast<Multiplier>(std::max(choice - 2, 0));
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
      if (diverges(design, source, seed))
        return true;
  }
  return false;
}

// All modules below a top, by the names of instances in their text.
std::set<std::string> modules_of(const std::string& top, const std::vector<std::string>& all) {
  std::set<std::string> found = {top};
  std::vector<std::string> open = {top};
  while (!open.empty()) {
    const std::string text = read_file(rtl_directory() + "/" + open.back() + ".sv");
    open.pop_back();
    for (const std::string& module : all)
      if ((text.find(" " + module + " #(") != std::string::npos ||
           text.find(" " + module + " u_") != std::string::npos) &&
          found.insert(module).second)
        open.push_back(module);
  }
  return found;
}

} // namespace

TEST_CASE("mutants of the RTL are caught, block by block", "[.mutation]") {
  std::vector<std::string> blocks;
  for (const std::string& file : rtl_files(rtl_directory()))
    blocks.push_back(std::filesystem::path(file).stem().string());
  const std::set<std::string> in_accelerator = modules_of("accelerator", blocks);
  const std::set<std::string> known = known_equivalents();
  const char* only = std::getenv("DELTATWIN_BLOCK");
  std::printf("  %-20s %7s %9s %11s %8s\n", "block", "killed", "survived", "equivalent", "refused");
  int all_killed = 0, all_survived = 0;
  for (const std::string& block : blocks) {
    if (only && block != only)
      continue;
    const std::vector<std::string> tests = tests_of(block);
    RandomWork random(base_seed());
    int killed = 0, survived = 0, equivalent = 0, refused = 0;
    for (int i = 0; i < repeats(6); ++i) {
      const TemporaryDirectory directory("deltatwin-mutant");
      std::filesystem::copy(rtl_directory(), directory.path()); // all files: with an option it copies none
      const Mutant mutant = mutate(random, rtl_directory() + "/" + block + ".sv");
      write_file(directory.path() + "/" + mutant.file, mutant.text);
      try {
        (void)build_rtl({tests.front(), {}, false, directory.path()}); // the block, or what it is a part of
      } catch (const ToolError&) {
        ++refused; // Verilator does not take it
        continue;
      }
      const std::string name = mutant.file + ": " + mutant.place;
      bool found = std::any_of(tests.begin(), tests.end(),
                               [&](const std::string& test) { return test_fails(test, directory.path()); });
      if (!found && in_accelerator.count(block))
        found = accelerator_diverges(directory.path());
      if (found)
        ++killed;
      else if (known.count(name))
        ++equivalent;
      else
        std::printf("survived: %s\n", name.c_str());
      survived += !found && !known.count(name);
    }
    std::printf("  %-20s %7d %9d %11d %8d\n", block.c_str(), killed, survived, equivalent, refused);
    std::fflush(stdout);
    all_killed += killed;
    all_survived += survived;
  }
  CHECK(all_killed >= 8 * all_survived); // what is left is no more than unused cases and don't-cares
}
