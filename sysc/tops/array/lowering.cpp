#include "tops/array/lowering.h"
#include "base/error.h"
#include "base/resources.h"
#include "blocks/fields.h"
#include "blocks/scaler.h"
#include <algorithm>
#include <functional>
#include <limits>
#include <map>

namespace deltatwin {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
constexpr int most_words_of_pixel = 128; ///< that any design's tables can count

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
  Lowering(const Graph& graph, const ArrayConfig& config)
      : graph_(graph), config_(config), map_of_(graph.tensors.size(), none),
        readers_(graph.tensors.size(), 0), maker_(graph.tensors.size(), none),
        padded_(graph.tensors.size(), false), leaves_(graph.tensors.size(), false),
        formats_(graph.tensors.size()) {}

  ArrayGraph lower() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const std::size_t input : graph_.nodes[n].inputs)
        ++readers_[input];
      maker_[graph_.nodes[n].output] = n;
    }
    ++readers_[graph_.output];
    find_fused();
    find_padded();
    place_input();
    for (node_ = 0; node_ < graph_.nodes.size(); ++node_)
      std::visit([this](const auto& op) { add_node(op); }, node().op);
    result_.output = map_of_[graph_.output];
    const ArrayMap& output = result_.maps[result_.output];
    if (output.made_by_max_pool || result_.output == result_.input)
      result_.output = add_copy(result_.output);
    drop_dead();
    for (ArrayWork& work : result_.works)
      if (!work.max_pool) {
        choose_engine(work);
        check_sums(work);
      }
    check_writes();
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
        if (maker == none || readers_[input] != 1 || counts(graph_.nodes[maker]))
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

  // Whether a node's results are how many thresholds sums reach, and no scale does the same.
  [[nodiscard]] static bool counts(const Node& node) {
    const Requantization* by = nullptr;
    if (const auto* convolution = std::get_if<Convolution>(&node.op))
      by = &convolution->requantization;
    else if (const auto* rescale = std::get_if<Rescale>(&node.op))
      by = &rescale->requantization;
    else if (const auto* pool = std::get_if<Pool>(&node.op))
      by = &pool->requantization;
    return by && by->rounding == Rounding::thresholds && !is_scale(*by);
  }

  // Tensors around whose maps somebody reads zero points; and those that nobody reads from a map.
  void find_padded() {
    leaves_[graph_.output] = readers_[graph_.output] == 1;
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      const Node& node = graph_.nodes[n];
      const std::size_t in = node.inputs[0];
      if (std::holds_alternative<Reshape>(node.op)) {
        padded_[in] = padded_[in] || padded_[node.output];
        leaves_[in] = readers_[in] == 1 && leaves_[node.output];
      } else if (const auto* convolution = std::get_if<Convolution>(&node.op)) {
        padded_[in] = padded_[in] || is_padded(convolution->window);
      } else if (const auto* pool = std::get_if<Pool>(&node.op)) {
        const bool average = pool->kind == Pool::Kind::average;
        padded_[in] = padded_[in] || (average ? is_padded(pool->window) : padded_[node.output]);
      }
    }
    leaves_[graph_.input] = false; // a copy of it does
  }
  static bool is_padded(const Window& window) {
    return window.top > 0 || window.left > 0 || window.bottom > 0 || window.right > 0;
  }

  // How a tensor is held: in the narrowest fields of the design that do.
  [[nodiscard]] ArrayFormat format_of(std::size_t tensor, const Requantization* by) const {
    const Tensor& is = graph_.tensors[tensor];
    const Format& format = is.format;
    const int low = by ? std::max(format.low(), by->low) : format.low(),
              high = by ? std::min(format.high(), by->high) : format.high();
    const bool leaves = leaves_[tensor] || is_fused(tensor);
    if (by && has_two_values(*by) && high - low == 2 && !padded_[tensor])
      return with_zero({leaves || config_.widths == 1 ? 0 : config_.narrowest(), 2, high, -1, 0}, format);
    if (const int bits = table_bits(tensor)) {
      const int half = 1 << (bits - 1);
      for (const int offset : {0, half})
        if (low - offset >= -half && high - offset < half)
          return with_zero({0, 1, offset, low - offset, high - offset}, format);
      throw InputError("tensor \"" + is.name + "\" holds " + std::to_string(low) + ".." +
                       std::to_string(high) + "; additions are looked up by 4 bits, and give " +
                       std::to_string(config_.skip_bits()));
    }
    for (int code = width_codes - 1; code > 0 && !leaves; --code) {
      const int half = 1 << (width_bits(code) - 1);
      for (const int offset : {0, half}) {
        const auto fits = [&](int integer) { return integer - offset >= -half && integer - offset < half; };
        const int zero = format.zero_point - offset;
        if (config_.has_width(code) && fits(low) && fits(high) && zero >= -128 && zero <= 127 &&
            (!padded_[tensor] || fits(format.zero_point)))
          return with_zero({code, 1, offset, low - offset, high - offset}, format);
      }
    }
    const int middle = format.high() > 127 && low >= 0 ? 128 : 0;
    if (format.bits > 8 && (low - middle < -128 || high - middle > 127))
      throw InputError("tensor \"" + is.name + "\" has " + std::to_string(format.bits) +
                       " bits; the array holds 8");
    if (!config_.has_width(0) && !leaves)
      throw InputError("tensor \"" + is.name + "\" holds " + std::to_string(low) + ".." +
                       std::to_string(high) + (padded_[tensor] ? " and is padded" : "") +
                       "; the design's widths are " + widths_text() + " bits");
    if (format.bits > 8)
      return with_zero({0, 1, middle, low - middle, high - middle}, format);
    const int offset = format.high() > 127 ? 128 : 0;
    return with_zero({0, 1, offset, format.low() - offset, format.high() - offset}, format);
  }
  static ArrayFormat with_zero(ArrayFormat held, const Format& format) {
    const int zero = held.held(format.zero_point), bits = width_bits(held.code);
    held.zero.reset();
    if (held.integer(zero) == format.zero_point && zero == sign_extended(zero, bits))
      held.zero = zero;
    return held;
  }
  [[nodiscard]] bool is_fused(std::size_t tensor) const {
    return maker_[tensor] != none && fused_.count(maker_[tensor]);
  }
  // Of what additions' tables say alone, or see before it is in a map; 0: of another tensor.
  [[nodiscard]] int table_bits(std::size_t tensor) const {
    constexpr int seen = 4;
    if (!config_.lookup || (!leaves_[tensor] && !is_fused(tensor)) || maker_[tensor] == none)
      return 0;
    const bool is_sum = std::holds_alternative<Add>(graph_.nodes[maker_[tensor]].op);
    return is_sum ? config_.skip_bits() : is_fused(tensor) ? seen : 0;
  }
  [[nodiscard]] std::string widths_text() const {
    std::string text;
    for (int code = 0; code < width_codes; ++code)
      if (config_.has_width(code))
        text += (text.empty() ? "" : ", ") + std::to_string(width_bits(code));
    return text;
  }

  // Of thresholds that are all one.
  static bool has_two_values(const Requantization& by) {
    if (by.rounding != Rounding::thresholds)
      return false;
    const auto steps = static_cast<std::size_t>(by.high - by.low);
    for (std::size_t i = 0; i < by.thresholds.size(); ++i)
      if (by.thresholds[i] != by.thresholds[i - i % steps])
        return false;
    return true;
  }

  // Or of each channel 2^n apart.
  static bool is_scale(const Requantization& by) {
    if (has_two_values(by))
      return true;
    const auto steps = static_cast<std::size_t>(by.high - by.low);
    for (std::size_t i = 0; i < by.thresholds.size(); ++i) {
      const std::size_t first = i - i % steps;
      const std::int64_t apart =
          steps > 1 ? std::int64_t{by.thresholds[first + 1]} - by.thresholds[first] : 1;
      if (apart <= 0 || (apart & (apart - 1)) != 0 ||
          (i > first && std::int64_t{by.thresholds[i]} - by.thresholds[i - 1] != apart))
        return false;
    }
    return true;
  }

  std::size_t add_map(const std::string& name, const ArrayFormat& format, const Shape& shape) {
    ArrayMap map;
    map.name = name;
    map.rows = shape[0];
    map.columns = shape[1];
    map.channels = shape[2];
    map.format = format;
    result_.maps.push_back(map);
    return result_.maps.size() - 1;
  }

  // Where reshapes alone read the input, it comes in the shape that they give it; where dense layers of all
  // of it do, as one pixel, so that each window is full.
  void place_input() {
    std::size_t tensor = graph_.input;
    bool dense = tensor != graph_.output;
    for (const Node& node : graph_.nodes) {
      if (std::holds_alternative<Reshape>(node.op) && node.inputs[0] == tensor && readers_[tensor] == 1 &&
          tensor != graph_.output)
        tensor = node.output;
      if (std::count(node.inputs.begin(), node.inputs.end(), graph_.input) > 0)
        dense = dense && is_dense(node);
    }
    formats_[graph_.input] = format_of(graph_.input, nullptr);
    Shape shape = map_shape(graph_.tensors[tensor].shape);
    const auto values = static_cast<int>(graph_.tensors[graph_.input].elements());
    if (dense && values <= config_.word_channels(formats_[graph_.input].code) * most_words_of_pixel)
      shape = {1, 1, values};
    result_.input = add_map(graph_.tensors[graph_.input].name, formats_[graph_.input], shape);
    map_of_[graph_.input] = result_.input;
  }

  // All of what it reads in one window.
  [[nodiscard]] bool is_dense(const Node& node) const {
    const auto* convolution = std::get_if<Convolution>(&node.op);
    const Shape& shape = graph_.tensors[node.inputs[0]].shape;
    return convolution && convolution->groups == 1 && convolution->window.rows == shape[0] &&
           convolution->window.columns == shape[1] && !is_padded(convolution->window);
  }

  [[nodiscard]] Shape shape_of(std::size_t map) const {
    const ArrayMap& of = result_.maps[map];
    return {of.rows, of.columns, of.channels};
  }

  // The window of a kernel over the map that the node reads; a 1 x 1 one over {1, 1, n} that is a reshaped
  // map goes over all of that, and one over all of a map that lies as one pixel is 1 x 1.
  Window window_on_map(const Window& window, bool may_span) const {
    const Shape is = shape_of(from());
    if (in().shape == is)
      return window;
    if (from() == result_.input && is[0] == 1 && is[1] == 1 && is_dense(node()))
      return {};
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
    const ArrayFormat held = result_.maps[work.from].format;
    for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
      std::int64_t all = 0;
      const std::size_t group = o / static_cast<std::size_t>(outputs / convolution.groups);
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t c = 0; c < width; ++c) {
          const int weight = convolution.weights[(o * taps + t) * width + c], product = held.scale * weight;
          if (product < -128 || product > 127)
            refuse("a weight less its zero point is " + std::to_string(weight) +
                   (held.scale > 1 ? ", times " + std::to_string(held.scale) + " for what is held" : "") +
                   "; the array multiplies -128..127");
          work.weights[(o * taps + t) * channels + (groups ? group * width : 0) + c] =
              static_cast<std::int8_t>(product);
          all += weight;
        }
      add_bias(work, convolution.bias[o] + all * (held.offset - in().format.zero_point));
    }
    work.padding = padding_of(work, in().format.zero_point);
    scale(work, convolution.requantization, true);
    finish(std::move(work));
  }

  // What is held outside of the map that the work reads, for an integer that counts nothing.
  [[nodiscard]] int padding_of(const ArrayWork& work, int integer) const {
    const ArrayMap& map = result_.maps[work.from];
    const int held = map.format.held(integer), bits = width_bits(map.format.code);
    if (map.format.integer(held) == integer && held == sign_extended(held, bits))
      return held;
    if (is_padded(work.window))
      refuse("pads with " + std::to_string(integer) + ", which " + std::to_string(bits) +
             (bits == 1 ? " bit" : " bits") + " of \"" + map.name + "\" cannot hold beside " +
             std::to_string(map.format.integer(map.format.low)) + ".." +
             std::to_string(map.format.integer(map.format.high)));
    return 0;
  }

  // A weight of 1 for each tap, of integers that count less by `zero`.
  void add_ones(ArrayWork& work, int zero) const {
    const ArrayMap& map = result_.maps[work.from];
    const int taps = work.window.rows * work.window.columns;
    work.depthwise = work.same_weights = true;
    work.weights.assign(static_cast<std::size_t>(map.channels * taps),
                        static_cast<std::int8_t>(map.format.scale));
    for (int c = 0; c < map.channels; ++c)
      add_bias(work, std::int64_t{taps} * (map.format.offset - zero));
  }

  void add_node(const Pool& pool) {
    ArrayWork work = begin();
    work.window = window_on_map(pool.window, false);
    const ArrayMap map = result_.maps[work.from];
    const int zero = in().format.zero_point;
    if (pool.kind == Pool::Kind::average) {
      work.padding = padding_of(work, pool.raw ? 0 : zero);
      add_ones(work, pool.raw ? 0 : zero);
      scale(work, pool.requantization, !pool.raw);
      finish(std::move(work));
      return;
    }
    work.max_pool = true;
    work.padding = map.format.low;
    bool same = true;
    const Requantization& by = pool.requantization;
    for (int x = map.format.low; x <= map.format.high; ++x) {
      const int integer = map.format.integer(x);
      const std::int64_t y =
          requantized(by.rounding, integer - zero, by.multiplier(0), by.shift(0)) + out().format.zero_point;
      same = same && std::clamp<std::int64_t>(y, by.low, by.high) == integer;
    }
    ArrayFormat format = map.format;
    if (same)
      format = with_zero(format, out().format);
    const Shape shape = {work.window.result_rows(map.rows), work.window.result_columns(map.columns),
                         map.channels};
    work.to = add_map(same ? out().name : in().name, format, shape);
    result_.maps[work.to].made_by_max_pool = true;
    const std::size_t pooled = work.to;
    result_.works.push_back(std::move(work));
    formats_[node().output] = format;
    map_of_[node().output] = pooled;
    if (!same)
      add_rescale(pooled, pool.requantization);
  }

  void add_node(const Rescale& rescale) {
    const Requantization& by = rescale.requantization;
    const auto steps = static_cast<std::size_t>(by.high - by.low);
    const bool several = by.rounding == Rounding::thresholds
                             ? by.thresholds.size() > steps
                             : by.multipliers.size() > 1 || by.shifts.size() > 1;
    if (several)
      if (in().shape.back() != result_.maps[from()].channels)
        refuse("a scale for each of " + std::to_string(in().shape.back()) + " channels of a map that has " +
               std::to_string(result_.maps[from()].channels) + " before it is reshaped");
    add_rescale(from(), by);
  }

  void add_rescale(std::size_t map, const Requantization& requantization) {
    ArrayWork work = begin();
    work.from = map;
    add_ones(work, in().format.zero_point);
    scale(work, requantization, true);
    finish(std::move(work));
  }

  void add_node(const Reshape&) {
    map_of_[node().output] = from();
    formats_[node().output] = formats_[node().inputs[0]];
  }

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
      const ArrayFormat& held = formats_[node().inputs[order[side]]];
      const Requantization& by = add.inputs[order[side]];
      if (side == 0 && work.direct) {
        if (!is_identity(by, 1) || add.left_shift != 0)
          refuse("scales a sum of " + std::to_string(format.bits) +
                 " bits that it adds; the array adds such a one as it is");
        continue;
      }
      for (int byte = 0; byte < 256; ++byte) {
        const int x = std::clamp(held.integer(static_cast<std::int8_t>(byte)), format.low(), format.high());
        sum.tables[side][static_cast<std::size_t>(byte)] = static_cast<std::int32_t>(requantized(
            by.rounding, (x - format.zero_point) * (1 << add.left_shift), by.multiplier(0), by.shift(0)));
      }
    }
    const Scaled scaled = scaled_by(add.output, 1, true);
    if (!scaled.thresholds.empty())
      refuse("counts thresholds of a sum of maps; the array does of sums of products alone");
    sum.rounding = scaled.by.rounding;
    sum.multiplier = scaled.by.multiplier(0);
    sum.shift = scaled.by.shift(0);
    for (std::int32_t& entry : sum.tables[work.direct ? 1 : 0])
      entry = bits32(entry + scaled.more[0], "an addend");
    work.to = add_map(out().name, scaled.format, shape_of_input(1 - of_result));
    sum.zero = scaled.zero;
    sum.low = scaled.low;
    sum.high = scaled.high;
    if (work.direct)
      check_clamp(work, in(of_result).format, graph_.nodes[fused->first], sum);
    work.add = sum;
    map_of_[node().output] = work.to;
    result_.works.push_back(std::move(work));
  }

  // Beyond the bounds of a sum that is added as it is results must be those of the bounds.
  void check_clamp(const ArrayWork& work, const Format& format, const Node& made, const ArrayAdd& add) const {
    const auto* const convolution = std::get_if<Convolution>(&made.op);
    if (!convolution)
      refuse("adds sums of \"" + made.name + "\"; the array adds those of convolutions");
    const Requantization& by = convolution->requantization;
    const auto [least, most] = reach_of(work);
    const auto differ = [&](std::int64_t sum, std::int64_t bound, std::int32_t more) {
      constexpr int bits = 32;
      const Scaling scaling{add.multiplier, add.shift, add.rounding, add.zero, add.low, add.high};
      return scaled(scaling, saturated(sum + more, bits)) != scaled(scaling, saturated(bound + more, bits));
    };
    const std::int64_t low = by.low - format.zero_point, high = by.high - format.zero_point;
    for (const std::int32_t more : add.tables[1])
      if ((least < low && differ(least, low, more)) || (most > high && differ(most, high, more)))
        refuse("adds a sum that is clamped to " + std::to_string(by.low) + ".." + std::to_string(by.high) +
               " before; the array adds such a one as it is");
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
    std::fill(work.weights.begin(), work.weights.end(), std::int8_t{1});
    std::fill(work.bias.begin(), work.bias.end(), 0);
    return work;
  }

  [[nodiscard]] ArrayWork begin() const {
    ArrayWork work;
    work.node = node().name;
    work.from = from();
    return work;
  }

  [[nodiscard]] std::int32_t bits32(std::int64_t value, const char* what) const {
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
      refuse(std::string(what) + " is " + std::to_string(value) + ", more than 32 bits hold");
    return static_cast<std::int32_t>(value);
  }
  void add_bias(ArrayWork& work, std::int64_t bias) const {
    work.bias.push_back(bits32(bias, "a bias for bytes as they are"));
  }

  // A requantization as the scaler does it.
  struct Scaled {
    ArrayFormat format;
    Requantization by;
    int zero = 0, low = -128, high = 127;
    std::vector<std::int64_t> more;       ///< of each channel's sum
    std::vector<std::int32_t> thresholds; ///< of each channel
  };
  Scaled scaled_by(const Requantization& requantization, std::size_t channels, bool with_zero_point) {
    const Format& format = out().format;
    Scaled scaled;
    scaled.format = formats_[node().output] = format_of(node().output, &requantization);
    scaled.by = requantization;
    scaled.zero = (with_zero_point ? format.zero_point : 0) - scaled.format.offset;
    scaled.low = scaled.format.held(requantization.low);
    scaled.high = scaled.format.held(requantization.high);
    scaled.more.assign(channels, 0);
    if (requantization.rounding == Rounding::thresholds)
      is_scale(requantization) ? scale_thresholds(requantization, scaled)
                               : count_thresholds(requantization, scaled);
    if (!config_.scale_multiply)
      shift_alone(scaled.by);
    return scaled;
  }

  // Thresholds that are one step of a channel, or 2^n apart.
  void scale_thresholds(const Requantization& thresholds, Scaled& scaled) const {
    const auto steps = static_cast<std::size_t>(thresholds.high - thresholds.low);
    const std::size_t rows = thresholds.thresholds.size() / steps;
    const bool two_values = has_two_values(thresholds);
    scaled.by.rounding = Rounding::half_up;
    scaled.by.thresholds.clear();
    scaled.by.multipliers = {two_values ? static_cast<std::int32_t>(steps) / scaled.format.scale : 1};
    scaled.by.shifts.clear();
    scaled.zero = two_values ? scaled.high : scaled.low + 1;
    for (std::size_t channel = 0; channel < scaled.more.size(); ++channel) {
      const std::int32_t* const row = thresholds.thresholds.data() + (rows == 1 ? 0 : channel) * steps;
      int shift = 0;
      while (!two_values && shift < 31 && std::int64_t{row[1]} - row[0] > std::int64_t{1} << shift)
        ++shift;
      scaled.by.shifts.push_back(shift);
      scaled.more[channel] = -std::int64_t{row[0]} - (shift ? std::int64_t{1} << (shift - 1) : 0);
    }
    if (scaled.by.shifts.empty())
      scaled.by.shifts = {0};
  }

  // Any other ones.
  void count_thresholds(const Requantization& thresholds, Scaled& scaled) const {
    const auto steps = static_cast<std::size_t>(thresholds.high - thresholds.low);
    const std::size_t most = static_cast<std::size_t>(config_.threshold_nodes()) - 1;
    int bits = 1;
    while (steps >= std::size_t{1} << bits)
      ++bits;
    if (steps > most)
      refuse("has " + std::to_string(steps) + " thresholds a channel, which takes --threshold-bits " +
             std::to_string(bits) +
             (config_.has_thresholds()
                  ? ""
                  : ", unless all of a channel are the same, or each is 2^n behind the one before"));
    scaled.by = {};
    for (std::size_t channel = 0; channel < scaled.more.size(); ++channel) {
      const std::size_t row = thresholds.thresholds.size() == steps ? 0 : channel * steps;
      const auto first = thresholds.thresholds.begin() + static_cast<std::ptrdiff_t>(row);
      scaled.thresholds.insert(scaled.thresholds.end(), first, first + static_cast<std::ptrdiff_t>(steps));
    }
  }

  // Powers of two.
  void shift_alone(Requantization& by) const {
    std::vector<int> shifts;
    for (std::size_t i = 0; i < std::max(by.multipliers.size(), by.shifts.size()); ++i) {
      int multiplier = by.multiplier(i), shift = by.shift(i);
      const bool in_one_step = by.rounding != Rounding::tflite || shift <= 31;
      for (; multiplier > 1 && multiplier % 2 == 0 && shift > 0 && in_one_step; multiplier /= 2)
        --shift;
      if (multiplier != 1)
        refuse("scales by " + std::to_string(by.multiplier(i)) + " / 2^" + std::to_string(by.shift(i)) +
               "; the design's scalers shift alone (--scaling multiply has all)");
      shifts.push_back(shift);
    }
    by.multipliers = {1};
    by.shifts = shifts;
  }

  // What is clamped to more bits than are held, as far as sums can reach.
  [[nodiscard]] Requantization within_reach(const ArrayWork& work,
                                            const Requantization& requantization) const {
    Requantization within = requantization;
    const std::size_t row = work.weights.size() / work.bias.size();
    if (out().format.bits <= 8 || requantization.rounding == Rounding::thresholds)
      return within;
    std::int64_t low = requantization.high, high = requantization.low;
    for (std::size_t o = 0; o < work.bias.size(); ++o) {
      const auto [least, most] = reach_of(work, work.weights.data() + o * row, row);
      const auto y = [&](std::int64_t sum) {
        return requantized(requantization.rounding, bits32(sum + work.bias[o], "a sum"),
                           requantization.multiplier(o), requantization.shift(o)) +
               out().format.zero_point;
      };
      low = std::min(low, y(least));
      high = std::max(high, y(most));
    }
    within.low = static_cast<int>(std::max<std::int64_t>(low, requantization.low));
    within.high = static_cast<int>(std::min<std::int64_t>(high, requantization.high));
    return within;
  }
  // Of sums of products, without their bias.
  template <class Weight>
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> reach_of(const ArrayWork& work, const Weight* weights,
                                                               std::size_t count) const {
    const ArrayFormat& held = result_.maps[work.from].format;
    const int low = std::min(held.low, work.padding), high = std::max(held.high, work.padding);
    std::int64_t least = 0, most = 0;
    for (std::size_t i = 0; i < count; ++i) {
      least += std::min(weights[i] * low, weights[i] * high);
      most += std::max(weights[i] * low, weights[i] * high);
    }
    return {least, most};
  }

  void scale(ArrayWork& work, const Requantization& requantization, bool with_zero_point) {
    const Requantization within = within_reach(work, requantization);
    if (config_.wide_sums && leaves_[node().output] && !fits_a_byte(within) &&
        is_sum(work, requantization, with_zero_point)) {
      to_bytes(work, with_zero_point ? out().format.zero_point : 0);
      return;
    }
    if (config_.wide_sums && !config_.lookup && fused_.count(node_) && !fits_a_byte(within) &&
        is_identity(requantization, work.bias.size())) {
      work.scale = {};
      work.direct = true;
      formats_[node().output] = {};
      return;
    }
    const Scaled scaled = scaled_by(within, work.bias.size(), with_zero_point);
    work.scale = scaled.by;
    work.thresholds = scaled.thresholds;
    work.zero = scaled.zero;
    work.low = scaled.low;
    work.high = scaled.high;
    for (std::size_t o = 0; o < work.bias.size(); ++o)
      work.bias[o] = bits32(work.bias[o] + scaled.more[o], "a bias less its threshold");
  }

  [[nodiscard]] static bool fits_a_byte(const Requantization& within) {
    const int middle = within.low >= 0 ? 128 : 0;
    return within.low - middle >= -128 && within.high - middle <= 127;
  }
  [[nodiscard]] static bool is_identity(const Requantization& by, std::size_t channels) {
    if (by.rounding == Rounding::thresholds)
      return false;
    for (std::size_t channel = 0; channel < channels; ++channel)
      if (by.multiplier(channel) != std::int64_t{1} << by.shift(channel))
        return false;
    return true;
  }
  // What sums can be, of all channels.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> reach_of(const ArrayWork& work) const {
    const std::size_t row = work.weights.size() / work.bias.size();
    std::int64_t low = std::numeric_limits<std::int64_t>::max(),
                 high = std::numeric_limits<std::int64_t>::min();
    for (std::size_t o = 0; o < work.bias.size(); ++o) {
      const auto [least, most] = reach_of(work, work.weights.data() + o * row, row);
      low = std::min(low, least + work.bias[o]);
      high = std::max(high, most + work.bias[o]);
    }
    return {low, high};
  }
  // Whether a requantization leaves sums as they are, all of which 16 bits hold.
  [[nodiscard]] bool is_sum(const ArrayWork& work, const Requantization& by, bool with_zero_point) const {
    constexpr std::int64_t half = 1 << 15;
    const auto [least, most] = reach_of(work);
    const int zero = with_zero_point ? out().format.zero_point : 0;
    return is_identity(by, work.bias.size()) && least + zero >= std::max<std::int64_t>(by.low, -half) &&
           most + zero <= std::min<std::int64_t>(by.high, half - 1);
  }
  // Each output twice.
  void to_bytes(ArrayWork& work, int zero) {
    if (work.depthwise)
      make_dense(work);
    const std::size_t outputs = work.bias.size(), row = work.weights.size() / outputs;
    std::vector<std::int8_t> weights;
    std::vector<std::int32_t> bias;
    work.scale = {};
    work.scale.shifts.clear();
    for (std::size_t o = 0; o < outputs; ++o)
      for (const int shift : {0, 8}) {
        const auto first = work.weights.begin() + static_cast<std::ptrdiff_t>(o * row);
        weights.insert(weights.end(), first, first + static_cast<std::ptrdiff_t>(row));
        bias.push_back(bits32(std::int64_t{work.bias[o]} + zero, "a bias"));
        work.scale.shifts.push_back(shift);
      }
    work.weights = std::move(weights);
    work.bias = std::move(bias);
    work.sum_bytes = true;
    formats_[node().output] = {};
  }

  // How an output's weights can be planes' d, shifted by `shift`, and a reference.
  struct Delta {
    int bits, reference;
  };
  static int signed_bits(int low, int high) {
    int bits = 1;
    while (low < -(1 << (bits - 1)) || high > (1 << (bits - 1)) - 1)
      ++bits;
    return bits;
  }
  [[nodiscard]] std::optional<Delta> delta_of(const std::int8_t* weights, std::size_t count, int shift,
                                              bool with_reference) const {
    const int low = *std::min_element(weights, weights + count),
              high = *std::max_element(weights, weights + count), unit = 1 << shift;
    for (std::size_t i = 0; i < count; ++i)
      if ((weights[i] - low) % unit)
        return std::nullopt;
    std::optional<Delta> best;
    const int half = with_reference && config_.reference_bits ? 1 << (config_.reference_bits - 1) : 0;
    const auto look = [&](int reference) {
      if ((low - reference) % unit)
        return;
      const int bits = signed_bits((low - reference) / unit, (high - reference) / unit);
      if (!best || bits < best->bits)
        best = Delta{bits, reference};
    };
    look(0); // what is nearer is preferred
    for (int r = 1; r <= half; ++r) {
      if (r < half)
        look(r);
      look(-r);
    }
    return best;
  }

  // The engine that takes fewer passes, and how its weights lie.
  void choose_engine(ArrayWork& work) const {
    const ArrayMap& map = result_.maps[work.from];
    if (work.depthwise && config_.parts(map.format.code) == 0)
      make_dense(work);
    if (!config_.has_planes())
      return;
    const std::size_t outputs = work.bias.size(), row = work.weights.size() / outputs;
    constexpr int most_shift = 7;
    int least = 0;
    for (int shift = 0; shift <= (config_.reference_bits ? most_shift : 0); ++shift) {
      int bits = 1;
      std::vector<int> references;
      bool possible = true;
      for (std::size_t o = 0; o < outputs && possible; ++o) {
        const std::optional<Delta> delta =
            delta_of(work.weights.data() + o * row, row, shift, !work.depthwise);
        possible = delta.has_value();
        if (possible) {
          bits = std::max(bits, delta->bits);
          references.push_back(delta->reference);
        }
      }
      const int passes = ceil_div(bits, config_.planes);
      if (!possible || (least && passes >= least))
        continue;
      least = passes;
      work.passes = passes;
      work.shift = shift;
      // Where they can be done without they are.
      if (bits_of(work) <= passes * config_.planes)
        references.assign(outputs, 0), work.shift = 0;
      const bool any = std::any_of(references.begin(), references.end(), [](int r) { return r != 0; });
      work.references = any ? references : std::vector<int>{};
    }
    work.planes = !config_.has_bytes() || map.format.code != 0 || work.passes == 1;
    if (!work.planes) {
      work.passes = 1;
      work.shift = 0;
      work.references.clear();
    }
  }
  static int bits_of(const ArrayWork& work) {
    return signed_bits(*std::min_element(work.weights.begin(), work.weights.end()),
                       *std::max_element(work.weights.begin(), work.weights.end()));
  }

  // A word has fewer channels than a tile has outputs.
  void make_dense(ArrayWork& work) const {
    const auto channels = static_cast<std::size_t>(result_.maps[work.from].channels);
    const auto taps = static_cast<std::size_t>(work.window.rows * work.window.columns);
    std::vector<std::int8_t> dense(channels * taps * channels);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < taps; ++t)
        dense[(c * taps + t) * channels + c] = work.weights[c * taps + t];
    work.weights = std::move(dense);
    work.depthwise = work.same_weights = false;
  }

  // What is read from a map must be written there.
  void check_writes() const {
    std::vector<bool> read(result_.maps.size());
    for (const ArrayWork& work : result_.works) {
      read[work.from] = true;
      if (work.add)
        read[work.add->skip] = true;
    }
    for (const ArrayWork& work : result_.works) {
      const int code = result_.maps[work.to].format.code;
      if (!read[work.to] || config_.writes_width(code))
        continue;
      int possible = code;
      while (possible < width_codes && !config_.writes_width(possible))
        ++possible;
      throw InputError("node \"" + work.node + "\": its results take " + std::to_string(width_bits(code)) +
                       " bits each; tiles of " + std::to_string(config_.outputs) +
                       " outputs are parts of words of " + std::to_string(config_.channels) +
                       " bytes with at most " + std::to_string(width_bits(possible)) + " (or " +
                       std::to_string(8 * config_.channels / width_bits(code)) + " outputs)");
    }
  }

  // No sum of products leaves its bits, nor one with its bias.
  void check_sums(const ArrayWork& work) const {
    const ArrayFormat& held = result_.maps[work.from].format;
    const std::size_t outputs = work.bias.size(), row = work.weights.size() / outputs;
    const int low = std::min(held.low, work.padding), high = std::max(held.high, work.padding);
    const int accumulator = config_.accumulator_bits(), with_bias = config_.sum_bits;
    const auto within = [](std::int64_t least, std::int64_t most, int bits) {
      const std::int64_t half = std::int64_t{1} << (bits - 1);
      return least >= -half && most < half;
    };
    for (std::size_t o = 0; o < outputs; ++o) {
      const int reference = work.references.empty() ? 0 : work.references[o], unit = 1 << work.shift;
      const std::int8_t* const weights = work.weights.data() + o * row;
      std::vector<int> deltas;
      for (std::size_t i = 0; i < row; ++i)
        deltas.push_back((weights[i] - reference) / unit);
      auto [least, most] = reach_of(work, weights, row);
      const auto [least_sum, most_sum] = reach_of(work, deltas.data(), row);
      const std::string node = "node \"" + work.node + "\": ",
                        channel = "sums of channel " + std::to_string(o);
      const auto reach = [](std::int64_t a, std::int64_t b) {
        return " can reach " + std::to_string(a) + ".." + std::to_string(b);
      };
      const auto count = static_cast<std::int64_t>(row);
      if (!work.references.empty() && !within(count * low, count * high, accumulator))
        throw InputError(node + "a total of " + std::to_string(row) + " values" +
                         reach(count * low, count * high) + "; the array sums in " +
                         std::to_string(accumulator) + " bits");
      if (!within(least_sum, most_sum, accumulator))
        throw InputError(node + channel + " over " + std::to_string(row) + " products" +
                         reach(least_sum, most_sum) + "; the array sums in " + std::to_string(accumulator) +
                         " bits");
      least += work.bias[o];
      most += work.bias[o];
      if (!work.thresholds.empty()) // the greatest sum reaches no threshold that it should not
        ++most;
      if (!within(least, most, with_bias)) {
        int bits = with_bias;
        while (!within(least, most, bits))
          ++bits;
        throw InputError(node + channel + " with its bias" + reach(least, most) + "; that takes " +
                         std::to_string(bits) + " bits of a sum, there are " + std::to_string(with_bias));
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
    if (fused_.count(node_)) {
      held_.emplace(node().output, std::move(work));
      return;
    }
    work.to = add_map(out().name, formats_[node().output], result_shape(work));
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
  const ArrayConfig& config_;
  ArrayGraph result_;
  std::size_t node_ = 0;
  std::vector<std::size_t> map_of_;           ///< of each tensor
  std::vector<int> readers_;                  ///< of each tensor
  std::vector<std::size_t> maker_;            ///< of each tensor: a node
  std::vector<bool> padded_, leaves_;         ///< of each tensor
  std::vector<ArrayFormat> formats_;          ///< of each tensor
  std::map<std::size_t, std::size_t> fused_;  ///< from a node to the addition behind it
  std::map<std::size_t, ArrayWork> held_;     ///< by tensor
  std::map<std::size_t, std::size_t> copies_; ///< of maps that cannot be read as skips
};

} // namespace

ArrayGraph lower(const Graph& graph, const ArrayConfig& config) { return Lowering(graph, config).lower(); }

std::vector<int> lowering_key(const ArrayConfig& config) {
  std::vector<int> key = {config.sum_bits,       config.has_bytes(),    config.planes,
                          config.widths,         config.reference_bits, config.scale_multiply,
                          config.threshold_bits, config.wide_sums};
  if (config.has_planes())
    key.insert(key.end(), {config.outputs, config.channels});
  return key;
}

} // namespace deltatwin
