#include "base/error.h"
#include "import/tflite_importer.h"
#include <array>
#include <cmath>

namespace deltatwin {
namespace {

constexpr std::uint64_t most_elements = std::uint64_t{1} << 24; ///< of a tensor
constexpr const char* possible = "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, AVERAGE_POOL_2D, "
                                 "MAX_POOL_2D, MEAN over rows and columns, "
                                 "PAD before a convolution, RELU, RELU6, RELU_N1_TO_1, QUANTIZE, RESHAPE, "
                                 "SQUEEZE, EXPAND_DIMS, TRANSPOSE that "
                                 "moves dimensions of 1, and at the end SOFTMAX and DEQUANTIZE";

} // namespace

void TfliteImporter::refuse(const Node& node, const std::string& what) const {
  std::string name = to_string(node.code);
  if (node.code == TfliteOperator::custom)
    name += " " + node.custom;
  const std::string tensor =
      node.outputs.empty() ? "" : model_.tensors[static_cast<std::size_t>(node.outputs[0])].name;
  throw InputError(origin_ + ": node " + std::to_string(&node - model_.nodes.data()) + ", " + name + " \"" +
                   tensor.substr(0, 100) + "\": " + what);
}

const TfliteTensor& TfliteImporter::input(const Node& node, std::size_t index) const {
  if (!has_input(node, index))
    refuse(node, "has no input " + std::to_string(index));
  return model_.tensors[static_cast<std::size_t>(node.inputs[index])];
}

// Rows, columns and channels: leading dimensions of 1 are the batch.
std::vector<int> TfliteImporter::map_shape(const Node& node, const TfliteTensor& tensor) const {
  std::vector<int> shape;
  std::uint64_t elements = 1;
  for (const std::int64_t size : tensor.shape) {
    if (size < 1 || size > 1 << 15)
      refuse(node, "tensor \"" + tensor.name + "\" has a dimension of " + std::to_string(size) +
                       ", expected 1..32768: sizes must be known");
    shape.push_back(static_cast<int>(size));
    elements *= static_cast<std::uint64_t>(size);
    if (elements > most_elements)
      refuse(node,
             "tensor \"" + tensor.name + "\" has more than " + std::to_string(most_elements) + " elements");
  }
  while (shape.size() > 3) {
    if (shape[0] != 1)
      refuse(node, "tensor \"" + tensor.name + "\" has a batch of " + std::to_string(shape[0]) +
                       ", expected 1: images run one after another");
    shape.erase(shape.begin());
  }
  shape.insert(shape.begin(), 3 - shape.size(), 1);
  return shape;
}

Format TfliteImporter::format(const Node& node, const TfliteTensor& tensor) const {
  if (tensor.type == TfliteType::float32)
    refuse(node, "tensor \"" + tensor.name +
                     "\" is float32; the whole network must be quantized to integers (post-"
                     "training quantization with a representative data set, or quantization-aware training)");
  if (tensor.type != TfliteType::int8 && tensor.type != TfliteType::uint8)
    refuse(node,
           "tensor \"" + tensor.name + "\" is " + to_string(tensor.type) + "; int8 and uint8 are possible");
  if (tensor.scales.size() != 1 || tensor.zero_points.size() > 1)
    refuse(node, "tensor \"" + tensor.name + "\" has " + std::to_string(tensor.scales.size()) +
                     " scales, expected one");
  Format format;
  format.is_signed = tensor.type == TfliteType::int8;
  const std::int64_t zero_point = tensor.zero_points.empty() ? 0 : tensor.zero_points[0];
  if (zero_point < format.low() || zero_point > format.high())
    refuse(node, "tensor \"" + tensor.name + "\" has a zero point of " + std::to_string(zero_point));
  format.zero_point = static_cast<int>(zero_point);
  return format;
}

float TfliteImporter::scale(const Node& node, const TfliteTensor& tensor) const {
  (void)format(node, tensor);
  if (!(tensor.scales[0] > 0 && std::isfinite(tensor.scales[0])))
    refuse(node, "tensor \"" + tensor.name + "\" has a scale that is no positive number");
  return tensor.scales[0];
}

const TfliteValue& TfliteImporter::value(const Node& node, std::size_t index, bool padded) const {
  const TfliteTensor& tensor = input(node, index);
  const auto found = values_.find(node.inputs[index]);
  if (found == values_.end())
    refuse(node, "reads \"" + tensor.name + "\", which is " +
                     (tensor.data.empty() ? "not computed before" : "constant: of two inputs that vary"));
  if (found->second.padded() && !padded)
    refuse(node, "reads what a PAD writes; only a convolution can");
  return found->second;
}

// The node's output tensor, which may have another shape in the file: then it is reshaped behind.

std::size_t TfliteImporter::result(const Node& node, const std::vector<int>& shape) {
  const TfliteTensor& tensor = output(node);
  return builder_.tensor(tensor.name, shape, format(node, tensor), scale(node, tensor));
}

std::size_t TfliteImporter::reshaped(const Node& node, std::size_t tensor, const std::vector<int>& shape) {
  const Tensor from = builder_.tensor(tensor);
  if (from.shape == shape)
    return tensor;
  const std::size_t to = builder_.tensor(from.name + "_reshaped", shape, from.format, from.scale);
  if (builder_.tensor(to).elements() != from.elements())
    refuse(node, "a tensor of " + std::to_string(from.elements()) + " elements becomes one of " +
                     std::to_string(builder_.tensor(to).elements()));
  builder_.node(from.name + "_reshape", {tensor}, to, Reshape{}, {"RESHAPE", 0, 0, ""});
  return to;
}

std::vector<std::int64_t> TfliteImporter::constants(const Node& node, std::size_t index) const {
  const TfliteTensor& tensor = input(node, index);
  const std::size_t bytes = tensor.type == TfliteType::int64 ? 8 : 4;
  if (tensor.data.empty() || (tensor.type != TfliteType::int32 && tensor.type != TfliteType::int64))
    refuse(node,
           "input " + std::to_string(index) + ", \"" + tensor.name + "\", is not a constant of integers");
  std::vector<std::int64_t> values;
  for (std::size_t at = 0; at + bytes <= tensor.data.size() && values.size() < 64; at += bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
      value = value << 8 | static_cast<std::uint8_t>(tensor.data[at + i]);
    values.push_back(bytes == 8 ? static_cast<std::int64_t>(value) : static_cast<std::int32_t>(value));
  }
  return values;
}

// RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE: the file tells the shape of the result.

void TfliteImporter::reshape(const Node& node) {
  const TfliteValue from = value(node, 0);
  if (node.code == TfliteOperator::transpose) {
    const std::vector<std::int64_t> order = constants(node, 1);
    const std::vector<std::int64_t>& shape = input(node, 0).shape;
    std::int64_t last = -1;
    for (const std::int64_t d : order) {
      if (d < 0 || d >= static_cast<std::int64_t>(shape.size()) || order.size() != shape.size())
        refuse(node, "has no order of dimensions");
      if (shape[static_cast<std::size_t>(d)] == 1)
        continue;
      if (d < last)
        refuse(node, "changes the order of elements; only dimensions of 1 can be moved");
      last = d;
    }
  }
  if (format(node, output(node)) != builder_.tensor(from.tensor).format)
    refuse(node, "changes the zero point");
  values_[node.outputs[0]] = {reshaped(node, from.tensor, map_shape(node, output(node)))};
}

void TfliteImporter::convert(const Node& node) {
  if (node.outputs.size() != 1)
    refuse(node, "has " + std::to_string(node.outputs.size()) + " outputs, expected one");
  if (ended_ && node.code != TfliteOperator::dequantize)
    refuse(node, "follows a SOFTMAX, which is left to the host: only a DEQUANTIZE can");
  switch (node.code) {
  case TfliteOperator::conv_2d:
  case TfliteOperator::depthwise_conv_2d:
    return convolution(node);
  case TfliteOperator::fully_connected:
    return dense(node);
  case TfliteOperator::add:
    return add(node);
  case TfliteOperator::average_pool_2d:
  case TfliteOperator::max_pool_2d:
    return pool(node);
  case TfliteOperator::mean:
    return mean(node);
  case TfliteOperator::pad:
  case TfliteOperator::padv2:
    return pad(node);
  case TfliteOperator::quantize:
    if (node.inputs[0] == model_.inputs[0] && input(node, 0).type == TfliteType::float32) {
      builder_.graph().input = result(node, map_shape(node, output(node)));
      values_[node.outputs[0]] = {builder_.graph().input};
      builder_.note("QUANTIZE of the float32 input is left to the host");
      return;
    }
    return rescale(node);
  case TfliteOperator::relu:
  case TfliteOperator::relu6:
  case TfliteOperator::relu_n1_to_1:
    return rescale(node);
  case TfliteOperator::reshape:
  case TfliteOperator::squeeze:
  case TfliteOperator::expand_dims:
  case TfliteOperator::transpose:
    return reshape(node);
  case TfliteOperator::softmax:
    return softmax(node);
  case TfliteOperator::dequantize:
    if (node.outputs[0] != model_.outputs[0])
      refuse(node, "is in the middle of the network; at its end is possible");
    builder_.note("DEQUANTIZE of the output is left to the host");
    values_[node.outputs[0]] = value(node, 0);
    return;
  default:
    refuse(node, std::string("cannot run here; possible are ") + possible);
  }
}

// Nodes whose output reaches the network's: shapes that others are told by are computed, but not needed.

void TfliteImporter::find_needed() {
  needed_.assign(model_.nodes.size(), false);
  std::vector<bool> wanted(model_.tensors.size());
  wanted[static_cast<std::size_t>(model_.outputs[0])] = true;
  for (std::size_t n = model_.nodes.size(); n-- > 0;) {
    const Node& node = model_.nodes[n];
    for (const std::int64_t output : node.outputs)
      if (wanted[static_cast<std::size_t>(output)])
        needed_[n] = true;
    if (!needed_[n])
      continue;
    const bool first_alone = node.code == TfliteOperator::reshape || node.code == TfliteOperator::expand_dims;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && (i == 0 || !first_alone))
        wanted[static_cast<std::size_t>(node.inputs[i])] = true;
  }
}

Import TfliteImporter::run() {
  if (model_.inputs.size() != 1 || model_.outputs.size() != 1)
    throw InputError(origin_ + ": has " + std::to_string(model_.inputs.size()) + " inputs and " +
                     std::to_string(model_.outputs.size()) + " outputs, expected one of each");
  find_needed();
  const TfliteTensor& input = model_.tensors[static_cast<std::size_t>(model_.inputs[0])];
  for (std::size_t n = 0; n < model_.nodes.size(); ++n) {
    if (!needed_[n])
      continue;
    const Node& node = model_.nodes[n];
    const bool quantizes = node.code == TfliteOperator::quantize && input.type == TfliteType::float32;
    if (values_.empty() && !quantizes) {
      builder_.graph().input =
          builder_.tensor(input.name, map_shape(node, input), format(node, input), scale(node, input));
      values_[model_.inputs[0]] = {builder_.graph().input};
    }
    convert(node);
  }
  const auto found = values_.find(model_.outputs[0]);
  if (found == values_.end())
    throw InputError(origin_ + ": the output is computed from no input");
  builder_.graph().output = found->second.tensor;
  builder_.graph().description = "imported from a TensorFlow Lite model";
  return builder_.finish(origin_);
}

bool is_tflite(const std::string& text) { return text.size() >= 8 && text.compare(4, 4, "TFL3") == 0; }

Import import_tflite(const std::string& text, const std::string& origin) {
  return TfliteImporter(text, origin).run();
}

} // namespace deltatwin
