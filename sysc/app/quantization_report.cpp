#include "app/quantization_report.h"
#include "app/graph_text.h"
#include "app/options.h"
#include "app/text.h"
#include "base/error.h"
#include "base/file.h"
#include "import/float_inference.h"
#include "net/argmax.h"
#include "net/graph_inference.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

namespace deltatwin {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value + 0.0); // no -0
  return text;
}

std::string range_text(const ValueRange& range) { return number(range.low) + ".." + number(range.high); }

std::string decibels(double value) { return std::isinf(value) ? "-" : fixed(value, 1); }

struct WeightFigures {
  int bits = 0;
  double least = 0, most = 0, correction = 0;
};

// Of a convolution's weights: bits that they take, scales, and the largest correction of a bias.
WeightFigures figures_of(const PostTrained& quantized, std::size_t node) {
  WeightFigures figures;
  const auto* convolution = std::get_if<Convolution>(&quantized.graph.nodes[node].op);
  if (!convolution)
    return figures;
  int largest = 0;
  for (const std::int16_t weight : convolution->weights)
    largest = std::max(largest, std::abs(static_cast<int>(weight)));
  for (figures.bits = 1; (1 << (figures.bits - 1)) - 1 < largest;)
    ++figures.bits;
  for (const ChannelReport& channel : quantized.channels[node]) {
    figures.least = figures.least == 0 ? channel.weight_scale : std::min(figures.least, channel.weight_scale);
    figures.most = std::max(figures.most, channel.weight_scale);
    figures.correction = std::max(figures.correction, std::abs(channel.correction));
  }
  return figures;
}

// The numbers of a line of CSV.
class CsvText {
public:
  explicit CsvText(const std::string& header) : text_(header + "\n") {}
  template <class... Cells> void row(const Cells&... cells) {
    std::string line;
    ((line += (line.empty() ? "" : ",") + cell(cells)), ...);
    text_ += line + "\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

private:
  static std::string cell(const std::string& text) { return text; }
  static std::string cell(const char* text) { return text; }
  static std::string cell(double value) { return shortest(value); }
  static std::string cell(float value) { return shortest(value); }
  template <class Integer> static std::string cell(Integer value) { return std::to_string(value); }
  std::string text_;
};

} // namespace

Judgement judge(const FloatGraph& network, const PostTrained& quantized, const GivenInputs& inputs,
                const std::vector<int>& labels) {
  Judgement result;
  result.inputs = inputs.count;
  result.has_labels = !labels.empty();
  FloatInference real(network);
  GraphInference integer(quantized.graph);
  const Tensor& out = quantized.graph.tensors[quantized.graph.output];
  const std::size_t each = inputs.values.size() / static_cast<std::size_t>(std::max(inputs.count, 1));
  std::vector<std::int32_t> outputs(integer.outputs());
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= outputs.size())
      throw InputError("input " + std::to_string(i) + " has the label " + std::to_string(labels[i]) +
                       ", but the network has " + std::to_string(outputs.size()) +
                       " outputs: no accuracy can be told");
  double signal = 0, error = 0;
  Progress progress("accuracy");
  for (int i = 0; i < inputs.count; ++i) {
    const float* const given = inputs.values.data() + static_cast<std::size_t>(i) * each;
    real.run(given);
    integer.run(integers_of(quantized, given).data(), 1, outputs.data());
    const std::vector<float>& expected = real.tensor(quantized.graph.output);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const double value = (outputs[o] - out.format.zero_point) * static_cast<double>(out.scale);
      signal += static_cast<double>(expected[o]) * expected[o];
      error += (value - expected[o]) * (value - expected[o]);
    }
    const int of_integer = argmax(outputs.data(), outputs.size()),
              of_real = argmax(expected.data(), expected.size());
    result.same += of_integer == of_real;
    if (result.has_labels) {
      result.right_float += of_real == labels[static_cast<std::size_t>(i)];
      result.right_integer += of_integer == labels[static_cast<std::size_t>(i)];
    }
    progress.update(i + 1, inputs.count);
  }
  result.signal_to_noise =
      error > 0 ? 10 * std::log10(signal / error) : std::numeric_limits<double>::infinity();
  return result;
}

std::string to_text(const Judgement& judgement, const std::string& integer_name) {
  const double all = judgement.inputs / 100.0;
  std::string text;
  if (judgement.has_labels)
    text = "float " + fixed(judgement.right_float / all, 2) + " %, " + integer_name + " " +
           fixed(judgement.right_integer / all, 2) + " %; ";
  text += "the same class in " + fixed(judgement.same / all, 2) + " %";
  if (!std::isinf(judgement.signal_to_noise))
    text += ", outputs " + fixed(judgement.signal_to_noise, 1) + " dB above their error";
  return text;
}

void print_layers(const PostTrained& quantized) {
  const Graph& graph = quantized.graph;
  TextTable table;
  table.add_column("node", TextTable::left, 9);
  table.add_column("does", TextTable::left, 6);
  table.add_column("shape", TextTable::left, 4);
  table.add_column("format", TextTable::left, 7);
  table.add_column("seen", TextTable::left, 5);
  table.add_column("covered", TextTable::left, 8);
  table.add_column("scale", TextTable::right, 8);
  table.add_column("weights", TextTable::left, 6);
  table.add_column("their scales", TextTable::left, 7);
  table.add_column("bias by", TextTable::right, 3);
  table.add_column("SQNR dB", TextTable::right, 9);
  const auto row = [&](const std::string& name, const std::string& does, std::size_t tensor,
                       const WeightFigures& weights, const std::string& noise) {
    const Tensor& to = graph.tensors[tensor];
    const TensorReport& report = quantized.tensors[tensor];
    const bool has = weights.bits > 0;
    table.add_row({name, does, shape_text(to.shape), format_text(to.format), range_text(report.seen),
                   range_text(report.chosen), number(to.scale),
                   has ? std::to_string(weights.bits) + " bits" : "-",
                   has ? number(weights.least) + ".." + number(weights.most) : "-",
                   weights.correction > 0 ? number(weights.correction) : "-", noise});
  };
  row("(input)", "-", graph.input, {}, "-");
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    row(short_name(node), operator_text(node), node.output, figures_of(quantized, n),
        decibels(quantized.tensors[node.output].signal_to_noise));
  }
  std::printf("%s\n", table.text().c_str());
}

void write_quantization_tables(const PostTrained& quantized, const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw InputError(directory + ": cannot be made: " + error.message());
  const Graph& graph = quantized.graph;
  CsvText weights("layer,output,row,column,input,weight");
  CsvText scales("kind,name,channel,scale,zero_point,low,high");
  CsvText biases("layer,output,bias,real,recalibrated_by,multiplier,shift");
  for (const Tensor& tensor : graph.tensors)
    scales.row("tensor", tensor.name, "", tensor.scale, tensor.format.zero_point, tensor.format.low(),
               tensor.format.high());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto* convolution = std::get_if<Convolution>(&node.op);
    if (!convolution)
      continue;
    const WeightFigures figures = figures_of(quantized, n);
    const int most = (1 << (figures.bits - 1)) - 1;
    const std::size_t outputs = convolution->bias.size(), each = convolution->weights.size() / outputs,
                      columns = static_cast<std::size_t>(convolution->window.columns),
                      inputs = each / columns / static_cast<std::size_t>(convolution->window.rows);
    for (std::size_t o = 0; o < outputs; ++o) {
      const ChannelReport& channel = quantized.channels[n][o];
      scales.row("weights", node.name, o, channel.weight_scale, 0, -most, most);
      biases.row(node.name, o, convolution->bias[o],
                 convolution->bias[o] * channel.weight_scale * graph.tensors[node.inputs[0]].scale,
                 channel.correction, convolution->requantization.multiplier(o),
                 convolution->requantization.shift(o));
      for (std::size_t i = 0; i < each; ++i)
        weights.row(node.name, o, i / inputs / columns, i / inputs % columns, i % inputs,
                    convolution->weights[o * each + i]);
    }
  }
  write_file(directory + "/weights.csv", weights.text());
  write_file(directory + "/scales.csv", scales.text());
  write_file(directory + "/biases.csv", biases.text());
}

boost::json::array layers_to_json(const PostTrained& quantized) {
  const Graph& graph = quantized.graph;
  boost::json::array layers;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Tensor& to = graph.tensors[node.output];
    const TensorReport& report = quantized.tensors[node.output];
    const WeightFigures figures = figures_of(quantized, n);
    boost::json::array scales, corrections;
    for (const ChannelReport& channel : quantized.channels[n]) {
      scales.push_back(channel.weight_scale);
      corrections.push_back(channel.correction);
    }
    layers.push_back({{"name", node.name},
                      {"does", operator_text(node)},
                      {"bits", to.format.bits},
                      {"zero_point", to.format.zero_point},
                      {"scale", to.scale},
                      {"seen", {report.seen.low, report.seen.high}},
                      {"covered", {report.chosen.low, report.chosen.high}},
                      {"weight_bits", figures.bits},
                      {"weight_scales", std::move(scales)},
                      {"bias_corrections", std::move(corrections)},
                      {"sqnr_db", report.signal_to_noise}});
  }
  return layers;
}

boost::json::object to_json(const Judgement& judgement) {
  const double all = std::max(judgement.inputs, 1);
  boost::json::object json = {{"inputs", judgement.inputs},
                              {"same_class", judgement.same / all},
                              {"sqnr_db", judgement.signal_to_noise},
                              {"accuracy_float", nullptr},
                              {"accuracy", nullptr}};
  if (judgement.has_labels) {
    json["accuracy_float"] = judgement.right_float / all;
    json["accuracy"] = judgement.right_integer / all;
  }
  return json;
}

} // namespace deltatwin
