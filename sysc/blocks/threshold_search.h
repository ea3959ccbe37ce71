#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `threshold_search`, which has the contract.
struct ThresholdSearchConfig {
  int bits = 2;      ///< of a count, 1..4
  int sum_bits = 25; ///< 12..32
  int depth = 512;   ///< words
  bool block = true; ///< block RAM, or LUT-RAM

  [[nodiscard]] Cycle latency() const { return static_cast<Cycle>(2 * bits); }
};

/// A sum on its way down a tree.
struct ThresholdSearch {
  int word = 0;
  std::int32_t v = 0;
  int node = 1;

  /// At the node's threshold; so many times as a count has bits.
  void step(std::int32_t threshold) { node = 2 * node + (v >= threshold); }
  [[nodiscard]] int count(int bits) const { return node - (1 << bits); }
};

/// Which of a word's ascending thresholds node `node` of its tree is, the least one 0.
[[nodiscard]] constexpr int threshold_of_node(int bits, int node) {
  int level = 0;
  while (node >> (level + 1))
    ++level;
  const int behind = node - (1 << level), span = 1 << (bits - level);
  return behind * span + span / 2 - 1;
}

/// The trees of all words.
class ThresholdTables {
public:
  explicit ThresholdTables(const ThresholdSearchConfig& config)
      : config_(config), thresholds_(static_cast<std::size_t>(config.depth) << config.bits) {}

  void write(int word, int node, std::int32_t threshold) {
    if (word < config_.depth && node > 0)
      thresholds_[at(word, node)] = threshold;
  }
  [[nodiscard]] std::int32_t threshold(int word, int node) const {
    return word < config_.depth ? thresholds_[at(word, node)] : 0;
  }
  /// Of tables that stand still.
  [[nodiscard]] int count(int word, std::int32_t v) const {
    ThresholdSearch search{word, v};
    for (int level = 0; level < config_.bits; ++level)
      search.step(threshold(word, search.node));
    return search.count(config_.bits);
  }

private:
  [[nodiscard]] std::size_t at(int word, int node) const {
    return (static_cast<std::size_t>(word) << config_.bits) + static_cast<std::size_t>(node);
  }

  ThresholdSearchConfig config_;
  std::vector<std::int32_t> thresholds_;
};

/// A memory a level, what compares behind it, and what waits.
[[nodiscard]] Resources threshold_search_resources(const ThresholdSearchConfig& config);

} // namespace deltatwin
