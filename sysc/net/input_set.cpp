#include "net/input_set.h"
#include "base/error.h"
#include "base/file.h"
#include "net/argmax.h"
#include "net/image_set.h"
#include "net/npy.h"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

namespace deltatwin {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 30;
constexpr std::uint64_t most_values = std::uint64_t{1} << 28;
constexpr std::size_t cifar_record = 3073;

std::string elements_text(const Tensor& tensor) {
  std::string text;
  for (const int size : tensor.shape)
    text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

[[noreturn]] void fail_size(const std::string& path, const Tensor& tensor, const std::string& has) {
  throw InputError(path + ": has " + has + ", the network's input is of " + elements_text(tensor) + " = " +
                   std::to_string(tensor.elements()) + " values");
}

// What is added to integers of a file so that its lowest is the tensor's.
int shift_of(const Tensor& tensor, bool file_is_signed) {
  return tensor.format.is_signed == file_is_signed ? 0 : file_is_signed ? 128 : -128;
}

void check_range(const std::string& path, const Tensor& tensor, std::int64_t value, std::size_t index) {
  if (value < tensor.format.low() || value > tensor.format.high())
    throw InputError(path + ": value " + std::to_string(index % tensor.elements()) + " of record " +
                     std::to_string(index / tensor.elements()) + " is " + std::to_string(value) +
                     ", the network takes " + std::to_string(tensor.format.low()) + ".." +
                     std::to_string(tensor.format.high()));
}

int limited(std::uint64_t there, int limit, const std::string& path) {
  if (limit && there < static_cast<std::uint64_t>(limit))
    throw InputError("--images asks for " + std::to_string(limit) + ", " + path + " has " +
                     std::to_string(there));
  return limit ? limit : static_cast<int>(there);
}

InputSet from_npy(const std::string& text, const std::string& path, const Tensor& tensor, int limit) {
  const NpyArray array = parse_npy(text, path);
  const std::uint64_t each = tensor.elements();
  if (array.elements() == 0 || array.elements() % each ||
      (array.shape[0] != array.elements() / each && array.elements() != each))
    fail_size(path, tensor,
              "records of another size: " + std::to_string(array.elements()) +
                  " values, the first "
                  "dimension " +
                  (array.shape.empty() ? "missing" : std::to_string(array.shape[0])));
  InputSet set;
  set.count = limited(array.elements() / each, limit, path);
  const bool real = array.kind == NpyArray::Kind::real;
  if (real && tensor.scale == 0)
    throw InputError(
        path + ": holds floats, but the network does not tell its input's scale; integers are possible");
  const int shift =
      real || array.bytes > 1 ? 0 : shift_of(tensor, array.kind == NpyArray::Kind::signed_integer);
  const std::size_t count = static_cast<std::size_t>(set.count) * each;
  set.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!real) {
      check_range(path, tensor, array.integer(i) + shift, i);
      set.values.push_back(static_cast<std::int32_t>(array.integer(i) + shift));
      continue;
    }
    const float quotient = static_cast<float>(array.real(i)) / tensor.scale; // as QuantizeLinear divides
    if (std::isnan(quotient))
      throw InputError(path + ": value " + std::to_string(i) + " is no number");
    const double steps = std::nearbyint(std::clamp(static_cast<double>(quotient), -1e6, 1e6));
    set.values.push_back(std::clamp(static_cast<int>(steps) + tensor.format.zero_point, tensor.format.low(),
                                    tensor.format.high()));
  }
  return set;
}

InputSet from_bytes(const std::string& text, const std::string& path, const Tensor& tensor, ByteType bytes,
                    int limit) {
  const std::uint64_t each = tensor.elements();
  if (text.size() % each)
    fail_size(path, tensor,
              std::to_string(text.size()) + " bytes: no whole records, nor a file that is known");
  InputSet set;
  set.count = limited(text.size() / each, limit, path);
  const bool is_signed =
      bytes == ByteType::of_network ? tensor.format.is_signed : bytes == ByteType::signed_byte;
  const int shift = shift_of(tensor, is_signed);
  const std::size_t count = static_cast<std::size_t>(set.count) * each;
  set.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int value =
        shift + (is_signed ? static_cast<std::int8_t>(text[i]) : static_cast<std::uint8_t>(text[i]));
    check_range(path, tensor, value, i);
    set.values.push_back(value);
  }
  return set;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace

InputSet image_inputs(const ImageSet& images, const std::string& path, const Tensor& tensor) {
  const Dataset& data = images.data;
  if (static_cast<std::uint64_t>(data.pixels) != tensor.elements())
    fail_size(path, tensor, "images of " + std::to_string(data.pixels) + " values");
  InputSet set;
  set.count = data.count;
  set.labels.assign(data.labels.begin(), data.labels.end());
  set.values.reserve(data.images.size());
  const Format& format = tensor.format;
  const int drop = std::max(0, 8 - format.bits), shift = drop > 0 ? format.low() : shift_of(tensor, false);
  for (int i = 0; i < data.count; ++i)
    for (const std::uint8_t pixel : interleaved(images, i))
      set.values.push_back((pixel >> drop) + shift);
  return set;
}

InputSet load_inputs(const std::string& path, const Tensor& tensor, ByteType bytes, int limit) {
  const std::string text = read_file(path, largest_file);
  if (text.size() > most_values)
    throw InputError(path + ": has more than " + std::to_string(most_values) + " bytes");
  if (is_npy(text))
    return from_npy(text, path, tensor, limit);
  const bool idx = text.size() > 4 && text.compare(0, 4, std::string("\0\0\x08\x03", 4)) == 0;
  if (idx || ends_with(path, ".gz")) {
    ImageSet images;
    images.data = load_idx_images(path, limit);
    images.data.count = limited(static_cast<std::uint64_t>(images.data.count), limit, path);
    return image_inputs(images, path, tensor);
  }
  const std::uint64_t each = tensor.elements();
  if (each == cifar_record - 1 && text.size() % each && text.size() % cifar_record == 0) {
    const ImageSet images = load_cifar_batch(path, limit);
    (void)limited(static_cast<std::uint64_t>(images.data.count), limit, path);
    return image_inputs(images, path, tensor);
  }
  return from_bytes(text, path, tensor, bytes, limit);
}

InputSet load_input_directory(const std::string& directory, const Tensor& tensor, int limit) {
  const ImageSet images = load_image_set(directory, Split::test, limit);
  (void)limited(static_cast<std::uint64_t>(images.data.count), limit, directory);
  return image_inputs(images, directory, tensor);
}

InputSet make_inputs(const Tensor& tensor, int count, std::uint64_t seed) {
  InputSet set;
  set.count = count;
  const std::uint64_t each = tensor.elements();
  if (static_cast<std::uint64_t>(count) * each > most_values)
    throw InputError("--images random:" + std::to_string(count) + " are too many: of " +
                     std::to_string(each) + " values each, " + std::to_string(most_values / each) +
                     " images are possible");
  std::mt19937_64 generator(seed);
  const auto span =
      static_cast<std::uint64_t>(tensor.format.high() - tensor.format.low() + 1); // a power of two
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count) * each; ++i)
    set.values.push_back(tensor.format.low() + static_cast<int>((generator() >> 40) % span));
  return set;
}

double accuracy(const std::vector<std::int32_t>& outputs, std::size_t width, const std::vector<int>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (static_cast<std::size_t>(labels[i]) >= width)
      throw InputError("image " + std::to_string(i) + " has the label " + std::to_string(labels[i]) +
                       ", but the network has " + std::to_string(width) +
                       " outputs: no accuracy can be told");
  return labels.empty() ? 0 : count_right(outputs, width, labels) / static_cast<double>(labels.size());
}

} // namespace deltatwin
