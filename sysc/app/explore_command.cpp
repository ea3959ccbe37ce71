#include "app/commands.h"
#include "app/confirm.h"
#include "app/options.h"
#include "app/slurm.h"
#include "base/error.h"
#include "base/file.h"
#include "cosim/tool.h"
#include "explore/report.h"
#include "explore/results.h"
#include "explore/sweep.h"
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

struct ExploreOptions {
  std::string space, out, shard, dataset = default_dataset;
  int threads = 0, confirm = 0, slurm = 0;
  std::uint64_t seed = 1;
  bool resume = false, overwrite = false;
};

std::atomic<bool> interrupted = false;

// Ctrl-C and a batch system's SIGTERM end a sweep in good order; a second one ends it at once.
void catch_interrupts() {
  const auto handler = [](int signal) {
    interrupted = true;
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

std::string shard_path(const std::string& prefix, Shard shard) {
  return shard.count == 1 ? prefix + ".sqlite"
                          : prefix + ".shard-" + std::to_string(shard.index) + "-of-" +
                                std::to_string(shard.count) + ".sqlite";
}

void make_directory_of(const std::string& prefix) {
  const fs::path directory = fs::path(prefix).parent_path();
  std::error_code error;
  fs::create_directories(directory.empty() ? "." : directory, error);
  if (error)
    throw InputError(directory.string() + ": cannot be made: " + error.message());
  check_writable(prefix + ".csv");
}

Database open_database(const std::string& path, const Evaluator& evaluator, Shard shard,
                       const ExploreOptions& options) {
  if (fs::exists(path) && options.overwrite)
    for (const char* suffix : {"", "-wal", "-shm"})
      fs::remove(path + suffix);
  if (!fs::exists(path))
    return Database::create(path, evaluator, shard);
  if (!options.resume)
    throw InputError(path + ": is there already; --resume goes on with it, --overwrite begins anew");
  Database database(path, Database::Access::write);
  database.check(evaluator);
  const Shard there = database.shard();
  if (there.index != shard.index || there.count != shard.count)
    throw InputError(path + ": holds shard " + std::to_string(there.index) + "/" +
                     std::to_string(there.count));
  return database;
}

bool is_complete(const Space& space, const Database& database) {
  return database.chunks().size() == chunks_of(space, database.shard()).size();
}

bool run_sweep(const Evaluator& evaluator, Database& database, const ExploreOptions& options) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = options.threads ? options.threads : cores;
  Progress progress("exploring");
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::uint64_t points = 0;
  const bool complete =
      sweep(evaluator, database, threads, interrupted, [&](std::uint64_t done, std::uint64_t all) {
        points = done;
        progress.update(static_cast<double>(done), static_cast<double>(all),
                        grouped(static_cast<std::uint64_t>(static_cast<double>(done) / seconds())) +
                            " points/s");
      });
  std::fprintf(stderr, "%s points in %s s on %d %s: %s a second\n", grouped(points).c_str(),
               fixed(seconds(), 2).c_str(), threads, threads == 1 ? "thread" : "threads",
               grouped(static_cast<std::uint64_t>(static_cast<double>(points) / seconds())).c_str());
  return complete;
}

void print_front(const Evaluator& evaluator, const Database& database,
                 const std::vector<DesignPoint>& front) {
  const auto counts = database.counts();
  std::printf("%s: %s points, %s feasible", evaluator.space().name.c_str(),
              grouped(evaluator.space().size()).c_str(), grouped(counts[0]).c_str());
  for (std::size_t v = 1; v < verdicts; ++v)
    if (counts[v])
      std::printf(", %s %s", grouped(counts[v]).c_str(), to_string(static_cast<Verdict>(v)));
  std::printf("; %zu on the front\n", front.size());
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
                variant.network.c_str(), std::string(evaluator.devices()[point.at.device].name).c_str(),
                point.design.lanes, to_string(point.design.multiplier),
                fixed(point.design.clock_mhz, point.design.clock_mhz < 1 ? 3 : 0).c_str(),
                accuracy == accuracy ? (fixed(100 * accuracy, 2) + " %").c_str() : "-",
                fixed(point.figure(Objective::bits_a_weight), 2).c_str(),
                grouped(static_cast<std::uint64_t>(point.timing.interval() + 0.5)).c_str(),
                fixed(point.figure(Objective::latency), 1).c_str(),
                fixed(point.figure(Objective::throughput) / 1e6, 1).c_str(), point.used.lut, point.used.ff,
                point.used.dsp, point.used.bram36(), 100 * point.figure(Objective::share));
  }
  std::printf("\n  best by %s: %s\n", to_string(evaluator.space().objectives[0]),
              command_line(evaluator, front[0]).c_str());
}

// Database, front, CSV and report of a whole space; the exit code.
int finish(const Evaluator& evaluator, Database& database, const ExploreOptions& options) {
  const std::vector<DesignPoint> front = load_front(evaluator, database);
  print_front(evaluator, database, front);
  bool agree = true;
  if (options.confirm)
    agree = confirm(evaluator, database,
                    plan_confirmation(evaluator, database, front, options.confirm, options.seed),
                    options.dataset);
  write_file(options.out + ".csv", front_csv(evaluator, front));
  write_file(options.out + ".html", render_report(report_data(evaluator, database, front)));
  std::printf("\n  wrote %s.sqlite, .csv and .html\n", options.out.c_str());
  if (!agree)
    std::fprintf(stderr, "deltatwin: the model's cycles are not those of the RTL\n");
  return !agree ? exit_twins_diverge : front.empty() ? exit_does_not_fit : 0;
}

// That these are all shards of one space, complete.
void check_shards(const Evaluator& evaluator, const std::vector<std::string>& shards) {
  const int count = Database(shards.front(), Database::Access::read).shard().count;
  std::vector<bool> there(static_cast<std::size_t>(count));
  for (const std::string& path : shards) {
    const Database database(path, Database::Access::read);
    database.check(evaluator);
    const Shard shard = database.shard();
    const std::string name = std::to_string(shard.index) + "/" + std::to_string(shard.count);
    if (shard.count != count)
      throw InputError(path + ": is shard " + name + ", " + shards.front() + " is one of " +
                       std::to_string(count));
    if (!is_complete(evaluator.space(), database))
      throw InputError(path + ": is not complete; `deltatwin explore --shard " + name +
                       " --resume` goes on with it");
    there[static_cast<std::size_t>(shard.index - 1)] = true;
  }
  const auto missing = std::find(there.begin(), there.end(), false);
  if (missing != there.end())
    throw InputError("shard " + std::to_string(missing - there.begin() + 1) + "/" + std::to_string(count) +
                     " is missing");
}

int merge_shards(const std::vector<std::string>& shards, const ExploreOptions& options) {
  const std::string path = options.out + ".sqlite", unfinished = path + ".merge";
  if (fs::exists(path) && !options.overwrite)
    throw InputError(path + ": is there already; --overwrite replaces it");
  const auto read_space = [&] {
    const Database first(shards.front(), Database::Access::read);
    return parse_space(first.space_value("text"), first.space_value("name"));
  };
  const Evaluator evaluator(read_space(), options.dataset);
  check_shards(evaluator, shards);
  make_directory_of(options.out);
  fs::remove(unfinished);
  {
    Database merged = Database::create(unfinished, evaluator, {});
    for (const std::string& shard : shards)
      merged.merge(shard);
    reduce_front(evaluator, merged);
  }
  fs::rename(unfinished, path);
  Database database(path, Database::Access::write);
  return finish(evaluator, database, options);
}

int explore_on_slurm(const ExploreOptions& options) {
  const Space space = load_space(options.space);
  if (fs::exists(options.out + ".sqlite") && !options.resume && !options.overwrite)
    throw InputError(options.out +
                     ".sqlite: is there already; --resume goes on with it, --overwrite begins anew");
  make_directory_of(options.out);
  std::vector<std::string> shards;
  for (int i = 1; i <= options.slurm; ++i)
    shards.push_back(shard_path(options.out, {i, options.slurm}));
  if (options.overwrite)
    for (const std::string& shard : shards)
      for (const char* suffix : {"", "-wal", "-shm"})
        fs::remove(shard + suffix);
  std::vector<std::string> words = {"explore",  options.space, "--out",        options.out,
                                    "--resume", "--dataset",   options.dataset};
  if (options.threads)
    words.insert(words.end(), {"--threads", std::to_string(options.threads)});
  constexpr int rounds = 3; // a task that was killed goes on where it was
  for (int round = 0;; ++round) {
    std::vector<int> open;
    std::string names;
    for (int i = 1; i <= options.slurm; ++i) {
      const std::string& path = shards[static_cast<std::size_t>(i - 1)];
      if (fs::exists(path) && is_complete(space, Database(path, Database::Access::read)))
        continue;
      open.push_back(i);
      names += (names.empty() ? "" : ", ") + std::to_string(i);
    }
    if (open.empty())
      break;
    const std::string log = options.out + ".shard-%a-of-" + std::to_string(options.slurm) + ".log";
    if (round == rounds)
      throw ToolError("shards " + names + " are not complete after " + std::to_string(rounds) +
                      " rounds; see " + log);
    std::fprintf(stderr, "submitting shards %s of %d to Slurm\n", names.c_str(), options.slurm);
    if (!run_job_array(words, open, options.slurm, log, interrupted))
      return exit_interrupted;
  }
  ExploreOptions merge = options;
  merge.overwrite = true;
  return merge_shards(shards, merge);
}

int explore(const ExploreOptions& options) {
  const Shard shard = options.shard.empty() ? Shard{} : parse_shard(options.shard);
  if (options.confirm && shard.count > 1)
    throw InputError("--confirm is for a whole space: give it to `deltatwin merge`");
  const Evaluator evaluator(load_space(options.space), options.dataset);
  make_directory_of(options.out);
  Database database = open_database(shard_path(options.out, shard), evaluator, shard, options);
  const bool complete = run_sweep(evaluator, database, options);
  if (!complete)
    std::fprintf(stderr, "stopped; --resume goes on\n");
  int code = 0;
  if (shard.count > 1) {
    std::printf("shard %d/%d of %s: %s\n", shard.index, shard.count, evaluator.space().name.c_str(),
                shard_path(options.out, shard).c_str());
  } else {
    ExploreOptions then = options;
    then.confirm = complete ? options.confirm : 0;
    code = finish(evaluator, database, then);
  }
  return complete ? code : exit_interrupted;
}

void add_result_options(CLI::App& command, ExploreOptions& options) {
  command.add_option("-o,--out", options.out,
                     "where the results go: OUT.sqlite, OUT.csv, OUT.html [traces/out/<name of the space>]");
  command
      .add_option("--confirm", options.confirm,
                  "run the N best designs, and N random ones, on RTL and through synthesis [0]")
      ->check(CLI::Range(0, 1000));
  command.add_option("--seed", options.seed, "seed of the random designs to confirm")->capture_default_str();
  command.add_option("--dataset", options.dataset, "directory of the IDX files")->capture_default_str();
  command.add_flag("--overwrite", options.overwrite, "replace a result that is there");
}

} // namespace

void add_explore_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("explore", "all designs of a space: which fit, which are the best");
  auto options = std::make_shared<ExploreOptions>();
  command->add_option("space", options->space, "a space file (JSON)")->required();
  add_result_options(*command, *options);
  command->add_flag("--resume", options->resume, "go on with a result that is there")
      ->excludes("--overwrite");
  command->add_option("--threads", options->threads, "threads [one a core]")->check(CLI::Range(1, 1024));
  auto* shard = command->add_option("--shard", options->shard, "i/n: only the i-th of n parts of the space");
  command->add_option("--slurm", options->slurm, "run as N shards in a Slurm job array, and merge them")
      ->check(CLI::Range(1, 10000))
      ->excludes(shard);
  command->footer("Examples:\n"
                  "  deltatwin explore traces/spaces/s15_on_xc7s15.json --confirm 2\n"
                  "  deltatwin explore my_space.json --out results/my_space --threads 8 --resume\n"
                  "  deltatwin explore my_space.json --shard 2/8\n"
                  "  deltatwin explore my_space.json --slurm 64\n"
                  "  sqlite3 traces/out/my_space.sqlite 'select * from designs where on_front'\n"
                  "Ctrl-C keeps what is done; --resume goes on.");
  command->callback([options, &exit_code] {
    if (options->out.empty())
      options->out = "traces/out/" + fs::path(options->space).stem().string();
    catch_interrupts();
    exit_code = options->slurm ? explore_on_slurm(*options) : explore(*options);
  });
}

void add_merge_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("merge", "put the shards of a space together");
  auto options = std::make_shared<ExploreOptions>();
  auto shards = std::make_shared<std::vector<std::string>>();
  command->add_option("shards", *shards, "all shards' .sqlite files")->required();
  add_result_options(*command, *options);
  command->footer("Example:\n  deltatwin merge traces/out/my_space.shard-*-of-8.sqlite");
  command->callback([options, shards, &exit_code] {
    if (options->out.empty())
      options->out = "traces/out/" + Database(shards->front(), Database::Access::read).space_value("name");
    exit_code = merge_shards(*shards, *options);
  });
}

} // namespace deltatwin
