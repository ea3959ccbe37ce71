// deltatwin train --graph, as a user runs it: a tiny network trained, broken off, simulated.
#include "desk.h"
#include "net/formats/formats.h"
#include "tiny_images.h"
#include <array>
#include <map>

using namespace deltatwin;
namespace json = boost::json;

namespace {

bool is_there(const Desk& desk) {
  return desk.run({"train", "--help"}).out.find("not in this build") == std::string::npos;
}

// An option of one word, and others.
Words command(const std::string& graph, const std::string& others) {
  Words all = words("train --dataset own --batch 9 --name mine " + others);
  all.insert(all.end(), {"--graph", graph});
  return all;
}

const std::string elements = "conv 4 3x3, block 5/2, average, dense 3";

} // namespace

TEST_CASE("train --graph: what is written is what is told, and simulates as told") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  desk.write("net.txt", "conv 4 3x3\nblock 5/2 # with a shortcut\naverage\ndense 3\n");
  for (const std::string precision :
       {"--weights d4 --activations 4", "--weights w3 --activations 5 --input-bits 4",
        "--weights d3 --activations 4 --code huffman", "--weights b1 --activations a4 --first w8a8"}) {
    CAPTURE(precision);
    const Outcome trained =
        desk.run(command("@net.txt", "--epochs 4 --json trained.json --checkpoint x.ck " + precision));
    CAPTURE(trained.out, trained.err);
    REQUIRE(trained.code == 0);
    const json::value result = desk.json_file("trained.json");
    CHECK(result.at("format") == "deltatwin-train-1");
    CHECK(result.at("file") == "mine.json");
    const Graph graph = load_graph(desk.path("mine.json"));
    CHECK(graph.description == "own: " + std::string(result.at("command").as_string()));
    CHECK_THAT(graph.description, Catch::Contains("--graph \"conv 4 3x3, block 5/2, average, dense 3\""));
    CHECK(result.at("weights") == graph.weights());
    CHECK(result.at("macs") == graph.macs());
    const std::string accuracy = trained.out.substr(0, trained.out.find('%'));
    const Outcome simulated = desk.run(words("simulate --network mine.json --dataset own"));
    CAPTURE(simulated.out, simulated.err);
    CHECK(simulated.code == 0);
    CHECK_THAT(simulated.out, Catch::Contains(accuracy.substr(accuracy.find("accuracy ") + 9) + "%"));
    std::filesystem::remove(desk.path("x.ck"));
  }
}

TEST_CASE("train --graph: tiles of zeros are those of the file") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  const Outcome trained =
      desk.run(command(elements, "--weights d4 --activations 4 --code huffman --epochs 3 --tile-penalty 3 "
                                 "--tile 2x4 --json trained.json"));
  CAPTURE(trained.out, trained.err);
  REQUIRE(trained.code == 0);
  const Graph graph = load_graph(desk.path("mine.json"));
  int tiles = 0, zeros = 0;
  for (const Node& node : graph.nodes) {
    const auto* convolution = std::get_if<Convolution>(&node.op);
    if (!convolution ||
        (node.name != "block1.conv1" && node.name != "block1.conv2" && node.name != "block1.shortcut"))
      continue;
    constexpr int of_outputs = 2, of_channels = 4;
    const int places = convolution->window.rows * convolution->window.columns,
              channels = graph.tensors[node.inputs[0]].shape[2];
    if (places == 1 && channels <= of_channels)
      continue;
    std::map<std::array<int, 3>, int> others; // of each tile, weights that are not 0
    for (int o = 0, i = 0; o < convolution->outputs; ++o)
      for (int place = 0; place < places; ++place)
        for (int channel = 0; channel < channels; ++channel, ++i)
          others[{o / of_outputs, place, channel / of_channels}] +=
              convolution->weights[static_cast<std::size_t>(i)] != 0;
    for (const auto& [tile, count] : others) {
      ++tiles;
      zeros += count == 0;
    }
  }
  CHECK(zeros > 0);
  CHECK_THAT(trained.out, Catch::Contains("tiles: " + std::to_string(zeros) + " of " + std::to_string(tiles) +
                                          " tiles of 2 x 4 weights"));
  CHECK(desk.json_file("trained.json").at("zero_tiles") == zeros);
  CHECK_THAT(graph.description, Catch::Contains(" --tile-penalty 3 --tile 2x4"));
}

TEST_CASE("train --graph: the same command goes on from a checkpoint, another one is refused") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  const std::string options = "--weights d4 --activations 4 --epochs 3 ";
  REQUIRE(desk.run(command(elements, options + "--output whole.json")).code == 0);
  for (const char* times : {"once", "twice"}) {
    CAPTURE(times);
    REQUIRE(desk.run(command(elements, options + "--checkpoint x.ck --output again.json")).code == 0);
    CHECK(read_file(desk.path("again.json")) == read_file(desk.path("whole.json")));
  }
  const Outcome other = desk.run(command(elements, options + "--checkpoint x.ck --seed 2"));
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Catch::Contains("x.ck: is of another training: own: deltatwin train --graph"));
}

TEST_CASE("train --graph: wrong input is refused in one line") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  struct Bad {
    std::string graph, others, says;
  };
  for (const Bad& bad : {
           Bad{"conv 4", "", "--graph: \"conv 4\": expected conv OUTPUTS"},
           Bad{"@nowhere.txt", "", "nowhere.txt"},
           Bad{elements, "--weights 4", "--weights: \"4\" is no precision"},
           Bad{elements, "--weights d4a4", "--weights: \"d4a4\", expected w2 to w8, d2 to d8 or b1"},
           Bad{elements, "--activations 9", "--activations: \"9\", expected 2 to 8 bits, or b1"},
           Bad{elements, "--activations b1", "binary activations have no sum"},
           Bad{elements, "--first x", "--first: \"x\" is no precision"},
           Bad{elements, "--last w8a8", "--last: the outputs have 8 bits"},
           Bad{elements, "--scaling both", "--scaling: \"both\", expected multiply or shift"},
           Bad{elements, "--reference 7", "--reference: \"7\", expected zero or mean"},
           Bad{elements, "--input-bits 9", "--input-bits: 9, expected 2 to 8"},
           Bad{elements, "--crop 5", "--crop: 5, expected less than half of an image"},
           Bad{elements, "--delta-penalty 1", "--delta-penalty: has a meaning with --code huffman only"},
           Bad{elements, "--tile-penalty -1", "--tile-penalty: expected 0 to 10"},
           Bad{elements, "--tile-penalty 1 --reference mean --weights d4",
               "--tile-penalty: takes --reference zero"},
           Bad{elements, "--tile-penalty 1 --weights b1 --first w8",
               "--tile-penalty: no convolution has several tiles"},
           Bad{elements, "--tile-penalty 1 --tile 8",
               "--tile: \"8\", expected OUTPUTSxCHANNELS, each 1 to 256"},
           Bad{elements, "--tile-penalty 1 --tile 8x", "--tile: \"8x\", expected OUTPUTSxCHANNELS"},
           Bad{elements, "--tile-penalty 1 --tile 0x8", "--tile: \"0x8\", expected OUTPUTSxCHANNELS"},
           Bad{elements, "--tile-penalty 1 --tile 8x257", "--tile: \"8x257\", expected OUTPUTSxCHANNELS"},
           Bad{elements, "--tile 8x8", "--tile: has a meaning with --tile-penalty only"},
           Bad{elements, "--code huffman_pairs", "--code: huffman_pairs has no meaning with --graph"},
           Bad{elements, "--teacher-share 1", "--teacher-share: has a meaning with --teacher-network only"},
           Bad{elements, "--teacher-network nobody", "nobody"},
           Bad{elements, "--layers 4", "--layers: has no meaning with --graph"},
           Bad{elements, "--resnet 8", "--resnet: has no meaning with --graph"},
           Bad{elements, "--mirror --no-mirror", "--mirror: contradicts --no-mirror"},
           Bad{elements, "--output no/x.json", "no/x.json"},
           Bad{elements, "--checkpoint no/x.ck", "no/x.ck"},
           Bad{elements, "--start own/t10k-labels-idx1-ubyte", "is no safetensors file"},
           Bad{"conv 4 3x3, dense 2", "", "the last element has 2 outputs, an image has the label 2"},
       }) {
    CAPTURE(bad.graph, bad.others);
    const Outcome outcome = desk.run(command(bad.graph, "--epochs 1 " + bad.others));
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(bad.says));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  const Outcome alone = desk.run(words("train --weights d4 --layers 5"));
  CHECK(alone.code == 2);
  CHECK_THAT(alone.err, Catch::Contains("--weights: has a meaning with --graph only"));
}
