#include "tops/activation_results.h"
#include "base/error.h"
#include "base/file.h"
#include <algorithm>
#include <limits>
#include <set>

namespace deltatwin {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 26;

const std::vector<std::string> figure_names = {"bits_per_value", "accuracy"};

template <class Word>
Word word(const JsonField& method, const char* key, const std::vector<std::string>& words) {
  return static_cast<Word>(method.at(key).choice(words));
}

ActivationMethod read_method(const JsonField& field) {
  ActivationMethod method;
  method.text = field.at("method").text();
  method.family = word<ActivationMethod::Family>(field, "family", {"float", "uniform", "pot", "noisyquant"});
  method.bits = static_cast<int>(field.at("bits").integer(1, 32));
  method.extra = static_cast<int>(field.at("extra_bits").integer(0, 8));
  method.ratio = field.at("ratio").number(0, 1);
  method.is_signed = field.at("signed").boolean();
  method.dynamic_scale = field.at("dynamic_scale").boolean();
  method.contexts = static_cast<int>(field.at("contexts").integer(1, 8));
  if (method.family == ActivationMethod::uniform) {
    method.per = word<ActivationMethod::Per>(field, "scale_per", {"layer", "channel", "image"});
    method.least_squares = field.at("fit").choice({"max", "lse"}) == 1;
    method.code = word<ActivationMethod::Code>(field, "code", {"none", "errors", "whole"});
    method.book = word<ActivationMethod::Book>(field, "book", {"layer", "channel", "batch", "image"});
  }
  if (method.family == ActivationMethod::noisy)
    method.online = field.at("search").choice({"offline", "online"}) == 1;
  method.bits_per_value = field.at("bits_per_value").number(0, 64);
  method.accuracy = field.at("accuracy").number(0, 1);
  return method;
}

bool better(const ActivationMethod& a, const ActivationMethod& b) {
  return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.bits_per_value < b.bits_per_value;
}

} // namespace

ActivationResults load_activation_results(const std::string& file) {
  const JsonDocument document(read_file(file, most_bytes), file);
  const JsonField root = document.root();
  (void)root.at("format").choice({"deltatwin-activations-1"});
  ActivationResults results;
  results.network = root.at("network").name();
  results.dataset = root.at("dataset").text();
  results.images = static_cast<int>(root.at("images").integer(1, std::numeric_limits<int>::max()));
  results.float_accuracy = root.at("float_accuracy").number(0, 1);
  constexpr int most_side = 1 << 15;
  for (const JsonField& block : root.at("blocks").elements()) {
    const int rows = static_cast<int>(block.at("rows").integer(1, most_side));
    const int columns = static_cast<int>(block.at("columns").integer(1, most_side));
    results.rows = std::max(results.rows, rows);
    results.columns = std::max(results.columns, columns);
    results.least_columns = results.least_columns ? std::min(results.least_columns, columns) : columns;
    results.values = std::max(results.values, rows * columns);
  }
  for (const JsonField& method : root.at("methods").elements())
    results.methods.push_back(read_method(method));
  return results;
}

ActivationFigures::ActivationFigures(const AxisValues& files, const std::vector<std::string>& known) {
  for (const std::string& name : known)
    if (files.texts.empty() &&
        std::find(figure_names.begin(), figure_names.end(), name) != figure_names.end())
      throw InputError(name + " is known where a space names files of `deltatwin activations --json FILE` as "
                              "its \"activations\"; this one names none");
  std::set<std::string> names;
  std::size_t methods = 0;
  for (const std::string& file : files.texts) {
    results_.push_back(load_activation_results(file));
    if (!names.insert(results_.back().network).second)
      throw InputError(file + ": another of the space's activations is of network " +
                       results_.back().network + ", too");
    first_.push_back(methods);
    methods += results_.back().methods.size();
  }
}

Axis ActivationFigures::axis() {
  Axis axis{Axis::text, "activations", "", "results of `deltatwin activations --json FILE`", 0, 0, {}, ""};
  axis.only_in_spaces = true;
  return axis;
}

std::vector<Figure> ActivationFigures::figures() {
  return {{"throughput", true},
          {"latency", false, 0, 1e12, "latency_us"},
          {"cycles_per_value", false, 0, 1e12},
          {figure_names[0], false, 0, 64},
          {figure_names[1], true, 0, 1}};
}

void ActivationFigures::set(double file, const Suits& suits, std::size_t figure, std::size_t stored,
                            Evaluation& result) const {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  result.figures[figure] = result.figures[figure + 1] = unknown;
  if (results_.empty())
    return;
  const auto at = static_cast<std::size_t>(file);
  const ActivationResults& results = results_[at];
  const ActivationMethod* best = nullptr;
  for (const ActivationMethod& method : results.methods)
    if (suits(results, method) && (!best || better(method, *best)))
      best = &method;
  result.stored[stored] = file;
  result.stored[stored + 1] = unknown;
  if (!best)
    return;
  result.stored[stored + 1] =
      static_cast<double>(first_[at] + static_cast<std::size_t>(best - results.methods.data()));
  result.figures[figure] = best->bits_per_value;
  result.figures[figure + 1] = best->accuracy;
}

void ActivationFigures::extend(ResultSchema& schema) const {
  if (results_.empty())
    return;
  schema.stored.push_back({"network", "integer"});
  schema.stored.push_back({"method", "integer"});
  ResultSchema::Table networks{
      "activations",
      "id integer primary key, network text, dataset text, images integer, float_accuracy real",
      {}};
  ResultSchema::Table methods{
      "methods", "id integer primary key, method text, bits_per_value real, accuracy real", {}};
  for (const ActivationResults& results : results_) {
    networks.rows.push_back({networks.rows.size(), boost::json::string(results.network),
                             boost::json::string(results.dataset), results.images, results.float_accuracy});
    for (const ActivationMethod& method : results.methods)
      methods.rows.push_back(
          {methods.rows.size(), boost::json::string(method.text), method.bits_per_value, method.accuracy});
  }
  schema.tables.push_back(std::move(networks));
  schema.tables.push_back(std::move(methods));
  schema.joins += " join activations w on w.id = p.network left join methods a on a.id = p.method";
  schema.shown.push_back({"network", "w.network", "network", "", 9, true, true});
  schema.shown.push_back({"method", "a.method", "method", "", 1, true});
  schema.shown.push_back(
      {"bits_per_value", "a.bits_per_value", "bits", "bits/value", 22, false, false, false, 1, 2});
  schema.shown.push_back({"accuracy", "a.accuracy", "accuracy", "%", 23, false, false, true, 100, 2, true});
}

} // namespace deltatwin
