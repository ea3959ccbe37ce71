// The real program (DELTATWIN_BINARY), as a user runs it: files in, exit code, text and files out.
#include "desk.h"
#include "net/inference.h"
#include "variable.h"

using namespace deltatwin;
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

Words subcommands(const std::string& help) {
  Words names;
  std::istringstream lines(help.substr(help.find("Subcommands:")));
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line) && !line.empty();)
    if (line.size() > 2 && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

} // namespace

TEST_CASE("command line: help tells every command with an example") {
  const Desk desk;
  const Outcome help = desk.run({"--help"});
  REQUIRE(help.exited);
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  CHECK_THAT(help.out, Catch::Contains("Start with: deltatwin simulate"));
  const Words commands = subcommands(help.out);
  for (const char* command : {"simulate", "cosim", "trace", "synth", "explore", "merge", "bench", "train",
                              "activations", "convert", "networks", "devices"})
    CHECK(std::count(commands.begin(), commands.end(), command) == 1);
  for (const std::string& command : commands) {
    CAPTURE(command);
    const Outcome outcome = desk.run({command, "--help"});
    REQUIRE(outcome.exited);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    if (outcome.out.find("not in this build") != std::string::npos)
      continue;
    CHECK_THAT(outcome.out, Catch::Contains("Example"));
    CHECK_THAT(outcome.out, Catch::Contains("  deltatwin " + command));
  }
}

TEST_CASE("command line: a wrong network is refused in one line") {
  const Desk desk;
  const std::string simulate = "simulate --dataset data --network ";
  for (const BadInput& bad : {
           BadInput{simulate + "./missing.json", "./missing.json: cannot be read: No such file or directory"},
           BadInput{simulate + "missing", "no network \"missing\""},
           BadInput{simulate + desk.path(""), "is a directory, expected a file"},
           BadInput{simulate + "cut.json", "cut.json: line "},
           BadInput{simulate + "wrong.json", "wrong.json: layers[0].inputs: 0 is outside 1..4096"},
           BadInput{simulate + "empty.json", "empty.json: "},
           BadInput{simulate + "/dev/zero", "/dev/zero: is a device, expected a file"},
           BadInput{simulate + "narrow",
                    "narrow has 100 inputs, the images of data have 784 pixels; --images random:100 makes "
                    "some up, a --dataset of narrow's own holds t10k-images-idx3-ubyte and "
                    "t10k-labels-idx1-ubyte (or "
                    ".gz) with 100 pixels an image"},
           BadInput{"cosim --dataset data -n cut.json", "cut.json: line "},
           BadInput{"trace --dataset data -n narrow", "narrow has 100 inputs"},
           BadInput{"bench --dataset data -n wrong.json", "layers[0].inputs"},
           BadInput{"networks", "/nonexistent: No such file or directory", "DELTATWIN_NETWORKS=/nonexistent"},
       })
    require_refused(desk, bad);
}

TEST_CASE("command line: a wrong data set is refused in one line") {
  const Desk desk;
  for (const BadInput& bad : {
           BadInput{"simulate -n small --dataset missing", "missing/t10k-images-idx3-ubyte.gz: no such file"},
           BadInput{"simulate -n small --dataset cut-data", "t10k-images-idx3-ubyte: is truncated"},
           BadInput{"simulate -n small --dataset small.json", "no such file"},
           BadInput{"cosim -n small --dataset cut-data", "is truncated"},
           BadInput{"simulate -n small --dataset data --images 4",
                    "--images asks for 4, the test set of data has 3"},
           BadInput{"simulate -n small --dataset data --images 10000001", "--images"},
           BadInput{"simulate -n small --dataset data --images -1", "--images"},
           BadInput{"simulate -n small --dataset data --images many", "--images"},
           BadInput{"cosim -n small --dataset data --images 0", "--images is 0, expected at least 1"},
           BadInput{"simulate -n small --dataset data --images random", "possible are 0..10000000, random:N"},
           BadInput{"simulate -n small --dataset data --images random:", "is no number of images"},
           BadInput{"simulate -n small --dataset data --images random:0", "is no number of images"},
           BadInput{"simulate -n small --dataset data --images random:0x3", "is no number of images"},
           BadInput{"simulate -n small --dataset data --images random:3:", "\"\" is no seed"},
           BadInput{"simulate -n small --dataset data --images random:3:-1", "\"-1\" is no seed"},
           BadInput{"simulate -n small --images random:10000000", "are too many: of 784 pixels each, 342392"},
           BadInput{"cosim --top none",
                    "unknown top \"none\"; known are accelerator, array, codec, edqa, noisyquant"},
           BadInput{"synth --top=none -n small",
                    "unknown top \"none\"; known are accelerator, array, codec, edqa, noisyquant"},
           BadInput{"cosim -n small --images random:0", "is no number of images"},
           BadInput{"trace -n small --dataset data --image 3", "--image is 3, there are images 0 to 2"},
           BadInput{"trace -n small --images random:2 --image 2", "--image is 2, there are images 0 to 1"},
           BadInput{"bench -n small --dataset data --rtl-images 4",
                    "--rtl-images is 4, but there are 3 images"},
       })
    require_refused(desk, bad);
}

TEST_CASE("command line: an impossible design is refused in one line") {
  const Desk desk;
  const std::string simulate = "simulate -n small --dataset data ";
  for (const BadInput& bad : {
           BadInput{simulate + "--device xc7s16", "unknown device \"xc7s16\"; known are xc7s6, xc7s15"},
           BadInput{simulate + "--device ./none.json", "./none.json: cannot be read"},
           BadInput{simulate + "--device bad-boards/no-dsp.json", "no-dsp.json: \"dsp\" is missing"},
           BadInput{simulate + "--device bad-boards/half-dsp.json",
                    "half-dsp.json: dsp: expected an integer"},
           BadInput{simulate + "--device bad-boards/two-dsp.json", "two-dsp.json: unknown field \"dsps\""},
           BadInput{simulate + "--device empty.json", "empty.json: "},
           BadInput{simulate + "--device bad-boards/formula.json", "formula.json: name: "},
           BadInput{"synth -n small --device cut.json", "cut.json: line "},
           BadInput{simulate + "--device my_board", "lut.json: line 1, column 36: the key \"lut\" stands",
                    "DELTATWIN_DEVICES=" + desk.path("twice")},
           BadInput{"devices", "/nonexistent: No such file or directory", "DELTATWIN_DEVICES=/nonexistent"},
           BadInput{simulate + "--lanes 0", "lanes is 0, possible are 1..255"},
           BadInput{simulate + "--lanes 00", "lanes is 0, possible are 1..255"},
           BadInput{simulate + "--lanes 256", "lanes is 256, possible are 1..255"},
           BadInput{simulate + "--lanes -16", "lanes is -16, possible are 1..255"},
           BadInput{simulate + "--lanes 2147483647", "lanes is 2147483647, possible are 1..255"},
           BadInput{simulate + "--lanes 4294967297", "--lanes"},
           BadInput{simulate + "--lanes 1.5", "--lanes"},
           BadInput{simulate + "--lanes-per-bank 10", "lanes per bank is 10, possible are 1..9"},
           BadInput{simulate + "--lanes-per-bank 0", "lanes per bank is 0, expected at least 1"},
           BadInput{simulate + "--bank-depth 783", "needs 784 words of each weight bank, the design has 783"},
           BadInput{simulate + "--bank-depth 0", "bank depth is 0, possible are 2..1048576"},
           BadInput{simulate + "--bank-depth 1048577", "bank depth is 1048577, possible are 2..1048576"},
           BadInput{simulate + "--multiplier dps",
                    "unknown multiplier \"dps\"; known are lut, dsp, dsp_packed"},
           BadInput{simulate + "--clock 0", "clock is 0"},
           BadInput{simulate + "--clock 0.0", "clock is 0"},
           BadInput{simulate + "--clock -5", "clock is -5"},
           BadInput{simulate + "--clock nan", "--clock: \"nan\" is no decimal number"},
           BadInput{simulate + "--clock fast", "--clock"},
           BadInput{simulate + "--code zip", "unknown code \"zip\"; known are raw, huffman, huffman_pairs"},
           BadInput{simulate + "--code huffman --lanes-per-bank 5",
                    "lanes per bank, with Huffman decoders, is 5, possible are 1..4"},
           BadInput{simulate + "--code huffman --lanes-per-bank -1",
                    "lanes per bank, with Huffman decoders, is -1, possible are 1..4"},
           BadInput{simulate + "--code huffman --bank-depth 20",
                    "overflows weight bank 0 in layer 0: it needs "},
           BadInput{simulate + "--preset paper", "unknown preset \"paper\"; known is paper_s15"},
           BadInput{"cosim -n small --dataset data --lanes 256", "lanes is 256"},
           BadInput{"bench -n small --dataset data --clock 0", "clock is 0"},
       })
    require_refused(desk, bad);
}

TEST_CASE("command line: wrong words, stalls and places are refused in one line") {
  const Desk desk;
  const std::string cosim = "cosim -n tiny --dataset data --images 1 ";
  for (const BadInput& bad : {
           BadInput{"", "A subcommand is required"},
           BadInput{"simulat", "unknown command \"simulat\""},
           BadInput{"--version", "unknown command \"--version\""},
           BadInput{"simulat --lanes 4", "unknown command \"simulat\""},
           BadInput{"simulate --lane 4", "simulate: unknown option --lane; did you mean --lanes?"},
           BadInput{"simulate --lane=4", "unknown option --lane=4; did you mean --lanes?"},
           BadInput{"cosim --stal 0.1 --lanes 4", "unknown option --stal; did you mean --stall?"},
           BadInput{"simulate --quiet", "simulate: unknown option --quiet (deltatwin simulate --help"},
           BadInput{"simulate small", "simulate: \"small\" is unexpected"},
           BadInput{"cosin --lanes 4", "unknown command \"cosin\"; did you mean cosim?"},
           BadInput{"simulate --network", "--network"},
           BadInput{"devices --lanes 3", "--lanes"},
           BadInput{"devices --json missing/x.json", "missing/x.json: cannot be written"},
           BadInput{cosim + "--stall 1", "--stall"},
           BadInput{cosim + "--stall -0.1", "--stall"},
           BadInput{cosim + "--stall nan", "--stall"},
           BadInput{cosim + "--stall often", "--stall"},
           BadInput{cosim + "--seed x", "--seed"},
           BadInput{"simulate -n small --dataset data --json missing/x.json",
                    "missing/x.json: cannot be written: No such file or directory"},
           BadInput{"simulate -n small --dataset data --json data",
                    "data: cannot be written: it is a directory"},
           BadInput{cosim + "--json missing/x.json", "missing/x.json: cannot be written"},
           BadInput{"trace -n tiny --dataset data -o tiny.json", "cannot be written"},
           BadInput{cosim, "/nonexistent: holds no .sv file", "DELTATWIN_RTL=/nonexistent"},
           BadInput{"bench -n tiny --dataset data --rtl-images 1", "/nonexistent: holds no .sv file",
                    "DELTATWIN_RTL=/nonexistent"},
           BadInput{"trace -n tiny --dataset data -o .", "/nonexistent: holds no .sv file",
                    "DELTATWIN_RTL=/nonexistent"},
       })
    require_refused(desk, bad);
}

TEST_CASE("command line: numbers are decimal, whatever option takes them") {
  const Desk desk;
  const std::string simulate = "simulate -n small --dataset data ";
  for (const char* number :
       {"0x10", "+5", "1e1", "0b1", "5.", "5x", "--5", "-", "1_0", "1,0", "0x", "99999999999"}) {
    require_refused(desk, {simulate + "--lanes=" + number, "--lanes"});
    require_refused(desk, {simulate + "--images=" + number, "--images"});
    require_refused(
        desk,
        {"cosim -n tiny --dataset data --images 1 --seed=" + std::string(number) + "99999999999", "--seed"});
  }
  for (const char* number : {"0x10", "+5", "nan", "inf", "1e999", "1e", "5x", "-"}) {
    require_refused(desk, {simulate + "--clock=" + number, "--clock"});
    require_refused(desk, {"cosim -n tiny --dataset data --stall=" + std::string(number), "--stall"});
  }
  for (const char* blank : {"", " ", " 5", "5 "}) {
    const Outcome outcome = desk.run({"simulate", "-n", "small", "--dataset", "data", "--lanes", blank});
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains("is no whole decimal number"));
  }
  REQUIRE(desk.run(words(simulate + "--lanes 010 --images 0002 --clock 012.50 --json result.json")).code ==
          0);
  const json::value result = desk.json_file("result.json");
  CHECK(result.at("lanes") == 10);
  CHECK(result.at("images") == 2);
  CHECK(result.at("clock_mhz") == 12.5);
}

TEST_CASE("command line: an empty value is refused, whatever option it is for") {
  const Desk desk;
  const auto before = desk.everything();
  const std::pair<const char*, const char*> options[] = {
      {"simulate", "--network"}, {"simulate", "--device"}, {"simulate", "--dataset"},
      {"simulate", "--json"},    {"simulate", "--code"},   {"simulate", "--images"},
      {"simulate", "--clock"},   {"simulate", "--preset"}, {"cosim", "--waves"},
      {"cosim", "--seed"},       {"trace", "--output"},    {"trace", "--image"},
      {"explore", "--out"},      {"explore", "--shard"},   {"explore", "--threads"},
      {"merge", "--out"},        {"devices", "--json"},    {"bench", "--multiplier"},
      {"synth", "--lanes"}};
  for (const auto& [command, option] : options) {
    const Outcome outcome = desk.run({command, option, ""});
    CAPTURE(command, option, outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(option));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(desk.everything() == before);
}

TEST_CASE("command line: a network without a data set is run on images made up by a seed") {
  const Desk desk;
  const std::string narrow = "-n narrow --dataset none --lanes 4 --json result.json --images random:";
  const auto run = [&](const std::string& command) {
    const Outcome outcome = desk.run(words(command));
    CAPTURE(command, outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome.out;
  };
  CHECK_THAT(run("simulate " + narrow + "3"),
             Catch::Contains("not known: images that are made up have no labels") &&
                 Catch::Contains("for 3 images made up with seed 1"));
  const json::value simulated = desk.json_file("result.json");
  CHECK(simulated.at("accuracy").is_null());
  CHECK(simulated.at("images") == 3);
  CHECK(simulated.at("random_seed") == 1);
  CHECK(simulated.at("dataset").is_null());
  CHECK_THAT(run("cosim " + narrow + "3:77"),
             Catch::Contains("3 images made up with seed 77") && Catch::Contains("0 mismatches"));
  const json::value compared = desk.json_file("result.json");
  CHECK(compared.at("rtl_cycles") == simulated.at("run_cycles"));
  CHECK(compared.at("random_seed") == 77);
  run("trace " + narrow + "2 --image 1 -o waves");
  CHECK(fs::exists(desk.path("waves/narrow.vcd")));
}

TEST_CASE("command line: steady state, a lone inference and the run are three numbers, however many images") {
  const Desk desk;
  const auto simulated = [&](const std::string& images) {
    const Outcome outcome =
        desk.run(words("simulate -n small --lanes 8 --json result.json --images " + images));
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK_THAT(outcome.out, Catch::Contains(" in steady state"));
    return desk.json_file("result.json");
  };
  const json::value one = simulated("random:1"), twenty = simulated("random:20");
  for (const char* key : {"cycles_per_inference", "latency_cycles", "macs_per_second"})
    CHECK(one.at(key) == twenty.at(key));
  CHECK(one.at("measured_cycles_per_inference").is_null());
  CHECK(twenty.at("measured_cycles_per_inference") == one.at("cycles_per_inference"));
  const double interval = one.at("cycles_per_inference").to_number<double>(),
               alone = one.at("latency_cycles").to_number<double>();
  CHECK(alone > interval + 700); // 784 inputs come first
  CHECK(one.at("run_cycles").to_number<double>() == alone);
  CHECK(twenty.at("run_cycles").to_number<double>() == alone + 19 * interval);
}

TEST_CASE(
    "command line: a run that outlasts what SystemC can count is refused, a slow design prints fractions") {
  const Desk desk;
  const std::string slow = "simulate -n small --lanes 1 --multiplier serial --clock 0.001 --images random:";
  const Outcome few = desk.run(words(slow + "3"));
  CHECK(few.code == 0);
  CHECK_THAT(few.out, Catch::Contains("0.001 MHz") && Catch::Contains("0.0319 images/s") &&
                          !Catch::Contains(" 0 images/s"));
  require_refused(desk, {slow + "340000", "340,000 images at 0.001 MHz take "});
  for (const char* clock : {"1.5", "12.5", "0.125", "100", "3333.3"})
    CHECK_THAT(desk.run(words("simulate -n small --images random:1 --clock " + std::string(clock))).out,
               Catch::Contains(std::string(", ") + clock + " MHz"));
}

TEST_CASE("command line: fits, does not fit, and too close for the area model to tell") {
  const Desk desk;
  const auto simulated = [&](int lut, const std::string& rest) {
    desk.write("board.json", R"({"name": "board", "description": "mine", "ff": 20000, "lut": )" +
                                 std::to_string(lut) + rest);
    Outcome outcome =
        desk.run(words("simulate -n small --dataset data --lanes 8 --device board.json --json result.json"));
    return std::make_pair(outcome, desk.json_file("result.json"));
  };
  const std::string plenty = R"(, "dsp": 20, "bram36": 20})";
  const int lut =
      static_cast<int>(simulated(100000, plenty).second.at_pointer("/resources/lut/used").as_int64());
  for (const auto& [budget, code, text, answer] :
       {std::tuple(lut * 100 / 84, 0, "  fits board", json::value(true)),
        std::tuple(lut * 100 / 86, 0, "  too close to board's budget to tell", json::value()),
        std::tuple(lut, 0, "  too close to board's budget to tell", json::value()),
        std::tuple(lut * 100 / 114, 0, "  too close to board's budget to tell", json::value()),
        std::tuple(lut * 100 / 116, 3, "  DOES NOT FIT board", json::value(false))}) {
    const auto [outcome, result] = simulated(budget, plenty);
    CAPTURE(lut, budget, outcome.out);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.out, Catch::Contains(text));
    CHECK(result.at("fits") == answer);
  }
  // What is counted exactly decides at the last one; a budget of none has a share too.
  CHECK(simulated(100000, R"(, "dsp": 11, "bram36": 20})").second.at("fits") == true);
  CHECK(simulated(100000, R"(, "dsp": 10, "bram36": 20})").second.at("fits") == false);
  const auto [outcome, none] = simulated(100000, R"(, "dsp": 0, "bram36": 20})");
  CHECK(outcome.code == 3);
  CHECK(none.at_pointer("/resources/dsp/share").to_number<double>() == 12);
}

TEST_CASE("command line: every JSON has a format with a version, and may go to standard output alone") {
  const Desk desk;
  for (const char* broken : {"cut.json", "wrong.json", "empty.json"})
    fs::remove(desk.path(broken));
  for (const char* command :
       {"simulate -n small --dataset data --lanes 8", "cosim -n tiny --dataset data --lanes 4 --images 1",
        "trace -n tiny --dataset data --lanes 4 -o waves", "synth -n tiny --lanes 4",
        "bench -n tiny --dataset data --lanes 4 --rtl-images 2 --repeats 1", "networks", "devices"}) {
    const Words arguments = words(command);
    CAPTURE(command);
    Words to_stdout = arguments, to_file = arguments;
    for (const char* word : {"--json", "-"})
      to_stdout.emplace_back(word);
    for (const char* word : {"--json", "data/result.json"}) // not among the networks
      to_file.emplace_back(word);
    const Outcome outcome = desk.run(to_stdout);
    REQUIRE(outcome.code == 0);
    const json::value result = json::parse(outcome.out);
    CHECK(result.as_object().begin()->key() == "format");
    CHECK(result.at("format").as_string() == "deltatwin-" + arguments[0] + "-1");
    CHECK_THAT(outcome.err, Catch::Contains(arguments[0] == "devices"    ? "xc7s15"
                                            : arguments[0] == "simulate" ? "small"
                                                                         : "tiny"));
    REQUIRE(desk.run(to_file).code == 0);
    const json::value file = desk.json_file("data/result.json");
    CHECK(file.as_object().size() == result.as_object().size());
    CHECK(!fs::exists(desk.path("-")));
  }
}

TEST_CASE("command line: simulate writes every figure, and they agree with each other") {
  const Desk desk;
  const Outcome outcome =
      desk.run(words("simulate -n small --dataset data --lanes 8 --clock 50 --json result.json"));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exited);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK_THAT(outcome.out, Catch::Contains("fits xc7s15") && Catch::Contains("accuracy"));
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);)
    CHECK(line.size() <= 110);
  const json::value result = desk.json_file("result.json");
  const auto number = [&](const char* pointer) { return result.at_pointer(pointer).to_number<double>(); };
  CHECK(result.at("network") == "small");
  CHECK(result.at("device") == "xc7s15");
  CHECK(number("/lanes") == 8);
  CHECK(number("/clock_mhz") == 50);
  CHECK(number("/images") == Desk::images);
  CHECK(number("/accuracy") == accuracy(desk.network("small.json"), desk.inputs(), {1, 2, 3}));
  const double macs = 784 * 10, cycles = number("/cycles_per_inference");
  CHECK(cycles >= 2 * 784); // two tiles of eight neurons
  CHECK(cycles < 2 * 784 + 100);
  CHECK(number("/macs_per_inference") == macs);
  CHECK(number("/macs_per_second") == Approx(macs * 50e6 / cycles));
  CHECK(number("/mac_utilization") == Approx(macs / (cycles * 8)));
  CHECK(number("/storage/stored_bits") == macs * 4 + 10 * 8);
  CHECK(number("/storage/int8_bits") == macs * 8);
  CHECK(number("/storage/bits_per_weight") == 4);
  CHECK(number("/resources/bram36/used") > 0);
  CHECK(number("/resources/bram36/budget") == 10);
  CHECK(number("/resources/dsp/used") == 8 + 3);
  CHECK(number("/resources/dsp/budget") == 20);
  CHECK(number("/resources/lut/used") > 1000);
  CHECK(number("/resources/lut/budget") == 8000);
  CHECK(result.at_pointer("/resources/lut/estimate") == true);
  CHECK(number("/resources/ff/used") > 700);
  CHECK(number("/resources/ff/budget") == 16000);
  CHECK(result.at("fits") == true);
  CHECK(number("/wall_seconds") > 0);
}

TEST_CASE("command line: simulate tells what the Huffman code does to storage, banks and cycles") {
  const Desk desk;
  const auto simulated = [&](const std::string& code) {
    const Outcome outcome =
        desk.run(words("simulate -n small --dataset data --lanes 8 --json result.json --code " + code));
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    return desk.json_file("result.json");
  };
  const json::value raw = simulated("raw"), coded = simulated("huffman");
  const auto number = [](const json::value& result, const char* pointer) {
    return result.at_pointer(pointer).to_number<double>();
  };
  const double macs = 784 * 10;
  CHECK(number(coded, "/accuracy") == number(raw, "/accuracy"));
  const double more = number(coded, "/cycles_per_inference") - number(raw, "/cycles_per_inference");
  CHECK(more >= 0);
  CHECK(more <= 7);
  CHECK(number(coded, "/storage/uncoded_bits") == number(raw, "/storage/stored_bits"));
  const double bits = number(coded, "/storage/bits_per_weight");
  CHECK(bits >= number(coded, "/storage/entropy_bits_per_weight"));
  CHECK(bits <= 4);
  CHECK(number(coded, "/storage/stored_bits") == Approx(bits * macs + 16 * 4 + 10 * 8));
  double lane_bits = 0, lane_words = 0, bank_words = 0;
  for (const json::value& lane : coded.at("storage").at("lane_bits").as_array())
    lane_bits += lane.to_number<double>();
  for (const json::value& lane : coded.at("storage").at("lane_words").as_array())
    lane_words += lane.to_number<double>();
  for (const json::value& bank : coded.at("storage").at("bank_words").as_array())
    bank_words += bank.to_number<double>();
  CHECK(lane_bits == Approx(bits * macs));
  CHECK(lane_words == bank_words);
  CHECK(36 * lane_words >= lane_bits);
  CHECK(36 * lane_words < lane_bits + 8 * 36);
  CHECK(number(coded, "/storage/lane_imbalance") > 0.5); // 10 neurons on 8 lanes
}

TEST_CASE("command line: simulate exits with 3 where the design does not fit, unless that is allowed") {
  const Desk desk;
  struct Case {
    std::string options;
    int code;
    bool fits;
  };
  const Case cases[] = {
      // none of those that fit is close
      {"--device xc7s15 --lanes 17", 0, true},  // 17 + 3 of 20 DSPs
      {"--device xc7s15 --lanes 18", 3, false}, // 21
      {"--device xc7s15 --lanes 64 --multiplier dsp", 3, false},
      {"--device xc7s15 --lanes 64 --multiplier dsp --allow-overflow", 0, false},
      {"--device xc7s15 --lanes 17 --allow-overflow", 0, true},
      {"--device xc7s15 --lanes 18 --multiplier lut", 0, true},
      {"--device xc7z020 --lanes 64 --multiplier dsp", 0, true},
      {"--device xc7s6 --lanes 64 --multiplier lut", 3, false},                      // block RAM
      {"--device xc7s15 --lanes 128 --lanes-per-bank 9 --multiplier lut", 3, false}, // LUTs
      {"--device xc7s25 --lanes 64 --multiplier lut", 0, true},
      {"--preset paper_s15", 0, true},
  };
  for (const Case& each : cases) {
    CAPTURE(each.options);
    const Outcome outcome =
        desk.run(words("simulate -n small.json --dataset data --json result.json " + each.options));
    CAPTURE(outcome.err);
    REQUIRE(outcome.exited);
    CHECK(outcome.code == each.code);
    CHECK(outcome.err.empty());
    CHECK((outcome.out.find("DOES NOT FIT") == std::string::npos) == each.fits);
    const json::value result = desk.json_file("result.json");
    CHECK(result.at("fits").as_bool() == each.fits);
    const auto over = [&](const char* what) {
      const json::value& used = result.at("resources").at(what);
      return used.at("used").as_int64() > used.at("budget").as_int64();
    };
    CHECK((over("bram36") || over("dsp") || over("lut") || over("ff")) == !each.fits);
    fs::remove(desk.path("result.json"));
  }
}

TEST_CASE("command line: a device may be the user's own file") {
  const Desk desk;
  const Outcome outcome = desk.run(
      words("simulate -n small --dataset data --lanes 8 --device boards/my_board.json --json result.json"));
  CAPTURE(outcome.err, outcome.out);
  CHECK(outcome.code == 3); // nine flip-flops
  CHECK_THAT(outcome.out, Catch::Contains("DOES NOT FIT my_board") && Catch::Contains("of 12,345"));
  const json::value result = desk.json_file("result.json");
  CHECK(result.at("device") == "my_board");
  CHECK(result.at_pointer("/resources/dsp/budget") == 11);
  CHECK(result.at_pointer("/resources/ff/budget") == 9);
}

TEST_CASE("command line: cosim compares every beat of both twins") {
  const Desk desk;
  const Outcome outcome =
      desk.run(words("cosim -n tiny --dataset data --lanes 4 --images 1 --json result.json"));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exited);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("0 mismatches"));
  const json::value result = desk.json_file("result.json");
  CHECK(result.at("network") == "tiny");
  CHECK(result.at("lanes") == 4);
  CHECK(result.at("images") == 1);
  CHECK(result.at("mismatches") == 0);
  CHECK(result.at("beats").as_int64() > 3 * 784); // inputs, slots, weight words
  CHECK(result.at("model_cycles") == result.at("rtl_cycles"));
  CHECK(result.at("rtl_cycles").as_int64() > 2 * 784); // an image in, then a tile
  CHECK(result.at("first_divergence").is_null());
  CHECK(!fs::exists(desk.path("traces")));
}

TEST_CASE("command line: trace writes waves of both twins and a view of them") {
  const Desk desk;
  const auto before = desk.everything();
  const Outcome outcome =
      desk.run(words("trace -n tiny --dataset data --lanes 4 --image 2 -o waves --json result.json"));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exited);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("one image of tiny, 4 lanes"));
  CHECK(desk.json_file("result.json").at("mismatches") == 0);
  const std::string vcd = read_file(desk.path("waves/tiny.vcd")),
                    view = read_file(desk.path("waves/tiny.gtkw"));
  for (const char* scope : {"$scope module model $end", "$scope module rtl $end", "$enddefinitions $end"})
    CHECK_THAT(vcd, Catch::Contains(scope));
  const bool fst = !boost::process::search_path("vcd2fst").empty();
  CHECK(fs::exists(desk.path("waves/tiny.fst")) == fst);
  CHECK_THAT(view, Catch::Contains(std::string("waves/tiny.") + (fst ? "fst" : "vcd") + "\"") &&
                       Catch::Contains("model.accelerator.") && Catch::Contains("rtl.TOP.accelerator."));
  CHECK(desk.everything().size() == before.size() + (fst ? 5 : 4)); // directory and JSON too, nothing else
}

TEST_CASE("command line: cosim on broken RTL tells where, and writes waves where it can") {
  const Desk desk;
  const BrokenRtl broken;
  const std::string command =
      "cosim -n small --dataset data --images 3 --lanes 4 --seed 9 --json result.json --waves ";
  const Outcome outcome = desk.run(words(command + "waves"), "DELTATWIN_RTL=" + broken.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exited);
  REQUIRE(outcome.code == 1);
  for (const char* part : {"divergence in output_fifo, interface m_axis", "model:", "RTL:", "--seed 9"})
    CHECK_THAT(outcome.out, Catch::Contains(part));
  CHECK(fs::exists(desk.path("waves/divergence.vcd")));
  const json::value result = desk.json_file("result.json");
  CHECK(result.at("mismatches") == 1);
  const json::value& first = result.at("first_divergence");
  for (const char* key : {"cycle", "layer", "tile", "element"})
    CHECK(first.at(key).is_number());
  CHECK(first.at("model") != first.at("rtl"));
  // The finding is not lost where waves cannot be written.
  fs::remove(desk.path("result.json"));
  const Outcome blind = desk.run(words(command + "/proc/nowhere"), "DELTATWIN_RTL=" + broken.path());
  CHECK(blind.code == 1);
  CHECK_THAT(blind.out, Catch::Contains("divergence in") && Catch::Contains("no waves"));
  CHECK(desk.json_file("result.json").at("mismatches") == 1);
}

TEST_CASE("command line: RTL that ends the simulation is a finding, with its cycle and place") {
  const Variable for_users("DELTATWIN_RTL_CHECKED"); // who are not given what tests are
  const Desk desk;
  const BrokenRtl broken("accelerator.sv", "endmodule", R"(
  always_ff @(posedge clk_i) if (s_axis_tvalid_i && s_axis_tready_o)
    case (images)
      1: $fatal(1, "as it was told");
      2: $error("as it was told");
      default: $finish;
    endcase
endmodule)");
  const std::string environment = "DELTATWIN_RTL=" + broken.path();
  struct Row {
    std::string images, kind, message;
  };
  for (const Row& row :
       {Row{"1", "error", "as it was told"}, Row{"2", "error", "as it was told"}, Row{"3", "$finish", ""}}) {
    const Outcome outcome = desk.run(words("cosim -n tiny --dataset data --lanes 4 --json result.json "
                                           "--waves /proc/nowhere --images " +
                                           row.images),
                                     environment);
    CAPTURE(row.images, outcome.out, outcome.err);
    REQUIRE(outcome.exited);
    CHECK(outcome.code == 1);
    const json::value result = desk.json_file("result.json");
    CHECK(result.at("mismatches") == 1);
    const json::value& ended = result.at_pointer("/first_divergence/rtl_ended");
    CHECK(ended.at("kind").as_string() == row.kind);
    CHECK_THAT(std::string(ended.at("message").as_string()), Catch::Contains(row.message));
    CHECK_THAT(std::string(ended.at("place").as_string()), Catch::StartsWith("accelerator.sv:"));
    CHECK_THAT(outcome.out,
               Catch::StartsWith("the RTL ended the simulation in cycle " +
                                 std::to_string(result.at_pointer("/first_divergence/cycle").as_int64()) +
                                 ": " + row.kind + " at " + std::string(ended.at("place").as_string())) &&
                   Catch::Contains(row.message));
  }
}

TEST_CASE("command line: a disk that is full is one error, and leaves nothing behind") {
  const Desk desk;
  // With room the first time, which also builds what is kept for the next ones.
  const std::string trace = "trace -n tiny --dataset data --lanes 4 -o ",
                    simulate = "simulate -n small --dataset data --lanes 8 --json ",
                    explore = "explore space.json --dataset data --out ";
  desk.write("space.json", R"({"format": "deltatwin-space-1", "networks": "small", "devices": "xc7s15",
    "lanes": {"from": 1, "to": 128}, "optimize": ["throughput", "share"]})");
  for (const std::string& command : {trace + "waves", simulate + "data/result.json", explore + "all"})
    REQUIRE(desk.run(words(command)).code == 0);
  const auto before = desk.everything();
  struct Row {
    std::string command;
    int blocks; ///< of 1,024 bytes that a file can have
    std::string place;
  };
  for (const Row& row : {Row{trace + "waves", 1, "waves"}, Row{trace + "waves", 64, "waves"},
                         Row{simulate + "data/result.json", 1, "data/result.json"},
                         Row{explore + "none", 1, "none.sqlite"}, Row{explore + "none", 8, "none.sqlite"}}) {
    const Outcome outcome = desk.run_without_room(words(row.command), row.blocks);
    CAPTURE(row.command, row.blocks, outcome.out, outcome.err);
    REQUIRE(outcome.exited);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::StartsWith("deltatwin: ") && Catch::Contains(row.place));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(desk.everything() == before);
  }
}

TEST_CASE("command line: train writes its figures") {
  const Desk desk;
  if (desk.run({"train", "--help"}).out.find("not in this build") != std::string::npos)
    return;
  fs::create_directory(desk.path("own"));
  constexpr int images = 48;
  RandomWork random(base_seed());
  for (const char* set : {"train", "t10k"}) {
    const std::vector<std::int8_t> pixels = random.bytes(images * 16);
    std::string labels;
    for (int i = 0; i < images; ++i)
      labels += static_cast<char>(i % 3);
    desk.write("own/" + std::string(set) + "-images-idx3-ubyte",
               big_endian(0x803) + big_endian(images) + big_endian(4) + big_endian(4) +
                   std::string(pixels.begin(), pixels.end()));
    desk.write("own/" + std::string(set) + "-labels-idx1-ubyte",
               big_endian(0x801) + big_endian(images) + labels);
  }
  const Outcome outcome =
      desk.run(words("train --name mine --layers 6 --epochs 2 --batch 8 --dataset own --images 40 --json -"));
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const json::value result = json::parse(outcome.out);
  CHECK(result.as_object().begin()->key() == "format");
  CHECK(result.at("format") == "deltatwin-train-1");
  CHECK(result.at("network") == "mine");
  CHECK(result.at("file") == "mine.json");
  const Network network = desk.network("mine.json");
  CHECK(result.at("training_images") == 40);
  CHECK(result.at("test_images") == images);
  CHECK(result.at("weights") == network.weight_count());
  CHECK(result.at("stored_bits") == network.stored_bits());
  CHECK(network.description.find(result.at("command").as_string().c_str()) != std::string::npos);
  // The figures are those of the file.
  const Outcome again =
      desk.run(words("simulate -n mine.json --dataset own --lanes 2 --images 0 --json result.json"));
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  const json::value simulated = desk.json_file("result.json");
  CHECK(simulated.at("accuracy") == result.at("accuracy"));
  CHECK(simulated.at_pointer("/storage/stored_bits") == result.at("stored_bits"));
}

TEST_CASE("command line: bench and synth write their figures") {
  const Desk desk;
  const Outcome bench =
      desk.run(words("bench -n tiny --dataset data --lanes 4 --rtl-images 2 --repeats 1 --json bench.json"));
  CAPTURE(bench.err);
  REQUIRE(bench.code == 0);
  const json::value speed = desk.json_file("bench.json");
  CHECK(speed.at("speedup_over_rtl").as_double() > 0);
  CHECK(speed.at("ratio_to_plain").as_double() > 0);
  const auto synthesized = [&](const std::string& option) {
    const Outcome synth = desk.run(words("synth -n tiny --lanes 4 --json synth.json" + option));
    CAPTURE(synth.err);
    REQUIRE(synth.code == 0);
    for (const char* text : {"scheduler", "delta_mac", "weight_bank", "requantizer", "axi_control", "total"})
      CHECK_THAT(synth.out, Catch::Contains(text));
    return desk.json_file("synth.json");
  };
  const json::value area = synthesized("");
  CHECK(area.at("fits") == true);
  CHECK(area.at("resources").at("dsp").at("used") == 4 + 3);
  CHECK(area.at("resources").at("lut").at("used").as_int64() > 300);
  CHECK(area.at("resources").at("bram36").at("used") == area.at("total").at("synthesis").at("bram36"));
  const json::value kept = synthesized(" --keep-hierarchy");
  const auto total = [](const json::value& of, const char* part) {
    return of.at("total").at("synthesis").at(part).as_int64();
  };
  for (const char* part : {"lut", "ff", "dsp", "ramb18", "ramb36", "lut_ram"}) {
    CAPTURE(part);
    std::int64_t blocks = 0;
    for (const auto& block : area.at("blocks").as_object())
      blocks += block.value().at("synthesis").at(part).as_int64();
    const std::int64_t all = total(area, part);
    CHECK(blocks == all);
    CHECK(area.at("total").at("model").at(part).to_number<double>() ==
          Approx(static_cast<double>(all)).epsilon(0.15));
    CHECK(static_cast<double>(total(kept, part)) == Approx(static_cast<double>(all)).epsilon(0.1));
  }
  CHECK(total(kept, "lut") != total(area, "lut"));
  const Outcome missing = desk.run(words("synth -n tiny --lanes 5"), "PATH=/nonexistent");
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err, Catch::Contains("\"yosys\" is not installed"));
}

TEST_CASE("command line: networks and devices are listed") {
  const Desk desk;
  for (const char* broken : {"cut.json", "wrong.json", "empty.json"}) { // hides no other
    CHECK_THAT(desk.run({"networks"}).err,
               Catch::Contains(std::string("deltatwin: not listed: ")) && Catch::Contains(broken));
    CHECK_THAT(desk.run({"networks"}).out, Catch::Contains("small "));
    fs::remove(desk.path(broken));
  }
  desk.write("boards/package.json", "{\"name\": \"package\", \"version\": \"1\"}");
  const Outcome own = desk.run(words("devices"), "DELTATWIN_DEVICES=" + desk.path("boards"));
  CHECK(own.code == 0);
  CHECK_THAT(own.err, Catch::Contains("package.json: unknown field \"version\""));
  CHECK_THAT(own.out, Catch::Contains("my_board") && Catch::Contains("12,345") && !Catch::Contains("xc7s6"));
  const Outcome networks = desk.run({"networks"}), all = desk.run({"devices"});
  REQUIRE(networks.code == 0);
  REQUIRE(all.code == 0);
  std::istringstream lines(networks.out);
  for (std::string line; std::getline(lines, line);)
    CHECK(line.size() <= 100);
  for (const char* text : {"narrow ", "small ", "tiny ", "784-10 ", "7,840 ", "31,440 ", "consecutive, D=4"})
    CHECK_THAT(networks.out, Catch::Contains(text));
  for (const char* text : {"xc7s6 ", "xc7s15 ", "xc7s25 ", "xc7s50 ", "xc7z020 ", "106,400"})
    CHECK_THAT(all.out, Catch::Contains(text));
}

TEST_CASE("command line: convert writes the same network in the current format") {
  const Desk desk;
  const std::string old = R"({"format": "deltatwin-network-1", "name": "old", "layers": [
    {"inputs": 2, "outputs": 1, "scheme": "plain", "delta_bits": 8, "activation": "none", "deltas": [[100, -3]],
     "requantizer": {"shift": 8, "multiplier": [3], "bias": [-7]}}]})";
  desk.write("one.json", old);
  const Outcome outcome = desk.run(words("convert one.json"));
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "old.json: old, 1 nodes, 2 weights, 2 MACs\n");
  CHECK_THAT(read_file(desk.path("old.json")), Catch::StartsWith("{\"format\": \"deltatwin-network-2\""));
  CHECK(desk.network("old.json").layers[0].weights() == std::vector<std::int8_t>{100, -3});
  CHECK(read_file(desk.path("one.json")) == old);
  CHECK(desk.run(words("convert old --output new.json")).code == 0); // by name
  CHECK(read_file(desk.path("new.json")) == read_file(desk.path("old.json")));
  CHECK(desk.run(words("convert one.json -o one.json")).code == 0);
  CHECK(read_file(desk.path("one.json")) == read_file(desk.path("old.json")));
  for (const BadInput& bad :
       {BadInput{"convert one.json", "old.json: is there already; --output names it to replace it"},
        BadInput{"convert cut.json -o x.json", "cut.json: line "},
        BadInput{"convert wrong.json", "wrong.json: layers[0].inputs: 0 is outside 1..4096"},
        BadInput{"convert missing", "no network \"missing\""}, BadInput{"convert", "required"},
        BadInput{"convert one.json -o missing/x.json", "missing/x.json: cannot be written"}})
    require_refused(desk, bad);
}

TEST_CASE("command line: what standard output does not take is an error") {
  namespace bp = boost::process;
  const TemporaryDirectory directory("deltatwin-cli");
  const std::string err = directory.path() + "/err";
  CHECK(bp::system(std::string(DELTATWIN_BINARY), bp::args({"devices"}), bp::std_out > "/dev/full",
                   bp::std_err > err) == 2);
  CHECK(read_file(err) == "deltatwin: standard output cannot be written: No space left on device\n");
}
