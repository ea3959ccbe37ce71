// Convolutions and products of matrices: all become convolutions of the graph.
#include "base/text.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int most_kernel = 1 << 12, most_stride = 1 << 12, most_padding = 1 << 12;

int multiplied(const std::vector<int>& sizes) {
  int count = 1;
  for (const int size : sizes)
    count *= size;
  return count;
}

// What the sums of each output can reach, its bias aside.
void set_reach(OnnxSums& sums, std::pair<int, int> x, int zero_point) {
  const auto& convolution = std::get<Convolution>(sums.op);
  const auto outputs = static_cast<std::size_t>(convolution.outputs);
  const std::size_t row = convolution.weights.size() / outputs;
  sums.lowest.assign(outputs, 0);
  sums.highest.assign(outputs, 0);
  const std::int64_t low = x.first - zero_point, high = x.second - zero_point;
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < row; ++i) {
      const std::int64_t w = convolution.weights[o * row + i];
      sums.lowest[o] += std::min({w * low, w * high, std::int64_t{0}});
      sums.highest[o] += std::max({w * low, w * high, std::int64_t{0}});
    }
}

} // namespace

void OnnxTranslator::check_weights(const Context& context, const OnnxTensor& weights,
                                   const OnnxQuantization& quantization) const {
  if (weights.type == OnnxType::float32)
    context.fail("its weights are real numbers; quantize them to int8 (QuantizeLinear, DequantizeLinear)");
  require_bytes(context, weights.type, "weights");
  for (const std::int64_t zero : quantization.zero_points)
    if (zero < -128 || zero > 255)
      context.fail("the zero point of its weights is " + std::to_string(zero));
}

void OnnxTranslator::require_one_scale(const Context& context, const OnnxQuantization& quantization, int axis,
                                       int outputs) const {
  const std::size_t count = std::max(quantization.scales.size(), quantization.zero_points.size());
  if (count == 1)
    return;
  if (quantization.axis != axis || count != static_cast<std::size_t>(outputs))
    context.fail("its weights have " + std::to_string(count) + " scales along axis " +
                 std::to_string(quantization.axis) + "; possible are one, or one for each of the " +
                 std::to_string(outputs) + " outputs (axis " + std::to_string(axis) + ")");
}

Window OnnxTranslator::window(const Context& context, const std::vector<int>& dims,
                              const std::vector<int>& kernel, const OnnxPadding& padding,
                              bool is_pool) const {
  const std::size_t rank = kernel.size(); // 1: columns alone
  const std::vector<int> strides = context.integers("strides", rank, 1, 1, most_stride);
  std::vector<int> pads = context.integers("pads", 2 * rank, 0, 0, most_padding);
  const std::string automatic = context.text("auto_pad", "NOTSET");
  const bool ceiling = is_pool && context.integer("ceil_mode", 0) != 0;
  for (std::size_t d = 0; d < rank; ++d) {
    const int size = dims[2 + d];
    if (automatic == "VALID") {
      pads[d] = pads[rank + d] = 0;
    } else if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const int results = (size + strides[d] - 1) / strides[d];
      const int all = std::max((results - 1) * strides[d] + kernel[d] - size, 0);
      pads[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      pads[rank + d] = all - pads[d];
    } else if (automatic != "NOTSET" && !automatic.empty()) {
      context.fail("auto_pad is \"" + printable(automatic) + "\"");
    }
  }
  Window window;
  const auto set = [&](std::size_t d, int& extent, int& stride, int& before, int& behind, int extra_before,
                       int extra_behind) {
    const int size = dims[2 + d];
    extent = kernel[d];
    stride = strides[d];
    before = pads[d] + extra_before;
    behind = pads[rank + d] + extra_behind;
    const int left_over = (size + before + behind - extent) % stride;
    if (size + before + behind < extent)
      context.fail("its kernel of " + std::to_string(extent) + " is larger than the padded map of " +
                   std::to_string(size + before + behind));
    // One window more, if it begins within the map.
    if (ceiling && left_over != 0 && size + before + behind - extent - left_over + stride - before < size)
      behind += stride - left_over;
    if (before >= extent || behind >= extent)
      context.fail("its padding of " + std::to_string(std::max(before, behind)) +
                   " is not less than its kernel of " + std::to_string(extent));
  };
  if (rank == 2)
    set(0, window.rows, window.row_stride, window.top, window.bottom, padding.top, padding.bottom);
  set(rank - 1, window.columns, window.column_stride, window.left, window.right, padding.left, padding.right);
  if (rank == 1 && (padding.top || padding.bottom))
    context.fail("a Pad before it adds rows to what has none");
  return window;
}

OnnxOperand OnnxTranslator::convolution(const Context& context, const Operand& x, const OnnxTensor& w,
                                        const OnnxQuantization& scales) {
  check_weights(context, w, scales);
  const std::vector<int> dims = x.view.dims();
  const std::size_t rank = dims.size() - 2;
  if (w.dims.size() != dims.size() || (rank != 1 && rank != 2))
    context.fail("it reads " + std::to_string(dims.size()) + " dimensions and weights of " +
                 std::to_string(w.dims.size()) + "; possible are 3 or 4, and as many");
  for (const std::int64_t size : w.dims)
    if (size < 1 || size > 1 << 15)
      context.fail("its weights have a dimension of " + std::to_string(size));
  const std::size_t map = builder_.map(context, x);
  const int inputs = dims[1], outputs = static_cast<int>(w.dims[0]), own = static_cast<int>(w.dims[1]);
  const std::int64_t groups = context.integer("group", 1);
  if (groups < 1 || groups > inputs || std::int64_t{own} * groups != inputs || outputs % groups != 0)
    context.fail("weights for " + std::to_string(own) + " channels in " + std::to_string(groups) +
                 " groups do not go with " + std::to_string(inputs) + " input and " +
                 std::to_string(outputs) + " output channels");
  require_one_scale(context, scales, 0, outputs);
  const std::vector<int> taps(w.dims.begin() + 2, w.dims.end());
  if (context.has("kernel_shape") && context.integers("kernel_shape", rank, 1, 1, most_kernel) != taps)
    context.fail("kernel_shape is not that of its weights");
  // A dilated kernel is a larger one with zeros.
  const std::vector<int> dilations = context.integers("dilations", rank, 1, 1, most_kernel);
  std::vector<int> kernel;
  for (std::size_t d = 0; d < rank; ++d)
    if (kernel.push_back((taps[d] - 1) * dilations[d] + 1); kernel[d] > most_kernel)
      context.fail("its kernel of " + std::to_string(kernel[d]) + " is larger than " +
                   std::to_string(most_kernel));
  Convolution convolution;
  convolution.window = window(context, dims, kernel, x.padding, false);
  convolution.groups = static_cast<int>(groups);
  convolution.outputs = outputs;
  convolution.bias.resize(static_cast<std::size_t>(outputs));
  const int rows = convolution.window.rows, columns = convolution.window.columns;
  const int tap_rows = rank == 2 ? taps[0] : 1, tap_columns = taps[rank - 1];
  const int row_step = rank == 2 ? dilations[0] : 1, column_step = dilations[rank - 1];
  const std::uint64_t count =
      std::uint64_t(outputs) * std::uint64_t(rows) * std::uint64_t(columns) * std::uint64_t(own);
  if (count > std::uint64_t{1} << 24)
    context.fail("it has " + std::to_string(count) + " weights, zeros of the dilation among them");
  convolution.weights.resize(count);
  std::size_t at = 0;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < own; ++i)
      for (int r = 0; r < tap_rows; ++r)
        for (int c = 0; c < tap_columns; ++c, ++at) {
          const int place = ((o * rows + r * row_step) * columns + c * column_step) * own + i;
          convolution.weights[static_cast<std::size_t>(place)] =
              static_cast<std::int16_t>(w.integer(at) - scales.zero_point(static_cast<std::size_t>(o)));
        }
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  sums.inputs = {map};
  const Tensor& in = builder_.tensor(map);
  const int result_rows = convolution.window.result_rows(in.shape[0]);
  const int result_columns = convolution.window.result_columns(in.shape[1]);
  sums.shape = {result_rows, result_columns, outputs};
  for (const float scale : scales.scales)
    sums.scales.push_back(x.scale * scale);
  sums.op = std::move(convolution);
  set_reach(sums, builder_.reach(map), x.zero_point);
  return pending(std::move(sums),
                 result_map(context, rank == 2 ? std::vector{1, outputs, result_rows, result_columns}
                                               : std::vector{1, outputs, result_columns}));
}

OnnxOperand OnnxTranslator::matrix_product(const Context& context, const Operand& x, bool transposed_x,
                                           const OnnxTensor& w, bool transposed_w,
                                           const OnnxQuantization& scales, float factor) {
  check_weights(context, w, scales);
  const std::vector<int> dims = x.view.dims();
  const int rank = static_cast<int>(dims.size());
  const std::size_t leading = w.dims.size() < 2 ? 0 : w.dims.size() - 2;
  if (w.dims.size() < 2 || rank < 1 || (transposed_x && rank != 2))
    context.fail("it multiplies " + std::to_string(rank) + " by " + std::to_string(w.dims.size()) +
                 " dimensions; possible are two for the constant one");
  for (std::size_t d = 0; d < w.dims.size(); ++d)
    if (w.dims[d] < 1 || w.dims[d] > 1 << 20 || (d < leading && w.dims[d] != 1))
      context.fail("its weights have " + std::to_string(w.dims.size()) + " dimensions, the first of " +
                   std::to_string(w.dims[0]) + "; possible is one matrix");
  const int inner = transposed_x ? 0 : rank - 1;
  std::vector<int> outer, outer_sizes;
  for (int d = 0; d < rank; ++d)
    if (d != inner) {
      outer.push_back(d);
      outer_sizes.push_back(dims[static_cast<std::size_t>(d)]);
    }
  const auto rows_of_w = static_cast<int>(w.dims[leading]),
             columns_of_w = static_cast<int>(w.dims[leading + 1]);
  const int inputs = transposed_w ? columns_of_w : rows_of_w,
            outputs = transposed_w ? rows_of_w : columns_of_w;
  if (x.view.size(inner) != inputs)
    context.fail("weights of " + std::to_string(inputs) + " inputs do not go with " +
                 std::to_string(x.view.size(inner)));
  const int axis = static_cast<int>(leading) + (transposed_w ? 0 : 1);
  require_one_scale(context, scales, axis, outputs);
  // Inputs may lie in any order, which the weights then follow, as long as they lie together.
  const std::vector<int> places = x.view.places({inner});
  const int positions = multiplied(outer_sizes);
  const std::vector<int> position_places = x.view.places(outer);
  bool together = *std::max_element(places.begin(), places.end()) < inputs;
  for (int i = 0; i < positions; ++i)
    together = together && position_places[static_cast<std::size_t>(i)] == i * inputs;
  if (!together) {
    std::vector<int> order = outer;
    order.push_back(inner);
    builder_.require_order(context, x, order);
  }
  std::vector<int> spread; // of the positions over rows and columns
  for (const int size : outer_sizes)
    if (size != 1)
      spread.push_back(size);
  if (spread.size() > 2)
    spread = {positions};
  spread.resize(2, 1);
  Convolution convolution;
  convolution.outputs = outputs;
  convolution.bias.resize(static_cast<std::size_t>(outputs));
  const std::uint64_t count = std::uint64_t(outputs) * std::uint64_t(inputs);
  convolution.weights.resize(count);
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < inputs; ++i) {
      const int at = transposed_w ? o * inputs + i : i * outputs + o;
      const int place = o * inputs + places[static_cast<std::size_t>(i)];
      convolution.weights[static_cast<std::size_t>(place)] = static_cast<std::int16_t>(
          w.integer(static_cast<std::size_t>(at)) - scales.zero_point(static_cast<std::size_t>(o)));
    }
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  sums.inputs = {builder_.shaped(x.tensor, {spread[0], spread[1], inputs})};
  sums.shape = {spread[0], spread[1], outputs};
  for (const float scale : scales.scales)
    sums.scales.push_back(factor * x.scale * scale);
  sums.op = std::move(convolution);
  set_reach(sums, builder_.reach(x.tensor), x.zero_point);
  std::vector<int> result = outer_sizes;
  result.push_back(outputs);
  if (std::int64_t{positions} * outputs > 1 << 24)
    context.fail("its result has more than " + std::to_string(1 << 24) + " elements");
  return pending(std::move(sums), View(result));
}

void OnnxTranslator::add_bias(const Context& context, Operand& operand, const OnnxTensor& integers) {
  if (integers.type != OnnxType::int32)
    context.fail("its bias is of " + to_string(integers.type) + ", expected int32");
  OnnxSums sums = *operand.sums;
  auto& convolution = std::get<Convolution>(sums.op);
  const auto outputs = static_cast<std::size_t>(convolution.outputs);
  if (integers.elements() != outputs && integers.elements() != 1)
    context.fail("its bias has " + std::to_string(integers.elements()) + " elements, expected " +
                 std::to_string(outputs));
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::int64_t bias = integers.integer(integers.elements() == 1 ? 0 : o);
    const std::int64_t sum = convolution.bias[o] + bias;
    if (sum != static_cast<std::int32_t>(sum))
      context.fail("its bias is " + std::to_string(sum) + ", more than 32 bits hold");
    convolution.bias[o] = static_cast<std::int32_t>(sum);
    sums.lowest[o] += bias;
    sums.highest[o] += bias;
  }
  operand.sums = std::make_shared<const OnnxSums>(std::move(sums));
}

void OnnxTranslator::add_bias(const Context& context, Operand& operand, const Operand& bias, float factor) {
  if (bias.kind == Kind::weights && bias.weights->integers.type == OnnxType::int32 && factor == 1) {
    // In units of the sums, as it should be: then it is exact.
    const OnnxWeights& weights = *bias.weights;
    const std::size_t count = weights.integers.elements();
    const auto outputs = static_cast<std::size_t>(std::get<Convolution>(operand.sums->op).outputs);
    bool exact = count == outputs && operand.sums->steps.empty() && operand.sums->pools.empty();
    for (std::size_t o = 0; exact && o < outputs; ++o) {
      const float unit = operand.sums->scales[operand.sums->scales.size() == 1 ? 0 : o];
      exact = std::abs(weights.quantization.scale(o) - unit) <= 1e-6f * unit &&
              weights.quantization.zero_point(o) == 0;
    }
    if (exact)
      return add_bias(context, operand, weights.integers);
  }
  OnnxTensor values;
  if (bias.kind == Kind::weights) {
    const OnnxWeights& weights = *bias.weights;
    std::vector<float> reals(weights.integers.elements());
    if (weights.quantization.scales.size() != 1 && weights.quantization.scales.size() != reals.size())
      context.fail("its bias has " + std::to_string(weights.quantization.scales.size()) + " scales");
    for (std::size_t i = 0; i < reals.size(); ++i)
      reals[i] = static_cast<float>(weights.integers.integer(i) - weights.quantization.zero_point(i)) *
                 weights.quantization.scale(i);
    values = OnnxTensor::reals(weights.integers.dims, reals);
  } else if (bias.kind == Kind::constant) {
    values = *bias.constant;
  } else {
    context.fail("its bias is no constant");
  }
  std::vector<float> added = by_channel(context, operand, values);
  for (float& value : added)
    value *= factor;
  operand = with_step(operand, {RealStep::Kind::add, std::move(added)});
}

const OnnxWeights& OnnxTranslator::weights(const Context& context, const char* unless_constant) {
  take_as_integers(context, 1);
  const Operand& w = input(context, 1);
  if (w.kind != Kind::weights)
    context.fail(w.kind == Kind::constant
                     ? "its weights are real numbers; quantize them to int8 (QuantizeLinear, "
                       "DequantizeLinear)"
                     : unless_constant);
  return *w.weights;
}

OnnxOperand OnnxTranslator::convolve(const Context& context) {
  const Operand x = reals(context, 0);
  const OnnxWeights& w = weights(context, "its weights are no constants");
  Operand result = convolution(context, x, w.integers, w.quantization);
  if (has_input(context, 2)) {
    Operand bias = input(context, 2);
    // One value a channel, whatever dimensions follow.
    const auto lengthened = [&](std::vector<std::int64_t>& dims) {
      if (dims.size() == 1)
        dims.resize(static_cast<std::size_t>(result.view.rank()) - 1, 1);
    };
    if (bias.kind == Kind::weights) {
      OnnxWeights weights = *bias.weights;
      lengthened(weights.integers.dims);
      bias.weights = std::make_shared<const OnnxWeights>(std::move(weights));
    } else if (bias.kind == Kind::constant) {
      OnnxTensor values = *bias.constant;
      lengthened(values.dims);
      bias.constant = std::make_shared<const OnnxTensor>(std::move(values));
    }
    add_bias(context, result, bias, 1);
  }
  return result;
}

OnnxOperand OnnxTranslator::convolve_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  OnnxQuantization scales = quantization(context, 4, 5, "weights");
  scales.axis = 0;
  Operand sums = convolution(context, x, constant(context, 3, "a weight"), scales);
  if (has_input(context, 8))
    add_bias(context, sums, constant(context, 8, "a bias"));
  return quantized(context, *sums.sums, sums.view, 6, 7, OnnxType::uint8);
}

OnnxQuantization OnnxTranslator::zero_points(const Context& context, std::size_t at) {
  OnnxQuantization result;
  result.scales = {1};
  result.zero_points = {0};
  if (has_input(context, at)) {
    const OnnxTensor& tensor = constant(context, at, "a zero point");
    result.zero_points.clear();
    for (std::size_t i = 0; i < tensor.elements(); ++i)
      result.zero_points.push_back(tensor.integer(i));
    if (std::all_of(result.zero_points.begin(), result.zero_points.end(),
                    [&](std::int64_t value) { return value == result.zero_points[0]; }))
      result.zero_points.resize(1);
  }
  return result;
}

OnnxOperand OnnxTranslator::integers_of(const Operand& product) {
  OnnxSums sums = *product.sums;
  sums.are_integers = true;
  return pending(std::move(sums), product.view);
}

OnnxOperand OnnxTranslator::convolve_integers(const Context& context) {
  const OnnxQuantization of_x = zero_points(context, 2);
  if (of_x.zero_points.size() != 1)
    context.fail("its input has more than one zero point");
  OnnxQuantization of_w = zero_points(context, 3);
  of_w.axis = 0;
  Operand result = convolution(context, integers(context, 0, of_x), constant(context, 1, "a weight"), of_w);
  return integers_of(result);
}

OnnxOperand OnnxTranslator::multiply_matrices(const Context& context) {
  const Operand x = reals(context, 0);
  const OnnxWeights& w = weights(context, "its second factor is no constant");
  return matrix_product(context, x, false, w.integers, false, w.quantization, 1);
}

OnnxOperand OnnxTranslator::multiply_matrices_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const OnnxTensor& w = constant(context, 3, "a weight");
  OnnxQuantization scales = quantization(context, 4, 5, "weights");
  scales.axis = static_cast<int>(w.dims.size()) - 1;
  const Operand sums = matrix_product(context, x, false, w, false, scales, 1);
  return quantized(context, *sums.sums, sums.view, 6, 7, OnnxType::uint8);
}

OnnxOperand OnnxTranslator::multiply_matrices_integers(const Context& context) {
  const OnnxQuantization of_x = zero_points(context, 2);
  if (of_x.zero_points.size() != 1)
    context.fail("its input has more than one zero point; possible is one");
  const OnnxTensor& w = constant(context, 1, "a weight");
  OnnxQuantization of_w = zero_points(context, 3);
  of_w.axis = static_cast<int>(w.dims.size()) - 1;
  const Operand result = matrix_product(context, integers(context, 0, of_x), false, w, false, of_w, 1);
  return integers_of(result);
}

OnnxOperand OnnxTranslator::gemm(const Context& context) {
  const Operand x = reals(context, 0);
  const OnnxWeights& w = weights(context, "its second factor is no constant");
  const float alpha = context.real("alpha", 1), beta = context.real("beta", 1);
  if (!(alpha > 0) || !std::isfinite(alpha) || !std::isfinite(beta))
    context.fail("alpha is " + std::to_string(alpha) + "; possible is more than 0");
  if (x.view.rank() != 2)
    context.fail("it reads " + std::to_string(x.view.rank()) +
                 " dimensions, expected 2; put a Flatten before it");
  Operand result = matrix_product(context, x, context.integer("transA", 0) != 0, w.integers,
                                  context.integer("transB", 0) != 0, w.quantization, alpha);
  if (has_input(context, 2))
    add_bias(context, result, input(context, 2), beta);
  return result;
}

OnnxOperand OnnxTranslator::gemm_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const bool transposed = context.integer("transB", 0) != 0;
  OnnxQuantization scales = quantization(context, 4, 5, "weights");
  scales.axis = transposed ? 0 : 1;
  const float alpha = context.real("alpha", 1);
  if (!(alpha > 0) || !std::isfinite(alpha))
    context.fail("alpha is " + std::to_string(alpha) + "; possible is more than 0");
  if (x.view.rank() != 2)
    context.fail("it reads " + std::to_string(x.view.rank()) +
                 " dimensions, expected 2; put a Flatten before it");
  Operand sums = matrix_product(context, x, context.integer("transA", 0) != 0,
                                constant(context, 3, "a weight"), transposed, scales, alpha);
  if (has_input(context, 6))
    add_bias(context, sums, constant(context, 6, "a bias"));
  if (!has_input(context, 7))
    return sums; // real numbers, for a QuantizeLinear or none behind it
  return quantized(context, *sums.sums, sums.view, 7, 8, OnnxType::uint8);
}

} // namespace deltatwin
