#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/huffman_builder.h"
#include <algorithm>
#include <utility>

using namespace deltatwin;

namespace {

using Counts = std::vector<std::uint64_t>;

std::uint64_t cost(const Counts& counts, const std::vector<int>& lengths) {
  std::uint64_t bits = 0;
  for (std::size_t s = 0; s < counts.size(); ++s)
    bits += counts[s] * static_cast<std::uint64_t>(lengths[s]);
  return bits;
}

// Package-merge with sets of symbols: an item is what it weighs and the symbols in it. For each
// length, from the longest code's on, all items go by pairs into packages, and the symbols join them.
std::vector<int> reference_lengths(const Counts& counts, int limit) {
  struct Item {
    std::uint64_t weight;
    std::vector<std::size_t> symbols;
  };
  std::vector<Item> symbols, items;
  for (std::size_t s = 0; s < counts.size(); ++s)
    if (counts[s])
      symbols.push_back({counts[s], {s}});
  std::vector<int> lengths(counts.size());
  for (int level = 0; level < limit; ++level) {
    std::vector<Item> next = symbols;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      Item package = items[i];
      package.weight += items[i + 1].weight;
      package.symbols.insert(package.symbols.end(), items[i + 1].symbols.begin(), items[i + 1].symbols.end());
      next.push_back(package);
    }
    std::stable_sort(next.begin(), next.end(),
                     [](const Item& a, const Item& b) { return a.weight < b.weight; });
    items = next;
  }
  for (std::size_t i = 0; i < 2 * symbols.size() - 2; ++i)
    for (const std::size_t symbol : items[i].symbols)
      ++lengths[symbol];
  return lengths;
}

struct Shape {
  int symbols, limit, count_bits;
};

// Histograms of every kind.
Counts histogram(RandomWork& random, const Shape& shape) {
  const std::uint64_t most = (std::uint64_t{1} << shape.count_bits) - 1;
  Counts counts(static_cast<std::size_t>(shape.symbols));
  const auto some = [&] { return random.word(16) % counts.size(); };
  const auto each = [&](auto draw) { std::generate(counts.begin(), counts.end(), draw); };
  std::uint64_t a = 1, b = 1;
  switch (random.in(0, 10)) {
  case 0: // none
    break;
  case 1: // one symbol
    counts[some()] = random.in(0, 1) ? most : 1;
    break;
  case 2: // all equal, at most as many as they can be
    each([count = random.in(0, 1) ? most : random.word(shape.count_bits)] { return count; });
    break;
  case 3: // Fibonacci: as deep as a tree can be, cut by the limit
    each([&] { return std::min(most, std::exchange(a, std::exchange(b, a + b))); });
    break;
  case 4: // powers of two
    each([&] { return std::min(most, std::exchange(a, 2 * a)); });
    break;
  case 5: // ones, and one that is huge
    each([] { return 1; });
    counts[some()] = most;
    break;
  case 6: // small counts, many ties, many zeros
    each([&] { return std::min<std::uint64_t>(most, random.word(2)); });
    break;
  case 7: // about as many symbols as codes
    for (int used = (1 << shape.limit) + random.in(-1, 1); used > 0; --used)
      counts[some()] = random.in(0, 1) ? most : std::max<std::uint64_t>(1, random.word(shape.count_bits));
    break;
  case 8: // near the maximum
    each([&] { return most - std::min<std::uint64_t>(most, random.word(3)); });
    break;
  case 9: // magnitudes apart
    each([&] { return random.word(random.in(0, shape.count_bits)); });
    break;
  default:
    each([&] { return random.word(shape.count_bits); });
  }
  if (random.in(0, 1))
    std::reverse(counts.begin(), counts.end());
  for (int zeros = random.in (0, 3) ? 0 : random.in(1, shape.symbols); zeros > 0; --zeros)
    counts[some()] = 0;
  return counts;
}

void check_lengths(const Counts& counts, const Shape& shape, const std::vector<int>& lengths, bool error) {
  const auto used = counts.size() - static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0));
  REQUIRE(error == (used == 0 || used > std::size_t{1} << shape.limit));
  if (error || used == 1) {
    for (std::size_t s = 0; s < counts.size(); ++s)
      REQUIRE(lengths[s] == (!error && counts[s]));
    return;
  }
  int kraft = 0;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    REQUIRE((lengths[s] > 0) == (counts[s] > 0));
    REQUIRE(lengths[s] <= shape.limit);
    kraft += lengths[s] ? 256 >> lengths[s] : 0;
  }
  REQUIRE(kraft == 256);
  REQUIRE(cost(counts, lengths) == cost(counts, reference_lengths(counts, shape.limit)));
  REQUIRE(lengths == huffman_lengths(counts, shape.limit));
}

struct Pins {
  bool reset = false, valid = false;
  std::uint64_t count = 0;
};

// Both twins of the builder: histograms go through the model's socket, and into the pins.
class BuilderBench {
public:
  BuilderBench(const Shape& shape, double gaps, double stalls)
      : shape_(shape), random_(base_seed()), gaps_(gaps, base_seed()), sink_(stalls, base_seed() + 1),
        model_("builder", shape.symbols, shape.limit, shape.count_bits, 100), host_("host", model_.socket),
        bench_({"huffman_builder",
                {{"Symbols", shape.symbols}, {"Limit", shape.limit}, {"CountBits", shape.count_bits}},
                false,
                ""},
               interfaces(shape)),
        trace_(bench_.trace()) {
    end_elaboration();
  }

  [[nodiscard]] RandomWork& random() { return random_; }

  /// A histogram, offered `wait` cycles after the lengths of the one before have been taken; or, with
  /// `early`, already while that one is being built.
  void build(const Counts& counts, bool early, int wait) {
    HistogramExtension extension;
    extension.counts = counts;
    extension.sink = sink_;
    for (std::size_t s = 0; s < counts.size(); ++s)
      extension.gaps.push_back(gaps_.gap(index_++));
    const Cycle offered =
        early ? now_ + random_.word(20) % (free_ - now_ + 1) : free_ + static_cast<Cycle>(wait);
    std::vector<unsigned char> data(counts.size());
    Cycle cycle = offered;
    const bool okay = host_.access(tlm::TLM_READ_COMMAND, 0, data.data(), data.size(), cycle, &extension);
    REQUIRE(okay == !extension.error);
    check_lengths(counts, shape_, {data.begin(), data.end()}, extension.error);
    expect_counts(extension, offered);
    expect_lengths(extension, data);
    REQUIRE(cycle == free_);
  }

  /// A reset in the latest histogram: in LOAD, RANK, MERGE, BACK or OUT, or right behind it.
  void reset() {
    const Cycle built = last_ + build_cycles();
    const Cycle limit = static_cast<Cycle>(shape_.limit), n = static_cast<Cycle>(shape_.symbols);
    const Cycle phases[] = {load_, last_ + 1, last_ + 1 + n * n, built - limit, built, free_ + 2};
    const int phase = random_.in(0, 4);
    const Cycle cycles = std::max<Cycle>(1, phases[phase + 1] - phases[phase]); // no MERGE with 1 bit
    const Cycle cycle = phases[phase] + random_.word(20) % cycles;
    model_.reset();
    at(cycle).reset = true;
    pins_.resize(cycle + 1);
    trace_.drop_cycles_after(cycle, 0);
    ready_ = std::min(ready_, cycle + 1);
    now_ = free_ = cycle + 1;
  }

  void drive() {
    at(std::max(now_, free_) + build_cycles() + 20);
    expect_ready(pins_.size() - 1);
    bench_.reset();
    bench_.run(trace_, pins_.size(), [this](Cycle cycle) {
      const Pins& now = pins_[cycle];
      bench_.set("rst_ni", !now.reset);
      bench_.set("count_valid_i", now.valid);
      bench_.set("count_i", now.valid ? now.count : cycle & 1);
      bench_.set("length_ready_i", sink_.ready(cycle));
    });
  }

private:
  enum { count, ready, length, error };

  static std::vector<Interface> interfaces(const Shape& shape) {
    return {{"", "count", {"count_valid_i", "count_ready_o"}, {{"count_i", shape.count_bits}}},
            {"", "ready", {"count_ready_o"}, {}},
            // In every cycle of an offer, not only in that of its beat: a length waits unchanged.
            {"", "length", {"length_valid_o"}, {{"length_o", 4}, {"length_ready_i", 1}}},
            {"", "error", {"error_o"}, {}}};
  }

  // From the last count's beat to the first length: RANK, MERGE, BACK.
  [[nodiscard]] Cycle build_cycles() const {
    const int n = shape_.symbols;
    return static_cast<Cycle>(n * n + (shape_.limit - 1) * (2 * n - 2) + shape_.limit + 1);
  }

  Pins& at(Cycle cycle) {
    if (cycle >= pins_.size())
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }

  void expect_ready(Cycle last) {
    for (; ready_ <= last; ++ready_)
      trace_.add(ready, {ready_, 0, {}, ready_});
  }

  void expect_counts(const HistogramExtension& extension, Cycle offered) {
    REQUIRE(extension.taken.size() == extension.counts.size());
    for (std::size_t s = 0; s < extension.counts.size(); ++s) {
      const Cycle beat = extension.taken[s];
      trace_.add(count, {beat, extension.counts[s], {}, beat});
      for (offered += extension.gaps[s]; offered <= beat; ++offered) {
        at(offered).valid = true;
        at(offered).count = extension.counts[s];
      }
    }
    load_ = extension.taken.front();
    last_ = extension.taken.back();
    now_ = last_ + 1;
    expect_ready(last_);
  }

  void expect_lengths(const HistogramExtension& extension, const std::vector<unsigned char>& lengths) {
    REQUIRE(extension.sent.size() == lengths.size());
    Cycle offer = last_ + build_cycles();
    if (extension.error)
      trace_.add(error, {offer - 1, 0, {}, last_});
    for (std::size_t s = 0; s < lengths.size(); ++s)
      for (bool taken = false; !taken; ++offer) {
        taken = sink_.ready(offer);
        trace_.add(length, {offer, lengths[s] | static_cast<std::uint64_t>(taken) << 4, {}, last_});
        REQUIRE(taken == (offer == extension.sent[s]));
      }
    free_ = ready_ = offer;
  }

  Shape shape_;
  RandomWork random_;
  Pacer gaps_, sink_;
  HuffmanBuilder model_;
  Initiator host_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
  std::uint64_t index_ = 0;
  Cycle now_ = 0;             ///< the first cycle in which the next histogram may be offered
  Cycle ready_ = 0;           ///< from here on count_ready_o is not in the trace yet
  Cycle load_ = 0, last_ = 0; ///< the latest histogram's first and last count
  Cycle free_ = 0;            ///< the cycle after its last length
};

} // namespace

TEST_CASE("huffman_builder twins agree on histograms of every kind, gaps, stalls and resets") {
  const Shape shapes[] = {{2, 1, 20}, {2, 8, 1},   {3, 3, 20}, {5, 3, 4},   {5, 8, 32},  {8, 1, 8},
                          {8, 5, 20}, {16, 8, 20}, {16, 3, 2}, {16, 5, 32}, {32, 8, 32}, {32, 5, 20}};
  for (const Shape& shape : shapes)
    for (const double stalls : {0.0, 0.4}) {
      CAPTURE(shape.symbols, shape.limit, shape.count_bits, stalls);
      ContextGuard guard;
      BuilderBench bench(shape, stalls, stalls);
      RandomWork& random = bench.random();
      for (int i = 0; i < repeats(120); ++i) {
        bench.build(histogram(random, shape), random.in(0, 1), random.in(0, 2) ? 0 : random.in(1, 9));
        if (random.in(0, 5) == 0)
          bench.reset();
      }
      bench.drive();
    }
}

TEST_CASE("code lengths are the best within the limit") {
  RandomWork random(base_seed());
  for (int i = 0; i < repeats(2000); ++i) {
    const Shape shape{random.in(2, 32), random.in(1, 8), random.in(1, 32)};
    CAPTURE(shape.symbols, shape.limit, shape.count_bits);
    const Counts counts = histogram(random, shape);
    const BuiltLengths built = build_lengths(counts, shape.limit);
    check_lengths(counts, shape, built.lengths, built.error);
  }
}

TEST_CASE("huffman_builder model: one histogram a transaction, errors and bad bursts told apart") {
  ContextGuard guard;
  HuffmanBuilder builder("builder", 4, 3, 8, 100);
  Initiator host("host", builder.socket);
  end_elaboration();
  unsigned char lengths[4];
  HistogramExtension histogram;
  histogram.counts = {1, 255, 2, 1};
  Cycle at = 10;
  REQUIRE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at, &histogram));
  CHECK(std::vector<int>(lengths, lengths + 4) == std::vector<int>{3, 1, 2, 3});
  CHECK(histogram.taken == std::vector<Cycle>{10, 11, 12, 13});
  CHECK(histogram.sent.front() == 13 + 4 * 4 + 2 * 6 + 3 + 1);
  CHECK(at == histogram.sent.back() + 1);
  histogram.counts = {0, 0, 0, 0};
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at, &histogram));
  CHECK(histogram.error);
  CHECK(std::vector<int>(lengths, lengths + 4) == std::vector<int>(4));

  HistogramExtension bad;
  bad.counts = {1, 256, 2, 1}; // more than 8 bits
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at, &bad));
  CHECK_FALSE(bad.error);
  bad.counts = {1, 2, 3};
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at, &bad));
  bad.counts = {1, 2, 3, 4};
  bad.gaps = {0};
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at, &bad));
  bad.gaps.clear();
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, lengths, 4, at, &bad));
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 3, at, &bad));
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at));
  CHECK(bad.taken.empty());
}
