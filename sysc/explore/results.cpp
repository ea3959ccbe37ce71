#include "explore/results.h"
#include "base/json.h"
#include "base/tool.h"
#include "tops/registry.h"
#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

namespace deltatwin {
namespace {

constexpr std::size_t most_rows = 2000; ///< of the report's table, and points of its cloud

// What the view has beside, for those who write SQL.
bool is_hidden(std::string_view column) {
  constexpr std::string_view hidden[] = {"ramb18",    "ramb36",     "lut_share", "ff_share",
                                         "dsp_share", "bram_share", "on_front"};
  return std::find(std::begin(hidden), std::end(hidden), column) != std::end(hidden);
}

// Of a design in the view `designs`: what tables show of it.
boost::json::object shown(const boost::json::object& row) {
  boost::json::object result;
  for (const auto& field : row)
    if (!is_hidden(field.key()))
      result[field.key()] = field.value();
  boost::json::value& fits = result["fits"];
  if (!fits.is_null())
    fits = fits.to_number<int>() != 0;
  return result;
}

// Of the table of that name.
boost::json::array networks_of(const ResultSchema& schema) {
  boost::json::array all;
  for (const ResultSchema::Table& table : schema.tables) {
    if (table.name != "networks")
      continue;
    std::vector<std::string> names; // "id integer primary key, name text"
    std::istringstream columns(table.columns);
    for (std::string column; std::getline(columns >> std::ws, column, ',');)
      names.push_back(column.substr(0, column.find(' ')));
    for (const auto& row : table.rows) {
      boost::json::object& fields = all.emplace_back(boost::json::object()).as_object();
      for (std::size_t i = 0; i < names.size(); ++i)
        fields[names[i]] = row[i];
    }
  }
  return all;
}

std::vector<std::uint64_t> ids_of(const std::vector<DesignPoint>& points) {
  std::vector<std::uint64_t> ids;
  for (const DesignPoint& point : points)
    ids.push_back(point.id);
  return ids;
}

std::string shortest(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string result = "\"";
  for (const char letter : text)
    result += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return result + "\"";
}

} // namespace

std::string command_line(const Evaluator& evaluator, const DesignPoint& point, const std::string& command,
                         int items) {
  std::vector<std::string> words = {"deltatwin", command};
  for (std::string& argument : evaluator.arguments(point))
    words.push_back(std::move(argument));
  if (command != "synth")
    for (std::string& argument : evaluator.work_arguments(point, items))
      words.push_back(std::move(argument));
  return shell_line(words);
}

std::string command_line(const Evaluator& evaluator, const DesignPoint& point) {
  // What simulate runs is the accelerator.
  const bool first = evaluator.space().family == families().front();
  return command_line(evaluator, point, first ? "simulate" : "cosim");
}

std::vector<boost::json::object> describe_points(const Database& database,
                                                 const std::vector<DesignPoint>& points) {
  std::vector<boost::json::object> rows;
  for (const boost::json::object& row : database.designs(ids_of(points)))
    rows.push_back(shown(row));
  return rows;
}

std::vector<DesignPoint> load_front(const Evaluator& evaluator, const Database& database) {
  std::vector<DesignPoint> front;
  for (const std::uint64_t id : database.front())
    front.push_back(evaluator.evaluate(id));
  return pareto_front(evaluator.space(), front);
}

std::string front_csv(const Evaluator& evaluator, const Database& database,
                      const std::vector<DesignPoint>& front) {
  std::string text;
  for (const std::string& column : database.columns())
    if (!is_hidden(column))
      text += column + ",";
  text += "command\n";
  std::size_t at = 0;
  for (const boost::json::object& row : describe_points(database, front)) {
    for (const auto& cell : row) {
      const boost::json::value& value = cell.value();
      text += (value.is_string()   ? quoted(std::string(value.as_string()))
               : value.is_double() ? shortest(value.as_double())
               : value.is_null()   ? std::string()
                                   : boost::json::serialize(value)) +
              ",";
    }
    text += quoted(command_line(evaluator, front[at++])) + "\n";
  }
  return text;
}

boost::json::object report_data(const Evaluator& evaluator, const Database& database,
                                const std::vector<DesignPoint>& front) {
  const auto counts = database.counts();
  std::uint64_t evaluated = 0;
  boost::json::object rejected;
  for (std::size_t v = 0; v < verdicts; ++v) {
    evaluated += counts[v];
    if (static_cast<Verdict>(v) != Verdict::feasible)
      rejected[to_string(static_cast<Verdict>(v))] = counts[v];
  }
  boost::json::object short_of;
  const auto shortages = database.short_of();
  for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36})
    short_of[to_string(each)] = shortages[static_cast<std::size_t>(each)];
  boost::json::object unknown;
  for (const ResultSchema::Shown& one : evaluator.schema().shown)
    if (one.may_be_unknown)
      unknown[one.name] = database.unknown(one.name);
  boost::json::array goals, columns, devices, rows, cloud, confirmed;
  const Space& space = evaluator.space();
  for (const Objective objective : space.objectives) {
    const Figure& figure = space.figures[objective];
    goals.emplace_back(figure.column.empty() ? figure.name : figure.column);
  }
  for (const ResultSchema::Shown& one : evaluator.schema().shown)
    columns.push_back({{"key", one.name},
                       {"head", one.head},
                       {"unit", one.unit},
                       {"choice", one.is_choice},
                       {"series", one.is_series},
                       {"high", one.larger_is_better},
                       {"scale", one.scale},
                       {"digits", one.digits}});
  for (const Device& device : evaluator.devices())
    devices.push_back({{"name", device.name},
                       {"lut", device.lut},
                       {"ff", device.ff},
                       {"dsp", device.dsp},
                       {"bram36", device.bram36}});
  const std::vector<DesignPoint> first(
      front.begin(), front.begin() + static_cast<std::ptrdiff_t>(std::min(front.size(), most_rows)));
  for (boost::json::object& row : describe_points(database, first)) {
    row["command"] = command_line(evaluator, first[rows.size()]);
    rows.push_back(std::move(row));
  }
  for (const boost::json::object& row : database.designs(database.sample(most_rows)))
    cloud.push_back(shown(row));
  for (const Confirmation& c : database.confirmations()) {
    const DesignPoint point = evaluator.evaluate(c.point);
    boost::json::object row;
    for (const boost::json::object& design : describe_points(database, {point}))
      row = design;
    const boost::json::object found = {{"id", c.point},
                                       {"kind", c.kind},
                                       {"items", c.items},
                                       {"cycles_model", c.cycles_model},
                                       {"cycles_rtl", c.cycles_rtl},
                                       {"mismatches", c.mismatches},
                                       {"lut_model", c.model.lut},
                                       {"lut_synth", c.synthesized.lut},
                                       {"ff_model", c.model.ff},
                                       {"ff_synth", c.synthesized.ff},
                                       {"dsp_model", c.model.dsp},
                                       {"dsp_synth", c.synthesized.dsp},
                                       {"bram36_model", c.model.bram36()},
                                       {"bram36_synth", c.synthesized.bram36()},
                                       {"fits", fits(c.synthesized, evaluator.device(point))}};
    for (const auto& field : found)
      row[field.key()] = field.value();
    confirmed.push_back(std::move(row));
  }
  return {{"format", "deltatwin-report-1"},
          {"title", space.name},
          {"space", parse_json(space.text, space.name)},
          {"objectives", std::move(goals)},
          {"columns", std::move(columns)},
          {"points", space.size()},
          {"evaluated", evaluated},
          {"feasible", counts[0]},
          {"unknown", std::move(unknown)},
          {"rejected", std::move(rejected)},
          {"short_of", std::move(short_of)},
          {"area_error", area_model_error},
          {"devices", std::move(devices)},
          {"networks", networks_of(evaluator.schema())},
          {"front", std::move(rows)},
          {"front_size", front.size()},
          {"cloud", std::move(cloud)},
          {"confirmed", std::move(confirmed)}};
}

} // namespace deltatwin
