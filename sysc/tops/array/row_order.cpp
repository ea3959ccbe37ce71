#include "tops/array/row_order.h"
#include <algorithm>
#include <stdexcept>
#include <utility>

namespace deltatwin {
namespace {

int first_read(const RowUse& use, int row, int rows) {
  return std::clamp(row * use.stride - use.top, 0, rows);
}
int end_read(const RowUse& use, int row, int rows) {
  return std::clamp(row * use.stride - use.top + use.kernel, 0, rows);
}

// The rows that were made, and when.
class Progress {
public:
  Progress(const std::vector<RowLayer>& layers, const std::array<Cycle, 2>& writeback)
      : layers_(layers), writeback_(writeback), written_(layers.size()), readers_(layers.size()),
        live_(layers.size()) {
    for (std::size_t reader = 0; reader < layers.size(); ++reader)
      for (const RowUse& use : layers[reader].reads)
        if (use.producer != RowUse::input)
          readers_[use.producer].push_back({reader, &use});
  }

  [[nodiscard]] bool is_done(std::size_t layer) const { return made(layer) == layers_[layer].rows; }
  // Whether the layer's next rows would be no more than may live.
  [[nodiscard]] bool fits(std::size_t layer) const {
    const int most = layers_[layer].most, next = made(layer) + rows_of(layer);
    return most == 0 || next - first_needed(layer, next, 0) <= most;
  }
  // When the layer's next row can begin; `never`: rows that it reads are not made yet.
  [[nodiscard]] Cycle ready(std::size_t layer) const {
    Cycle cycle = 0;
    for (const RowUse& use : layers_[layer].reads) {
      if (use.producer == RowUse::input)
        continue;
      const int end = end_read(use, made(layer) + rows_of(layer) - 1, layers_[use.producer].rows);
      if (end > made(use.producer))
        return never;
      if (end > 0)
        cycle =
            std::max(cycle, written_[use.producer][static_cast<std::size_t>(end) - 1] +
                                (layers_[use.producer].engine == layers_[layer].engine ? 0 : seen_by_other));
    }
    return cycle;
  }
  void make(std::size_t layer) {
    const int engine = layers_[layer].engine;
    Cycle& now = now_[static_cast<std::size_t>(engine)];
    const Cycle ready_at = ready(layer), begin = std::max(now, ready_at);
    const bool wait = ready_at > now;
    now = begin + layers_[layer].cycles;
    const Cycle written = now + writeback_[static_cast<std::size_t>(engine)];
    const int rows = rows_of(layer);
    order_.steps.push_back({layer, made(layer), rows, wait, begin, written});
    written_[layer].insert(written_[layer].end(), static_cast<std::size_t>(rows), written);
    live_[layer] = std::max(live_[layer], made(layer) - first_needed(layer, made(layer), begin));
  }
  [[nodiscard]] Cycle now(int engine) const { return now_[static_cast<std::size_t>(engine)]; }
  [[nodiscard]] RowOrder order() && {
    order_.live = std::move(live_);
    return std::move(order_);
  }

private:
  struct Reader {
    std::size_t layer;
    const RowUse* use;
  };
  static constexpr Cycle seen_by_other = 1; ///< later than by the engine that wrote it

  [[nodiscard]] int rows_of(std::size_t layer) const { // the next ones
    return std::min(layers_[layer].block, layers_[layer].rows - made(layer));
  }
  [[nodiscard]] int made(std::size_t layer) const { return static_cast<int>(written_[layer].size()); }
  // Of the layer's rows, the first that some row reads that is not made yet, or that the other engine has not
  // done by then.
  [[nodiscard]] int first_needed(std::size_t layer, int made_by_then, Cycle by) const {
    int first = made_by_then;
    for (const Reader& reader : readers_[layer]) {
      int read = made(reader.layer);
      if (layers_[reader.layer].engine != layers_[layer].engine) {
        const std::vector<Cycle>& done = written_[reader.layer];
        while (read > 0 && done[static_cast<std::size_t>(read) - 1] + seen_by_other > by)
          --read;
      }
      if (read < layers_[reader.layer].rows)
        first = std::min(first, first_read(*reader.use, read, layers_[layer].rows));
    }
    return first;
  }

  const std::vector<RowLayer>& layers_;
  std::array<Cycle, 2> writeback_, now_{};
  std::vector<std::vector<Cycle>> written_;
  std::vector<std::vector<Reader>> readers_;
  std::vector<int> live_;
  RowOrder order_;
};

} // namespace

RowOrder order_depth_first(const std::vector<RowLayer>& layers, const std::array<Cycle, 2>& writeback) {
  Progress progress(layers, writeback);
  std::array<std::vector<std::size_t>, 2> of; ///< layers, the last one first
  for (std::size_t l = layers.size(); l-- > 0;)
    of[static_cast<std::size_t>(layers[l].engine)].push_back(l);
  for (;;) {
    std::size_t best = layers.size();
    Cycle best_begin = never;
    for (const int engine : {0, 1}) {
      std::size_t next = layers.size();
      Cycle next_ready = never;
      for (const std::size_t l : of[static_cast<std::size_t>(engine)]) {
        if (progress.is_done(l) || !progress.fits(l))
          continue;
        const Cycle ready = progress.ready(l);
        if (ready < next_ready) {
          next = l;
          next_ready = ready;
        }
        if (next_ready <= progress.now(engine))
          break;
      }
      const Cycle begin = std::max(next_ready, progress.now(engine));
      if (next_ready != never && begin < best_begin) {
        best = next;
        best_begin = begin;
      }
    }
    if (best == layers.size())
      break;
    progress.make(best);
  }
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (!progress.is_done(l)) {
      if (std::any_of(layers.begin(), layers.end(), [](const RowLayer& layer) { return layer.most > 0; }))
        return {};
      throw std::logic_error("a layer reads rows of one behind it");
    }
  return std::move(progress).order();
}

RowOrder order_by_layers(const std::vector<RowLayer>& layers, const std::array<Cycle, 2>& writeback) {
  Progress progress(layers, writeback);
  for (std::size_t l = 0; l < layers.size(); ++l)
    while (!progress.is_done(l))
      progress.make(l);
  return std::move(progress).order();
}

} // namespace deltatwin
