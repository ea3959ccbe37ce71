#include "net/formats/formats.h"
#include "base/file.h"

namespace deltatwin {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 28;

} // namespace

Graph parse_graph(const std::string& text, const std::string& origin) {
  const JsonDocument document(text, origin);
  const JsonField root = document.root();
  return root.at("format").choice({"deltatwin-network-1", "deltatwin-network-2"}) == 0
             ? to_graph(parse_format_1(root, origin))
             : parse_format_2(root, origin);
}

Graph load_graph(const std::string& path) { return parse_graph(read_file(path, largest_file), path); }

void save_graph(const Graph& graph, const std::string& path) {
  validate(graph, path);
  write_file(path, format_2_text(graph));
}

} // namespace deltatwin
