// `import`, and `simulate` with files of inputs, from the command line.
#include "desk.h"
#include "net/formats/formats.h"
#include "net/npy.h"
#include "net/reference.h"
#include "random_graph.h"
#include "tflite_model_maker.h"

using namespace deltatwin;

namespace {

/// A model of a convolution and a dense layer, its input and output.
std::string small_model(TfliteMaker::Map& input, TfliteMaker::Map& output) {
  RandomWork random(base_seed());
  TfliteMaker maker(random, false);
  input = maker.input(4, 5, 3);
  TfliteMaker::Geometry window;
  window.rows = window.columns = 3;
  output = maker.dense(maker.convolve(input, window, 4, false, true), 3, true, 0);
  return maker.writer.file({input.tensor}, {output.tensor});
}

std::string bytes(const std::vector<int>& values) { return {values.begin(), values.end()}; }

std::string row(const std::vector<int>& values) {
  std::string text;
  for (const int value : values)
    text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

} // namespace

TEST_CASE("command line: a model is imported, and simulated as its kernels compute") {
  const Desk desk;
  TfliteMaker::Map input, output;
  desk.write("model.tflite", small_model(input, output));
  const Outcome imported = desk.run(words("import model.tflite --json report.json"));
  CHECK(imported.code == 0);
  CHECK_THAT(imported.out, Catch::Contains("model, TensorFlow Lite: input 4x5x3 of int8") &&
                               Catch::Contains("conv 3x3") && Catch::Contains("tflite") &&
                               Catch::Contains("model.json is written"));
  const boost::json::value report = desk.json_file("report.json");
  CHECK(report.at("format").as_string() == "deltatwin-import-1");
  CHECK(report.at("nodes").as_array().size() == 3);
  for (const auto& node : report.at("nodes").as_array())
    CHECK(node.at("different_sums").as_int64() == 0);
  const Outcome again = desk.run(words("import model.tflite"));
  CHECK(again.code == 2);
  CHECK_THAT(again.err, Catch::Contains("model.json: is there already"));

  desk.write("in.bin", bytes(input.values));
  desk.write("good.csv", "name,label,a,b,c\nx,1," + row(output.values) + "\n");
  const std::string simulate = "simulate --network model.json --inputs in.bin ";
  const Outcome simulated =
      desk.run(words(simulate + "--expected good.csv --output out.csv --json result.json"));
  CHECK(simulated.code == 0);
  CHECK_THAT(simulated.out, Catch::Contains("array of 8 outputs") && Catch::Contains("cycles an image") &&
                                Catch::Contains("1 of 1 equal those of good.csv") &&
                                Catch::Contains("accuracy"));
  CHECK(read_file(desk.path("out.csv")) == "out0,out1,out2\n" + row(output.values) + "\n");
  const boost::json::value result = desk.json_file("result.json");
  CHECK(result.at("equal_outputs").as_int64() == 1);
  CHECK(result.at("top").as_string() == "array");
  CHECK(result.at("inputs").as_string() == "in.bin");
  CHECK(result.at("cycles").to_number<double>() > 10);
  CHECK(desk.run(words(simulate + "--output out.npy")).code == 0);
  const NpyArray written = parse_npy(read_file(desk.path("out.npy")), "out.npy");
  CHECK(written.shape == std::vector<std::uint64_t>{1, 1, 1, 3});
  CHECK(written.data == bytes(output.values));

  std::vector<int> other = output.values;
  other[1] += other[1] == 127 ? -1 : 1;
  desk.write("bad.csv", row(other) + "\n");
  const Outcome differs = desk.run(words(simulate + "--expected bad.csv"));
  CHECK(differs.code == 1);
  CHECK_THAT(differs.out, Catch::Contains("0 of 1 equal") && Catch::Contains("image 0, output 1 is "));
  CHECK(desk.run(words("simulate --network=model.json --images random:7")).code == 0);
  CHECK_THAT(desk.run(words("simulate -n model.json")).out, // there are no test images of its size
             Catch::Contains("100 images made up with seed 1"));
}

TEST_CASE("command line: the array takes inputs and what is known of them as a network alone does") {
  const Desk desk;
  TfliteMaker::Map input, output;
  desk.write("model.tflite", small_model(input, output));
  REQUIRE(desk.run(words("import model.tflite")).code == 0);
  const std::string raw = bytes(input.values);
  std::string moved = raw; // the same values as unsigned bytes
  for (char& c : moved)
    c = static_cast<char>(c ^ '\x80');
  desk.write("in.bin", raw + raw + raw);
  desk.write("moved.bin", moved + moved);
  const auto best = std::max_element(output.values.begin(), output.values.end());
  const std::string label = std::to_string(best - output.values.begin()),
                    other = std::to_string((best - output.values.begin() + 1) % 3);
  desk.write("labels.csv", "name,label\na," + label + "\nb," + other + "\nc," + label + "\n");
  const std::string simulate = "simulate --top array --network model.json ";
  const auto found = [&](const std::string& options) {
    const Outcome outcome = desk.run(words(simulate + options + " --json result.json"));
    CAPTURE(options, outcome.err);
    REQUIRE(outcome.code == 0);
    return desk.json_file("result.json").as_object();
  };
  CHECK(found("--inputs in.bin --labels labels.csv").at("accuracy").to_number<double>() == Approx(200.0 / 3));
  CHECK(found("--images in.bin:2 --labels labels.csv").at("accuracy").to_number<double>() == 50);
  CHECK(found("--images in.bin:2").count("accuracy") == 0);
  CHECK(found("--inputs in.bin --images 1").at("images") == 1);
  CHECK(found("--images in.bin --output raw.csv").at("images") == 3);
  CHECK(found("--images moved.bin --input-type uint8 --labels labels.csv --output moved.csv")
            .at("accuracy")
            .to_number<double>() == 50);
  const std::string line = row(output.values) + "\n";
  CHECK(read_file(desk.path("raw.csv")) == "out0,out1,out2\n" + line + line + line);
  CHECK(read_file(desk.path("moved.csv")) == "out0,out1,out2\n" + line + line);
  CHECK(desk.run(words(simulate + "--images moved.bin --expected moved.csv")).code == 1);
}

TEST_CASE("command line: what the array refuses is inferred without cycles, and says why") {
  const Desk desk;
  Graph graph;
  graph.name = "wide";
  graph.tensors = {{"in", {2, 2, 1}, {}, 0}, {"out", {2, 2, 1}, {12, true}, 0}};
  Convolution convolution;
  convolution.window = {1, 1, 1, 1, 0, 0, 0, 0};
  convolution.outputs = 1;
  convolution.weights = {3};
  convolution.bias = {0};
  convolution.requantization.shifts = {1};
  convolution.requantization.low = -2048;
  convolution.requantization.high = 2047; // of which it reaches -192..191
  graph.nodes = {{"c", {0}, 1, convolution}};
  graph.input = 0;
  graph.output = 1;
  save_graph(graph, desk.path("wide.json"));
  const Outcome outcome = desk.run(words("simulate --network wide.json --images random:7"));
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("integer inference alone, without cycles") &&
                              Catch::Contains("The array does not run it: ") &&
                              Catch::Contains("has 12 bits"));
}

TEST_CASE("command line: files of inputs serve dense networks, too") {
  const Desk desk;
  const std::vector<std::int8_t> inputs = desk.inputs();
  desk.write("in.bin", {inputs.begin(), inputs.end()});
  desk.write("labels.csv", "x.bin,10,1\ny.bin,10,2\nz.bin,10,3\n");
  const std::string simulate = "simulate --network small --allow-overflow ";
  const Outcome data_set = desk.run(words(simulate + "--dataset data --output data.csv --json data.json"));
  const Outcome file =
      desk.run(words(simulate + "--inputs in.bin --labels labels.csv --output file.csv --json file.json"));
  CHECK(data_set.code == 0);
  CHECK(file.code == 0);
  CHECK(read_file(desk.path("data.csv")) == read_file(desk.path("file.csv")));
  CHECK(desk.json_file("data.json").at("accuracy") == desk.json_file("file.json").at("accuracy"));
  CHECK(desk.json_file("file.json").at("inputs").as_string() == "in.bin");
  CHECK(desk.run(words(simulate + "--inputs in.bin --expected data.csv")).code == 0);
  CHECK(desk.run(words(simulate + "--inputs data/t10k-images-idx3-ubyte --expected data.csv")).code == 0);
  const std::vector<int> expected = reference_inference(desk.network("small.json"), inputs.data());
  CHECK_THAT(read_file(desk.path("file.csv")), Catch::Contains("\n" + row(expected) + "\n"));
}

TEST_CASE("command line: models and files of inputs that are bad give one line and exit code 2") {
  const Desk desk;
  TfliteMaker::Map input, output;
  const std::string model = small_model(input, output);
  desk.write("model.tflite", model);
  desk.write("cut.tflite", model.substr(0, model.size() / 2));
  desk.write("odd.bin", "odd");
  desk.write("in.bin", bytes(input.values));
  desk.write("text.csv", "label\nnothing\n");
  desk.write("far.csv", "label\n7\n");
  desk.write("narrow.csv", "1,2\n");
  desk.write("fractions.csv", "0.5,0.25,0.25\n");
  REQUIRE(desk.run(words("import model.tflite")).code == 0);
  const std::string simulate = "simulate --network model.json --inputs in.bin ";
  struct Bad {
    std::string arguments, says;
  };
  for (const Bad& bad : {
           Bad{"import cut.tflite -o x.json", "cut.tflite: is cut or damaged"},
           Bad{"import small.json -o x.json", "small.json: is no network that is known here"},
           Bad{"import missing.tflite", "missing.tflite: cannot be read"},
           Bad{"import model.tflite -o no/x.json", "no/x.json"},
           Bad{"simulate --network model.json --images 3",
               "has images of 784 values, the network's input is of 4 x 5 x 3"},
           Bad{"simulate --network model.json --inputs odd.bin", "3 bytes: no whole records"},
           Bad{"simulate --network model.json --labels far.csv",
               "--labels and --input-type go with --inputs"},
           Bad{simulate + "--input-type int4", "\"int4\" is none of int8, uint8"},
           Bad{simulate + "--labels text.csv", "\"nothing\" is no number"},
           Bad{simulate + "--labels far.csv", "has the label 7, but the network has 3 outputs"},
           Bad{simulate + "--expected narrow.csv", "has 2 columns of outputs, the network has 3 outputs"},
           Bad{simulate + "--expected fractions.csv", "holds fractions, but network model has no softmax"},
           Bad{simulate + "--images 2", "--images asks for 2, in.bin has 1"},
           Bad{simulate + "--images random:3", "are made up, --inputs names a file"},
           Bad{simulate + "--output no/out.csv", "no/out.csv"},
           Bad{simulate + "--outputs out.csv", "--output FILE is where they go"},
           Bad{"cosim --network model.json", "only a chain of dense layers can be run"},
       }) {
    CAPTURE(bad.arguments);
    const Outcome outcome = desk.run(words(bad.arguments));
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(bad.says));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
}
