// The explorer's library: spaces, points, fronts, sweeps and their files.
#include "base/file.h"
#include "explore/results.h"
#include "explore/sweep.h"
#include "net/dataset.h"
#include "net/networks_directory.h"
#include "random_work.h"
#include "refusal.h"
#include "scheduler_reference.h"
#include "temporary_directory.h"
#include "tops/accelerator/area.h"
#include "tops/accelerator/exploration.h"
#include "tops/accelerator/run_timing.h"
#include "tops/registry.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <sqlite3.h>
#include <sstream>

using namespace deltatwin;

namespace {

const std::string head = R"({"format": "deltatwin-space-1", "optimize": ["throughput", "share"], )";
const std::string axes = R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": 16)";

namespace axis = accelerator_axis;

Objective objective(const Space& space, const std::string& name) {
  for (Objective figure = 0; figure < space.figures.size(); ++figure)
    if (space.figures[figure].name == name)
      return figure;
  FAIL("no figure " << name);
  return 0;
}

/// Networks of random weights and shapes in a directory of their own.
struct Networks {
  TemporaryDirectory directory{"deltatwin-explore"};
  std::vector<std::string> files;

  Networks() {
    RandomWork random(base_seed());
    const DeltaFormat formats[] = {{Scheme::fixed_reference, 2, Group::layer, 0, 3},
                                   {Scheme::consecutive, 4, Group::neuron, 0, 2},
                                   {Scheme::plain, 8, Group::layer, 0, 0}};
    for (const DeltaFormat& format : formats) {
      Network network = random.network({60, 40, 30, 10}, format);
      network.name = "network" + std::to_string(files.size());
      files.push_back(directory.path() + "/" + network.name + ".json");
      save_network(network, files.back());
    }
  }

  [[nodiscard]] Space space(const std::string& more) const {
    std::string names;
    for (const std::string& file : files)
      names += (names.empty() ? "\"" : ", \"") + file + "\"";
    return parse_space(R"({"format": "deltatwin-space-1", "networks": [)" + names + "], " + more + "}",
                       "random.json");
  }
};

const std::string large = R"("devices": ["xc7s6", "xc7s15"], "codes": ["raw", "huffman"],
  "lanes": {"from": 1, "to": 40}, "lanes_per_bank": ["fit", {"from": 1, "to": 9}],
  "bank_depth": ["fit", 512, 1024], "clock_mhz": [50, 100], "optimize": ["throughput", "share", "bits_a_weight"],
  "constraints": {"maximum_latency_us": 200})";

/// All tables of a result, row by row.
std::string dump(const std::string& path) {
  std::ostringstream text;
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  const auto print = [](void* out, int columns, char** values, char**) {
    for (int i = 0; i < columns; ++i)
      *static_cast<std::ostringstream*>(out) << (values[i] ? values[i] : "null") << '|';
    *static_cast<std::ostringstream*>(out) << '\n';
    return 0;
  };
  for (const char* table :
       {"networks", "devices", "multipliers", "points", "chunks", "front", "designs", "best"}) {
    text << table << '\n';
    const std::string sql = std::string("select * from ") + table + " order by 1";
    REQUIRE(sqlite3_exec(handle, sql.c_str(), print, &text, nullptr) == SQLITE_OK);
  }
  sqlite3_close(handle);
  return text.str();
}

/// The first column of what a query of a result gives, each value behind a blank.
std::string ask(const std::string& path, const std::string& sql) {
  std::string text;
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  const auto append = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(" ") + (values[0] ? values[0] : "null");
    return 0;
  };
  REQUIRE(sqlite3_exec(handle, sql.c_str(), append, &text, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  return text;
}

const std::atomic<bool> never_stop = false;
void no_progress(std::uint64_t, std::uint64_t) {}

} // namespace

TEST_CASE("explore: values of a set are names with a + between them") {
  const std::string text = R"({"format": "deltatwin-space-1", "top": "array", "networks": ["n"],
    "devices": ["xc7s15"], "optimize": ["throughput"], "lut_ram": )";
  const Space space = parse_space(text + R"(["none", "steps+maps", "all"]})", "space.json");
  for (std::size_t a = 0; a < space.axes.size(); ++a)
    if (space.axes[a].name == "lut_ram") {
      CHECK(space.values[a].numbers == std::vector<double>{0, 33, 2047});
      CHECK(space.axes[a].set_text(33) == "maps+steps");
      CHECK(space.axes[a].set_text(0) == "none");
    }
  for (const char* bad : {R"(["walls"]})", R"(["maps+"]})", R"([3]})", R"(["maps+steps", "steps+maps"]})"})
    CHECK_THROWS_AS(parse_space(text + bad, "space.json"), InputError);
}

TEST_CASE("explore: a space's axes are numbers, ranges and lists of them") {
  const Space space = parse_space(head + R"("networks": "s15", "codes": ["as_trained", "huffman"],
    "devices": ["xc7s15", "xc7z020"], "lanes": [3, {"from": 8, "to": 20, "step": 6}],
    "lanes_per_bank": ["fit", 4], "bank_depth": 2048, "multipliers": "serial", "clock_mhz": [32, 100.5],
    "constraints": {"fits": false, "minimum_accuracy": 0.5, "maximum_latency_us": 10}})",
                                  "dir/mine.json");
  CHECK(space.name == "mine");
  using Numbers = std::vector<double>;
  CHECK(space.values[axis::network].texts == std::vector<std::string>{"s15"});
  CHECK(space.values[axis::code].numbers == Numbers{0, 2});
  CHECK(space.values[axis::lanes].numbers == Numbers{3, 8, 14, 20});
  CHECK(space.values[axis::lanes_per_bank].numbers == Numbers{0, 4});
  CHECK(space.values[axis::bank_depth].numbers == Numbers{2048});
  CHECK(space.values[axis::multiplier].numbers == Numbers{3});
  CHECK(space.values[axis::clock].numbers == Numbers{32, 100.5});
  CHECK(space.objectives ==
        std::vector<Objective>{objective(space, "throughput"), objective(space, "share")});
  CHECK_FALSE(space.must_fit);
  REQUIRE(space.bounds.size() == 2);
  CHECK(space.figures[space.bounds[0].figure].name == "accuracy");
  CHECK(space.bounds[0].value == 0.5);
  CHECK(space.figures[space.bounds[1].figure].name == "latency");
  CHECK(space.bounds[1].value == 10);
  CHECK(space.size() == 2 * 4 * 2 * 2 * 2);
  CHECK(parse_space(head + axes + "}", "x").size() == 4); // all multipliers
  std::set<std::vector<std::uint32_t>> places;
  for (std::uint64_t id = 0; id < space.size(); ++id) {
    const Coordinates at = coordinates(space, id);
    CHECK(at.axis[axis::lanes] < 4);
    std::vector<std::uint32_t> place(at.axis.begin(), at.axis.end());
    place.push_back(at.device);
    places.insert(place);
  }
  CHECK(places.size() == space.size());
  CHECK(coordinates(space, 1).axis[axis::clock] == 1); // runs fastest
}

TEST_CASE("explore: files that a space names are found from its own directory") {
  const std::string here = std::filesystem::current_path().string();
  const Space space =
      parse_space(head + R"("networks": ["s15", "mine.json", "../up.json", "sub/net", "/abs/net.json"],
                                     "devices": ["xc7s15", "board.json"], "lanes": 16})",
                  "spaces/mine.json");
  CHECK(space.directory == here + "/spaces");
  CHECK(space.values[axis::network].texts ==
        std::vector<std::string>{"s15", here + "/spaces/mine.json", here + "/up.json",
                                 here + "/spaces/sub/net", "/abs/net.json"});
  CHECK(space.devices == std::vector<std::string>{"xc7s15", here + "/spaces/board.json"});
}

TEST_CASE("explore: lists of a hundred thousand entries are read as fast as they are long") {
  std::string names, clocks;
  constexpr int entries = 200'000;
  for (int i = 0; i < entries; ++i) {
    names += (i ? ", \"" : "\"") + std::to_string(i) + "\"";
    clocks += (i ? ", " : "") + std::to_string(1 + i / 1024.0);
  }
  const Space space =
      parse_space(head + "\"networks\": \"s15\", \"devices\": [" + names +
                      "], \"lanes\": 16, \"multipliers\": \"dsp\", \"clock_mhz\": [" + clocks + "]}",
                  "x.json");
  CHECK(space.devices.size() == entries);
  CHECK(space.values[axis::clock].numbers.size() == entries);
  CHECK_THAT(refusal([&] {
               (void)parse_space(head + "\"networks\": \"s15\", \"lanes\": 16, \"devices\": [" + names +
                                     ", \"0\"]}",
                                 "x.json");
             }),
             Catch::Contains("x.json: devices[200000]: stands there twice"));
}

TEST_CASE("explore: a wrong space is refused with its place") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "x.json: line 1, column 1: is no valid JSON"},
      {"[]", "x.json: expected an object"},
      {R"({"format": "deltatwin-space-2"})", "x.json: format: \"deltatwin-space-2\" is none of"},
      {head + R"("lanes": 16})", "x.json: \"networks\" is missing"},
      {head + axes + R"(, "lane": 4})", "x.json: unknown field \"lane\""},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": []})",
       "x.json: lanes: expected at least one element"},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": [4, 256]})",
       "x.json: lanes[1]: 256 is outside 1..255"},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": [4, {"from": 3, "to": 5}]})",
       "x.json: lanes[1]: 4 stands there twice"},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": {"from": 5, "to": 4}})",
       "x.json: lanes.to: 4 is outside 5..255"},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": {"from": 5, "to": 6, "by": 1}})",
       "x.json: lanes: unknown field \"by\""},
      {head + R"("networks": ["s15"], "devices": ["xc7s15"], "lanes": "fit"})", "\"fit\" is no number"},
      {head + axes + R"(, "bank_depth": "big"})", "\"big\" is no number and not \"fit\""},
      {head + axes + R"(, "multipliers": ["dsp", "dsp"]})", "x.json: multipliers[1]: stands there twice"},
      {head + axes + R"(, "multipliers": ["fast"]})",
       "\"fast\" is none of \"lut\", \"dsp\", \"dsp_packed\", \"serial\""},
      {head + axes + R"(, "codes": "zip"})",
       "\"zip\" is none of \"as_trained\", \"raw\", \"huffman\", \"huffman_pairs\""},
      {head + axes + R"(, "clock_mhz": 0})", "x.json: clock_mhz: expected a number in 0.001..10000, got 0"},
      {head + axes + R"(, "constraints": {"fits": 1}})", "x.json: constraints.fits: expected true or false"},
      {head + axes + R"(, "constraints": {"minimum_accuracy": 90}})",
       "x.json: constraints.minimum_accuracy: expected a number in 0..1, got 90"},
      {head + axes + R"(, "constraints": {"maximum": 90}})", "unknown field \"maximum\""},
      {R"({"format": "deltatwin-space-1", "optimize": [], )" + axes + "}", "expected at least one element"},
      {R"({"format": "deltatwin-space-1", "optimize": "speed", )" + axes + "}",
       "\"speed\" is none of \"accuracy\", \"latency\", \"throughput\", \"bits_a_weight\", \"share\", "
       "\"lut_share\", \"bram_share\""},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    CHECK_THAT(refusal([&, &text = text] { (void)parse_space(text, "x.json"); }), Catch::Contains(message));
  }
  std::string names;
  for (int i = 0; i < 3000; ++i)
    names += (i ? ", \"" : "\"") + std::to_string(i) + "\"";
  CHECK_THAT(refusal([&] {
               (void)parse_space(
                   head + "\"networks\": [" + names + "], \"devices\": [" + names +
                       R"(], "lanes": {"from": 1, "to": 128}, "clock_mhz": {"from": 1, "to": 10000}})",
                   "x.json");
             }),
             Catch::Contains("x.json: the space has more than 2^40 points"));
}

TEST_CASE("explore: a point is what the other commands make of its design") {
  const Networks networks;
  const Evaluator evaluator(networks.space(large), "/nonexistent");
  const Space& space = evaluator.space();
  RandomWork random(base_seed());
  std::map<Verdict, int> seen;
  for (int i = 0; i < repeats(400); ++i) {
    const auto id = random.word(40) % space.size();
    const DesignPoint point = evaluator.evaluate(id);
    ++seen[point.verdict];
    CAPTURE(id, to_string(point.verdict));
    const auto number = [&](std::size_t a) { return space.values[a].numbers[point.at.axis[a]]; };
    const auto integer = [&](std::size_t a) { return static_cast<int>(number(a)); };
    Network network = load_network(space.values[axis::network].texts[point.at.axis[axis::network]]);
    for (Layer& layer : network.layers)
      layer.code = static_cast<Code>(integer(axis::code) - 1);
    DesignChoice choice;
    choice.lanes = integer(axis::lanes);
    choice.lanes_per_bank = integer(axis::lanes_per_bank);
    choice.bank_depth = integer(axis::bank_depth);
    choice.multiplier = static_cast<Multiplier>(integer(axis::multiplier));
    choice.clock_mhz = number(axis::clock);
    Design design;
    Program program;
    const bool possible = refusal([&] {
                            design = fit(network, choice);
                            program = compile(network, design);
                          }) == "accepted";
    REQUIRE(possible == (point.verdict != Verdict::impossible));
    if (!possible)
      continue;
    CHECK(point.stored[2] == design.lanes);
    CHECK(point.stored[3] == design.lanes_per_bank);
    CHECK(point.stored[4] == design.bank_depth);
    const std::vector<Cycle> ends = reference_ends(design, program.layers, 3);
    CHECK(evaluator.run_cycles(point, 3) == ends[2]);
    const RunTiming timing = run_timing(design, program.layers);
    CHECK(timing.first == ends[0]);
    const Resources used = resources(design);
    const Device& device = evaluator.device(point);
    CHECK(device.name == space.devices[point.at.device]);
    CHECK(point.used.bram36() == used.bram36());
    const bool fits = used.lut <= device.lut && used.ff <= device.ff && used.dsp <= device.dsp &&
                      used.bram36() <= device.bram36;
    CHECK(fits == (point.figure(objective(space, "share")) <= 1));
    CHECK(fits == (point.verdict != Verdict::does_not_fit));
    CHECK((point.fit != Fit::no || !fits) == true);
    CHECK((point.fit != Fit::yes || fits) == true);
    const double latency = static_cast<double>(timing.latency()) / choice.clock_mhz;
    CHECK(point.figure(objective(space, "latency")) == latency);
    if (fits)
      CHECK(point.verdict == (latency > 200 ? Verdict::above_maximum : Verdict::feasible));
    CHECK(point.figure(objective(space, "lut_share")) == static_cast<double>(used.lut) / device.lut);
    CHECK(point.figure(objective(space, "bram_share")) == static_cast<double>(used.bram36()) / device.bram36);
    CHECK(point.figure(objective(space, "bits_a_weight")) ==
          static_cast<double>(network.stored_bits()) / static_cast<double>(network.weight_count()));
    CHECK(point.figure(objective(space, "throughput")) ==
          Approx(static_cast<double>(network.macs()) * choice.clock_mhz * 1e6 / timing.interval()));
  }
  for (const Verdict verdict :
       {Verdict::feasible, Verdict::impossible, Verdict::does_not_fit, Verdict::above_maximum})
    CHECK(seen[verdict] > 0);
}

TEST_CASE("explore: an area tolerance lets LUTs and FFs exceed the budget in the model, nothing else") {
  const TemporaryDirectory directory("deltatwin-explore");
  const std::string device = directory.path() + "/device.json";
  Design design;
  {
    DesignChoice choice;
    design = fit(load_network(find_network("s15")), choice);
  }
  const Resources used = resources(design);
  REQUIRE(used.lut > 1000);
  const auto verdict = [&](int lut, int ff, int dsp, const std::string& constraints) {
    write_file(device, R"({"name": "mine", "description": "", "lut": )" + std::to_string(lut) + ", \"ff\": " +
                           std::to_string(ff) + ", \"dsp\": " + std::to_string(dsp) + ", \"bram36\": 10}");
    const std::string text = R"({"format": "deltatwin-space-1", "networks": "s15", "devices": ")" + device +
                             R"(", "lanes": 16, "multipliers": "dsp", "optimize": "share", "constraints": )" +
                             constraints + "}";
    return Evaluator(parse_space(text, "x.json"), "/nonexistent").evaluate(0).verdict;
  };
  const int less = used.lut - used.lut / 20, fewer = used.ff - used.ff / 20;
  CHECK(verdict(used.lut, used.ff, used.dsp, "{}") == Verdict::feasible);
  CHECK(verdict(less, used.ff, used.dsp, "{}") == Verdict::does_not_fit);
  CHECK(verdict(used.lut, fewer, used.dsp, "{}") == Verdict::does_not_fit);
  CHECK(verdict(less, fewer, used.dsp, R"({"area_tolerance": 0.06})") == Verdict::feasible);
  CHECK(verdict(less, fewer, used.dsp, R"({"area_tolerance": 0.04})") == Verdict::does_not_fit);
  CHECK(verdict(less, fewer, used.dsp - 1, R"({"area_tolerance": 0.9})") == Verdict::does_not_fit);
  CHECK(verdict(less, fewer, used.dsp - 1, R"({"fits": false})") == Verdict::feasible);
}

TEST_CASE("explore: a device that has none of a resource has a share of it") {
  const Device none{"none", "", 1000, 1000, 0, 0};
  Resources used;
  used.lut = 100;
  CHECK(share(0, 0) == 0);
  CHECK(share(3, 0) == 4);
  CHECK(share(3, 4) == 0.75);
  CHECK(fit_by_model(used, none) == Fit::yes);
  CHECK(shortest_resource(used, none) == Resource::lut);
  used.dsp = 1;
  CHECK(fit_by_model(used, none) == Fit::no);
  CHECK(shortest_resource(used, none) == Resource::dsp);
  used.ramb18 = 3;
  CHECK(shortest_resource(used, none) == Resource::bram36);
  const TemporaryDirectory work("deltatwin-explore");
  write_file(work.path() + "/none.json",
             R"({"name": "none", "description": "", "lut": 0, "ff": 0, "dsp": 0, "bram36": 0})");
  const Evaluator evaluator(
      parse_space(R"({"format": "deltatwin-space-1", "networks": "s15", "devices": "none.json",
                              "lanes": [8, 16], "optimize": ["share"], "constraints": {"fits": false}})",
                  work.path() + "/x.json"),
      "/nonexistent");
  Database database = Database::create(work.path() + "/x.sqlite", evaluator, {});
  CHECK(sweep(evaluator, database, 1, never_stop, no_progress));
  for (std::uint64_t id = 0; id < evaluator.space().size(); ++id)
    for (const char* each : {"share", "lut_share", "bram_share"})
      CHECK(std::isfinite(evaluator.evaluate(id).figure(objective(evaluator.space(), each))));
  const std::string text =
      boost::json::serialize(report_data(evaluator, database, load_front(evaluator, database)));
  CHECK_THAT(text, Catch::Contains("\"fits\":false") && !Catch::Contains("Infinity") &&
                       !Catch::Contains("1e99999"));
}

TEST_CASE("explore: a command line runs where there are no images of a network's size") {
  const Evaluator known(parse_space(head + axes + "}", "x.json"), default_dataset);
  const DesignPoint point = known.evaluate(0);
  CHECK_THAT(command_line(known, point), !Catch::Contains("--images") && !Catch::Contains("--dataset"));
  CHECK_THAT(command_line(known, point, "cosim", 3), Catch::Contains("--images 3"));
  const Evaluator unknown(parse_space(head + axes + "}", "x.json"), "/nonexistent");
  CHECK_THAT(command_line(unknown, point), Catch::EndsWith("--images random:100"));
  CHECK_THAT(command_line(unknown, point, "cosim", 3), Catch::EndsWith("--images random:3"));
  CHECK_THAT(command_line(unknown, point, "synth"), !Catch::Contains("--images"));
}

TEST_CASE("explore: each network, device and image counts in the fingerprint") {
  const TemporaryDirectory directory("deltatwin-explore");
  const std::string device = directory.path() + "/device.json";
  const auto fingerprint = [&](int lut, const std::string& dataset) {
    write_file(device, R"({"name": "mine", "description": "", "lut": )" + std::to_string(lut) +
                           R"(, "ff": 9000, "dsp": 20, "bram36": 10})");
    const std::string text = R"({"format": "deltatwin-space-1", "networks": "s15", "devices": ["xc7s15", ")" +
                             device +
                             R"("], "lanes": {"from": 1, "to": 100}, "clock_mhz": {"from": 1, "to": 20},
                             "optimize": "share"})";
    return Evaluator(parse_space(text, "x.json"), dataset).fingerprint();
  };
  const std::string here = fingerprint(8000, "/nonexistent");
  CHECK(fingerprint(8000, "/nonexistent") == here);
  CHECK(fingerprint(8001, "/nonexistent") != here);
  CHECK(fingerprint(8000, default_dataset) != here);
}

TEST_CASE("explore: two networks or devices of one name are refused") {
  const TemporaryDirectory directory("deltatwin-explore");
  const std::string again = directory.path() + "/again.json";
  const auto evaluate = [&](const std::string& networks, const std::string& devices) {
    return refusal([&] {
      Evaluator(
          parse_space(head + "\"networks\": " + networks + ", \"devices\": " + devices + R"(, "lanes": 16})",
                      "x"),
          "/nonexistent");
    });
  };
  std::filesystem::copy_file(find_network("s15"), again);
  CHECK(evaluate("[\"s15\", \"" + again + "\"]", "\"xc7s15\"") ==
        "two of the space's networks have the name s15");
  write_file(again, read_file(devices_directory() + "/xc7s15.json"));
  CHECK(evaluate("\"s15\"", "[\"xc7s15\", \"" + again + "\"]") ==
        "two of the space's devices have the name xc7s15");
}

TEST_CASE("explore: a chosen bank depth is enough to the word") {
  const Evaluator evaluator(parse_space(head + R"("networks": "s15", "devices": "xc7z020", "lanes": 16,
                              "bank_depth": [8175, 8176], "multipliers": "dsp"})",
                                        "x.json"),
                            "/nonexistent");
  CHECK(evaluator.evaluate(0).verdict == Verdict::impossible); // 9 * 784 + 7 * 144 + 112
  CHECK(evaluator.why_impossible(evaluator.evaluate(0)) ==
        "the network needs 8176 words of each weight bank, the design has 8175");
  CHECK(evaluator.evaluate(1).verdict == Verdict::feasible);
}

TEST_CASE("explore: codes do not wear off on each other") {
  const Evaluator evaluator(
      parse_space(head + R"("networks": ["s15", "s15_huffman"], "devices": "xc7s15", "lanes": 16,
                            "codes": ["raw", "huffman", "as_trained"]})",
                  "x.json"),
      "/nonexistent");
  std::vector<std::string> codes;
  const auto& rows = evaluator.schema().tables[0].rows; // id, name, code, accuracy, MACs, weights, bits
  for (const auto& row : rows)
    codes.emplace_back(row[2].as_string());
  CHECK(codes == std::vector<std::string>{"raw", "huffman", "raw", "raw", "huffman", "huffman"});
  CHECK(rows[3][6].to_number<int>() == 922008); // the README's figures
  CHECK(rows[5][6].to_number<int>() == 274033);
}

TEST_CASE("explore: accuracy is that of the test images, and a space that needs it needs them") {
  const std::string accurate = R"({"format": "deltatwin-space-1", "optimize": ["accuracy"], )" + axes + "}";
  const Evaluator evaluator(parse_space(accurate, "x.json"), default_dataset);
  CHECK(evaluator.schema().tables[0].rows[0][3] == 0.9030);
  CHECK(Evaluator(parse_space(head + axes + "}", "x.json"), "/nonexistent")
            .schema()
            .tables[0]
            .rows[0][3]
            .is_null());
  CHECK_THAT(refusal([&] { Evaluator(parse_space(accurate, "x.json"), "/nonexistent"); }),
             Catch::Contains("/nonexistent"));
  const Evaluator strict(
      parse_space(head + axes + R"(, "constraints": {"minimum_accuracy": 0.9031}})", "x.json"),
      default_dataset);
  CHECK(strict.evaluate(0).verdict == Verdict::below_minimum);
}

TEST_CASE("explore: the front is what no point on the same device dominates") {
  RandomWork random(base_seed());
  Space space;
  space.figures = {{"accuracy", true}, {"latency"}, {"throughput", true}, {"share"}};
  space.objectives = {0, 3, 2};
  for (int i = 0; i < repeats(100); ++i) {
    std::vector<DesignPoint> points(static_cast<std::size_t>(random.in(0, 60)));
    for (DesignPoint& point : points) {
      point.id = random.word(20);
      point.at.device = static_cast<std::uint32_t>(random.in(0, 2));
      for (double& figure : point.figures)
        figure = random.in(0, 6);
    }
    const auto worse = [&](const DesignPoint& a, const DesignPoint& b) { // a than b, or equal and behind it
      const double gains[][2] = {
          {a.figures[0], b.figures[0]}, {-a.figures[3], -b.figures[3]}, {a.figures[2], b.figures[2]}};
      bool better = false, equal = true;
      for (const auto& gain : gains) {
        better |= gain[0] > gain[1];
        equal &= gain[0] == gain[1];
      }
      return a.at.device == b.at.device && !better && (!equal || a.id > b.id);
    };
    std::vector<std::uint64_t> expected, found;
    for (const DesignPoint& point : points)
      if (std::none_of(points.begin(), points.end(),
                       [&](const DesignPoint& other) { return worse(point, other); }))
        expected.push_back(point.id);
    const std::vector<DesignPoint> front = pareto_front(space, points);
    for (const DesignPoint& point : front)
      found.push_back(point.id);
    CHECK(std::is_sorted(front.begin(), front.end(), [](const DesignPoint& a, const DesignPoint& b) {
      return a.figures[0] > b.figures[0];
    }));
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    CHECK(found == expected);
  }
}

TEST_CASE("explore: stopped and resumed, split and merged, on any number of threads: the same result") {
  const Networks networks;
  const Evaluator evaluator(networks.space(large), "/nonexistent");
  const TemporaryDirectory work("deltatwin-explore");
  const auto path = [&](const std::string& name) { return work.path() + "/" + name + ".sqlite"; };
  REQUIRE(chunk_count(evaluator.space(), {}) > 8);
  {
    Database database = Database::create(path("whole"), evaluator, {});
    CHECK(sweep(evaluator, database, 1, never_stop, no_progress));
  }
  const std::string whole = dump(path("whole"));
  CHECK(std::count(whole.begin(), whole.end(), '\n') > 1000);
  CHECK_FALSE(std::filesystem::exists(path("whole") + "-wal"));

  std::atomic<bool> stop = false;
  {
    Database database = Database::create(path("stopped"), evaluator, {});
    CHECK_FALSE(sweep(evaluator, database, 2, stop, [&](std::uint64_t, std::uint64_t) { stop = true; }));
    const std::size_t chunks = database.chunks().size();
    CHECK(chunks >= 1);
    CHECK(chunks < chunk_count(evaluator.space(), {}));
    std::uint64_t counted = 0;
    for (const std::uint64_t count : database.counts())
      counted += count;
    CHECK(counted <= chunks * chunk_points);
    CHECK(!database.front().empty());
  }
  {
    Database database(path("stopped"), Database::Access::write);
    database.check(evaluator);
    CHECK(sweep(evaluator, database, 3, never_stop, no_progress));
  }
  CHECK(dump(path("stopped")) == whole);

  for (const int shard : {2, 3, 1, 3}) { // one of them twice
    const std::string file = path("shard" + std::to_string(shard));
    Database database = std::filesystem::exists(file) ? Database(file, Database::Access::write)
                                                      : Database::create(file, evaluator, {shard, 3});
    CHECK(database.shard().index == shard);
    CHECK(sweep(evaluator, database, 2, never_stop, no_progress));
  }
  {
    Database merged = Database::create(path("merged"), evaluator, {});
    for (const int shard : {1, 2, 3, 2})
      merged.merge(path("shard" + std::to_string(shard)));
    reduce_front(evaluator, merged);
  }
  CHECK(dump(path("merged")) == whole);

  std::vector<DesignPoint> all;
  for (std::uint64_t id = 0; id < evaluator.space().size(); ++id)
    if (const DesignPoint point = evaluator.evaluate(id); point.verdict == Verdict::feasible)
      all.push_back(point);
  { // what a killed process left of a file that is gone
    Database killed = Database::create(path("killed"), evaluator, {});
    sweep(evaluator, killed, 1, never_stop, no_progress);
    std::filesystem::copy(path("killed") + "-wal", path("next") + "-wal");
    REQUIRE(std::filesystem::file_size(path("next") + "-wal") > 0);
  }
  {
    Database next = Database::create(path("next"), evaluator, {});
    CHECK(sweep(evaluator, next, 2, never_stop, no_progress));
  }
  CHECK(dump(path("next")) == whole);
  CHECK_THAT(refusal([&] { (void)Database::create(path("next"), evaluator, {}); }),
             Catch::Contains("cannot be made: File exists"));
  Database::remove(path("next"));
  CHECK_FALSE(std::filesystem::exists(path("next")));
  CHECK_NOTHROW(Database::remove(path("next")));

  const Database database(path("merged"), Database::Access::read);
  CHECK(database.counts()[0] == all.size());
  CHECK(database.feasible(7) == all[7].id);
  CHECK(database.sample(10).size() <= 10);
  std::array<std::uint64_t, resource_kinds> short_of{};
  for (std::uint64_t id = 0; id < evaluator.space().size(); ++id) {
    const DesignPoint point = evaluator.evaluate(id);
    if (point.verdict == Verdict::does_not_fit)
      ++short_of[static_cast<std::size_t>(shortest_resource(point.used, evaluator.device(point)))];
  }
  CHECK(database.short_of() == short_of);
  CHECK(short_of[0] + short_of[1] + short_of[2] + short_of[3] == database.counts()[2]);
  const std::vector<Objective> goals = evaluator.space().objectives;
  const auto before = [&](const DesignPoint& a, const DesignPoint& b) {
    for (const Objective goal : goals)
      if (a.figure(goal) != b.figure(goal))
        return (a.figure(goal) > b.figure(goal)) == evaluator.space().figures[goal].larger_is_better;
    return a.id < b.id;
  };
  std::map<std::pair<double, std::uint32_t>, DesignPoint> first; // of each variant and device
  std::string fits;
  for (const DesignPoint& point : all) {
    const auto [place, is_new] = first.insert({{point.stored[0], point.at.device}, point});
    if (!is_new && before(point, place->second))
      place->second = point;
    fits += point.fit == Fit::yes ? " 1" : point.fit == Fit::no ? " 0" : " null";
  }
  std::set<std::uint64_t> firsts;
  for (const auto& [where, point] : first)
    firsts.insert(point.id);
  std::string ids;
  for (const std::uint64_t id : firsts)
    ids += " " + std::to_string(id);
  CHECK(ask(path("whole"), "select id from best order by id") == ids);
  CHECK(ask(path("whole"), "select fits from designs order by id") == fits);
  std::vector<std::uint64_t> front;
  for (const DesignPoint& point : pareto_front(evaluator.space(), all))
    front.push_back(point.id);
  std::sort(front.begin(), front.end());
  CHECK(database.front() == front);

  const std::string csv = front_csv(evaluator, database, load_front(evaluator, database));
  CHECK(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')) == front.size() + 1);
  CHECK_THAT(csv, Catch::StartsWith("id,network,code,device,lanes,"));
  CHECK_THAT(csv, Catch::Contains("deltatwin simulate --network "));
  const boost::json::object data = report_data(evaluator, database, load_front(evaluator, database));
  CHECK(data.at("front").as_array().size() == front.size());
  CHECK(data.at("feasible") == all.size());
  CHECK(data.at("cloud").as_array().size() > front.size());
  CHECK(data.at("cloud").as_array().size() <= 2000);
}

TEST_CASE("explore: a result that is not this space's is refused, and one that is being written") {
  const Networks networks;
  const Evaluator evaluator(networks.space(large), "/nonexistent");
  const TemporaryDirectory work("deltatwin-explore");
  const std::string path = work.path() + "/result.sqlite", bad = work.path() + "/bad.sqlite";
  {
    const Database database = Database::create(path, evaluator, {});
    CHECK_THAT(refusal([&] { const Database second(path, Database::Access::read); }),
               Catch::Contains("another process works on it"));
    database.check(evaluator);
    Space other = evaluator.space();
    other.text += " ";
    CHECK_THAT(refusal([&] { database.check(Evaluator(other, "/nonexistent")); }),
               Catch::Contains("is of another space (random)"));
    Network changed = load_network(networks.files[0]);
    changed.layers[0].code = Code::huffman;
    changed.layers[0].deltas.assign(changed.layers[0].deltas.size(), 0);
    save_network(changed, networks.files[0]);
    CHECK_THAT(refusal([&] { database.check(Evaluator(evaluator.space(), "/nonexistent")); }),
               Catch::Contains("have changed since it was begun"));
  }
  CHECK_THAT(refusal([&] { const Database none(bad, Database::Access::write); }),
             Catch::Contains("cannot be read"));
  write_file(bad, "");
  CHECK_THAT(refusal([&] { const Database none(bad, Database::Access::write); }),
             Catch::Contains("is no SQLite file"));
  write_file(bad, read_file(path).substr(0, 5000));
  CHECK_THAT(refusal([&] { const Database none(bad, Database::Access::write); }),
             Catch::Contains("bad.sqlite: "));
  sqlite3* handle = nullptr;
  std::filesystem::remove(bad);
  sqlite3_open(bad.c_str(), &handle);
  sqlite3_exec(handle, "create table space(key text, value text)", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  CHECK_THAT(refusal([&] { const Database none(bad, Database::Access::write); }),
             Catch::Contains("is no result of `deltatwin explore`"));
  for (const char* shard : {"", "1", "0/2", "3/2", "1/2x", "a/b", "-1/2", "+1/2", " 1/2", "1/ 2", "1/2 ",
                            "0x1/2", "1/99999999999", "99999999999/2", "1/2/3", "/2", "1/"})
    CHECK_THAT(refusal([&] { (void)parse_shard(shard); }), Catch::Contains("for example 2/8"));
}

TEST_CASE("explore: a result that holds what is none of its space's is refused, not waited for") {
  const Networks networks;
  const Evaluator evaluator(networks.space(large), "/nonexistent");
  const TemporaryDirectory work("deltatwin-explore");
  const std::string whole = work.path() + "/whole.sqlite", shard = work.path() + "/shard.sqlite";
  (void)Database::create(whole, evaluator, {});
  (void)Database::create(shard, evaluator, {2, 3});
  const auto check = [&](const std::string& path) {
    return refusal([&] { Database(path, Database::Access::read).check(evaluator); });
  };
  CHECK(check(whole) == "accepted");
  CHECK(check(shard) == "accepted");
  const std::string row = ", 4096, 0, 0, 0, 0, 0, 0, 0, 0)";
  const std::pair<std::string, std::string> cases[] = {
      {whole, "insert into chunks values(999999" + row},
      {whole, "insert into chunks values(-1" + row},
      {whole, "insert into chunks values(0, 1, 1, 0, 0, 0, 0, 0, 0, 0)"},
      {shard, "insert into chunks values(0" + row}, // of another shard
      {whole, "insert into front values(99999999999)"},
      {whole, "insert into points(id) values(-5)"},
      {whole, "insert into confirmed(point) values(99999999999)"},
  };
  for (const auto& [path, sql] : cases) {
    CAPTURE(sql);
    ask(path, sql);
    CHECK_THAT(check(path), Catch::Contains(path + ": ") && Catch::Contains("--overwrite begins anew"));
    ask(path, "delete from chunks; delete from front; delete from points; delete from confirmed");
    CHECK(check(path) == "accepted");
  }
  ask(shard, "insert into chunks values(1" + row);
  CHECK(check(shard) == "accepted");
}

TEST_CASE("explore: a point of a space has room for the axes of every top") {
  for (const TopFamily* family : families()) {
    CAPTURE(family->name());
    CHECK(family->axes().size() <= Coordinates::most_axes);
  }
}
