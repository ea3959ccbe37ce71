#include "net/network.h"
#include "base/error.h"
#include "base/file.h"
#include "base/huffman.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace deltatwin {
namespace {

constexpr int max_width = 4096;
constexpr int max_layers = 16;

constexpr std::initializer_list<const char*> scheme_names = {"fixed_reference", "consecutive", "plain"};
constexpr std::initializer_list<const char*> group_names = {"layer", "neuron", "block"};
constexpr std::initializer_list<const char*> activation_names = {"none", "relu", "hardtanh"};
constexpr std::initializer_list<const char*> code_names = {"raw", "huffman"};

int wrap8(int value) { return static_cast<std::int8_t>(value); }
int lowest(int bits) { return -(1 << (bits - 1)); }
int highest(int bits) { return (1 << (bits - 1)) - 1; }
bool in_int8(int value) { return value >= -128 && value <= 127; }

std::size_t reference_count(const Layer& layer) {
  if (layer.scheme == Scheme::plain)
    return 0;
  return layer.group == Group::layer ? 1 : static_cast<std::size_t>(layer.outputs) * layer.blocks();
}

// The layer's decoded weights in order of storage, each with the running delta that a
// consecutive lane holds (the delta itself otherwise).
template <class Visit> void decode(const Layer& layer, Visit visit) {
  std::size_t at = 0;
  for (int o = 0; o < layer.outputs; ++o)
    for (int i = 0, running = 0; i < layer.inputs; ++i, ++at) {
      const int length = layer.block_length();
      if (i % length == 0 || layer.scheme != Scheme::consecutive)
        running = 0;
      running += layer.deltas[at];
      visit(o, i, layer.reference(o, i / length) + running * (1 << layer.shift), running);
    }
}

Layer parse_layer(const JsonField& field) {
  field.check_keys({"inputs", "outputs", "scheme", "delta_bits", "group", "block", "shift", "references",
                    "code", "deltas", "requantizer", "activation"});
  Layer layer;
  layer.inputs = static_cast<int>(field.at("inputs").integer(1, max_width));
  layer.outputs = static_cast<int>(field.at("outputs").integer(1, max_width));
  layer.scheme = static_cast<Scheme>(field.at("scheme").choice(scheme_names));
  layer.delta_bits = static_cast<int>(field.at("delta_bits").integer(1, 8));
  if (layer.scheme == Scheme::plain) {
    for (const char* key : {"group", "block", "shift", "references"})
      if (field.has(key))
        field.at(key).fail("has no meaning with scheme plain");
  } else {
    layer.group = static_cast<Group>(field.at("group").choice(group_names));
    if (layer.group == Group::block)
      layer.block = static_cast<int>(field.at("block").integer(1, layer.inputs));
    else if (field.has("block"))
      field.at("block").fail("has a meaning with group block only");
    layer.shift = static_cast<int>(field.at("shift").integer(0, 7));
    layer.references = field.at("references").integers(reference_count(layer), -128, 127);
  }
  if (field.has("code"))
    layer.code = static_cast<Code>(field.at("code").choice(code_names));
  const JsonField deltas = field.at("deltas");
  const std::vector<JsonField> rows = deltas.elements();
  if (rows.size() != static_cast<std::size_t>(layer.outputs))
    deltas.fail("expected " + std::to_string(layer.outputs) + " rows (one an output), got " +
                std::to_string(rows.size()));
  for (const JsonField& row : rows)
    for (const int delta : row.integers(static_cast<std::size_t>(layer.inputs), lowest(layer.delta_bits),
                                        highest(layer.delta_bits)))
      layer.deltas.push_back(static_cast<std::int8_t>(delta));
  const JsonField requantizer = field.at("requantizer");
  requantizer.check_keys({"multiplier", "bias", "shift"});
  const auto outputs = static_cast<std::size_t>(layer.outputs);
  layer.requantizer.multiplier = requantizer.at("multiplier").integers(outputs, 0, 65535);
  layer.requantizer.bias = requantizer.at("bias").integers(outputs, -(1 << 19), (1 << 19) - 1);
  layer.requantizer.shift = static_cast<int>(requantizer.at("shift").integer(8, 39));
  layer.activation = static_cast<Activation>(field.at("activation").choice(activation_names));
  return layer;
}

template <class Number> std::string row(const Number* values, std::size_t count) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i)
    text += (i ? "," : "") + std::to_string(static_cast<int>(values[i]));
  return text + "]";
}

std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

// What parse_layer() checks of a file, of a layer that comes from elsewhere.
void check_fields(const Layer& layer, const std::string& at) {
  const auto range = [&at](const std::string& field, int value, int low, int high) {
    if (value < low || value > high)
      throw InputError(at + "." + field + ": " + std::to_string(value) + " is outside " +
                       std::to_string(low) + ".." + std::to_string(high));
  };
  const auto numbers = [&](const std::string& field, const auto& values, std::size_t rows,
                           std::size_t columns, int low, int high) {
    if (values.size() != rows * columns)
      throw InputError(at + "." + field + ": expected " + std::to_string(rows * columns) + " integers, got " +
                       std::to_string(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] < low || values[i] > high)
        range(field + "[" + std::to_string(i / columns) + "]" +
                  (columns > 1 ? "[" + std::to_string(i % columns) + "]" : ""),
              values[i], low, high);
  };
  const bool plain = layer.scheme == Scheme::plain, blocks = layer.group == Group::block;
  range("inputs", layer.inputs, 1, max_width);
  range("outputs", layer.outputs, 1, max_width);
  range("delta_bits", layer.delta_bits, 1, 8);
  range("group", static_cast<int>(layer.group), 0, plain ? 0 : 2);
  range("block", layer.block, blocks ? 1 : 0, blocks ? layer.inputs : 0);
  range("shift", layer.shift, 0, plain ? 0 : 7);
  const auto inputs = static_cast<std::size_t>(layer.inputs),
             outputs = static_cast<std::size_t>(layer.outputs);
  numbers("references", layer.references, reference_count(layer), 1, -128, 127);
  numbers("deltas", layer.deltas, outputs, inputs, lowest(layer.delta_bits), highest(layer.delta_bits));
  numbers("requantizer.multiplier", layer.requantizer.multiplier, outputs, 1, 0, 65535);
  numbers("requantizer.bias", layer.requantizer.bias, outputs, 1, -(1 << 19), (1 << 19) - 1);
  range("requantizer.shift", layer.requantizer.shift, 8, 39);
}

std::string layer_text(const Layer& layer) {
  std::string text = "    {\"inputs\": " + std::to_string(layer.inputs) +
                     ", \"outputs\": " + std::to_string(layer.outputs) + ", \"scheme\": \"" +
                     to_string(layer.scheme) + "\", \"delta_bits\": " + std::to_string(layer.delta_bits);
  if (layer.scheme != Scheme::plain) {
    text += std::string(", \"group\": \"") + to_string(layer.group) + "\"";
    if (layer.group == Group::block)
      text += ", \"block\": " + std::to_string(layer.block);
    text += ", \"shift\": " + std::to_string(layer.shift) +
            ",\n     \"references\": " + row(layer.references.data(), layer.references.size());
  }
  if (layer.code != Code::raw)
    text += std::string(", \"code\": \"") + to_string(layer.code) + "\"";
  const auto outputs = static_cast<std::size_t>(layer.outputs);
  text += std::string(",\n     \"activation\": \"") + to_string(layer.activation) +
          "\",\n     \"requantizer\": {\"shift\": " + std::to_string(layer.requantizer.shift) +
          ",\n       \"multiplier\": " + row(layer.requantizer.multiplier.data(), outputs) +
          ",\n       \"bias\": " + row(layer.requantizer.bias.data(), outputs) + "},\n     \"deltas\": [\n";
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  for (std::size_t o = 0; o < outputs; ++o)
    text += "       " + row(&layer.deltas[o * inputs], inputs) + (o + 1 < outputs ? ",\n" : "\n");
  return text + "     ]}";
}

// A layer of this format, still without references and deltas.
Layer shaped(int inputs, int outputs, const DeltaFormat& format) {
  Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.scheme = format.scheme;
  layer.delta_bits = format.delta_bits;
  layer.group = format.scheme == Scheme::plain ? Group::layer : format.group;
  layer.block = layer.group == Group::block ? format.block : 0;
  layer.shift = format.scheme == Scheme::plain ? 0 : format.shift;
  return layer;
}

} // namespace

int Layer::block_length() const { return group == Group::block && block > 0 ? block : inputs; }
int Layer::blocks() const { return (inputs + block_length() - 1) / block_length(); }

int Layer::reference(int output, int block_index) const {
  if (scheme == Scheme::plain)
    return 0;
  return references[group == Group::layer ? 0 : static_cast<std::size_t>(output) * blocks() + block_index];
}

std::vector<std::int8_t> Layer::weights() const {
  std::vector<std::int8_t> result;
  result.reserve(deltas.size());
  decode(*this,
         [&](int, int, int weight, int) { result.push_back(static_cast<std::int8_t>(wrap8(weight))); });
  return result;
}

std::uint64_t Layer::weight_bits() const {
  return deltas.size() * static_cast<std::uint64_t>(delta_bits) + references.size() * 8;
}

std::vector<std::uint64_t> Layer::histogram() const {
  std::vector<std::uint64_t> counts(std::size_t{1} << delta_bits);
  for (const std::int8_t delta : deltas)
    ++counts[static_cast<std::size_t>(delta) & (counts.size() - 1)];
  return counts;
}

std::vector<int> Layer::code_lengths() const {
  return code == Code::raw ? std::vector<int>() : huffman_lengths(histogram());
}

std::uint64_t Layer::macs() const {
  return static_cast<std::uint64_t>(inputs) * static_cast<std::uint64_t>(outputs);
}

std::uint64_t Layer::code_bits() const {
  return code == Code::raw ? deltas.size() * static_cast<std::uint64_t>(delta_bits)
                           : coded_bits(histogram(), code_lengths());
}

std::uint64_t Layer::stored_bits() const {
  const std::uint64_t book = code == Code::raw ? 0 : 4 * (std::uint64_t{1} << delta_bits);
  return code_bits() + book + references.size() * 8;
}

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

Layer encode(int inputs, int outputs, const std::vector<std::int8_t>& weights, const DeltaFormat& format,
             const std::vector<int>& references) {
  Layer layer = shaped(inputs, outputs, format);
  layer.references = references;
  if (references.size() != reference_count(layer))
    throw InputError("expected " + std::to_string(reference_count(layer)) + " references, got " +
                     std::to_string(references.size()));
  for (std::size_t g = 0; g < references.size(); ++g)
    if (!in_int8(references[g]))
      throw InputError("reference " + std::to_string(g) + " is " + std::to_string(references[g]) +
                       ", expected -128..127");
  const std::size_t count = static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs);
  if (weights.size() != count)
    throw InputError("expected " + std::to_string(count) + " weights, got " + std::to_string(weights.size()));
  layer.deltas.resize(count);
  const int step = 1 << layer.shift;
  std::size_t at = 0;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0, base = 0, first = 0; i < inputs; ++i, ++at) {
      if (i % layer.block_length() == 0)
        base = first = layer.reference(o, i / layer.block_length());
      const int weight = weights[at];
      const int difference = weight - base;
      int low = std::max(base + lowest(layer.delta_bits) * step, -128);
      int high = std::min(base + highest(layer.delta_bits) * step, 127);
      if (layer.scheme == Scheme::consecutive) { // the running delta stays within int8
        low = std::max(low, first - 128 * step);
        high = std::min(high, first + 127 * step);
      }
      if (difference % step || weight < low || weight > high)
        throw InputError("weight of output " + std::to_string(o) + ", input " + std::to_string(i) + " is " +
                         std::to_string(weight) + ", which " + std::to_string(layer.delta_bits) +
                         "-bit deltas cannot hold: from " + std::to_string(base) + " they reach " +
                         std::to_string(low) + ".." + std::to_string(high) + " in steps of " +
                         std::to_string(step));
      layer.deltas[at] = static_cast<std::int8_t>(difference / step);
      if (layer.scheme == Scheme::consecutive)
        base = weight;
    }
  return layer;
}

Layer quantize(int inputs, int outputs, const std::vector<float>& scaled, const DeltaFormat& format) {
  Layer layer = shaped(inputs, outputs, format);
  const auto nearest = [](double v, int low, int high) { // what is no number counts as 0
    return static_cast<int>(std::lround(std::clamp(std::isnan(v) ? 0.0 : v, low + 0.0, high + 0.0)));
  };
  const int length = layer.block_length();
  const auto row = [&](int o) { return static_cast<std::size_t>(o) * static_cast<std::size_t>(inputs); };
  if (layer.scheme != Scheme::plain) {
    layer.references.resize(reference_count(layer));
    for (std::size_t g = 0; g < layer.references.size(); ++g) {
      std::size_t from = 0, to = scaled.size();
      if (layer.group != Group::layer) {
        const int o = static_cast<int>(g) / layer.blocks(), b = static_cast<int>(g) % layer.blocks();
        from = row(o) + static_cast<std::size_t>(b * length);
        to = std::min(from + static_cast<std::size_t>(length), row(o + 1));
      }
      if (layer.scheme == Scheme::consecutive && layer.group != Group::layer)
        to = from + 1; // the group's first weight
      double sum = 0;
      for (std::size_t i = from; i < to; ++i)
        sum += static_cast<double>(scaled[i]);
      layer.references[g] = nearest(sum / static_cast<double>(to - from), -128, 127);
    }
  }
  layer.deltas.resize(scaled.size());
  const double step = 1 << layer.shift;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0, running = 0, first = 0; i < inputs; ++i) {
      const std::size_t at = row(o) + static_cast<std::size_t>(i);
      if (i % length == 0) {
        first = layer.reference(o, i / length);
        running = 0;
      } else if (layer.scheme != Scheme::consecutive) {
        running = 0;
      }
      // The running delta stays within int8, and the weight too.
      const int floor_step = static_cast<int>(std::ceil((-128.0 - first) / step));
      const int ceil_step = static_cast<int>(std::floor((127.0 - first) / step));
      const int low = std::max({running + lowest(layer.delta_bits), floor_step, -128});
      const int high = std::min({running + highest(layer.delta_bits), ceil_step, 127});
      const int next = nearest((static_cast<double>(scaled[at]) - first) / step, low, high);
      layer.deltas[at] = static_cast<std::int8_t>(next - running);
      running = next;
    }
  return layer;
}

void validate(const Network& network, const std::string& origin) {
  if (network.layers.empty() || network.layers.size() > max_layers)
    throw InputError(origin + ": layers: expected 1 to " + std::to_string(max_layers) + ", got " +
                     std::to_string(network.layers.size()));
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const std::string at = origin + ": layers[" + std::to_string(l) + "]";
    check_fields(layer, at);
    if (l && layer.inputs != network.layers[l - 1].outputs)
      throw InputError(at + ".inputs: " + std::to_string(layer.inputs) + ", but the layer before has " +
                       std::to_string(network.layers[l - 1].outputs) + " outputs");
    if (l + 1 < network.layers.size() && layer.activation == Activation::none)
      throw InputError(at + ".activation: \"none\" is for the last layer only; a hidden layer's is "
                            "relu or hardtanh");
    decode(layer, [&](int o, int i, int weight, int running) {
      if (in_int8(weight) && in_int8(running))
        return;
      throw InputError(at + ".deltas[" + std::to_string(o) + "][" + std::to_string(i) + "]: " +
                       (in_int8(weight) ? "the running sum of deltas, " + std::to_string(running)
                                        : "the weight, " + std::to_string(weight)) +
                       ", is outside -128..127");
    });
  }
}

Network parse_network(const std::string& text, const std::string& origin) {
  const JsonDocument document(text, origin);
  const JsonField root = document.root();
  root.check_keys({"format", "name", "description", "layers"});
  if (root.at("format").text() != "deltatwin-network-1")
    root.at("format").fail("expected \"deltatwin-network-1\"");
  Network network;
  network.name = root.at("name").name();
  if (root.has("description"))
    network.description = root.at("description").text();
  for (const JsonField& layer : root.at("layers").elements())
    network.layers.push_back(parse_layer(layer));
  validate(network, origin);
  return network;
}

std::string networks_directory() {
  const char* directory = std::getenv("DELTATWIN_NETWORKS");
  return directory ? directory : source_path("traces");
}

std::string find_network(const std::string& name) {
  std::error_code error;
  if (name.find('/') != std::string::npos || std::filesystem::is_regular_file(name, error))
    return name;
  const std::string path = networks_directory() + "/" + name + ".json";
  if (!std::filesystem::exists(path, error))
    throw InputError("no network \"" + name + "\": it is neither a file nor in " + networks_directory() +
                     " (`deltatwin networks` lists those)");
  return path;
}

Network load_network(const std::string& path) { return parse_network(read_file(path, 1 << 28), path); }

void save_network(const Network& network, const std::string& path) {
  if (const std::string what = name_complaint(network.name); !what.empty())
    throw InputError(path + ": name: " + what);
  std::string text = "{\"format\": \"deltatwin-network-1\",\n \"name\": " + quoted(network.name) +
                     ",\n \"description\": " + quoted(network.description) + ",\n \"layers\": [\n";
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    text += layer_text(network.layers[l]) + (l + 1 < network.layers.size() ? ",\n" : "\n");
  write_file(path, text + "  ]}\n");
}

const char* to_string(Scheme scheme) { return scheme_names.begin()[static_cast<int>(scheme)]; }
const char* to_string(Group group) { return group_names.begin()[static_cast<int>(group)]; }
const char* to_string(Activation activation) {
  return activation_names.begin()[static_cast<int>(activation)];
}

const char* to_string(Code code) { return code_names.begin()[static_cast<int>(code)]; }

} // namespace deltatwin
