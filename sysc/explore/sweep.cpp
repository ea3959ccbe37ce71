#include "explore/sweep.h"
#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace deltatwin {
namespace {

Chunk evaluate_chunk(const Evaluator& evaluator, std::uint64_t id) {
  Chunk chunk;
  chunk.id = id;
  const std::uint64_t end = std::min((id + 1) * chunk_points, evaluator.space().size());
  const std::uint64_t first = id * chunk_points;
  evaluator.evaluate(first, end - first, [&](const DesignPoint& point) {
    ++chunk.counts[static_cast<std::size_t>(point.verdict)];
    if (point.verdict == Verdict::does_not_fit)
      ++chunk.short_of[static_cast<std::size_t>(shortest_resource(point.used, evaluator.device(point)))];
    if (point.verdict == Verdict::feasible)
      chunk.feasible.push_back(point);
  });
  chunk.front = pareto_front(evaluator.space(), chunk.feasible);
  return chunk;
}

} // namespace

bool sweep(const Evaluator& evaluator, Database& database, int threads, const std::atomic<bool>& stop,
           const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const Shard shard = database.shard();
  const std::uint64_t chunks = chunk_count(evaluator.space(), shard);
  const std::vector<std::uint64_t> done = database.chunks();
  const std::uint64_t open = chunks - done.size();

  std::atomic<std::uint64_t> next = 0;
  std::atomic<bool> failed = false;
  std::uint64_t finished = 0;
  std::exception_ptr failure;
  std::mutex mutex; // of the database, and of the two above
  const auto work = [&] {
    try {
      while (!stop && !failed) {
        const std::uint64_t place = next++;
        if (place >= chunks)
          return;
        const std::uint64_t id = chunk_id(shard, place);
        if (std::binary_search(done.begin(), done.end(), id))
          continue;
        const Chunk chunk = evaluate_chunk(evaluator, id);
        const std::lock_guard<std::mutex> lock(mutex);
        database.add(chunk, evaluator.schema());
        progress(std::min(++finished * chunk_points, evaluator.space().size()),
                 std::min(open * chunk_points, evaluator.space().size()));
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failed)
        failure = std::current_exception();
      failed = true;
    }
  };
  std::vector<std::thread> helpers;
  try {
    for (int i = 1; i < threads; ++i)
      helpers.emplace_back(work);
  } catch (const std::system_error&) { // then with as many as there are
  }
  work();
  for (std::thread& helper : helpers)
    helper.join();
  if (failure)
    std::rethrow_exception(failure);
  reduce_front(evaluator, database);
  return finished == open;
}

void reduce_front(const Evaluator& evaluator, Database& database) {
  constexpr std::size_t batch = 1 << 16; // bounds memory
  std::vector<DesignPoint> front;
  std::size_t grown_to = batch;
  const auto reduce = [&] { front = pareto_front(evaluator.space(), front); };
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
