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
  Progress(const std::vector<RowLayer>& layers, Cycle writeback)
      : layers_(layers), writeback_(writeback), written_(layers.size()), live_(layers.size()) {}

  [[nodiscard]] bool is_done(std::size_t layer) const { return made(layer) == layers_[layer].rows; }
  // When the layer's next row can begin; `never`: rows that it reads are not made yet.
  [[nodiscard]] Cycle ready(std::size_t layer) const {
    Cycle cycle = 0;
    for (const RowUse& use : layers_[layer].reads) {
      if (use.producer == RowUse::input)
        continue;
      const int end = end_read(use, made(layer), layers_[use.producer].rows);
      if (end > made(use.producer))
        return never;
      if (end > 0)
        cycle = std::max(cycle, written_[use.producer][static_cast<std::size_t>(end) - 1]);
    }
    return cycle;
  }
  void make(std::size_t layer) {
    const Cycle ready_at = ready(layer);
    order_.steps.push_back({layer, made(layer), ready_at > now_});
    now_ = std::max(now_, ready_at) + layers_[layer].cycles;
    written_[layer].push_back(now_ + writeback_);
    live_[layer] = std::max(live_[layer], made(layer) - first_needed(layer));
  }
  [[nodiscard]] Cycle now() const { return now_; }
  [[nodiscard]] RowOrder order() && {
    order_.live = std::move(live_);
    return std::move(order_);
  }

private:
  [[nodiscard]] int made(std::size_t layer) const { return static_cast<int>(written_[layer].size()); }
  // Of the layer's rows, the first that some row not made yet reads.
  [[nodiscard]] int first_needed(std::size_t layer) const {
    int first = made(layer);
    for (std::size_t reader = 0; reader < layers_.size(); ++reader)
      for (const RowUse& use : layers_[reader].reads)
        if (use.producer == layer && !is_done(reader))
          first = std::min(first, first_read(use, made(reader), layers_[layer].rows));
    return first;
  }

  const std::vector<RowLayer>& layers_;
  Cycle writeback_, now_ = 0;
  std::vector<std::vector<Cycle>> written_;
  std::vector<int> live_;
  RowOrder order_;
};

} // namespace

RowOrder order_depth_first(const std::vector<RowLayer>& layers, Cycle writeback) {
  Progress progress(layers, writeback);
  for (;;) {
    std::size_t best = layers.size();
    Cycle best_ready = never;
    for (std::size_t l = layers.size(); l-- > 0 && best_ready > progress.now();)
      if (!progress.is_done(l) && progress.ready(l) < best_ready) {
        best = l;
        best_ready = progress.ready(l);
      }
    if (best == layers.size())
      break;
    progress.make(best);
  }
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (!progress.is_done(l))
      throw std::logic_error("a layer reads rows of one behind it");
  return std::move(progress).order();
}

RowOrder order_by_layers(const std::vector<RowLayer>& layers, Cycle writeback) {
  Progress progress(layers, writeback);
  for (std::size_t l = 0; l < layers.size(); ++l)
    while (!progress.is_done(l))
      progress.make(l);
  return std::move(progress).order();
}

} // namespace deltatwin
