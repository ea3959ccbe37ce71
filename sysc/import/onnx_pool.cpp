// Pools: of maxima, which a scale does not change, and of means, whose divisor becomes part of one.
#include "import/onnx_translator.h"
#include <algorithm>

namespace deltatwin {
namespace {

constexpr int most_kernel = 1 << 12;

std::vector<int> kernel_of(const OnnxContext& context, const std::vector<int>& dims) {
  if (dims.size() != 3 && dims.size() != 4)
    context.fail("it reads " + std::to_string(dims.size()) +
                 " dimensions; possible are {batch, channels, columns} and "
                 "{batch, channels, rows, columns}");
  if (!context.has("kernel_shape"))
    context.fail("kernel_shape is missing");
  if (context.integer("channels_last", 0) != 0)
    context.fail("channels_last is set; possible is the usual order of dimensions");
  return context.integers("kernel_shape", dims.size() - 2, 1, 1, most_kernel);
}

Window whole(const OnnxContext& context, const std::vector<int>& dims) {
  if (dims.size() != 3 && dims.size() != 4)
    context.fail("it reads " + std::to_string(dims.size()) +
                 " dimensions; possible are {batch, channels, columns} and "
                 "{batch, channels, rows, columns}");
  if (context.integer("channels_last", 0) != 0)
    context.fail("channels_last is set; possible is the usual order of dimensions");
  Window window;
  window.rows = dims.size() == 4 ? dims[2] : 1;
  window.columns = dims.back();
  return window;
}

std::vector<int> result_dims(const std::vector<int>& dims, const Window& window) {
  if (dims.size() == 3)
    return {1, dims[1], window.result_columns(dims[2])};
  return {1, dims[1], window.result_rows(dims[2]), window.result_columns(dims[3])};
}

// How many elements of the map the windows have along one dimension; 0: not all as many.
int counted(int size, int kernel, int stride, int before, int results) {
  int count = 0;
  for (int r = 0; r < results; ++r) {
    const int first = r * stride - before;
    const int here = std::min(first + kernel, size) - std::max(first, 0);
    if (r > 0 && here != count)
      return 0;
    count = here;
  }
  return count;
}

} // namespace

OnnxOperand OnnxTranslator::maximum(const Context& context, const Operand& x, const Window& window) {
  if (x.padding.any() && (x.kind != Kind::reals || builder_.reach(x.tensor).first < x.zero_point))
    context.fail("a Pad of zeros is before it, which could win; possible is padding of its own (pads)");
  for (std::size_t i = 1; i < context.node().outputs.size(); ++i)
    if (!context.node().outputs[i].empty())
      context.fail("its second output, where the maxima are, is not to be had");
  Operand result = x;
  const std::vector<int> dims = x.view.dims();
  if (x.kind == Kind::sums && std::holds_alternative<Rescale>(x.sums->op)) {
    // A tensor on its way to another scale: its maximum goes the same way.
    Operand before = x;
    before.kind = Kind::reals;
    before.tensor = x.sums->inputs[0];
    OnnxSums sums = *x.sums;
    sums.inputs = {
        builder_.max_pool(context.name(), context.node().op, builder_.map(context, before), window)};
    sums.shape = builder_.tensor(sums.inputs[0]).shape;
    result.sums = std::make_shared<const OnnxSums>(std::move(sums));
    result.view = result_map(context, result_dims(dims, window));
    result.padding = {};
    return result;
  }
  if (x.kind == Kind::sums) {
    // The maximum of what is quantized later is the quantized maximum.
    if (!x.view.is_in_order(dims.size() == 4 ? std::vector{0, 2, 3, 1} : std::vector{0, 2, 1}) ||
        dims[0] != 1)
      context.fail("a Transpose or Reshape is between it and the operator before");
    OnnxSums sums = *x.sums;
    sums.pools.push_back(window);
    result = pending(std::move(sums), result_map(context, result_dims(dims, window)));
    return result;
  }
  result.tensor = builder_.max_pool(context.name(), context.node().op, builder_.map(context, x), window);
  result.view = result_map(context, result_dims(dims, window));
  result.padding = {};
  return result;
}

OnnxOperand OnnxTranslator::max_pool(const Context& context) {
  const Operand& given = input(context, 0);
  const Operand x = given.kind == Kind::integers || given.kind == Kind::sums ? given : reals(context, 0);
  const std::vector<int> dims = x.view.dims(), kernel = kernel_of(context, dims);
  for (const int dilation : context.integers("dilations", kernel.size(), 1, 1, most_kernel))
    if (dilation != 1)
      context.fail("its kernel has gaps (dilations); possible is one without");
  return maximum(context, x, window(context, dims, kernel, x.padding, true));
}

OnnxOperand OnnxTranslator::global_max_pool(const Context& context) {
  const Operand& given = input(context, 0);
  const Operand x = given.kind == Kind::integers || given.kind == Kind::sums ? given : reals(context, 0);
  return maximum(context, x, whole(context, x.view.dims()));
}

OnnxOperand OnnxTranslator::average(const Context& context, const Operand& x, const Window& window,
                                    bool is_global) {
  const std::vector<int> dims = x.view.dims();
  const std::size_t map = builder_.map(context, x);
  const std::vector<int> shape = builder_.tensor(map).shape;
  const int rows = window.result_rows(shape[0]), columns = window.result_columns(shape[1]);
  int count = window.rows * window.columns;
  const bool counts_padding = context.integer("count_include_pad", 0) != 0;
  // Zeros of a Pad count, and those of its own pads if it says so; what ceil_mode adds at the end never does.
  const bool own = window.top + window.left + window.bottom + window.right >
                   x.padding.top + x.padding.left + x.padding.bottom + x.padding.right;
  const bool ceiling = context.integer("ceil_mode", 0) != 0;
  if (own && (!counts_padding || ceiling)) {
    if (x.padding.any())
      context.fail("a Pad is before it, and it pads on its own; possible is one of both");
    count = counted(shape[0], window.rows, window.row_stride, window.top, rows) *
            counted(shape[1], window.columns, window.column_stride, window.left, columns);
    const bool full = count == window.rows * window.columns;
    if (count == 0 || (counts_padding && !full))
      context.fail(
          "its windows at the border count fewer elements than others, so they would be divided by other "
          "numbers; possible are windows within the map, or count_include_pad without ceil_mode");
  }
  OnnxSums sums;
  sums.node = context.name();
  sums.source = context.node().op;
  Pool pool;
  pool.kind = Pool::Kind::average;
  pool.window = window;
  sums.op = pool;
  sums.inputs = {map};
  sums.shape = {rows, columns, shape[2]};
  const auto [low, high] = builder_.reach(map);
  const std::int64_t taps = std::int64_t{window.rows} * window.columns;
  sums.lowest = {std::min<std::int64_t>(0, taps * (low - x.zero_point))};
  sums.highest = {std::max<std::int64_t>(0, taps * (high - x.zero_point))};
  if (window.top + window.left + window.bottom + window.right == 0) { // no zero of a padding among them
    sums.lowest = {taps * (low - x.zero_point)};
    sums.highest = {taps * (high - x.zero_point)};
  }
  sums.scales = {x.scale};
  if (is_global)
    sums.mean_of = count;
  else
    sums.steps = {{RealStep::Kind::divide, {static_cast<float>(count)}}};
  return pending(std::move(sums), result_map(context, result_dims(dims, window)));
}

OnnxOperand OnnxTranslator::average_pool(const Context& context) {
  const Operand x = reals(context, 0);
  const std::vector<int> dims = x.view.dims(), kernel = kernel_of(context, dims);
  for (const int dilation : context.integers("dilations", kernel.size(), 1, 1, most_kernel))
    if (dilation != 1)
      context.fail("its kernel has gaps (dilations); possible is one without");
  return average(context, x, window(context, dims, kernel, x.padding, true), false);
}

OnnxOperand OnnxTranslator::average_pool_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const std::vector<int> dims = x.view.dims(), kernel = kernel_of(context, dims);
  const Operand sums = average(context, x, window(context, dims, kernel, x.padding, true), false);
  return quantized(context, *sums.sums, sums.view, 3, 4,
                   builder_.tensor(x.tensor).format.is_signed ? OnnxType::int8 : OnnxType::uint8);
}

OnnxOperand OnnxTranslator::global_average_pool(const Context& context) {
  const Operand x = reals(context, 0);
  return average(context, x, whole(context, x.view.dims()), true);
}

OnnxOperand OnnxTranslator::global_average_pool_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const Operand sums = average(context, x, whole(context, x.view.dims()), true);
  return quantized(context, *sums.sums, sums.view, 3, 4,
                   builder_.tensor(x.tensor).format.is_signed ? OnnxType::int8 : OnnxType::uint8);
}

OnnxOperand OnnxTranslator::reduce_mean(const Context& context) {
  const Operand x = reals(context, 0);
  const std::vector<int> dims = x.view.dims();
  std::vector<std::int64_t> over = axes(context, 1);
  std::sort(over.begin(), over.end());
  std::vector<std::int64_t> spatial;
  for (std::size_t d = 2; d < dims.size(); ++d)
    spatial.push_back(static_cast<std::int64_t>(d));
  if (over != spatial || dims.size() < 3)
    context.fail("possible is a mean over all rows and columns, that is axes 2 and 3");
  Operand result = average(context, x, whole(context, dims), true);
  if (context.integer("keepdims", 1) == 0)
    result = in_shape(context, result, {dims[0], dims[1]});
  return result;
}

} // namespace deltatwin
