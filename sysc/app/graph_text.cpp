#include "app/graph_text.h"

namespace deltatwin {

std::string format_text(const Format& format) {
  return (format.is_signed ? "int" : "uint") + std::to_string(format.bits) +
         (format.zero_point ? " z" + std::to_string(format.zero_point) : "");
}

std::string operator_text(const Node& node) {
  const auto window_text = [](const Window& window) {
    const std::string size = std::to_string(window.rows) + "x" + std::to_string(window.columns);
    return window.row_stride == 1 && window.column_stride == 1 ? size
           : window.row_stride == window.column_stride
               ? size + "/" + std::to_string(window.row_stride)
               : size + "/" + std::to_string(window.row_stride) + "x" + std::to_string(window.column_stride);
  };
  if (const auto* convolution = std::get_if<Convolution>(&node.op))
    return "conv " + window_text(convolution->window) +
           (convolution->groups > 1 ? ", " + std::to_string(convolution->groups) + " groups" : "");
  if (const auto* pool = std::get_if<Pool>(&node.op))
    return (pool->kind == Pool::Kind::max ? "max " : "average ") + window_text(pool->window);
  if (std::holds_alternative<Add>(node.op))
    return "add";
  return std::holds_alternative<Rescale>(node.op) ? "rescale" : "reshape";
}

std::string short_name(const Node& node) {
  return node.name.size() > 24 ? ".." + node.name.substr(node.name.size() - 22) : node.name;
}

} // namespace deltatwin
