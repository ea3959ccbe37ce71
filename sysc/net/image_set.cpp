#include "net/image_set.h"
#include "base/error.h"
#include "base/file.h"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <vector>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

constexpr int cifar_side = 32, cifar_planes = 3, cifar_classes = 10;
constexpr std::size_t cifar_pixels = std::size_t{cifar_planes} * cifar_side * cifar_side;
constexpr std::size_t cifar_record = cifar_pixels + 1;

std::vector<std::string> cifar_files(Split split) {
  if (split == Split::test)
    return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

void append_batch(const std::string& path, int limit, Dataset& set) {
  const std::string text = read_file(path, std::size_t{1} << 28);
  if (text.size() % cifar_record)
    throw InputError(path + ": has " + std::to_string(text.size()) + " bytes, expected a multiple of " +
                     std::to_string(cifar_record) + ": a label and 3 x 32 x 32 pixels an image");
  for (std::size_t at = 0; at < text.size() && (limit == 0 || set.count < limit); at += cifar_record) {
    const auto label = static_cast<std::uint8_t>(text[at]);
    if (label >= cifar_classes)
      throw InputError(path + ": image " + std::to_string(at / cifar_record) + " has the label " +
                       std::to_string(label) + ", expected 0..9");
    set.labels.push_back(label);
    const auto* pixels = reinterpret_cast<const std::uint8_t*>(text.data()) + at + 1;
    set.images.insert(set.images.end(), pixels, pixels + cifar_pixels);
    ++set.count;
  }
}

ImageSet empty_cifar() {
  ImageSet set;
  set.planes = cifar_planes;
  set.rows = set.columns = cifar_side;
  set.data.pixels = static_cast<int>(cifar_pixels);
  return set;
}

ImageSet load_cifar(const std::string& directory, Split split, int limit) {
  ImageSet set = empty_cifar();
  for (const std::string& file : cifar_files(split))
    if (limit == 0 || set.data.count < limit)
      append_batch(directory + "/" + file, limit, set.data);
  return set;
}

bool is_cifar(const std::string& directory) {
  std::error_code error;
  return fs::exists(directory + "/test_batch.bin", error) ||
         fs::exists(directory + "/data_batch_1.bin", error);
}

bool is_idx(const std::string& directory) {
  std::error_code error;
  for (const char* stem : {"/t10k-images-idx3-ubyte", "/train-images-idx3-ubyte"})
    for (const char* end : {"", ".gz"})
      if (fs::exists(directory + stem + end, error))
        return true;
  return false;
}

} // namespace

ImageSet ImageSet::part(int begin, int count) const {
  ImageSet result;
  result.planes = planes;
  result.rows = rows;
  result.columns = columns;
  result.data.count = count;
  result.data.pixels = data.pixels;
  const auto first = data.images.begin() + static_cast<std::ptrdiff_t>(begin) * data.pixels;
  result.data.images.assign(first, first + static_cast<std::ptrdiff_t>(count) * data.pixels);
  result.data.labels.assign(data.labels.begin() + begin, data.labels.begin() + begin + count);
  return result;
}

ImageSet load_image_set(const std::string& directory, Split split, int limit) {
  if (is_cifar(directory))
    return load_cifar(directory, split, limit);
  if (!is_idx(directory))
    throw InputError(directory +
                     ": holds neither IDX files (t10k-images-idx3-ubyte[.gz], ...) nor CIFAR-10's "
                     "binary batches (test_batch.bin, data_batch_1.bin, ...)");
  ImageSet set;
  set.data = load_dataset(directory, split == Split::test ? "t10k" : "train", limit);
  const int side = static_cast<int>(std::lround(std::sqrt(set.data.pixels)));
  if (side * side != set.data.pixels)
    throw InputError(directory + ": the images have " + std::to_string(set.data.pixels) +
                     " pixels, expected square ones");
  set.rows = set.columns = side;
  return set;
}

ImageSet load_cifar_batch(const std::string& path, int limit) {
  ImageSet set = empty_cifar();
  append_batch(path, limit, set.data);
  return set;
}

std::vector<std::uint8_t> interleaved(const ImageSet& set, int image) {
  const auto pixels = static_cast<std::size_t>(set.data.pixels),
             planes = static_cast<std::size_t>(set.planes), each = pixels / planes;
  const std::uint8_t* from = &set.data.images[static_cast<std::size_t>(image) * pixels];
  std::vector<std::uint8_t> result(pixels);
  for (std::size_t p = 0; p < planes; ++p)
    for (std::size_t i = 0; i < each; ++i)
      result[i * planes + p] = from[p * each + i];
  return result;
}

int validation_count(int training_images) { return std::min(5000, std::max(training_images / 10, 1)); }

} // namespace deltatwin
