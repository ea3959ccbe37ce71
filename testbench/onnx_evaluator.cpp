#include "onnx_evaluator.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <stdexcept>

namespace deltatwin {
namespace {

using Dims = std::vector<std::int64_t>;

std::int64_t elements(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

template <class Real, class From> void append(const std::string& bytes, std::vector<Real>& values) {
  for (std::size_t at = 0; at + sizeof(From) <= bytes.size(); at += sizeof(From)) {
    From value;
    std::memcpy(&value, bytes.data() + at, sizeof(From));
    values.push_back(static_cast<Real>(value));
  }
}

template <class Real> OnnxArray<Real> array_of(const onnx::TensorProto& tensor) {
  OnnxArray<Real> array;
  array.dims.assign(tensor.dims().begin(), tensor.dims().end());
  using T = onnx::TensorProto;
  if (tensor.has_raw_data()) {
    switch (tensor.data_type()) {
    case T::FLOAT:
      append<Real, float>(tensor.raw_data(), array.values);
      break;
    case T::INT64:
      append<Real, std::int64_t>(tensor.raw_data(), array.values);
      break;
    case T::INT32:
      append<Real, std::int32_t>(tensor.raw_data(), array.values);
      break;
    case T::INT8:
      append<Real, std::int8_t>(tensor.raw_data(), array.values);
      break;
    case T::UINT8:
      append<Real, std::uint8_t>(tensor.raw_data(), array.values);
      break;
    default:
      throw std::runtime_error("constant of another type");
    }
    return array;
  }
  for (const float value : tensor.float_data())
    array.values.push_back(static_cast<Real>(value));
  for (const std::int64_t value : tensor.int64_data())
    array.values.push_back(static_cast<Real>(value));
  for (const std::int32_t value : tensor.int32_data())
    array.values.push_back(static_cast<Real>(value));
  return array;
}

template <class Real> class Step {
public:
  using Array = OnnxArray<Real>;

  Step(const onnx::NodeProto& node, const std::map<std::string, Array>& known) : node_(node), known_(known) {}

  Array run() {
    const std::string& op = node_.op_type();
    if (op == "Add")
      return both([](Real a, Real b) { return a + b; });
    if (op == "Sub")
      return both([](Real a, Real b) { return a - b; });
    if (op == "Mul")
      return both([](Real a, Real b) { return a * b; });
    if (op == "Div")
      return both([](Real a, Real b) { return a / b; });
    if (op == "Pow")
      return both([](Real a, Real b) { return std::pow(a, b); });
    if (op == "Relu")
      return each([](Real a) { return std::max(a, Real(0)); });
    if (op == "Clip")
      return each([this](Real a) {
        const Real low = has(1) ? in(1).values[0] : real("min", -1e30f),
                   high = has(2) ? in(2).values[0] : real("max", 1e30f);
        return std::min(std::max(a, low), high);
      });
    if (op == "Identity" || op == "Cast")
      return in(0);
    if (op == "Quant" || op == "IntQuant")
      return quant();
    if (op == "BipolarQuant")
      return broadcast(in(0), in(1), [](Real a, Real scale) { return a >= 0 ? scale : -scale; });
    if (op == "Trunc")
      return truncate();
    if (op == "MultiThreshold")
      return count();
    if (op == "BatchNormalization")
      return normalize();
    if (op == "Conv")
      return convolve();
    if (op == "MatMul")
      return product(in(0), in(1));
    if (op == "Gemm")
      return gemm();
    if (op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool")
      return pool(op == "MaxPool", op[0] == 'G');
    return shaped(op);
  }

private:
  [[nodiscard]] const Array& in(int at) const { return known_.at(node_.input(at)); }
  [[nodiscard]] bool has(int at) const { return at < node_.input_size() && !node_.input(at).empty(); }
  [[nodiscard]] const onnx::AttributeProto* attribute(const std::string& name) const {
    for (const auto& each : node_.attribute())
      if (each.name() == name)
        return &each;
    return nullptr;
  }
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    const auto* found = attribute(name);
    return found ? found->i() : otherwise;
  }
  [[nodiscard]] Real real(const std::string& name, float otherwise) const {
    const auto* found = attribute(name);
    return static_cast<Real>(found ? found->f() : otherwise);
  }
  [[nodiscard]] Dims list(const std::string& name, const Dims& otherwise) const {
    const auto* found = attribute(name);
    return found ? Dims(found->ints().begin(), found->ints().end()) : otherwise;
  }

  template <class Function> Array each(Function function) const {
    Array y = in(0);
    for (Real& value : y.values)
      value = function(value);
    return y;
  }

  template <class Function> static Array broadcast(const Array& a, const Array& b, Function function) {
    const std::size_t rank = std::max(a.dims.size(), b.dims.size());
    const auto size = [&](const Array& array, std::size_t d) {
      const std::size_t missing = rank - array.dims.size();
      return d < missing ? 1 : array.dims[d - missing];
    };
    Array y;
    for (std::size_t d = 0; d < rank; ++d)
      y.dims.push_back(std::max(size(a, d), size(b, d)));
    const std::int64_t count = elements(y.dims);
    y.values.resize(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t rest = i, at_a = 0, at_b = 0, step_a = 1, step_b = 1;
      for (std::size_t d = rank; d-- > 0; rest /= y.dims[d]) {
        const std::int64_t index = rest % y.dims[d];
        at_a += size(a, d) == 1 ? 0 : index * step_a;
        at_b += size(b, d) == 1 ? 0 : index * step_b;
        step_a *= size(a, d);
        step_b *= size(b, d);
      }
      y.values[static_cast<std::size_t>(i)] =
          function(a.values[static_cast<std::size_t>(at_a)], b.values[static_cast<std::size_t>(at_b)]);
    }
    return y;
  }
  template <class Function> Array both(Function function) const { return broadcast(in(0), in(1), function); }

  [[nodiscard]] Real rounded(Real value, const char* otherwise) const {
    const auto* found = attribute("rounding_mode");
    const std::string mode = found ? found->s() : otherwise;
    if (mode == "FLOOR")
      return std::floor(value);
    if (mode == "CEIL")
      return std::ceil(value);
    return std::nearbyint(value);
  }

  Array quant() const {
    const Real zero = in(2).values[0], bits = in(3).values[0];
    const bool is_signed = integer("signed", 1) != 0, narrow = integer("narrow", 0) != 0;
    const Real low = is_signed ? -std::pow(Real(2), bits - 1) + (narrow ? 1 : 0) : 0;
    const Real high =
        is_signed ? std::pow(Real(2), bits - 1) - 1 : std::pow(Real(2), bits) - (narrow ? 2 : 1);
    return broadcast(in(0), in(1), [&](Real x, Real scale) {
      const Real units = x / scale + zero;
      const Real integer = bits == 1 && is_signed ? (units >= 0 ? Real(1) : Real(-1))
                                                  : rounded(std::min(std::max(units, low), high), "ROUND");
      return (integer - zero) * scale;
    });
  }

  // The first version, of five inputs.
  Array truncate() const {
    const Real scale = in(1).values[0], zero = in(2).values[0];
    const Real divisor = std::pow(Real(2), in(3).values[0] - in(4).values[0]);
    return each([&](Real x) {
      return (rounded(std::nearbyint(x / scale + zero) / divisor, "FLOOR") - zero) * scale;
    });
  }

  Array count() const {
    const Array &x = in(0), &thresholds = in(1);
    const Real scale = real("out_scale", 1), bias = real("out_bias", 0);
    const std::int64_t channels = x.dim(1), inner = elements(x.dims) / x.dim(0) / channels;
    const std::int64_t steps = thresholds.dims[1];
    Array y = x;
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      const std::int64_t channel =
          thresholds.dims[0] == 1 ? 0 : static_cast<std::int64_t>(i) / inner % channels;
      int reached = 0;
      for (std::int64_t t = 0; t < steps; ++t)
        reached += x.values[i] >= thresholds.values[static_cast<std::size_t>(channel * steps + t)];
      y.values[i] = scale * static_cast<Real>(reached) + bias;
    }
    return y;
  }

  Array normalize() const {
    Array y = in(0);
    const Real epsilon = real("epsilon", 1e-5f);
    const std::int64_t channels = y.dim(1), inner = elements(y.dims) / y.dim(0) / channels;
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      const auto c = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % channels);
      y.values[i] = (y.values[i] - in(3).values[c]) / std::sqrt(in(4).values[c] + epsilon) * in(1).values[c] +
                    in(2).values[c];
    }
    return y;
  }

  // Of maps {1, channels, rows, columns}.
  Array convolve() const {
    const Array &x = in(0), &w = in(1);
    const Dims strides = list("strides", {1, 1}), pads = list("pads", {0, 0, 0, 0}),
               dilations = list("dilations", {1, 1});
    const std::int64_t groups = integer("group", 1), outputs = w.dims[0], own = w.dims[1];
    const std::int64_t rows = x.dim(2), columns = x.dim(3);
    Array y;
    y.dims = {1, outputs, (rows + pads[0] + pads[2] - (w.dims[2] - 1) * dilations[0] - 1) / strides[0] + 1,
              (columns + pads[1] + pads[3] - (w.dims[3] - 1) * dilations[1] - 1) / strides[1] + 1};
    y.values.resize(static_cast<std::size_t>(elements(y.dims)));
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t r = 0; r < y.dims[2]; ++r)
        for (std::int64_t c = 0; c < y.dims[3]; ++c) {
          Real sum = 0;
          for (std::int64_t i = 0; i < own; ++i)
            for (std::int64_t kr = 0; kr < w.dims[2]; ++kr)
              for (std::int64_t kc = 0; kc < w.dims[3]; ++kc) {
                const std::int64_t row = r * strides[0] - pads[0] + kr * dilations[0],
                                   column = c * strides[1] - pads[1] + kc * dilations[1];
                if (row < 0 || row >= rows || column < 0 || column >= columns)
                  continue;
                const std::int64_t channel = o / (outputs / groups) * own + i;
                sum += x.values[static_cast<std::size_t>((channel * rows + row) * columns + column)] *
                       w.values[static_cast<std::size_t>(((o * own + i) * w.dims[2] + kr) * w.dims[3] + kc)];
              }
          y.values[static_cast<std::size_t>((o * y.dims[2] + r) * y.dims[3] + c)] =
              sum + (has(2) ? in(2).values[static_cast<std::size_t>(o)] : Real(0));
        }
    return y;
  }

  static Array product(const Array& a, const Array& b) {
    const std::int64_t inner = b.dims[0], outputs = b.dims[1], rows = elements(a.dims) / inner;
    Array y;
    y.dims = a.dims;
    y.dims.back() = outputs;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t o = 0; o < outputs; ++o) {
        Real sum = 0;
        for (std::int64_t i = 0; i < inner; ++i)
          sum += a.values[static_cast<std::size_t>(r * inner + i)] *
                 b.values[static_cast<std::size_t>(i * outputs + o)];
        y.values.push_back(sum);
      }
    return y;
  }

  Array gemm() const {
    Array y = product(in(0), integer("transB", 0) ? transposed(in(1), {1, 0}) : in(1));
    const Real alpha = real("alpha", 1), beta = real("beta", 1);
    for (Real& value : y.values)
      value *= alpha;
    return has(2) ? broadcast(y, in(2), [beta](Real a, Real b) { return a + beta * b; }) : y;
  }

  Array pool(bool is_max, bool is_global) const {
    const Array& x = in(0);
    const std::int64_t rows = x.dim(2), columns = x.dim(3);
    const Dims kernel = is_global ? Dims{rows, columns} : list("kernel_shape", {}),
               strides = list("strides", {1, 1}), pads = list("pads", {0, 0, 0, 0});
    Array y;
    y.dims = {1, x.dims[1], (rows + pads[0] + pads[2] - kernel[0]) / strides[0] + 1,
              (columns + pads[1] + pads[3] - kernel[1]) / strides[1] + 1};
    for (std::int64_t ch = 0; ch < x.dims[1]; ++ch)
      for (std::int64_t r = 0; r < y.dims[2]; ++r)
        for (std::int64_t c = 0; c < y.dims[3]; ++c) {
          Real most = -1e30f, sum = 0;
          for (std::int64_t kr = 0; kr < kernel[0]; ++kr)
            for (std::int64_t kc = 0; kc < kernel[1]; ++kc) {
              const std::int64_t row = r * strides[0] - pads[0] + kr, column = c * strides[1] - pads[1] + kc;
              if (row < 0 || row >= rows || column < 0 || column >= columns)
                continue;
              const Real value = x.values[static_cast<std::size_t>((ch * rows + row) * columns + column)];
              most = std::max(most, value);
              sum += value;
            }
          y.values.push_back(is_max ? most : sum / static_cast<Real>(kernel[0] * kernel[1]));
        }
    return y;
  }

  static Array transposed(const Array& x, const Dims& order) {
    Array y;
    Dims steps(x.dims.size(), 1);
    for (std::size_t d = x.dims.size(); d-- > 1;)
      steps[d - 1] = steps[d] * x.dims[d];
    for (const std::int64_t d : order)
      y.dims.push_back(x.dims[static_cast<std::size_t>(d)]);
    for (std::int64_t i = 0; i < elements(y.dims); ++i) {
      std::int64_t rest = i, at = 0;
      for (std::size_t d = order.size(); d-- > 0; rest /= y.dims[d])
        at += rest % y.dims[d] * steps[static_cast<std::size_t>(order[d])];
      y.values.push_back(x.values[static_cast<std::size_t>(at)]);
    }
    return y;
  }

  Array shaped(const std::string& op) const {
    if (op == "Constant")
      return array_of<Real>(attribute("value")->t());
    Array y = in(0);
    const auto axis_of = [&](std::int64_t otherwise) { return integer("axis", otherwise); };
    if (op == "Transpose")
      return transposed(y, list("perm", {}));
    if (op == "Shape") {
      y.values.assign(y.dims.begin(), y.dims.end());
      y.dims = {static_cast<std::int64_t>(y.values.size())};
    } else if (op == "Gather") { // of a list
      y.dims = in(1).dims;
      y.values.clear();
      for (const Real index : in(1).values)
        y.values.push_back(in(0).values.at(static_cast<std::size_t>(index)));
    } else if (op == "Unsqueeze") {
      y.dims.insert(y.dims.begin() + list("axes", {0}).at(0), 1);
    } else if (op == "Concat") { // of lists
      y.values.clear();
      for (int i = 0; i < node_.input_size(); ++i)
        y.values.insert(y.values.end(), in(i).values.begin(), in(i).values.end());
      y.dims = {static_cast<std::int64_t>(y.values.size())};
    } else if (op == "Flatten") {
      std::int64_t outer = 1;
      for (std::int64_t d = 0; d < axis_of(1); ++d)
        outer *= y.dims[static_cast<std::size_t>(d)];
      y.dims = {outer, elements(y.dims) / outer};
    } else if (op == "Reshape") {
      const std::int64_t all = elements(y.dims);
      Dims to(in(1).values.begin(), in(1).values.end());
      for (std::size_t d = 0; d < to.size(); ++d)
        if (to[d] == 0)
          to[d] = y.dims[d];
      const std::int64_t known = elements(to);
      for (std::int64_t& size : to)
        if (size == -1)
          size = all / -known;
      y.dims = to;
    } else {
      throw std::runtime_error("operator " + op);
    }
    return y;
  }

  const onnx::NodeProto& node_;
  const std::map<std::string, Array>& known_;
};

} // namespace

template <class Real>
OnnxEvaluator<Real>::OnnxEvaluator(const onnx::ModelProto& model) : graph_(model.graph()) {
  for (const auto& tensor : graph_.initializer())
    constants_[tensor.name()] = array_of<Real>(tensor);
  for (const auto& value : graph_.input())
    if (constants_.count(value.name()) == 0)
      input_ = value.name();
  for (int n = 0; n < graph_.node_size(); ++n) {
    const onnx::NodeProto& node = graph_.node(n);
    const bool known = std::all_of(node.input().begin(), node.input().end(), [&](const std::string& name) {
      return name.empty() || constants_.count(name) > 0;
    });
    if (known)
      constants_[node.output(0)] = Step<Real>(node, constants_).run();
    else
      rest_.push_back(n);
  }
}

template <class Real>
std::map<std::string, OnnxArray<Real>> OnnxEvaluator<Real>::run(const Array& input) const {
  std::map<std::string, Array> known = constants_;
  known[input_] = input;
  for (const int n : rest_)
    known[graph_.node(n).output(0)] = Step<Real>(graph_.node(n), known).run();
  return known;
}

template class OnnxEvaluator<float>;
template class OnnxEvaluator<double>;

} // namespace deltatwin
