#include "net/float_network.h"
#include "base/error.h"
#include "base/file.h"
#include "net/safetensors.h"
#include <boost/json.hpp>
#include <cmath>
#include <cstddef>

namespace deltatwin {
namespace {

constexpr const char* format_name = "deltatwin-float-1";
constexpr const char* metadata_key = "deltatwin";
constexpr std::size_t most_blocks = 200, most_layers = 8;
constexpr int most_channels = 4096;

// What follows a convolution in the file, folded into it.
void fold_normalization(const Safetensors& file, const std::string& norm, FloatConvolution& layer) {
  const auto read = [&](const char* part) {
    const std::string name = norm + "." + part;
    FloatTensor tensor = file.tensor(name, 1);
    if (tensor.shape[0] != layer.outputs)
      file.fail("the tensor \"" + name + "\" has " + std::to_string(tensor.shape[0]) + " values, \"" +
                layer.name + "\" has " + std::to_string(layer.outputs) + " outputs");
    return tensor.values;
  };
  const std::vector<float> gain = read("weight"), offset = read("bias"), mean = read("running_mean"),
                           variance = read("running_var");
  const std::size_t each = layer.weights.size() / gain.size();
  for (std::size_t o = 0; o < gain.size(); ++o) {
    constexpr double epsilon = 1e-5;
    if (!(variance[o] >= 0))
      file.fail("the tensor \"" + norm + ".running_var\" holds a negative variance");
    const double factor = gain[o] / std::sqrt(variance[o] + epsilon);
    for (std::size_t i = o * each; i < (o + 1) * each; ++i)
      layer.weights[i] = static_cast<float>(layer.weights[i] * factor);
    layer.bias[o] = static_cast<float>((layer.bias[o] - mean[o]) * factor + offset[o]);
  }
}

void read_tensors(const Safetensors& file, std::size_t dimensions, FloatConvolution& layer) {
  FloatTensor weights = file.tensor(layer.name + ".weight", dimensions);
  layer.outputs = weights.shape[0];
  layer.inputs = weights.shape[1];
  if (layer.outputs > most_channels || layer.inputs > most_channels)
    file.fail("\"" + layer.name + "\" has more than " + std::to_string(most_channels) + " channels");
  if (dimensions == 4) {
    layer.kernel = weights.shape[2];
    if (weights.shape[3] != layer.kernel || layer.kernel % 2 == 0 || layer.kernel > 15)
      file.fail("\"" + layer.name + "\" has a window of " + std::to_string(layer.kernel) + " x " +
                std::to_string(weights.shape[3]) + ", expected a square one of odd size up to 15");
  }
  layer.weights = std::move(weights.values);
  layer.bias.assign(static_cast<std::size_t>(layer.outputs), 0.0f);
  if (file.has(layer.name + ".bias")) {
    FloatTensor bias = file.tensor(layer.name + ".bias", 1);
    if (bias.shape[0] != layer.outputs)
      file.fail("the tensor \"" + layer.name + ".bias\" has " + std::to_string(bias.shape[0]) +
                " values, expected " + std::to_string(layer.outputs));
    layer.bias = std::move(bias.values);
  }
}

// {"layer": NAME, "norm": NAME, "stride": 1, "padding": (kernel - 1) / 2}, all but the first optional.
FloatConvolution read_convolution(const Safetensors& file, const JsonField& field) {
  field.check_keys({"layer", "norm", "stride", "padding"});
  FloatConvolution layer;
  layer.name = field.at("layer").text();
  read_tensors(file, 4, layer);
  layer.stride = field.has("stride") ? static_cast<int>(field.at("stride").integer(1, 8)) : 1;
  layer.padding = field.has("padding") ? static_cast<int>(field.at("padding").integer(0, layer.kernel - 1))
                                       : (layer.kernel - 1) / 2;
  if (field.has("norm"))
    fold_normalization(file, field.at("norm").text(), layer);
  return layer;
}

FloatBlock read_block(const Safetensors& file, const JsonField& field) {
  field.check_keys({"body", "shortcut"});
  FloatBlock block;
  for (const JsonField& layer : field.at("body").elements(most_layers))
    block.body.push_back(read_convolution(file, layer));
  if (block.body.empty())
    field.fail("body: expected at least one convolution");
  const JsonField shortcut = field.at("shortcut");
  if (shortcut.is_object()) {
    block.shortcut = Shortcut::projection;
    block.projection = read_convolution(file, shortcut);
  } else {
    block.shortcut = shortcut.choice({"identity", "padded"}) ? Shortcut::padded : Shortcut::identity;
  }
  return block;
}

std::vector<float> read_numbers(const JsonField& field, int count, double low, double high) {
  std::vector<float> numbers;
  for (const JsonField& each : field.elements(static_cast<std::size_t>(count)))
    numbers.push_back(static_cast<float>(each.number(low, high)));
  if (static_cast<int>(numbers.size()) != count)
    field.fail("expected " + std::to_string(count) + " numbers, one a plane");
  return numbers;
}

struct Checker {
  const FloatNetwork& network;
  const std::string& origin;

  [[noreturn]] void fail(const std::string& what) const { throw InputError(origin + ": " + what); }
  // The shape behind a convolution.
  [[nodiscard]] BlockShape behind(const FloatConvolution& layer, const BlockShape& in) const {
    if (layer.inputs != in.channels)
      fail("\"" + layer.name + "\" takes " + std::to_string(layer.inputs) + " channels, there are " +
           std::to_string(in.channels));
    const auto size = [&](int length) {
      const int room = length + 2 * layer.padding - layer.kernel;
      if (room < 0)
        fail("\"" + layer.name + "\" has a window larger than its input");
      return room / layer.stride + 1;
    };
    return {layer.outputs, size(in.rows), size(in.columns)};
  }
  [[nodiscard]] BlockShape past(const FloatBlock& block, const BlockShape& in) const {
    if (block.shortcut == Shortcut::projection)
      return behind(*block.projection, in);
    if (block.shortcut == Shortcut::identity)
      return in;
    const int stride = block.stride();
    return {std::max(in.channels, block.outputs()), (in.rows + stride - 1) / stride,
            (in.columns + stride - 1) / stride};
  }
};

boost::json::object describe(const FloatConvolution& layer) {
  return {{"layer", layer.name}, {"stride", layer.stride}, {"padding", layer.padding}};
}

void add_tensors(std::vector<std::pair<std::string, FloatTensor>>& tensors, const FloatConvolution& layer,
                 bool dense = false) {
  std::vector<int> shape = {layer.outputs, layer.inputs};
  if (!dense)
    shape.insert(shape.end(), {layer.kernel, layer.kernel});
  tensors.push_back({layer.name + ".weight", {shape, layer.weights}});
  tensors.push_back({layer.name + ".bias", {{layer.outputs}, layer.bias}});
}

} // namespace

int FloatBlock::stride() const {
  int product = 1;
  for (const FloatConvolution& layer : body)
    product *= layer.stride;
  return product;
}

std::size_t FloatNetwork::parameters() const {
  const auto of = [](const FloatConvolution& layer) { return layer.weights.size() + layer.bias.size(); };
  std::size_t sum = of(stem) + of(dense);
  for (const FloatBlock& block : blocks) {
    for (const FloatConvolution& layer : block.body)
      sum += of(layer);
    sum += block.projection ? of(*block.projection) : 0;
  }
  return sum;
}

std::vector<BlockShape> check_shapes(const FloatNetwork& network, const std::string& origin) {
  const Checker checker = {network, origin};
  BlockShape shape = checker.behind(network.stem, {network.planes, network.rows, network.columns});
  std::vector<BlockShape> shapes;
  for (const FloatBlock& block : network.blocks) {
    const BlockShape past = checker.past(block, shape);
    for (const FloatConvolution& layer : block.body)
      shape = checker.behind(layer, shape);
    if (past.channels != shape.channels || past.rows != shape.rows || past.columns != shape.columns)
      checker.fail("the shortcut of the block that ends with \"" + block.body.back().name + "\" gives " +
                   std::to_string(past.channels) + " x " + std::to_string(past.rows) + " x " +
                   std::to_string(past.columns) + " values, its body " + std::to_string(shape.channels) +
                   " x " + std::to_string(shape.rows) + " x " + std::to_string(shape.columns));
    shapes.push_back(shape);
  }
  if (network.dense.inputs != shape.channels)
    checker.fail("\"" + network.dense.name + "\" takes " + std::to_string(network.dense.inputs) +
                 " values, there are " + std::to_string(shape.channels));
  return shapes;
}

FloatNetwork parse_float_network(const std::string& text, const std::string& origin) {
  const Safetensors file(text, origin);
  const JsonDocument document(file.metadata(metadata_key), origin + " (deltatwin)");
  const JsonField root = document.root();
  root.check_keys({"format", "name", "description", "input", "mean", "deviation", "stem", "blocks", "dense"});
  if (root.at("format").text() != format_name)
    root.at("format").fail(std::string("expected \"") + format_name + "\"");
  FloatNetwork network;
  network.name = root.at("name").name();
  network.description = root.has("description") ? root.at("description").text() : "";
  const std::vector<int> input = root.at("input").integers(3, 1, 1024);
  network.planes = input[0];
  network.rows = input[1];
  network.columns = input[2];
  network.mean = read_numbers(root.at("mean"), network.planes, -1e6, 1e6);
  network.deviation = read_numbers(root.at("deviation"), network.planes, 1e-6, 1e6);
  network.stem = read_convolution(file, root.at("stem"));
  for (const JsonField& block : root.at("blocks").elements(most_blocks))
    network.blocks.push_back(read_block(file, block));
  if (network.blocks.empty())
    root.fail("blocks: expected at least one");
  network.dense.name = root.at("dense").text();
  read_tensors(file, 2, network.dense);
  static_cast<void>(check_shapes(network, origin));
  return network;
}

FloatNetwork load_float_network(const std::string& path) {
  return parse_float_network(read_file(path), path);
}

void save_float_network(const FloatNetwork& network, const std::string& path) {
  static_cast<void>(check_shapes(network, path));
  std::vector<std::pair<std::string, FloatTensor>> tensors;
  add_tensors(tensors, network.stem);
  boost::json::array blocks;
  for (const FloatBlock& block : network.blocks) {
    boost::json::array body;
    for (const FloatConvolution& layer : block.body) {
      body.push_back(describe(layer));
      add_tensors(tensors, layer);
    }
    boost::json::value shortcut = block.shortcut == Shortcut::padded ? "padded" : "identity";
    if (block.projection) {
      shortcut = describe(*block.projection);
      add_tensors(tensors, *block.projection);
    }
    blocks.push_back({{"body", std::move(body)}, {"shortcut", std::move(shortcut)}});
  }
  add_tensors(tensors, network.dense, true);
  const boost::json::object root = {
      {"format", format_name},
      {"name", network.name},
      {"description", network.description},
      {"input", {network.planes, network.rows, network.columns}},
      {"mean", boost::json::array(network.mean.begin(), network.mean.end())},
      {"deviation", boost::json::array(network.deviation.begin(), network.deviation.end())},
      {"stem", describe(network.stem)},
      {"blocks", std::move(blocks)},
      {"dense", network.dense.name}};
  write_file(path, safetensors_text(tensors, {{metadata_key, boost::json::serialize(root)}}));
}

} // namespace deltatwin
