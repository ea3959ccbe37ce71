// The commands that serve every top, on every top of the registry.
#include "desk.h"
#include "tops/registry.h"
#include <map>

using namespace deltatwin;
namespace json = boost::json;

namespace {

// A small design of each top; a top that is added says its own here.
struct Small {
  std::string options, work;
};
const std::map<std::string, Small> small = {
    {"accelerator", {"-n tiny --lanes 4", " --images random:2"}},
    {"codec", {"--alphabet 5 --depth 40", " --blocks random:4"}},
    {"edqa", {"--bits 2 --extra 1 --depth 20", " --channels random:4"}},
    {"noisyquant", {"--width 5 --multipliers 2", " --channels random:3"}},
};
const std::map<std::string, std::string> spaces = {
    {"accelerator", R"("networks": "tiny", "lanes": [2, 4], "multipliers": "lut")"},
    {"codec", R"("alphabet": [2, {"from": 8, "to": 12, "step": 4}], "code_limit": 8, "depth": [16, 300])"},
    {"edqa", R"("bits": [2, 3], "extra": 1, "mode": ["paper", "static", "whole"], "depth": 30)"},
    {"noisyquant", R"("width": [4, 7], "multipliers": [1, "fit"], "mode": ["online", "offline"])"},
};

json::object run(const Desk& desk, const std::string& command) {
  const Outcome outcome = desk.run(words(command + " --json -"));
  CAPTURE(command, outcome.err);
  REQUIRE(outcome.code == 0);
  return json::parse(outcome.out).as_object();
}

} // namespace

TEST_CASE("command line: cosim, trace, synth and bench serve every top") {
  const Desk desk;
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

    const json::object speed = run(desk, "bench --repeats 1" + options + design.work);
    CHECK(speed.at("speedup_over_rtl").to_number<double>() > 0);
  }
}

TEST_CASE("command line: explore and --confirm serve every top") {
  const Desk desk;
  for (const TopFamily* family : families()) {
    CAPTURE(family->name());
    desk.write("space.json", R"({"format": "deltatwin-space-1", "top": ")" + family->name() + "\", " +
                                 spaces.at(family->name()) +
                                 R"(, "devices": "xc7s15", "optimize": ["throughput", "latency"]})");
    const Outcome outcome =
        desk.run(words("explore space.json --confirm 1 --overwrite --out a --dataset none"));
    CAPTURE(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.out, Catch::Contains(": equal\n"));
  }
}
