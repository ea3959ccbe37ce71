#pragma once
#include "net/network.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// Where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* default_dataset = "/usr/share/datasets/fashion-mnist";

/// Images and labels, read from IDX files, plain or gzip-compressed.
struct Dataset {
  int count = 0;
  int pixels = 0;                   ///< per image: rows * columns
  std::vector<std::uint8_t> images; ///< [count * pixels], 0..255
  std::vector<std::uint8_t> labels; ///< [count]

  /// The images as a network's int8 inputs (pixel - 128), the first `n` of them.
  [[nodiscard]] std::vector<std::int8_t> inputs(int n) const;
};

/// Reads {train|t10k}-images-idx3-ubyte[.gz] and -labels-idx1-ubyte[.gz] from a directory; throws
/// InputError on a missing, truncated or inconsistent file, and before it reads images that are more
/// than 1 GiB, more than 200 times a large compressed file, or not of the network's size (null: any).
/// `limit` 0 reads all.
[[nodiscard]] Dataset load_dataset(const std::string& directory, const std::string& split, int limit = 0,
                                   const Network* network = nullptr);

/// Of that, the images of one file, without labels.
[[nodiscard]] Dataset load_idx_images(const std::string& path, int limit);

/// Throws InputError where a label is none of `outputs` classes: an accuracy would mean nothing.
void check_labels(const std::vector<std::uint8_t>& labels, int outputs);

} // namespace deltatwin
