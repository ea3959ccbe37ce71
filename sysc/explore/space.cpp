#include "explore/space.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include <algorithm>
#include <filesystem>
#include <set>

namespace deltatwin {
namespace {

constexpr std::initializer_list<const char*> objective_names = {
    "accuracy", "latency", "throughput", "share", "lut_share", "bram_share", "bits_a_weight"};
constexpr std::uint64_t largest_space = std::uint64_t{1} << 40;

// A list, or what stands for a list of one.
std::vector<JsonField> list(const JsonField& field) {
  std::vector<JsonField> elements = field.is_array() ? field.elements() : std::vector<JsonField>{field};
  if (elements.empty())
    field.fail("expected at least one element");
  return elements;
}

// Values of which none is there twice.
template <class Value> class Distinct {
public:
  void add(const Value& value, const JsonField& field, const std::string& name = {}) {
    if (!seen_.insert(value).second)
      field.fail((name.empty() ? "" : name + " ") + "stands there twice");
    values_.push_back(value);
  }
  [[nodiscard]] std::vector<Value> take() { return std::move(values_); }

private:
  std::set<Value> seen_;
  std::vector<Value> values_;
};

// Names, and the absolute paths of files, which are told by a "/" or by ".json".
std::vector<std::string> names_and_files(const JsonField& field, const std::filesystem::path& directory) {
  Distinct<std::string> values;
  for (const JsonField& element : list(field)) {
    const std::filesystem::path name = element.text();
    const bool file = name.native().find('/') != std::string::npos || name.extension() == ".json";
    values.add(file ? (directory / name).lexically_normal().string() : name.string(), element);
  }
  return values.take();
}

// Numbers and ranges of them; 0 for "fit" where that is allowed.
std::vector<int> numbers(const JsonField& field, int low, int high, bool may_fit) {
  Distinct<int> values;
  const auto add_number = [&](std::int64_t number, const JsonField& element) {
    values.add(static_cast<int>(number), element, std::to_string(number));
  };
  for (const JsonField& element : list(field)) {
    if (element.is_object()) {
      element.check_keys({"from", "to", "step"});
      const auto from = element.at("from").integer(low, high);
      const auto to = element.at("to").integer(from, high);
      const auto step = element.has("step") ? element.at("step").integer(1, high) : 1;
      for (auto value = from; value <= to; value += step)
        add_number(value, element);
    } else if (element.is_string()) {
      if (!may_fit || element.text() != "fit")
        element.fail("\"" + element.text() + "\" is no number" + (may_fit ? " and not \"fit\"" : ""));
      add_number(0, element);
    } else {
      add_number(element.integer(low, high), element);
    }
  }
  return values.take();
}

std::vector<double> clocks(const JsonField& field) {
  Distinct<double> values;
  for (const JsonField& element : list(field)) {
    if (element.is_object()) {
      for (const int clock : numbers(element, 1, 10000, false))
        values.add(static_cast<double>(clock), element);
    } else {
      values.add(element.number(0.001, 10000), element);
    }
  }
  return values.take();
}

} // namespace

const char* to_string(Objective objective) {
  return objective_names.begin()[static_cast<std::size_t>(objective)];
}

bool smaller_is_better(Objective objective) {
  return objective != Objective::accuracy && objective != Objective::throughput;
}

std::uint64_t Space::size() const {
  std::uint64_t product = 1;
  for (const std::size_t axis :
       {networks.size(), codes.size(), multipliers.size(), lanes.size(), lanes_per_bank.size(),
        bank_depths.size(), devices.size(), clocks_mhz.size()})
    product = std::min(largest_space, product) * axis;
  return product;
}

bool Space::needs_accuracy() const {
  return minimum_accuracy ||
         std::find(objectives.begin(), objectives.end(), Objective::accuracy) != objectives.end();
}

Space parse_space(const std::string& text, const std::string& origin) {
  const JsonDocument document(text, origin);
  const JsonField root = document.root();
  root.check_keys({"format", "networks", "codes", "devices", "lanes", "lanes_per_bank", "bank_depth",
                   "multipliers", "clock_mhz", "optimize", "constraints"});
  (void)root.at("format").choice({"deltatwin-space-1"});
  Space space;
  space.name = std::filesystem::path(origin).stem().string();
  space.directory = std::filesystem::absolute(origin).parent_path().lexically_normal().string();
  space.text = text;
  space.networks = names_and_files(root.at("networks"), space.directory);
  space.devices = names_and_files(root.at("devices"), space.directory);
  space.codes = {std::nullopt};
  if (root.has("codes")) {
    Distinct<std::optional<Code>> given;
    for (const JsonField& element : list(root.at("codes"))) {
      const int code = element.choice({"as_trained", to_string(Code::raw), to_string(Code::huffman)});
      given.add(code ? std::optional(static_cast<Code>(code - 1)) : std::nullopt, element);
    }
    space.codes = given.take();
  }
  space.lanes = numbers(root.at("lanes"), 1, 255, false);
  space.lanes_per_bank = {0};
  if (root.has("lanes_per_bank"))
    space.lanes_per_bank = numbers(root.at("lanes_per_bank"), 1, 36, true);
  space.bank_depths = {0};
  if (root.has("bank_depth"))
    space.bank_depths = numbers(root.at("bank_depth"), 2, 1 << 20, true);
  space.multipliers = {Multiplier::lut, Multiplier::dsp, Multiplier::dsp_packed, Multiplier::serial};
  if (root.has("multipliers")) {
    Distinct<Multiplier> given;
    for (const JsonField& element : list(root.at("multipliers")))
      given.add(static_cast<Multiplier>(
                    element.choice({to_string(Multiplier::lut), to_string(Multiplier::dsp),
                                    to_string(Multiplier::dsp_packed), to_string(Multiplier::serial)})),
                element);
    space.multipliers = given.take();
  }
  space.clocks_mhz = {100};
  if (root.has("clock_mhz"))
    space.clocks_mhz = clocks(root.at("clock_mhz"));
  Distinct<Objective> objectives;
  for (const JsonField& element : list(root.at("optimize")))
    objectives.add(static_cast<Objective>(element.choice(objective_names)), element);
  space.objectives = objectives.take();
  if (root.has("constraints")) {
    const JsonField constraints = root.at("constraints");
    constraints.check_keys({"fits", "area_tolerance", "minimum_accuracy", "maximum_latency_us"});
    if (constraints.has("fits"))
      space.must_fit = constraints.at("fits").boolean();
    if (constraints.has("area_tolerance"))
      space.area_tolerance = constraints.at("area_tolerance").number(0, 1);
    if (constraints.has("minimum_accuracy"))
      space.minimum_accuracy = constraints.at("minimum_accuracy").number(0, 1);
    if (constraints.has("maximum_latency_us"))
      space.maximum_latency_us = constraints.at("maximum_latency_us").number(0, 1e12);
  }
  if (space.size() >= largest_space)
    throw InputError(origin + ": the space has more than 2^40 points");
  return space;
}

Space load_space(const std::string& path) { return parse_space(read_file(path, 1 << 24), path); }

Coordinates coordinates(const Space& space, std::uint64_t point) {
  const auto digit = [&point](std::size_t base) {
    const std::uint64_t value = point % base;
    point /= base;
    return static_cast<std::size_t>(value);
  };
  Coordinates at{};
  at.clock = digit(space.clocks_mhz.size());
  at.device = digit(space.devices.size());
  at.bank_depth = digit(space.bank_depths.size());
  at.lanes_per_bank = digit(space.lanes_per_bank.size());
  at.lanes = digit(space.lanes.size());
  at.multiplier = digit(space.multipliers.size());
  at.code = digit(space.codes.size());
  at.network = digit(space.networks.size());
  return at;
}

} // namespace deltatwin
