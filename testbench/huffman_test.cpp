// Code lengths, books and sizes: pure functions.
#include "base/error.h"
#include "base/huffman.h"
#include "random_book.h"
#include "random_work.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <numeric>
#include <queue>

using namespace deltatwin;

namespace {

using Histogram = std::vector<std::uint64_t>;

// Huffman's own algorithm: the sum of all merged weights is the coded size.
std::uint64_t unlimited_bits(const Histogram& histogram) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> heap;
  for (const std::uint64_t count : histogram)
    if (count)
      heap.push(count);
  if (heap.size() == 1)
    return heap.top();
  std::uint64_t bits = 0;
  while (heap.size() > 1) {
    const std::uint64_t first = heap.top();
    heap.pop();
    const std::uint64_t pair = first + heap.top();
    heap.pop();
    bits += pair;
    heap.push(pair);
  }
  return bits;
}

// Tries all lengths.
std::uint64_t fewest_bits(const Histogram& histogram, int limit) {
  std::uint64_t fewest = ~std::uint64_t{0};
  std::vector<int> lengths(histogram.size());
  const std::function<void(std::size_t, int)> choose = [&](std::size_t symbol, int room) {
    if (symbol == histogram.size()) {
      fewest = std::min(fewest, coded_bits(histogram, lengths));
      return;
    }
    lengths[symbol] = 0;
    if (histogram[symbol] == 0)
      return choose(symbol + 1, room);
    for (int length = 1; length <= limit; ++length)
      if (room >= 1 << (limit - length)) {
        lengths[symbol] = length;
        choose(symbol + 1, room - (1 << (limit - length)));
      }
  };
  choose(0, 1 << limit);
  return fewest;
}

Histogram random_histogram(RandomWork& random, int symbols, int largest) {
  Histogram histogram;
  for (int s = 0; s < symbols; ++s)
    histogram.push_back(random.in(0, 4) ? static_cast<std::uint64_t>(random.in(0, largest)) : 0);
  histogram[0] += 1;
  return histogram;
}

} // namespace

TEST_CASE("huffman lengths: none are better, under any limit") {
  RandomWork random(base_seed());
  for (int i = 0; i < repeats(300); ++i) {
    const Histogram histogram = random_histogram(random, random.in(1, 5), random.in(0, 1) ? 4 : 1000);
    for (const int limit : {3, 4, 5}) {
      CAPTURE(histogram, limit);
      const std::vector<int> lengths = huffman_lengths(histogram, limit);
      CHECK(coded_bits(histogram, lengths) == fewest_bits(histogram, limit));
      CHECK(check_book(lengths) == BookFault::none);
      for (const int length : lengths)
        CHECK(length <= limit);
    }
  }
}

TEST_CASE("huffman lengths: where the limit does not bind, they are Huffman's") {
  RandomWork random(base_seed());
  for (int i = 0; i < repeats(200); ++i) {
    const Histogram histogram = random_histogram(random, random.in(2, 256), 100);
    const std::vector<int> lengths = huffman_lengths(histogram);
    const std::uint64_t bits = coded_bits(histogram, lengths), best = unlimited_bits(histogram);
    CHECK(bits >= best);
    if (*std::max_element(lengths.begin(), lengths.end()) < 8)
      CHECK(bits == best);
    const double entropy = entropy_bits(histogram);
    const auto count = std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0});
    CHECK(static_cast<double>(best) >= entropy - 1e-6);
    CHECK(static_cast<double>(best) <= entropy + static_cast<double>(count));
  }
}

TEST_CASE("huffman lengths: corner cases") {
  CHECK(huffman_lengths({0, 0, 0}) == std::vector<int>{0, 0, 0});
  CHECK(huffman_lengths({0, 9, 0}) == std::vector<int>{0, 1, 0});
  CHECK(huffman_lengths({5, 5}) == std::vector<int>{1, 1});
  CHECK(huffman_lengths(Histogram(256, 7)) == std::vector<int>(256, 8));
  CHECK(huffman_lengths({1, 1, 1, 1}, 2) == std::vector<int>{2, 2, 2, 2});
  CHECK_THROWS_AS(huffman_lengths({1, 1, 1, 1, 1}, 2), InputError);
  CHECK(entropy_bits({4, 4}) == 8);
  CHECK(entropy_bits({0, 4}) == 0);
}

TEST_CASE("code books: faults, and DEFLATE's codes") {
  CHECK(check_book({0, 0}) == BookFault::empty);
  CHECK(check_book({1, 1, 1, 0}) == BookFault::oversubscribed);
  CHECK(check_book({1, 9, 0, 0}) == BookFault::oversubscribed);
  CHECK(check_book({1, 2, 0, 0}) == BookFault::incomplete);
  CHECK(check_book({2, 0, 0, 0}) == BookFault::incomplete);
  CHECK(check_book({1, 0, 0, 0}) == BookFault::none);
  CHECK(check_book({3, 3, 3, 3, 3, 2, 4, 4}) == BookFault::none); // the example of RFC 1951, 3.2.2
  CHECK(canonical_codes({3, 3, 3, 3, 3, 2, 4, 4}) == std::vector<unsigned>{2, 3, 4, 5, 6, 0, 14, 15});
  RandomWork random(base_seed());
  for (int i = 0; i < repeats(200); ++i) {
    const std::vector<int> lengths = random_book(random, random.in(1, 8));
    CHECK(check_book(lengths) == BookFault::none);
    const std::vector<unsigned> codes = canonical_codes(lengths);
    const std::vector<std::string> texts = reference_codes(lengths);
    for (std::size_t s = 0; s < codes.size(); ++s)
      if (lengths[s])
        CHECK(codes[s] == std::stoul(texts[s], nullptr, 2));
  }
}
