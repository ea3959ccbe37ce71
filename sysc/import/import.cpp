#include "import/import.h"
#include "base/error.h"
#include "base/file.h"
#include <algorithm>
#include <filesystem>

namespace deltatwin {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 28;
constexpr std::size_t longest_name = 60;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// What of it may stand in a graph (base/text.h).
std::string legal(const std::string& text) {
  std::string name;
  for (const char c : text.substr(0, text.find(';')))
    if (is_letter(c) || c == '-' || c == '.')
      name += c;
    else if (name.empty() || name.back() != '_')
      name += '_';
  name.erase(0, name.find_first_not_of("-._"));
  if (name.size() > longest_name)
    name.erase(0, name.size() - longest_name); // the end tells more than the path before it
  name.erase(0, name.find_first_not_of("-._"));
  return name;
}

std::string unique(const std::string& text, const char* otherwise, std::set<std::string>& taken) {
  const std::string wanted = legal(text).empty() ? otherwise : legal(text);
  std::string name = wanted;
  for (int n = 2; !taken.insert(name).second; ++n)
    name = wanted + "_" + std::to_string(n);
  return name;
}

} // namespace

std::size_t GraphBuilder::tensor(const std::string& name, const std::vector<int>& shape, const Format& format,
                                 float scale) {
  Graph& graph = import_.graph;
  graph.tensors.push_back({unique(name, "tensor", tensors_), shape, format, scale});
  return graph.tensors.size() - 1;
}

void GraphBuilder::node(const std::string& name, const std::vector<std::size_t>& inputs, std::size_t output,
                        decltype(Node::op) op, NodeReport report) {
  import_.graph.nodes.push_back({unique(name, "node", nodes_), inputs, output, std::move(op)});
  import_.nodes.push_back(std::move(report));
}

Import GraphBuilder::finish(const std::string& origin) {
  if (import_.graph.nodes.empty())
    throw InputError(origin +
                     ": holds no layer that could run: the output is the input, or left to the host");
  import_.graph.name = network_name(origin);
  validate(import_.graph, origin);
  return std::move(import_);
}

std::string network_name(const std::string& path) {
  std::set<std::string> none;
  return unique(std::filesystem::path(path).stem().string(), "network", none);
}

Import import_network(const std::string& path) {
  const std::string text = read_file(path, largest_file);
  if (is_tflite(text))
    return import_tflite(text, path);
  if (is_onnx(text))
    return import_onnx(text, path);
  throw InputError(path +
                   ": is no network that is known here: expected TensorFlow Lite (.tflite) or ONNX (.onnx)");
}

std::uint64_t count_differences(std::int64_t low, std::int64_t high,
                                const std::function<std::int64_t(std::int64_t)>& a,
                                const std::function<std::int64_t(std::int64_t)>& b) {
  struct Part {
    std::int64_t low, high, a_low, a_high, b_low, b_high;
  };
  std::uint64_t count = 0;
  std::vector<Part> parts;
  if (low <= high)
    parts.push_back({low, high, a(low), a(high), b(low), b(high)});
  while (!parts.empty()) {
    const Part part = parts.back();
    parts.pop_back();
    if (part.a_low == part.a_high && part.b_low == part.b_high) {
      count += part.a_low == part.b_low ? 0 : static_cast<std::uint64_t>(part.high - part.low) + 1;
      continue;
    }
    if (part.high - part.low == 1) {
      count += (part.a_low != part.b_low) + (part.a_high != part.b_high);
      continue;
    }
    const std::int64_t middle = part.low + (part.high - part.low) / 2, a_middle = a(middle),
                       b_middle = b(middle);
    parts.push_back({part.low, middle, part.a_low, a_middle, part.b_low, b_middle});
    parts.push_back({middle, part.high, a_middle, part.a_high, b_middle, part.b_high});
    count -= a_middle != b_middle; // stands in both
  }
  return count;
}

SumRange sum_range(const Convolution& convolution, std::size_t channel, const Format& input) {
  const std::size_t row = convolution.weights.size() / convolution.bias.size();
  const std::int64_t low = input.low() - input.zero_point, high = input.high() - input.zero_point;
  SumRange range = {convolution.bias[channel], convolution.bias[channel]};
  for (std::size_t i = channel * row; i < (channel + 1) * row; ++i) {
    const std::int64_t w = convolution.weights[i];
    range.low += std::min(w * low, w * high);
    range.high += std::max(w * low, w * high);
  }
  return range;
}

} // namespace deltatwin
