#pragma once
#include "explore/database.h"
#include <atomic>
#include <functional>

namespace deltatwin {

/// Evaluates those of the shard's chunks that the database does not hold yet, on `threads` threads,
/// and leaves the front of what is there. Once `stop` is set it ends with the chunks under way; all
/// finished ones stay. Returns whether the shard is complete.
bool sweep(const Evaluator& evaluator, Database& database, int threads, const std::atomic<bool>& stop,
           const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

/// Reduces what the chunks' own fronts have brought together to the front of all.
void reduce_front(const Evaluator& evaluator, Database& database);

} // namespace deltatwin
