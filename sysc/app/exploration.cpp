#include "app/exploration.h"
#include "app/commands.h"
#include "app/confirm.h"
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
#include <numeric>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

void print_front(const Evaluator& evaluator, const Database& database,
                 const std::vector<DesignPoint>& front) {
  const auto counts = database.counts();
  const std::uint64_t evaluated = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::printf("%s: %s%s points, %s feasible", evaluator.space().name.c_str(),
              evaluated < evaluator.space().size() ? (grouped(evaluated) + " of ").c_str() : "",
              grouped(evaluator.space().size()).c_str(), grouped(counts[0]).c_str());
  for (std::size_t v = 1; v < verdicts; ++v)
    if (counts[v])
      std::printf(", %s %s", grouped(counts[v]).c_str(), to_string(static_cast<Verdict>(v)));
  std::printf("; %zu on the front\n", front.size());
  if (counts[static_cast<std::size_t>(Verdict::impossible)] == evaluated)
    std::printf("  such as: %s\n", why_impossible(evaluator, evaluator.evaluate(0)).c_str());
  if (front.empty())
    return;
  constexpr std::size_t shown = 10;
  std::printf("\n  %-18s %-8s %5s %-10s %7s %8s  %9s %9s %10s %11s %6s %6s %4s %6s %6s\n", "network",
              "device", "lanes", "multiplier", "MHz", "accuracy", "bits a w.", "cycles", "latency us",
              "M MAC/s", "LUT", "FF", "DSP", "RAMB36", "share");
  for (std::size_t i = 0; i < std::min(shown, front.size()); ++i) {
    const DesignPoint& point = front[i];
    const Variant& variant = evaluator.variants()[point.variant];
    const double accuracy = point.figure(Objective::accuracy);
    std::printf("  %-18s %-8s %5d %-10s %7s %8s  %9s %9s %10s %11s %6d %6d %4d %6d %4.0f %%\n",
                variant.network.c_str(), evaluator.devices()[point.at.device].name.c_str(),
                point.design.lanes, to_string(point.design.multiplier),
                fixed(point.design.clock_mhz, point.design.clock_mhz < 1 ? 3 : 0).c_str(),
                std::isnan(accuracy) ? "-" : (fixed(100 * accuracy, 2) + " %").c_str(),
                fixed(point.figure(Objective::bits_a_weight), 2).c_str(),
                grouped(static_cast<std::uint64_t>(point.timing.interval() + 0.5)).c_str(),
                fixed(point.figure(Objective::latency), 1).c_str(),
                fixed(point.figure(Objective::throughput) / 1e6, 1).c_str(), point.used.lut, point.used.ff,
                point.used.dsp, point.used.bram36(), 100 * point.figure(Objective::share));
  }
  std::printf("\n  best by %s: %s\n", to_string(evaluator.space().objectives[0]),
              command_line(evaluator, front[0]).c_str());
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
}

bool is_complete(const Space& space, const Database& database) {
  return database.chunks().size() == chunk_count(space, database.shard());
}

int finish_exploration(const Evaluator& evaluator, Database& database, const ResultOptions& options) {
  const std::vector<DesignPoint> front = load_front(evaluator, database);
  print_front(evaluator, database, front);
  const auto write_report = [&] {
    write_file(options.out + ".html", render_report(report_data(evaluator, database, front)));
  };
  write_file(options.out + ".csv", front_csv(evaluator, front));
  write_report();
  std::printf("\n  wrote %s.sqlite, .csv and .html\n", options.out.c_str());
  if (front.empty())
    return exit_does_not_fit;
  if (!options.confirm)
    return 0;
  const bool agree =
      confirm(evaluator, plan_confirmation(evaluator, database, front, options.confirm, options.seed),
              options.dataset, interrupted, [&](const Confirmation& confirmation) {
                database.add(confirmation);
                write_report();
              });
  if (!agree)
    std::fprintf(stderr, "deltatwin: the model's cycles are not those of the RTL\n");
  return !agree ? exit_twins_diverge : interrupted ? exit_interrupted : 0;
}

int merge_shards(const Evaluator& evaluator, const std::vector<std::string>& shards,
                 const ResultOptions& options) {
  const std::string path = options.out + ".sqlite", unfinished = path + ".merge";
  if (fs::exists(path) && !options.overwrite)
    throw InputError(path + ": is there already; --overwrite replaces it");
  check_shards(evaluator, shards);
  prepare_output(options);
  Database::remove(unfinished);
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
