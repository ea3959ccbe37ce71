#pragma once
#include "net/graph.h"
#include "net/image_set.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// Inputs of a network, as integers of its input tensor, and what is known of them.
struct InputSet {
  int count = 0;
  std::vector<std::int32_t> values; ///< [count][elements of the tensor]
  std::vector<int> labels;          ///< [count], or none
};

/// What bytes of a file without a type of its own are.
enum class ByteType { of_network, signed_byte, unsigned_byte };

/// Reads inputs, `limit` of them or, 0, all:
/// - .npy: integers, or floats that the tensor's scale quantizes (nearest, ties to even)
/// - an IDX file of unsigned bytes, plain or compressed
/// - a binary batch of CIFAR-10, for inputs of 32 x 32 x 3
/// - else raw records: as many bytes each as the tensor has elements, in its order
/// Unsigned bytes enter a signed tensor less 128, signed ones an unsigned tensor more 128; images enter by
/// image_inputs(). Throws InputError
/// that names the file.
[[nodiscard]] InputSet load_inputs(const std::string& path, const Tensor& tensor, ByteType bytes, int limit);

/// Images as inputs, with their labels: pixels enter an unsigned tensor as they are, a signed one less 128;
/// of fewer than 8 bits a tensor takes their upper ones, a signed one less its half. Throws InputError that
/// names `path` where they are not of the tensor's size.
[[nodiscard]] InputSet image_inputs(const ImageSet& images, const std::string& path, const Tensor& tensor);

/// Reads the test images of a directory (net/image_set.h) with their labels.
[[nodiscard]] InputSet load_input_directory(const std::string& directory, const Tensor& tensor, int limit);

/// Inputs that are made up, uniform over the tensor's format.
[[nodiscard]] InputSet make_inputs(const Tensor& tensor, int count, std::uint64_t seed);

/// Share of images whose largest output, the first of equals, is at their label; `outputs` is
/// [images][width]. Throws InputError for a label that no output has.
[[nodiscard]] double accuracy(const std::vector<std::int32_t>& outputs, std::size_t width,
                              const std::vector<int>& labels);

} // namespace deltatwin
