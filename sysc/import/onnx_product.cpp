// Products of matrices, as convolutions of 1 x 1.
#include "import/onnx_translator.h"
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

int multiplied(const std::vector<int>& sizes) {
  int count = 1;
  for (const int size : sizes)
    count *= size;
  return count;
}

} // namespace

OnnxTranslator::Placed OnnxTranslator::placed_product(const Context& context, const Operand& x,
                                                      bool transposed_x, const std::vector<std::int64_t>& w,
                                                      bool transposed_w) {
  const std::vector<int> dims = x.view.dims();
  const int rank = static_cast<int>(dims.size());
  const std::size_t leading = w.size() < 2 ? 0 : w.size() - 2;
  if (w.size() < 2 || rank < 1 || (transposed_x && rank != 2))
    context.fail("it multiplies " + std::to_string(rank) + " by " + std::to_string(w.size()) +
                 " dimensions; possible are two for the constant one");
  for (std::size_t d = 0; d < w.size(); ++d)
    if (w[d] < 1 || w[d] > 1 << 20 || (d < leading && w[d] != 1))
      context.fail("its weights have " + std::to_string(w.size()) + " dimensions, the first of " +
                   std::to_string(w[0]) + "; possible is one matrix");
  const int inner = transposed_x ? 0 : rank - 1;
  std::vector<int> outer, outer_sizes;
  for (int d = 0; d < rank; ++d)
    if (d != inner) {
      outer.push_back(d);
      outer_sizes.push_back(dims[static_cast<std::size_t>(d)]);
    }
  const auto rows_of_w = static_cast<int>(w[leading]), columns_of_w = static_cast<int>(w[leading + 1]);
  const int inputs = transposed_w ? columns_of_w : rows_of_w,
            outputs = transposed_w ? rows_of_w : columns_of_w;
  if (x.view.size(inner) != inputs)
    context.fail("weights of " + std::to_string(inputs) + " inputs do not go with " +
                 std::to_string(x.view.size(inner)));
  // Inputs may lie in any order, which the weights then follow, as long as they lie together.
  const std::vector<int> places = x.view.places({inner});
  const int positions = multiplied(outer_sizes);
  const std::vector<int> position_places = x.view.places(outer);
  bool together = *std::max_element(places.begin(), places.end()) < inputs;
  for (int i = 0; i < positions; ++i)
    together = together && position_places[static_cast<std::size_t>(i)] == i * inputs;
  if (!together) {
    std::vector<int> order = outer;
    order.push_back(inner);
    builder_.require_order(context, x, order);
  }
  std::vector<int> spread; // of the positions over rows and columns
  for (const int size : outer_sizes)
    if (size != 1)
      spread.push_back(size);
  if (spread.size() > 2)
    spread = {positions};
  spread.resize(2, 1);
  Placed placed;
  Convolution& convolution = placed.convolution;
  convolution.outputs = outputs;
  convolution.bias.resize(static_cast<std::size_t>(outputs));
  convolution.weights.resize(std::size_t(outputs) * std::size_t(inputs));
  for (int a = 0; a < rows_of_w; ++a)
    for (int b = 0; b < columns_of_w; ++b) {
      const int o = transposed_w ? a : b, i = transposed_w ? b : a;
      placed.places.push_back(static_cast<std::uint32_t>(o * inputs + places[static_cast<std::size_t>(i)]));
    }
  placed.input = builder_.shaped(x.tensor, {spread[0], spread[1], inputs});
  placed.shape = {spread[0], spread[1], outputs};
  std::vector<int> result = outer_sizes;
  result.push_back(outputs);
  if (std::int64_t{positions} * outputs > 1 << 24)
    context.fail("its result has more than " + std::to_string(1 << 24) + " elements");
  placed.view = View(result);
  return placed;
}

OnnxOperand OnnxTranslator::matrix_product(const Context& context, const Operand& x, bool transposed_x,
                                           const OnnxTensor& w, bool transposed_w,
                                           const OnnxQuantization& scales, float factor) {
  check_weights(context, w, scales);
  Placed placed = placed_product(context, x, transposed_x, w.dims, transposed_w);
  const int axis = static_cast<int>(w.dims.size()) - (transposed_w ? 2 : 1);
  require_one_scale(context, scales, axis, placed.convolution.outputs);
  return summed(context, std::move(placed), x, w, scales, factor);
}

OnnxOperand OnnxTranslator::multiply_matrices(const Context& context) {
  const Operand x = reals(context, 0);
  const OnnxWeights& w = weights(context, "its second factor is no constant");
  return matrix_product(context, x, false, w.integers, false, w.quantization, 1);
}

OnnxOperand OnnxTranslator::multiply_matrices_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const OnnxTensor& w = constant(context, 3, "a weight");
  OnnxQuantization scales = quantization(context, 4, 5, "weights");
  scales.axis = static_cast<int>(w.dims.size()) - 1;
  const Operand sums = matrix_product(context, x, false, w, false, scales, 1);
  return quantized(context, *sums.sums, sums.view, 6, 7, OnnxType::uint8);
}

OnnxOperand OnnxTranslator::multiply_matrices_integers(const Context& context) {
  const OnnxQuantization of_x = zero_points(context, 2);
  if (of_x.zero_points.size() != 1)
    context.fail("its input has more than one zero point; possible is one");
  const OnnxTensor& w = constant(context, 1, "a weight");
  OnnxQuantization of_w = zero_points(context, 3);
  of_w.axis = static_cast<int>(w.dims.size()) - 1;
  const Operand result = matrix_product(context, integers(context, 0, of_x), false, w, false, of_w, 1);
  return integers_of(result);
}

OnnxOperand OnnxTranslator::gemm(const Context& context) {
  const Operand x = reals(context, 0);
  const OnnxWeights& w = weights(context, "its second factor is no constant");
  const float alpha = context.real("alpha", 1), beta = context.real("beta", 1);
  if (!(alpha > 0) || !std::isfinite(alpha) || !std::isfinite(beta))
    context.fail("alpha is " + std::to_string(alpha) + "; possible is more than 0");
  if (x.view.rank() != 2)
    context.fail("it reads " + std::to_string(x.view.rank()) +
                 " dimensions, expected 2; put a Flatten before it");
  Operand result = matrix_product(context, x, context.integer("transA", 0) != 0, w.integers,
                                  context.integer("transB", 0) != 0, w.quantization, alpha);
  if (has_input(context, 2))
    add_bias(context, result, input(context, 2), beta);
  return result;
}

OnnxOperand OnnxTranslator::gemm_quantized(const Context& context) {
  const Operand x = integers(context, 0, single(context, 1, 2, "inputs"));
  const bool transposed = context.integer("transB", 0) != 0;
  OnnxQuantization scales = quantization(context, 4, 5, "weights");
  scales.axis = transposed ? 0 : 1;
  const float alpha = context.real("alpha", 1);
  if (!(alpha > 0) || !std::isfinite(alpha))
    context.fail("alpha is " + std::to_string(alpha) + "; possible is more than 0");
  if (x.view.rank() != 2)
    context.fail("it reads " + std::to_string(x.view.rank()) +
                 " dimensions, expected 2; put a Flatten before it");
  Operand sums = matrix_product(context, x, context.integer("transA", 0) != 0,
                                constant(context, 3, "a weight"), transposed, scales, alpha);
  if (has_input(context, 6))
    add_bias(context, sums, constant(context, 6, "a bias"));
  if (!has_input(context, 7))
    return sums; // real numbers, for a QuantizeLinear or none behind it
  return quantized(context, *sums.sums, sums.view, 7, 8, OnnxType::uint8);
}

} // namespace deltatwin
