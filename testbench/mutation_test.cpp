// Are the twins' tests any good? Breaks the RTL at random, one place at a time, and counts how many
// of the broken ones the lockstep catches. Hidden from the quick run; the README names the command.
#include "base/file.h"
#include "base/tool.h"
#include "context_guard.h"
#include "cosim/twins.h"
#include "random_work.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>

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

Mutant mutate(RandomWork& random, const std::vector<std::string>& files) {
  for (;;) {
    const std::string& file =
        files[static_cast<std::size_t>(random.in(0, static_cast<int>(files.size()) - 1))];
    const std::string text = read_file(file);
    const Mutation& mutation = mutations[random.in(0, static_cast<int>(std::size(mutations)) - 1)];
    std::size_t at =
        text.find(mutation.from, static_cast<std::size_t>(random.in(0, static_cast<int>(text.size()) - 1)));
    if (at == std::string::npos)
      continue;
    const std::size_t begin = text.rfind('\n', at) + 1;
    const std::string line = text.substr(begin, text.find('\n', at) - begin);
    if (line.find("//") != std::string::npos || line.find("parameter") != std::string::npos ||
        line.find("localparam") != std::string::npos || line.find("for (") != std::string::npos)
      continue;
    std::string broken = text;
    broken.replace(at, std::string(mutation.from).size(), mutation.to);
    return {std::filesystem::path(file).filename().string(), broken,
            line.substr(line.find_first_not_of(' ')) + "   //" + mutation.from + "->" + mutation.to};
  }
}

bool diverges(const Design& design, const RtlSource& source, std::uint64_t seed) {
  RandomWork random(seed);
  ContextGuard guard;
  Twins twins(design, 0.3 * random.in(0, 1), seed, {}, source);
  return twins
      .run([&](Session& session) {
        HostAction reset;
        reset.kind = HostAction::write;
        reset.address = reg::control;
        reset.data = control_reset;
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
            session.actions.push_back(reset);
          HostAction flush;
          flush.kind = HostAction::flush;
          session.actions.push_back(flush);
        }
      })
      .divergence.has_value();
}

} // namespace

TEST_CASE("mutants of the RTL are caught", "[.mutation]") {
  Design design;
  design.lanes = 5;
  design.lanes_per_bank = 3;
  design.bank_depth = 1500;
  design.in_depth = design.act_depth = 64;
  design.ref_depth = 1024;
  design.param_depth = 128;
  design.out_depth = 16;
  RandomWork random(base_seed());
  std::vector<std::string> files;
  for (const std::string& file : rtl_files(rtl_directory()))
    if (file.find("encoder") == std::string::npos && file.find("builder") == std::string::npos)
      files.push_back(file); // the accelerator has no other blocks
  int caught = 0, survived = 0, refused = 0;
  for (int i = 0; i < repeats(40); ++i) {
    const TemporaryDirectory directory("deltatwin-mutant");
    std::filesystem::copy(rtl_directory(), directory.path());
    const Mutant mutant = mutate(random, files);
    write_file(directory.path() + "/" + mutant.file, mutant.text);
    RtlSource source;
    source.directory = directory.path();
    try {
      bool found = false;
      for (int choice = 0; choice < 5 && !found; ++choice) { // a mutant may touch only one
        design.huffman = choice == 0;
        design.multiplier = static_cast<Multiplier>(std::max(choice - 1, 0));
        for (std::uint64_t seed = 1; seed <= 3 && !found; ++seed)
          found = diverges(design, source, seed);
      }
      ++(found ? caught : survived);
      if (!found)
        std::printf("survived: %s: %s\n", mutant.file.c_str(), mutant.place.c_str());
    } catch (const ToolError&) {
      ++refused; // Verilator does not take it
    }
  }
  std::printf("%d mutants: %d caught, %d survived, %d refused by Verilator\n", caught + survived + refused,
              caught, survived, refused);
  CHECK(caught >= 4 * survived); // some change nothing: an unused case, a don't-care
}
