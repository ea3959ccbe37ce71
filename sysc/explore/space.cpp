#include "explore/space.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tops/registry.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string_view>

namespace deltatwin {
namespace {

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
std::vector<double> numbers(const JsonField& field, const Axis& axis) {
  Distinct<double> values;
  const bool may_fit = axis.standard == "fit";
  const auto low = static_cast<std::int64_t>(std::ceil(axis.low)),
             high = static_cast<std::int64_t>(axis.high);
  for (const JsonField& element : list(field)) {
    if (element.is_object()) {
      element.check_keys({"from", "to", "step"});
      const auto from = element.at("from").integer(low, high);
      const auto to = element.at("to").integer(from, high);
      const auto step = element.has("step") ? element.at("step").integer(1, high) : 1;
      for (auto value = from; value <= to; value += step)
        values.add(static_cast<double>(value), element, std::to_string(value));
    } else if (element.is_string()) {
      if (!may_fit || element.text() != "fit")
        element.fail("\"" + element.text() + "\" is no number" + (may_fit ? " and not \"fit\"" : ""));
      values.add(0, element, "fit");
    } else if (axis.kind == Axis::integer) {
      const auto value = element.integer(low, high);
      values.add(static_cast<double>(value), element, std::to_string(value));
    } else {
      values.add(element.number(axis.low, axis.high), element);
    }
  }
  return values.take();
}

std::vector<double> choices(const JsonField& field, const Axis& axis) {
  Distinct<double> values;
  for (const JsonField& element : list(field))
    values.add(static_cast<double>(element.choice(axis.values)), element);
  return values.take();
}

std::vector<double> sets(const JsonField& field, const Axis& axis) {
  Distinct<double> values;
  for (const JsonField& element : list(field)) {
    double number = 0;
    try {
      number = axis.parse(element.text());
    } catch (const InputError& error) {
      element.fail(error.what());
    }
    values.add(number, element);
  }
  return values.take();
}

std::vector<double> counted(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

// An axis's values: those that the space names, or what is taken where it names none.
AxisValues axis_values(const JsonField& root, const std::string& key, const Axis& axis,
                       const std::string& directory) {
  AxisValues values;
  if (axis.kind == Axis::text && axis.only_in_spaces && !root.has(key)) {
    values.numbers = {0};
  } else if (axis.kind == Axis::text) {
    values.texts = names_and_files(root.at(key), directory);
    values.numbers = counted(values.texts.size());
  } else if (!root.has(key) && axis.kind == Axis::choice && axis.standard.empty()) {
    values.numbers = counted(axis.values.size());
  } else if (!root.has(key) && !axis.standard.empty()) {
    values.numbers = {axis.parse(axis.standard)};
  } else {
    values.numbers = axis.kind == Axis::choice ? choices(root.at(key), axis)
                     : axis.kind == Axis::set  ? sets(root.at(key), axis)
                                               : numbers(root.at(key), axis);
  }
  return values;
}

std::string key_of(const Axis& axis) { return axis.field.empty() ? axis.name : axis.field; }

// "minimum_accuracy", "maximum_latency_us".
std::string bound_key(const Figure& figure) {
  return (figure.larger_is_better ? "minimum_" : "maximum_") +
         (figure.column.empty() ? figure.name : figure.column);
}

void read_constraints(Space& space, const JsonField& constraints) {
  std::vector<std::string> keys = {"fits", "area_tolerance"};
  for (const Figure& figure : space.figures)
    if (figure.low < figure.high)
      keys.push_back(bound_key(figure));
  constraints.check_keys(keys);
  if (constraints.has("fits"))
    space.must_fit = constraints.at("fits").boolean();
  if (constraints.has("area_tolerance"))
    space.area_tolerance = constraints.at("area_tolerance").number(0, 1);
  for (std::size_t f = 0; f < space.figures.size(); ++f)
    if (const std::string key = bound_key(space.figures[f]);
        space.figures[f].low < space.figures[f].high && constraints.has(key))
      space.bounds.push_back({f, constraints.at(key).number(space.figures[f].low, space.figures[f].high)});
}

} // namespace

std::uint64_t Space::size() const {
  std::uint64_t product = devices.size();
  for (const AxisValues& axis : values)
    product = std::min(largest_space, product) * axis.numbers.size();
  return product;
}

std::vector<std::string> Space::needed() const {
  std::vector<std::string> names;
  for (const Objective objective : objectives)
    names.push_back(figures[objective].name);
  for (const Bound& bound : bounds)
    names.push_back(figures[bound.figure].name);
  return names;
}

Space parse_space(const std::string& text, const std::string& origin) {
  const JsonDocument document(text, origin);
  const JsonField root = document.root();
  (void)root.at("format").choice({"deltatwin-space-1"});
  Space space;
  space.name = std::filesystem::path(origin).stem().string();
  space.directory = std::filesystem::absolute(origin).parent_path().lexically_normal().string();
  space.text = text;
  std::vector<std::string> names, keys = {"format", "top", "devices", "optimize", "constraints"};
  for (const TopFamily* family : families())
    names.push_back(family->name());
  space.family =
      families()[root.has("top") ? static_cast<std::size_t>(root.at("top").choice(names)) : std::size_t{0}];
  space.axes = space.family->axes();
  if (space.axes.size() > Coordinates::most_axes)
    throw std::logic_error(space.family->name() + " has more axes than a point of a space has room for");
  for (const Axis& axis : space.axes)
    keys.push_back(key_of(axis));
  root.check_keys(keys);
  for (const Axis& axis : space.axes)
    space.values.push_back(axis_values(root, key_of(axis), axis, space.directory));
  space.devices = names_and_files(root.at("devices"), space.directory);
  space.figures = space.family->figures();
  for (const char* share : {"share", "lut_share", "bram_share"})
    space.figures.push_back({share});
  std::vector<std::string> objective_names;
  for (const Figure& figure : space.figures)
    objective_names.push_back(figure.name);
  Distinct<Objective> objectives;
  for (const JsonField& element : list(root.at("optimize")))
    objectives.add(static_cast<Objective>(element.choice(objective_names)), element);
  space.objectives = objectives.take();
  if (root.has("constraints"))
    read_constraints(space, root.at("constraints"));
  if (space.size() >= largest_space)
    throw InputError(origin + ": the space has more than 2^40 points");
  return space;
}

Space load_space(const std::string& path) { return parse_space(read_file(path, 1 << 24), path); }

Coordinates coordinates(const Space& space, std::uint64_t point) {
  const auto digit = [&point](std::size_t base) {
    const std::uint64_t value = point % base;
    point /= base;
    return static_cast<std::uint32_t>(value);
  };
  Coordinates at;
  const std::size_t last = space.values.size() - 1;
  at.axis[last] = digit(space.values[last].numbers.size());
  at.device = digit(space.devices.size());
  for (std::size_t axis = last; axis-- > 0;)
    at.axis[axis] = digit(space.values[axis].numbers.size());
  return at;
}

} // namespace deltatwin
