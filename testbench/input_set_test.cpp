// Inputs of networks from files: .npy, IDX, CIFAR-10's batches, raw records.
#include "base/file.h"
#include "net/input_set.h"
#include "net/npy.h"
#include "random_work.h"
#include "refusal.h"
#include "temporary_directory.h"
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

const Tensor int8_map = {"in", {2, 3, 1}, {8, true, 5}, 0.5F};
const Tensor uint8_map = {"in", {2, 3, 1}, {8, false, 5}, 0.5F};

/// A file of a directory that goes when the test ends.
class Files {
public:
  [[nodiscard]] std::string operator()(const std::string& name, const std::string& text) const {
    const std::string path = directory_.path() + "/" + name;
    write_file(path, text);
    return path;
  }

private:
  TemporaryDirectory directory_{"deltatwin-inputs"};
};

NpyArray array(NpyArray::Kind kind, std::size_t bytes, const std::vector<std::uint64_t>& shape,
               const std::string& data) {
  NpyArray result;
  result.kind = kind;
  result.bytes = bytes;
  result.shape = shape;
  result.data = data;
  return result;
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

} // namespace

TEST_CASE("inputs: raw records are what the network takes, or of the type that is told") {
  const Files file;
  const std::string path =
      file("raw.bin", std::string("\x00\x01\x7f\x80\xff\x05\x06\x07\x08\x09\x0a\x0b", 12));
  const InputSet plain = load_inputs(path, int8_map, ByteType::of_network, 0);
  CHECK(plain.count == 2);
  CHECK(plain.values == std::vector<std::int32_t>{0, 1, 127, -128, -1, 5, 6, 7, 8, 9, 10, 11});
  CHECK(load_inputs(path, int8_map, ByteType::unsigned_byte, 1).values ==
        std::vector<std::int32_t>{-128, -127, -1, 0, 127, -123});
  CHECK(load_inputs(path, uint8_map, ByteType::of_network, 1).values ==
        std::vector<std::int32_t>{0, 1, 127, 128, 255, 5});
  CHECK(load_inputs(path, uint8_map, ByteType::signed_byte, 1).values ==
        std::vector<std::int32_t>{128, 129, 255, 0, 127, 133});
  Tensor narrow = int8_map;
  narrow.format.bits = 4;
  CHECK_THAT(refusal([&] { (void)load_inputs(path, narrow, ByteType::of_network, 0); }),
             Catch::EndsWith("value 2 of record 0 is 127, the network takes -8..7"));
  CHECK_THAT(refusal([&] { (void)load_inputs(path, int8_map, ByteType::of_network, 3); }),
             Catch::StartsWith("--images asks for 3") && Catch::EndsWith("has 2"));
  CHECK_THAT(
      refusal([&] { (void)load_inputs(file("odd.bin", "1234567"), int8_map, ByteType::of_network, 0); }),
      Catch::Contains("7 bytes: no whole records") && Catch::EndsWith("of 2 x 3 x 1 = 6 values"));
}

TEST_CASE("inputs: of a pixel a narrow tensor takes the upper bits") {
  ImageSet images;
  images.planes = 2;
  images.rows = 1;
  images.columns = 2;
  images.data.count = 1;
  images.data.pixels = 4;
  images.data.images = {0, 15, 130, 255}; // a plane, then the other
  images.data.labels = {3};
  const auto inputs = [&](int bits, bool is_signed) {
    return image_inputs(images, "it", {"in", {1, 2, 2}, {bits, is_signed, 0}, 0}).values;
  };
  CHECK(inputs(8, false) == std::vector<std::int32_t>{0, 130, 15, 255});
  CHECK(inputs(8, true) == std::vector<std::int32_t>{-128, 2, -113, 127});
  CHECK(inputs(4, false) == std::vector<std::int32_t>{0, 8, 0, 15});
  CHECK(inputs(4, true) == std::vector<std::int32_t>{-8, 0, -8, 7});
  CHECK(inputs(1, false) == std::vector<std::int32_t>{0, 1, 0, 1});
  CHECK(inputs(12, false) == std::vector<std::int32_t>{0, 130, 15, 255});
  CHECK(image_inputs(images, "it", {"in", {1, 2, 2}, {8, true, 0}, 0}).labels == std::vector<int>{3});
  CHECK_THAT(refusal([&] { (void)image_inputs(images, "it", int8_map); }),
             Catch::StartsWith("it: has images of 4 values"));
}

TEST_CASE("inputs: .npy files of integers and floats are read, and come back as they were written") {
  const Files file;
  const auto read = [&](const NpyArray& contents, const Tensor& tensor) {
    return load_inputs(file("x.npy", npy_text(contents)), tensor, ByteType::of_network, 0).values;
  };
  using Kind = NpyArray::Kind;
  const std::string six("\x00\x01\x02\x80\xff\x7f", 6);
  CHECK(read(array(Kind::signed_integer, 1, {1, 2, 3}, six), int8_map) ==
        std::vector<std::int32_t>{0, 1, 2, -128, -1, 127});
  CHECK(read(array(Kind::unsigned_integer, 1, {2, 3, 1}, six), int8_map) ==
        std::vector<std::int32_t>{-128, -127, -126, 0, 127, -1});
  CHECK(
      read(array(Kind::signed_integer, 2, {1, 6}, std::string("\x01\0\xff\xff\x05\0\x06\0\x07\0\x08\0", 12)),
           int8_map) == std::vector<std::int32_t>{1, -1, 5, 6, 7, 8});
  // Steps of 0.5 behind 5: ties to the even step, ends clamped.
  CHECK(read(array(Kind::real, 4, {1, 6}, floats({0, 0.25F, 0.75F, -0.25F, 1000, -1000})), int8_map) ==
        std::vector<std::int32_t>{5, 5, 7, 5, 127, -128});
  Tensor no_scale = int8_map;
  no_scale.scale = 0;
  CHECK_THAT(refusal([&] {
               (void)read(array(Kind::real, 4, {1, 6}, floats({0, 0, 0, 0, 0, 0})), no_scale);
             }),
             Catch::Contains("does not tell its input's scale"));
  CHECK_THAT(refusal([&] {
               (void)read(array(Kind::signed_integer, 1, {3, 2}, six), {"in", {2}, {}, 0});
             }), //
             Catch::Equals("accepted"));
  CHECK_THAT(refusal([&] {
               (void)read(array(Kind::signed_integer, 1, {2, 3}, six), {"in", {2}, {}, 0});
             }),
             Catch::Contains("records of another size: 6 values, the first dimension 2"));
  RandomWork random(base_seed() + 1);
  for (int n = 0; n < repeats(50); ++n) {
    const auto bytes = std::size_t{1} << random.in(0, 3);
    const std::uint64_t rows = static_cast<std::uint64_t>(random.in(1, 9));
    const std::vector<std::int8_t> data = random.bytes(rows * 3 * bytes);
    const NpyArray written = array(Kind::signed_integer, bytes, {rows, 3}, {data.begin(), data.end()});
    const NpyArray again = parse_npy(npy_text(written), "x");
    REQUIRE(again.data == written.data);
    REQUIRE(again.shape == written.shape);
    REQUIRE(again.bytes == bytes);
  }
}

TEST_CASE("inputs: a .npy file that is cut, damaged or of another kind is refused") {
  const std::string good = npy_text(array(NpyArray::Kind::signed_integer, 1, {6}, "abcdef"));
  CHECK(refusal([&] { (void)parse_npy(good, "x"); }) == "accepted");
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return refusal([&] { (void)parse_npy(text.replace(text.find(from), from.size(), to), "x"); });
  };
  for (std::size_t length = 0; length < good.size(); ++length)
    REQUIRE(refusal([&] { (void)parse_npy(good.substr(0, length), "x"); }) != "accepted");
  CHECK_THAT(refused("False", "True "), Catch::Contains("Fortran"));
  CHECK_THAT(refused("|i1", ">i2"), Catch::Contains("has numbers of type >i2"));
  CHECK_THAT(refused("|i1", "|b1"), Catch::Contains("has numbers of type |b1"));
  CHECK_THAT(refused("|i1", "<f2"), Catch::Contains("float32 and float64 are possible"));
  CHECK_THAT(refused("|i1", "|O1"), Catch::Contains("is no .npy file of integers or floats"));
  CHECK_THAT(refused("(6, )", "(7, )"), Catch::Contains("does not go with its 6 bytes"));
  CHECK_THAT(refused("(6, )", "(9999999999, 9999999999, 9999999999, 9999999999)"), Catch::Contains("is cut"));
}

TEST_CASE("inputs: IDX files and CIFAR-10's batches enter as maps do") {
  const Files file;
  const std::string header("\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x03", 16);
  const std::string idx = file("t10k-images-idx3-ubyte", header + std::string("\x00\x80\xff\x01\x02\x03", 6));
  CHECK(load_inputs(idx, int8_map, ByteType::of_network, 0).values ==
        std::vector<std::int32_t>{-128, 0, 127, -127, -126, -125});
  CHECK_THAT(refusal([&] {
               (void)load_inputs(idx, {"in", {2, 2, 1}, {}, 0}, ByteType::of_network, 0);
             }),
             Catch::Contains("images of 6 values"));
  std::string batch;
  for (int label : {3, 9}) {
    batch += static_cast<char>(label);
    for (int plane = 0; plane < 3; ++plane)
      for (int pixel = 0; pixel < 1024; ++pixel)
        batch += static_cast<char>(plane * 50 + pixel % 10);
  }
  const std::string path = file("test_batch.bin", batch);
  const InputSet set = load_inputs(path, {"in", {32, 32, 3}, {8, false, 0}, 0}, ByteType::of_network, 0);
  REQUIRE(set.count == 2);
  CHECK(set.labels == std::vector<int>{3, 9});
  for (std::size_t i = 0; i < 3072; ++i) // red, green and blue of a pixel beside each other
    REQUIRE(set.values[i] == static_cast<int>(i % 3 * 50 + i / 3 % 10));
  const std::string directory = path.substr(0, path.rfind('/'));
  CHECK(load_input_directory(directory, {"in", {32, 32, 3}, {8, true, 0}, 0}, 1).values[1] == 50 - 128);
}
