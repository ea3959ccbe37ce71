// What the paper of a configurable convolution accelerator expects of 8, 4 and 1 bits (section 11) beside the
// array's designs for an XC7Z020.
#include "app/compare.h"
#include "app/options.h"
#include "base/device.h"
#include "cosim/synthesis.h"
#include "net/graph.h"
#include "tops/array/program.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include <algorithm>
#include <array>
#include <cstdio>

namespace deltatwin {
namespace {

constexpr std::array<double, 2> clocks_mhz = {100, 200};
constexpr const char* device_name = "xc7z020";
constexpr int images = 6; ///< until each takes as long as the one before

// The shapes of a network; of its weights only the widths matter, which all take.
class Shapes {
public:
  Shapes(const std::string& name, int image_bits, int weight_bits, int activation_bits)
      : weight_bits_(weight_bits), activation_bits_(activation_bits) {
    graph_.name = name;
    graph_.tensors = {{"image", {32, 32, 3}, {image_bits, true, 0}, 0}};
  }

  std::size_t convolve(std::size_t from, int outputs, int kernel, int stride, int padding) {
    return convolve(from, outputs, kernel, stride, padding, activation_bits_);
  }
  std::size_t dense(std::size_t from, int outputs, bool last) {
    const int size = graph_.tensors[from].shape[0];
    return convolve(from, outputs, size, 1, 0, last ? 8 : activation_bits_);
  }
  std::size_t add(std::size_t a, std::size_t b) {
    Add sum;
    sum.output = scaled(1, activation_bits_);
    return append({a, b}, graph_.tensors[a].shape, activation_bits_, sum);
  }
  std::size_t pool(std::size_t from, Pool::Kind kind, int size, int stride) {
    Pool pool;
    pool.kind = kind;
    pool.window.rows = pool.window.columns = size;
    pool.window.row_stride = pool.window.column_stride = stride;
    const std::vector<int>& shape = graph_.tensors[from].shape;
    const Format format = graph_.tensors[from].format;
    pool.requantization = scaled(kind == Pool::Kind::max ? 0 : 6, format.bits);
    return append({from}, {pool.window.result_rows(shape[0]), pool.window.result_columns(shape[1]), shape[2]},
                  format.bits, pool);
  }
  Graph finish(std::size_t output) {
    graph_.output = output;
    validate(graph_, graph_.name);
    return std::move(graph_);
  }

private:
  static Requantization scaled(int shift, int bits) {
    Requantization requantization;
    requantization.shifts = {shift};
    requantization.low = -(1 << (bits - 1));
    requantization.high = (1 << (bits - 1)) - 1;
    return requantization;
  }
  // Activations of one bit are -1 and 1, by two equal thresholds.
  static Requantization sign() {
    Requantization requantization;
    requantization.rounding = Rounding::thresholds;
    requantization.low = -1;
    requantization.high = 1;
    requantization.thresholds = {0, 0};
    return requantization;
  }
  std::size_t convolve(std::size_t from, int outputs, int kernel, int stride, int padding, int bits) {
    const std::vector<int> shape = graph_.tensors[from].shape;
    Convolution convolution;
    convolution.window = {kernel, kernel, stride, stride, padding, padding, padding, padding};
    convolution.outputs = outputs;
    const auto count = static_cast<std::size_t>(outputs * kernel * kernel * shape[2]);
    const int most = weight_bits_ == 1 ? 1 : (1 << (weight_bits_ - 1)) - 1;
    for (std::size_t i = 0; i < count; ++i) // both ends, so that they take all bits
      convolution.weights.push_back(static_cast<std::int16_t>(i % 2               ? most
                                                              : weight_bits_ == 1 ? -1
                                                                                  : -most - 1));
    convolution.bias.assign(static_cast<std::size_t>(outputs), 0);
    convolution.requantization = bits == 1 ? sign() : scaled(8, bits);
    return append(
        {from},
        {convolution.window.result_rows(shape[0]), convolution.window.result_columns(shape[1]), outputs},
        bits == 1 ? 2 : bits, convolution);
  }
  template <class Operator>
  std::size_t append(const std::vector<std::size_t>& inputs, const std::vector<int>& shape, int bits,
                     const Operator& op) {
    const std::string number = std::to_string(graph_.nodes.size() + 1);
    graph_.tensors.push_back({"t" + number, shape, {bits, true, 0}, 0});
    graph_.nodes.push_back({"n" + number, inputs, graph_.tensors.size() - 1, op});
    return graph_.tensors.size() - 1;
  }

  Graph graph_;
  int weight_bits_, activation_bits_;
};

// MLPerf Tiny's, for CIFAR-10.
Graph resnet8(int weight_bits, int activation_bits) {
  Shapes net("ResNet-8", std::max(4, activation_bits), weight_bits, activation_bits);
  std::size_t at = net.convolve(0, 16, 3, 1, 1);
  for (int outputs = 16; outputs <= 64; outputs *= 2) {
    const int stride = outputs == 16 ? 1 : 2;
    const std::size_t skip = outputs == 16 ? at : net.convolve(at, outputs, 1, 2, 0);
    at = net.add(net.convolve(net.convolve(at, outputs, 3, stride, 1), outputs, 3, 1, 1), skip);
  }
  return net.finish(net.dense(net.pool(at, Pool::Kind::average, 8, 1), 10, true));
}

// FINN's and BNN-PYNQ's, for CIFAR-10.
Graph cnv(int weight_bits, int activation_bits) {
  Shapes net("CNV", 8, weight_bits, activation_bits);
  std::size_t at = 0;
  for (int outputs = 64; outputs <= 256; outputs *= 2) {
    at = net.convolve(net.convolve(at, outputs, 3, 1, 0), outputs, 3, 1, 0);
    if (outputs < 256)
      at = net.pool(at, Pool::Kind::max, 2, 2);
  }
  return net.finish(net.dense(net.dense(net.dense(at, 512, false), 512, false), 10, true));
}

struct Row {
  const char* precision;
  const char* expected; ///< GOPS, by the paper
  ArrayConfig config;
  Graph network;
  int weight_bits;

  double products = 0, cycles = 0; ///< per cycle; an image
  Resources area{};
};

ArrayConfig open(int outputs, int channels, int banks, int results) {
  ArrayConfig config;
  config.leave_open();
  config.outputs = outputs;
  config.channels = channels;
  config.rows = banks;
  config.results = results;
  return config;
}

ArrayConfig of_planes(ArrayConfig config, int planes, int widths, int pixels) {
  config.multiplier = ArrayConfig::no_multiplier;
  config.planes = planes;
  config.widths = widths;
  config.pixels = pixels;
  return config;
}

std::vector<Row> rows() {
  ArrayConfig one = of_planes(open(32, 8, 3, 32), 1, 0b1001, 2);
  one.reference_bits = 4;
  one.scale_multiply = 0;
  one.lut_ram = 1 << static_cast<int>(ArrayBuffer::parameters);
  return {{"8 bits", "200 to 400", open(8, 16, 3, 4), resnet8(8, 8), 8},
          {"4 bits", "400 to 800", of_planes(open(16, 16, 3, 8), 4, 0b0010, 1), resnet8(4, 4), 4},
          {"2 bits", "", of_planes(open(32, 8, 3, 16), 2, 0b0110, 1), resnet8(2, 2), 2},
          {"1 bit", "above 2,000", one, cnv(1, 1), 1}};
}

double products_per_cycle(const ArrayConfig& config, int weight_bits) {
  const int code = config.narrowest();
  return static_cast<double>(config.outputs * config.rows * config.pixels * config.word_channels(code)) *
         (config.has_bytes() ? 1.0 : std::min(1.0, static_cast<double>(config.planes) / weight_bits));
}

double gops(double products, double clock_mhz) { return 2 * products * clock_mhz / 1000; }

std::string both(double products) {
  return grouped(static_cast<std::uint64_t>(gops(products, clocks_mhz[0]) + 0.5)) + " / " +
         grouped(static_cast<std::uint64_t>(gops(products, clocks_mhz[1]) + 0.5));
}

double sustained(const Row& row) { return static_cast<double>(row.network.macs()) / row.cycles; }

void measure(Row& row, bool by_synthesis, Progress& progress) {
  const ArrayProgram program = compile_to_fit(row.network, row.config);
  row.cycles = array_run(row.config, program, images).period();
  row.products = products_per_cycle(row.config, row.weight_bits);
  const ArrayTop top(row.config);
  row.area = total_area(top.parts());
  if (by_synthesis)
    row.area = synthesize(
        top, [&](double done) { progress.update(done, 1, row.precision); }, Hierarchy::kept);
}

void print_throughput(const std::vector<Row>& all) {
  TextTable table;
  table.add_column("at 100 / 200 MHz", TextTable::left, 10);
  for (const char* head : {"products", "peak GOPS", "the paper's", "GOPS of", "", "cycles"})
    table.add_column(head, TextTable::right, 8);
  for (const Row& row : all)
    table.add_row({row.precision, grouped(static_cast<std::uint64_t>(row.products)), both(row.products),
                   row.expected, both(sustained(row)), row.network.name,
                   grouped(static_cast<std::uint64_t>(row.cycles + 0.5))});
  std::printf("%s\n", table.text().c_str());
}

void print_areas(const std::vector<Row>& all, bool by_synthesis) {
  TextTable table;
  table.add_column(by_synthesis ? "by Yosys, hierarchy kept" : "by the model", TextTable::left, 10);
  for (const char* head : {"LUT", "FF", "DSP48E1", "RAMB36", "LUT a product", "weights, of float"})
    table.add_column(head, TextTable::right, 8);
  for (const Row& row : all)
    table.add_row({row.precision, grouped(static_cast<std::uint64_t>(row.area.lut)),
                   grouped(static_cast<std::uint64_t>(row.area.ff)), std::to_string(row.area.dsp),
                   std::to_string(row.area.bram36()), fixed(row.area.lut / row.products, 1),
                   "1 / " + std::to_string(32 / row.weight_bits)});
  std::printf("%s\n", table.text().c_str());
}

} // namespace

void compare_array(bool by_synthesis, const std::string& json_path) {
  prepare_json(json_path);
  Progress progress("measuring");
  std::vector<Row> all = rows();
  for (std::size_t i = 0; i < all.size(); ++i) {
    progress.update(static_cast<double>(i), static_cast<double>(all.size()), all[i].precision);
    measure(all[i], by_synthesis, progress);
  }
  progress.clear();
  std::printf(
      "An operation is a multiplication or an addition. Peak: every product in every cycle; sustained: those "
      "of a network,\nimage after image, as RTL takes them: `deltatwin cosim --top array`.\n\n");
  print_throughput(all);
  print_areas(all, by_synthesis);
  const Device device = find_device(device_name);
  const Row &eight = all.front(), &one = all.back();
  std::printf("8 bits: %d DSP48E1s multiply two pairs each and %d scale, of the XC7Z020's %d: the paper's "
              "200 GOPS take\n"
              "more of them, or a clock above 200 MHz. Below 8 bits LUTs count planes of bits, and DSPs only "
              "scale: what\n"
              "bounds throughput there is LUTs. A cycle of 1 bit has %s times the products of one of 8.%s\n",
              static_cast<int>(eight.products) / 2, eight.area.dsp - static_cast<int>(eight.products) / 2,
              device.dsp, fixed(one.products / eight.products, 0).c_str(),
              by_synthesis ? "" : "\n--synth counts the area by Yosys.");

  boost::json::array array;
  for (const Row& row : all)
    array.push_back({{"precision", row.precision},
                     {"network", row.network.name},
                     {"products_per_cycle", row.products},
                     {"cycles", row.cycles},
                     {"peak_gops_100_mhz", gops(row.products, clocks_mhz[0])},
                     {"sustained_gops_100_mhz", gops(sustained(row), clocks_mhz[0])},
                     {"fits", fits(row.area, device)},
                     {"lut", row.area.lut},
                     {"ff", row.area.ff},
                     {"dsp", row.area.dsp},
                     {"bram36", row.area.bram36()}});
  write_json(json_path, "compare",
             {{"rows", std::move(array)}, {"areas_by", by_synthesis ? "synthesis" : "model"}});
}

} // namespace deltatwin
