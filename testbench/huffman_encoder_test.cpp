#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_work.h"
#include "tlm/huffman_encoder.h"
#include <algorithm>
#include <string>

using namespace deltatwin;

namespace {

// A symbol of a stream; an empty one adds no bits.
struct Symbol {
  unsigned char value;
  bool empty;
};

// A stream as a string of '0' and '1', cut into words; `flush` tells whether its last symbol both
// fills a word and leaves a rest.
struct Reference {
  std::vector<std::uint64_t> words;
  bool flush = false;
};
Reference reference_stream(const std::vector<CodeEntry>& entries, const std::vector<Symbol>& symbols) {
  Reference stream;
  std::string text;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const CodeEntry& entry = entries[symbols[i].value];
    for (int bit = symbols[i].empty ? -1 : entry.length - 1; bit >= 0; --bit)
      text += entry.code >> bit & 1 ? '1' : '0';
    const bool full = text.size() >= 36, last = i + 1 == symbols.size();
    if (full) {
      stream.words.push_back(std::stoull(text.substr(0, 36), nullptr, 2));
      text.erase(0, 36);
    }
    if (last && !(full && text.empty())) {
      stream.flush = full;
      text.resize(36, '0');
      stream.words.push_back(std::stoull(text, nullptr, 2));
    }
  }
  return stream;
}

struct Pins {
  bool reset = false, table = false, valid = false, last = false, empty = false;
  int symbol = 0;
  CodeEntry entry;
};

// Both twins of the encoder: streams go through the model's socket, and into the pins.
class EncoderBench {
public:
  EncoderBench(int symbol_bits, double gaps, double stalls)
      : symbol_bits_(symbol_bits), random_(base_seed()), gaps_(gaps, base_seed()),
        sink_(stalls, base_seed() + 1), entries_(std::size_t{1} << symbol_bits),
        model_("encoder", symbol_bits, 100), table_("table", model_.table), host_("host", model_.socket),
        bench_({"huffman_encoder", {{"SymbolBits", symbol_bits}}, false, ""}, interfaces(symbol_bits)),
        trace_(bench_.trace()) {
    end_elaboration();
    load(std::vector<int>(entries_.size(), symbol_bits)); // the whole table has been written once
  }

  [[nodiscard]] RandomWork& random() { return random_; }

  /// The codes of a book, a row a cycle, as soon as the latest symbol has been taken.
  void load(const std::vector<int>& lengths) {
    lengths_ = lengths;
    entries_ = code_entries(CodeTable(lengths));
    Cycle cycle = now_;
    REQUIRE(table_.access(tlm::TLM_WRITE_COMMAND, 0, entries_.data(), 2 * entries_.size(), cycle));
    REQUIRE(cycle == now_ + entries_.size());
    for (std::size_t s = 0; s < entries_.size(); ++s, ++now_) {
      Pins& pins = at(now_);
      pins.table = true;
      pins.symbol = static_cast<int>(s);
      pins.entry = entries_[s];
    }
  }

  void load_random() {
    std::vector<std::uint64_t> histogram(entries_.size());
    for (auto& count : histogram)
      count = random_.in(0, 3) ? random_.word(random_.in(0, 20)) : 0;
    histogram[random_.word(8) % histogram.size()] = 1; // never empty
    load(random_.in(0, 3) ? huffman_lengths(histogram) : std::vector<int>(entries_.size(), symbol_bits_));
  }

  /// Symbols as the book's own statistics have them; `faults`: also some without a code.
  std::vector<unsigned char> symbols(int count, bool faults) {
    std::vector<unsigned char> windows, drawn;
    for (std::size_t s = 0; s < lengths_.size(); ++s)
      for (int i = lengths_[s] ? 256 >> lengths_[s] : faults; i > 0; --i)
        windows.push_back(static_cast<unsigned char>(s));
    for (int i = 0; i < count; ++i)
      drawn.push_back(windows[random_.word(20) % windows.size()]);
    return drawn;
  }

  /// One stream right behind the one before, or `wait` cycles later; in one burst or in several, some of
  /// empty symbols with `empties`.
  void stream(const std::vector<unsigned char>& symbols, int wait = 0, bool empties = false) {
    now_ += static_cast<Cycle>(wait);
    first_ = now_;
    uncoded_.clear();
    std::vector<EncodedWord> words;
    std::vector<Symbol> done;
    for (std::size_t begin = 0; begin < symbols.size();) {
      const std::size_t left = symbols.size() - begin;
      const std::size_t count = random_.in(0, 1) ? left : 1 + random_.word(20) % left;
      const bool empty = empties && random_.in(0, 5) == 0;
      for (std::size_t i = begin; i < begin + count; ++i)
        done.push_back({symbols[i], empty});
      burst({symbols.begin() + static_cast<std::ptrdiff_t>(begin),
             symbols.begin() + static_cast<std::ptrdiff_t>(begin + count)},
            count == left, empty, words);
      begin += count;
    }
    const Reference expected = reference_stream(entries_, done);
    check(done, expected, words);
    expect(words, expected.flush);
  }

  /// A reset in the latest stream, or right behind it, or with a symbol without a code.
  void reset() {
    const Cycle cycle = uncoded_.empty() || random_.in(0, 1) ? first_ + random_.word(20) % (end_ - first_ + 4)
                                                             : uncoded_[random_.word(20) % uncoded_.size()];
    model_.reset();
    at(cycle).reset = true;
    pins_.resize(cycle + 1);
    trace_.drop_cycles_after(cycle, 0);
    while (!held_.empty() && held_.back() > cycle)
      held_.pop_back();
    now_ = cycle + 1;
  }

  void drive() {
    at(std::max(now_, end_) + 100);
    auto held = held_.begin();
    for (Cycle cycle = 0; cycle < pins_.size(); ++cycle)
      if (held != held_.end() && *held == cycle)
        ++held;
      else
        trace_.add(ready, {cycle, 0, {}, cycle});
    bench_.reset();
    bench_.run(trace_, pins_.size(), [this](Cycle cycle) {
      const Pins& now = pins_[cycle];
      bench_.set("rst_ni", !now.reset);
      bench_.set("table_we_i", now.table);
      bench_.set("table_addr_i", static_cast<std::uint64_t>(now.symbol));
      bench_.set("table_length_i", now.entry.length);
      bench_.set("table_code_i", now.entry.code);
      bench_.set("valid_i", now.valid);
      bench_.set("symbol_i", static_cast<std::uint64_t>(now.symbol));
      bench_.set("last_i", now.valid ? now.last : cycle & 1);
      bench_.set("empty_i", now.valid ? now.empty : cycle & 1);
      bench_.set("word_ready_i", sink_.ready(cycle));
    });
  }

private:
  enum { in, ready, word, error };

  static std::vector<Interface> interfaces(int symbol_bits) {
    return {{"", "in", {"valid_i", "ready_o"}, {{"symbol_i", symbol_bits}, {"last_i", 1}}},
            {"", "ready", {"ready_o"}, {}},
            // In every cycle of an offer, not only in that of its beat: a word waits unchanged.
            {"", "word", {"word_valid_o"}, {{"word_o", 36}, {"word_last_o", 1}, {"word_ready_i", 1}}},
            {"", "error", {"error_o"}, {}}};
  }

  Pins& at(Cycle cycle) {
    if (cycle >= pins_.size())
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }

  void burst(std::vector<unsigned char> symbols, bool last, bool empty, std::vector<EncodedWord>& words) {
    EncodeExtension extension;
    extension.last = last;
    extension.empty = empty;
    extension.sink = sink_;
    for (std::size_t i = 0; i < symbols.size(); ++i)
      extension.gaps.push_back(gaps_.gap(index_++));
    Cycle cycle = now_;
    const bool okay =
        host_.access(tlm::TLM_WRITE_COMMAND, 0, symbols.data(), symbols.size(), cycle, &extension);
    REQUIRE(okay == extension.uncoded.empty());
    REQUIRE(extension.taken.size() == symbols.size());
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const Cycle beat = extension.taken[i];
      const bool ends = last && i + 1 == symbols.size();
      trace_.add(in, {beat, symbols[i] | static_cast<std::uint64_t>(ends) << symbol_bits_, {}, beat});
      for (Cycle offer = now_ + extension.gaps[i]; offer <= beat; ++offer) {
        Pins& pins = at(offer);
        pins.valid = true;
        pins.symbol = symbols[i];
        pins.last = ends;
        pins.empty = empty;
      }
      if (!empty && entries_[symbols[i]].length == 0) {
        trace_.add(error, {beat + 1, 0, {}, beat});
        uncoded_.push_back(beat);
      }
      now_ = beat + 1;
    }
    REQUIRE(cycle == now_);
    words.insert(words.end(), extension.words.begin(), extension.words.end());
  }

  void check(const std::vector<Symbol>& symbols, const Reference& expected,
             const std::vector<EncodedWord>& words) const {
    REQUIRE(words.size() == expected.words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      REQUIRE(words[i].bits == expected.words[i]);
      REQUIRE(words[i].last == (i + 1 == words.size()));
    }
    std::vector<std::uint64_t> histogram(lengths_.size());
    bool coded = true;
    for (const Symbol& symbol : symbols) {
      histogram[symbol.value] += !symbol.empty;
      coded &= symbol.empty || lengths_[symbol.value] != 0;
    }
    if (coded)
      REQUIRE(words.size() == std::max<std::size_t>((coded_bits(histogram, lengths_) + 35) / 36, 1));
  }

  void expect(const std::vector<EncodedWord>& words, bool flush) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const EncodedWord& offered = words[i];
      if (flush && i + 1 == words.size())
        held_.push_back(offered.offered - 1); // nothing goes in while the rest is loaded
      for (Cycle cycle = offered.offered; cycle <= offered.beat; ++cycle) {
        const std::uint64_t taken = cycle == offered.beat;
        trace_.add(word, {cycle, offered.bits | std::uint64_t{offered.last} << 36 | taken << 37, {}, cycle});
        if (!taken)
          held_.push_back(cycle);
      }
    }
    end_ = words.back().beat;
  }

  int symbol_bits_;
  RandomWork random_;
  Pacer gaps_, sink_;
  std::vector<int> lengths_;
  std::vector<CodeEntry> entries_;
  HuffmanEncoder model_;
  Initiator table_, host_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
  std::vector<Cycle> held_;    ///< cycles in which ready_o is low
  std::vector<Cycle> uncoded_; ///< beats of the latest stream's symbols without a code
  std::uint64_t index_ = 0;
  Cycle now_ = 0, first_ = 0, end_ = 0;
};

} // namespace

TEST_CASE("huffman_encoder twins agree on random books, streams, empty symbols, gaps, stalls and resets") {
  struct Flow {
    double gaps, stalls;
  };
  for (const int symbol_bits : {1, 2, 4, 8})
    for (const Flow& flow : {Flow{0, 0}, Flow{0, 0.3}, Flow{0.5, 0}, Flow{0.4, 0.7}, Flow{0, 0.95}}) {
      CAPTURE(symbol_bits, flow.gaps, flow.stalls);
      ContextGuard guard;
      EncoderBench bench(symbol_bits, flow.gaps, flow.stalls);
      RandomWork& random = bench.random();
      for (int i = 0; i < repeats(200); ++i) {
        if (random.in(0, 4) == 0)
          bench.load_random();
        const int count = random.in(0, 9) ? random.in(1, 40) : random.in(1, flow.stalls > 0.9 ? 200 : 3000);
        bench.stream(bench.symbols(count, random.in(0, 4) == 0), random.in(0, 3) ? 0 : random.in(0, 9), true);
        if (random.in(0, 5) == 0)
          bench.reset();
      }
      bench.drive();
    }
}

TEST_CASE("huffman_encoder ends streams at, before and behind a word's end, back to back") {
  for (const double stalls : {0.0, 0.3, 0.9}) {
    CAPTURE(stalls);
    ContextGuard guard;
    EncoderBench bench(8, 0, stalls);
    std::vector<int> lengths(256); // 1, 2, 3, ..., 8, 8; symbol 0 has no code
    for (int s = 1; s <= 9; ++s)
      lengths[static_cast<std::size_t>(s)] = std::min(s, 8);
    bench.load(lengths);
    // Every number of bits from none to two words and some, with every length of the last code.
    for (int bits = 0; bits <= 80; ++bits)
      for (unsigned char last = 0; last <= 9; ++last) {
        const int length = std::min<int>(last, 8);
        if (bits < length)
          continue;
        std::vector<unsigned char> symbols;
        for (int left = bits - length; left > 0;) {
          symbols.push_back(static_cast<unsigned char>(bench.random().in(1, std::min(left, 8))));
          left -= symbols.back();
        }
        symbols.push_back(last);
        bench.stream(symbols, bench.random().in(0, 5) ? 0 : bench.random().in(0, 9));
      }
    bench.drive();
  }
}

TEST_CASE("huffman_encoder twins agree on one long stream") {
  ContextGuard guard;
  EncoderBench bench(4, 0.05, 0.05);
  bench.load({1, 4, 4, 8, 8, 7, 0, 5, 3, 5, 6, 8, 8, 6, 7, 3});
  bench.stream(bench.symbols(1'000'000, false));
  bench.drive();
}

TEST_CASE("huffman_encoder model: two cycles to a word, one more for the rest") {
  ContextGuard guard;
  HuffmanEncoder encoder("encoder", 8, 100);
  Initiator table("table_host", encoder.table), host("host", encoder.socket);
  end_elaboration();
  std::vector<CodeEntry> entries = code_entries(CodeTable::uniform(8));
  Cycle at = 0;
  REQUIRE(table.access(tlm::TLM_WRITE_COMMAND, 0, entries.data(), 512, at));
  CHECK(at == 256);
  unsigned char symbols[] = {1, 2, 3, 4, 0x5f, 7};
  EncodeExtension stream;
  at = 300;
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols, 5, at, &stream)); // 40 bits
  CHECK(at == 305);
  REQUIRE(stream.words.size() == 2);
  CHECK(stream.words[0].bits == 0x010203045);
  CHECK_FALSE(stream.words[0].last);
  CHECK(stream.words[0].offered == 306);
  CHECK(stream.words[1].bits == 0xf00000000);
  CHECK(stream.words[1].last);
  CHECK(stream.words[1].beat == 307);
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols, 2, at, &stream));
  CHECK(stream.taken == std::vector<Cycle>{305, 307}); // not in 306, when the rest is loaded
  CHECK(stream.words[0].offered == 309);
  stream.empty = true;
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols, 2, at, &stream));
  REQUIRE(stream.words.size() == 1);
  CHECK(stream.words[0].bits == 0);
  stream.empty = false;

  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols, 2, at));
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, symbols, 2, at, &stream));
  stream.gaps = {1};
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, symbols, 2, at, &stream));
  CHECK_FALSE(table.access(tlm::TLM_WRITE_COMMAND, 1, entries.data(), 2, at));
  CHECK_FALSE(table.access(tlm::TLM_WRITE_COMMAND, 2, entries.data(), 512, at));
  entries[0].length = 9;
  CHECK_FALSE(table.access(tlm::TLM_WRITE_COMMAND, 0, entries.data(), 2, at));
  entries[0] = {2, 1};
  CHECK_FALSE(table.access(tlm::TLM_WRITE_COMMAND, 0, entries.data(), 2, at));
}

TEST_CASE("huffman_encoder model: words go to any function of readiness, and nothing moves behind one that "
          "is never taken") {
  const std::vector<CodeEntry> entries = code_entries(CodeTable::uniform(8));
  for (const Cycle room : {Cycle{50}, never}) {
    EncoderTiming timing;
    BitPacker packer;
    std::vector<EncodedWord> words;
    std::vector<Cycle> taken;
    std::size_t emitted = 0;
    for (Cycle symbol = 0; symbol < 12; ++symbol) {
      taken.push_back(timing.take(symbol));
      pack(packer, entries[symbol], symbol == 11, words);
      for (; emitted < words.size(); ++emitted)
        timing.emit(words[emitted], [&](Cycle from) {
          return emitted == 0 ? from : room == never ? never : std::max(from, room);
        });
    }
    const auto later = [&](Cycle cycles) { return room == never ? never : room + cycles; };
    CHECK(taken == std::vector<Cycle>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, later(0), later(1)});
    REQUIRE(words.size() == 3);
    CHECK(words[0].beat == 6);
    CHECK(words[1].offered == 10); // the ninth symbol fills it, the eleventh waits for it
    CHECK(words[1].beat == room);
    CHECK(words[2].offered == later(3));
    CHECK(words[2].beat == later(3));
  }
}
