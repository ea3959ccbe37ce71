#include "net/network.h"
#include "base/error.h"
#include "net/formats/fields.h"
#include "net/formats/formats.h"
#include <utility>

namespace deltatwin {

std::uint64_t Network::weight_count() const {
  std::uint64_t count = 0;
  for (const Layer& layer : layers)
    count += layer.deltas.size();
  return count;
}

std::uint64_t Network::macs() const {
  std::uint64_t count = 0;
  for (const Layer& layer : layers)
    count += layer.macs();
  return count;
}

std::uint64_t Network::weight_bits() const {
  std::uint64_t bits = 0;
  for (const Layer& layer : layers)
    bits += layer.weight_bits();
  return bits;
}

std::uint64_t Network::stored_bits() const {
  std::uint64_t bits = 0;
  for (const Layer& layer : layers)
    bits += layer.stored_bits();
  return bits;
}

void recode(Network& network, Code code) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Layer& layer = network.layers[l];
    if (code == Code::huffman_pairs && layer.delta_bits > max_pair_delta_bits)
      throw InputError("code huffman_pairs is for deltas of at most " + std::to_string(max_pair_delta_bits) +
                       " bits, those of layer " + std::to_string(l) + " of " + network.name + " have " +
                       std::to_string(layer.delta_bits));
    layer.code = code;
  }
}

void validate(const Network& network, const std::string& origin) {
  if (network.layers.empty() || network.layers.size() > max_layers)
    throw InputError(origin + ": layers: expected 1 to " + std::to_string(max_layers) + ", got " +
                     std::to_string(network.layers.size()));
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const std::string at = origin + ": layers[" + std::to_string(l) + "]";
    const FieldChecker fields(at);
    layer_fields(fields, layer);
    if (l && layer.inputs != network.layers[l - 1].outputs)
      fields.fail("inputs", std::to_string(layer.inputs) + ", but the layer before has " +
                                std::to_string(network.layers[l - 1].outputs) + " outputs");
    if (l + 1 < network.layers.size() && layer.activation == Activation::none)
      fields.fail("activation", "\"none\" is for the last layer only; a hidden layer's is relu or hardtanh");
    check_weights(layer, at + ".deltas");
  }
}

Graph to_graph(Network network) {
  Graph graph;
  graph.name = std::move(network.name);
  graph.description = std::move(network.description);
  const std::size_t count = network.layers.size();
  if (count)
    graph.tensors.push_back({"input", {network.layers[0].inputs}, {}});
  for (std::size_t l = 0; l < count; ++l) {
    Layer& layer = network.layers[l];
    const std::string number = std::to_string(l);
    graph.tensors.push_back(
        {l + 1 < count ? "hidden" + number : "output", {layer.outputs}, result_format(layer.activation)});
    graph.nodes.push_back({"dense" + number, {l}, l + 1, std::move(layer)});
  }
  graph.output = count;
  return graph;
}

Network dense_chain(Graph graph, const std::string& origin) {
  Network network;
  network.name = std::move(graph.name);
  network.description = std::move(graph.description);
  if (graph.nodes.size() > max_layers)
    throw InputError(origin + ": has " + std::to_string(graph.nodes.size()) + " nodes, a chain of at most " +
                     std::to_string(max_layers) + " dense layers can be run");
  std::size_t at = graph.input;
  for (Node& node : graph.nodes) {
    auto* layer = std::get_if<Layer>(&node.op);
    if (!layer)
      throw InputError(origin + ": node \"" + node.name +
                       "\" is not dense: only a chain of dense layers can be run");
    if (node.inputs != std::vector<std::size_t>{at})
      throw InputError(
          origin + ": node \"" + node.name +
          "\" does not read what the one before writes: only a chain of dense layers can be run");
    at = node.output;
    network.layers.push_back(std::move(*layer));
  }
  if (at != graph.output)
    throw InputError(origin + ": the output, \"" + graph.tensors[graph.output].name +
                     "\", is not what the last node writes: only a chain of dense layers can be run");
  return network;
}

Network load_network(const std::string& path) { return dense_chain(load_graph(path), path); }

Network parse_network(const std::string& text, const std::string& origin) {
  return dense_chain(parse_graph(text, origin), origin);
}

void save_network(const Network& network, const std::string& path) { save_graph(to_graph(network), path); }

} // namespace deltatwin
