#pragma once
// What flows between an ONNX graph's nodes while it is translated.
#include "import/onnx_file.h"
#include "import/onnx_view.h"
#include "net/graph.h"
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace deltatwin {

/// real = (integer - zero point) * scale, for all elements or for each index of `axis`.
struct OnnxQuantization {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  int axis = 0; ///< where there is more than one

  [[nodiscard]] float scale(std::size_t at) const { return scales[scales.size() == 1 ? 0 : at]; }
  [[nodiscard]] std::int64_t zero_point(std::size_t at) const {
    return zero_points[zero_points.size() == 1 ? 0 : at];
  }
};

/// Integers that stand for real constants.
struct OnnxWeights {
  OnnxTensor integers;
  OnnxQuantization quantization;
};

/// What a real number, or a sum of one channel, goes through before it is quantized: all of it never falls,
/// or never rises.
struct RealStep {
  enum class Kind { multiply, divide, add, at_least, at_most };
  Kind kind = Kind::multiply;
  std::vector<float> values; ///< one, or one a channel

  [[nodiscard]] float value(std::size_t channel) const { return values[values.size() == 1 ? 0 : channel]; }
};

/// What real numbers become: the integers of a tensor.
struct OnnxTarget {
  Format format;
  int low = 0, high = 0; ///< of the integers
  float scale = 1;       ///< of the tensor
  float step = 1;        ///< of the real numbers that go into it, from one integer to the next
  /// Of a real number of a channel; never falls.
  std::function<int(float real, std::size_t channel)> integer;
  double offset = 0;       ///< before it rounds to the nearest, in steps: -0.5 where it rounds down
  bool by_channel = false; ///< `integer` is another one for each
  bool counts = false;     ///< by thresholds alone
};

/// An operator that has its sums, but no scale of its results yet.
struct OnnxSums {
  std::string node;   ///< its name
  std::string source; ///< the operators that it stands for
  std::variant<Convolution, Pool, Add, Rescale> op;
  std::vector<std::size_t> inputs;           ///< tensors
  std::vector<int> shape;                    ///< of the result
  std::vector<std::int64_t> lowest, highest; ///< that the sums can reach: one, or one a channel
  std::vector<float> scales;                 ///< of the sums: one, or one a channel; an Add's: of each input
  std::vector<RealStep> steps;
  int mean_of = 0;           ///< a global average: how many, divided by in one with the scales
  std::vector<Window> pools; ///< max pools behind it: a maximum may as well be taken of what is quantized
  bool are_integers = false; ///< int32 in the file
  bool of_ones = false;      ///< a convolution whose weights are all 1 or -1, of nobody's making
  /// Of a convolution's channel: its weights are negated, so that what the steps make of it grows with the
  /// sum. None: no channel's.
  std::vector<bool> negated{};
  /// An Add's, of each input that nothing has quantized: its sums themselves are added.
  std::array<std::shared_ptr<const OnnxSums>, 2> wide{};

  [[nodiscard]] bool is_negated(std::size_t channel) const {
    return !negated.empty() && negated[negated.size() == 1 ? 0 : channel];
  }
};

/// Of a convolution: what the sums of each output can reach, its bias aside.
void set_reach(OnnxSums& sums, std::pair<int, int> x, int zero_point);

struct OnnxPadding {
  int top = 0, left = 0, bottom = 0, right = 0;
  [[nodiscard]] bool any() const { return top || left || bottom || right; }
};

struct OnnxOperand {
  enum class Kind {
    constant,
    weights,       ///< reals of constant integers
    input,         ///< the graph's, still real
    integers,      ///< a tensor
    reals,         ///< that a tensor's integers stand for
    sums,          ///< reals, or int32, that nothing has quantized yet
    probabilities, ///< of reals: the host's
  };
  Kind kind = Kind::constant;
  std::shared_ptr<const OnnxTensor> constant;
  std::shared_ptr<const OnnxWeights> weights;
  std::shared_ptr<const OnnxSums> sums;
  View view;
  std::size_t tensor = 0;      ///< integers, reals, probabilities: of the graph
  float scale = 1;             ///< reals
  int zero_point = 0;          ///< reals
  OnnxPadding padding;         ///< by zeros, around rows and columns: a Pad that nothing has used yet
  std::vector<RealStep> steps; ///< input: what the host does before it is quantized
  std::string host;            ///< what the host does with it, which nothing else can read then
};

[[nodiscard]] inline bool is_constant(const OnnxOperand& operand) {
  return operand.kind == OnnxOperand::Kind::constant || operand.kind == OnnxOperand::Kind::weights;
}

} // namespace deltatwin
