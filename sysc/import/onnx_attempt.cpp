#include "import/onnx_attempt.h"
#include "base/error.h"
#include "base/text.h"
#include <algorithm>
#include <set>

namespace deltatwin {
namespace {

constexpr std::int64_t newest_opset = 23;

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

// Without the batch, and with four dimensions at most.
std::vector<int> tensor_shape(std::vector<int> dims) {
  while (dims.size() > 1 && dims[0] == 1)
    dims.erase(dims.begin());
  if (dims.size() <= 4)
    return dims.empty() ? std::vector{1} : dims;
  return {View(dims).elements()};
}

void lay_in_order(OnnxAttempt& attempt) {
  attempt.view = View(attempt.dims);
  attempt.shape = tensor_shape(attempt.dims);
  attempt.is_relaid = false;
}

void take_batch(OnnxAttempt& attempt) {
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

} // namespace

std::vector<bool> needed_nodes(const OnnxModel& model) {
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

void attempt_onnx(const OnnxModel& model, const std::string& origin,
                  const std::function<void(const OnnxAttempt&)>& translate) {
  check_model(model, origin);
  OnnxAttempt attempt;
  attempt.dims = input_dims(model.inputs[0], origin);
  if (attempt.dims.size() >= 4)
    take_batch(attempt);
  lay_in_order(attempt);
  for (int count = 0; count < 4; ++count)
    try {
      return translate(attempt);
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

} // namespace deltatwin
