// Loops over every index, from the comments of net/operators.h; base/rounding.h is left out on purpose.
#include "net/reference.h"
#include "base/error.h"
#include <algorithm>
#include <string>

namespace deltatwin {
namespace {

std::int64_t floor_division(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

std::int64_t rounded(const Requantization& requantization, std::int64_t sum, int channel) {
  const auto c = static_cast<std::size_t>(channel);
  const std::int64_t multiplier = requantization.multiplier(c);
  const int shift = requantization.shift(c);
  const std::int64_t one = 1;
  if (requantization.rounding == Rounding::tflite) {
    const int exponent = 31 - shift;
    if (exponent > 0)
      sum *= one << exponent;
    const std::int64_t high = floor_division(sum * multiplier + (one << 30), one << 31);
    if (exponent >= 0)
      return high;
    const std::int64_t magnitude = ((high < 0 ? -high : high) + (one << (-exponent - 1))) >> -exponent;
    return high < 0 ? -magnitude : magnitude;
  }
  const std::int64_t unit = one << shift, product = sum * multiplier;
  const std::int64_t below = floor_division(product, unit), rest = product - below * unit;
  if (rest != unit - rest)
    return rest > unit - rest ? below + 1 : below;
  return requantization.rounding == Rounding::half_up || below % 2 != 0 ? below + 1 : below;
}

// The integer of a sum, for a tensor of that zero point.
int integer_of(const Requantization& requantization, std::int64_t sum, int channel, int zero_point) {
  if (requantization.rounding == Rounding::thresholds) {
    const int steps = requantization.high - requantization.low;
    const bool is_one = requantization.thresholds.size() == static_cast<std::size_t>(steps);
    int y = requantization.low;
    for (int step = 0; step < steps; ++step)
      if (sum >=
          requantization.thresholds.at(static_cast<std::size_t>((is_one ? 0 : channel) * steps + step)))
        ++y;
    return y;
  }
  const std::int64_t value = rounded(requantization, sum, channel) + zero_point;
  return static_cast<int>(
      std::max<std::int64_t>(requantization.low, std::min<std::int64_t>(value, requantization.high)));
}

// A map of rows, columns and channels.
class Map {
public:
  Map(const Tensor& tensor, const std::vector<int>& values)
      : values_(values), rows_(tensor.shape[0]), columns_(tensor.shape[1]), channels_(tensor.shape[2]) {}
  [[nodiscard]] bool has(int row, int column) const {
    return row >= 0 && row < rows_ && column >= 0 && column < columns_;
  }
  [[nodiscard]] int at(int row, int column, int channel) const {
    return values_.at(static_cast<std::size_t>((row * columns_ + column) * channels_ + channel));
  }

private:
  const std::vector<int>& values_;
  int rows_, columns_, channels_;
};

struct Place {
  const Tensor& in;
  const Tensor& out;
  const std::vector<int>& x;
};

// Calls result(row, column, channel) in the order of memory.
template <class Result> std::vector<int> map_of(const Tensor& out, Result result) {
  std::vector<int> y;
  for (int row = 0; row < out.shape[0]; ++row)
    for (int column = 0; column < out.shape[1]; ++column)
      for (int channel = 0; channel < out.shape[2]; ++channel)
        y.push_back(result(row, column, channel));
  return y;
}

// Calls visit(kernel row, kernel column, row, column) where a window is on the map.
template <class Visit> void over(const Window& window, const Map& map, int row, int column, Visit visit) {
  for (int i = 0; i < window.rows; ++i)
    for (int j = 0; j < window.columns; ++j) {
      const int r = row * window.row_stride - window.top + i,
                c = column * window.column_stride - window.left + j;
      if (map.has(r, c))
        visit(i, j, r, c);
    }
}

std::vector<int> compute(const Place& place, const Convolution& convolution) {
  const Map map(place.in, place.x);
  const Window& window = convolution.window;
  const int inputs = place.in.shape[2] / convolution.groups,
            outputs = convolution.outputs / convolution.groups;
  return map_of(place.out, [&](int row, int column, int o) {
    std::int64_t sum = convolution.bias.at(static_cast<std::size_t>(o));
    over(window, map, row, column, [&](int i, int j, int r, int c) {
      for (int n = 0; n < inputs; ++n)
        sum += std::int64_t{map.at(r, c, o / outputs * inputs + n) - place.in.format.zero_point} *
               convolution.weights.at(
                   static_cast<std::size_t>(((o * window.rows + i) * window.columns + j) * inputs + n));
    });
    return integer_of(convolution.requantization, sum, o, place.out.format.zero_point);
  });
}

std::vector<int> compute(const Place& place, const Pool& pool) {
  const Map map(place.in, place.x);
  const int zero = pool.raw ? 0 : place.in.format.zero_point,
            offset = pool.raw ? 0 : place.out.format.zero_point;
  return map_of(place.out, [&](int row, int column, int channel) {
    int most = place.in.format.low();
    std::int64_t sum = 0;
    over(pool.window, map, row, column, [&](int, int, int r, int c) {
      most = std::max(most, map.at(r, c, channel));
      sum += map.at(r, c, channel) - zero;
    });
    return integer_of(pool.requantization, pool.kind == Pool::Kind::max ? most - zero : sum, 0, offset);
  });
}

std::vector<int> compute(const Place& place, const Rescale& rescale) {
  std::vector<int> y;
  for (std::size_t i = 0; i < place.x.size(); ++i) {
    const int channel = static_cast<int>(i) % place.in.shape.back();
    y.push_back(integer_of(rescale.requantization, place.x[i] - place.in.format.zero_point, channel,
                           place.out.format.zero_point));
  }
  return y;
}

std::vector<int> compute(const Place& place, const Reshape&) { return place.x; }

std::vector<int> compute(const Place& place, const Layer& layer) {
  const std::vector<std::int8_t> weights = layer.weights();
  std::vector<int> y;
  for (int o = 0; o < layer.outputs; ++o) {
    std::int64_t sum = 0;
    for (int i = 0; i < layer.inputs; ++i)
      sum += std::int64_t{place.x[static_cast<std::size_t>(i)]} *
             weights[static_cast<std::size_t>(o * layer.inputs + i)];
    const auto n = static_cast<std::size_t>(o);
    const int fraction = layer.requantizer.shift - 8;
    const std::int64_t value =
        floor_division(floor_division(sum * layer.requantizer.multiplier[n], std::int64_t{1} << fraction) +
                           layer.requantizer.bias[n] + 128,
                       256);
    y.push_back(static_cast<int>(std::max<std::int64_t>(
        activation_low(layer.activation), std::min<std::int64_t>(value, activation_high(layer.activation)))));
  }
  return y;
}

std::vector<int> sum_of(const Graph& graph, const Node& node, const Add& add,
                        const std::vector<std::vector<int>>& tensors) {
  std::vector<int> y;
  const std::vector<int>&a = tensors[node.inputs[0]], &b = tensors[node.inputs[1]];
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto scaled = [&](std::size_t n, int x) {
      return rounded(
          add.inputs[n],
          std::int64_t{x - graph.tensors[node.inputs[n]].format.zero_point} * (1 << add.left_shift), 0);
    };
    y.push_back(integer_of(add.output, scaled(0, a[i]) + scaled(1, b[i]), 0,
                           graph.tensors[node.output].format.zero_point));
  }
  return y;
}

} // namespace

std::vector<std::vector<int>> reference_tensors(const Graph& graph, const std::vector<int>& input) {
  std::vector<std::vector<int>> tensors(graph.tensors.size());
  if (input.size() != graph.tensors[graph.input].elements())
    throw InputError("the input has " + std::to_string(graph.tensors[graph.input].elements()) +
                     " elements, not " + std::to_string(input.size()));
  tensors[graph.input] = input;
  for (const Node& node : graph.nodes) {
    const std::vector<int>& x = tensors[node.inputs[0]];
    const Place place = {graph.tensors[node.inputs[0]], graph.tensors[node.output], x};
    std::vector<int> y;
    if (const auto* add = std::get_if<Add>(&node.op))
      y = sum_of(graph, node, *add, tensors);
    else
      std::visit(
          [&](const auto& op) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, Add>)
              y = compute(place, op);
          },
          node.op);
    tensors[node.output] = std::move(y);
  }
  return tensors;
}

} // namespace deltatwin
