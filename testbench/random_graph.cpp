#include "random_graph.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace deltatwin {
namespace {

class Maker {
public:
  Maker(RandomWork& random, const RandomGraphLimits& limits) : random_(random), limits_(limits) {}

  Graph make() {
    graph_.name = "random";
    graph_.tensors.push_back(
        {"input", {random_.in(1, limits_.size), random_.in(1, limits_.size), channels()}, format()});
    const int nodes = random_.in(1, limits_.nodes);
    while (static_cast<int>(graph_.nodes.size()) < nodes || at_ == 0)
      step();
    if (limits_.dense && random_.in(0, 1))
      end_dense();
    graph_.input = 0;
    graph_.output = at_;
    if (random_.in(0, 1)) {
      graph_.softmax = Softmax{};
      graph_.tensors[at_].scale = 0.125F;
    }
    validate(graph_, "random");
    return std::move(graph_);
  }

private:
  [[nodiscard]] const Tensor& now() const { return graph_.tensors[at_]; }
  [[nodiscard]] bool once(int in) { return random_.in(1, in) == 1; }
  int channels() { return random_.in(1, limits_.channels); }

  Format format() {
    Format format;
    if (limits_.precision) {
      constexpr int usual[] = {1, 2, 4, 8};
      format.bits = once(3) ? random_.in(1, 8) : usual[random_.in(0, 3)];
      format.bits = std::min(format.bits, limits_.most_bits);
      format.is_signed = once(2);
      format.zero_point = once(4) ? random_.in(format.low(), format.high()) : 0;
      return format;
    }
    if (!limits_.int8) {
      format.bits = once(3) ? random_.in(1, 12) : 8;
      format.is_signed = once(2);
    }
    format.zero_point = once(3) ? 0 : random_.in(format.low(), format.high());
    format.zero_point = std::clamp(format.zero_point, format.low(), format.high());
    return format;
  }

  // Appends a node that reads `inputs` and writes a tensor of this shape, which is what the next one reads.
  template <class Op>
  void append(const std::vector<std::size_t>& inputs, const std::vector<int>& shape, const Format& result,
              Op op) {
    const std::string number = std::to_string(graph_.nodes.size());
    graph_.tensors.push_back({"t" + number, shape, result, 0});
    at_ = graph_.tensors.size() - 1;
    graph_.nodes.push_back({"n" + number, inputs, at_, std::move(op)});
  }

  Rounding rule() { return limits_.every_rule ? static_cast<Rounding>(random_.in(0, 2)) : Rounding::half_up; }

  void clamp(Requantization& requantization, const Format& result) {
    requantization.low = result.low();
    requantization.high = result.high();
    if (once(3)) // a ReLU
      requantization.low = result.zero_point;
    if (once(4))
      requantization.high = random_.in(requantization.low, result.high());
  }

  // Instead of a scale: thresholds within usual sums, some of them equal.
  void to_thresholds(Requantization& requantization, double usual, const Format& result, int count) {
    if (!limits_.thresholds || !once(3) || result.high() == result.low())
      return;
    requantization = {};
    requantization.rounding = Rounding::thresholds;
    const int steps = random_.in(1, std::min(15, result.high() - result.low()));
    requantization.low = random_.in(result.low(), result.high() - steps);
    requantization.high = requantization.low + steps;
    const int reach = static_cast<int>(std::min(usual, 1e9)) + 1;
    for (int c = 0; c < count; ++c) {
      std::vector<std::int32_t> row;
      for (int step = 0; step < steps; ++step)
        row.push_back(step > 0 && once(5) ? row.back() : random_.in(-reach, reach));
      std::sort(row.begin(), row.end());
      requantization.thresholds.insert(requantization.thresholds.end(), row.begin(), row.end());
    }
  }

  // Instead of a scale: thresholds that are one step, often from -1 to 1, or 2^n apart.
  void to_steps(Requantization& requantization, double usual, Format& result, int count) {
    if (!limits_.precision || !once(3))
      return;
    requantization = {};
    requantization.rounding = Rounding::thresholds;
    const bool equal = once(2), bipolar = equal && once(2);
    if (bipolar)
      result = {2, true, 0};
    const int steps = bipolar ? 2 : random_.in(1, std::min(15, result.high() - result.low()));
    const bool one = equal && limits_.shifts && !bipolar;
    requantization.low = bipolar ? -1 : random_.in(result.low(), result.high() - (one ? 1 : steps));
    requantization.high = requantization.low + (one ? 1 : steps);
    const int reach = static_cast<int>(std::min(usual, 1e6)) + 1;
    for (int c = 0; c < count; ++c) {
      const int first = random_.in(-reach, reach), unit = 1 << random_.in(0, 8);
      for (int step = requantization.low; step < requantization.high; ++step)
        requantization.thresholds.push_back(equal ? first : first + (step - requantization.low) * unit);
    }
  }

  // Sums of up to `most` and about `usual` become about `target`.
  void scale(Requantization& requantization, double usual, double most, double target, int count) {
    requantization.multipliers.clear();
    requantization.shifts.clear();
    for (int c = 0; c < count; ++c) {
      const double factor = target / std::max(usual, 1.0) * std::exp2(random_.in(-2, 1));
      if (limits_.shifts) {
        const int down = std::clamp(static_cast<int>(std::lround(-std::log2(factor))), 0, 31);
        int shift = std::min(31, down + random_.in(0, 8));
        if (requantization.rounding == Rounding::tflite && most > 0)
          shift = std::max(shift, 31 - static_cast<int>(std::floor(std::log2(2147483647.0 / most))));
        requantization.multipliers.push_back(1 << std::min(30, shift - down));
        requantization.shifts.push_back(shift);
        continue;
      }
      const bool tflite = requantization.rounding == Rounding::tflite;
      const int bits = tflite ? 30 : random_.in(0, 30);
      std::int64_t multiplier = std::int64_t{1} << bits;
      if (!once(4)) // else ties are many
        multiplier += static_cast<std::int64_t>(random_.word(30)) & (multiplier - 1);
      int shift = static_cast<int>(std::lround(std::log2(static_cast<double>(multiplier) / factor)));
      if (tflite && most > 0)
        shift = std::max(shift, 31 - static_cast<int>(std::floor(std::log2(2147483647.0 / most))));
      requantization.multipliers.push_back(static_cast<std::int32_t>(multiplier));
      requantization.shifts.push_back(std::clamp(shift, 0, 62));
    }
  }

  static double largest(const Format& of) {
    return std::max(of.high() - of.zero_point, of.zero_point - of.low());
  }

  Window window() {
    Window window;
    const auto one = [&](int map, int& kernel, int& stride, int& before, int& behind) {
      kernel = random_.in(1, limits_.kernel);
      stride = random_.in(1, limits_.stride);
      before = random_.in(0, kernel - 1);
      behind = random_.in(0, kernel - 1);
      if (map + before + behind < kernel)
        kernel = random_.in(1, std::min(map, limits_.kernel));
      if (once(3))
        before = behind = 0;
      before = std::min(before, kernel - 1);
      behind = std::min(behind, kernel - 1);
      if (map + before + behind < kernel)
        kernel = 1, before = behind = 0;
    };
    one(now().shape[0], window.rows, window.row_stride, window.top, window.bottom);
    one(now().shape[1], window.columns, window.column_stride, window.left, window.right);
    return window;
  }

  [[nodiscard]] std::vector<int> result(const Window& window, int channels) const {
    return {window.result_rows(now().shape[0]), window.result_columns(now().shape[1]), channels};
  }

  void convolve(const Window& window, std::size_t from, int outputs) {
    at_ = from;
    const int inputs = now().shape[2];
    Convolution convolution;
    convolution.window = window;
    convolution.outputs = outputs;
    if (limits_.groups && once(limits_.depthwise ? 2 : 3)) {
      const bool depthwise = limits_.depthwise || once(2);
      convolution.groups = depthwise ? inputs : random_.in(1, inputs);
      while (inputs % convolution.groups)
        --convolution.groups;
      convolution.outputs =
          convolution.groups *
          (limits_.depthwise ? 1 : random_.in(1, std::max(1, limits_.channels / convolution.groups)));
    }
    const int each = window.rows * window.columns * inputs / convolution.groups;
    const int kind = limits_.precision ? random_.in(0, 4) : 4;
    const int widest = limits_.weight_bits ? (1 << (limits_.weight_bits - 1)) - 1
                       : kind <= 1         ? 1
                       : kind == 2         ? (1 << random_.in(1, 6)) - 1
                       : limits_.int8      ? 127
                       : limits_.precision ? 63
                       : once(2)           ? 255
                                           : random_.in(1, 255);
    const Format in = now().format;
    Format out = format();
    const double product = largest(in) * widest;
    const int weight_range =
        std::max(1, static_cast<int>(std::min<double>(widest, 2147483647.0 / 2 / (largest(in) * each + 1))));
    const int unit = random_.in(1, 5), bits = random_.in(0, 5 - unit); // of references' deltas
    int reference = 0;
    for (int i = 0; i < each * convolution.outputs; ++i) {
      if (i % each == 0)
        reference = random_.in(-8, 7);
      const int weight =
          limits_.weight_bits ? random_.in(-widest - 1, widest) * random_.in(0, 1)
          : kind == 0         ? 2 * random_.in(0, 1) - 1
          : kind == 3         ? reference + random_.in(-(1 << bits), (1 << bits) - 1) * (1 << unit)
                      : random_.in(limits_.int8 && weight_range == 127 ? -128 : -weight_range, weight_range);
      convolution.weights.push_back(static_cast<std::int16_t>(weight));
    }
    const double spread = product / 3 * std::sqrt(each) + 1,
                 most = (largest(in) * weight_range * each) * 1.01 + 1;
    for (int o = 0; o < convolution.outputs; ++o)
      convolution.bias.push_back(random_.in(-static_cast<int>(spread), static_cast<int>(spread)));
    convolution.requantization.rounding = rule();
    scale(convolution.requantization, spread, most + spread + 1, largest(out) / 2,
          once(3) ? 1 : convolution.outputs);
    clamp(convolution.requantization, out);
    to_thresholds(convolution.requantization, spread, out, once(3) ? 1 : convolution.outputs);
    to_steps(convolution.requantization, spread, out, once(3) ? 1 : convolution.outputs);
    append({from}, result(window, convolution.outputs), out, convolution);
  }

  void pool() {
    Pool pool;
    pool.kind = once(2) && limits_.maxima ? Pool::Kind::max : Pool::Kind::average;
    pool.window = window();
    if (once(3)) {
      pool.window = {};
      pool.window.rows = now().shape[0];
      pool.window.columns = now().shape[1];
    }
    const bool average = pool.kind == Pool::Kind::average;
    const Format in = now().format;
    pool.raw = average && once(2);
    const bool same = !average && limits_.precision && once(2); // as pools of thresholds' results are
    Format out = pool.raw || same ? in : format();
    const int count = average ? pool.window.rows * pool.window.columns : 1;
    const double most = (pool.raw ? std::max(-in.low(), in.high()) : largest(in)) * count;
    pool.requantization.rounding = rule();
    scale(pool.requantization, most, most, largest(out), 1);
    clamp(pool.requantization, out);
    if (same) {
      pool.requantization = {};
      pool.requantization.low = out.low();
      pool.requantization.high = out.high();
    }
    if (average)
      to_thresholds(pool.requantization, most, out, 1);
    if (average && !pool.raw)
      to_steps(pool.requantization, most, out, 1);
    append({at_}, result(pool.window, now().shape[2]), out, pool);
  }

  void add(std::size_t a, std::size_t b) {
    Add add;
    const std::array<std::size_t, 2> inputs = {a, b};
    add.left_shift = random_.in(0, limits_.int8 ? 20 : 14);
    double most = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const double x = largest(graph_.tensors[inputs[i]].format) * std::exp2(add.left_shift);
      add.inputs[i].rounding = rule();
      scale(add.inputs[i], x, x, x * random_.in(1, 4) / 4, 1);
      most += 2.5 * x + 1;
    }
    Format out = format();
    add.output.rounding = rule();
    scale(add.output, most / 2, most, largest(out), 1);
    clamp(add.output, out);
    to_thresholds(add.output, most / 2, out, 1);
    to_steps(add.output, most / 2, out, 1);
    append({a, b}, graph_.tensors[a].shape, out, add);
  }

  void step() {
    const int kind = random_.in(0, 9);
    const bool map = now().shape.size() == 3;
    if (!map || (limits_.reshapes && kind == 0)) {
      Rescale rescale;
      Format out = format();
      rescale.requantization.rounding = rule();
      scale(rescale.requantization, largest(now().format), largest(now().format), largest(out),
            once(2) ? 1 : now().shape.back());
      clamp(rescale.requantization, out);
      to_thresholds(rescale.requantization, largest(now().format), out, once(2) ? 1 : now().shape.back());
      to_steps(rescale.requantization, largest(now().format), out, once(2) ? 1 : now().shape.back());
      append({at_}, now().shape, out, rescale);
    } else if (limits_.reshapes && kind == 1) {
      const int elements = static_cast<int>(now().elements());
      std::vector<int> shape = {1, 1, elements};
      if (now().shape[1] % 2 == 0 && once(2))
        shape = {now().shape[0] * 2, now().shape[1] / 2, now().shape[2]};
      if (elements <= 4 * limits_.channels || shape[0] != 1)
        append({at_}, shape, now().format, Reshape{});
    } else if (limits_.pools && kind <= 3) {
      pool();
    } else if (kind <= 6) {
      convolve(window(), at_, channels());
    } else {
      residual();
    }
  }

  // x + f(x), f(x) of x's own shape, or two branches of one window.
  void residual() {
    const std::size_t from = at_;
    Window same;
    same.rows = random_.in(1, std::min(limits_.kernel, 3));
    same.columns = random_.in(1, std::min(limits_.kernel, 3));
    same.top = (same.rows - 1) / 2;
    same.bottom = same.rows - 1 - same.top;
    same.left = (same.columns - 1) / 2;
    same.right = same.columns - 1 - same.left;
    if (once(2)) {
      convolve_plain(same, from, now().shape[2]);
      once(2) ? add(from, at_) : add(at_, from);
    } else {
      const Window window = this->window();
      const int outputs = channels();
      convolve_plain(window, from, outputs);
      const std::size_t first = at_;
      convolve_plain(window, from, outputs);
      add(first, at_);
    }
  }

  void convolve_plain(const Window& window, std::size_t from, int outputs) {
    const bool grouped = limits_.groups;
    limits_.groups = false;
    convolve(window, from, outputs);
    limits_.groups = grouped;
  }

  void end_dense() {
    if (now().elements() > 4096)
      return;
    if (now().format != Format{}) {
      Rescale rescale;
      scale(rescale.requantization, largest(now().format), largest(now().format), 100, 1);
      append({at_}, now().shape, Format{}, rescale);
    }
    const int inputs = static_cast<int>(now().elements()), outputs = random_.in(1, 12);
    Network network = random_.network({inputs, outputs}, {});
    Layer layer = network.layers[0];
    append({at_}, {outputs}, result_format(layer.activation), layer);
  }

  RandomWork& random_;
  RandomGraphLimits limits_;
  Graph graph_;
  std::size_t at_ = 0; ///< the latest tensor
};

} // namespace

Graph random_graph(RandomWork& random, const RandomGraphLimits& limits) {
  return Maker(random, limits).make();
}

std::vector<int> random_inputs(RandomWork& random, const Graph& graph, int count) {
  const Tensor& input = graph.tensors[graph.input];
  std::vector<int> values;
  for (int i = 0; i < count; ++i) {
    const int kind = random.in(0, 5);
    for (std::uint64_t e = 0; e < input.elements(); ++e)
      values.push_back(kind == 0   ? input.format.low()
                       : kind == 1 ? input.format.high()
                                   : random.in(input.format.low(), input.format.high()));
  }
  return values;
}

} // namespace deltatwin
