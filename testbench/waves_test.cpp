// Views of waves, and how the files come about.
#include "base/error.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/tool.h"
#include "cosim/wave_files.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <regex>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

using namespace deltatwin;
namespace fs = std::filesystem;

namespace {

WaveView view() {
  return {"box",
          {{"box", "aw", {"awvalid_i", "awready_o"}, {{"awaddr_i", 12}}},
           {"box", "sum", {"sum_valid"}, {{"sum_data", 32}}}},
          {100, 200, 10000},
          {}};
}

std::size_t position(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  CAPTURE(text, part);
  REQUIRE(at != std::string::npos);
  return at;
}

std::string small_vcd(int value) {
  return "$timescale 1ps $end\n$scope module box $end\n$var wire 1 a a $end\n$upscope $end\n"
         "$enddefinitions $end\n#" +
         std::to_string(value) + "\n1a\n";
}

} // namespace

TEST_CASE("waves: a view opens on the first cycles, or around its marker, with AXI4-Lite last") {
  const std::string first = view_text("box.fst", view());
  CHECK_THAT(first, Catch::Contains("[timestart] 1000000\n") && Catch::Contains("\n*-8.7") &&
                        Catch::Contains("box.fst\"\n"));
  CHECK(position(first, "-sum\n") < position(first, "-aw\n"));
  CHECK(position(first, "model.box.sum_data[31:0]") < position(first, "rtl.TOP.box.sum_data[31:0]"));
  WaveView marked = view();
  marked.marker = 150;
  CHECK_THAT(view_text("box.fst", marked), Catch::Contains("[timestart] 1300000\n"));
  CHECK(std::regex_search(view_text("box.fst", marked), std::regex("\n\\*-8\\.7[0-9]* 1500000( -1){26}\n")));
}

TEST_CASE("waves: every view of the project opens zoomed on cycles, not on picoseconds") {
  int views = 0;
  for (const auto& entry : fs::directory_iterator(source_path("traces")))
    if (entry.path().extension() == ".gtkw") {
      CAPTURE(entry.path().string());
      ++views;
      CHECK(std::regex_search(read_file(entry.path().string()), std::regex("\n\\*-8\\.[0-9]+( -1){27}\n")));
    }
  CHECK(views > 5);
}

TEST_CASE("waves: files are whole, however many are written to one place at once") {
  const TemporaryDirectory directory("deltatwin-waves");
  const std::string stem = directory.path() + "/out/box";
  std::vector<std::thread> writers;
  for (int writer = 1; writer <= 4; ++writer)
    writers.emplace_back([&, writer] {
      for (int round = 0; round < 3; ++round)
        write_wave_files(stem, view(), [&](const std::string& vcd) { write_file(vcd, small_vcd(writer)); });
    });
  for (std::thread& writer : writers)
    writer.join();
  std::vector<std::string> possible;
  for (int writer = 1; writer <= 4; ++writer)
    possible.push_back(small_vcd(writer));
  CHECK_THAT(possible, Catch::VectorContains(read_file(stem + ".vcd")));
  CHECK(read_file(stem + ".gtkw") == view_text(stem + (fs::exists(stem + ".fst") ? ".fst" : ".vcd"), view()));
  for (const auto& entry : fs::directory_iterator(directory.path() + "/out"))
    CHECK(entry.path().filename().string()[0] != '.'); // no work is left
}

TEST_CASE("waves: what cannot be written is an error and leaves nothing half") {
  const TemporaryDirectory directory("deltatwin-waves");
  const std::string stem = directory.path() + "/box";
  const pid_t child = fork();
  if (child == 0) { // files of at most 4 KB, as on a disk that is full
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    try {
      BeatTrace beats(2);
      write_wave_files(stem, view(), [&](const std::string& vcd) {
        write_beats_vcd(vcd, "box", view().interfaces, beats, {0, 10000, 10000});
      });
    } catch (const InputError&) {
      _exit(5);
    }
    _exit(6);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
  CHECK(fs::is_empty(directory.path()));
  CHECK_THROWS_AS(write_wave_files("/proc/nowhere/box", view(), [](const std::string&) {}), ToolError);
}
