#include "net/dataset.h"
#include "base/error.h"
#include <algorithm>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <filesystem>
#include <fstream>

namespace deltatwin {
namespace {

// An IDX file of unsigned bytes: magic 00 00 08 <dimensions>, then one big-endian 32-bit size a
// dimension, then the data. Returns the data of the first `limit` elements (0: all).
std::vector<std::uint8_t> read_idx(const std::string& stem, std::size_t dimensions, int limit,
                                   std::vector<std::uint32_t>& sizes) {
  std::error_code error;
  const bool plain = std::filesystem::exists(stem, error);
  const std::string path = plain ? stem : stem + ".gz";
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw InputError(path + ": no such file; --dataset names the directory with the IDX files "
                            "(Debian package dataset-fashion-mnist)");
  boost::iostreams::filtering_istream in;
  if (!plain)
    in.push(boost::iostreams::gzip_decompressor());
  in.push(file);
  in.exceptions(std::ios::badbit);
  try {
    const auto word = [&in] {
      std::uint8_t b[4] = {};
      in.read(reinterpret_cast<char*>(b), 4);
      return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    };
    if (word() != 0x800 + dimensions || !in)
      throw InputError(path + ": is no IDX file of " + std::to_string(dimensions) +
                       "-dimensional unsigned bytes");
    sizes.clear();
    std::uint64_t each = 1;
    for (std::size_t d = 0; d < dimensions; ++d) {
      sizes.push_back(word());
      if (d)
        each *= sizes.back();
    }
    if (!in || sizes[0] > 10'000'000 || each == 0 || each > 1'000'000)
      throw InputError(path + ": has an impossible size in its header");
    const bool whole = !limit || sizes[0] <= static_cast<std::uint32_t>(limit);
    if (!whole)
      sizes[0] = static_cast<std::uint32_t>(limit);
    const std::uint64_t expected = sizes[0] * each;
    std::vector<std::uint8_t> data;
    constexpr std::uint64_t chunk = 1 << 20; // grows with what is there, not with what is claimed
    while (data.size() < expected) {
      const std::size_t before = data.size();
      data.resize(before + std::min(chunk, expected - before));
      in.read(reinterpret_cast<char*>(data.data() + before),
              static_cast<std::streamsize>(data.size() - before));
      if (!in)
        throw InputError(path + ": is truncated: " + std::to_string(expected) + " bytes of data expected, " +
                         std::to_string(before + static_cast<std::size_t>(in.gcount())) + " there");
    }
    // At its end a gzip file also proves its checksum.
    if (whole && in.peek() != std::istream::traits_type::eof())
      throw InputError(path + ": holds more than the " + std::to_string(expected) +
                       " bytes of data that its header says");
    return data;
  } catch (const std::ios::failure& failure) {
    throw InputError(path + ": is truncated or no gzip file (" + failure.what() + ")");
  }
}

} // namespace

std::vector<std::int8_t> Dataset::inputs(int n) const {
  std::vector<std::int8_t> result(static_cast<std::size_t>(n) * static_cast<std::size_t>(pixels));
  std::transform(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(result.size()), result.begin(),
                 [](std::uint8_t p) { return static_cast<std::int8_t>(p - 128); });
  return result;
}

Dataset load_dataset(const std::string& directory, const std::string& split, int limit) {
  Dataset set;
  std::vector<std::uint32_t> shape, count;
  set.images = read_idx(directory + "/" + split + "-images-idx3-ubyte", 3, limit, shape);
  set.labels = read_idx(directory + "/" + split + "-labels-idx1-ubyte", 1, limit, count);
  if (shape[0] != count[0])
    throw InputError(directory + ": " + std::to_string(shape[0]) + " " + split + " images but " +
                     std::to_string(count[0]) + " labels");
  if (shape[0] == 0)
    throw InputError(directory + ": the " + split + " set is empty");
  set.count = static_cast<int>(shape[0]);
  set.pixels = static_cast<int>(shape[1] * shape[2]);
  return set;
}

} // namespace deltatwin
