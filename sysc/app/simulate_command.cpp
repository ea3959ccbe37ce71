#include "app/commands.h"
#include "app/options.h"
#include "app/result_files.h"
#include "app/simulate_graph.h"
#include "app/simulate_top.h"
#include "app/simulation.h"
#include "app/storage.h"
#include "app/subject.h"
#include "base/error.h"
#include "base/file.h"
#include "base/fit.h"
#include "base/huffman.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include "tops/accelerator/area.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

namespace deltatwin {
namespace {

struct Figures {
  std::uint64_t macs = 0;
  double macs_per_second = 0, utilization = 0;
  Resources used;
  Fit fit = Fit::no;
  Storage storage;

  Figures(const Setup& setup, const SimulationResult& result)
      : storage(setup.network, setup.design, setup.program) {
    const Design& design = setup.design;
    macs = setup.network.macs();
    macs_per_second = static_cast<double>(macs) * design.clock_mhz * 1e6 / result.cycles_per_inference;
    utilization =
        static_cast<double>(macs) * design.cycles_per_mac() / (result.cycles_per_inference * design.lanes);
    used = resources(design);
    fit = fit_by_model(used, setup.device);
  }
};

std::string format_name(const Layer& layer) {
  if (layer.scheme == Scheme::plain)
    return "int" + std::to_string(layer.delta_bits);
  return std::string(layer.scheme == Scheme::consecutive ? "consecutive" : "fixed-ref") +
         " D=" + std::to_string(layer.delta_bits);
}

std::string mega(double number) { return number < 1e5 ? rate(number / 1e6) : fixed(number / 1e6, 3); }

void print_layers(const Setup& setup, const SimulationResult& result) {
  const Design& design = setup.design;
  std::printf("\n  layer  shape      format           code                 bits  bits/w  entropy       "
              "cycles  M MAC/s"
              "  used\n");
  for (std::size_t l = 0; l < setup.network.layers.size(); ++l) {
    const Layer& layer = setup.network.layers[l];
    const double macs = static_cast<double>(layer.macs());
    const double cycles = static_cast<double>(result.layer_cycles[l]);
    const auto weights = static_cast<double>(layer.deltas.size());
    const std::string shape = std::to_string(layer.inputs) + "x" + std::to_string(layer.outputs);
    std::printf("  %5zu  %-9s  %-15s  %-13s %10s  %6s  %7s %12s %8s %3s %%\n", l, shape.c_str(),
                format_name(layer).c_str(), to_string(layer.code), grouped(layer.stored_bits()).c_str(),
                fixed(static_cast<double>(layer.code_bits()) / weights, 3).c_str(),
                fixed(entropy_bits(layer.histogram()) / weights, 3).c_str(),
                grouped(result.layer_cycles[l]).c_str(), rate(macs * design.clock_mhz / cycles).c_str(),
                fixed(100 * macs * design.cycles_per_mac() / (cycles * design.lanes), 0).c_str());
  }
}

void print_report(const CommonOptions& options, const Setup& setup, const SimulationResult& result,
                  const Figures& figures) {
  const Design& design = setup.design;
  const auto line = [](const char* name, const std::string& text) {
    std::printf("  %-22s %s\n", name, text.c_str());
  };
  const double cycles = result.cycles_per_inference;
  const std::string images = describe(parse_images(options.images), result.images);
  std::printf("%s on %s: %s, multiplier %s, %s MHz\n\n", setup.network.name.c_str(),
              setup.device.name.c_str(), count_of(static_cast<std::uint64_t>(design.lanes), "lane").c_str(),
              to_string(design.multiplier), shortest(design.clock_mhz).c_str());
  line("accuracy", result.accuracy ? fixed(100 * *result.accuracy, 2) + " % of " + images
                   : parse_images(options.images).random ? "not known: images that are made up have no labels"
                                                         : "not known: there are no labels");
  line("cycles an inference", grouped(static_cast<std::uint64_t>(cycles + 0.5)) + " in steady state");
  line("latency", grouped(result.latency_cycles) + " cycles, " +
                      fixed(static_cast<double>(result.latency_cycles) / design.clock_mhz, 1) +
                      " us from first input to last output of a lone inference");
  line("this run", grouped(result.run_cycles) + " cycles for " + images);
  line("throughput",
       rate(design.clock_mhz * 1e6 / cycles) + " images/s, " + mega(figures.macs_per_second) + " M MAC/s");
  line("MAC utilization", fixed(100 * figures.utilization, 1) + " %");
  figures.storage.print();
  print_layers(setup, result);
  std::printf("\n");
  print_area(figures.used, setup.device, result.wall_seconds);
}

boost::json::object to_json(const CommonOptions& options, const FileOptions& files, const Setup& setup,
                            const SimulationResult& result, const Figures& figures) {
  const Design& design = setup.design;
  boost::json::array layers;
  for (std::size_t l = 0; l < setup.network.layers.size(); ++l)
    layers.push_back({{"inputs", setup.network.layers[l].inputs},
                      {"outputs", setup.network.layers[l].outputs},
                      {"macs", setup.network.layers[l].macs()},
                      {"weights", setup.network.layers[l].deltas.size()},
                      {"cycles", result.layer_cycles[l]},
                      {"code", to_string(setup.network.layers[l].code)},
                      {"stored_bits", setup.network.layers[l].stored_bits()}});
  boost::json::object json = {{"network", setup.network.name},   {"device", setup.device.name},
                              {"lanes", design.lanes},           {"lanes_per_bank", design.lanes_per_bank},
                              {"bank_depth", design.bank_depth}, {"multiplier", to_string(design.multiplier)},
                              {"clock_mhz", design.clock_mhz}};
  add_images(json, parse_images(options.images), options.dataset, result.images);
  if (files.given()) {
    json["dataset"] = nullptr;
    json["inputs"] = files.inputs;
  }
  const auto optional = [](const std::optional<double>& value) {
    return value ? boost::json::value(*value) : boost::json::value();
  };
  const boost::json::object figures_of_run = {
      {"accuracy", optional(result.accuracy)},
      {"cycles_per_inference", result.cycles_per_inference},
      {"latency_cycles", result.latency_cycles},
      {"run_cycles", result.run_cycles},
      {"measured_cycles_per_inference", optional(result.measured_cycles_per_inference)},
      {"macs_per_inference", figures.macs},
      {"macs_per_second", figures.macs_per_second},
      {"mac_utilization", figures.utilization},
      {"images_per_second", design.clock_mhz * 1e6 / result.cycles_per_inference},
      {"storage", figures.storage.json()},
      {"layers", std::move(layers)},
      {"resources", deltatwin::to_json(figures.used, setup.device, true)},
      {"fits", deltatwin::to_json(figures.fit)},
      {"wall_seconds", result.wall_seconds}};
  json.insert(figures_of_run.begin(), figures_of_run.end());
  return json;
}

// What a dense network takes of --inputs: pixels and labels.
Dataset dataset_of(const FileOptions& files, const CommonOptions& options, const Network& network) {
  if (!files.outputs.empty())
    check_writable(files.outputs);
  if (!files.given())
    return load_test_images(options, network);
  const ImageChoice choice = parse_images(options.images);
  const Tensor tensor = to_graph(network).tensors[0];
  const InputSet inputs = load_inputs(files, tensor, choice.count);
  Dataset images;
  images.count = inputs.count;
  images.pixels = network.layers.front().inputs;
  for (const std::int32_t value : inputs.values)
    images.images.push_back(static_cast<std::uint8_t>(value + 128));
  for (const int label : inputs.labels) {
    if (label > 255)
      throw InputError("label " + std::to_string(label) + " is outside 0..255");
    images.labels.push_back(static_cast<std::uint8_t>(label));
  }
  return images;
}

// Of a dense network: what is expected, and where outputs go.
int finish_files(const FileOptions& files, const Setup& setup, const SimulationResult& result) {
  const Graph graph = to_graph(setup.network);
  const std::vector<std::int32_t> values(result.results.begin(), result.results.end());
  const Outputs outputs = {graph, result.images, values};
  const int exit_code = files.expected.empty() ? 0 : print_comparison(files, compare(files, outputs));
  write_outputs(files, outputs);
  return exit_code;
}

} // namespace

void add_simulate_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("simulate", "cycle-exact simulation of the test images: accuracy, speed, fit");
  auto allow_overflow = std::make_shared<bool>(false);
  command->add_flag("--allow-overflow", *allow_overflow,
                    "exit with 0 even where the design does not fit the device");
  if (!accelerator_is_selected()) {
    add_top_simulation(*command, allow_overflow, exit_code);
    return;
  }
  auto options = std::make_shared<CommonOptions>();
  auto files = std::make_shared<FileOptions>();
  add_common_options(*command, *options, "test images, 0 for all [0]");
  add_input_options(*command, *files);
  add_result_options(*command, *files, "-o,--output,--outputs");
  add_top_option(*command);
  command->footer(
      "Examples:\n"
      "  deltatwin simulate\n"
      "  deltatwin simulate --network paper_fixed4 --device xc7s25 --lanes 32 --multiplier dsp_packed\n"
      "  deltatwin simulate --network s15_huffman\n"
      "  deltatwin simulate --network paper_int8 --code huffman --device xc7z020\n"
      "  deltatwin simulate --network my_network.json --images random:100 --json result.json\n"
      "  deltatwin simulate --network resnet8.json --inputs images.npy --expected log.csv --output out.csv\n"
      "A network of convolutions is simulated on the top array, whose options it takes.\n"
      "  deltatwin simulate --network binary.json --multiplier none --planes 1 --widths 8+1 --references 4 "
      "--scaling shift\n"
      "  deltatwin simulate --json - | jq .cycles_per_inference\n"
      "Exit code 3: the design does not fit. Where the area model's own error decides that (\"too close to\n"
      "tell\", in JSON \"fits\": null), it is 0: `deltatwin synth` with the same options tells.");
  command->callback([options, files, allow_overflow, &exit_code] {
    if (!files->given() && !(files->type.empty() && files->labels.empty()))
      throw InputError("--labels and --input-type go with --inputs");
    if (const Graph graph = load_graph(find_network(options->network)); !is_dense_chain(graph)) {
      exit_code = simulate_graph(graph, *options, *files);
      return;
    }
    const Setup setup(*options);
    const Dataset images = dataset_of(*files, *options, setup.network);
    const SimulationResult result = simulate(setup.design, setup.program, images);
    const Figures figures(setup, result);
    print_report(*options, setup, result, figures);
    const int differs = finish_files(*files, setup, result);
    write_json(options->json, "simulate", to_json(*options, *files, setup, result, figures));
    if (differs)
      exit_code = differs;
    else if (figures.fit == Fit::no && !*allow_overflow)
      exit_code = exit_does_not_fit;
  });
}

} // namespace deltatwin
