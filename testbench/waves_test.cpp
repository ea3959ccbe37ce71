// Views of waves, and how the files come about.
#include "base/error.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/tool.h"
#include "cosim/session.h"
#include "cosim/wave_files.h"
#include "random_graph.h"
#include "temporary_directory.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include "tops/array/workload.h"
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

TEST_CASE("waves: names and numbers of the work stand beside the beats, and first in a view") {
  const TemporaryDirectory directory("deltatwin-waves");
  const std::string path = directory.path() + "/a.vcd", both = directory.path() + "/both.vcd";
  const std::vector<WaveNote> notes = {
      {"layer", 0, {{90, 0, "first"}, {95, 0, "in the\nblock"}, {103, 0, "\x01last"}, {150, 0, "behind"}}},
      {"row", 4, {{90, 1, ""}, {102, 11, ""}}}};
  BeatTrace beats(2);
  write_beats_vcd(path, "box", view().interfaces, beats, {100, 104, 10}, notes);
  const std::string text = read_file(path);
  CHECK_THAT(text, Catch::Contains("$var string 1 layer layer $end") &&
                       Catch::Contains("$var wire 4 row row [3:0] $end") && !Catch::Contains("behind"));
  CHECK(position(text, "\n#1000\n") < position(text, "\nsin_the_block layer\n"));
  CHECK(position(text, "\nb0001 row\n") < position(text, "\n#1010\n"));
  CHECK(position(text, "\n#1020\n") < position(text, "\nb1011 row\n"));
  CHECK(position(text, "\n#1030\n") < position(text, "\ns_last layer\n"));
  write_file(directory.path() + "/b.vcd", small_vcd(1015));
  merge_vcds(path, directory.path() + "/b.vcd", both);
  CHECK_THAT(read_file(both), Catch::Contains("$var string 1 mlayer layer $end") &&
                                  Catch::Contains("\nsin_the_block mlayer\n"));
  WaveView named = view();
  named.notes = notes;
  const std::string shown = view_text("box.fst", named);
  CHECK(position(shown, "model.box.layer\n") < position(shown, "model.box.row[3:0]\n"));
  CHECK(position(shown, "model.box.row[3:0]\n") < position(shown, "-sum\n"));
}

TEST_CASE("waves: of the array, each window and result is told by layer, row, column and channel") {
  RandomWork random(base_seed());
  for (int round = 0, ran = 0; ran < repeats(8); ++round) {
    CAPTURE(base_seed(), round);
    RandomGraphLimits limits;
    limits.size = 6;
    limits.channels = 12;
    limits.int8 = true;
    const Graph graph = random_graph(random, limits);
    ArrayConfig config;
    config.leave_open();
    config.channels = 8;
    config.outputs = random.in(0, 1) ? 4 : 8;
    config.results = config.outputs;
    config.rows = random.in(1, 3);
    if (random.in(0, 1))
      config.stage_results = 4;
    std::shared_ptr<const ArrayProgram> program;
    try {
      program = std::make_shared<const ArrayProgram>(compile_to_fit(graph, config));
    } catch (const InputError&) {
      continue;
    }
    ++ran;
    constexpr int images = 2;
    const ArrayTop top(config);
    const ArrayWorkload work(graph, config, program, make_inputs(graph.tensors[graph.input], images, 1));
    Session session;
    work.load(session);
    work.run(session, 0, images);
    const TopPorts ports(top);
    const std::unique_ptr<TopModel> model = top.model();
    SessionTrace trace(ports.interfaces.size());
    run_model(session, ports, *model, trace);
    ArrayEvents events;
    (void)array_run(config, *program, images, &events);

    const std::vector<WaveNote> notes = work.notes(trace.beats);
    REQUIRE(notes.size() == (program->stage.steps.empty() ? 8 : 16));
    CHECK(notes[0].signal == "issue_layer");
    CHECK(notes[7].signal == "result_channel");
    CHECK(notes.back().signal == (notes.size() == 8 ? "result_channel" : "stage_result_channel"));
    const Cycle start = trace.beats.beats[5].front().cycle - events.rows.front().first;
    for (std::size_t engine = 0; engine < notes.size() / 8; ++engine) {
      const ArrayTables& tables = engine ? program->stage : *program;
      const int outputs = engine ? config.channels : config.outputs;
      const int latency = engine ? config.stage_write_latency() : config.write_latency();
      const std::vector<ArrayEvents::Step>& steps = engine ? events.stage_steps : events.steps;
      std::size_t n = 0;
      for (std::size_t s = 0; s < steps.size(); ++s) {
        const std::size_t step = s % tables.steps.size();
        const auto l = static_cast<std::size_t>(tables.steps[step].layer);
        const ArrayLayer& layer = tables.layers[l];
        Cycle cycle = start + steps[s].begin;
        for (int x = 0; x < layer.columns; ++x)
          for (int tile = 0; tile < layer.tiles; ++tile, ++n) {
            CAPTURE(engine, s, x, tile);
            const auto told = [&](std::size_t first, Cycle at) {
              for (std::size_t i = first; i < first + 4; ++i) {
                REQUIRE(n < notes[i].changes.size());
                CHECK(notes[i].changes[n].cycle == at);
              }
              CHECK(notes[first].changes[n].text == tables.nodes[l]);
              CHECK(notes[first + 1].changes[n].number == static_cast<std::uint64_t>(tables.rows[step]));
              CHECK(notes[first + 2].changes[n].number == static_cast<std::uint64_t>(x));
              CHECK(notes[first + 3].changes[n].number ==
                    static_cast<std::uint64_t>(tile * (layer.max_pool ? config.channels : outputs)));
            };
            told(8 * engine, cycle + static_cast<Cycle>(layer.pause));
            cycle += static_cast<Cycle>(layer.tile_cycles());
            told(8 * engine + 4, cycle - 1 + static_cast<Cycle>(latency));
          }
      }
      CHECK(n == notes[8 * engine].changes.size());
    }
  }
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
