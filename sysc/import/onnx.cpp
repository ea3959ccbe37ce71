#include "base/error.h"
#include "base/text.h"
#include "import/import.h"
#include "import/onnx_attempt.h"
#include "import/onnx_translator.h"
#include <algorithm>

namespace deltatwin {
namespace {

using Kind = OnnxOperand::Kind;

std::string quantization_of(const Tensor& tensor) {
  return "integer = clamp(round(real / " + shortest(tensor.scale) + ") + " +
         std::to_string(tensor.format.zero_point) + ", " + std::to_string(tensor.format.low()) + ", " +
         std::to_string(tensor.format.high()) + ")";
}

Import translated(const OnnxModel& model, const std::string& origin, const OnnxAttempt& attempt) {
  OnnxBuilder builder(origin);
  OnnxTranslator translator(model, builder, attempt.shape);
  Graph& graph = builder.graph();
  graph.description =
      "imported from ONNX" + (model.producer.empty() ? "" : ", written by " + printable(model.producer));
  translator.define_constants();
  const OnnxValue& given = model.inputs[0];
  OnnxOperand input;
  input.view = attempt.view;
  input.kind = Kind::input;
  if (given.type == OnnxType::int8 || given.type == OnnxType::uint8) {
    input.kind = Kind::integers;
    input.tensor = builder.add_tensor(given.name, attempt.shape, {8, given.type == OnnxType::int8, 0}, 0);
    builder.leave_open(input.tensor);
  } else if (given.type != OnnxType::float32) {
    throw InputError(origin + ": input \"" + printable(given.name) + "\" is of " + to_string(given.type) +
                     "; possible are float, int8 and uint8");
  }
  translator.define(given.name, input);
  const std::vector<bool> is_needed = needed_nodes(model);
  for (std::size_t n = 0; n < model.nodes.size(); ++n)
    if (is_needed[n])
      translator.translate(model.nodes[n], n);

  const std::string& name = model.outputs[0].name;
  const OnnxOperand* output = translator.find(name);
  const std::string at = origin + ": output \"" + printable(name) + "\"";
  if (!output)
    throw InputError(at + " is written by no node");
  if (output->kind == Kind::constant || output->kind == Kind::weights || output->kind == Kind::input)
    throw InputError(at + " does not depend on what a quantized network computes; there is nothing to run");
  if (output->padding.any())
    throw InputError(at + " is padded; possible are Pads before convolutions and average pools");
  std::size_t tensor = output->tensor;
  if (output->kind == Kind::sums) {
    OnnxNode last;
    last.name = output->sums->node;
    last.op = "the last operator";
    last.inputs = last.outputs = {name};
    const OnnxContext context(last, 0, origin);
    const bool clamped = std::holds_alternative<Rescale>(output->sums->op) && !output->sums->are_integers &&
                         output->sums->pools.empty();
    tensor = clamped ? builder.clamp(context, *output->sums, output->scale, output->zero_point)
                     : builder.sixteen_bits(context, *output->sums);
  }
  if (graph.nodes.empty()) {
    // A network of quantization alone: the host's, and the same integers.
    Rescale same;
    same.requantization.rounding = Rounding::half_even;
    same.requantization.low = builder.tensor(tensor).format.low();
    same.requantization.high = builder.tensor(tensor).format.high();
    const std::size_t copy = builder.add_alike(name, builder.tensor(tensor).shape, tensor);
    builder.add_node("identity", {tensor}, copy, same, {"QuantizeLinear", 0, 0, ""});
    tensor = copy;
  }
  graph.output = tensor;
  if (output->kind == Kind::reals)
    graph.tensors[tensor].scale = output->scale;
  if (output->kind == Kind::probabilities) {
    graph.tensors[tensor].scale = output->scale;
    graph.softmax = Softmax{};
  }
  const bool has_input_scale = given.type == OnnxType::float32, is_real = output->kind != Kind::integers;
  const bool has_softmax = graph.softmax.has_value();
  const std::string host = output->host, input_note = builder.input_note();
  const View output_view = output->view;
  Import result = builder.finish();
  if (attempt.batch > 1)
    result.notes.push_back("the file computes " + std::to_string(attempt.batch) +
                           " inputs at a time, this network one");
  if (!input_note.empty())
    result.notes.push_back(input_note);
  else if (has_input_scale)
    result.notes.push_back("the host quantizes the input: " +
                           quantization_of(result.graph.tensors[result.graph.input]) + ", half to even");
  if (!host.empty())
    result.notes.push_back("the host computes the " + host + " of the output");
  if (has_softmax)
    result.notes.push_back("the host computes the softmax of the output");
  else if (is_real && result.graph.tensors[tensor].scale > 0)
    result.notes.push_back("the host makes real numbers of the output: (integer - " +
                           std::to_string(result.graph.tensors[tensor].format.zero_point) + ") * " +
                           shortest(result.graph.tensors[tensor].scale));
  result.input_order = order_of(attempt.view);
  result.output_order = order_of(output_view);
  if (!result.input_order.empty())
    result.notes.push_back("the input lies as rows, columns, channels, in the file the channels come first");
  if (!result.output_order.empty())
    result.notes.push_back("the output lies in another order than in the file: rows, columns, channels");
  return result;
}

} // namespace

Import import_onnx(const std::string& text, const std::string& origin) {
  const OnnxModel model = read_onnx(text, origin);
  Import result;
  attempt_onnx(model, origin,
               [&](const OnnxAttempt& attempt) { result = translated(model, origin, attempt); });
  return result;
}

bool is_onnx(const std::string& text) {
  // The first field: ir_version, producer_name, graph or opset_import.
  return !text.empty() && std::string("\x08\x12\x3a\x42").find(text[0]) != std::string::npos;
}

} // namespace deltatwin
