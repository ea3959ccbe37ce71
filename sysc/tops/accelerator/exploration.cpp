#include "tops/accelerator/exploration.h"
#include "base/error.h"
#include "net/dataset.h"
#include "net/inference.h"
#include "net/networks_directory.h"
#include "tops/accelerator/area.h"
#include "tops/accelerator/run_timing.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

namespace deltatwin {
namespace {

namespace axis = accelerator_axis;

// "mixed": not all layers have the same.
const char* code_of(const Network& network) {
  const Code first = network.layers.front().code;
  const bool mixed = std::any_of(network.layers.begin(), network.layers.end(),
                                 [=](const Layer& layer) { return layer.code != first; });
  return mixed ? "mixed" : to_string(first);
}

double test_accuracy(const Network& network, const Dataset& images) {
  if (images.pixels != network.layers.front().inputs)
    throw InputError("network " + network.name + " has " + std::to_string(network.layers.front().inputs) +
                     " inputs, the test images have " + std::to_string(images.pixels) + " pixels");
  return accuracy(network, images.inputs(images.count), images.labels);
}

std::string shortest(double number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, number, std::chars_format::fixed).ptr};
}

int integer(double value) { return static_cast<int>(value); }

} // namespace

AcceleratorExploration::AcceleratorExploration(const std::vector<AxisValues>& values, bool accuracy_known,
                                               const std::string& dataset)
    : dataset_(dataset), files_(values[axis::network].texts), codes_(values[axis::code].numbers) {
  Dataset images;
  try {
    images = load_dataset(dataset, "t10k", 0);
  } catch (const InputError&) {
    if (accuracy_known)
      throw;
  }
  std::set<std::string> names;
  for (const std::string& file : files_) {
    const Network network = load_network(find_network(file));
    if (!names.insert(network.name).second)
      throw InputError("two of the space's networks have the name " + network.name);
    double accuracy = std::numeric_limits<double>::quiet_NaN();
    try {
      accuracy = test_accuracy(network, images);
    } catch (const InputError&) { // of another size, or with labels that it has no output for
      if (accuracy_known)
        throw;
    }
    for (const double code : codes_) {
      Network coded = network;
      if (code > 0) // 0: as it was trained
        recode(coded, static_cast<Code>(integer(code) - 1));
      variants_.push_back({coded.name, code_of(coded), accuracy, coded.macs(), coded.weight_count(),
                           coded.stored_bits(), Demand(coded), describe(coded)});
    }
  }
}

std::size_t AcceleratorExploration::variant(const double* choices) const {
  const auto code = std::find(codes_.begin(), codes_.end(), choices[axis::code]);
  return static_cast<std::size_t>(choices[axis::network]) * codes_.size() +
         static_cast<std::size_t>(code - codes_.begin());
}

Design AcceleratorExploration::design(const double* choices) const {
  DesignChoice choice;
  choice.lanes = integer(choices[axis::lanes]);
  choice.lanes_per_bank = integer(choices[axis::lanes_per_bank]);
  choice.bank_depth = integer(choices[axis::bank_depth]);
  choice.multiplier = static_cast<Multiplier>(integer(choices[axis::multiplier]));
  choice.clock_mhz = choices[axis::clock];
  return smallest_design(variants_[variant(choices)].demand, choice);
}

void AcceleratorExploration::evaluate(const double* choices, std::size_t count, Evaluation* results) const {
  RunTiming timing;
  for (std::size_t i = 0; i < count; ++i, choices += axis::count) {
    Evaluation& result = results[i];
    const double clock = choices[axis::clock];
    const std::size_t index = variant(choices);
    const Variant& each = variants_[index];
    // The clock, which runs fastest, changes neither area nor cycles.
    if (i > 0 && std::equal(choices, choices + axis::clock, choices - axis::count)) {
      result = results[i - 1];
    } else {
      result.possible = false;
      const Design made = design(choices);
      if (!deltatwin::complaint(made).empty()) // no exceptions: unwinding holds up the other threads
        continue;
      if (choices[axis::bank_depth] > 0 &&
          each.demand.bank_words(made.lanes, made.lanes_per_bank) > made.bank_depth)
        continue;
      result.possible = true;
      result.area = resources(made);
      timing = run_timing(made, each.layers);
      result.stored = {static_cast<double>(index),
                       choices[axis::multiplier],
                       static_cast<double>(made.lanes),
                       static_cast<double>(made.lanes_per_bank),
                       static_cast<double>(made.bank_depth),
                       clock,
                       static_cast<double>(timing.latency()),
                       static_cast<double>(timing.period),
                       static_cast<double>(timing.period_cycles)};
    }
    if (!result.possible)
      continue;
    result.stored[5] = clock;
    result.figures = {each.accuracy, static_cast<double>(timing.latency()) / clock,
                      static_cast<double>(each.macs) * clock * 1e6 / timing.interval(),
                      static_cast<double>(each.stored_bits) / static_cast<double>(each.weights)};
  }
}

std::string AcceleratorExploration::complaint(const double* choices) const {
  const Design made = design(choices);
  const std::string what = deltatwin::complaint(made);
  const Demand& demand = variants_[variant(choices)].demand;
  return !what.empty()
             ? what
             : "the network needs " + std::to_string(demand.bank_words(made.lanes, made.lanes_per_bank)) +
                   " words of each weight bank, the design has " + std::to_string(made.bank_depth);
}

Cycle AcceleratorExploration::run_cycles(const double* choices, int items) const {
  return deltatwin::run_cycles(design(choices), variants_[variant(choices)].layers, items);
}

ResultSchema AcceleratorExploration::schema() const {
  ResultSchema schema;
  schema.stored = {{"network", "integer"},        {"multiplier", "integer"}, {"lanes", "integer"},
                   {"lanes_per_bank", "integer"}, {"bank_depth", "integer"}, {"clock_mhz", "real"},
                   {"latency_cycles", "integer"}, {"period", "integer"},     {"period_cycles", "integer"}};
  ResultSchema::Table networks{
      "networks",
      "id integer primary key, name text, code text, accuracy real, macs integer, weights integer, "
      "stored_bits integer",
      {}};
  for (const Variant& each : variants_) {
    const auto accuracy =
        std::isnan(each.accuracy) ? boost::json::value() : boost::json::value(each.accuracy);
    networks.rows.push_back({networks.rows.size(), boost::json::string(each.network),
                             boost::json::string(each.code), accuracy, each.macs, each.weights,
                             each.stored_bits});
  }
  ResultSchema::Table multipliers{"multipliers", "id integer primary key, name text", {}};
  for (const std::string& name : multiplier_names())
    multipliers.rows.push_back({multipliers.rows.size(), boost::json::string(name)});
  schema.tables = {networks, multipliers};
  schema.joins = "join networks n on n.id = p.network join multipliers m on m.id = p.multiplier";
  const std::string cycles = "(1.0 * p.period_cycles / p.period)";
  const auto choice = [&](const char* name, const std::string& sql, const char* head, const char* unit,
                          int weight) -> ResultSchema::Shown& {
    return schema.shown.emplace_back(ResultSchema::Shown{name, sql, head, unit, weight, true});
  };
  const auto figure = [&](const char* name, const std::string& sql, const char* head, const char* unit,
                          int weight, bool larger, double scale, int digits) {
    schema.shown.push_back({name, sql, head, unit, weight, false, false, larger, scale, digits});
  };
  choice("network", "n.name", "network", "", 20).is_series = true;
  choice("code", "n.code", "code", "", 19).is_series = true;
  choice("device", "d.name", "device", "", 1);
  choice("lanes", "p.lanes", "lanes", "", 18);
  choice("lanes_per_bank", "p.lanes_per_bank", "lanes", "a bank", 12);
  choice("bank_depth", "p.bank_depth", "depth", "", 11);
  choice("multiplier", "m.name", "multiplier", "", 17);
  choice("clock_mhz", "p.clock_mhz", "clock", "MHz", 13);
  figure("accuracy", "n.accuracy", "accuracy", "%", 14, true, 100, 2);
  figure("macs", "n.macs", "MACs", "", 1, false, 1, 0);
  figure("weights", "n.weights", "weights", "", 1, false, 1, 0);
  figure("bits_a_weight", "1.0 * n.stored_bits / n.weights", "bits", "bits/w", 2, false, 1, 2);
  figure("cycles", cycles, "cycles", "", 6, false, 1, 0);
  figure("latency_us", "p.latency_cycles / p.clock_mhz", "latency", "us", 5, false, 1, 1);
  figure("throughput", "n.macs * p.clock_mhz * 1e6 / " + cycles, "throughput", "M MAC/s", 16, true, 1e-6, 1);
  figure("inferences_per_second", "p.clock_mhz * 1e6 / " + cycles, "inferences", "a second", 1, true, 1, 0);
  return schema;
}

std::vector<std::string> AcceleratorExploration::work_arguments(const double* choices, int count) const {
  constexpr int made_up = 100;
  if (std::isnan(variants_[variant(choices)].accuracy)) // there are none
    return {"--images", "random:" + std::to_string(count ? count : made_up)};
  std::vector<std::string> all;
  if (count)
    all = {"--images", std::to_string(count)};
  if (dataset_ != default_dataset)
    all.insert(all.end(), {"--dataset", std::filesystem::absolute(dataset_).lexically_normal().string()});
  return all;
}

std::vector<std::string> AcceleratorExploration::arguments(const double* choices) const {
  const Design made = design(choices);
  std::vector<std::string> all = {
      "--network",        files_[static_cast<std::size_t>(choices[axis::network])],
      "--lanes",          std::to_string(made.lanes),
      "--lanes-per-bank", std::to_string(made.lanes_per_bank),
      "--bank-depth",     std::to_string(made.bank_depth),
      "--multiplier",     to_string(made.multiplier),
      "--clock",          shortest(made.clock_mhz)};
  if (choices[axis::code] > 0)
    all.insert(all.end(), {"--code", to_string(static_cast<Code>(integer(choices[axis::code]) - 1))});
  return all;
}

} // namespace deltatwin
