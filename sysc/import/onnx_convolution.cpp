// Convolutions, and the windows of pools.
#include "base/text.h"
#include "import/onnx_translator.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr int most_kernel = 1 << 12, most_stride = 1 << 12, most_padding = 1 << 12;

} // namespace

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

OnnxTranslator::Placed OnnxTranslator::placed_convolution(const Context& context, const Operand& x,
                                                          const std::vector<std::int64_t>& w) {
  const std::vector<int> dims = x.view.dims();
  const std::size_t rank = dims.size() < 2 ? 0 : dims.size() - 2;
  if (w.size() != dims.size() || (rank != 1 && rank != 2))
    context.fail("it reads " + std::to_string(dims.size()) + " dimensions and weights of " +
                 std::to_string(w.size()) + "; possible are 3 or 4, and as many");
  for (const std::int64_t size : w)
    if (size < 1 || size > 1 << 15)
      context.fail("its weights have a dimension of " + std::to_string(size));
  Placed placed;
  placed.input = builder_.map(context, x);
  const int inputs = dims[1], outputs = static_cast<int>(w[0]), own = static_cast<int>(w[1]);
  const std::int64_t groups = context.integer("group", 1);
  if (groups < 1 || groups > inputs || std::int64_t{own} * groups != inputs || outputs % groups != 0)
    context.fail("weights for " + std::to_string(own) + " channels in " + std::to_string(groups) +
                 " groups do not go with " + std::to_string(inputs) + " input and " +
                 std::to_string(outputs) + " output channels");
  const std::vector<int> taps(w.begin() + 2, w.end());
  if (context.has("kernel_shape") && context.integers("kernel_shape", rank, 1, 1, most_kernel) != taps)
    context.fail("kernel_shape is not that of its weights");
  // A dilated kernel is a larger one with zeros.
  const std::vector<int> dilations = context.integers("dilations", rank, 1, 1, most_kernel);
  std::vector<int> kernel;
  for (std::size_t d = 0; d < rank; ++d)
    if (kernel.push_back((taps[d] - 1) * dilations[d] + 1); kernel[d] > most_kernel)
      context.fail("its kernel of " + std::to_string(kernel[d]) + " is larger than " +
                   std::to_string(most_kernel));
  Convolution& convolution = placed.convolution;
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
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < own; ++i)
      for (int r = 0; r < tap_rows; ++r)
        for (int c = 0; c < tap_columns; ++c)
          placed.places.push_back(
              static_cast<std::uint32_t>(((o * rows + r * row_step) * columns + c * column_step) * own + i));
  const Tensor& in = builder_.tensor(placed.input);
  const int result_rows = convolution.window.result_rows(in.shape[0]);
  const int result_columns = convolution.window.result_columns(in.shape[1]);
  placed.shape = {result_rows, result_columns, outputs};
  placed.view = result_map(context, rank == 2 ? std::vector{1, outputs, result_rows, result_columns}
                                              : std::vector{1, outputs, result_columns});
  return placed;
}

OnnxOperand OnnxTranslator::convolution(const Context& context, const Operand& x, const OnnxTensor& w,
                                        const OnnxQuantization& scales) {
  check_weights(context, w, scales);
  Placed placed = placed_convolution(context, x, w.dims);
  require_one_scale(context, scales, 0, placed.convolution.outputs);
  return summed(context, std::move(placed), x, w, scales, 1);
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

OnnxOperand OnnxTranslator::convolve_integers(const Context& context) {
  const OnnxQuantization of_x = zero_points(context, 2);
  if (of_x.zero_points.size() != 1)
    context.fail("its input has more than one zero point");
  OnnxQuantization of_w = zero_points(context, 3);
  of_w.axis = 0;
  Operand result = convolution(context, integers(context, 0, of_x), constant(context, 1, "a weight"), of_w);
  return integers_of(result);
}

} // namespace deltatwin
