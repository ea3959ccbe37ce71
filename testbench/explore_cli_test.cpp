// `deltatwin explore` and `merge`, as a user runs them.
#include "desk.h"
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

using namespace deltatwin;
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

const std::string space = R"({"format": "deltatwin-space-1", "networks": ["small", "tiny"],
  "devices": ["xc7s6", "xc7s15"], "lanes": {"from": 1, "to": 20}, "clock_mhz": [50, 100],
  "optimize": ["throughput", "share", "accuracy"]})";

const std::string large_space = R"({"format": "deltatwin-space-1", "networks": ["small", "tiny"],
  "devices": ["xc7s15"], "lanes": {"from": 1, "to": 128}, "clock_mhz": {"from": 1, "to": 3000},
  "optimize": ["throughput", "share"]})";

const std::string one_design = R"({"format": "deltatwin-space-1", "networks": "small", "devices": "xc7s15",
  "lanes": 4, "multipliers": "dsp", "optimize": "throughput"})";

// Whether an exploration has begun to fill its database, which is locked as long as it runs: what is
// committed goes to the journal beside it first.
bool has_results(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path + "-wal", error);
  return !error && size > 0;
}

// The rows of a CSV file without quotes, by the head's names.
std::vector<std::map<std::string, std::string>> csv(const Desk& desk, const std::string& name) {
  std::istringstream lines(read_file(desk.path(name)));
  const auto cells = [](const std::string& line) {
    std::vector<std::string> all;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');)
      all.push_back(cell);
    return all;
  };
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> head = cells(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = cells(line);
    REQUIRE(row.size() == head.size());
    auto& named = rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i)
      named[head[i]] = row[i];
  }
  return rows;
}

} // namespace

TEST_CASE("command line: explore's designs are what simulate makes of their command lines") {
  const Desk desk;
  desk.write("space.json", space);
  const Outcome outcome = desk.run(words("explore space.json --dataset data --out results/mine --threads 2"));
  CAPTURE(outcome.err, outcome.out);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("space: 640 points") && Catch::Contains("on the front") &&
                              Catch::Contains("best by throughput: deltatwin simulate --network "));
  CHECK_THAT(outcome.err, Catch::Contains("640 points in ") && Catch::Contains(" a second"));
  CHECK(fs::exists(desk.path("results/mine.sqlite")));
  CHECK_THAT(read_file(desk.path("results/mine.html")), Catch::Contains("deltatwin simulate --network "));
  const auto rows = csv(desk, "results/mine.csv");
  REQUIRE(rows.size() > 1);
  for (const auto& row : {rows.front(), rows[rows.size() / 2], rows.back()}) {
    Words command = words(row.at("command"));
    CAPTURE(row.at("command"));
    command.erase(command.begin());
    CHECK_THAT(row.at("command"), Catch::Contains("--dataset " + desk.path("data")));
    for (const char* word : {"--json", "result.json"})
      command.emplace_back(word);
    REQUIRE(desk.run(command).code == 0);
    const json::value result = desk.json_file("result.json");
    CHECK(result.at("cycles_per_inference").to_number<double>() == std::stod(row.at("cycles")));
    CHECK(result.at("latency_cycles").to_number<double>() / std::stod(row.at("clock_mhz")) ==
          Approx(std::stod(row.at("latency_us"))));
    CHECK(result.at("macs_per_second").to_number<double>() == Approx(std::stod(row.at("throughput"))));
    CHECK(result.at("accuracy").to_number<double>() == Approx(std::stod(row.at("accuracy"))));
    CHECK(result.at("resources").at("bram36").at("used") == std::stoi(row.at("bram36")));
    CHECK(result.at("resources").at("dsp").at("used") == std::stoi(row.at("dsp")));
  }
  const Outcome nothing = desk.run(words("explore none.json --dataset data"));
  CHECK(nothing.code == 2);
  desk.write("narrow-space.json", R"({"format": "deltatwin-space-1", "networks": "small", "devices": "xc7s6",
    "lanes": 64, "multipliers": "dsp", "optimize": "latency"})");
  const Outcome unfit = desk.run(words("explore narrow-space.json --dataset data --out unfit"));
  CHECK(unfit.code == 3);
  CHECK_THAT(unfit.out, Catch::Contains("1 point, 0 feasible, 1 does not fit (1 DSP48E1); 0 on the front"));
}

TEST_CASE("command line: explore has a front for each device, and tells what it leaves out") {
  const Desk desk;
  for (const char* directory : {"spaces", "elsewhere"})
    fs::create_directory(desk.path(directory));
  desk.write("tiny-board.json",
             R"({"name": "tiny_board", "description": "", "lut": 10, "ff": 10, "dsp": 0, "bram36": 0})");
  desk.write("spaces/space.json", R"({"format": "deltatwin-space-1", "networks": ["../small.json", "tiny"],
    "devices": ["../tiny-board.json", "xc7s6", "xc7s15", "xc7z020"], "lanes": {"from": 1, "to": 20},
    "codes": ["raw", "huffman"], "clock_mhz": [6.25, 12.5], "optimize": ["throughput", "share", "bits_a_weight"]})");
  const Outcome outcome = desk.run(words("explore spaces/space.json --dataset data --out rep --json -"));
  CAPTURE(outcome.err, outcome.out);
  REQUIRE(outcome.code == 0);
  const json::value result = json::parse(outcome.out);
  CHECK(result.at("format") == "deltatwin-explore-1");
  CHECK_THAT(outcome.err, Catch::Contains("tiny_board: no design is feasible") &&
                              Catch::Contains(" do not fit (") && Catch::Contains(" LUT, ") &&
                              Catch::Contains("MHz 12.5"));
  std::map<std::string, std::size_t> rows;
  for (const auto& row : csv(desk, "rep.csv"))
    ++rows[row.at("device")];
  CHECK(rows.size() == 3);
  for (const auto& [device, count] : rows) {
    const std::string head = "\n" + device + ": " + std::to_string(count) + " designs on its front\n";
    CHECK_THAT(outcome.err, Catch::Contains(head));
    if (count > 4)
      CHECK_THAT(outcome.err, Catch::Contains("  and " + std::to_string(count - 4) + " more in rep.csv"));
  }
  std::istringstream lines(outcome.err);
  for (std::string line; std::getline(lines, line);)
    if (line.find("deltatwin simulate") == std::string::npos) // to be copied
      CHECK(line.size() <= 100);
  for (const char* column : {"code", "lanes", "a bank", "depth", "multiplier", "M MAC/s", "LUT", "fits"})
    CHECK_THAT(outcome.err, Catch::Contains(column));
  // Shards are merged from wherever.
  for (const char* shard : {"1/2", "2/2"})
    REQUIRE(
        desk.run(words("explore spaces/space.json --dataset data --out part --shard " + std::string(shard)))
            .code == 0);
  const Outcome merged = desk.run(words("merge --dataset data --out elsewhere/all part.shard-1-of-2.sqlite "
                                        "part.shard-2-of-2.sqlite"));
  CAPTURE(merged.err);
  REQUIRE(merged.code == 0);
  CHECK(read_file(desk.path("elsewhere/all.csv")) == read_file(desk.path("rep.csv")));
}

TEST_CASE("command line: explore replaces nothing without --overwrite but the result that it resumes") {
  const Desk desk;
  desk.write("space.json", one_design);
  const std::string explore = "explore space.json --dataset data --out rep";
  for (const char* suffix : {"csv", "html"}) {
    const std::string name = "rep." + std::string(suffix);
    desk.write(name, "mine");
    require_refused(desk, {explore, name + ": is there already; --overwrite replaces it"});
    require_refused(desk, {explore + " --resume", name + ": is there already; --overwrite replaces it"});
    fs::remove(desk.path(name));
  }
  REQUIRE(desk.run(words(explore)).code == 0);
  const std::string csv_text = read_file(desk.path("rep.csv"));
  REQUIRE(desk.run(words(explore + " --resume")).code == 0);
  desk.write("rep.csv", "mine");
  require_refused(
      desk, {explore + " --resume", "rep.csv: is no result of `deltatwin explore`; --overwrite replaces it"});
  REQUIRE(desk.run(words(explore + " --overwrite")).code == 0);
  CHECK(read_file(desk.path("rep.csv")) == csv_text);
}

TEST_CASE("command line: wrong words to explore and merge are refused in one line") {
  const Desk desk;
  desk.write("space.json", space);
  desk.write("space-without-accuracy.json", one_design);
  desk.write("unknown.json", R"({"format": "deltatwin-space-1", "networks": "none", "devices": "xc7s6",
    "lanes": 4, "optimize": "share"})");
  desk.write("device.json", R"({"format": "deltatwin-space-1", "networks": "small", "devices": "xc7s7",
    "lanes": 4, "optimize": "share"})");
  desk.write("narrow_input.json", R"({"format": "deltatwin-space-1", "networks": "narrow", "devices": "xc7s6",
    "lanes": 4, "optimize": "accuracy"})");
  const std::string explore = "explore space.json --dataset data ";
  for (const BadInput& bad : {
           BadInput{"explore", "space is required"},
           BadInput{"explore none.json", "none.json: cannot be read"},
           BadInput{"explore cut.json --dataset data", "cut.json: line "},
           BadInput{"explore unknown.json --dataset data", "no network \"none\""},
           BadInput{"explore device.json --dataset data", "xc7s7"},
           BadInput{"explore narrow_input.json --dataset data",
                    "network narrow has 100 inputs, the test images have 784 pixels"},
           BadInput{"explore space.json --dataset cut-data", "cut-data"},
           BadInput{explore + "--threads 0", "--threads"},
           BadInput{explore + "--confirm -1", "--confirm"},
           BadInput{explore + "--shard 3/2", "shard \"3/2\" is not i/n"},
           BadInput{explore + "--shard 1/2 --confirm 1", "--confirm is for a whole space"},
           BadInput{explore + "--shard 1/2 --slurm 2", "--slurm"},
           BadInput{explore + "--resume --overwrite", "--overwrite"},
           BadInput{explore + "--out tiny.json/result", "cannot be"},
           BadInput{explore + "--out results/", "--out results/ is a directory"},
           BadInput{"explore space-without-accuracy.json --confirm 1 --out a", "TMPDIR names",
                    "TMPDIR=/nonexistent"},
           BadInput{"explore space-without-accuracy.json --confirm 1 --out a", "is not installed",
                    "PATH=/nonexistent"},
           BadInput{explore + "--threads 0x2", "--threads"},
           BadInput{explore + "--shard +1/2", "shard \"+1/2\" is not i/n"},
           BadInput{"merge", "shards is required"},
           BadInput{"merge none.sqlite", "none.sqlite: cannot be read"},
           BadInput{"merge tiny.json", "tiny.json: is no SQLite file"},
           BadInput{"merge empty.json", "empty.json: is no SQLite file"},
       })
    require_refused(desk, bad);
  REQUIRE(desk.run(words(explore + "--out a")).code == 0);
  REQUIRE(desk.run(words(explore + "--out a --shard 2/3")).code == 0);
  const std::string shard = "a.shard-2-of-3.sqlite";
  for (const BadInput& bad : {
           BadInput{explore + "--out a", "a.sqlite: is there already; --resume goes on"},
           BadInput{explore + "--out a --shard 2/3", shard + ": is there already"},
           BadInput{"explore unknown.json --out a --resume --dataset data", "no network \"none\""},
           BadInput{"merge --dataset data --out a " + shard, "a.sqlite: is there already"},
           BadInput{"merge --dataset data --out b " + shard, "shard 1/3 is missing"},
           BadInput{explore + "--out a --slurm 3", shard + ": is there already; --resume goes on"},
       })
    require_refused(desk, bad);
}

TEST_CASE("command line: explore keeps what is done on Ctrl-C, and resumes") {
  const Desk desk;
  desk.write("space.json", large_space);
  const Words explore = words("explore space.json --dataset data --out a --threads 1");
  boost::process::child child = desk.start(explore);
  while (!has_results(desk.path("a.sqlite"))) {
    REQUIRE(child.running());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(kill(child.id(), SIGINT) == 0);
  child.wait();
  CHECK(child.exit_code() == 130);
  CHECK(fs::exists(desk.path("a.html")));
  CHECK_FALSE(fs::exists(desk.path("a.sqlite-wal")));
  const std::string partial = read_file(desk.path("a.sqlite"));
  CHECK_THAT(read_file(desk.path("a.html")), Catch::Contains("\"evaluated\":"));
  const Outcome resumed = desk.run(words("explore space.json --dataset data --out a --resume"));
  CAPTURE(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK_THAT(resumed.out, Catch::Contains("space: 3,072,000 points, ") && !Catch::Contains("stopped"));
  CHECK(read_file(desk.path("a.sqlite")).size() > partial.size());
  const Outcome again = desk.run(words("explore space.json --dataset data --out a --resume"));
  CHECK(again.code == 0);
  CHECK_THAT(again.err, Catch::StartsWith("0 points in "));
  CHECK(again.out == resumed.out);
}

TEST_CASE("command line: shards make what a single run makes, also by Slurm with a task that fails") {
  const Desk desk;
  desk.write("space.json", R"({"format": "deltatwin-space-1", "networks": ["small", "tiny"],
    "devices": ["xc7s6", "xc7s15"], "lanes": {"from": 1, "to": 64}, "clock_mhz": {"from": 1, "to": 20},
    "optimize": ["throughput", "share"]})");
  const std::string explore = "explore space.json --dataset data ";
  const Outcome whole = desk.run(words(explore + "--out whole"));
  REQUIRE(whole.code == 0);
  const auto same = [&](const std::string& name) {
    CHECK(read_file(desk.path(name + ".csv")) == read_file(desk.path("whole.csv")));
    CHECK(read_file(desk.path(name + ".html")) == read_file(desk.path("whole.html")));
  };
  for (const char* shard : {"3/3", "1/3", "2/3", "1/3"})
    REQUIRE(desk.run(words(explore + "--out parts --resume --shard " + shard)).code == 0);
  const Outcome merged = desk.run(words("merge --dataset data --out merged parts.shard-1-of-3.sqlite "
                                        "parts.shard-2-of-3.sqlite parts.shard-3-of-3.sqlite"));
  CAPTURE(merged.err);
  REQUIRE(merged.code == 0);
  same("merged");

  // A Slurm that runs each task where it is submitted, and loses task 2 the first time.
  fs::create_directory(desk.path("bin"));
  const auto script = [&](const std::string& name, const std::string& text) {
    desk.write("bin/" + name, "#!/bin/bash\n" + text);
    fs::permissions(desk.path("bin/" + name), fs::perms::owner_all);
  };
  script("sbatch", R"(set -e
for word; do case $word in --array=*) tasks=${word#--array=};; esac; done
echo "$tasks" >> submitted
for SLURM_ARRAY_TASK_ID in ${tasks//,/ }; do
  [ $SLURM_ARRAY_TASK_ID = 2 ] && [ ! -e lost ] && touch lost && continue
  export SLURM_ARRAY_TASK_ID
  bash -c "${@: -1}" > /dev/null 2>&1
done
echo "77;cluster")");
  script("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1\n");
  const std::string path = "PATH=" + desk.path("bin") + ":" + std::getenv("PATH");
  const Outcome slurm = desk.run(words(explore + "--out slurm --slurm 3"), path);
  CAPTURE(slurm.err);
  REQUIRE(slurm.code == 0);
  CHECK(read_file(desk.path("submitted")) == "1,2,3\n2\n");
  same("slurm");
  desk.write("space.json", space); // another one: nothing of the old shards may be taken for it
  const Outcome other = desk.run(words(explore + "--out slurm --slurm 3 --resume"), path);
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Catch::Contains("slurm.shard-1-of-3.sqlite: is of another space"));
  script("sbatch", "echo 'sbatch: warning: slow'; echo 78\n"); // nothing ever runs
  const Outcome dead = desk.run(words(explore + "--out dead --slurm 2"), path);
  CHECK(dead.code == 2);
  CHECK_THAT(dead.err,
             Catch::Contains("shards 1, 2 are not complete after 3 rounds; see dead.shard-%a-of-2.log"));
  const Outcome none = desk.run(words(explore + "--out none --slurm 2"), "PATH=/nonexistent");
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Catch::Contains("\"sbatch\" is not installed (Debian package slurm-client)"));
}

TEST_CASE("command line: explore --confirm holds cycles and area against RTL and synthesis") {
  const Desk desk;
  desk.write("space.json", one_design);
  const std::string explore = "explore space.json --confirm 2 --overwrite --out a --dataset ";
  const Outcome outcome = desk.run(words(explore + "none")); // on images that are made up
  CAPTURE(outcome.err, outcome.out);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.err, Catch::Contains("confirming 1 of 1"));
  CHECK_THAT(outcome.out, Catch::Contains("best, design 0: --network ") && Catch::Contains(" --lanes 4 ") &&
                              Catch::Contains("--images random:3\n") && Catch::Contains(": equal\n"));
  CHECK_THAT(read_file(desk.path("a.html")), Catch::Contains("\"cycles_rtl\":"));

  const BrokenRtl broken;
  const Outcome diverged = desk.run(words(explore + "data"), "DELTATWIN_RTL=" + broken.path());
  CAPTURE(diverged.err, diverged.out);
  CHECK(diverged.code == 1);
  CHECK_THAT(diverged.out, Catch::Contains("DIVERGENT"));
  CHECK_THAT(diverged.err, Catch::Contains("the model's cycles are not those of the RTL"));
}
