#include "net/dataset.h"
#include "base/error.h"
#include <algorithm>
#include <filesystem>
#include <memory>
#include <zlib.h>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
// Pixels are compressed to a fifth, not to a thousandth.
constexpr std::uint64_t most_expansion = 200, small_enough = std::uint64_t{64} << 20;

// An IDX file of unsigned bytes, plain or compressed: magic 00 00 08 <dimensions>, then one big-endian
// 32-bit size a dimension, then the data.
class IdxFile {
public:
  IdxFile(const std::string& stem, std::size_t dimensions, int limit);

  /// Of what is to be read: the first is at most the limit.
  [[nodiscard]] const std::vector<std::uint32_t>& sizes() const { return sizes_; }
  [[nodiscard]] std::vector<std::uint8_t> read();
  [[noreturn]] void fail(const std::string& what) const { throw InputError(path_ + ": " + what); }

private:
  std::size_t read_some(std::uint8_t* data, std::size_t count);
  std::uint32_t word(const std::string& complaint); // where the file ends before it

  std::string path_;
  bool plain_, whole_ = true;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_{nullptr, gzclose};
  std::vector<std::uint32_t> sizes_;
  std::uint64_t bytes_ = 1;
};

IdxFile::IdxFile(const std::string& stem, std::size_t dimensions, int limit) {
  std::error_code error;
  const bool names_gzip = stem.size() > 3 && stem.compare(stem.size() - 3, 3, ".gz") == 0;
  plain_ = !names_gzip && fs::exists(stem, error);
  path_ = plain_ || names_gzip ? stem : stem + ".gz";
  if (!fs::exists(path_, error))
    fail("no such file; --dataset names the directory with the IDX files (Debian package "
         "dataset-fashion-mnist)");
  if (!fs::is_regular_file(path_, error))
    fail("is no file");
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_)
    fail("cannot be read");
  const std::string no_idx =
      "is no IDX file of " + std::to_string(dimensions) + "-dimensional unsigned bytes";
  const bool magic = word(no_idx) == 0x800 + dimensions;
  if (!plain_ && gzdirect(file_.get()))
    fail("is truncated or no gzip file");
  if (!magic || (plain_ && !gzdirect(file_.get())))
    fail(no_idx);
  for (std::size_t d = 0; d < dimensions; ++d)
    sizes_.push_back(word("has an impossible size in its header: it ends there"));
  std::uint64_t each = 1;
  for (std::size_t d = 1; d < dimensions; ++d)
    each *= sizes_[d];
  if (sizes_[0] > 10'000'000 || each == 0 || each > 1'000'000)
    fail("has an impossible size in its header");
  if (limit && sizes_[0] > static_cast<std::uint32_t>(limit)) {
    sizes_[0] = static_cast<std::uint32_t>(limit);
    whole_ = false;
  }
  bytes_ = sizes_[0] * each;
}

std::vector<std::uint8_t> IdxFile::read() {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path_, error);
  if (bytes_ > most_bytes)
    fail("has " + std::to_string(bytes_) + " bytes of data in its header, at most " +
         std::to_string(most_bytes) + " are read; take fewer with --images");
  if (!plain_ && bytes_ > small_enough && bytes_ / most_expansion > size)
    fail("has " + std::to_string(bytes_) + " bytes of data in its header, compressed to " +
         std::to_string(size) + ": no images are");
  std::vector<std::uint8_t> data;
  data.reserve(plain_ ? std::min(bytes_, size) : bytes_);
  constexpr std::uint64_t chunk = 1 << 20; // grows with what is there, not with what is claimed
  while (data.size() < bytes_) {
    const std::size_t before = data.size();
    data.resize(before + std::min(chunk, bytes_ - before));
    const std::size_t count = read_some(data.data() + before, data.size() - before);
    if (before + count < data.size())
      fail("is truncated: " + std::to_string(bytes_) + " bytes of data expected, " +
           std::to_string(before + count) + " there");
  }
  std::uint8_t more = 0; // at its end a gzip file also proves its checksum
  if (whole_ && read_some(&more, 1) != 0)
    fail("holds more than the " + std::to_string(bytes_) + " bytes of data that its header says");
  return data;
}

// Less than `count` at the end of the data.
std::size_t IdxFile::read_some(std::uint8_t* data, std::size_t count) {
  const int got = gzread(file_.get(), data, static_cast<unsigned>(count));
  int error = Z_OK;
  const char* const text = gzerror(file_.get(), &error);
  if (error == Z_BUF_ERROR)
    fail("is truncated");
  if (got < 0)
    fail(error == Z_ERRNO ? "cannot be read" : std::string("is damaged (") + text + ")");
  return static_cast<std::size_t>(got);
}

std::uint32_t IdxFile::word(const std::string& complaint) {
  std::uint8_t b[4] = {};
  if (read_some(b, 4) < 4)
    fail(complaint);
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

} // namespace

std::vector<std::int8_t> Dataset::inputs(int n) const {
  std::vector<std::int8_t> result(static_cast<std::size_t>(n) * static_cast<std::size_t>(pixels));
  std::transform(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(result.size()), result.begin(),
                 [](std::uint8_t p) { return static_cast<std::int8_t>(p - 128); });
  return result;
}

Dataset load_dataset(const std::string& directory, const std::string& split, int limit,
                     const Network* network) {
  IdxFile images(directory + "/" + split + "-images-idx3-ubyte", 3, limit);
  IdxFile labels(directory + "/" + split + "-labels-idx1-ubyte", 1, limit);
  const auto& shape = images.sizes();
  if (shape[0] != labels.sizes()[0])
    throw InputError(directory + ": " + std::to_string(shape[0]) + " " + split + " images but " +
                     std::to_string(labels.sizes()[0]) + " labels");
  if (shape[0] == 0)
    throw InputError(directory + ": the " + split + " set is empty");
  Dataset set;
  set.count = static_cast<int>(shape[0]);
  set.pixels = static_cast<int>(shape[1] * shape[2]);
  if (network && set.pixels != network->layers.front().inputs)
    throw InputError("network " + network->name + " has " + std::to_string(network->layers.front().inputs) +
                     " inputs, the images of " + directory + " have " + std::to_string(set.pixels) +
                     " pixels");
  set.labels = labels.read();
  set.images = images.read();
  return set;
}

Dataset load_idx_images(const std::string& path, int limit) {
  IdxFile images(path, 3, limit);
  const auto& shape = images.sizes();
  Dataset set;
  set.count = static_cast<int>(shape[0]);
  set.pixels = static_cast<int>(shape[1] * shape[2]);
  set.images = images.read();
  return set;
}

void check_labels(const std::vector<std::uint8_t>& labels, int outputs) {
  const auto wrong = std::find_if(labels.begin(), labels.end(), [=](int label) { return label >= outputs; });
  if (wrong != labels.end())
    throw InputError("image " + std::to_string(wrong - labels.begin()) + " has the label " +
                     std::to_string(*wrong) + ", but the network has " + std::to_string(outputs) +
                     " outputs: no accuracy can be told");
}

} // namespace deltatwin
