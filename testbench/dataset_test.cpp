#include "base/error.h"
#include "base/file.h"
#include "net/dataset.h"
#include "random_work.h"
#include "temporary_directory.h"
#include <algorithm>
#include <boost/iostreams/copy.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <numeric>
#include <sstream>

using namespace deltatwin;

namespace {

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

// An IDX file: what its header says, and data that may be something else.
std::string idx(const std::vector<std::uint32_t>& sizes, const std::string& data, std::uint32_t type = 0x08) {
  std::string text = big_endian(type << 8 | static_cast<std::uint32_t>(sizes.size()));
  for (const std::uint32_t size : sizes)
    text += big_endian(size);
  return text + data;
}

// 0, 1, 2, ... 255, 0, ...
std::string counting(std::size_t count) {
  std::string data(count, '\0');
  std::iota(data.begin(), data.end(), '\0');
  return data;
}

std::string gzip(const std::string& text) {
  std::istringstream plain(text);
  boost::iostreams::filtering_istream in;
  in.push(boost::iostreams::gzip_compressor());
  in.push(plain);
  std::ostringstream packed;
  boost::iostreams::copy(in, packed);
  return packed.str();
}

struct Files {
  std::string images = idx({3, 2, 5}, counting(30));
  std::string labels = idx({3}, std::string("\x07\x00\x09", 3));
  std::string images_suffix, labels_suffix;
};

Dataset load(const Files& files, int limit = 0) {
  const TemporaryDirectory directory("deltatwin-dataset");
  if (!files.images.empty())
    write_file(directory.path() + "/t10k-images-idx3-ubyte" + files.images_suffix, files.images);
  if (!files.labels.empty())
    write_file(directory.path() + "/t10k-labels-idx1-ubyte" + files.labels_suffix, files.labels);
  return load_dataset(directory.path(), "t10k", limit);
}

Files compressed() {
  Files files;
  files.images = gzip(files.images);
  files.labels = gzip(files.labels);
  files.images_suffix = files.labels_suffix = ".gz";
  return files;
}

std::string complaint(const Files& files, int limit = 0) {
  try {
    (void)load(files, limit);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

} // namespace

TEST_CASE("data set: plain and compressed files are read alike, up to the limit") {
  Files mixed = compressed();
  mixed.labels = Files().labels;
  mixed.labels_suffix.clear();
  for (const Files& files : {Files(), compressed(), mixed})
    for (const int limit : {0, 1, 2, 3, 4, 1000}) {
      CAPTURE(files.images_suffix, files.labels_suffix, limit);
      const Dataset set = load(files, limit);
      const int count = limit == 0 ? 3 : std::min(limit, 3);
      CHECK(set.count == count);
      CHECK(set.pixels == 10);
      const std::string images = counting(static_cast<std::size_t>(10 * count));
      CHECK(set.images == std::vector<std::uint8_t>(images.begin(), images.end()));
      std::vector<std::uint8_t> labels = {7, 0, 9};
      labels.resize(static_cast<std::size_t>(count));
      CHECK(set.labels == labels);
    }
}

TEST_CASE("data set: pixel p enters a network as p - 128") {
  Files files;
  files.images = idx({2, 16, 16}, counting(512));
  files.labels = idx({2}, "ab");
  const Dataset set = load(files);
  for (int n = 0; n <= 2; ++n) {
    const std::vector<std::int8_t> inputs = set.inputs(n);
    REQUIRE(inputs.size() == static_cast<std::size_t>(256 * n));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      REQUIRE(inputs[i] == static_cast<int>(i % 256) - 128);
  }
}

TEST_CASE("data set: wrong files are refused by name") {
  struct Case {
    const char* name;
    void (*spoil)(Files&);
    std::string message;
  };
  const std::string images = "t10k-images-idx3-ubyte", labels = "t10k-labels-idx1-ubyte";
  const std::string no_idx3 = ": is no IDX file of 3-dimensional unsigned bytes";
  const std::string impossible = ": has an impossible size in its header", truncated = ": is truncated";
  const Case cases[] = {
      {"no images", [](Files& f) { f.images.clear(); }, images + ".gz: no such file"},
      {"no labels", [](Files& f) { f.labels.clear(); }, labels + ".gz: no such file"},
      {"a byte short", [](Files& f) { f.images.pop_back(); },
       images + truncated + ": 30 bytes of data expected, 29 there"},
      {"no data", [](Files& f) { f.images.resize(16); }, images + truncated},
      {"half a header", [](Files& f) { f.images.resize(10); }, images + impossible},
      {"two bytes", [](Files& f) { f.images.resize(2); }, images + no_idx3},
      {"labels a byte short", [](Files& f) { f.labels.pop_back(); }, labels + truncated},
      {"more than the header says", [](Files& f) { f.images += 'x'; },
       images + ": holds more than the 30 bytes of data that its header says"},
      {"labels for images", [](Files& f) { f.images = f.labels; }, images + no_idx3},
      {"images for labels", [](Files& f) { f.labels = f.images; },
       labels + ": is no IDX file of 1-dimensional"},
      {"16-bit elements",
       [](Files& f) {
         f.images = idx({3, 2, 5}, counting(60), 0x0b);
       },
       images + no_idx3},
      {"text", [](Files& f) { f.images = "{\"images\": []}"; }, images + no_idx3},
      {"compressed, named as plain", [](Files& f) { f.images = gzip(f.images); }, images + no_idx3},
      {"plain, named as compressed", [](Files& f) { f.images_suffix = ".gz"; }, images + ".gz" + truncated},
      {"4 billion images",
       [](Files& f) {
         f.images = idx({0xffffffff, 28, 28}, "x");
       },
       images + impossible},
      {"a million images, none there",
       [](Files& f) {
         f.images = idx({1000000, 28, 28}, "x");
         f.labels = idx({1000000}, std::string(1000000, 'x'));
       },
       images + truncated + ": 784000000 bytes of data expected, 1 there"},
      {"more than a gigabyte",
       [](Files& f) {
         f.images = idx({10000000, 28, 28}, "x");
         f.labels = idx({10000000}, std::string(10000000, 'x'));
       },
       images + ": has 7840000000 bytes of data in its header, at most 1073741824 are read"},
      {"compressed to nothing",
       [](Files& f) {
         f.images = gzip(idx({500000, 28, 28}, std::string(1000000, '\0')));
         f.images_suffix = ".gz";
         f.labels = idx({500000}, std::string(500000, 'x'));
       },
       images + ".gz: has 392000000 bytes of data in its header, compressed to "},
      {"images of 2^64 pixels",
       [](Files& f) {
         f.images = idx({3, 0xffffffff, 0xffffffff}, "x");
       },
       images + impossible},
      {"images of 0 pixels",
       [](Files& f) {
         f.images = idx({3, 0, 5}, "");
       },
       images + impossible},
      {"a label missing", [](Files& f) { f.labels = idx({2}, "ab"); }, ": 3 t10k images but 2 labels"},
      {"a label too many", [](Files& f) { f.labels = idx({4}, "abcd"); }, ": 3 t10k images but 4 labels"},
      {"empty",
       [](Files& f) {
         f.images = idx({0, 28, 28}, "");
         f.labels = idx({0}, "");
       },
       ": the t10k set is empty"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.name);
    Files files;
    bad.spoil(files);
    CHECK_THAT(complaint(files), Catch::Contains(bad.message));
  }
}

TEST_CASE("data set: a compressed file that ends too early is refused wherever it ends") {
  const Files whole = compressed();
  for (std::size_t length = 1; length < whole.images.size(); ++length) {
    CAPTURE(length, whole.images.size());
    Files files = whole;
    files.images.resize(length);
    const std::string message = complaint(files);
    CHECK_THAT(message, Catch::Contains("t10k-images-idx3-ubyte.gz: "));
    CHECK_THAT(message, Catch::Contains("is truncated") || Catch::Contains("is no IDX file") ||
                            Catch::Contains("impossible size"));
  }
}

TEST_CASE("data set: a wrong bit in a compressed file is found before it is data") {
  const Files whole = compressed();
  const std::vector<std::uint8_t> images = load(whole).images;
  int accepted = 0;
  for (std::size_t at = 10; at < whole.images.size(); ++at) // behind gzip's own header
    for (const int bit : {0, 3, 7}) {
      CAPTURE(at, bit);
      Files files = whole;
      files.images[at] = static_cast<char>(files.images[at] ^ 1 << bit);
      try {
        const Dataset set = load(files);
        CHECK(set.images == images);
        ++accepted;
      } catch (const InputError& error) {
        CHECK_THAT(error.what(), Catch::Contains("t10k-images-idx3-ubyte.gz: "));
      }
    }
  CHECK(accepted <= 16); // padding, and the length that gzip repeats at its end
}

TEST_CASE("data set: zeros behind a compressed file are padding") {
  const Files whole = compressed();
  for (const std::size_t zeros : {1u, 2u, 511u, 5000u}) {
    CAPTURE(zeros);
    Files files = whole;
    files.images.append(zeros, '\0');
    files.labels.append(zeros, '\0');
    CHECK(load(files).images == load(whole).images);
  }
}

TEST_CASE("data set: images of another size than the network's are refused before they are read") {
  const TemporaryDirectory directory("deltatwin-dataset");
  write_file(directory.path() + "/t10k-images-idx3-ubyte", idx({1000, 28, 28}, "none are there"));
  write_file(directory.path() + "/t10k-labels-idx1-ubyte", idx({1000}, "neither"));
  RandomWork random(base_seed());
  Network network = random.network({100, 10}, {Scheme::plain, 8, Group::layer, 0, 0});
  network.name = "narrow";
  CHECK_THROWS_WITH(load_dataset(directory.path(), "t10k", 0, &network),
                    "network narrow has 100 inputs, the images of " + directory.path() + " have 784 pixels");
}

TEST_CASE("data set: a label that a network has no output for is refused") {
  CHECK_NOTHROW(check_labels({0, 3, 9}, 10));
  CHECK_THROWS_WITH(check_labels({0, 10, 9}, 10), "image 1 has the label 10, but the network has 10 outputs: "
                                                  "no accuracy can be told");
}

TEST_CASE("data set: a directory in a file's place and no directory at all are refused") {
  const TemporaryDirectory directory("deltatwin-dataset");
  std::filesystem::create_directory(directory.path() + "/t10k-images-idx3-ubyte");
  CHECK_THROWS_AS(load_dataset(directory.path(), "t10k"), InputError);
  CHECK_THROWS_WITH(load_dataset(directory.path() + "/missing", "t10k"),
                    Catch::Contains("/missing/t10k-images-idx3-ubyte.gz: no such file"));
}

TEST_CASE("data set: Debian's Fashion-MNIST is there") {
  const Dataset set = load_dataset(default_dataset, "t10k");
  CHECK(set.count == 10000);
  CHECK(set.pixels == 784);
  CHECK(set.images.size() == 7840000);
  for (int label = 0; label < 10; ++label)
    CHECK(std::count(set.labels.begin(), set.labels.end(), label) == 1000);
  const Dataset few = load_dataset(default_dataset, "t10k", 7);
  CHECK(few.count == 7);
  CHECK(std::equal(few.images.begin(), few.images.end(), set.images.begin()));
  CHECK(std::equal(few.labels.begin(), few.labels.end(), set.labels.begin()));
}
