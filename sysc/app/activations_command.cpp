#include "app/activations_report.h"
#include "app/commands.h"
#include "app/float_stages.h"
#include "app/options.h"
#include "base/error.h"
#include "base/file.h"
#include "net/networks_directory.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

namespace deltatwin {
namespace {

const std::vector<std::string> all_parts = {"methods", "storage", "blocks", "compression", "figures"};
const std::string hardware_part = "hardware"; // by its name only
constexpr int compressed_images = 512;

struct Arguments {
  std::string network = "fashion_resnet8";
  std::string dataset = default_dataset;
  std::vector<std::string> methods; ///< instead of the tables
  std::vector<std::string> parts = all_parts;
  ActivationsSetup setup = {{2, 3, 4, 5}, 3, 0.4, false, {1, 2, 3, 4}};
  PlannerOptions planner;
  int images = 2000, threads = 0;
  std::string out, json;
};

void require(bool good, const std::string& what) {
  if (!good)
    throw InputError(what);
}

void check(const Arguments& arguments) {
  for (const std::string& part : arguments.parts)
    require(part == hardware_part || std::find(all_parts.begin(), all_parts.end(), part) != all_parts.end(),
            "--parts: unknown part \"" + part +
                "\"; known are methods, storage, blocks, compression, figures, hardware");
  for (const int bits : arguments.setup.bits)
    require(bits >= 2 && bits <= 7, "--bits: " + std::to_string(bits) + ", expected 2 to 7");
  for (const int bits : arguments.setup.low_bits)
    require(bits >= 1 && bits <= 8, "--unsigned-bits: " + std::to_string(bits) + ", expected 1 to 8");
  require(arguments.setup.figure_bits >= 2 && arguments.setup.figure_bits <= 4,
          "--figure-bits: " + std::to_string(arguments.setup.figure_bits) + ", expected 2 to 4");
  require(arguments.setup.extra >= 1 && arguments.setup.extra <= 4,
          "--extra: " + std::to_string(arguments.setup.extra) + ", expected 1 to 4");
  require(arguments.setup.ratio >= 0 && arguments.setup.ratio <= 1, "--ratio: expected 0 to 1");
  const PlannerOptions& p = arguments.planner;
  for (const auto& [option, value] : {std::pair("--calibration-images", p.calibration_images),
                                      std::pair("--ranking-images", p.ranking_images)})
    require(value >= 1 && value <= 5000,
            std::string(option) + ": " + std::to_string(value) + ", expected 1 to 5000");
  require(arguments.images >= 0, "--images: " + std::to_string(arguments.images) +
                                     ", expected a number of test images, or 0 for all");
}

bool wants(const Arguments& arguments, const char* part) {
  return arguments.methods.empty() &&
         std::find(arguments.parts.begin(), arguments.parts.end(), part) != arguments.parts.end();
}

void check_images(const FloatNetwork& network, const ImageSet& set, const std::string& dataset) {
  require(set.planes == network.planes && set.rows == network.rows && set.columns == network.columns,
          "network " + network.name + " takes images of " + std::to_string(network.planes) + " x " +
              std::to_string(network.rows) + " x " + std::to_string(network.columns) + ", those of " +
              dataset + " have " + std::to_string(set.planes) + " x " + std::to_string(set.rows) + " x " +
              std::to_string(set.columns) + "; --dataset names another directory");
  check_labels(set.data.labels, network.classes());
}

std::string figure_table(const Figure& figure) {
  TextTable table;
  table.add_column(figure.chart.x_label, TextTable::right, 9);
  for (const ChartSeries& series : figure.chart.series)
    table.add_column(series.name, TextTable::right, 8);
  const auto longest = std::max_element(
      figure.chart.series.begin(), figure.chart.series.end(),
      [](const ChartSeries& a, const ChartSeries& b) { return a.points.size() < b.points.size(); });
  for (std::size_t i = 0; i < longest->points.size(); ++i) {
    std::vector<std::string> cells = {shortest(longest->points[i].first)};
    for (const ChartSeries& series : figure.chart.series)
      cells.push_back(i < series.points.size() ? fixed(series.points[i].second, figure.chart.bars ? 3 : 2)
                                               : "");
    table.add_row(cells);
  }
  return table.text();
}

class Command {
public:
  explicit Command(const Arguments& arguments)
      : arguments_(arguments), network_(load_float_network(find_float_network(arguments.network))),
        training_(load_training()), test_(load_test()), stages_(network_),
        planner_(stages_, training_, planner_options()),
        study_(stages_, planner_, test_, evaluation_options()) {}

  void run();

private:
  [[nodiscard]] ImageSet load_training() const {
    const ImageSet all = load_image_set(arguments_.dataset, Split::train);
    check_images(network_, all, arguments_.dataset);
    const int count = validation_count(all.data.count);
    return all.part(all.data.count - count, count);
  }
  [[nodiscard]] ImageSet load_test() const {
    ImageSet set = load_image_set(arguments_.dataset, Split::test, arguments_.images);
    check_images(network_, set, arguments_.dataset);
    require(set.data.count >= arguments_.images, "--images asks for " + std::to_string(arguments_.images) +
                                                     ", the test set of " + arguments_.dataset + " has " +
                                                     std::to_string(set.data.count));
    return set;
  }
  [[nodiscard]] int threads() const {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    return arguments_.threads ? arguments_.threads : std::max(1, cores);
  }
  [[nodiscard]] PlannerOptions planner_options() const {
    PlannerOptions options = arguments_.planner;
    options.threads = threads();
    return options;
  }
  [[nodiscard]] EvaluationOptions evaluation_options() const {
    EvaluationOptions options;
    options.threads = threads();
    return options;
  }
  void choose_methods();
  void print_start() const;
  void run_blocks(Progress& progress);
  void run_compression(Progress& progress);
  void print_tables() const;
  void write_figures();
  void write_result() const;

  const Arguments& arguments_;
  FloatNetwork network_;
  ImageSet training_, test_;
  FloatStages stages_;
  Planner planner_;
  Study study_;
  Method real_ = parse_method("float");
  std::vector<Method> chosen_, storage_, hardware_, figure_;
  std::vector<MethodRow> rows_;
  std::vector<BlockAccuracy> blocks_;
  std::vector<CompressionResult> compression_;
  std::vector<std::string> files_;
};

void Command::choose_methods() {
  for (const std::string& text : arguments_.methods)
    chosen_.push_back(parse_method(text));
  if (wants(arguments_, "methods"))
    rows_ = method_rows(arguments_.setup);
  if (wants(arguments_, "storage"))
    storage_ = storage_methods(arguments_.setup);
  if (wants(arguments_, hardware_part.c_str()))
    hardware_ = hardware_methods(arguments_.setup);
  if (wants(arguments_, "figures"))
    figure_ = figure_methods(arguments_.setup);
  if (wants(arguments_, "blocks")) {
    const int bits = arguments_.setup.figure_bits;
    blocks_ = {
        {edqa(arguments_.setup, bits), {}},
        {parse_method("unsigned:n=" + std::to_string(bits) + ",code=whole,book=layer,contexts=4"), {}}};
  }
  study_.want({real_});
  study_.want(chosen_);
  for (const MethodRow& row : rows_)
    study_.want(row.methods);
  study_.want(storage_);
  study_.want(hardware_);
  study_.want(figure_);
  for (const BlockAccuracy& each : blocks_)
    study_.want({each.method});
}

void Command::print_start() const {
  int values = 0;
  for (const BlockShape& shape : stages_.shapes())
    values += shape.values();
  const double real = study_.result(real_).accuracy;
  std::printf(
      "%s", folded(network_.name + ": " + count_of(network_.blocks.size(), "block") + ", " +
                   grouped(network_.parameters()) + " parameters, " +
                   grouped(static_cast<std::uint64_t>(values)) + " activations an image behind the blocks; " +
                   grouped(static_cast<std::uint64_t>(test_.data.count)) + " test images: float accuracy " +
                   fixed(100 * real, 2) + " %, with a standard error of " +
                   fixed(100 * std::sqrt(real * (1 - real) / test_.data.count), 2) +
                   " (differences between methods, on the same images, are surer)")
                .c_str());
}

void Command::run_blocks(Progress& progress) {
  double done = 0;
  const auto all = static_cast<double>(blocks_.size() * stages_.shapes().size());
  for (BlockAccuracy& each : blocks_)
    for (std::size_t block = 0; block < stages_.shapes().size(); ++block) {
      each.alone.push_back(study_.accuracy_of_block(each.method.quantization, block));
      progress.update(++done, all, "block by block");
    }
}

void Command::run_compression(Progress& progress) {
  if (!wants(arguments_, "compression"))
    return;
  const ImageSet some = test_.part(0, std::min(compressed_images, test_.data.count));
  compression_ = compression(stages_, planner_, some, edqa(arguments_.setup, arguments_.setup.figure_bits),
                             [&](double done, double all) { progress.update(done, all, "compressing"); });
}

void Command::print_tables() const {
  if (!chosen_.empty())
    std::printf("\n%s", storage_table(chosen_, study_.result(real_), study_).c_str());
  if (!rows_.empty())
    std::printf(
        "\nAccuracy and bits a value (the paper's Table 2: ResNet-32 on CIFAR-10, float 92.5 %%):\n%s",
        method_table(rows_, arguments_.setup, study_).c_str());
  if (!storage_.empty())
    std::printf("\nAccuracy by bits a value, what nothing else beats in both marked with *; +- is the "
                "standard error of what is\nlost to float, on the same images:\n%s\n%s",
                storage_table(storage_, study_.result(real_), study_).c_str(),
                best_at_equal_bits(storage_, study_).c_str());
  if (!hardware_.empty())
    std::printf("\nWhat the tops edqa and noisyquant store, in each of their modes:\n%s",
                storage_table(hardware_, study_.result(real_), study_).c_str());
  if (!blocks_.empty())
    std::printf(
        "\nBlock by block: accuracy with its outputs quantized alone, the rest of all blocks quantized:\n");
  for (const BlockAccuracy& each : blocks_)
    std::printf("%s", block_table(stages_.shapes(), each, study_.result(real_).accuracy, study_).c_str());
  if (!compression_.empty())
    std::printf(
        "\nShifting errors compressed, a channel of a batch at a time (the paper's Table 1), N = %d:\n%s",
        arguments_.setup.figure_bits, compression_table(compression_).c_str());
}

void Command::write_figures() {
  std::vector<Figure> all;
  if (!storage_.empty())
    all.push_back(storage_figure(arguments_.setup, study_));
  if (!figure_.empty())
    for (Figure& figure : figures(arguments_.setup, study_))
      all.push_back(std::move(figure));
  if (all.empty())
    return;
  const std::string directory =
      arguments_.out.empty() ? default_output_directory() + "/activations-" + network_.name : arguments_.out;
  std::filesystem::create_directories(directory);
  for (const Figure& figure : all) {
    const std::string stem = directory + "/" + figure.file;
    write_file(stem + ".svg", to_svg(figure.chart));
    write_file(stem + ".csv", to_csv(figure.chart));
    files_.push_back(stem + ".svg");
    std::printf("\n%s: %s.svg, %s.csv\n", figure.chart.title.c_str(), stem.c_str(), figure.file.c_str());
    if (figure.file != "storage") // the table of which stands above
      std::printf("%s", figure_table(figure).c_str());
  }
}

void Command::write_result() const {
  std::vector<Method> all;
  const auto add = [&](const Method& method) {
    const std::string text = to_string(method);
    if (std::none_of(all.begin(), all.end(), [&](const Method& each) { return to_string(each) == text; }))
      all.push_back(method);
  };
  add(real_);
  for (const auto* methods : {&chosen_, &storage_, &hardware_, &figure_})
    std::for_each(methods->begin(), methods->end(), add);
  for (const MethodRow& row : rows_)
    std::for_each(row.methods.begin(), row.methods.end(), add);
  boost::json::array methods, compression, shapes, blocks, written;
  for (const Method& method : all)
    methods.push_back(to_json(study_.result(method), study_.result(real_)));
  for (const CompressionResult& result : compression_)
    compression.push_back(to_json(result));
  for (const BlockShape& shape : stages_.shapes())
    shapes.push_back({{"channels", shape.channels}, {"rows", shape.rows}, {"columns", shape.columns}});
  for (const BlockAccuracy& each : blocks_)
    blocks.push_back({{"method", to_string(each.method)},
                      {"accuracy_alone", boost::json::array(each.alone.begin(), each.alone.end())}});
  for (const std::string& file : files_)
    written.emplace_back(file);
  write_json(arguments_.json, "activations",
             {{"network", network_.name},
              {"dataset", arguments_.dataset},
              {"images", test_.data.count},
              {"calibration_images", std::min(arguments_.planner.calibration_images, training_.data.count)},
              {"ranking_images", std::min(arguments_.planner.ranking_images, training_.data.count)},
              {"seed", arguments_.planner.seed},
              {"float_accuracy", study_.result(real_).accuracy},
              {"blocks", std::move(shapes)},
              {"methods", std::move(methods)},
              {"blocks_alone", std::move(blocks)},
              {"compression", std::move(compression)},
              {"figures", std::move(written)}});
}

void Command::run() {
  choose_methods();
  {
    Progress progress("quantizing");
    study_.run([&](const std::string& what, double done, double all) { progress.update(done, all, what); });
    progress.restart();
    run_blocks(progress);
    progress.restart();
    run_compression(progress);
    progress.clear();
  }
  print_start();
  print_tables();
  write_figures();
  write_result();
}

void add_options(CLI::App& command, Arguments& arguments) {
  command.add_option("-n,--network", arguments.network, "float network: a file, or a name in traces/")
      ->capture_default_str();
  command
      .add_option("--dataset", arguments.dataset,
                  "directory with IDX files, or with CIFAR-10's binary batches (data_batch_1.bin, ...)")
      ->capture_default_str();
  command.add_option("-i,--images", arguments.images, "test images, the first so many; 0: all")
      ->capture_default_str();
  command
      .add_option("--method", arguments.methods,
                  "run this method instead of the tables; may be given several times (see below)")
      ->take_all();
  command
      .add_option("--parts", arguments.parts,
                  "tables and figures to make; hardware: of what the tops edqa and noisyquant store")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--bits", arguments.setup.bits, "N of the signed methods, 2 to 7")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--unsigned-bits", arguments.setup.low_bits, "N of the plain unsigned methods, 1 to 8")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--figure-bits", arguments.setup.figure_bits,
                  "N of Figures 3 and 4, of the table of compressors and block by block, 2 to 4")
      ->capture_default_str();
  command.add_option("--extra", arguments.setup.extra, "m of eDQA, at most N")->capture_default_str();
  command.add_option("--ratio", arguments.setup.ratio, "r of eDQA: share of important channels")
      ->capture_default_str();
  command.add_flag(
      "--online", arguments.setup.online,
      "NoisyQuant searched online, too (10 scales, 10 offsets a batch): takes twenty times as long");
  command
      .add_option("--ranking-images", arguments.planner.ranking_images,
                  "validation images that the greedy ranking runs on (the paper: 5,000)")
      ->capture_default_str();
  command
      .add_option("--calibration-images", arguments.planner.calibration_images,
                  "validation images that static scales and books are made from")
      ->capture_default_str();
  command.add_option("--seed", arguments.planner.seed, "chooses those images")->capture_default_str();
  command.add_option("--threads", arguments.threads, "threads [one a core]")->check(CLI::Range(1, 1024));
  command.add_option("-o,--out", arguments.out,
                     "directory for figures (default: traces/out/activations-NAME)");
  add_json_option(command, arguments.json);
}

} // namespace

void add_activations_command(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("activations", activations_summary);
  add_options(*command, *arguments);
  command->footer(
      "Examples:\n"
      "  deltatwin activations\n"
      "  deltatwin activations --images 0 --parts methods,storage --json result.json\n"
      "  deltatwin activations --network cifar.safetensors --dataset cifar-10-batches-bin --images 1000\n"
      "  deltatwin activations --method edqa:n=3,r=0.5 --method unsigned:n=3,code=whole,contexts=4\n\n" +
      method_help());
  command->callback([arguments, &exit_code] {
    check(*arguments);
    prepare_json(arguments->json);
    for (const std::string& text : arguments->methods)
      static_cast<void>(parse_method(text));
    Command(*arguments).run();
    exit_code = 0;
  });
}

} // namespace deltatwin
