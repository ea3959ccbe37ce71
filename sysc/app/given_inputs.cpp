#include "app/given_inputs.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "net/npy.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 30;

GivenInputs of_bytes(const std::vector<std::int32_t>& bytes, int count, double full_scale) {
  GivenInputs inputs;
  inputs.count = count;
  inputs.byte_step = full_scale / 255;
  const auto divisor = static_cast<float>(255 / full_scale);
  for (const std::int32_t byte : bytes)
    inputs.values.push_back(static_cast<float>(byte) / divisor);
  return inputs;
}

// Whether an array's inputs lie as the file of the network has them, not as its tensor.
bool is_in_file_order(const NpyArray& array, const FloatGraph& network) {
  const auto ends_with = [&](std::vector<int> dims) {
    while (dims.size() > 1 && dims[0] == 1)
      dims.erase(dims.begin());
    return array.shape.size() >= dims.size() &&
           std::equal(dims.rbegin(), dims.rend(), array.shape.rbegin(), [](int size, std::uint64_t other) {
             return static_cast<std::uint64_t>(size) == other;
           });
  };
  return ends_with(network.file_dims) || !ends_with(network.graph.tensors[network.graph.input].shape);
}

void reorder(GivenInputs& inputs, const std::vector<std::uint32_t>& order) {
  if (order.empty())
    return;
  std::vector<float> one(order.size());
  for (std::size_t at = 0; at < inputs.values.size(); at += order.size()) {
    for (std::size_t i = 0; i < order.size(); ++i)
      one[order[i]] = inputs.values[at + i];
    std::copy(one.begin(), one.end(), inputs.values.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

} // namespace

GivenInputs load_given_inputs(const std::string& path, const FloatGraph& network, ByteType bytes,
                              double full_scale, int limit) {
  const Tensor& tensor = network.graph.tensors[network.graph.input];
  const std::string text = read_file(path, largest_file);
  Tensor unsigned_bytes = tensor;
  unsigned_bytes.format = {8, false, 0};
  if (!is_npy(text)) {
    const InputSet set = load_inputs(path, unsigned_bytes, bytes, limit);
    return of_bytes(set.values, set.count, full_scale);
  }
  const NpyArray array = parse_npy(text, path);
  GivenInputs inputs;
  if (array.kind != NpyArray::Kind::real) {
    const InputSet set = load_inputs(path, unsigned_bytes, bytes, limit);
    inputs = of_bytes(set.values, set.count, full_scale);
  } else {
    const std::uint64_t each = tensor.elements();
    if (array.elements() == 0 || array.elements() % each != 0)
      throw InputError(path + ": has " + std::to_string(array.elements()) +
                       " values, which are no whole inputs of " + shape_text(tensor.shape) + " = " +
                       std::to_string(each));
    const std::uint64_t there = array.elements() / each;
    if (limit > 0 && there < static_cast<std::uint64_t>(limit))
      throw InputError(path + ": has " + std::to_string(there) + " inputs, " + std::to_string(limit) +
                       " are asked for");
    inputs.count = limit > 0 ? limit : static_cast<int>(there);
    inputs.values.resize(static_cast<std::size_t>(inputs.count) * each);
    for (std::size_t i = 0; i < inputs.values.size(); ++i) {
      inputs.values[i] = static_cast<float>(array.real(i));
      if (!std::isfinite(inputs.values[i]))
        throw InputError(path + ": value " + std::to_string(i) + " is no finite number");
    }
  }
  if (is_in_file_order(array, network))
    reorder(inputs, network.input_order);
  return inputs;
}

GivenInputs given_inputs(const ImageSet& images, const FloatGraph& network, double full_scale,
                         const std::string& origin) {
  const Tensor& tensor = network.graph.tensors[network.graph.input];
  const bool has_planes = tensor.shape.size() < 3 || tensor.shape[0] == 1 || tensor.shape[2] == images.planes;
  if (static_cast<std::uint64_t>(images.data.pixels) != tensor.elements() || !has_planes)
    throw InputError(origin + ": images of " + std::to_string(images.planes) + " planes and " +
                     std::to_string(images.data.pixels) + " values, " + network.graph.name + " takes " +
                     shape_text(tensor.shape));
  std::vector<std::int32_t> bytes;
  for (int i = 0; i < images.data.count; ++i)
    for (const std::uint8_t pixel : interleaved(images, i))
      bytes.push_back(pixel);
  return of_bytes(bytes, images.data.count, full_scale);
}

} // namespace deltatwin
