// The commands that serve every top, on every top of the registry.
#include "base/file.h"
#include "desk.h"
#include "net/formats/formats.h"
#include "tops/registry.h"
#include <map>

using namespace deltatwin;
namespace json = boost::json;

namespace {

// A small design of each top, and as a space; a top that is added says its own here.
struct Small {
  std::string options, work, space;
};
const std::map<std::string, Small> small = {
    {"accelerator",
     {"-n tiny --lanes 4", " --images random:2", R"("networks": "tiny", "lanes": 4, "multipliers": "dsp")"}},
    {"array",
     {"--network conv --outputs 4 --channels 8 --banks 2 --results 2 --multiplier lut", " --images random:2",
      R"("networks": "conv", "outputs": 4, "channels": 8, "banks": 2, "results": 2,
      "multipliers": "lut")"}},
    {"codec", {"--alphabet 5 --depth 40", " --blocks random:4", R"("alphabet": 5, "depth": 40)"}},
    {"edqa",
     {"--bits 2 --extra 1 --depth 20", " --channels random:4", R"("bits": 2, "extra": 1, "depth": 20)"}},
    {"noisyquant", {"--width 5 --multipliers 2", " --channels random:3", R"("width": 5, "multipliers": 2)"}},
};

// A convolution of 3 x 3 over six rows of five pixels.
Graph convolution() {
  RandomWork random(base_seed());
  Graph graph;
  graph.name = "conv";
  graph.tensors = {{"in", {6, 5, 2}, {}, 0}, {"out", {6, 5, 4}, {}, 0}};
  Convolution convolution;
  convolution.window = {3, 3, 1, 1, 1, 1, 1, 1};
  convolution.outputs = 4;
  for (int i = 0; i < 4 * 3 * 3 * 2; ++i)
    convolution.weights.push_back(static_cast<std::int16_t>(random.in(-128, 127)));
  convolution.bias = {0, 100, -100, 1000};
  convolution.requantization.shifts = {9};
  graph.nodes = {{"c", {0}, 1, convolution}};
  graph.input = 0;
  graph.output = 1;
  return graph;
}

json::object run(const Desk& desk, const std::string& command) {
  const Outcome outcome = desk.run(words(command + " --json -"));
  CAPTURE(command, outcome.err);
  REQUIRE(outcome.code == 0);
  return json::parse(outcome.out).as_object();
}

// Each takes RTL of its own, of -O3: of the accelerator and the array by default.
void bench(const std::string& top) {
  const Desk desk;
  save_graph(convolution(), desk.path("conv.json"));
  const Small& design = small.at(top);
  const json::object speed = run(desk, "bench --repeats 1 --top " + top + " " + design.options + design.work);
  CHECK(speed.at("speedup_over_rtl").to_number<double>() > 0);
}

} // namespace

TEST_CASE("command line: simulate, cosim, trace, synth and explore serve every top") {
  const Desk desk;
  save_graph(convolution(), desk.path("conv.json"));
  for (const TopFamily* family : families()) {
    CAPTURE(family->name());
    const Small& design = small.at(family->name());
    const std::string options = " --top " + family->name() + " " + design.options;
    const json::object compared = run(desk, "cosim --stall 0.2 --seed 3" + options + design.work);
    CHECK(compared.at("mismatches") == 0);
    CHECK(compared.at("model_cycles") == compared.at("rtl_cycles"));
    CHECK(compared.at("beats").to_number<int>() > 100);

    const json::object traced = run(desk, "trace -o waves" + options + design.work);
    CHECK(traced.at("mismatches") == 0);
    const std::string vcd = json::value_to<std::string>(traced.at("vcd"));
    for (const char* extension : {".vcd", ".fst", ".gtkw"})
      CHECK(std::filesystem::file_size(desk.path(vcd.substr(0, vcd.size() - 4) + extension)) > 0);

    const json::object simulated = run(desk, "simulate --allow-overflow" + options + design.work);
    CHECK(simulated.at("resources").at("lut").at("used").to_number<int>() > 100);

    const json::object area = run(desk, "synth" + options);
    CHECK(area.at("resources").at("lut").at("used").to_number<int>() > 100);

    // The same design, so that its RTL and its synthesis are there.
    desk.write("space.json", R"({"format": "deltatwin-space-1", "top": ")" + family->name() + "\", " +
                                 design.space +
                                 R"(, "devices": "xc7z020", "optimize": ["throughput", "latency"]})");
    const Outcome explored =
        desk.run(words("explore space.json --confirm 1 --overwrite --out a --dataset none"));
    CAPTURE(explored.out, explored.err);
    CHECK(explored.code == 0);
    CHECK_THAT(explored.out, Catch::Contains(": equal\n"));
  }
}

TEST_CASE("command line: bench serves the accelerator and the array") {
  for (const char* top : {"accelerator", "array"})
    bench(top);
}

TEST_CASE("command line: bench serves every top", "[.speed]") {
  for (const TopFamily* family : families())
    bench(family->name());
}

TEST_CASE("command line: simulate draws the schedule of the array, and of no other top") {
  const Desk desk;
  save_graph(convolution(), desk.path("conv.json"));
  const std::string array = "simulate --allow-overflow --top array " + small.at("array").options;
  run(desk, array + " --report page.html");
  CHECK_THAT(read_file(desk.path("page.html")), Catch::StartsWith("<!DOCTYPE html>") &&
                                                    Catch::Contains("c, row 5") &&
                                                    Catch::EndsWith("</html>\n"));
  CHECK(desk.run(words(array + " --report no/page.html")).code == 2);
  const Outcome other = desk.run(words("simulate --top codec --report page.html"));
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Catch::Contains("no schedule to draw of codec"));
}

TEST_CASE("command line: channels from a file go through edqa, and what comes out is written as CSV") {
  const Desk desk;
  const std::string options = "simulate --top edqa --format float32 --depth 8 --allow-overflow --channels ";
  desk.write("channels.csv", "0,1,2\n0,1,2,3,4,5,6\n");
  const json::object found =
      run(desk, options + "channels.csv --rounding half_down --shifting-error raw -o out.csv");
  CHECK(found.at("channels") == 2);
  CHECK(found.at("bits_per_value").to_number<double>() > 3);
  CHECK(read_file(desk.path("out.csv")) ==
        "0,1,5\n0,7.5,6,3,10.5,9,15\n"); // as the authors' accelerator gives

  const std::map<std::string, std::string> bad = {{"1,x,3\n", "channels.csv:1: \"x\" is no number"},
                                                  {"1,2\n1,,2\n", "channels.csv:2: \"\" is no number"},
                                                  {"1,2,3,4,5,6,7,8,9\n", "more than 8 values"},
                                                  {"\n", "0 channels"}};
  for (const auto& [text, complaint] : bad) {
    CAPTURE(text);
    desk.write("channels.csv", text);
    const Outcome outcome = desk.run(words(options + "channels.csv"));
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(complaint));
  }
  CHECK(desk.run(words(options + "missing.csv")).code == 2);
  CHECK(desk.run(words("simulate --top codec --blocks channels.csv")).code == 2);
}

TEST_CASE("command line: compare sets the paper's tables beside the tops here") {
  const Desk desk;
  const json::object found = run(desk, "compare edqa");
  const auto speedup = [&](const std::string& name, int values) {
    for (const json::value& row : found.at("speedups").as_array())
      if (row.at("name").as_string() == name && row.at("values") == values)
        return row.at("speedup").to_number<double>();
    FAIL("no speedup " + name);
    return 0.0;
  };
  CHECK(speedup("the paper: eDQA over NoisyQuant", 3136) == Approx(466048.0 / 1508));
  CHECK(speedup("eDQA here over the paper's eDQA", 3136) > 20);
  CHECK(speedup("eDQA over NoisyQuant, searched once", 3136) < 1);
  CHECK(found.at("areas").as_array().size() == 7);
  CHECK(desk.run(words("compare nothing")).code == 2);
}

TEST_CASE("command line: compare array has a design that fits for each precision, faster with fewer bits") {
  const Desk desk;
  double before = 0;
  const json::object found = run(desk, "compare array");
  for (const json::value& row : found.at("rows").as_array()) {
    CAPTURE(row.at("precision").as_string());
    const auto of = [&](const char* name) { return row.at(name).to_number<double>(); };
    CHECK(row.at("fits").as_bool());
    CHECK(of("sustained_gops_100_mhz") > before);
    CHECK(of("sustained_gops_100_mhz") <= of("peak_gops_100_mhz"));
    CHECK(of("peak_gops_100_mhz") == Approx(of("products_per_cycle") / 5));
    before = of("sustained_gops_100_mhz");
  }
  CHECK(before > 1000);
}
