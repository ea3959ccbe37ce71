#include "import/tflite_importer.h"
#include "import/tflite_scale.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr std::uint64_t most_weights = std::uint64_t{1} << 26; ///< of a network
} // namespace

TflitePadding TfliteImporter::padding(const Node& node) const {
  const std::int64_t value = node.has_options ? node.options.integer(0, 1, 0) : 0;
  if (value != 0 && value != 1)
    refuse(node, "has a padding of number " + std::to_string(value) + "; SAME and VALID are possible");
  return static_cast<TflitePadding>(value);
}

// Window, strides and padding. The options' strides are columns first.
void TfliteImporter::place(const Node& node, int stride_field, TflitePadding padding, Window& window,
                           const TfliteValue& from) const {
  const std::vector<int>& map = builder_.tensor(from.tensor).shape;
  const auto stride = [&](int field) {
    const std::int64_t value = node.has_options ? node.options.integer(field, 4, 0) : 0;
    if (value < 1 || value > 1 << 15)
      refuse(node, "has a stride of " + std::to_string(value));
    return static_cast<int>(value);
  };
  window.column_stride = stride(stride_field);
  window.row_stride = stride(stride_field + 1);
  const auto pad = [&](int size, int kernel, int step, int& before, int& behind) {
    if (padding != TflitePadding::same)
      return;
    const int results = (size + step - 1) / step, total = std::max(0, (results - 1) * step + kernel - size);
    before += total / 2;
    behind += total - total / 2;
  };
  window.top = from.top, window.bottom = from.bottom, window.left = from.left, window.right = from.right;
  pad(map[0] + from.top + from.bottom, window.rows, window.row_stride, window.top, window.bottom);
  pad(map[1] + from.left + from.right, window.columns, window.column_stride, window.left, window.right);
  if (std::max(window.top, window.bottom) >= window.rows ||
      std::max(window.left, window.right) >= window.columns)
    refuse(node, "is padded by as much as its kernel; less is possible");
  if (map[0] + window.top + window.bottom < window.rows ||
      map[1] + window.left + window.right < window.columns)
    refuse(node, "has a kernel of " + std::to_string(window.rows) + " x " + std::to_string(window.columns) +
                     ", larger than its map");
}

TfliteImporter::Weights TfliteImporter::weights(const Node& node, int outputs, std::size_t dimension) const {
  const TfliteTensor& tensor = input(node, 1);
  if (tensor.sparse)
    refuse(node, "has sparse weights; dense ones are possible");
  if (tensor.type != TfliteType::int8 && tensor.type != TfliteType::uint8 && tensor.type != TfliteType::int4)
    refuse(node, "has weights of " + to_string(tensor.type) + "; int8, uint8 and int4 are possible");
  if (tensor.data.empty())
    refuse(node, "has weights that are computed; constant ones are possible");
  std::uint64_t count = 1;
  for (const std::int64_t size : tensor.shape) {
    if (size < 1 || size > 1 << 24)
      refuse(node, "has weights of an impossible shape");
    count *= static_cast<std::uint64_t>(size);
    if (count > most_weights)
      refuse(node, "has more than " + std::to_string(most_weights) + " weights");
  }
  const bool packed = tensor.type == TfliteType::int4;
  if (tensor.data.size() != (packed ? (count + 1) / 2 : count))
    refuse(node, "has " + std::to_string(tensor.data.size()) + " bytes of weights for a shape of " +
                     std::to_string(count));
  if (tensor.scales.size() != 1 && (tensor.scales.size() != static_cast<std::size_t>(outputs) ||
                                    tensor.quantized_dimension != static_cast<std::int64_t>(dimension)))
    refuse(node, "has " + std::to_string(tensor.scales.size()) +
                     " scales of weights, expected one, or one an output");
  for (const float scale : tensor.scales)
    if (!(scale >= 0 && std::isfinite(scale)))
      refuse(node, "has a scale of weights that is no number from 0 on");
  if (tensor.zero_points.size() > 1 && tensor.zero_points.size() != tensor.scales.size())
    refuse(node, "has " + std::to_string(tensor.zero_points.size()) + " zero points of weights");
  for (const std::int64_t zero_point : tensor.zero_points)
    if (zero_point != (tensor.zero_points.size() == 1 && tensor.type == TfliteType::uint8 ? zero_point : 0) ||
        zero_point < 0 || zero_point > 255)
      refuse(node, "has a zero point of weights of " + std::to_string(zero_point));
  const int zero_point = tensor.zero_points.empty() ? 0 : static_cast<int>(tensor.zero_points[0]);
  Weights result;
  result.scales = tensor.scales;
  result.is_unsigned = tensor.type == TfliteType::uint8;
  result.values.reserve(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(tensor.data[packed ? i / 2 : i]);
    int value = byte;
    if (packed)
      value = static_cast<std::int8_t>(static_cast<std::uint8_t>(i % 2 ? byte & 0xf0 : byte << 4)) / 16;
    else if (!result.is_unsigned)
      value = static_cast<std::int8_t>(byte);
    result.values.push_back(static_cast<std::int16_t>(value - zero_point));
  }
  return result;
}

std::vector<std::int32_t> TfliteImporter::bias(const Node& node, int outputs) const {
  std::vector<std::int32_t> values(static_cast<std::size_t>(outputs));
  if (!has_input(node, 2))
    return values;
  const TfliteTensor& tensor = input(node, 2);
  if (tensor.type != TfliteType::int32 || tensor.data.empty())
    refuse(node, "has a bias of " + to_string(tensor.type) + "; a constant one of int32 is possible");
  if (tensor.data.size() != 4 * values.size())
    refuse(node, "has " + std::to_string(tensor.data.size() / 4) + " biases for " + std::to_string(outputs) +
                     " outputs");
  for (std::size_t o = 0; o < values.size(); ++o) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;)
      value = value << 8 | static_cast<std::uint8_t>(tensor.data[4 * o + i]);
    values[o] = static_cast<std::int32_t>(value);
  }
  return values;
}

// Scales, clamp, node and report of a convolution whose weights are known.
void TfliteImporter::finish(const Node& node, Convolution convolution, const Weights& weights,
                            std::size_t from, std::size_t to, bool float_product, TfliteFused fused) {
  weights_ += convolution.weights.size();
  if (weights_ > most_weights)
    refuse(node, "is one too many: the network has more than " + std::to_string(most_weights) + " weights");
  const float in = builder_.tensor(from).scale, out = builder_.tensor(to).scale;
  Requantization& requantization = convolution.requantization;
  requantization.rounding = Rounding::tflite;
  requantization.multipliers.clear();
  requantization.shifts.clear();
  for (const float scale : weights.scales) {
    const double product = float_product ? static_cast<double>(in * scale)
                                         : static_cast<double>(in) * static_cast<double>(scale);
    const QuantizedMultiplier multiplier = quantized_multiplier(product / static_cast<double>(out));
    if (multiplier.exponent > 30)
      refuse(node, "scales its sums up by more than 2^30");
    requantization.multipliers.push_back(multiplier.multiplier);
    requantization.shifts.push_back(multiplier.shift());
  }
  clamp(node, fused, requantization);
  NodeReport about = report(node, fused);
  for (std::size_t o = 0; o < convolution.bias.size(); ++o) {
    prove(node, about, requantization, o, sum_range(convolution, o, builder_.tensor(from).format));
  }
  builder_.node(builder_.tensor(to).name, {from}, to, std::move(convolution), std::move(about));
}

void TfliteImporter::convolution(const Node& node) {
  const bool depthwise = node.code == TfliteOperator::depthwise_conv_2d;
  const TfliteValue from = value(node, 0, true);
  const std::vector<int> map = builder_.tensor(from.tensor).shape;
  const TfliteTensor& kernel = input(node, 1);
  if (kernel.shape.size() != 4 || input(node, 0).shape.size() != 4)
    refuse(node, "expected an input and weights of four dimensions");
  for (const std::int64_t size : kernel.shape)
    if (size < 1 || size > 1 << 15)
      refuse(node, "has weights of an impossible shape");
  const auto size = [&](std::size_t d) { return static_cast<int>(kernel.shape[d]); };
  Convolution convolution;
  convolution.outputs = size(depthwise ? 3 : 0);
  const int inputs = depthwise ? 1 : size(3);
  convolution.groups = depthwise ? map[2] : map[2] / std::max(1, inputs);
  if ((depthwise && size(0) != 1) || convolution.groups * inputs != map[2] ||
      convolution.outputs % convolution.groups)
    refuse(node, "has weights for other channels than the " + std::to_string(map[2]) + " of its input");
  const int dilation_field = depthwise ? 5 : 4;
  const auto dilation = [&](int field) {
    const std::int64_t value = node.has_options ? node.options.integer(field, 4, 1) : 1;
    if (value < 1 || value > 1 << 15)
      refuse(node, "has a dilation of " + std::to_string(value));
    return static_cast<int>(value);
  };
  const int across = dilation(dilation_field), down = dilation(dilation_field + 1), rows = size(1),
            columns = size(2);
  const std::int64_t spread_rows = std::int64_t{rows - 1} * down + 1,
                     spread_columns = std::int64_t{columns - 1} * across + 1;
  if (spread_rows > 1 << 15 || spread_columns > 1 << 15)
    refuse(node, "has a dilation of " + std::to_string(std::max(down, across)));
  convolution.window.rows = static_cast<int>(spread_rows);
  convolution.window.columns = static_cast<int>(spread_columns);
  place(node, 1, padding(node), convolution.window, from);
  const Weights weights = this->weights(node, convolution.outputs, depthwise ? 3 : 0);
  // To [outputs][rows][columns][inputs]; between dilated ones are zeros.
  const std::size_t all = static_cast<std::size_t>(spread_rows) * static_cast<std::size_t>(spread_columns) *
                          static_cast<std::size_t>(inputs) * static_cast<std::size_t>(convolution.outputs);
  if (all > most_weights)
    refuse(node,
           "has more than " + std::to_string(most_weights) + " weights, with the zeros of its dilation");
  convolution.weights.assign(all, 0);
  for (int o = 0; o < convolution.outputs; ++o)
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < inputs; ++i) {
          const auto index = [](int a, int an, int b, int bn, int d) {
            return (static_cast<std::size_t>(a) * static_cast<std::size_t>(an) +
                    static_cast<std::size_t>(b)) *
                       static_cast<std::size_t>(bn) +
                   static_cast<std::size_t>(d);
          };
          const std::size_t source = depthwise
                                         ? index(r, columns, c, convolution.outputs, o)
                                         : index(o, rows, r, columns, c) * static_cast<std::size_t>(inputs) +
                                               static_cast<std::size_t>(i);
          const std::size_t target =
              index(o, convolution.window.rows, r * down, convolution.window.columns, c * across) *
                  static_cast<std::size_t>(inputs) +
              static_cast<std::size_t>(i);
          convolution.weights[target] = weights.values[source];
        }
  convolution.bias = bias(node, convolution.outputs);
  const std::size_t to = result(node, {convolution.window.result_rows(map[0]),
                                       convolution.window.result_columns(map[1]), convolution.outputs});
  finish(node, std::move(convolution), weights, from.tensor, to, weights.is_unsigned,
         fused(node, depthwise ? 4 : 3));
  values_[node.outputs[0]] = {to};
}

void TfliteImporter::dense(const Node& node) {
  const TfliteTensor& kernel = input(node, 1);
  if (kernel.shape.size() != 2 || kernel.shape[0] < 1 || kernel.shape[0] > 1 << 15 || kernel.shape[1] < 1)
    refuse(node, "expected weights of two dimensions");
  if (node.has_options && node.options.integer(1, 1, 0) != 0)
    refuse(node, "has shuffled weights; the usual order is possible");
  const std::uint64_t elements = builder_.tensor(value(node, 0).tensor).elements();
  const auto inputs = static_cast<std::uint64_t>(kernel.shape[1]);
  if (inputs > 1 << 15 || elements % inputs)
    refuse(node, "has " + std::to_string(inputs) + " inputs, at most 32768, for a tensor of " +
                     std::to_string(elements) + " elements");
  const int rows = static_cast<int>(elements / inputs); // of a batch in the middle of a network: pixels
  const std::size_t from = reshaped(node, value(node, 0).tensor, {1, rows, static_cast<int>(inputs)});
  Convolution convolution;
  convolution.outputs = static_cast<int>(kernel.shape[0]);
  Weights weights = this->weights(node, convolution.outputs, 0);
  convolution.weights = weights.values;
  convolution.bias = bias(node, convolution.outputs);
  const std::size_t to = result(node, {1, rows, convolution.outputs});
  finish(node, std::move(convolution), weights, from, to, weights.scales.size() == 1, fused(node, 0));
  values_[node.outputs[0]] = {reshaped(node, to, map_shape(node, output(node)))};
}

} // namespace deltatwin
