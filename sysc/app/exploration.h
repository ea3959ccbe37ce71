#pragma once
#include "app/options.h"
#include "explore/database.h"
#include <atomic>
#include <string>
#include <vector>

namespace deltatwin {

/// What `explore` and `merge` share.
struct ResultOptions {
  std::string out; ///< OUT.sqlite, OUT.csv, OUT.html
  std::string dataset = default_dataset;
  std::string json;
  int confirm = 0; ///< designs to run on RTL: the best, and as many at random
  std::uint64_t seed = 1;
  bool overwrite = false;
};

/// Set by Ctrl-C and a batch system's SIGTERM once catch_interrupts() was called; a second one ends
/// the program at once.
extern std::atomic<bool> interrupted;
void catch_interrupts();

/// Makes the directory of OUT.* if it is not there; throws InputError where nothing can be written.
void prepare_output(const ResultOptions& options);
/// Throws InputError where OUT.csv or OUT.html would be replaced without --overwrite; `resumes`: those of
/// the result that is gone on with are.
void check_replaceable(const ResultOptions& options, bool resumes);
/// Whether all chunks of the database's shard are done.
[[nodiscard]] bool is_complete(const Space& space, const Database& database);

/// Of a whole space: prints the front, writes it as CSV and as a report, confirms designs on RTL.
/// Returns the exit code.
int finish_exploration(const Evaluator& evaluator, Database& database, const ResultOptions& options);

/// Makes OUT.sqlite of all of the space's shards, then finishes. Throws InputError where one is missing
/// or not complete, or they do not belong together.
int merge_shards(const Evaluator& evaluator, const std::vector<std::string>& shards,
                 const ResultOptions& options);

} // namespace deltatwin
