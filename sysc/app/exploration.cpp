#include "app/exploration.h"
#include "app/commands.h"
#include "app/confirm.h"
#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "explore/report.h"
#include "explore/results.h"
#include "explore/sweep.h"
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

std::string tell_counts(const Evaluator& evaluator, const Database& database) {
  const auto counts = database.counts();
  const auto shortages = database.short_of();
  std::string text = grouped(counts[0]) + " feasible";
  for (const ResultSchema::Shown& column : evaluator.schema().shown)
    if (const std::uint64_t count = column.may_be_unknown ? database.unknown(column.name) : 0)
      text += " (" + column.head + " is not known of " + grouped(count) + ")";
  const auto add = [&](Verdict verdict, const char* one, const char* many) {
    const std::uint64_t count = counts[static_cast<std::size_t>(verdict)];
    if (count)
      text += ", " + grouped(count) + " " + (count == 1 ? one : many);
    return count != 0;
  };
  if (add(Verdict::does_not_fit, "does not fit", "do not fit")) {
    std::string kinds;
    for (const Resource each : {Resource::lut, Resource::ff, Resource::dsp, Resource::bram36})
      if (const std::uint64_t count = shortages[static_cast<std::size_t>(each)])
        kinds += (kinds.empty() ? "" : ", ") + grouped(count) + " " + to_string(each);
    text += " (" + kinds + ")";
  }
  add(Verdict::below_minimum, "is below a minimum", "are below a minimum");
  add(Verdict::above_maximum, "is above a maximum", "are above a maximum");
  add(Verdict::impossible, "is impossible", "are impossible");
  return text;
}

std::string cell(const boost::json::value& value, const ResultSchema::Shown& column) {
  if (value.is_null())
    return "-";
  if (value.is_string())
    return std::string(value.as_string());
  const double number = value.to_number<double>() * column.scale;
  if (column.is_choice)
    return shortest(number);
  const std::string text =
      column.digits ? fixed(number, column.digits) : grouped(static_cast<std::uint64_t>(number + 0.5));
  return text + (column.unit == "%" ? " %" : "");
}

TextTable front_table(const ResultSchema& schema, const std::vector<boost::json::object>& rows) {
  struct Area {
    const char *head, *name;
    int weight;
  };
  constexpr Area areas[] = {{"LUT", "lut", 15}, {"FF", "ff", 3}, {"DSP", "dsp", 8}, {"RAMB36", "bram36", 9}};
  TextTable table;
  std::vector<const ResultSchema::Shown*> columns;
  for (const ResultSchema::Shown& column : schema.shown)
    if (column.name != "device") // which stands above the table
      columns.push_back(&column);
  for (const ResultSchema::Shown* column : columns) {
    const bool is_text = !rows.empty() && rows.front().at(column->name).is_string();
    table.add_column(column->unit.empty() || column->unit == "%" ? column->head : column->unit,
                     is_text ? TextTable::left : TextTable::right, column->weight);
  }
  for (const Area& area : areas)
    table.add_column(area.head, TextTable::right, area.weight);
  table.add_column("share", TextTable::right, 4);
  table.add_column("fits", TextTable::left, 10);
  for (const boost::json::object& row : rows) {
    std::vector<std::string> cells;
    for (const ResultSchema::Shown* column : columns)
      cells.push_back(cell(row.at(column->name), *column));
    for (const Area& area : areas)
      cells.push_back(grouped(row.at(area.name).to_number<std::uint64_t>()));
    cells.push_back(fixed(100 * row.at("share").to_number<double>(), 0) + " %");
    const boost::json::value& fits = row.at("fits");
    cells.emplace_back(fits.is_null() ? "too close" : fits.as_bool() ? "yes" : "no");
    table.add_row(std::move(cells));
  }
  return table;
}

void print_front(const Evaluator& evaluator, const Database& database, const std::vector<DesignPoint>& front,
                 const std::string& out) {
  const auto counts = database.counts();
  const std::uint64_t evaluated = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::string summary = evaluator.space().name + ": ";
  if (evaluated < evaluator.space().size())
    summary += grouped(evaluated) + " of ";
  summary += count_of(evaluator.space().size(), "point") + ", " + tell_counts(evaluator, database) + "; " +
             grouped(front.size()) + " on the front" +
             (evaluator.devices().size() > 1 ? "s, one a device" : "");
  std::printf("%s", folded(summary).c_str());
  if (counts[static_cast<std::size_t>(Verdict::impossible)] == evaluated)
    std::printf("%s", folded("  such as: " + evaluator.why_impossible(evaluator.evaluate(0))).c_str());
  if (front.empty())
    return;
  std::map<std::size_t, std::vector<DesignPoint>> by_device;
  for (const DesignPoint& point : front)
    by_device[point.at.device].push_back(point);
  const std::size_t most = std::max<std::size_t>(4, 10 / by_device.size());
  bool unclear = false;
  for (std::size_t d = 0; d < evaluator.devices().size(); ++d) {
    const Device& device = evaluator.devices()[d];
    if (!by_device.count(d)) {
      std::printf("\n%s: no design is feasible\n", device.name.c_str());
      continue;
    }
    std::vector<DesignPoint> points = by_device[d];
    const std::size_t all = points.size();
    points.resize(std::min(most, all));
    std::printf("\n%s: %s on its front\n%s", device.name.c_str(), count_of(all, "design").c_str(),
                front_table(evaluator.schema(), describe_points(database, points)).text().c_str());
    if (points.size() < all)
      std::printf("  and %s more in %s.csv\n", grouped(all - points.size()).c_str(), out.c_str());
    std::printf("  best by %s: %s\n", evaluator.space().figures[evaluator.space().objectives[0]].name.c_str(),
                command_line(evaluator, points[0]).c_str());
    unclear = unclear || std::any_of(points.begin(), points.end(),
                                     [](const DesignPoint& point) { return point.fit == Fit::unclear; });
  }
  if (unclear)
    std::printf(
        "\n  too close: within the area model's error of %.0f %%; `deltatwin synth` tells, or --confirm\n",
        100 * area_model_error);
}

boost::json::object result_json(const Evaluator& evaluator, const Database& database,
                                const std::vector<DesignPoint>& front) {
  boost::json::object json = report_data(evaluator, database, front);
  for (const char* of_the_page : {"format", "cloud", "space"})
    json.erase(of_the_page);
  return json;
}

// A result of ours begins like this; anything else is not ours to replace.
bool is_own(const std::string& path, const char* suffix) {
  const std::string begin = std::string(suffix) == ".csv" ? "id," : "<!DOCTYPE html>";
  std::ifstream file(path, std::ios::binary);
  std::string there(begin.size(), '\0');
  file.read(there.data(), static_cast<std::streamsize>(there.size()));
  return there == begin;
}

// That these are all shards of one space, complete.
void check_shards(const Evaluator& evaluator, const std::vector<std::string>& shards) {
  const int count = Database(shards.front(), Database::Access::read).shard().count;
  std::vector<bool> there(static_cast<std::size_t>(count));
  for (const std::string& path : shards) {
    const Database database(path, Database::Access::read);
    database.check(evaluator);
    const Shard shard = database.shard();
    if (shard.count != count)
      throw InputError(path + ": is shard " + to_string(shard) + ", " + shards.front() + " is one of " +
                       std::to_string(count));
    if (!is_complete(evaluator.space(), database))
      throw InputError(path + ": is not complete; `deltatwin explore --shard " + to_string(shard) +
                       " --resume` goes on with it");
    there[static_cast<std::size_t>(shard.index - 1)] = true;
  }
  const auto missing = std::find(there.begin(), there.end(), false);
  if (missing != there.end())
    throw InputError("shard " + to_string(Shard{static_cast<int>(missing - there.begin()) + 1, count}) +
                     " is missing");
}

} // namespace

std::atomic<bool> interrupted = false;

void catch_interrupts() {
  const auto handler = [](int signal) {
    interrupted = true;
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

void prepare_output(const ResultOptions& options) {
  const fs::path out = options.out;
  if (out.filename().empty())
    throw InputError("--out " + options.out + " is a directory; expected the beginning of file names in it");
  std::error_code error;
  if (!out.parent_path().empty())
    fs::create_directories(out.parent_path(), error);
  if (error)
    throw InputError(out.parent_path().string() + ": cannot be made: " + error.message());
  for (const char* suffix : {".sqlite", ".csv", ".html"})
    check_writable(options.out + suffix);
  prepare_json(options.json);
}

void check_replaceable(const ResultOptions& options, bool resumes) {
  for (const char* suffix : {".csv", ".html"})
    if (const std::string path = options.out + suffix; fs::exists(path) && !options.overwrite) {
      if (!resumes)
        throw InputError(path + ": is there already; --overwrite replaces it");
      if (!is_own(path, suffix))
        throw InputError(path + ": is no result of `deltatwin explore`; --overwrite replaces it");
    }
}

bool is_complete(const Space& space, const Database& database) {
  return database.chunks().size() == chunk_count(space, database.shard());
}

int finish_exploration(const Evaluator& evaluator, Database& database, const ResultOptions& options) {
  const std::vector<DesignPoint> front = load_front(evaluator, database);
  print_front(evaluator, database, front, options.out);
  const auto write_report = [&] {
    write_file(options.out + ".html", render_report(report_data(evaluator, database, front)));
  };
  write_file(options.out + ".csv", front_csv(evaluator, database, front));
  write_report();
  std::printf("\n  wrote %s.sqlite, .csv and .html\n", options.out.c_str());
  const auto tell = [&] { write_json(options.json, "explore", result_json(evaluator, database, front)); };
  if (front.empty() || !options.confirm) {
    tell();
    return front.empty() ? exit_does_not_fit : 0;
  }
  const bool agree =
      confirm(evaluator, plan_confirmation(evaluator, database, front, options.confirm, options.seed),
              interrupted, [&](const Confirmation& confirmation) {
                database.add(confirmation);
                write_report();
              });
  tell();
  if (!agree)
    std::fprintf(stderr, "deltatwin: the model's cycles are not those of the RTL\n");
  return !agree ? exit_twins_diverge : interrupted ? exit_interrupted : 0;
}

int merge_shards(const Evaluator& evaluator, const std::vector<std::string>& shards,
                 const ResultOptions& options) {
  const std::string path = options.out + ".sqlite";
  if (fs::exists(path) && !options.overwrite)
    throw InputError(path + ": is there already; --overwrite replaces it");
  check_replaceable(options, false);
  check_shards(evaluator, shards);
  prepare_output(options);
  const WorkDirectory work = WorkDirectory::beside(path);
  const std::string unfinished = work.path() + "/merged.sqlite";
  {
    Database merged = Database::create(unfinished, evaluator, {});
    for (const std::string& shard : shards)
      merged.merge(shard);
    reduce_front(evaluator, merged);
  }
  Database::remove(path);
  fs::rename(unfinished, path);
  Database database(path, Database::Access::write);
  return finish_exploration(evaluator, database, options);
}

} // namespace deltatwin
