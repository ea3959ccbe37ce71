#include "explore/sweep.h"
#include <algorithm>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>

namespace deltatwin {
namespace {

Chunk evaluate_chunk(const Evaluator& evaluator, std::uint64_t id) {
  Chunk chunk;
  chunk.id = id;
  const std::uint64_t end = std::min((id + 1) * chunk_points, evaluator.space().size());
  for (std::uint64_t point = id * chunk_points; point < end; ++point) {
    DesignPoint evaluated = evaluator.evaluate(point);
    ++chunk.counts[static_cast<std::size_t>(evaluated.verdict)];
    if (evaluated.verdict == Verdict::feasible)
      chunk.feasible.push_back(std::move(evaluated));
  }
  chunk.front = pareto_front(evaluator.space().objectives, chunk.feasible);
  return chunk;
}

} // namespace

bool sweep(const Evaluator& evaluator, Database& database, int threads, const std::atomic<bool>& stop,
           const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const std::vector<std::uint64_t> mine = chunks_of(evaluator.space(), database.shard());
  const std::vector<std::uint64_t> done = database.chunks();
  std::vector<std::uint64_t> open;
  std::set_difference(mine.begin(), mine.end(), done.begin(), done.end(), std::back_inserter(open));

  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::size_t finished = 0;
  std::exception_ptr failure;
  std::mutex mutex; // of the database, and of the two above
  const auto work = [&] {
    try {
      while (!stop && !failed) {
        const std::size_t at = next++;
        if (at >= open.size())
          return;
        const Chunk chunk = evaluate_chunk(evaluator, open[at]);
        const std::lock_guard<std::mutex> lock(mutex);
        database.add(chunk);
        progress(std::min(++finished * chunk_points, evaluator.space().size()),
                 std::min(open.size() * chunk_points, evaluator.space().size()));
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
      failed = true;
    }
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers)
    helper.join();
  if (failure)
    std::rethrow_exception(failure);
  reduce_front(evaluator, database);
  return finished == open.size();
}

void reduce_front(const Evaluator& evaluator, Database& database) {
  constexpr std::size_t batch = 1 << 16; // bounds memory
  std::vector<DesignPoint> front;
  std::size_t grown_to = batch;
  const auto reduce = [&] { front = pareto_front(evaluator.space().objectives, front); };
  for (const std::uint64_t id : database.front()) {
    front.push_back(evaluator.evaluate(id));
    if (front.size() >= grown_to) {
      reduce();
      grown_to = front.size() + batch;
    }
  }
  reduce();
  database.set_front(front);
}

} // namespace deltatwin
