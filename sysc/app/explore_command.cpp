#include "app/commands.h"
#include "app/exploration.h"
#include "app/slurm.h"
#include "base/error.h"
#include "base/tool.h"
#include "explore/sweep.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

struct ExploreOptions : ResultOptions {
  std::string space, shard;
  int threads = 0, slurm = 0;
  bool resume = false;
};

std::string shard_path(const std::string& prefix, Shard shard) {
  return shard.count == 1 ? prefix + ".sqlite"
                          : prefix + ".shard-" + std::to_string(shard.index) + "-of-" +
                                std::to_string(shard.count) + ".sqlite";
}

[[noreturn]] void refuse_existing(const std::string& path) {
  throw InputError(path + ": is there already; --resume goes on with it, --overwrite begins anew");
}

Database open_database(const std::string& path, const Evaluator& evaluator, Shard shard,
                       const ExploreOptions& options) {
  if (options.overwrite)
    Database::remove(path);
  if (!fs::exists(path))
    return Database::create(path, evaluator, shard);
  if (!options.resume)
    refuse_existing(path);
  Database database(path, Database::Access::write);
  database.check(evaluator);
  if (to_string(database.shard()) != to_string(shard))
    throw InputError(path + ": holds shard " + to_string(database.shard()));
  return database;
}

// Before hours of sweeping: that what confirms the designs is there.
void check_confirmable(const ExploreOptions& options) {
  if (!options.confirm)
    return;
  std::error_code error;
  (void)fs::temp_directory_path(error);
  if (error)
    throw InputError(
        "--confirm works in the directory that TMPDIR names (/tmp without it), which cannot be used: " +
        error.message());
  run_tool("verilator", {"--version"});
  run_tool("yosys", {"-V"});
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

int explore_on_slurm(const Evaluator& evaluator, const ExploreOptions& options) {
  const std::string whole = shard_path(options.out, {});
  std::vector<std::string> shards;
  for (int i = 1; i <= options.slurm; ++i)
    shards.push_back(shard_path(options.out, {i, options.slurm}));
  for (const std::string& path : shards) {
    if (options.overwrite)
      Database::remove(path);
    if (fs::exists(path) && !options.resume)
      refuse_existing(path);
    if (fs::exists(path))
      Database(path, Database::Access::read).check(evaluator);
  }
  if (fs::exists(whole) && !options.resume && !options.overwrite)
    refuse_existing(whole);
  check_replaceable(options, options.resume && fs::exists(whole));
  const int threads = std::max(1, options.threads);
  const std::vector<std::string> words = {"explore",       options.space, "--out",
                                          options.out,     "--resume",    "--dataset",
                                          options.dataset, "--threads",   std::to_string(threads)};
  constexpr int rounds = 3; // a task that was killed goes on where it was
  for (int round = 0;; ++round) {
    std::vector<int> open;
    std::string names;
    for (int i = 1; i <= options.slurm; ++i) {
      const std::string& path = shards[static_cast<std::size_t>(i - 1)];
      if (fs::exists(path) && is_complete(evaluator.space(), Database(path, Database::Access::read)))
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
    if (!run_job_array(words, open, options.slurm, threads, log, interrupted))
      return exit_interrupted;
  }
  ResultOptions merge = options;
  merge.overwrite = true;
  return merge_shards(evaluator, shards, merge);
}

int explore(const ExploreOptions& options) {
  const Shard shard = options.shard.empty() ? Shard{} : parse_shard(options.shard);
  if (options.confirm && shard.count > 1)
    throw InputError("--confirm is for a whole space: give it to `deltatwin merge`");
  const Evaluator evaluator(load_space(options.space), options.dataset);
  check_confirmable(options);
  if (shard.count == 1 && !options.slurm) {
    const bool there = fs::exists(shard_path(options.out, {}));
    if (there && !options.resume && !options.overwrite)
      refuse_existing(shard_path(options.out, {}));
    check_replaceable(options, there && options.resume);
  }
  prepare_output(options);
  catch_interrupts();
  if (options.slurm)
    return explore_on_slurm(evaluator, options);
  Database database = open_database(shard_path(options.out, shard), evaluator, shard, options);
  const bool complete = run_sweep(evaluator, database, options);
  if (!complete)
    std::fprintf(stderr, "stopped; --resume goes on\n");
  int code = 0;
  if (shard.count > 1) {
    std::printf("shard %s of %s: %s\n", to_string(shard).c_str(), evaluator.space().name.c_str(),
                shard_path(options.out, shard).c_str());
  } else {
    ExploreOptions then = options;
    then.confirm = complete ? options.confirm : 0;
    code = finish_exploration(evaluator, database, then);
  }
  return complete ? code : exit_interrupted;
}

void add_result_options(CLI::App& command, ResultOptions& options) {
  command.add_option(
      "-o,--out", options.out,
      "where the results go: OUT.sqlite, OUT.csv, OUT.html [<name of the space> in traces/out of "
      "the project, wherever the program runs]");
  add_json_option(command, options.json);
  command
      .add_option("--confirm", options.confirm,
                  "run the N best designs, and N random ones, on RTL and through synthesis [0]")
      ->check(CLI::Range(0, 1000));
  command.add_option("--seed", options.seed, "seed of the random designs to confirm")->capture_default_str();
  command.add_option("--dataset", options.dataset, "directory of the IDX files")->capture_default_str();
  command.add_flag("--overwrite", options.overwrite,
                   "replace a result that is there, and files of its names");
}

} // namespace

void add_explore_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("explore", "all designs of a space: which fit, which are the best");
  auto options = std::make_shared<ExploreOptions>();
  command
      ->add_option(
          "space", options->space,
          "a space file (JSON); files of networks and devices that it names are found from its directory")
      ->required();
  add_result_options(*command, *options);
  command->add_flag("--resume", options->resume, "go on with a result that is there")
      ->excludes("--overwrite");
  command->add_option("--threads", options->threads, "threads [one a core]")->check(CLI::Range(1, 1024));
  auto* shard = command->add_option("--shard", options->shard, "i/n: only the i-th of n parts of the space");
  command->add_option("--slurm", options->slurm, "run as N shards in a Slurm job array, and merge them")
      ->check(CLI::Range(1, 10000))
      ->excludes(shard);
  command->footer(
      "Examples:\n"
      "  deltatwin explore traces/spaces/s15_on_xc7s15.json --confirm 2\n"
      "  deltatwin explore my_space.json --out results/my_space --threads 8 --resume\n"
      "  deltatwin explore my_space.json --shard 2/8\n"
      "  deltatwin explore my_space.json --slurm 64\n"
      "  deltatwin explore my_space.json --out /tmp/mine --json - | jq .front[0].command\n"
      "  sqlite3 traces/out/my_space.sqlite 'select * from best'\n"
      "Designs that tie in all objectives: the first of the space stands for them.\n"
      "Without --overwrite nothing is replaced but, with --resume, the result itself.\n"
      "Ctrl-C keeps what is done (exit code 130); --resume goes on. Exit code 3: no design is feasible,\n"
      "1: RTL has other cycles than the model.");
  command->callback([options, &exit_code] {
    if (options->out.empty())
      options->out = default_output_directory() + "/" + fs::path(options->space).stem().string();
    exit_code = explore(*options);
  });
}

void add_merge_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("merge", "put the shards of a space together");
  auto options = std::make_shared<ResultOptions>();
  auto shards = std::make_shared<std::vector<std::string>>();
  command->add_option("shards", *shards, "all shards' .sqlite files")->required();
  add_result_options(*command, *options);
  command->footer("Examples:\n  deltatwin merge traces/out/my_space.shard-*-of-8.sqlite");
  command->callback([options, shards, &exit_code] {
    const auto read_space = [&] {
      const Database first(shards->front(), Database::Access::read);
      return parse_space(
          first.space_value("text"),
          (fs::path(first.space_value("directory")) / (first.space_value("name") + ".json")).string());
    };
    const Evaluator evaluator(read_space(), options->dataset);
    if (options->out.empty())
      options->out = default_output_directory() + "/" + evaluator.space().name;
    catch_interrupts();
    exit_code = merge_shards(evaluator, *shards, *options);
  });
}

} // namespace deltatwin
