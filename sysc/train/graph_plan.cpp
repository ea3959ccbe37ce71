#include "train/graph_plan.h"
#include "base/error.h"
#include <algorithm>
#include <array>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int output_bits = 8; ///< of the network

// A deviation of normal values in front of a ReLU, in steps of an activation of so many bits: close to those
// that quantize them with the least squared error.
constexpr std::array<double, 9> relu_units = {0, 0, 1.7, 3, 5.3, 9.6, 17, 30, 53};
constexpr double signed_share = 5; ///< deviations that all values of a signed tensor span, on each side
constexpr double logit_unit = 16;  ///< steps of an output

class Planner {
public:
  Planner(const GraphOptions& options, int planes, int rows, int columns) : options_(options) {
    plan_.shift_only = options.shift_only;
    plan_.multiplier_bits = options.multiplier_bits;
    PlannedTensor input;
    input.name = "image";
    input.rows = rows;
    input.columns = columns;
    input.channels = planes;
    input.bits = options.input_bits;
    // Padding stands for black behind single planes, whose background it is, else for grey.
    if (input.bits == 8) {
      input.is_signed = true;
      input.zero_point = planes == 1 ? -128 : 0;
    } else {
      input.zero_point = planes == 1 ? 0 : 1 << (input.bits - 1);
    }
    plan_.tensors.push_back(input);
    if (options.shortcut_bits == 0) {
      shortcut_bits_ = std::max(options.input_bits, options.activation_bits);
    } else {
      shortcut_bits_ = options.shortcut_bits;
    }
  }

  GraphPlan plan() {
    for (at_ = 0; at_ < options_.elements.size(); ++at_) {
      const GraphElement& element = now();
      switch (element.kind) {
      case GraphElement::Kind::convolution:
        (void)convolve(element, from_, activation(element));
        break;
      case GraphElement::Kind::block:
        block(element);
        break;
      case GraphElement::Kind::max_pool:
        pool(element);
        break;
      case GraphElement::Kind::average:
        average(element);
        break;
      case GraphElement::Kind::dense:
        dense(element);
      }
    }
    return std::move(plan_);
  }

private:
  [[nodiscard]] const GraphElement& now() const { return options_.elements[at_]; }
  [[nodiscard]] const PlannedTensor& tensor(std::size_t index) const { return plan_.tensors[index]; }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("--graph: \"" + now().text + "\": " + what);
  }
  [[nodiscard]] bool is_first() const {
    for (std::size_t i = 0; i < at_; ++i)
      if (has_weights(options_.elements[i]))
        return false;
    return true;
  }
  [[nodiscard]] bool is_last() const { return at_ + 1 == options_.elements.size(); }
  static bool has_weights(const GraphElement& element) {
    return element.kind != GraphElement::Kind::max_pool && element.kind != GraphElement::Kind::average;
  }

  [[nodiscard]] WeightFormat weights(const GraphElement& element) const {
    if (element.precision.weights)
      return *element.precision.weights;
    if (is_last() && options_.last.weights)
      return *options_.last.weights;
    if (is_first() && options_.first.weights)
      return *options_.first.weights;
    return options_.weights;
  }
  [[nodiscard]] int activation(const GraphElement& element) const {
    if (element.precision.activation_bits)
      return *element.precision.activation_bits;
    if (is_first() && options_.first.activation_bits)
      return *options_.first.activation_bits;
    return options_.activation_bits;
  }
  [[nodiscard]] double unit(double value) const {
    return options_.shift_only ? std::exp2(std::round(std::log2(value))) : value;
  }

  // Formats, without a shape.
  [[nodiscard]] PlannedTensor activated(int bits) const {
    PlannedTensor result;
    result.bits = bits;
    if (bits == 1) {
      result.bits = 2;
      result.is_signed = result.bipolar = true;
      return result;
    }
    result.unit = unit(relu_units[static_cast<std::size_t>(bits)]);
    return result;
  }
  [[nodiscard]] PlannedTensor summand(int bits) const {
    PlannedTensor result;
    result.bits = bits;
    result.is_signed = true;
    result.unit = unit((1 << (bits - 1)) / (bits < 4 ? signed_share / 2 : signed_share * bits / 8));
    return result;
  }

  std::string named(const std::string& kind) {
    return kind + std::to_string(++numbers_[kind == "conv"    ? 0
                                            : kind == "pool"  ? 1
                                            : kind == "dense" ? 2
                                                              : 3]);
  }

  std::size_t append(PlannedStep step, PlannedTensor result) {
    const PlannedTensor& in = tensor(step.from);
    result.name = step.name + ".y";
    if (step.kind == PlannedStep::Kind::add) {
      result.rows = in.rows;
      result.columns = in.columns;
      result.channels = in.channels;
    } else {
      const int rows = in.rows + 2 * step.padding - step.rows,
                columns = in.columns + 2 * step.padding - step.columns;
      if (rows < 0 || columns < 0)
        fail("a window of " + std::to_string(step.rows) + " x " + std::to_string(step.columns) +
             " does not fit on a map of " + std::to_string(in.rows) + " x " + std::to_string(in.columns));
      result.rows = rows / step.stride + 1;
      result.columns = columns / step.stride + 1;
    }
    plan_.tensors.push_back(result);
    step.to = plan_.tensors.size() - 1;
    plan_.steps.push_back(step);
    return from_ = step.to;
  }

  std::size_t convolve(const std::string& name, std::size_t from, const GraphElement& element,
                       PlannedTensor result) {
    PlannedStep step;
    step.name = name;
    step.from = from;
    step.rows = element.rows;
    step.columns = element.columns;
    step.stride = element.stride;
    step.padding = element.same ? (element.rows - 1) / 2 : 0;
    step.weights = weights(element);
    step.last = is_last();
    result.channels = element.outputs;
    return append(step, result);
  }
  std::size_t convolve(const GraphElement& element, std::size_t from, int bits) {
    if (is_last())
      fail("the last element is a dense one, whose outputs are the classes");
    return convolve(named("conv"), from, element, activated(bits));
  }

  void block(const GraphElement& element) {
    if (is_last())
      fail("the last element is a dense one, whose outputs are the classes");
    const int bits = activation(element);
    if (bits == 1 || tensor(from_).bipolar)
      fail("a block adds; binary activations have no sum, expected 2 to 8 bits");
    const std::string name = named("block");
    const std::size_t in = from_;
    const bool identity = element.stride == 1 && element.outputs == tensor(in).channels && in != 0;
    // The shortcut first: what comes last is added where it is made.
    std::size_t skip = in;
    if (!identity) {
      GraphElement one = element;
      one.rows = one.columns = 1;
      one.same = false;
      skip = convolve(name + ".shortcut", in, one, summand(shortcut_bits_));
    }
    (void)convolve(name + ".conv1", in, element, activated(bits));
    GraphElement second = element;
    second.stride = 1;
    const std::size_t branch = convolve(name + ".conv2", from_, second, summand(options_.branch_bits));
    if (tensor(skip).rows != tensor(branch).rows || tensor(skip).columns != tensor(branch).columns)
      fail("a map of " + std::to_string(tensor(in).rows) + " x " + std::to_string(tensor(in).columns) +
           " is not divided by that stride");
    sums_ = identity ? sums_ + 1 : 1;
    PlannedStep step;
    step.kind = PlannedStep::Kind::add;
    step.name = name + ".add";
    step.from = branch;
    step.from_other = skip;
    PlannedTensor result = activated(bits);
    result.unit = unit(result.unit / std::sqrt(1.0 + sums_)); // variances add up
    (void)append(step, result);
  }

  void pool(const GraphElement& element) {
    PlannedStep step;
    step.kind = PlannedStep::Kind::max_pool;
    step.name = named("pool");
    step.from = from_;
    step.rows = step.columns = element.rows;
    step.stride = element.stride;
    const PlannedTensor result = tensor(from_);
    if (is_last())
      fail("the last element is a dense one, whose outputs are the classes");
    (void)append(step, result);
  }

  void average(const GraphElement& element) {
    if (is_last())
      fail("the last element is a dense one, whose outputs are the classes");
    const PlannedTensor& in = tensor(from_);
    if (from_ == 0)
      fail("nothing but an average of the image: expected a convolution before it");
    PlannedStep step;
    step.kind = PlannedStep::Kind::average;
    step.name = "average";
    step.from = from_;
    step.rows = in.rows;
    step.columns = in.columns;
    PlannedTensor result = in;
    result.bipolar = false;
    result.bits = element.precision.activation_bits.value_or(8);
    const int pixels = in.rows * in.columns;
    while (pixels * in.high() > result.high() << step.shift)
      ++step.shift;
    // Averages are far below the largest values: of few bits, more are left for what there is.
    if (result.bits < 8 && step.shift > 0)
      --step.shift;
    result.unit = in.unit * pixels / std::exp2(step.shift);
    (void)append(step, result);
  }

  void dense(const GraphElement& element) {
    GraphElement whole = element;
    whole.rows = tensor(from_).rows;
    whole.columns = tensor(from_).columns;
    PlannedTensor result = activated(is_last() ? 2 : activation(element));
    if (is_last()) {
      if (element.precision.activation_bits)
        fail("the outputs have 8 bits; expected weights alone behind the colon");
      result.bits = output_bits;
      result.is_signed = true;
      result.unit = logit_unit;
    }
    (void)convolve(named("dense"), from_, whole, result);
  }

  const GraphOptions& options_;
  GraphPlan plan_;
  int shortcut_bits_ = 8;
  std::size_t at_ = 0, from_ = 0;
  int sums_ = 0;
  std::array<int, 4> numbers_{};
};

} // namespace

GraphPlan plan_graph(const GraphOptions& options, int planes, int rows, int columns) {
  return Planner(options, planes, rows, columns).plan();
}

} // namespace deltatwin
