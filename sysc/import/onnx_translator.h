#pragma once
#include "import/onnx_builder.h"
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// Node by node, an ONNX graph to a Graph: what each operator means stands in onnx_convolution.cpp,
/// onnx_product.cpp (of matrices; onnx_linear.cpp is what both share), onnx_pointwise.cpp
/// (quantization, sums, clamps), onnx_scaling.cpp (factors and constants), onnx_quant.cpp and onnx_target.cpp
/// (QONNX), onnx_pool.cpp and onnx_shape.cpp.
class OnnxTranslator {
public:
  /// `input_shape` is that of the input's tensor.
  OnnxTranslator(const OnnxModel& model, OnnxBuilder& builder, std::vector<int> input_shape);
  virtual ~OnnxTranslator() = default;
  OnnxTranslator(const OnnxTranslator&) = delete;
  OnnxTranslator& operator=(const OnnxTranslator&) = delete;

  /// The model's initializers.
  void define_constants();
  void define(const std::string& name, OnnxOperand operand) { operands_[name] = std::move(operand); }
  void translate(const OnnxNode& node, std::size_t index);
  [[nodiscard]] const OnnxOperand* find(const std::string& name) const;

protected:
  using Operand = OnnxOperand;
  using Context = OnnxContext;
  using Kind = OnnxOperand::Kind;
  using Handler = Operand (OnnxTranslator::*)(const Context&);
  static const std::map<std::string, Handler>& handlers();
  /// What a node gives; `op` is its operator, behind the domain where that matters.
  virtual Operand result_of(const Context& context, const std::string& op);

  // Inputs of a node.
  [[nodiscard]] bool has_input(const Context& context, std::size_t at) const;
  [[nodiscard]] const Operand& input(const Context& context, std::size_t at) const;
  [[nodiscard]] const OnnxTensor& constant(const Context& context, std::size_t at, const char* what) const;
  [[nodiscard]] float scalar(const Context& context, std::size_t at, const char* what) const;
  [[nodiscard]] OnnxQuantization quantization(const Context& context, std::size_t scale,
                                              std::size_t zero_point, const char* what) const;
  /// Of one scale: that of an activation.
  [[nodiscard]] OnnxQuantization single(const Context& context, std::size_t scale, std::size_t zero_point,
                                        const char* what) const;
  [[nodiscard]] OnnxType zero_point_type(const Context& context, std::size_t at, OnnxType otherwise) const;
  /// Reals that a tensor stands for; clamped ones become one.
  [[nodiscard]] Operand reals(const Context& context, std::size_t at);
  /// A tensor's integers, read with this scale and zero point.
  [[nodiscard]] Operand integers(const Context& context, std::size_t at,
                                 const OnnxQuantization& quantization);
  [[nodiscard]] std::int64_t opset() const;
  /// Nothing but this node is still to read the tensor, under any name.
  [[nodiscard]] bool is_last_reader(const Context& context, std::size_t tensor) const;
  /// An input that is a constant of real numbers, of which FINN notes that they are integers.
  void take_as_integers(const Context& context, std::size_t at);

  // Results.
  [[nodiscard]] static Operand made(OnnxTensor tensor);
  [[nodiscard]] static Operand pending(OnnxSums sums, View view);
  [[nodiscard]] Operand quantized(const Context& context, const OnnxSums& sums, const View& view,
                                  std::size_t scale, std::size_t zero_point, OnnxType otherwise);
  [[nodiscard]] static Operand with_step(const Operand& sums, RealStep step);
  /// Reals on their way to other integers.
  [[nodiscard]] Operand rescaled(const Context& context, const Operand& x) const;
  /// The same sums as those of a depthwise convolution of ones, which takes a factor and a constant for each
  /// channel.
  [[nodiscard]] Operand by_ones(const Context& context, const Operand& sums);
  /// `by_ones` where a constant is added.
  [[nodiscard]] Operand with_room_for_constants(const Context& context, const Operand& sums);
  /// Negates a channel's weights, and what its sums mean.
  void negate(const Context& context, OnnxSums& sums, std::size_t channel) const;
  [[nodiscard]] Operand multiplied_by(const Context& context, const Operand& sums, std::vector<float> factors,
                                      bool divides);
  [[nodiscard]] Operand of_input(const Context& context, const Operand& x, const Operand& constant,
                                 RealStep::Kind kind, float sign);

  // Convolutions and products.
  struct Placed {            ///< a convolution, or a product as one, whose weights are still to come
    Convolution convolution; ///< with as many weights as it will have
    std::size_t input = 0;   ///< the tensor
    std::vector<int> shape;  ///< of the result
    View view;
    std::vector<std::uint32_t> places; ///< of each weight in the file's order, in `convolution`
    [[nodiscard]] std::size_t each() const { return convolution.weights.size() / convolution.bias.size(); }
  };
  [[nodiscard]] Placed placed_convolution(const Context& context, const Operand& x,
                                          const std::vector<std::int64_t>& w);
  [[nodiscard]] Placed placed_product(const Context& context, const Operand& x, bool transposed_x,
                                      const std::vector<std::int64_t>& w, bool transposed_w);
  /// With weights of integers: its sums, which stand for reals by `factor` and the scales.
  [[nodiscard]] Operand summed(const Context& context, Placed placed, const Operand& x, const OnnxTensor& w,
                               const OnnxQuantization& scales, float factor) const;
  Operand convolution(const Context& context, const Operand& x, const OnnxTensor& w,
                      const OnnxQuantization& scales);
  /// Quantized ones, the second input; `unless_constant`: what is wrong where it is computed.
  const OnnxWeights& weights(const Context& context, const char* unless_constant);
  /// Of an operator on integers, whose scales are 1.
  OnnxQuantization zero_points(const Context& context, std::size_t at);
  /// A product whose sums themselves are the result.
  Operand integers_of(const Operand& product);
  void add_bias(const Context& context, Operand& sums, const Operand& bias, float factor);
  void add_bias(const Context& context, Operand& sums, const OnnxTensor& integers);
  void require_one_scale(const Context& context, const OnnxQuantization& quantization, int axis,
                         int outputs) const;
  void check_weights(const Context& context, const OnnxTensor& weights,
                     const OnnxQuantization& quantization) const;
  Window window(const Context& context, const std::vector<int>& dims, const std::vector<int>& kernel,
                const OnnxPadding& padding, bool is_pool) const;
  Operand matrix_product(const Context& context, const Operand& x, bool transposed_x, const OnnxTensor& w,
                         bool transposed_w, const OnnxQuantization& scales, float factor);
  Operand convolve(const Context& context);
  Operand convolve_quantized(const Context& context);
  Operand convolve_integers(const Context& context);
  Operand multiply_matrices(const Context& context);
  Operand multiply_matrices_quantized(const Context& context);
  Operand multiply_matrices_integers(const Context& context);
  Operand gemm(const Context& context);
  Operand gemm_quantized(const Context& context);

  // Quantization, sums, clamps.
  Operand quantize(const Context& context);
  Operand dequantize(const Context& context);
  Operand add(const Context& context);
  Operand subtract(const Context& context);
  Operand multiply(const Context& context);
  Operand divide(const Context& context);
  Operand add_quantized(const Context& context);
  Operand addend(const Context& context, std::size_t at);
  Operand power(const Context& context);
  Operand sum_of(const Context& context, const Operand& a, const Operand& b);
  Operand scaled(const Context& context, bool divides);
  Operand shifted(const Context& context, bool subtracts);
  Operand relu(const Context& context);
  Operand clip(const Context& context);
  Operand clamped(const Context& context, float low, float high);
  Operand softmax(const Context& context);
  Operand cast(const Context& context);
  /// A constant's value for each channel of sums, one if they are all the same.
  [[nodiscard]] std::vector<float> by_channel(const Context& context, const Operand& sums,
                                              const OnnxTensor& values);
  [[nodiscard]] static std::vector<float> by_channel(const Context& context, const View& view, int channels,
                                                     const OnnxTensor& values);
  struct Normalization { ///< factor and constant of each channel
    std::vector<float> factors, offsets;
  };
  [[nodiscard]] Normalization normalization(const Context& context) const;

  // QONNX's operators, and FINN's.
  Operand quant(const Context& context);
  Operand bipolar_quant(const Context& context);
  Operand truncate(const Context& context);
  Operand multi_threshold(const Context& context);
  Operand normalize(const Context& context);
  void take_as_reals(const Context& context);
  Operand left_to_host(const Context& context);
  Operand quantized_constant(const Context& context, const OnnxTensor& reals, int bits, bool is_signed,
                             const std::function<double(float, float)>& integer);
  Operand quantized_input(const Context& context, const Operand& x, const OnnxTarget& target,
                          const std::string& rule);
  /// Reals or sums as the integers of `target`, as reals again; `rule` tells the host of it.
  Operand to_target(const Context& context, const OnnxTarget& target, const std::string& rule);
  [[nodiscard]] bool folds_input(const Operand& sums, const OnnxTarget& target, Operand& result);

  // Pools.
  Operand max_pool(const Context& context);
  Operand average_pool(const Context& context);
  Operand average_pool_quantized(const Context& context);
  Operand global_max_pool(const Context& context);
  Operand global_average_pool(const Context& context);
  Operand global_average_pool_quantized(const Context& context);
  Operand reduce_mean(const Context& context);
  Operand maximum(const Context& context, const Operand& x, const Window& window);
  Operand average(const Context& context, const Operand& x, const Window& window, bool is_global);

  // Shapes.
  Operand identity(const Context& context);
  Operand constant_node(const Context& context);
  Operand shape(const Context& context);
  Operand reshape(const Context& context);
  Operand flatten(const Context& context);
  Operand squeeze(const Context& context);
  Operand unsqueeze(const Context& context);
  Operand transpose(const Context& context);
  Operand pad(const Context& context);
  Operand gather(const Context& context);
  Operand concat(const Context& context);
  Operand slice(const Context& context);
  Operand in_shape(const Context& context, const Operand& operand, const std::vector<int>& dims);
  [[nodiscard]] std::vector<int> dims_of(const Operand& operand) const;
  [[nodiscard]] std::vector<std::int64_t> axes(const Context& context, std::size_t at) const;

  const OnnxModel& model_;
  OnnxBuilder& builder_;
  std::vector<int> input_shape_;
  std::map<std::string, std::vector<std::size_t>> readers_; ///< of each value, the nodes
  std::size_t folded_ = 0;                                  ///< bytes of constants that nodes made
  std::map<std::string, OnnxOperand> operands_;
};

} // namespace deltatwin
