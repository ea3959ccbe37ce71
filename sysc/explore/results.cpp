#include "explore/results.h"
#include "base/json.h"
#include "base/tool.h"
#include <algorithm>
#include <charconv>
#include <cmath>

namespace deltatwin {
namespace {

constexpr std::size_t most_rows = 2000; ///< of the report's table, and points of its cloud

// All of a design's figures by name, in the order of the table's columns.
boost::json::object describe_point(const Evaluator& evaluator, const DesignPoint& point) {
  const Variant& variant = evaluator.variants()[point.variant];
  const double interval = point.timing.interval();
  return {{"id", point.id},
          {"network", variant.network},
          {"code", variant.code},
          {"device", evaluator.device(point).name},
          {"lanes", point.design.lanes},
          {"lanes_per_bank", point.design.lanes_per_bank},
          {"bank_depth", point.design.bank_depth},
          {"multiplier", to_string(point.design.multiplier)},
          {"clock_mhz", point.design.clock_mhz},
          {"accuracy", std::isnan(variant.accuracy) ? boost::json::value() : variant.accuracy},
          {"macs", variant.macs},
          {"weights", variant.weights},
          {"bits_a_weight", point.figure(Objective::bits_a_weight)},
          {"cycles", interval},
          {"latency_us", point.figure(Objective::latency)},
          {"throughput", point.figure(Objective::throughput)},
          {"inferences_per_second", point.design.clock_mhz * 1e6 / interval},
          {"lut", point.used.lut},
          {"ff", point.used.ff},
          {"dsp", point.used.dsp},
          {"bram36", point.used.bram36()},
          {"share", point.figure(Objective::share)},
          {"fits", to_json(point.fit)}};
}

boost::json::object with_command(boost::json::object described, const Evaluator& evaluator,
                                 const DesignPoint& point) {
  described["command"] = command_line(evaluator, point);
  return described;
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
                         int images) {
  std::vector<std::string> words = {"deltatwin", command};
  for (std::string& argument : evaluator.arguments(point))
    words.push_back(std::move(argument));
  if (command != "synth")
    for (std::string& argument : evaluator.image_arguments(point, images))
      words.push_back(std::move(argument));
  return shell_line(words);
}

std::vector<DesignPoint> load_front(const Evaluator& evaluator, const Database& database) {
  std::vector<DesignPoint> front;
  for (const std::uint64_t id : database.front())
    front.push_back(evaluator.evaluate(id));
  return pareto_front(evaluator.space().objectives, front);
}

std::string front_csv(const Evaluator& evaluator, const std::vector<DesignPoint>& front) {
  std::string text;
  const auto add_line = [&](const boost::json::object& row, const auto& cell_text) {
    const char* separator = "";
    for (const auto& cell : row) {
      text += separator + cell_text(cell);
      separator = ",";
    }
    text += "\n";
  };
  add_line(with_command(describe_point(evaluator, {}), evaluator, {}),
           [](const auto& cell) { return std::string(cell.key()); });
  for (const DesignPoint& point : front)
    add_line(with_command(describe_point(evaluator, point), evaluator, point), [](const auto& cell) {
      const boost::json::value& value = cell.value();
      return value.is_string()   ? quoted(std::string(value.as_string()))
             : value.is_double() ? shortest(value.as_double())
             : value.is_null()   ? std::string()
                                 : boost::json::serialize(value);
    });
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
  boost::json::array goals, devices, networks, rows, cloud, confirmed;
  for (const Objective objective : evaluator.space().objectives)
    goals.emplace_back(to_string(objective));
  for (const Device& device : evaluator.devices())
    devices.push_back({{"name", device.name},
                       {"lut", device.lut},
                       {"ff", device.ff},
                       {"dsp", device.dsp},
                       {"bram36", device.bram36}});
  for (const Variant& variant : evaluator.variants())
    networks.push_back(
        {{"name", variant.network},
         {"code", variant.code},
         {"accuracy", std::isnan(variant.accuracy) ? boost::json::value() : variant.accuracy},
         {"macs", variant.macs},
         {"weights", variant.weights},
         {"bits_a_weight", static_cast<double>(variant.stored_bits) / static_cast<double>(variant.weights)}});
  for (std::size_t i = 0; i < std::min(front.size(), most_rows); ++i)
    rows.push_back(with_command(describe_point(evaluator, front[i]), evaluator, front[i]));
  for (const std::uint64_t id : database.sample(most_rows))
    cloud.push_back(describe_point(evaluator, evaluator.evaluate(id)));
  for (const Confirmation& c : database.confirmations()) {
    const DesignPoint point = evaluator.evaluate(c.point);
    confirmed.push_back({{"id", c.point},
                         {"kind", c.kind},
                         {"network", evaluator.variants()[point.variant].network},
                         {"lanes", point.design.lanes},
                         {"images", c.images},
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
                         {"fits", fits(c.synthesized, evaluator.device(point))}});
  }
  return {{"format", "deltatwin-report-1"},
          {"title", evaluator.space().name},
          {"space", parse_json(evaluator.space().text, evaluator.space().name)},
          {"objectives", std::move(goals)},
          {"points", evaluator.space().size()},
          {"evaluated", evaluated},
          {"feasible", counts[0]},
          {"rejected", std::move(rejected)},
          {"short_of", std::move(short_of)},
          {"area_error", area_model_error},
          {"devices", std::move(devices)},
          {"networks", std::move(networks)},
          {"front", std::move(rows)},
          {"front_size", front.size()},
          {"cloud", std::move(cloud)},
          {"confirmed", std::move(confirmed)}};
}

} // namespace deltatwin
