// deltatwin activations, as a user runs it: a tiny network trained, quantized and told.
#include "desk.h"
#include "tiny_images.h"

using namespace deltatwin;
namespace json = boost::json;

namespace {

bool is_there(const Desk& desk) {
  return desk.run({"activations", "--help"}).out.find("not in this build") == std::string::npos &&
         desk.run({"--help"}).out.find("not in this build") == std::string::npos;
}

} // namespace

TEST_CASE("activations command: a tiny network is trained, quantized and told") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  const Outcome trained =
      desk.run(words("train --resnet 8 --width 4 --epochs 6 --batch 12 --crop 1 --dataset own "
                     "--name mine --json trained.json"));
  CAPTURE(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.out, Catch::Contains("mine.safetensors: accuracy "));
  const json::value training = desk.json_file("trained.json");
  CHECK(training.at("format") == "deltatwin-train-1");
  CHECK(training.at("file") == "mine.safetensors");

  const Outcome all = desk.run(words(
      "activations --network mine --dataset own --images 0 --bits 3 --unsigned-bits 2,3 --ranking-images 5 "
      "--calibration-images 5 --online --out figures --json result.json"));
  CAPTURE(all.err, all.out);
  REQUIRE(all.code == 0);
  CHECK_THAT(all.out, Catch::Contains("mine: 3 blocks") && Catch::Contains("at most 3.0 bits:") &&
                          Catch::Contains("NoisyQuant, online") && Catch::Contains("Huffman") &&
                          Catch::Contains("Block by block"));
  const json::value result = desk.json_file("result.json");
  CHECK(result.at("format") == "deltatwin-activations-1");
  CHECK(result.at("images") == tiny_images);
  // The same network on the same images: what the trainer said.
  CHECK(result.at("float_accuracy") == training.at("accuracy"));
  CHECK(result.at("blocks").as_array().size() == 3);
  CHECK(result.at("methods").as_array().size() > 30);
  for (const json::value& method : result.at("methods").as_array()) {
    CAPTURE(json::serialize(method));
    CHECK(method.at("accuracy").as_double() >= 0);
    CHECK(method.at("bits_per_value").to_number<double>() > 0);
    CHECK(method.at("blocks").as_array().size() == 3);
  }
  for (const char* figure : {"storage", "figure2", "figure3", "figure4"})
    for (const char* ending : {".svg", ".csv"})
      CHECK(std::filesystem::exists(desk.path(std::string("figures/") + figure + ending)));

  // One method alone gives the same figures.
  const Outcome one = desk.run(words("activations --network ./mine.safetensors --dataset own --images 0 "
                                     "--method unsigned:n=2 --calibration-images 5 --json -"));
  CAPTURE(one.err);
  REQUIRE(one.code == 0);
  const json::value alone = json::parse(one.out);
  REQUIRE(alone.at("methods").as_array().size() == 2);
  const json::value& method = alone.at("methods").as_array()[1];
  CHECK(method.at("method") == "unsigned:n=2");
  CHECK(method.at("bits_per_value") == 2.0);
  for (const json::value& each : result.at("methods").as_array())
    if (each.at("method") == "unsigned:n=2")
      CHECK(each.at("accuracy") == method.at("accuracy"));

  // What the hardware does is a column beside its designs.
  const Outcome hardware =
      desk.run(words("activations --network mine --dataset own --images 0 --parts hardware "
                     "--bits 2,3 --ranking-images 5 --calibration-images 5 --online "
                     "--json hardware.json"));
  CAPTURE(hardware.err);
  REQUIRE(hardware.code == 0);
  CHECK_THAT(hardware.out, Catch::Contains("What the tops edqa and noisyquant store"));
  const auto explore = [&](const std::string& axes) {
    desk.write("space.json",
               R"({"format": "deltatwin-space-1", "activations": "hardware.json", "devices": "xc7z020",
      "optimize": ["accuracy", "bits_per_value", "lut_share"], )" +
                   axes + "}");
    const Outcome explored = desk.run(words("explore space.json --out found --overwrite --json found.json"));
    CAPTURE(explored.err, explored.out);
    REQUIRE(explored.code == 0);
    CHECK_THAT(read_file(desk.path("found.csv")),
               Catch::Contains(",network,method,bits_per_value,accuracy,"));
    return explored.out;
  };
  CHECK_THAT(
      explore(R"("top": "edqa", "mode": ["paper", "static", "whole"], "bits": [2, 3], "extra": [0, 2, 3],
                        "values": ["signed", "unsigned"], "books": [1, 2, 4, 8], "depth": 100)"),
      Catch::Contains(" feasible (accuracy is not known of ") && Catch::Contains("bits/value"));
  const json::value found = desk.json_file("found.json");
  const auto unknown = found.at("unknown").at("accuracy").to_number<int>();
  // Two signs. In modes paper and static N = 2 with m = 3 and N = 3 with m = 2 have no method, in mode whole
  // none with m > 0, and none with several books, for which the last block's rows of three are too short.
  CHECK(found.at("feasible") == 2 * (2 * 6 + 4 * 6));
  CHECK(unknown == 2 * (2 * 2 + 4 * 4 + 3 * 2));
  CHECK_THAT(explore(R"("top": "noisyquant", "width": 10, "bits": [2, 3], "mode": ["online", "offline"])"),
             !Catch::Contains("is not known"));
}

TEST_CASE("activations command: wrong input is refused in one line") {
  const Desk desk;
  if (!is_there(desk))
    return;
  write_tiny_images(desk, "own");
  REQUIRE(
      desk.run(words("train --resnet 8 --width 2 --epochs 1 --batch 12 --crop 1 --dataset own --name mine"))
          .code == 0);
  const std::string text = read_file(desk.path("mine.safetensors"));
  desk.write("cut.safetensors", text.substr(0, text.size() - 3));
  const std::string run = "activations --network mine --dataset own ";
  for (const BadInput& bad : {
           BadInput{"activations --network none --dataset own", "no network \"none\""},
           BadInput{"activations --network ./none.safetensors --dataset own", "cannot be read"},
           BadInput{"activations --network small.json --dataset own", "small.json: is no safetensors file"},
           BadInput{"activations --network cut.safetensors --dataset own", "cut.safetensors: is cut"},
           BadInput{"activations --network mine --dataset data", "train-images-idx3-ubyte.gz: no such file"},
           BadInput{"activations --network mine --dataset boards", "boards: holds neither IDX files"},
           BadInput{"activations --network mine", "takes images of 1 x 10 x 10, those of"},
           BadInput{run + "--images 61", "--images asks for 61, the test set of own has 60"},
           BadInput{run + "--images -1", "--images: -1"},
           BadInput{run + "--bits 8", "--bits: 8, expected 2 to 7"},
           BadInput{run + "--unsigned-bits 0", "--unsigned-bits: 0"},
           BadInput{run + "--extra 5", "--extra: 5"},
           BadInput{run + "--ratio 1.5", "--ratio: expected 0 to 1"},
           BadInput{run + "--parts tables", "unknown part \"tables\"; known are methods, storage, blocks, "
                                            "compression, figures, hardware"},
           BadInput{run + "--method edqa:n=9", "method \"edqa:n=9\""},
           BadInput{run + "--ranking-images 0", "--ranking-images: 0"},
           BadInput{run + "--threads 0", "--threads"},
           BadInput{run + "--json missing/x.json", "missing/x.json: cannot be written"},
           BadInput{"train --resnet 9 --dataset own", "--resnet: 9, expected 6n + 2 layers"},
           BadInput{"train --resnet 8 --dataset own --layers 3", "--layers: has no meaning with --resnet"},
           BadInput{"train --resnet 8 --dataset own --crop 5", "--crop: 5, expected less than half"},
           BadInput{"train --layers 4 --crop 2", "--crop: has a meaning with --resnet or --graph only"},
       })
    require_refused(desk, bad);
}
