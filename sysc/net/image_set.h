#pragma once
#include "net/dataset.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// Images of several planes and their labels.
struct ImageSet {
  Dataset data; ///< its pixels are all planes of an image, one plane behind another
  int planes = 1, rows = 0, columns = 0;

  /// The images from `begin` on, `count` of them.
  [[nodiscard]] ImageSet part(int begin, int count) const;
};

enum class Split { train, test };

/// Reads the images of a directory in either layout; throws InputError on a missing, truncated or
/// inconsistent file. `limit` 0 reads all.
/// - IDX: {train|t10k}-images-idx3-ubyte[.gz] and -labels-idx1-ubyte[.gz], square images of one plane
/// - CIFAR-10's binary batches: data_batch_1.bin to data_batch_5.bin and test_batch.bin, records of a label
///   byte and 32 x 32 red, green and blue bytes
[[nodiscard]] ImageSet load_image_set(const std::string& directory, Split split, int limit = 0);

/// Reads one batch of CIFAR-10, or the first `limit` images of it.
[[nodiscard]] ImageSet load_cifar_batch(const std::string& path, int limit = 0);

/// The pixels of an image, rows, columns and planes in this order: as networks of maps take them.
[[nodiscard]] std::vector<std::uint8_t> interleaved(const ImageSet& set, int image);

/// Images of a training set that choose and calibrate, but do not train: its last 5,000, or a tenth of a
/// set of less than 50,000.
[[nodiscard]] int validation_count(int training_images);

} // namespace deltatwin
