#include "base/error.h"
#include "base/text.h"
#include "import/import.h"
#include "import/onnx_translator.h"
#include <algorithm>
#include <set>

namespace deltatwin {
namespace {

constexpr std::int64_t newest_opset = 23;
using Kind = OnnxOperand::Kind;

void check_model(const OnnxModel& model, const std::string& origin) {
  const auto opset = model.opsets.find("");
  if (opset != model.opsets.end() && (opset->second < 1 || opset->second > newest_opset))
    throw InputError(origin + ": it is of operator set " + std::to_string(opset->second) +
                     "; known are 1 to " + std::to_string(newest_opset));
  if (model.opsets.empty())
    throw InputError(origin + ": this is no whole ONNX file: it tells no operator set");
  if (model.nodes.empty())
    throw InputError(origin + ": its graph has no node");
  if (model.inputs.size() != 1)
    throw InputError(origin + ": it has " + std::to_string(model.inputs.size()) +
                     " inputs that are no constants; possible is one (freeze the others into the file)");
  if (model.outputs.size() != 1)
    throw InputError(origin + ": it has " + std::to_string(model.outputs.size()) +
                     " outputs; possible is one");
}

// What is taken for granted of the input until an operator wants it otherwise.
struct Attempt {
  std::vector<int> dims;
  int batch = 1;
  View view;
  std::vector<int> shape; ///< of the tensor, in the order in which it lies
  bool is_relaid = false;
};

// Without the batch, and with four dimensions at most.
std::vector<int> tensor_shape(std::vector<int> dims) {
  while (dims.size() > 1 && dims[0] == 1)
    dims.erase(dims.begin());
  if (dims.size() <= 4)
    return dims.empty() ? std::vector{1} : dims;
  return {View(dims).elements()};
}

void lay_in_order(Attempt& attempt) {
  attempt.view = View(attempt.dims);
  attempt.shape = tensor_shape(attempt.dims);
  attempt.is_relaid = false;
}

void take_batch(Attempt& attempt) {
  attempt.batch = std::max(attempt.batch, attempt.dims[0]);
  attempt.dims[0] = 1;
}

std::vector<int> input_dims(const OnnxValue& input, const std::string& origin) {
  const std::string at = origin + ": input \"" + printable(input.name) + "\"";
  if (!input.has_shape)
    throw InputError(at + " has no shape; infer shapes (onnx.shape_inference) first");
  std::vector<int> dims;
  std::int64_t count = 1;
  for (std::size_t d = 0; d < input.dims.size(); ++d) {
    std::int64_t size = input.dims[d];
    if (d == 0 && input.dims.size() >= 2 && size == 0)
      size = 1;
    if (size < 1)
      throw InputError(at + ": dimension " + std::to_string(d) + " is not fixed");
    if (size > 1 << 24 || (count *= size) > 1 << 24)
      throw InputError(at + " has more than " + std::to_string(1 << 24) + " elements");
    dims.push_back(static_cast<int>(size));
  }
  return dims;
}

// The nodes that the output depends on.
std::vector<bool> needed(const OnnxModel& model) {
  std::set<std::string> wanted = {model.outputs[0].name};
  std::vector<bool> result(model.nodes.size());
  for (std::size_t n = model.nodes.size(); n-- > 0;) {
    const OnnxNode& node = model.nodes[n];
    result[n] = std::any_of(node.outputs.begin(), node.outputs.end(),
                            [&](const std::string& name) { return !name.empty() && wanted.count(name) > 0; });
    if (result[n])
      wanted.insert(node.inputs.begin(), node.inputs.end());
  }
  return result;
}

std::vector<std::uint32_t> order_of(const View& view) {
  const std::vector<int> places = view.places();
  std::vector<std::uint32_t> order(places.begin(), places.end());
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] != i)
      return order;
  return {};
}

std::string quantization_of(const Tensor& tensor) {
  return "integer = clamp(round(real / " + shortest(tensor.scale) + ") + " +
         std::to_string(tensor.format.zero_point) + ", " + std::to_string(tensor.format.low()) + ", " +
         std::to_string(tensor.format.high()) + ")";
}

Import translated(const OnnxModel& model, const std::string& origin, const Attempt& attempt) {
  OnnxBuilder builder(origin);
  OnnxTranslator translator(model, builder, attempt.shape);
  Graph& graph = builder.graph();
  graph.description =
      "imported from ONNX" + (model.producer.empty() ? "" : ", written by " + printable(model.producer));
  for (const auto& [name, tensor] : model.initializers) {
    OnnxOperand operand;
    operand.constant = std::shared_ptr<const OnnxTensor>(std::shared_ptr<void>(), &tensor);
    translator.define(name, std::move(operand));
  }
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
  const std::vector<bool> is_needed = needed(model);
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

Import import_model(const OnnxModel& model, const std::string& origin) {
  check_model(model, origin);
  Attempt attempt;
  attempt.dims = input_dims(model.inputs[0], origin);
  if (attempt.dims.size() >= 4)
    take_batch(attempt);
  lay_in_order(attempt);
  for (int count = 0; count < 4; ++count)
    try {
      return translated(model, origin, attempt);
    } catch (const OnnxRelayout& wanted) {
      if (attempt.is_relaid)
        break;
      attempt.is_relaid = true;
      attempt.view = wanted.view.relaid(View(attempt.dims), wanted.dimensions);
      attempt.shape.clear();
      for (const int dimension : wanted.dimensions)
        attempt.shape.push_back(wanted.view.size(dimension));
      attempt.shape = tensor_shape(attempt.shape);
    } catch (const OnnxBatched&) {
      take_batch(attempt);
      lay_in_order(attempt);
    }
  throw InputError(origin +
                   ": its input would have to lie in two orders (a Transpose or Reshape moves elements); "
                   "possible is one");
}

} // namespace

Import import_onnx(const std::string& text, const std::string& origin) {
  return import_model(read_onnx(text, origin), origin);
}

bool is_onnx(const std::string& text) {
  // The first field: ir_version, producer_name, graph or opset_import.
  return !text.empty() && std::string("\x08\x12\x3a\x42").find(text[0]) != std::string::npos;
}

} // namespace deltatwin
