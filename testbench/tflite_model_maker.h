#pragma once
// Random TensorFlow Lite models with what they compute, operator by operator in plain loops from the
// definition of its kernels: the other opinion on the import.
#include "random_work.h"
#include "tflite_writer.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

class TfliteMaker {
public:
  struct Map {
    int tensor = 0; ///< in the file
    int rows = 1, columns = 1, channels = 1;
    float scale = 1;
    int zero_point = 0;
    std::vector<int> values;

    [[nodiscard]] int at(int r, int c, int k) const {
      return values[static_cast<std::size_t>((r * columns + c) * channels + k)];
    }
    [[nodiscard]] bool has(int r, int c) const { return r >= 0 && r < rows && c >= 0 && c < columns; }
  };

  TfliteMaker(RandomWork& random, bool is_unsigned) : random_(random), unsigned_(is_unsigned) {}

  TfliteWriter writer;

  Map input(int rows, int columns, int channels) {
    Map map = made(rows, columns, channels, random_scale(), random_zero());
    for (int i = 0; i < rows * columns * channels; ++i)
      map.values.push_back(random_.in(low(), high()));
    return map;
  }

  struct Geometry {
    int rows = 1, columns = 1, row_stride = 1, column_stride = 1;
    bool same = true;
    int row_dilation = 1, column_dilation = 1;
    int fused = 0;                                                ///< 0 none, 1 RELU, 2 RELU_N1_TO_1, 3 RELU6
    int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0; ///< by a PAD in front
  };

  Map convolve(const Map& x, const Geometry& g, int outputs, bool depthwise, bool per_channel) {
    const Map padded = pad(x, g);
    const int inputs = depthwise ? 1 : x.channels;
    const int each = g.rows * g.columns * inputs;
    const int weight_zero = unsigned_ ? random_.in(0, 255) : 0;
    std::vector<float> scales;
    for (int s = 0; s < (per_channel && !unsigned_ ? outputs : 1); ++s)
      scales.push_back(random_scale() / 16);
    std::vector<int> weights; // [outputs][rows][columns][inputs], as they are
    for (int i = 0; i < outputs * each; ++i)
      weights.push_back(unsigned_ ? random_.in(0, 255) : random_.in(-127, 127));
    std::vector<std::int32_t> bias;
    for (int o = 0; o < outputs; ++o)
      bias.push_back(random_.in(-3000, 3000));
    std::string bytes(weights.size(), '\0');
    for (int o = 0; o < outputs; ++o)
      for (int i = 0; i < each; ++i)
        bytes[static_cast<std::size_t>(depthwise ? i * outputs + o : o * each + i)] =
            static_cast<char>(weights[static_cast<std::size_t>(o * each + i)]);
    const int w =
        writer.add({"weights",
                    depthwise ? std::vector<std::int32_t>{1, g.rows, g.columns, outputs}
                              : std::vector<std::int32_t>{outputs, g.rows, g.columns, inputs},
                    unsigned_ ? 3 : 9, scales, std::vector<std::int64_t>(scales.size(), weight_zero), bytes,
                    depthwise ? 3 : 0});
    const int b = writer.add({"bias", {outputs}, 2, {}, {}, text(bias)});
    const float mean = scales[0];
    const Padded place = placed(padded, g);
    Map y = made(place.rows, place.columns, outputs,
                 x.scale * mean * static_cast<float>(std::sqrt(each)) * 60.0F, random_zero());
    const auto clamps = range(g.fused, y);
    for (int r = 0; r < y.rows; ++r)
      for (int c = 0; c < y.columns; ++c)
        for (int o = 0; o < outputs; ++o) {
          std::int64_t sum = bias[static_cast<std::size_t>(o)];
          for (int i = 0; i < g.rows; ++i)
            for (int j = 0; j < g.columns; ++j)
              for (int k = 0; k < inputs; ++k) {
                const int row = r * g.row_stride - place.top + i * g.row_dilation,
                          column = c * g.column_stride - place.left + j * g.column_dilation;
                if (!padded.has(row, column))
                  continue;
                const int channel = depthwise ? o / (outputs / x.channels) : k;
                sum += std::int64_t{padded.at(row, column, channel) - x.zero_point} *
                       (weights[static_cast<std::size_t>(((o * g.rows + i) * g.columns + j) * inputs + k)] -
                        weight_zero);
              }
          const float scale = scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(o)];
          const double product = unsigned_ ? static_cast<double>(x.scale * scale)
                                           : static_cast<double>(x.scale) * static_cast<double>(scale);
          y.values.push_back(
              clamped(scaled(sum, product / static_cast<double>(y.scale)) + y.zero_point, clamps));
        }
    const std::int8_t padding = g.same ? 0 : 1;
    FlatItem::Fields options = {{0, FlatItem::scalar(padding)},
                                {1, FlatItem::scalar(std::int32_t{g.column_stride})},
                                {2, FlatItem::scalar(std::int32_t{g.row_stride})}};
    const int shift = depthwise ? 1 : 0;
    if (depthwise)
      options.emplace(3, FlatItem::scalar(std::int32_t{outputs / x.channels}));
    options.emplace(3 + shift, FlatItem::scalar(static_cast<std::int8_t>(g.fused)));
    options.emplace(4 + shift, FlatItem::scalar(std::int32_t{g.column_dilation}));
    options.emplace(5 + shift, FlatItem::scalar(std::int32_t{g.row_dilation}));
    writer.node(depthwise ? 4 : 3, {padded.tensor, w, b}, {y.tensor}, std::move(options));
    return y;
  }

  Map dense(const Map& x, int outputs, bool with_bias, int fused) {
    const int inputs = x.rows * x.columns * x.channels;
    const int weight_zero = unsigned_ ? random_.in(0, 255) : 0;
    const float scale = random_scale() / 16;
    std::string bytes;
    std::vector<int> weights;
    std::vector<std::int32_t> bias(static_cast<std::size_t>(outputs));
    for (int i = 0; i < outputs * inputs; ++i) {
      weights.push_back(unsigned_ ? random_.in(0, 255) : random_.in(-127, 127));
      bytes += static_cast<char>(weights.back());
    }
    for (std::int32_t& value : bias)
      value = with_bias ? random_.in(-3000, 3000) : 0;
    const int w =
        writer.add({"dense_weights", {outputs, inputs}, unsigned_ ? 3 : 9, {scale}, {weight_zero}, bytes});
    const int b = with_bias ? writer.add({"dense_bias", {outputs}, 2, {}, {}, text(bias)}) : -1;
    Map y =
        made_flat(outputs, x.scale * scale * static_cast<float>(std::sqrt(inputs)) * 60.0F, random_zero());
    for (int o = 0; o < outputs; ++o) {
      std::int64_t sum = bias[static_cast<std::size_t>(o)];
      for (int i = 0; i < inputs; ++i)
        sum += std::int64_t{x.values[static_cast<std::size_t>(i)] - x.zero_point} *
               (weights[static_cast<std::size_t>(o * inputs + i)] - weight_zero);
      const double real = static_cast<double>(x.scale * scale) / static_cast<double>(y.scale);
      y.values.push_back(clamped(scaled(sum, real) + y.zero_point, range(fused, y)));
    }
    writer.node(9, {x.tensor, w, b}, {y.tensor}, {{0, FlatItem::scalar(static_cast<std::int8_t>(fused))}});
    return y;
  }

  Map add(const Map& a, const Map& b, int fused) {
    Map y = made(a.rows, a.columns, a.channels, std::max(a.scale, b.scale) * 1.4F, random_zero());
    const double twice = static_cast<double>(2 * std::max(a.scale, b.scale));
    const double out = twice / static_cast<double>((1 << 20) * y.scale);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      const std::int64_t first =
          scaled(std::int64_t{a.values[i] - a.zero_point} * (1 << 20), static_cast<double>(a.scale) / twice);
      const std::int64_t second =
          scaled(std::int64_t{b.values[i] - b.zero_point} * (1 << 20), static_cast<double>(b.scale) / twice);
      y.values.push_back(clamped(scaled(first + second, out) + y.zero_point, range(fused, y)));
    }
    writer.node(0, {a.tensor, b.tensor}, {y.tensor},
                {{0, FlatItem::scalar(static_cast<std::int8_t>(fused))}});
    return y;
  }

  Map pool(const Map& x, const Geometry& g, bool is_max) {
    const Padded place = placed(x, g);
    Map y = made(place.rows, place.columns, x.channels, x.scale, x.zero_point);
    for (int r = 0; r < y.rows; ++r)
      for (int c = 0; c < y.columns; ++c)
        for (int k = 0; k < x.channels; ++k) {
          int most = low(), sum = 0, count = 0;
          for (int i = 0; i < g.rows; ++i)
            for (int j = 0; j < g.columns; ++j) {
              const int row = r * g.row_stride - place.top + i, column = c * g.column_stride - place.left + j;
              if (!x.has(row, column))
                continue;
              most = std::max(most, x.at(row, column, k));
              sum += x.at(row, column, k);
              ++count;
            }
          const int average = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
          y.values.push_back(clamped(is_max ? most : average, range(g.fused, y)));
        }
    writer.node(is_max ? 17 : 1, {x.tensor}, {y.tensor},
                {{0, FlatItem::scalar(static_cast<std::int8_t>(g.same ? 0 : 1))},
                 {1, FlatItem::scalar(std::int32_t{g.column_stride})},
                 {2, FlatItem::scalar(std::int32_t{g.row_stride})},
                 {3, FlatItem::scalar(std::int32_t{g.columns})},
                 {4, FlatItem::scalar(std::int32_t{g.rows})},
                 {5, FlatItem::scalar(static_cast<std::int8_t>(g.fused))}});
    return y;
  }

  /// Over rows and columns.
  Map mean(const Map& x) {
    const int axes = writer.add({"axes", {2}, 2, {}, {}, text(std::vector<std::int32_t>{1, 2})});
    Map y = made_flat(x.channels, x.scale * 0.7F, random_zero());
    const std::int64_t count = std::int64_t{x.rows} * x.columns;
    Multiplier multiplier = quantized(static_cast<double>(x.scale) / static_cast<double>(y.scale));
    int shift = 0;
    while (std::int64_t{2} << shift <= count)
      ++shift;
    shift = std::min({shift, 32, 31 + multiplier.exponent});
    multiplier.value = (multiplier.value << shift) / count;
    multiplier.exponent -= shift;
    for (int k = 0; k < x.channels; ++k) {
      std::int64_t sum = 0;
      for (int r = 0; r < x.rows; ++r)
        for (int c = 0; c < x.columns; ++c)
          sum += x.at(r, c, k) - x.zero_point;
      y.values.push_back(clamped(scaled(sum, multiplier) + y.zero_point, range(0, y)));
    }
    writer.node(40, {x.tensor, axes}, {y.tensor}, {{0, FlatItem::scalar(std::int8_t{0})}});
    return y;
  }

  /// QUANTIZE (114), RELU (19), RELU_N1_TO_1 (20), RELU6 (21).
  Map rescale(const Map& x, int code) {
    Map y = made(x.rows, x.columns, x.channels, code == 114 ? random_scale() : x.scale * 0.9F, random_zero());
    const double real = code == 114 ? static_cast<double>(x.scale) / static_cast<double>(y.scale)
                                    : static_cast<double>(x.scale / y.scale);
    const auto clamps = range(code == 19 ? 1 : code == 20 ? 2 : code == 21 ? 3 : 0, y);
    for (const int value : x.values)
      y.values.push_back(clamped(scaled(value - x.zero_point, real) + y.zero_point, clamps));
    writer.node(code, {x.tensor}, {y.tensor}, {});
    return y;
  }

  Map flatten(const Map& x) {
    Map y = made_flat(static_cast<int>(x.values.size()), x.scale, x.zero_point);
    y.values = x.values;
    writer.node(22, {x.tensor}, {y.tensor}, {});
    return y;
  }

  [[nodiscard]] int low() const { return unsigned_ ? 0 : -128; }
  [[nodiscard]] int high() const { return unsigned_ ? 255 : 127; }

private:
  struct Multiplier {
    std::int64_t value = 0;
    int exponent = 0;
  };
  struct Padded {
    int rows, columns, top, left;
  };

  float random_scale() { return static_cast<float>(random_.in(1000, 9999)) / 131072.0F; }
  int random_zero() { return random_.in(0, 2) ? random_.in(low(), high()) : low(); }

  Map made(int rows, int columns, int channels, float scale, int zero_point) {
    Map map{0, rows, columns, channels, scale, zero_point, {}};
    map.tensor = writer.add({"map/x:" + std::to_string(count_++),
                             {1, rows, columns, channels},
                             unsigned_ ? 3 : 9,
                             {scale},
                             {zero_point},
                             ""});
    return map;
  }
  Map made_flat(int channels, float scale, int zero_point) {
    Map map{0, 1, 1, channels, scale, zero_point, {}};
    map.tensor = writer.add(
        {"row" + std::to_string(count_++), {1, channels}, unsigned_ ? 3 : 9, {scale}, {zero_point}, ""});
    return map;
  }
  static std::string text(const std::vector<std::int32_t>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * 4};
  }

  Map pad(const Map& x, const Geometry& g) {
    if (!(g.pad_top || g.pad_left || g.pad_bottom || g.pad_right))
      return x;
    const int sizes = writer.add(
        {"sizes", {4, 2}, 2, {}, {}, text({0, 0, g.pad_top, g.pad_bottom, g.pad_left, g.pad_right, 0, 0})});
    Map y = made(x.rows + g.pad_top + g.pad_bottom, x.columns + g.pad_left + g.pad_right, x.channels, x.scale,
                 x.zero_point);
    for (int r = 0; r < y.rows; ++r)
      for (int c = 0; c < y.columns; ++c)
        for (int k = 0; k < x.channels; ++k)
          y.values.push_back(x.has(r - g.pad_top, c - g.pad_left) ? x.at(r - g.pad_top, c - g.pad_left, k)
                                                                  : x.zero_point);
    writer.node(34, {x.tensor, sizes}, {y.tensor}, {});
    return y;
  }

  static Padded placed(const Map& x, const Geometry& g) {
    const auto one = [&](int size, int kernel, int stride, int& results, int& before) {
      results = g.same ? (size + stride - 1) / stride : (size - kernel) / stride + 1;
      before = g.same ? std::max(0, (results - 1) * stride + kernel - size) / 2 : 0;
    };
    Padded place{};
    one(x.rows, (g.rows - 1) * g.row_dilation + 1, g.row_stride, place.rows, place.top);
    one(x.columns, (g.columns - 1) * g.column_dilation + 1, g.column_stride, place.columns, place.left);
    return place;
  }

  [[nodiscard]] std::pair<int, int> range(int fused, const Map& y) const {
    const auto steps = [&](float real) {
      return y.zero_point + static_cast<int>(std::round(real / y.scale));
    };
    return {fused == 0 ? low() : std::max(low(), steps(fused == 2 ? -1.0F : 0.0F)),
            fused < 2 ? high() : std::min(high(), steps(fused == 2 ? 1.0F : 6.0F))};
  }
  static int clamped(std::int64_t value, const std::pair<int, int>& range) {
    return static_cast<int>(std::max<std::int64_t>(range.first, std::min<std::int64_t>(value, range.second)));
  }

  static Multiplier quantized(double real) {
    Multiplier result;
    result.value = std::llround(std::frexp(real, &result.exponent) * 2147483648.0);
    if (result.value == 2147483648LL) {
      result.value /= 2;
      ++result.exponent;
    }
    return result;
  }
  static std::int64_t scaled(std::int64_t sum, double real) { return scaled(sum, quantized(real)); }
  // Two roundings: ties of the first upwards, of the second away from zero.
  static std::int64_t scaled(std::int64_t sum, const Multiplier& multiplier) {
    __extension__ using Wide = __int128;
    const Wide product = Wide{sum} * (Wide{1} << std::max(multiplier.exponent, 0)) * multiplier.value;
    const auto high = static_cast<std::int64_t>((product + (Wide{1} << 30)) >> 31);
    const int right = std::max(-multiplier.exponent, 0);
    if (right == 0)
      return high;
    const std::int64_t magnitude = ((high < 0 ? -high : high) + (std::int64_t{1} << (right - 1))) >> right;
    return high < 0 ? -magnitude : magnitude;
  }

  RandomWork& random_;
  bool unsigned_;
  int count_ = 0;
};

} // namespace deltatwin
