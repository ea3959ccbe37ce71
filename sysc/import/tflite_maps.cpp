#include "import/tflite_importer.h"
#include "import/tflite_scale.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace deltatwin {
namespace {

constexpr std::int64_t most_averaged = std::int64_t{1} << 22;

// Elements of the map that each window has, where all have as many.

std::optional<int> common_count(const Window& window, const std::vector<int>& map) {
  const auto counts = [](int size, int kernel, int stride, int before, int results) {
    std::pair<int, int> range = {kernel, 0};
    for (int r = 0; r < results; ++r) {
      const int first = r * stride - before, count = std::min(first + kernel, size) - std::max(first, 0);
      range = {std::min(range.first, count), std::max(range.second, count)};
    }
    return range;
  };
  const auto rows = counts(map[0], window.rows, window.row_stride, window.top, window.result_rows(map[0]));
  const auto columns =
      counts(map[1], window.columns, window.column_stride, window.left, window.result_columns(map[1]));
  if (rows.first != rows.second || columns.first != columns.second)
    return std::nullopt;
  return rows.first * columns.first;
}

} // namespace

TfliteFused TfliteImporter::fused(const Node& node, int field) const {
  const std::int64_t value = node.has_options ? node.options.integer(field, 1, 0) : 0;
  if (value < 0 || value > 3)
    refuse(node, "has a fused activation of number " + std::to_string(value) +
                     "; none, RELU, RELU6 and RELU_N1_TO_1 are possible");
  return static_cast<TfliteFused>(value);
}

// As the kernels' CalculateActivationRange does it: in float, ties away from zero.
void TfliteImporter::clamp(const Node& node, TfliteFused fused, Requantization& requantization) const {
  const Format out = format(node, output(node));
  const float unit = scale(node, output(node));
  const auto quantized = [&](float real) {
    const double steps = std::round(static_cast<double>(real / unit));
    return static_cast<int>(
        std::clamp(out.zero_point + std::clamp(steps, -1e6, 1e6), out.low() + 0.0, out.high() + 0.0));
  };
  requantization.low = out.low();
  requantization.high = out.high();
  if (fused == TfliteFused::relu || fused == TfliteFused::relu6)
    requantization.low = quantized(0);
  if (fused == TfliteFused::relu_n1_to_1)
    requantization.low = quantized(-1);
  if (fused != TfliteFused::none && fused != TfliteFused::relu)
    requantization.high = quantized(fused == TfliteFused::relu6 ? 6 : 1);
}

NodeReport TfliteImporter::report(const Node& node, TfliteFused fused) const {
  constexpr std::array<const char*, 4> names = {"", ", RELU", ", RELU_N1_TO_1", ", RELU6"};
  return {to_string(node.code) + names[static_cast<std::size_t>(fused)], 0, 0, ""};
}

// Counts the sums for which the graph's rule is not what the kernels do.
void TfliteImporter::prove(const Node& node, NodeReport& report, const Requantization& requantization,
                           std::size_t channel, const SumRange& sums) const {
  const std::int32_t multiplier = requantization.multiplier(channel);
  const int shift = requantization.shift(channel);
  const std::int64_t scale = std::int64_t{1} << std::max(0, 31 - shift);
  if (sums.low < std::numeric_limits<std::int32_t>::min() / scale ||
      sums.high > std::numeric_limits<std::int32_t>::max() / scale)
    refuse(node, "the sums of channel " + std::to_string(channel) + " can reach " + std::to_string(sums.low) +
                     ".." + std::to_string(sums.high) + ", scaled more than 32 bits hold");
  const int zero_point = format(node, output(node)).zero_point;
  const auto result = [&](std::int64_t scaled) {
    return std::clamp<std::int64_t>(scaled + zero_point, requantization.low, requantization.high);
  };
  report.sums += static_cast<std::uint64_t>(sums.high - sums.low) + 1;
  report.different += count_differences(
      sums.low, sums.high,
      [&](std::int64_t sum) {
        return result(
            requantized(requantization.rounding, static_cast<std::int32_t>(sum), multiplier, shift));
      },
      [&](std::int64_t sum) { return result(tflite_scaled(sum, multiplier, 31 - shift)); });
}

void TfliteImporter::add(const Node& node) {
  const std::array<std::size_t, 2> from = {value(node, 0).tensor, value(node, 1).tensor};
  const std::vector<int> shape = builder_.tensor(from[0]).shape;
  if (builder_.tensor(from[1]).shape != shape)
    refuse(node, "adds tensors of two shapes; equal ones are possible");
  const std::size_t to = result(node, shape);
  Add add;
  add.left_shift = 20;
  const std::array<float, 2> scales = {builder_.tensor(from[0]).scale, builder_.tensor(from[1]).scale};
  const auto twice = static_cast<double>(2 * std::max(scales[0], scales[1]));
  const auto set = [&](Requantization& requantization, double real) {
    const QuantizedMultiplier multiplier = quantized_multiplier(real);
    if (multiplier.exponent > 0)
      refuse(node, "adds to a scale that is too fine for TensorFlow Lite's own kernel");
    requantization.rounding = Rounding::tflite;
    requantization.multipliers = {multiplier.multiplier};
    requantization.shifts = {multiplier.shift()};
  };
  NodeReport about = report(node, fused(node, 0));
  SumRange sums;
  for (std::size_t i = 0; i < 2; ++i) {
    set(add.inputs[i], static_cast<double>(scales[i]) / twice);
    const Format& in = builder_.tensor(from[i]).format;
    const SumRange range = {(in.low() - in.zero_point) * (std::int64_t{1} << 20),
                            (in.high() - in.zero_point) * (std::int64_t{1} << 20)};
    const auto scaled = [&](std::int64_t sum) {
      return tflite_scaled(sum, add.inputs[i].multipliers[0], 31 - add.inputs[i].shifts[0]);
    };
    for (std::int64_t sum = range.low; sum <= range.high; sum += std::int64_t{1} << 20) { // 256 of them
      ++about.sums;
      about.different += scaled(sum) != requantized(Rounding::tflite, static_cast<std::int32_t>(sum),
                                                    add.inputs[i].multipliers[0], add.inputs[i].shifts[0]);
    }
    sums.low += scaled(range.low);
    sums.high += scaled(range.high);
  }
  set(add.output, twice / static_cast<double>((1 << 20) * builder_.tensor(to).scale));
  clamp(node, fused(node, 0), add.output);
  prove(node, about, add.output, 0, sums);
  builder_.node(builder_.tensor(to).name, {from[0], from[1]}, to, std::move(add), std::move(about));
  values_[node.outputs[0]] = {to};
}

void TfliteImporter::pool(const Node& node) {
  const TfliteValue from = value(node, 0);
  const std::vector<int> map = builder_.tensor(from.tensor).shape;
  Pool pool;
  pool.kind = node.code == TfliteOperator::max_pool_2d ? Pool::Kind::max : Pool::Kind::average;
  const auto kernel = [&](int field) {
    const std::int64_t value = node.has_options ? node.options.integer(field, 4, 0) : 0;
    if (value < 1 || value > 1 << 15)
      refuse(node, "has a kernel of " + std::to_string(value));
    return static_cast<int>(value);
  };
  pool.window.columns = kernel(3);
  pool.window.rows = kernel(4);
  place(node, 1, padding(node), pool.window, from);
  const std::size_t to =
      result(node, {pool.window.result_rows(map[0]), pool.window.result_columns(map[1]), map[2]});
  const Format in = builder_.tensor(from.tensor).format;
  if (in != builder_.tensor(to).format || builder_.tensor(from.tensor).scale != builder_.tensor(to).scale)
    refuse(node, "changes scale or zero point; TensorFlow Lite's own kernel ignores that");
  const TfliteFused activation = fused(node, 5);
  clamp(node, activation, pool.requantization);
  NodeReport about = report(node, activation);
  if (pool.kind == Pool::Kind::average) {
    const std::optional<int> count = common_count(pool.window, map);
    if (!count)
      refuse(node,
             "averages windows of unequal counts, as its padding is not counted; VALID padding is possible");
    // Just above 1 / count, so that ties below zero go down, as in the kernels.
    pool.raw = true;
    int shift = 0;
    while (shift < 61 &&
           (std::int64_t{1} << (shift + 1)) / *count + 1 <= std::numeric_limits<std::int32_t>::max())
      ++shift;
    const std::int64_t multiplier = (std::int64_t{1} << shift) / *count + 1;
    pool.requantization.multipliers = {static_cast<std::int32_t>(multiplier)};
    pool.requantization.shifts = {shift};
    if (*count > most_averaged)
      refuse(node, "averages " + std::to_string(*count) + " values, at most " +
                       std::to_string(most_averaged) + " are possible");
    const SumRange sums = {std::int64_t{in.low()} * *count, std::int64_t{in.high()} * *count};
    about.sums = static_cast<std::uint64_t>(sums.high - sums.low) + 1;
    about.different = count_differences(
        sums.low, sums.high,
        [&](std::int64_t sum) {
          return requantized(Rounding::half_up, static_cast<std::int32_t>(sum),
                             static_cast<std::int32_t>(multiplier), shift);
        },
        [&](std::int64_t sum) { return (sum > 0 ? sum + *count / 2 : sum - *count / 2) / *count; });
    about.remark = "ties away from 0";
  }
  builder_.node(builder_.tensor(to).name, {from.tensor}, to, std::move(pool), std::move(about));
  values_[node.outputs[0]] = {to};
}

void TfliteImporter::mean(const Node& node) {
  const TfliteValue from = value(node, 0);
  const std::vector<int> map = builder_.tensor(from.tensor).shape;
  const auto dimensions = static_cast<std::int64_t>(input(node, 0).shape.size());
  Pool pool;
  pool.kind = Pool::Kind::average;
  for (const std::int64_t axis : constants(node, 1)) {
    const std::int64_t at = (axis < 0 ? axis + dimensions : axis) - (dimensions - 3);
    if (at != 0 && at != 1)
      refuse(node, "averages dimension " + std::to_string(axis) + "; rows and columns are possible");
    (at == 0 ? pool.window.rows : pool.window.columns) = map[static_cast<std::size_t>(at)];
  }
  const std::int64_t count = std::int64_t{pool.window.rows} * pool.window.columns;
  const std::size_t to =
      result(node, {pool.window.result_rows(map[0]), pool.window.result_columns(map[1]), map[2]});
  const Tensor in = builder_.tensor(from.tensor), out = builder_.tensor(to);
  // The count goes into the multiplier, as the kernels do it.
  QuantizedMultiplier multiplier =
      quantized_multiplier(static_cast<double>(in.scale) / static_cast<double>(out.scale));
  int shift = 0;
  while (std::int64_t{2} << shift <= count)
    ++shift;
  shift = std::min({shift, 32, 31 + multiplier.exponent});
  multiplier.multiplier =
      static_cast<std::int32_t>((std::int64_t{multiplier.multiplier} * (std::int64_t{1} << shift)) / count);
  multiplier.exponent -= shift;
  pool.requantization.rounding = Rounding::tflite;
  pool.requantization.multipliers = {multiplier.multiplier};
  pool.requantization.shifts = {multiplier.shift()};
  clamp(node, TfliteFused::none, pool.requantization);
  NodeReport about = report(node);
  prove(
      node, about, pool.requantization, 0,
      {count * (in.format.low() - in.format.zero_point), count * (in.format.high() - in.format.zero_point)});
  builder_.node(out.name, {from.tensor}, to, std::move(pool), std::move(about));
  builder_.note("MEAN (" + out.name +
                ") rounds as TensorFlow Lite does since 2.9: the count is in its multiplier");
  values_[node.outputs[0]] = {reshaped(node, to, map_shape(node, output(node)))};
}

void TfliteImporter::pad(const Node& node) {
  const TfliteValue from = value(node, 0);
  const std::vector<std::int64_t> sizes = constants(node, 1);
  const Format in = builder_.tensor(from.tensor).format;
  if (input(node, 0).shape.size() != 4 || sizes.size() != 8 || sizes[0] || sizes[1] || sizes[6] || sizes[7])
    refuse(node, "pads more than rows and columns");
  for (const std::int64_t size : sizes)
    if (size < 0 || size > 1 << 15)
      refuse(node, "has a padding of " + std::to_string(size));
  if (node.code == TfliteOperator::padv2) {
    const TfliteTensor& constant = input(node, 2);
    const int by = constant.data.empty() ? 0
                   : in.is_signed        ? static_cast<std::int8_t>(constant.data[0])
                                         : static_cast<std::uint8_t>(constant.data[0]);
    if (constant.data.size() != 1 || by != in.zero_point)
      refuse(node, "pads by something else than the zero point");
  }
  if (format(node, output(node)) != in)
    refuse(node, "changes the zero point");
  TfliteValue padded = from;
  padded.top = static_cast<int>(sizes[2]), padded.bottom = static_cast<int>(sizes[3]);
  padded.left = static_cast<int>(sizes[4]), padded.right = static_cast<int>(sizes[5]);
  values_[node.outputs[0]] = padded;
}

void TfliteImporter::rescale(const Node& node) {
  const TfliteValue from = value(node, 0);
  const Tensor in = builder_.tensor(from.tensor);
  const TfliteFused activation = node.code == TfliteOperator::relu           ? TfliteFused::relu
                                 : node.code == TfliteOperator::relu6        ? TfliteFused::relu6
                                 : node.code == TfliteOperator::relu_n1_to_1 ? TfliteFused::relu_n1_to_1
                                                                             : TfliteFused::none;
  const std::size_t to = result(node, in.shape);
  const float out = builder_.tensor(to).scale;
  // Of activations the kernels divide in float.
  const QuantizedMultiplier multiplier = quantized_multiplier(
      activation == TfliteFused::none ? static_cast<double>(in.scale) / static_cast<double>(out)
                                      : static_cast<double>(in.scale / out));
  Rescale rescale;
  rescale.requantization.rounding = Rounding::tflite;
  rescale.requantization.multipliers = {multiplier.multiplier};
  rescale.requantization.shifts = {multiplier.shift()};
  clamp(node, activation, rescale.requantization);
  if (multiplier.exponent > 22)
    refuse(node, "scales up by more than 2^22");
  NodeReport about = report(node);
  prove(node, about, rescale.requantization, 0,
        {in.format.low() - in.format.zero_point, in.format.high() - in.format.zero_point});
  builder_.node(builder_.tensor(to).name, {from.tensor}, to, std::move(rescale), std::move(about));
  values_[node.outputs[0]] = {to};
}

void TfliteImporter::softmax(const Node& node) {
  const TfliteValue from = value(node, 0);
  const Tensor in = builder_.tensor(from.tensor);
  const double beta = node.has_options ? static_cast<double>(node.options.real(0, 0)) : 1.0;
  const Format out = format(node, output(node));
  const float unit = scale(node, output(node));
  Softmax softmax;
  // In the kernels' 5 integer bits.
  const double real = std::min(beta * static_cast<double>(in.scale) * (1 << 26), 2147483647.0);
  const QuantizedMultiplier multiplier = quantized_multiplier(real);
  if (!(beta > 0) || in.format.is_signed != out.is_signed || out.zero_point != out.low() ||
      unit != 1.0F / 256 || multiplier.exponent < 1 || multiplier.exponent > 31)
    refuse(node,
           "is no softmax of TensorFlow Lite's: its output must have the scale 1/256 and the lowest zero "
           "point, its beta be above 0");
  softmax.rule = Softmax::Rule::tflite;
  softmax.multiplier = multiplier.multiplier;
  softmax.left_shift = multiplier.exponent;
  builder_.graph().softmax = softmax;
  builder_.note("SOFTMAX (" + output(node).name.substr(0, output(node).name.find(';')) +
                ") is left to the host, in integers as TensorFlow Lite has it");
  values_[node.outputs[0]] = from;
  ended_ = true;
}

} // namespace deltatwin
