#pragma once
#include "import/onnx_translator.h"
#include <functional>
#include <string>
#include <vector>

namespace deltatwin {

/// What is taken for granted of an ONNX graph's input until an operator wants it otherwise.
struct OnnxAttempt {
  std::vector<int> dims;
  int batch = 1;
  View view;
  std::vector<int> shape; ///< of the tensor, in the order in which it lies
  bool is_relaid = false;
};

/// Calls `translate` until no operator wants the input in another order or with another batch; throws
/// InputError that names `origin` where the model is none that can be read, or they do not agree.
void attempt_onnx(const OnnxModel& model, const std::string& origin,
                  const std::function<void(const OnnxAttempt&)>& translate);

/// Which of the nodes the output depends on.
[[nodiscard]] std::vector<bool> needed_nodes(const OnnxModel& model);

/// Of each element in the view's order its place; empty: they are in order.
[[nodiscard]] std::vector<std::uint32_t> order_of(const View& view);

} // namespace deltatwin
