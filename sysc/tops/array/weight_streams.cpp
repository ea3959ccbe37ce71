#include "tops/array/weight_streams.h"
#include "base/huffman.h"
#include <algorithm>
#include <cstddef>
#include <utility>

namespace deltatwin {
namespace {

using Histogram = std::vector<std::uint64_t>;

// Layers of one book.
struct Group {
  Histogram histogram;
  std::vector<std::size_t> layers;
  std::uint64_t bits = 0;
};

void add_bits(Group& group) { group.bits = coded_bits(group.histogram, huffman_lengths(group.histogram)); }

Group joined(const Group& a, const Group& b) {
  Group both = a;
  both.layers.insert(both.layers.end(), b.layers.begin(), b.layers.end());
  for (std::size_t s = 0; s < both.histogram.size(); ++s)
    both.histogram[s] += b.histogram[s];
  add_bits(both);
  return both;
}

// The pair whose codes grow least, until there are few enough.
void join(std::vector<Group>& groups, std::size_t most) {
  while (groups.size() > most) {
    std::size_t first = 0, second = 1;
    Group best;
    std::uint64_t least = 0;
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        Group both = joined(groups[a], groups[b]);
        const std::uint64_t more = both.bits - groups[a].bits - groups[b].bits;
        if (best.layers.empty() || more < least) {
          least = more;
          best = std::move(both);
          first = a;
          second = b;
        }
      }
    groups[first] = std::move(best);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(second));
  }
}

std::vector<int> symbols_of(const HuffmanTilesConfig& config, const std::vector<std::uint8_t>& weights) {
  const auto each = static_cast<std::size_t>(config.symbol_weights);
  std::vector<int> symbols(weights.size() / each);
  for (std::size_t i = 0; i < symbols.size() * each; ++i)
    symbols[i / each] |= weights[i] << (i % each) * static_cast<std::size_t>(config.weight_bits);
  return symbols;
}

// Each decoder's symbols in words of its own, one decoder's behind the other's.
void append(const HuffmanTilesConfig& config, const std::vector<int>& symbols,
            const std::vector<int>& lengths, std::vector<std::uint64_t>& words) {
  const std::vector<unsigned> codes = canonical_codes(lengths);
  const auto lanes = static_cast<std::size_t>(config.decoders);
  std::vector<std::vector<std::uint64_t>> of_lane(lanes);
  std::size_t most = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    BitPacker packer;
    for (std::size_t i = lane; i < symbols.size(); i += lanes) {
      const auto symbol = static_cast<std::size_t>(symbols[i]);
      if (const auto word = packer.put(codes[symbol], lengths[symbol]))
        of_lane[lane].push_back(*word);
    }
    if (!packer.empty())
      of_lane[lane].push_back(packer.flush());
    most = std::max(most, of_lane[lane].size());
  }
  const std::size_t first = words.size();
  words.resize(first + most * lanes);
  for (std::size_t lane = 0; lane < lanes; ++lane)
    for (std::size_t w = 0; w < of_lane[lane].size(); ++w)
      words[first + w * lanes + lane] = of_lane[lane][w];
}

} // namespace

WeightStreams code_streams(const HuffmanTilesConfig& config,
                           const std::vector<std::vector<std::uint8_t>>& layers) {
  const std::size_t count = std::size_t{1} << config.symbol_bits();
  std::vector<std::vector<int>> symbols;
  std::vector<Group> groups;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    symbols.push_back(symbols_of(config, layers[l]));
    Group& group = groups.emplace_back(Group{Histogram(count), {l}, 0});
    for (const int symbol : symbols.back())
      ++group.histogram[static_cast<std::size_t>(symbol)];
    add_bits(group);
  }
  join(groups, static_cast<std::size_t>(config.books));
  WeightStreams streams;
  streams.book_of.resize(layers.size());
  streams.bases.resize(layers.size());
  for (const Group& group : groups) {
    for (const std::size_t l : group.layers)
      streams.book_of[l] = static_cast<int>(streams.books.size());
    streams.books.push_back(huffman_lengths(group.histogram));
  }
  streams.books.resize(static_cast<std::size_t>(config.books), std::vector<int>(count, config.symbol_bits()));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    streams.bases[l] = static_cast<int>(streams.words.size());
    append(config, symbols[l], streams.books[static_cast<std::size_t>(streams.book_of[l])], streams.words);
  }
  return streams;
}

} // namespace deltatwin
