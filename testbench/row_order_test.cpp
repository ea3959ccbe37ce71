#include "random_work.h"
#include "tops/array/row_order.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

constexpr std::array<Cycle, 2> writeback = {34, 29};

std::vector<RowLayer> random_layers(RandomWork& random) {
  std::vector<RowLayer> layers;
  const int input_rows = random.in(1, 40);
  for (int l = random.in(1, 12); l > 0; --l) {
    RowUse use;
    use.producer = layers.empty() || random.in(0, 4) == 0
                       ? RowUse::input
                       : layers.size() - 1 - static_cast<std::size_t>(random.in(0, 2)) % layers.size();
    const int rows = use.producer == RowUse::input ? input_rows : layers[use.producer].rows;
    use.kernel = random.in(1, std::min(rows, 7));
    use.stride = random.in(1, 3);
    use.top = random.in(0, use.kernel - 1);
    const int bottom = random.in(0, use.kernel - 1);
    RowLayer layer{(rows + use.top + bottom - use.kernel) / use.stride + 1,
                   random.in(0, 3) == 0,
                   static_cast<Cycle>(random.in(1, 200)),
                   {use}};
    for (std::size_t other = 0; other < layers.size(); ++other)
      if (layers[other].rows == layer.rows && random.in(0, 2) == 0)
        layer.reads.push_back({other, 1, 1, 0});
    layers.push_back(layer);
  }
  return layers;
}

// Plays the steps, and looks at each row that is read.
void check(const std::vector<RowLayer>& layers, const RowOrder& order) {
  std::vector<std::vector<Cycle>> written(layers.size());
  std::vector<int> live(layers.size(), 0);
  Cycle engines[2] = {0, 0};
  for (const RowStep& step : order.steps) {
    const RowLayer& layer = layers.at(step.layer);
    Cycle& now = engines[layer.engine];
    REQUIRE(step.row == static_cast<int>(written[step.layer].size()));
    Cycle ready = 0;
    for (const RowUse& use : layer.reads)
      for (int k = 0; use.producer != RowUse::input && k < use.kernel; ++k) {
        const int row = step.row * use.stride - use.top + k;
        if (row < 0 || row >= layers[use.producer].rows)
          continue;
        REQUIRE(row < static_cast<int>(written[use.producer].size()));
        ready = std::max(ready, written[use.producer][static_cast<std::size_t>(row)] +
                                    (layers[use.producer].engine == layer.engine ? 0 : 1));
      }
    CHECK(step.wait == (ready > now));
    CHECK(step.begin == std::max(now, ready));
    now = step.begin + layer.cycles;
    written[step.layer].push_back(now + writeback[static_cast<std::size_t>(layer.engine)]);
    CHECK(step.written == written[step.layer].back());
    int first = step.row + 1; // the first of its rows that is read later on
    for (std::size_t reader = 0; reader < layers.size(); ++reader)
      for (const RowUse& use : layers[reader].reads) {
        int next = static_cast<int>(written[reader].size());
        while (next > 0 && layers[reader].engine != layer.engine &&
               written[reader][static_cast<std::size_t>(next) - 1] + 1 > step.begin)
          --next; // the other engine still reads
        if (use.producer == step.layer && next < layers[reader].rows)
          first = std::min(first, std::max(0, next * use.stride - use.top));
      }
    live[step.layer] = std::max(live[step.layer], step.row + 1 - first);
  }
  for (std::size_t l = 0; l < layers.size(); ++l)
    CHECK(static_cast<int>(written[l].size()) == layers[l].rows);
  CHECK(order.live == live);
}

} // namespace

TEST_CASE("row_order: each row is made once, behind those that it reads, and waits only where it must") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(200); ++round) {
    CAPTURE(round, base_seed());
    const std::vector<RowLayer> layers = random_layers(random);
    check(layers, order_depth_first(layers, writeback));
    check(layers, order_by_layers(layers, writeback));
  }
}

TEST_CASE("row_order: a chain of convolutions keeps few rows of each map") {
  std::vector<RowLayer> layers = {{64, 0, 100, {{RowUse::input, 3, 1, 1}}}};
  for (std::size_t l = 1; l < 6; ++l)
    layers.push_back({64, 0, 100, {{l - 1, 3, 1, 1}}});
  const RowOrder order = order_depth_first(layers, writeback), whole = order_by_layers(layers, writeback);
  for (std::size_t l = 0; l + 1 < layers.size(); ++l) {
    CHECK(order.live[l] <= 5);
    CHECK(whole.live[l] == 64);
  }
  CHECK(std::count_if(order.steps.begin(), order.steps.end(), [](const RowStep& s) { return s.wait; }) <= 6);
}
