#include "base/huffman.h"
#include "block_bench.h"
#include "random_book.h"
#include <algorithm>

using namespace deltatwin;

namespace {

constexpr int lanes = 5, lanes_per_bank = 2, depth = 64, layers = 2;
constexpr int banks = 3;

struct Kind {
  int delta_bits, symbol_deltas;
  [[nodiscard]] int symbol_bits() const { return delta_bits * symbol_deltas; }
};

// The RTL, driven as the accelerator drives it.
class Weights {
public:
  explicit Weights(const Kind& kind)
      : rtl_(seeded({"huffman_weights",
                     {{"Lanes", lanes},
                      {"LanesPerBank", lanes_per_bank},
                      {"DeltaBits", kind.delta_bits},
                      {"SymbolDeltas", kind.symbol_deltas},
                      {"SymbolDepth", layers << kind.symbol_bits()},
                      {"BankDepth", depth},
                      {"MaxLayers", layers}},
                     false,
                     ""})) {
    for (const char* pin :
         {"rst_ni", "load_word_i", "load_book_i", "load_stream_i", "build_start_i", "build_uniform_i",
          "build_layer_i", "layer_i", "issue_i", "odd_i", "lanes_i", "end_i"})
      set(pin, 0);
    cycle();
  }
  void set(const char* pin, std::uint64_t value) { rtl_.signal(pin).set(value); }
  [[nodiscard]] std::uint64_t get(const char* pin) { return rtl_.signal(pin).get(0, rtl_.signal(pin).width); }
  void settle() { rtl_.settle(); }
  void cycle() {
    rtl_.settle();
    rtl_.edge();
  }
  void load(const char* strobe, std::uint64_t which, std::uint64_t address, std::uint64_t word) {
    set(strobe, which);
    set("load_addr_i", address);
    set("load_data_i", word);
    cycle();
    set(strobe, 0);
  }
  /// Builds a layer's book; returns its fault.
  int build(int layer, bool uniform) {
    set("build_start_i", 1);
    set("build_layer_i", static_cast<std::uint64_t>(layer));
    set("build_uniform_i", uniform);
    cycle();
    set("build_start_i", 0);
    for (int cycles = 0; cycles < 600; ++cycles) {
      settle();
      const bool done = get("build_done_o");
      const int fault = static_cast<int>(get("build_fault_o"));
      rtl_.edge();
      if (done)
        return fault;
    }
    FAIL("the build does not end");
    return 0;
  }

private:
  RtlModel rtl_;
};

} // namespace

TEST_CASE("huffman_weights gives every lane its deltas, inference after inference, layer after layer") {
  const Kind kind = GENERATE(Kind{3, 1}, Kind{3, 2}, Kind{4, 2}, Kind{1, 2});
  const int delta_bits = kind.delta_bits, symbol_bits = kind.symbol_bits(), symbols = 1 << symbol_bits;
  Weights weights(kind);
  for (int i = 0; i < repeats(8); ++i) {
    const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
    CAPTURE(seed, delta_bits, kind.symbol_deltas);
    RandomWork random(seed);
    // Layer 0 has a book of its own, layer 1 none; not all lanes work in every tile.
    const std::vector<int> lengths = random_book(random, symbol_bits);
    const std::vector<std::string> codes = reference_codes(lengths);
    std::vector<int> present;
    for (int s = 0; s < symbols; ++s)
      if (lengths[static_cast<std::size_t>(s)])
        present.push_back(s);
    struct Slot {
      int layer, active;
      std::uint64_t deltas;
      bool odd; // a pair's second deltas
    };
    std::vector<Slot> slots;
    std::vector<std::string> bits(lanes);
    for (int layer = 0; layer < layers; ++layer)
      for (int tile = random.in(1, 3); tile > 0; --tile) {
        const int active = tile > 1 ? lanes : random.in(1, lanes);
        int held[lanes] = {};
        for (int input = 0, inputs = random.in(1, 20); input < inputs; ++input) {
          Slot slot{layer, active, 0, input % kind.symbol_deltas == 1};
          for (int lane = 0; lane < active; ++lane) {
            if (slot.odd) {
              slot.deltas |= static_cast<std::uint64_t>(held[lane]) << lane * delta_bits;
              continue;
            }
            const int symbol =
                layer ? random.in(0, symbols - 1)
                      : present[static_cast<std::size_t>(random.in(0, static_cast<int>(present.size()) - 1))];
            slot.deltas |= static_cast<std::uint64_t>(symbol & ((1 << delta_bits) - 1)) << lane * delta_bits;
            held[lane] = symbol >> delta_bits;
            std::string code = codes[static_cast<std::size_t>(symbol)];
            if (layer) {
              code.clear();
              for (int bit = symbol_bits - 1; bit >= 0; --bit)
                code += symbol >> bit & 1 ? '1' : '0';
            }
            bits[static_cast<std::size_t>(lane)] += code;
          }
          slots.push_back(slot);
        }
      }
    weights.set("rst_ni", 0);
    for (int s = 0; s < symbols; ++s)
      weights.load("load_book_i", 1, static_cast<std::uint64_t>(s),
                   static_cast<std::uint64_t>(lengths[static_cast<std::size_t>(s)]));
    std::vector<std::uint64_t> next(banks);
    for (int lane = 0; lane < lanes; ++lane) {
      const auto bank = static_cast<std::size_t>(lane / lanes_per_bank);
      const std::string& text = bits[static_cast<std::size_t>(lane)];
      const std::vector<std::uint64_t> words = text.empty() ? std::vector<std::uint64_t>{0} : words_of(text);
      const std::uint64_t first = next[bank];
      REQUIRE(first + words.size() <= depth);
      for (const std::uint64_t word : words)
        weights.load("load_word_i", std::uint64_t{1} << bank, next[bank]++, word);
      weights.load("load_stream_i", 1, 2 * static_cast<std::uint64_t>(lane), first);
      weights.load("load_stream_i", 1, 2 * static_cast<std::uint64_t>(lane) + 1, next[bank] - 1);
    }
    weights.cycle();
    weights.set("rst_ni", 1);
    CHECK(weights.build(0, false) == 0);
    CHECK(weights.build(1, true) == 0);
    for (int inference = 0; inference < 3; ++inference) {
      std::uint64_t expected = 0;
      weights.set("layer_i", 0);
      for (int wait = 0; wait < 10; ++wait)
        weights.cycle();
      for (std::size_t s = 0; s <= slots.size(); ++s) {
        for (int gap = s && random.in(0, 9) == 0 ? random.in(1, 5) : 0; gap > 0; --gap) {
          weights.set("issue_i", 0);
          weights.set("end_i", 0);
          weights.set("odd_i", random.word(1));
          weights.settle();
          REQUIRE(weights.get("deltas_o") == expected);
          weights.cycle();
          expected = 0;
        }
        const bool issue = s < slots.size();
        weights.set("issue_i", issue);
        if (issue) {
          weights.set("lanes_i", static_cast<std::uint64_t>(slots[s].active));
          weights.set("odd_i", slots[s].odd);
        }
        weights.set("end_i", s + 1 == slots.size());
        // The layer is there in the cycle before its first slot.
        if (s + 1 < slots.size())
          weights.set("layer_i", static_cast<std::uint64_t>(slots[s + 1].layer));
        weights.settle();
        REQUIRE(weights.get("error_o") == 0);
        if (s)
          REQUIRE(weights.get("deltas_o") == expected);
        weights.cycle();
        expected = issue ? slots[s].deltas : 0;
      }
      weights.set("end_i", 0);
      for (int wait = 0; wait < 8; ++wait) {
        weights.settle();
        CHECK(weights.get("error_o") == 0);
        weights.cycle();
      }
    }
  }
}

TEST_CASE("huffman_weights tells a book's fault, and the lowest of several banks' faults") {
  const Kind kind = GENERATE(Kind{3, 1}, Kind{3, 2});
  Weights weights(kind);
  const int of = kind.symbol_deltas; // issues of a symbol
  // A book of one symbol: a 1 is a bad code, and a word has 36 symbols.
  weights.load("load_book_i", 1, 4, 1);
  const std::uint64_t bad = std::uint64_t{1} << 34; // in the second symbol
  const auto lay = [&](const std::vector<std::uint64_t>& first_words) {
    for (const char* pin : {"rst_ni", "issue_i", "end_i"})
      weights.set(pin, 0);
    for (int lane = 0; lane < lanes; ++lane) {
      const auto bank = static_cast<std::uint64_t>(lane / lanes_per_bank);
      const auto at = static_cast<std::uint64_t>(lane % lanes_per_bank);
      weights.load("load_word_i", std::uint64_t{1} << bank, at, first_words[static_cast<std::size_t>(lane)]);
      weights.load("load_stream_i", 1, 2 * static_cast<std::uint64_t>(lane), at);
      weights.load("load_stream_i", 1, 2 * static_cast<std::uint64_t>(lane) + 1, at);
    }
    weights.cycle();
    weights.set("rst_ni", 1);
    CHECK(weights.build(0, false) == 0);
    for (int wait = 0; wait < 12; ++wait)
      weights.cycle();
    weights.set("lanes_i", lanes);
  };
  // Takes symbols until an error; returns {takes, fault}.
  const auto take = [&](int ends_after) {
    int takes = 0;
    for (int cycle = 0; cycle < 120; ++cycle) {
      weights.set("issue_i", takes < ends_after);
      weights.set("odd_i", static_cast<std::uint64_t>(takes % of));
      weights.set("end_i", takes + 1 == ends_after);
      weights.settle();
      if (weights.get("error_o"))
        return std::make_pair(takes, static_cast<int>(weights.get("fault_o")));
      weights.cycle();
      takes += takes < ends_after;
    }
    return std::make_pair(takes, 0);
  };
  lay({0, 0, 0, 0, 0});
  CHECK(take(36 * of) == std::make_pair(36 * of, 0));
  lay({0, bad, 0, 0, 0});
  CHECK(take(36 * of) == std::make_pair(of + 1, 1));
  lay({0, 0, 0, 0, 0});
  CHECK(take(40 * of) == std::make_pair(36 * of + 1, 2)); // too short
  lay({0, 0, 0, bad >> 34, 0});                           // the last symbol of a word
  CHECK(take(40 * of) == std::make_pair(35 * of + 1, 1));
  lay({0, 1, 0, 0, 0}); // bits that are left over
  CHECK(take(34 * of).second == 3);
  for (const char* pin : {"rst_ni", "issue_i", "end_i"})
    weights.set(pin, 0);
  weights.load("load_book_i", 1, 4, 0);
  weights.set("rst_ni", 1);
  CHECK(weights.build(0, false) == 1); // empty
}
