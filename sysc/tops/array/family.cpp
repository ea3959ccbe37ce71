#include "tops/array/family.h"
#include "base/text.h"
#include "net/formats/formats.h"
#include "net/input_set.h"
#include "net/networks_directory.h"
#include "tops/array/exploration.h"
#include "tops/array/layer_table.h"
#include "tops/array/schedule.h"
#include "tops/array/top.h"
#include "tops/array/workload.h"
#include <utility>

namespace deltatwin {
namespace {

namespace axis = array_axis;

class ArrayFamily : public TopFamily {
public:
  [[nodiscard]] std::string name() const override { return "array"; }
  [[nodiscard]] std::string summary() const override {
    return "networks of convolutions, pools and residual additions on an array of dot products";
  }
  [[nodiscard]] std::string device() const override { return "xc7z020"; }
  [[nodiscard]] std::string items() const override { return "images"; }

  [[nodiscard]] std::vector<Axis> axes() const override {
    const ArrayConfig standard;
    std::vector<Axis> axes(axis::count);
    const auto integer = [](const char* name, const char* help, int low, int high, const std::string& value) {
      return Axis{Axis::integer, name, "", help, static_cast<double>(low), static_cast<double>(high), {},
                  value};
    };
    constexpr int most = (1 << 16) - 1;
    axes[axis::network] = {Axis::text, "network", "networks", "a committed network, or a network file",
                           0,          0,         {},         "fashion_resnet8_int8"};
    axes[axis::order] = {Axis::choice,
                         "order",
                         "orders",
                         "in which order rows are computed: so that few are kept, or by layers",
                         0,
                         0,
                         array_orders(),
                         array_orders()[0]};
    axes[axis::multiplier] = {Axis::choice,
                              "multiplier",
                              "multipliers",
                              "of bytes: in LUTs, or two products in a DSP48E1; or none, planes alone",
                              0,
                              0,
                              array_multipliers(),
                              array_multipliers()[static_cast<std::size_t>(standard.multiplier)]};
    axes[axis::outputs] =
        integer("outputs", "P: outputs at a time, a power of two", 2, 64, std::to_string(standard.outputs));
    axes[axis::channels] =
        integer("channels", "S: bytes of a word, a power of two: its channels if they have 8 bits", 4, 32,
                std::to_string(standard.channels));
    axes[axis::banks] =
        integer("banks", "T: rows, or words of channels, at a time", 1, 7, std::to_string(standard.rows));
    axes[axis::results] =
        integer("results", "R: results a cycle, a divisor of P", 1, 64, std::to_string(standard.results));
    axes[axis::pixels] = integer("pixels", "M: adjacent columns of results at a time: 1, 2 or 4", 1, 4,
                                 std::to_string(standard.pixels));
    axes[axis::sum_bits] = integer("sum_bits", "bits of a sum with its bias: 25..32, of planes alone 12..32",
                                   12, 32, std::to_string(standard.sum_bits));
    axes[axis::map_depth] = integer("map_depth", "words a bank of map memory", 2, most, "fit");
    axes[axis::input_depth] = integer("input_depth", "words a bank of input memory", 2, most, "fit");
    axes[axis::input_bits] = integer(
        "input_bits",
        "of sweeps: bits of a word of input memory, a multiple of 4; 0: all, or as many as hold values, "
        "if its words are to fit",
        0, 256, std::to_string(standard.input_bits));
    axes[axis::weight_depth] = integer("weight_depth", "words of weights", 2, most, "fit");
    axes[axis::param_depth] = integer("param_depth", "words of parameters", 2, most, "fit");
    axes[axis::skip_depth] = integer("skip_depth", "words of what is added later", 2, most, "fit");
    axes[axis::output_depth] =
        integer("output_depth", "entries of the output FIFO, a power of two", 2, 1 << 15, "fit");
    axes[axis::stage_results] =
        integer("stage_results", "results a cycle of the depthwise stage, a divisor of S; 0: there is none",
                0, 32, std::to_string(standard.stage_results));
    axes[axis::stage_multiplier] = {Axis::choice,
                                    "stage_multiplier",
                                    "stage_multipliers",
                                    "of the stage: in LUTs, or a product in a DSP48E1",
                                    0,
                                    0,
                                    stage_multipliers(),
                                    stage_multipliers()[static_cast<std::size_t>(standard.stage_multiplier)]};
    axes[axis::lut_ram] = lut_ram_axis();
    axes[axis::planes] = integer("planes",
                                 "U: planes of weights at a time, 1, 2, 4 or 8: layers of N U bits take N "
                                 "passes; 0: bytes alone",
                                 0, 8, std::to_string(standard.planes));
    axes[axis::widths] = widths_axis();
    axes[axis::references] =
        integer("references",
                "bits of an output's reference r in weights r + d 2^s, 2..8, of which planes hold d; 0: "
                "none",
                0, 8, std::to_string(standard.reference_bits));
    axes[axis::scaling] = {Axis::choice,
                           "scaling",
                           "",
                           "of sums: multiply and shift, or shift alone, for networks whose scales are 2^n",
                           0,
                           0,
                           array_scalings(),
                           array_scalings()[static_cast<std::size_t>(standard.scale_multiply)]};
    axes[axis::sweep] = integer("sweep",
                                "most pixels that a tile of weights stands still for, 16, 32 or 64, as in "
                                "--multiplier none --banks 1 --planes 4 --widths 4 --sweep 64; 0: weights "
                                "change with every window",
                                0, 64, std::to_string(standard.sweep));
    axes[axis::decoders] = integer("decoders", "of sweeps' streams of weights: 1, 2 or 4", 1, 4,
                                   std::to_string(standard.decoders));
    axes[axis::symbol_weights] =
        integer("symbol_weights", "of sweeps: weights of a Huffman symbol, which has 8 bits at most", 1, 8,
                std::to_string(standard.symbol_weights));
    axes[axis::books] = integer("books", "of sweeps: code books, which layers share, a power of two", 1, 16,
                                std::to_string(standard.books));
    axes[axis::skip_zeros] =
        integer("skip_zeros", "of sweeps: 1: tiles of weights that are all zero are neither kept nor swept",
                0, 1, std::to_string(standard.has_marks()));
    axes[axis::zero_depth] = integer(
        "zero_depth", "with --skip-zeros 1: words of marks of zeros, one a tile of weights", 2, most, "fit");
    axes[axis::scale_bits] =
        integer("scale_bits", "bits of a scale's multiplier", 8, 31, std::to_string(standard.scale_bits));
    axes[axis::additions] = {Axis::choice,
                             "additions",
                             "",
                             "scaled sums, or lookup: tables of two values of 4 bits at most",
                             0,
                             0,
                             array_additions(),
                             array_additions()[static_cast<std::size_t>(standard.lookup)]};
    axes[axis::dsp_outputs] =
        integer("dsp_outputs",
                "of sweeps: outputs of a tile whose products of 4 bits by 4 are in DSPs, "
                "a multiple of 3",
                0, 30, std::to_string(standard.dsp_outputs));
    axes[axis::threshold_bits] = integer(
        "threshold_bits",
        "bits of results that count thresholds, 1..4, as in --planes 4 --threshold-bits 3; 0: none do", 0, 4,
        std::to_string(standard.threshold_bits));
    axes[axis::wide_sums] =
        integer("wide_sums", "1: sums of up to 16 bits may leave, and sums of any be added to", 0, 1,
                std::to_string(standard.wide_sums));
    axes[axis::clock] = {Axis::real, "clock_mhz", "", "clock to assume, in MHz",
                         0.001,      10000,       {}, shortest(standard.clock_mhz)};
    return axes;
  }

  [[nodiscard]] std::vector<Figure> figures() const override {
    return {{"throughput", true}, {"latency", false, 0, 1e12, "latency_us"}};
  }

  [[nodiscard]] std::string item_files() const override {
    return "a directory of test images, .npy, IDX, a batch of CIFAR-10, or raw bytes as --input-type says";
  }
  [[nodiscard]] bool takes_inputs() const override { return true; }
  using TopFamily::subject_of;
  [[nodiscard]] Subject subject_of(const std::vector<std::string>& choices,
                                   const InputSource& source) const override {
    return subject(choices, [&](Subject&, const Tensor& input) { return source(input); });
  }
  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, int items,
                                std::uint64_t seed) const override {
    return subject(choices, [&](Subject& subject, const Tensor& input) {
      if (items > 0) {
        subject.origin = " made up with seed " + std::to_string(seed);
        subject.description["images"] = items;
        subject.description["random_seed"] = seed;
      }
      return make_inputs(input, items, seed);
    });
  }

  [[nodiscard]] std::unique_ptr<Exploration> exploration(const std::vector<AxisValues>& values,
                                                         const std::vector<std::string>&,
                                                         const std::string&) const override {
    return std::make_unique<ArrayExploration>(values);
  }

private:
  // `inputs_of` tells of them in the subject, too.
  template <class InputsOf>
  [[nodiscard]] Subject subject(const std::vector<std::string>& choices, InputsOf inputs_of) const {
    const std::vector<Axis> all = axes();
    double numbers[axis::count];
    for (std::size_t a = 0; a < all.size(); ++a)
      numbers[a] = all[a].parse(choices[a]);
    const Graph graph = load_graph(find_network(choices[axis::network]));
    ArrayConfig config = array_config(numbers);
    const ArrayOrder order = array_order(numbers);
    const auto program = std::make_shared<const ArrayProgram>(compile_to_fit(graph, config, order));
    Subject subject;
    subject.name = graph.name;
    subject.title = graph.name + ", array of " + std::to_string(config.outputs) + " outputs, " +
                    std::to_string(config.channels) + " channels, " + std::to_string(config.rows) + " rows";
    if (config.pixels > 1)
      subject.title += ", " + std::to_string(config.pixels) + " pixels";
    if (config.has_stage())
      subject.title += ", depthwise stage of " + std::to_string(config.stage_results) + " results";
    subject.description = {{"top", name()},
                           {"network", graph.name},
                           {"order", array_orders()[order == ArrayOrder::by_layers]},
                           {"multiplier", array_multipliers()[static_cast<std::size_t>(config.multiplier)]},
                           {"outputs", config.outputs},
                           {"channels", config.channels},
                           {"banks", config.rows},
                           {"results", config.results},
                           {"pixels", config.pixels},
                           {"sum_bits", config.sum_bits},
                           {"map_depth", config.map_depth},
                           {"input_depth", config.input_depth},
                           {"input_bits", config.input_bits},
                           {"weight_depth", config.weight_depth},
                           {"param_depth", config.param_depth},
                           {"skip_depth", config.skip_depth},
                           {"output_depth", config.output_depth}};
    if (config.has_stage())
      subject.description["stage"] = {
          {"results", config.stage_results},
          {"multiplier", stage_multipliers()[static_cast<std::size_t>(config.stage_multiplier)]},
          {"map_depth", config.stage_map_depth},
          {"row_depth", config.stage_row_depth},
          {"weight_depth", config.stage_weight_depth},
          {"param_depth", config.stage_param_depth},
          {"steps", config.stage_steps}};
    if (config.has_planes()) {
      subject.title += ", " + std::to_string(config.planes) + (config.planes > 1 ? " planes" : " plane") +
                       " of weights by " + widths_axis().set_text(config.widths) + " bits";
      subject.description["planes"] = config.planes;
      subject.description["widths"] = widths_axis().set_text(config.widths);
      subject.description["reference_bits"] = config.reference_bits;
    }
    if (config.has_sweeps()) {
      subject.title += ", sweeps of " + std::to_string(config.sweep) + " pixels";
      subject.description["sweep"] = {{"pixels", config.sweep},
                                      {"decoders", config.decoders},
                                      {"symbol_weights", config.symbol_weights},
                                      {"books", config.books},
                                      {"zero_depth", config.zero_depth},
                                      {"dsp_outputs", config.dsp_outputs}};
    }
    subject.description["scale_bits"] = config.scale_bits;
    subject.description["threshold_bits"] = config.threshold_bits;
    subject.description["wide_sums"] = config.wide_sums;
    subject.description["additions"] = array_additions()[static_cast<std::size_t>(config.lookup)];
    subject.description["scaling"] = array_scalings()[static_cast<std::size_t>(config.scale_multiply)];
    subject.description["lut_ram"] = lut_ram_axis().set_text(config.lut_ram);
    subject.top = std::make_unique<ArrayTop>(config);
    const std::vector<ArrayLayerRow> rows = array_layer_table(graph, config, *program);
    subject.description["layers"] = to_json(rows);
    subject.print = [rows] { print(rows); };
    if (!config.has_sweeps()) // which overlap
      subject.timelines = [config, program] { return array_schedule(config, *program); };
    InputSet inputs = inputs_of(subject, graph.tensors[graph.input]);
    if (inputs.count > 0)
      subject.work = std::make_unique<ArrayWorkload>(graph, config, program, std::move(inputs));
    return subject;
  }
};

} // namespace

const TopFamily& array_family() {
  static const ArrayFamily family;
  return family;
}

} // namespace deltatwin
