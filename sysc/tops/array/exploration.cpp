#include "tops/array/exploration.h"
#include "base/error.h"
#include "base/text.h"
#include "net/formats/formats.h"
#include "net/networks_directory.h"
#include "tops/array/timing.h"
#include "tops/array/top.h"
#include <set>

namespace deltatwin {

namespace axis = array_axis;

const std::vector<std::string>& array_orders() {
  static const std::vector<std::string> names = {"depth_first", "by_layers"};
  return names;
}

const std::vector<std::string>& array_multipliers() {
  static const std::vector<std::string> names = {"lut", "dsp_packed", "none"};
  return names;
}

const std::vector<std::string>& stage_multipliers() {
  static const std::vector<std::string> names = {"lut", "dsp"};
  return names;
}

const std::vector<std::string>& array_scalings() {
  static const std::vector<std::string> names = {"shift", "multiply"};
  return names;
}

const std::vector<std::string>& array_additions() {
  static const std::vector<std::string> names = {"scaled", "lookup"};
  return names;
}

const Axis& widths_axis() {
  static const Axis axis{Axis::set,
                         "widths",
                         "",
                         "bits of activations that layers may have, as 8+1; others than 8 take planes",
                         0,
                         0,
                         {"8", "4", "2", "1"},
                         "8"};
  return axis;
}

const Axis& lut_ram_axis() {
  static const Axis axis{Axis::set,
                         "lut_ram",
                         "",
                         "buffers in LUT-RAM instead of block RAM",
                         0,
                         0,
                         {array_buffers, array_buffers + array_buffer_count},
                         "none"};
  return axis;
}

ArrayConfig array_config(const double* choices) {
  const auto integer = [choices](std::size_t a) { return static_cast<int>(choices[a]); };
  ArrayConfig config;
  config.leave_open();
  config.multiplier = integer(axis::multiplier);
  config.outputs = integer(axis::outputs);
  config.channels = integer(axis::channels);
  config.rows = integer(axis::banks);
  config.results = integer(axis::results);
  config.pixels = integer(axis::pixels);
  config.sum_bits = integer(axis::sum_bits);
  config.map_depth = integer(axis::map_depth);
  config.input_depth = integer(axis::input_depth);
  config.input_bits = integer(axis::input_bits);
  config.weight_depth = integer(axis::weight_depth);
  config.param_depth = integer(axis::param_depth);
  config.skip_depth = integer(axis::skip_depth);
  config.output_depth = integer(axis::output_depth);
  config.stage_results = integer(axis::stage_results);
  config.stage_multiplier = integer(axis::stage_multiplier);
  config.lut_ram = integer(axis::lut_ram);
  config.planes = integer(axis::planes);
  config.widths = integer(axis::widths);
  config.reference_bits = integer(axis::references);
  config.scale_multiply = integer(axis::scaling);
  config.sweep = integer(axis::sweep);
  config.decoders = integer(axis::decoders);
  config.symbol_weights = integer(axis::symbol_weights);
  config.books = integer(axis::books);
  if (choices[axis::skip_zeros] != 0)
    config.zero_depth = choices[axis::zero_depth] != 0 ? integer(axis::zero_depth) : ArrayConfig::open_depth;
  config.scale_bits = integer(axis::scale_bits);
  config.lookup = integer(axis::additions);
  config.dsp_outputs = integer(axis::dsp_outputs);
  config.threshold_bits = integer(axis::threshold_bits);
  config.wide_sums = integer(axis::wide_sums);
  config.clock_mhz = choices[axis::clock];
  return config;
}

ArrayOrder array_order(const double* choices) {
  return choices[axis::order] != 0 ? ArrayOrder::by_layers : ArrayOrder::depth_first;
}

ArrayExploration::ArrayExploration(const std::vector<AxisValues>& values)
    : files_(values[axis::network].texts), lut_rams_(values[axis::lut_ram].numbers),
      widths_(values[axis::widths].numbers) {
  std::set<std::string> names;
  for (const std::string& file : files_) {
    graphs_.push_back(load_graph(find_network(file)));
    if (!names.insert(graphs_.back().name).second)
      throw InputError("two of the space's networks have the name " + graphs_.back().name);
  }
}

std::shared_ptr<const ArrayGraph> ArrayExploration::lowered(std::size_t network,
                                                            const ArrayConfig& config) const {
  const std::pair<std::size_t, std::vector<int>> key(network, lowering_key(config));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto known = lowered_.find(key); known != lowered_.end())
      return known->second;
  }
  const auto made = std::make_shared<const ArrayGraph>(lower(graphs_[network], config));
  const std::lock_guard<std::mutex> lock(mutex_);
  return lowered_.emplace(key, made).first->second;
}

ArrayExploration::Design ArrayExploration::design(const double* choices) const {
  // Cycles and depths do not depend on what multipliers and buffers are made of.
  std::vector<double> key(choices, choices + axis::clock);
  for (const std::size_t of_area_alone : {axis::stage_multiplier, axis::lut_ram})
    key[of_area_alone] = 0;
  key[axis::multiplier] = choices[axis::multiplier] == ArrayConfig::no_multiplier;
  Design design = timed(choices, key);
  const ArrayConfig chosen = array_config(choices);
  design.config.multiplier = chosen.multiplier;
  design.config.stage_multiplier = chosen.stage_multiplier;
  design.config.lut_ram = chosen.lut_ram;
  return design;
}

ArrayExploration::Design ArrayExploration::timed(const double* choices,
                                                 const std::vector<double>& key) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto known = designs_.find(key); known != designs_.end())
      return known->second;
  }
  constexpr int enough = 9; // images, for what is steady
  Design design;
  design.config = array_config(choices);
  try {
    const ArrayProgram program =
        size_up(*lowered(static_cast<std::size_t>(choices[axis::network]), design.config), design.config,
                array_order(choices));
    const ArrayRun run = array_run(design.config, program, enough);
    design.latency = run.latency();
    design.period = run.period();
  } catch (const InputError& error) {
    design.complaint = error.what();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  return designs_.emplace(key, design).first->second;
}

void ArrayExploration::evaluate(const double* choices, std::size_t count, Evaluation* results) const {
  for (std::size_t i = 0; i < count; ++i, choices += axis::count) {
    const Design made = design(choices);
    Evaluation& result = results[i];
    result.possible = made.complaint.empty();
    if (!result.possible)
      continue;
    const double clock = choices[axis::clock], macs = static_cast<double>(graph(choices).macs());
    const ArrayConfig& config = made.config;
    result.area = total_area(ArrayTop(config).parts());
    result.figures = {macs * clock * 1e6 / made.period, static_cast<double>(made.latency) / clock};
    result.stored = {choices[axis::network],
                     choices[axis::order],
                     choices[axis::multiplier],
                     choices[axis::outputs],
                     choices[axis::channels],
                     choices[axis::banks],
                     choices[axis::results],
                     choices[axis::pixels],
                     choices[axis::stage_results],
                     choices[axis::stage_multiplier],
                     choices[axis::lut_ram],
                     choices[axis::planes],
                     choices[axis::widths],
                     choices[axis::references],
                     choices[axis::scaling],
                     choices[axis::sweep],
                     choices[axis::decoders],
                     choices[axis::symbol_weights],
                     choices[axis::books],
                     static_cast<double>(config.zero_depth),
                     choices[axis::scale_bits],
                     choices[axis::additions],
                     choices[axis::dsp_outputs],
                     choices[axis::threshold_bits],
                     choices[axis::wide_sums],
                     choices[axis::sum_bits],
                     static_cast<double>(config.map_depth),
                     static_cast<double>(config.weight_depth),
                     static_cast<double>(config.skip_depth),
                     clock,
                     static_cast<double>(made.latency),
                     made.period};
  }
}

std::string ArrayExploration::complaint(const double* choices) const { return design(choices).complaint; }

Cycle ArrayExploration::run_cycles(const double* choices, int items) const {
  ArrayConfig config = array_config(choices);
  const ArrayProgram program = compile_to_fit(graph(choices), config, array_order(choices));
  return array_run(config, program, items).cycles();
}

ResultSchema ArrayExploration::schema() const {
  ResultSchema schema;
  schema.stored = {{"network", "integer"},        {"order_of_rows", "integer"},
                   {"multiplier", "integer"},     {"outputs", "integer"},
                   {"channels", "integer"},       {"banks", "integer"},
                   {"results", "integer"},        {"pixels", "integer"},
                   {"stage_results", "integer"},  {"stage_multiplier", "integer"},
                   {"lut_ram", "integer"},        {"planes", "integer"},
                   {"widths", "integer"},         {"reference_bits", "integer"},
                   {"scaling", "integer"},        {"sweep", "integer"},
                   {"decoders", "integer"},       {"symbol_weights", "integer"},
                   {"books", "integer"},          {"zero_depth", "integer"},
                   {"scale_bits", "integer"},     {"addition", "integer"},
                   {"dsp_outputs", "integer"},    {"threshold_bits", "integer"},
                   {"wide_sums", "integer"},      {"sum_bits", "integer"},
                   {"map_depth", "integer"},      {"weight_depth", "integer"},
                   {"skip_depth", "integer"},     {"clock_mhz", "real"},
                   {"latency_cycles", "integer"}, {"cycles", "real"}};
  ResultSchema::Table networks{
      "networks", "id integer primary key, name text, macs integer, weights integer", {}};
  for (const Graph& graph : graphs_)
    networks.rows.push_back(
        {networks.rows.size(), boost::json::string(graph.name), graph.macs(), graph.weights()});
  const auto names = [](const char* name, const std::vector<std::string>& of) {
    ResultSchema::Table table{name, "id integer primary key, name text", {}};
    for (const std::string& each : of)
      table.rows.push_back({table.rows.size(), boost::json::string(each)});
    return table;
  };
  ResultSchema::Table buffers{"lut_rams", "id integer primary key, name text", {}};
  for (const double chosen : lut_rams_)
    buffers.rows.push_back(
        {static_cast<std::int64_t>(chosen), boost::json::string(lut_ram_axis().set_text(chosen))});
  ResultSchema::Table widths{"width_sets", "id integer primary key, name text", {}};
  for (const double chosen : widths_)
    widths.rows.push_back(
        {static_cast<std::int64_t>(chosen), boost::json::string(widths_axis().set_text(chosen))});
  schema.tables = {networks,
                   names("orders", array_orders()),
                   names("multipliers", array_multipliers()),
                   names("stage_multipliers", stage_multipliers()),
                   buffers,
                   widths,
                   names("scalings", array_scalings()),
                   names("additions", array_additions())};
  schema.joins = "join networks n on n.id = p.network join orders o on o.id = p.order_of_rows "
                 "join multipliers m on m.id = p.multiplier "
                 "join stage_multipliers t on t.id = p.stage_multiplier join lut_rams u on u.id = p.lut_ram "
                 "join width_sets w on w.id = p.widths join scalings s on s.id = p.scaling "
                 "join additions a on a.id = p.addition";
  schema.shown = {
      {"network", "n.name", "network", "", 20, true, true},
      {"outputs", "p.outputs", "outputs", "", 19, true},
      {"channels", "p.channels", "channels", "", 18, true},
      {"banks", "p.banks", "banks", "", 17, true},
      {"results", "p.results", "results", "a cycle", 15, true},
      {"pixels", "p.pixels", "pixels", "", 14, true},
      {"multiplier", "m.name", "multiplier", "", 14, true},
      {"stage_results", "p.stage_results", "stage", "results", 13, true},
      {"stage_multiplier", "t.name", "stage", "multiplier", 11, true},
      {"lut_ram", "u.name", "LUT-RAM", "", 9, true},
      {"planes", "p.planes", "planes", "a cycle", 14, true},
      {"widths", "w.name", "widths", "bits", 14, true},
      {"reference_bits", "p.reference_bits", "references", "bits", 5, true},
      {"scaling", "s.name", "scaling", "", 4, true},
      {"sweep", "p.sweep", "sweep", "pixels", 6, true},
      {"decoders", "p.decoders", "decoders", "", 5, true},
      {"symbol_weights", "p.symbol_weights", "symbol", "weights", 4, true},
      {"books", "p.books", "books", "", 4, true},
      {"zero_depth", "p.zero_depth", "zeros", "marks", 4, true},
      {"scale_bits", "p.scale_bits", "scales", "bits", 3, true},
      {"addition", "a.name", "additions", "", 3, true},
      {"dsp_outputs", "p.dsp_outputs", "outputs", "with DSPs", 3, true},
      {"threshold_bits", "p.threshold_bits", "thresholds", "bits", 3, true},
      {"wide_sums", "p.wide_sums", "wide", "sums", 2, true},
      {"sum_bits", "p.sum_bits", "sums", "bits", 4, true},
      {"order_of_rows", "o.name", "order", "", 10, true},
      {"map_depth", "p.map_depth", "map", "words", 8, true},
      {"weight_depth", "p.weight_depth", "weights", "words", 7, true},
      {"skip_depth", "p.skip_depth", "skips", "words", 3, true},
      {"device", "d.name", "device", "", 1, true},
      {"clock_mhz", "p.clock_mhz", "clock", "MHz", 12, true},
      {"macs", "n.macs", "MACs", "", 1, false, false, false, 1, 0},
      {"cycles", "p.cycles", "cycles", "an image", 13, false, false, false, 1, 0},
      {"latency_us", "p.latency_cycles / p.clock_mhz", "latency", "us", 11, false, false, false, 1, 1},
      {"throughput", "n.macs * p.clock_mhz * 1e6 / p.cycles", "throughput", "M MAC/s", 16, false, false, true,
       1e-6, 1},
      {"images_per_second", "p.clock_mhz * 1e6 / p.cycles", "images", "a second", 2, false, false, true, 1,
       0}};
  return schema;
}

std::vector<std::string> ArrayExploration::arguments(const double* choices) const {
  const ArrayConfig config = design(choices).config;
  return {"--network",
          files_[static_cast<std::size_t>(choices[axis::network])],
          "--order",
          array_orders()[static_cast<std::size_t>(choices[axis::order])],
          "--multiplier",
          array_multipliers()[static_cast<std::size_t>(config.multiplier)],
          "--outputs",
          std::to_string(config.outputs),
          "--channels",
          std::to_string(config.channels),
          "--banks",
          std::to_string(config.rows),
          "--results",
          std::to_string(config.results),
          "--pixels",
          std::to_string(config.pixels),
          "--sum-bits",
          std::to_string(config.sum_bits),
          "--map-depth",
          std::to_string(config.map_depth),
          "--input-depth",
          std::to_string(config.input_depth),
          "--input-bits",
          std::to_string(config.input_bits),
          "--weight-depth",
          std::to_string(config.weight_depth),
          "--param-depth",
          std::to_string(config.param_depth),
          "--skip-depth",
          std::to_string(config.skip_depth),
          "--output-depth",
          std::to_string(config.output_depth),
          "--stage-results",
          std::to_string(config.stage_results),
          "--stage-multiplier",
          stage_multipliers()[static_cast<std::size_t>(config.stage_multiplier)],
          "--lut-ram",
          lut_ram_axis().set_text(config.lut_ram),
          "--planes",
          std::to_string(config.planes),
          "--widths",
          widths_axis().set_text(config.widths),
          "--references",
          std::to_string(config.reference_bits),
          "--scaling",
          array_scalings()[static_cast<std::size_t>(config.scale_multiply)],
          "--sweep",
          std::to_string(config.sweep),
          "--decoders",
          std::to_string(config.decoders),
          "--symbol-weights",
          std::to_string(config.symbol_weights),
          "--books",
          std::to_string(config.books),
          "--skip-zeros",
          std::to_string(config.has_marks()),
          "--zero-depth",
          config.has_marks() ? std::to_string(config.zero_depth) : "fit",
          "--scale-bits",
          std::to_string(config.scale_bits),
          "--additions",
          array_additions()[static_cast<std::size_t>(config.lookup)],
          "--dsp-outputs",
          std::to_string(config.dsp_outputs),
          "--threshold-bits",
          std::to_string(config.threshold_bits),
          "--wide-sums",
          std::to_string(config.wide_sums),
          "--clock-mhz",
          shortest(choices[axis::clock])};
}

std::vector<std::string> ArrayExploration::work_arguments(const double*, int count) const {
  constexpr int made_up = 3;
  return {"--images", "random:" + std::to_string(count ? count : made_up)};
}

} // namespace deltatwin
