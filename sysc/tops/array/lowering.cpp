#include "tops/array/lowering.h"
#include "base/error.h"
#include "tops/array/config.h"
#include <algorithm>
#include <functional>
#include <limits>
#include <map>

namespace deltatwin {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

using Shape = std::vector<int>;

std::string to_text(const Shape& shape) {
  std::string text;
  for (const int size : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

// Rows, columns, channels of a tensor that nobody reads as a map.
Shape map_shape(Shape shape) {
  while (shape.size() > 3 && shape.front() == 1)
    shape.erase(shape.begin());
  while (shape.size() < 3)
    shape.insert(shape.begin(), 1);
  if (shape.size() > 3) {
    int all = 1;
    for (const int size : shape)
      all *= size;
    shape = {1, 1, all};
  }
  return shape;
}

class Lowering {
public:
  Lowering(const Graph& graph, int sum_bits)
      : graph_(graph), sum_bits_(sum_bits), map_of_(graph.tensors.size(), none),
        readers_(graph.tensors.size(), 0), maker_(graph.tensors.size(), none) {}

  ArrayGraph lower() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const std::size_t input : graph_.nodes[n].inputs)
        ++readers_[input];
      maker_[graph_.nodes[n].output] = n;
    }
    ++readers_[graph_.output];
    find_fused();
    place_input();
    for (node_ = 0; node_ < graph_.nodes.size(); ++node_)
      std::visit([this](const auto& op) { add_node(op); }, node().op);
    result_.output = map_of_[graph_.output];
    const ArrayMap& output = result_.maps[result_.output];
    if (output.made_by_max_pool || result_.output == result_.input)
      result_.output = add_copy(result_.output);
    drop_dead();
    return std::move(result_);
  }

private:
  [[nodiscard]] const Node& node() const { return graph_.nodes[node_]; }
  [[nodiscard]] const Tensor& in(std::size_t i = 0) const { return graph_.tensors[node().inputs[i]]; }
  [[nodiscard]] const Tensor& out() const { return graph_.tensors[node().output]; }
  [[nodiscard]] std::size_t from(std::size_t i = 0) const { return map_of_[node().inputs[i]]; }
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError("node \"" + node().name + "\": " + what);
  }

  // An addition is done behind the later of the nodes that make its inputs, where nobody else reads what
  // that one makes.
  void find_fused() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!std::holds_alternative<Add>(graph_.nodes[n].op))
        continue;
      std::size_t latest = none;
      for (const std::size_t input : graph_.nodes[n].inputs) {
        const std::size_t maker = maker_[input];
        if (maker == none || readers_[input] != 1)
          continue;
        const auto& op = graph_.nodes[maker].op;
        const auto* pool = std::get_if<Pool>(&op);
        const bool sums = std::holds_alternative<Convolution>(op) || std::holds_alternative<Rescale>(op) ||
                          (pool && pool->kind == Pool::Kind::average);
        if (sums && (latest == none || maker > latest))
          latest = maker;
      }
      if (latest != none)
        fused_[latest] = n;
    }
  }

  std::size_t add_map(const Tensor& tensor, const Shape& shape) {
    const Format& format = tensor.format;
    if (format.bits > 8)
      throw InputError("tensor \"" + tensor.name + "\" has " + std::to_string(format.bits) +
                       " bits; the array holds 8");
    ArrayMap map;
    map.name = tensor.name;
    map.rows = shape[0];
    map.columns = shape[1];
    map.channels = shape[2];
    map.offset = format.high() > 127 ? 128 : 0;
    map.zero = format.zero_point - map.offset;
    map.low = format.low() - map.offset;
    map.high = format.high() - map.offset;
    result_.maps.push_back(map);
    return result_.maps.size() - 1;
  }

  // Where reshapes alone read the input, it comes in the shape that they give it.
  void place_input() {
    std::size_t tensor = graph_.input;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (std::holds_alternative<Reshape>(node.op) && node.inputs[0] == tensor && readers_[tensor] == 1 &&
          tensor != graph_.output)
        tensor = node.output;
    }
    result_.input = add_map(graph_.tensors[graph_.input], map_shape(graph_.tensors[tensor].shape));
    map_of_[graph_.input] = result_.input;
  }

  [[nodiscard]] Shape shape_of(std::size_t map) const {
    const ArrayMap& of = result_.maps[map];
    return {of.rows, of.columns, of.channels};
  }

  // The window of a kernel over the map that the node reads; a 1 x 1 one over {1, 1, n} that is a reshaped
  // map goes over all of that.
  Window window_on_map(const Window& window, bool may_span) const {
    const Shape is = shape_of(from());
    if (in().shape == is)
      return window;
    if (!may_span || in().shape[0] != 1 || in().shape[1] != 1 || window.rows != 1 || window.columns != 1)
      refuse("reads a map of " + to_text(is) + " reshaped to " + to_text(in().shape) +
             "; behind a reshape there can be dense layers of the whole map");
    Window whole;
    whole.rows = is[0];
    whole.columns = is[1];
    return whole;
  }

  void add_node(const Layer&) {
    refuse("dense layers of deltas are the accelerator's; the array does convolutions, pools, additions, "
           "rescales and reshapes");
  }

  void add_node(const Convolution& convolution) {
    ArrayWork work = begin();
    work.window = window_on_map(convolution.window, convolution.groups == 1);
    const int each = in().shape[2] / convolution.groups, outputs = convolution.outputs;
    work.depthwise = convolution.groups > 1 && each == 1 && outputs == convolution.groups;
    const bool groups = convolution.groups > 1 && !work.depthwise;
    const auto taps = static_cast<std::size_t>(convolution.window.rows * convolution.window.columns);
    const auto width = static_cast<std::size_t>(each);
    const std::size_t channels = groups ? static_cast<std::size_t>(in().shape[2]) : width;
    work.weights.assign(static_cast<std::size_t>(outputs) * taps * channels, 0);
    const ArrayMap& map = result_.maps[work.from];
    for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
      std::int64_t all = 0;
      const std::size_t group = o / static_cast<std::size_t>(outputs / convolution.groups);
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t c = 0; c < width; ++c) {
          const int weight = convolution.weights[(o * taps + t) * width + c];
          if (weight < -128 || weight > 127)
            refuse("a weight less its zero point is " + std::to_string(weight) +
                   "; the array multiplies -128..127");
          work.weights[(o * taps + t) * channels + (groups ? group * width : 0) + c] =
              static_cast<std::int8_t>(weight);
          all += weight;
        }
      add_bias(work, convolution.bias[o] - all * map.zero);
    }
    work.padding = map.zero;
    scale(work, convolution.requantization, true);
    finish(std::move(work));
  }

  // A byte of 1 for each tap.
  void add_ones(ArrayWork& work, std::int64_t bias) const {
    const ArrayMap& map = result_.maps[work.from];
    work.depthwise = work.same_weights = true;
    work.weights.assign(static_cast<std::size_t>(map.channels * work.window.rows * work.window.columns), 1);
    for (int c = 0; c < map.channels; ++c)
      add_bias(work, bias);
  }

  void add_node(const Pool& pool) {
    ArrayWork work = begin();
    work.window = window_on_map(pool.window, false);
    const ArrayMap map = result_.maps[work.from];
    const std::int64_t taps = std::int64_t{work.window.rows} * work.window.columns;
    if (pool.kind == Pool::Kind::average) {
      // Padding is what adds nothing: 0, or what stands for it.
      work.padding = pool.raw ? -map.offset : map.zero;
      add_ones(work, -taps * work.padding);
      scale(work, pool.requantization, !pool.raw);
      finish(std::move(work));
      return;
    }
    work.max_pool = true;
    work.padding = map.low;
    bool same = true;
    const Requantization& by = pool.requantization;
    const int offset = out().format.high() > 127 ? 128 : 0;
    for (int x = map.low; x <= map.high; ++x) {
      const std::int64_t y =
          requantized(by.rounding, x - map.zero, by.multiplier(0), by.shift(0)) + out().format.zero_point;
      same = same && std::clamp<std::int64_t>(y, by.low, by.high) - offset == x;
    }
    const Shape shape = {work.window.result_rows(map.rows), work.window.result_columns(map.columns),
                         map.channels};
    work.to = add_map(same ? out() : in(), shape);
    result_.maps[work.to].made_by_max_pool = true;
    const std::size_t pooled = work.to;
    result_.works.push_back(std::move(work));
    map_of_[node().output] = pooled;
    if (!same)
      add_rescale(pooled, pool.requantization);
  }

  void add_node(const Rescale& rescale) {
    if (rescale.requantization.multipliers.size() > 1 || rescale.requantization.shifts.size() > 1)
      if (in().shape.back() != result_.maps[from()].channels)
        refuse("a scale for each of " + std::to_string(in().shape.back()) + " channels of a map that has " +
               std::to_string(result_.maps[from()].channels) + " before it is reshaped");
    add_rescale(from(), rescale.requantization);
  }

  void add_rescale(std::size_t map, const Requantization& requantization) {
    ArrayWork work = begin();
    work.from = map;
    work.padding = result_.maps[map].zero;
    add_ones(work, -work.padding);
    scale(work, requantization, true);
    finish(std::move(work));
  }

  void add_node(const Reshape&) { map_of_[node().output] = from(); }

  void add_node(const Add& add) {
    const auto fused =
        std::find_if(fused_.begin(), fused_.end(), [this](const auto& each) { return each.second == node_; });
    if (shape_of_input(0) != shape_of_input(1))
      refuse("adds maps of " + to_text(shape_of_input(0)) + " and " + to_text(shape_of_input(1)) +
             " that are reshaped; the array adds maps of one shape");
    ArrayWork work;
    std::size_t of_result = 0;
    if (fused != fused_.end()) {
      const std::size_t made = graph_.nodes[fused->first].output;
      of_result = node().inputs[0] == made ? 0 : 1;
      const auto held = held_.find(made);
      work = std::move(held->second);
      held_.erase(held);
    } else {
      work = copy_of(from(0));
    }
    ArrayAdd sum;
    sum.skip = skip_of(map_of_[node().inputs[1 - of_result]]);
    const std::array<std::size_t, 2> order = {of_result, 1 - of_result};
    for (std::size_t side = 0; side < 2; ++side) {
      const Format& format = in(order[side]).format;
      const int offset = format.high() > 127 ? 128 : 0;
      const Requantization& by = add.inputs[order[side]];
      for (int byte = 0; byte < 256; ++byte) {
        const int x = std::clamp(static_cast<std::int8_t>(byte) + offset, format.low(), format.high());
        sum.tables[side][static_cast<std::size_t>(byte)] = static_cast<std::int32_t>(requantized(
            by.rounding, (x - format.zero_point) * (1 << add.left_shift), by.multiplier(0), by.shift(0)));
      }
    }
    sum.rounding = add.output.rounding;
    sum.multiplier = add.output.multiplier(0);
    sum.shift = add.output.shift(0);
    work.to = add_map(out(), shape_of_input(1 - of_result));
    const ArrayMap& map = result_.maps[work.to];
    sum.zero = map.zero;
    sum.low = add.output.low - map.offset;
    sum.high = add.output.high - map.offset;
    work.add = sum;
    map_of_[node().output] = work.to;
    result_.works.push_back(std::move(work));
  }

  // Of what an addition reads, also where the work that makes it is held back.
  [[nodiscard]] Shape shape_of_input(std::size_t i) const {
    const auto held = held_.find(node().inputs[i]);
    return held == held_.end() ? shape_of(from(i)) : result_shape(held->second);
  }

  // A map that can be read as a skip.
  std::size_t skip_of(std::size_t map) {
    if (map != result_.input && !result_.maps[map].made_by_max_pool)
      return map;
    const auto known = copies_.find(map);
    return known != copies_.end() ? known->second : copies_[map] = add_copy(map);
  }

  std::size_t add_copy(std::size_t map) {
    ArrayWork work = copy_of(map);
    ArrayMap copy = result_.maps[map];
    copy.made_by_max_pool = false;
    result_.maps.push_back(copy);
    work.to = result_.maps.size() - 1;
    result_.works.push_back(work);
    return work.to;
  }

  [[nodiscard]] ArrayWork copy_of(std::size_t map) const {
    ArrayWork work;
    work.node = node_ < graph_.nodes.size() ? node().name : "output";
    work.from = map;
    add_ones(work, 0);
    return work;
  }

  [[nodiscard]] ArrayWork begin() const {
    ArrayWork work;
    work.node = node().name;
    work.from = from();
    return work;
  }

  void add_bias(ArrayWork& work, std::int64_t bias) const {
    if (bias < std::numeric_limits<std::int32_t>::min() || bias > std::numeric_limits<std::int32_t>::max())
      refuse("a bias for bytes as they are is " + std::to_string(bias) + ", more than 32 bits hold");
    work.bias.push_back(static_cast<std::int32_t>(bias));
  }

  void scale(ArrayWork& work, const Requantization& requantization, bool with_zero_point) const {
    const Format& format = out().format;
    const int offset = format.high() > 127 ? 128 : 0;
    work.scale = requantization;
    work.zero = (with_zero_point ? format.zero_point : 0) - offset;
    work.low = requantization.low - offset;
    work.high = requantization.high - offset;
  }

  // No sum of products leaves its bits, nor one with its bias.
  void check_sums(const ArrayWork& work) const {
    const ArrayMap& map = result_.maps[work.from];
    const std::size_t outputs = work.bias.size(), row = work.weights.size() / outputs;
    const int low = std::min(map.low, work.padding), high = std::max(map.high, work.padding);
    const auto within = [](std::int64_t least, std::int64_t most, int bits) {
      const std::int64_t half = std::int64_t{1} << (bits - 1);
      return least >= -half && most < half;
    };
    for (std::size_t o = 0; o < outputs; ++o) {
      std::int64_t least = 0, most = 0;
      for (std::size_t i = 0; i < row; ++i) {
        const int w = work.weights[o * row + i];
        least += std::min(w * low, w * high);
        most += std::max(w * low, w * high);
      }
      const std::string channel = "sums of channel " + std::to_string(o);
      const auto reach = [](std::int64_t a, std::int64_t b) {
        return " can reach " + std::to_string(a) + ".." + std::to_string(b);
      };
      if (!within(least, most, array_sum_bits))
        throw InputError("node \"" + work.node + "\": " + channel + " over " + std::to_string(row) +
                         " products" + reach(least, most) + "; the array sums in " +
                         std::to_string(array_sum_bits) + " bits");
      least += work.bias[o];
      most += work.bias[o];
      if (!within(least, most, sum_bits_)) {
        int bits = sum_bits_;
        while (!within(least, most, bits))
          ++bits;
        throw InputError("node \"" + work.node + "\": " + channel + " with its bias" + reach(least, most) +
                         "; that takes " + std::to_string(bits) + " bits of a sum, there are " +
                         std::to_string(sum_bits_));
      }
    }
  }

  [[nodiscard]] Shape result_shape(const ArrayWork& work) const {
    const ArrayMap& map = result_.maps[work.from];
    return {work.window.result_rows(map.rows), work.window.result_columns(map.columns),
            static_cast<int>(work.bias.size())};
  }

  // Work that makes the node's output, unless an addition takes it.
  void finish(ArrayWork work) {
    check_sums(work);
    if (fused_.count(node_)) {
      held_.emplace(node().output, std::move(work));
      return;
    }
    work.to = add_map(out(), result_shape(work));
    map_of_[node().output] = work.to;
    result_.works.push_back(std::move(work));
  }

  // Drops what nobody reads, so that the last work makes the output.
  void drop_dead() {
    std::vector<bool> read(result_.maps.size());
    read[result_.output] = true;
    std::vector<ArrayWork> alive;
    for (auto work = result_.works.rbegin(); work != result_.works.rend(); ++work)
      if (read[work->to]) {
        read[work->from] = true;
        if (work->add)
          read[work->add->skip] = true;
        alive.push_back(std::move(*work));
      }
    result_.works.assign(std::make_move_iterator(alive.rbegin()), std::make_move_iterator(alive.rend()));
  }

  const Graph& graph_;
  int sum_bits_;
  ArrayGraph result_;
  std::size_t node_ = 0;
  std::vector<std::size_t> map_of_;           ///< of each tensor
  std::vector<int> readers_;                  ///< of each tensor
  std::vector<std::size_t> maker_;            ///< of each tensor: a node
  std::map<std::size_t, std::size_t> fused_;  ///< from a node to the addition behind it
  std::map<std::size_t, ArrayWork> held_;     ///< by tensor
  std::map<std::size_t, std::size_t> copies_; ///< of maps that cannot be read as skips
};

} // namespace

ArrayGraph lower(const Graph& graph, int sum_bits) { return Lowering(graph, sum_bits).lower(); }

} // namespace deltatwin
