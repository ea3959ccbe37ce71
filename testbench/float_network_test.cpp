// Float networks and images of several planes: files good and broken.
#include "base/file.h"
#include "base/paths.h"
#include "net/float_network.h"
#include "net/image_set.h"
#include "net/safetensors.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

using namespace deltatwin;

namespace {

std::vector<float> numbers(RandomWork& random, std::size_t count) {
  std::vector<float> result(count);
  for (float& value : result)
    value = static_cast<float>(random.in(-1000, 1000)) / 512;
  return result;
}

FloatConvolution convolution(RandomWork& random, const std::string& name, int inputs, int outputs, int kernel,
                             int stride) {
  FloatConvolution layer = {name, inputs, outputs, kernel, stride, (kernel - 1) / 2, {}, {}};
  layer.weights = numbers(random, static_cast<std::size_t>(inputs * outputs * kernel * kernel));
  layer.bias = numbers(random, static_cast<std::size_t>(outputs));
  return layer;
}

// Three blocks, with every kind of shortcut.
FloatNetwork small_network(RandomWork& random) {
  FloatNetwork network;
  network.name = "small";
  network.description = "made up";
  network.planes = 2;
  network.rows = 6;
  network.columns = 5;
  network.mean = {0.25f, 0.5f};
  network.deviation = {0.125f, 0.75f};
  network.stem = convolution(random, "stem", 2, 3, 3, 1);
  network.blocks.push_back(
      {{convolution(random, "a.1", 3, 3, 3, 1), convolution(random, "a.2", 3, 3, 3, 1)}});
  network.blocks.push_back(
      {{convolution(random, "b.1", 3, 6, 3, 2), convolution(random, "b.2", 6, 6, 3, 1)}, Shortcut::padded});
  network.blocks.push_back({{convolution(random, "c.1", 6, 4, 3, 1)},
                            Shortcut::projection,
                            convolution(random, "c.past", 6, 4, 1, 1)});
  network.dense = convolution(random, "dense", 4, 10, 1, 1);
  return network;
}

void check_equal(const FloatConvolution& a, const FloatConvolution& b) {
  CHECK(a.name == b.name);
  CHECK(a.inputs == b.inputs);
  CHECK(a.outputs == b.outputs);
  CHECK(a.kernel == b.kernel);
  CHECK(a.stride == b.stride);
  CHECK(a.padding == b.padding);
  CHECK(a.weights == b.weights);
  CHECK(a.bias == b.bias);
}

// A file of one block as PyTorch's state_dict would give it, and the words that describe it.
const char* const description =
    R"({"format": "deltatwin-float-1", "name": "torch", "input": [1, 4, 4], "mean": [0], "deviation": [1],)"
    R"( "stem": {"layer": "conv1", "norm": "bn1"},)"
    R"( "blocks": [{"body": [{"layer": "conv2", "stride": 1, "padding": 1}], "shortcut": "identity"}],)"
    R"( "dense": "fc"})";

std::vector<std::pair<std::string, FloatTensor>> torch_tensors() {
  return {
      {"conv1.weight", {{1, 1, 1, 1}, {3}}}, {"bn1.weight", {{1}, {2}}},
      {"bn1.bias", {{1}, {0.5f}}},           {"bn1.running_mean", {{1}, {4}}},
      {"bn1.running_var", {{1}, {0.25f}}},   {"conv2.weight", {{1, 1, 3, 3}, {0, 0, 0, 0, 1, 0, 0, 0, 0}}},
      {"fc.weight", {{2, 1}, {1, -1}}},      {"fc.bias", {{2}, {0, 0.25f}}}};
}

std::string file_of(const std::vector<std::pair<std::string, FloatTensor>>& tensors,
                    const std::string& words = description) {
  return safetensors_text(tensors, {{"deltatwin", words}});
}

std::string refused(const std::string& text) {
  const std::string message = refusal([&] { static_cast<void>(parse_float_network(text, "x.safetensors")); });
  CHECK(message.find("x.safetensors") == 0);
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

// A raw file: any header.
std::string raw_file(const std::string& header, const std::string& data) {
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += static_cast<char>(header.size() >> (8 * i));
  return text + header + data;
}

} // namespace

TEST_CASE("float network: a file gives back what was saved") {
  RandomWork random(base_seed());
  const TemporaryDirectory directory("deltatwin-float");
  const FloatNetwork network = small_network(random);
  const std::string path = directory.path() + "/small.safetensors";
  save_float_network(network, path);
  const FloatNetwork again = load_float_network(path);
  CHECK(again.name == network.name);
  CHECK(again.description == network.description);
  CHECK(again.mean == network.mean);
  CHECK(again.deviation == network.deviation);
  CHECK(again.parameters() == network.parameters());
  check_equal(again.stem, network.stem);
  check_equal(again.dense, network.dense);
  REQUIRE(again.blocks.size() == 3);
  for (std::size_t b = 0; b < 3; ++b) {
    CHECK(again.blocks[b].shortcut == network.blocks[b].shortcut);
    REQUIRE(again.blocks[b].body.size() == network.blocks[b].body.size());
    for (std::size_t i = 0; i < again.blocks[b].body.size(); ++i)
      check_equal(again.blocks[b].body[i], network.blocks[b].body[i]);
  }
  check_equal(*again.blocks[2].projection, *network.blocks[2].projection);
  const std::vector<BlockShape> shapes = check_shapes(again, "small");
  CHECK(shapes[0].values() == 3 * 6 * 5);
  CHECK(shapes[1].rows == 3);
  CHECK(shapes[2].channels == 4);
}

TEST_CASE("float network: the committed one is what its recipe makes") {
  const FloatNetwork network = load_float_network(source_path("traces/fashion_resnet8.safetensors"));
  CHECK(network.name == "fashion_resnet8");
  CHECK_THAT(network.description, Catch::Contains("fashion-mnist: deltatwin train --resnet 8"));
  CHECK(network.parameters() == 74762);
  CHECK(network.classes() == 10);
  const std::vector<BlockShape> shapes = check_shapes(network, network.name);
  REQUIRE(shapes.size() == 3);
  CHECK(shapes[0].values() == 16 * 28 * 28);
  CHECK(shapes[2].values() == 64 * 7 * 7);
}

TEST_CASE("float network: batch normalization is folded, other tensors are left alone") {
  auto tensors = torch_tensors();
  std::string text = file_of(tensors);
  const FloatNetwork network = parse_float_network(text, "x");
  const double factor = 2 / std::sqrt(0.25 + 1e-5);
  CHECK(network.stem.weights[0] == Approx(3 * factor));
  CHECK(network.stem.bias[0] == Approx(0.5 - 4 * factor));
  CHECK(network.stem.padding == 0);
  CHECK(network.blocks[0].body[0].bias == std::vector<float>{0});
  CHECK(network.dense.bias == std::vector<float>{0, 0.25f});
  const std::string counter = R"("bn1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)";
  const std::string header = text.substr(8, text.find("}}") + 2 - 8);
  CHECK_NOTHROW(parse_float_network(
      raw_file("{" + counter + header.substr(1), text.substr(text.size() - 18 * 4)), "x"));
}

TEST_CASE("float network: a broken file is refused in one line") {
  const std::string good = file_of(torch_tensors());
  CHECK_THAT(refused(""), Catch::Contains("is no safetensors file"));
  CHECK_THAT(refused("0123456789"), Catch::Contains("no JSON header begins at byte 8"));
  CHECK_THAT(refused(good.substr(0, 100)), Catch::Contains("is cut or no safetensors file"));
  CHECK_THAT(refused(good.substr(0, good.size() - 1)),
             Catch::Contains("is cut: the data of tensor \"fc.bias\""));
  CHECK_THAT(refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)), Catch::Contains("is cut or no"));
  CHECK_THAT(refused(raw_file("{\"a\": }", "")), Catch::Contains("(header): line 1"));
  CHECK_THAT(refused(raw_file("{}", "")), Catch::Contains("__metadata__ has no entry \"deltatwin\""));
  CHECK_THAT(refused(replaced(good, "\"F32\"", "\"F16\"")), Catch::Contains("is of type F16, expected F32"));
  CHECK_THAT(refused(replaced(good, "[0,4]", "[4,0]")), Catch::Contains("span -4 bytes"));
  CHECK_THAT(refused(replaced(good, "[0,4]", "[0,8]")), Catch::Contains("span 8 bytes"));
  CHECK_THAT(refused(replaced(good, "[1,1,1,1]", "[1,1,1,0]")), Catch::Contains("shape[3]: 0 is outside"));
  CHECK_THAT(refused(replaced(good, "[1,1,1,1]", "[1,1,1]  ")),
             Catch::Contains("has 3 dimensions, expected 4"));
  CHECK_THAT(refused(replaced(good, "[1,1,3,3]", "[1,1,1,9]")), Catch::Contains("expected a square one"));

  for (const std::size_t missing : {0U, 4U, 6U}) {
    auto tensors = torch_tensors();
    const std::string name = tensors[missing].first;
    tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(missing));
    CHECK_THAT(refused(file_of(tensors)), Catch::Contains("the tensor \"" + name + "\" is missing"));
  }
  auto tensors = torch_tensors();
  tensors[0].second = {{1, 3, 1, 1}, {1, 2, 3}};
  CHECK_THAT(refused(file_of(tensors)), Catch::Contains("\"conv1\" takes 3 channels, there are 1"));
  tensors = torch_tensors();
  tensors[5].second.values[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(refused(file_of(tensors)), Catch::Contains("\"conv2.weight\" holds a value that is not finite"));
  tensors = torch_tensors();
  tensors[4].second.values[0] = -1;
  CHECK_THAT(refused(file_of(tensors)), Catch::Contains("a negative variance"));
  tensors = torch_tensors();
  tensors[1].second = {{2}, {1, 1}};
  CHECK_THAT(refused(file_of(tensors)),
             Catch::Contains("\"bn1.weight\" has 2 values, \"conv1\" has 1 outputs"));
  tensors = torch_tensors();
  tensors[7].second = {{3}, {1, 1, 1}};
  CHECK_THAT(refused(file_of(tensors)), Catch::Contains("\"fc.bias\" has 3 values, expected 2"));
}

TEST_CASE("float network: a wrong description is refused in one line") {
  const auto with = [](const std::string& from, const std::string& to) {
    return refused(file_of(torch_tensors(), replaced(description, from, to)));
  };
  CHECK_THAT(with("deltatwin-float-1", "deltatwin-float-2"),
             Catch::Contains("expected \"deltatwin-float-1\""));
  CHECK_THAT(with("\"torch\"", "\"=1+1\""), Catch::Contains("(deltatwin): name"));
  CHECK_THAT(with("[1, 4, 4]", "[1, 4]"), Catch::Contains("input: expected 3 integers"));
  CHECK_THAT(with("[1, 4, 4]", "[2, 4, 4]"), Catch::Contains("mean: expected 2 numbers, one a plane"));
  CHECK_THAT(with("\"deviation\": [1]", "\"deviation\": [0]"), Catch::Contains("deviation[0]"));
  CHECK_THAT(with("\"padding\": 1", "\"padding\": 3"), Catch::Contains("padding: 3 is outside 0..2"));
  CHECK_THAT(with("\"padding\": 1", "\"padding\": 0"),
             Catch::Contains("the shortcut of the block that ends"));
  CHECK_THAT(with("\"stride\": 1", "\"stride\": 2"), Catch::Contains("the shortcut of the block that ends"));
  CHECK_THAT(with("\"stride\"", "\"strides\""), Catch::Contains("unknown field \"strides\""));
  CHECK_THAT(with("\"identity\"", "\"none\""), Catch::Contains("shortcut"));
  CHECK_THAT(with("\"fc\"", "\"fd\""), Catch::Contains("the tensor \"fd.weight\" is missing"));
  CHECK_THAT(with("\"dense\"", "\"danse\""), Catch::Contains("unknown field \"danse\""));
  CHECK_THAT(refused(file_of(torch_tensors(), "{")), Catch::Contains("(deltatwin): line 1"));
}

TEST_CASE("image set: CIFAR-10's binary batches") {
  const TemporaryDirectory directory("deltatwin-cifar");
  const auto record = [](int label, int first) {
    std::string text(1, static_cast<char>(label));
    for (int i = 0; i < 3072; ++i)
      text += static_cast<char>(first + i);
    return text;
  };
  const auto path = [&](const std::string& name) { return directory.path() + "/" + name; };
  write_file(path("test_batch.bin"), record(3, 0) + record(9, 7));
  for (int b = 1; b <= 5; ++b)
    write_file(path("data_batch_" + std::to_string(b) + ".bin"), record(b, b) + record(0, 10 * b));
  const ImageSet test = load_image_set(directory.path(), Split::test);
  CHECK(test.planes == 3);
  CHECK(test.rows == 32);
  CHECK(test.columns == 32);
  CHECK(test.data.count == 2);
  CHECK(test.data.labels == std::vector<std::uint8_t>{3, 9});
  CHECK(test.data.images[3072 + 5] == 12);
  const ImageSet training = load_image_set(directory.path(), Split::train);
  CHECK(training.data.count == 10);
  CHECK(training.data.labels[8] == 5);
  CHECK(load_image_set(directory.path(), Split::train, 3).data.count == 3);
  const ImageSet part = training.part(4, 2);
  CHECK(part.data.labels == std::vector<std::uint8_t>{3, 0});
  CHECK(part.data.images[0] == 3);

  const auto refuse = [&](Split split) {
    return refusal([&] { static_cast<void>(load_image_set(directory.path(), split)); });
  };
  write_file(path("test_batch.bin"), record(10, 0));
  CHECK_THAT(refuse(Split::test), Catch::Contains("test_batch.bin: image 0 has the label 10"));
  write_file(path("test_batch.bin"), record(1, 0) + "x");
  CHECK_THAT(refuse(Split::test), Catch::Contains("has 3074 bytes, expected a multiple of 3073"));
  std::filesystem::remove(path("data_batch_4.bin"));
  CHECK_THAT(refuse(Split::train), Catch::Contains("data_batch_4.bin: cannot be read"));
  const TemporaryDirectory empty("deltatwin-empty");
  CHECK_THAT(refusal([&] { static_cast<void>(load_image_set(empty.path(), Split::test)); }),
             Catch::Contains("holds neither IDX files"));
}
