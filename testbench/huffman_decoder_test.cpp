#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_book.h"
#include "random_work.h"
#include "tlm/huffman_decoder.h"
#include <algorithm>

using namespace deltatwin;

namespace {

/// Says what a decoder must give: symbol by symbol, by comparing text. Returns the first fault, and
/// the symbols with zeros from it on.
StreamFault reference_decode(const std::vector<std::uint64_t>& words, const std::vector<int>& lengths,
                             std::vector<int>& symbols) {
  std::string bits;
  for (const std::uint64_t word : words)
    for (int bit = 35; bit >= 0; --bit)
      bits += word >> bit & 1 ? '1' : '0';
  const std::size_t end = bits.size();
  bits += "00000000"; // what follows is decoded as zeros
  const std::vector<std::string> codes = reference_codes(lengths);
  std::size_t at = 0;
  StreamFault fault = StreamFault::none;
  for (int& symbol : symbols) {
    symbol = 0;
    if (fault != StreamFault::none)
      continue;
    std::size_t s = 0;
    while (s < codes.size() && (codes[s].empty() || bits.compare(at, codes[s].size(), codes[s]) != 0))
      ++s;
    if (s == codes.size()) {
      fault = StreamFault::bad_code;
    } else if (at + codes[s].size() > end) {
      fault = StreamFault::too_short;
    } else {
      symbol = static_cast<int>(s);
      at += codes[s].size();
    }
  }
  if (fault == StreamFault::none && (end - at > 36 || bits.find('1', at) != std::string::npos))
    fault = StreamFault::left_over;
  return fault;
}

/// A decoder with `books` books in its tables, and the pins that both twins see.
class DecoderBench {
public:
  /// `complete`: the smaller decoder, as the accelerator has it.
  DecoderBench(int symbol_bits, int books, bool complete)
      : symbol_bits_(symbol_bits), books_(books),
        bench_({"huffman_decoder",
                {{"SymbolBits", symbol_bits}, {"Books", books}, {"Complete", complete}},
                false,
                ""},
               {{"", "word", {"word_valid_i", "word_ready_o"}, {{"word_i", 36}, "word_last_i"}},
                {"", "take", {"take_i", "ready_o"}, {}},
                {"", "symbol", {"valid_o"}, {{"symbol_o", symbol_bits}}},
                {"", "error", {"error_o"}, {{"fault_o", 2}}}}),
        trace_(bench_.trace()) {}

  struct Pins {
    bool reset = false, word_valid = false, word_last = false, take = false, end = false;
    std::uint64_t word = 0;
    int book = 0;
    int table_entry = -1; ///< {book, rank} that is written
  };
  Pins& at(Cycle cycle) {
    if (pins_.size() <= cycle)
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }
  BeatTrace& trace() { return trace_; }

  /// Writes the tables, one entry a cycle from `cycle` on.
  void load(const std::vector<CodeTable>& books, Cycle& cycle) {
    tables_ = books;
    for (std::size_t b = 0; b < books.size(); ++b)
      for (std::size_t rank = 0; rank < books[b].symbols.size(); ++rank)
        at(cycle++).table_entry = static_cast<int>(b << symbol_bits_ | rank);
  }
  void reset(Cycle cycle) { at(cycle).reset = true; }

  /// What the model did with a stream, as beats and pins. `books`: of each take.
  void add(const std::vector<std::uint64_t>& words, const std::vector<Cycle>& word_cycles,
           const std::vector<Cycle>& takes, const std::vector<int>& symbols, const std::vector<int>& books) {
    for (std::size_t i = 0; i < word_cycles.size(); ++i) {
      const bool last = i + 1 == words.size();
      trace_.add(0, {word_cycles[i], words[i] | std::uint64_t{last} << 36, {}, 0});
    }
    for (std::size_t i = 0; i < takes.size(); ++i) {
      at(takes[i]).take = true;
      at(takes[i]).book = books.empty() ? 0 : books[i];
      trace_.add(1, {takes[i], 0, {}, 0});
      trace_.add(2, {takes[i] + 1, static_cast<std::uint64_t>(symbols[i]), {}, 0});
    }
  }
  /// A word stands before the decoder in cycles `from` to `to`.
  void offer(std::uint64_t word, bool last, Cycle from, Cycle to) {
    for (Cycle cycle = from; cycle <= to; ++cycle) {
      at(cycle).word_valid = true;
      at(cycle).word = word;
      at(cycle).word_last = last;
    }
  }
  void error(Cycle cycle, StreamFault fault) {
    trace_.add(3, {cycle, static_cast<std::uint64_t>(fault), {}, 0});
  }

  void run() {
    pins_.resize(pins_.size() + 16);
    RtlModel& rtl = bench_.rtl();
    const RtlSignal &rst_ni = rtl.signal("rst_ni"), &word_valid = rtl.signal("word_valid_i"),
                    &word = rtl.signal("word_i"), &word_last = rtl.signal("word_last_i"),
                    &take = rtl.signal("take_i"), &end = rtl.signal("end_i"), &book = rtl.signal("book_i"),
                    &table_we = rtl.signal("table_we_i"), &table_addr = rtl.signal("table_addr_i"),
                    &table_symbol = rtl.signal("table_symbol_i"), &limits = rtl.signal("limits_i"),
                    &bases = rtl.signal("bases_i");
    int shown = -1;
    bench_.reset();
    bench_.run(trace_, pins_.size(), [&](Cycle cycle) {
      const Pins& now = pins_[cycle];
      rst_ni.set(!now.reset);
      word_valid.set(now.word_valid);
      word.set(now.word);
      word_last.set(now.word_last);
      take.set(now.take);
      end.set(now.end);
      table_we.set(now.table_entry >= 0);
      if (now.table_entry >= 0) {
        const int rank = now.table_entry & ((1 << symbol_bits_) - 1);
        table_addr.set(static_cast<std::uint64_t>(now.table_entry));
        table_symbol.set(
            static_cast<std::uint64_t>(tables_[static_cast<std::size_t>(now.table_entry >> symbol_bits_)]
                                           .symbols[static_cast<std::size_t>(rank)]));
      }
      if (now.book == shown)
        return;
      shown = now.book;
      book.set(static_cast<std::uint64_t>(shown));
      const CodeTable& table = tables_[static_cast<std::size_t>(shown)];
      for (int l = 1; l <= 8; ++l) {
        limits.set_bits(9 * (l - 1), 9, static_cast<std::uint64_t>(table.limit[static_cast<std::size_t>(l)]));
        bases.set_bits(symbol_bits_ * (l - 1), symbol_bits_,
                       static_cast<std::uint64_t>(table.base[static_cast<std::size_t>(l)]));
      }
    });
  }

private:
  int symbol_bits_, books_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<Pins> pins_;
  std::vector<CodeTable> tables_;
};

std::string coded(const std::vector<int>& symbols, const std::vector<std::string>& codes) {
  std::string bits;
  for (const int symbol : symbols)
    bits += codes[static_cast<std::size_t>(symbol)];
  return bits;
}

std::vector<int> random_symbols(RandomWork& random, const std::vector<int>& lengths, int count) {
  std::vector<int> present, symbols;
  for (std::size_t s = 0; s < lengths.size(); ++s)
    if (lengths[s])
      present.push_back(static_cast<int>(s));
  for (int i = 0; i < count; ++i)
    symbols.push_back(present[static_cast<std::size_t>(random.in(0, static_cast<int>(present.size()) - 1))]);
  return symbols;
}

/// Streams one behind the other through the TLM model, with pins and beats for the RTL.
class Streams {
public:
  Streams(int symbol_bits, const std::vector<int>& lengths, bool complete, RandomWork& random)
      : bench_(symbol_bits, 1, complete), random_(random), lengths_(lengths),
        model_("decoder", symbol_bits, 100), host_("host", model_.socket) {
    end_elaboration();
    bench_.load({CodeTable(lengths)}, now_);
    const std::vector<unsigned char> bytes(lengths.begin(), lengths.end());
    Cycle at = 0;
    REQUIRE(
        host_.access(tlm::TLM_WRITE_COMMAND, 0, const_cast<unsigned char*>(bytes.data()), bytes.size(), at));
    reset();
  }

  void reset() {
    bench_.reset(now_);
    model_.reset(++now_);
  }

  /// Decodes `count` symbols from words that may be anything; resets after a fault. Idle cycles
  /// before words and takes are up to `idle`.
  StreamFault run(const std::vector<std::uint64_t>& words, int count, int idle) {
    HuffmanDecodeExtension stream;
    stream.words = words;
    for (std::size_t i = 0; i < words.size(); ++i)
      stream.word_gaps.push_back(static_cast<unsigned>(random_.in(0, idle)));
    for (int i = 0; i < count; ++i)
      stream.take_gaps.push_back(static_cast<unsigned>(random_.in(0, idle)));
    std::vector<unsigned char> bytes(static_cast<std::size_t>(count));
    const Cycle first = now_;
    Cycle at = now_;
    const bool good = host_.access(tlm::TLM_READ_COMMAND, 0, bytes.data(), bytes.size(), at, &stream);
    const std::vector<int> symbols(bytes.begin(), bytes.end());
    std::vector<int> expected(symbols.size());
    REQUIRE(reference_decode(words, lengths_, expected) == stream.fault);
    REQUIRE(symbols == expected);
    REQUIRE(good == (stream.fault == StreamFault::none));
    REQUIRE(at == stream.take_cycles.back());

    bench_.add(words, stream.word_cycles, stream.take_cycles, symbols, {});
    bench_.at(at).end = true;
    const Cycle over = stream.fault == StreamFault::none ? at + 1 : std::max(at + 1, stream.raised) + 2;
    for (std::size_t i = 0; i <= stream.word_cycles.size() && i < words.size(); ++i) {
      const Cycle from = (i ? stream.word_cycles[i - 1] + 1 : first) + stream.word_gaps[i];
      bench_.offer(words[i], i + 1 == words.size(), from,
                   i < stream.word_cycles.size() ? stream.word_cycles[i] : over);
    }
    for (std::size_t i = 0; i < stream.take_cycles.size(); ++i) // asks before it is ready
      for (Cycle cycle = (i ? stream.take_cycles[i - 1] + 1 : first) + stream.take_gaps[i];
           cycle < stream.take_cycles[i]; ++cycle)
        bench_.at(cycle).take = true;
    now_ = over;
    if (stream.fault != StreamFault::none) {
      bench_.error(stream.raised, stream.fault);
      reset();
    }
    ++faults_[static_cast<int>(stream.fault)];
    return stream.fault;
  }

  void check_rtl() { bench_.run(); }
  [[nodiscard]] int count(StreamFault fault) const { return faults_[static_cast<int>(fault)]; }

private:
  ContextGuard guard_;
  DecoderBench bench_;
  RandomWork& random_;
  std::vector<int> lengths_;
  HuffmanDecoder model_;
  Initiator host_;
  Cycle now_ = 0;
  int faults_[4] = {};
};

} // namespace

TEST_CASE("huffman_decoder twins agree on random books, streams and stalls, back to back") {
  RandomWork random(base_seed());
  for (const int bits : {1, 2, 4, 8})
    for (int round = 0; round < repeats(6); ++round) {
      const std::vector<int> lengths = random_book(random, bits);
      const std::vector<std::string> codes = reference_codes(lengths);
      CAPTURE(bits, round);
      Streams streams(bits, lengths, false, random);
      for (int s = 0; s < 12; ++s) {
        const std::vector<int> symbols =
            random_symbols(random, lengths, random.in(1, random.in(0, 1) ? 20 : 600));
        CHECK(streams.run(words_of(coded(symbols, codes)), static_cast<int>(symbols.size()),
                          random.in(0, 1) * random.in(0, 12)) == StreamFault::none);
      }
      streams.check_rtl();
    }
}

TEST_CASE("huffman_decoder twins agree on every single bit flip of short streams") {
  RandomWork random(base_seed() + 1);
  for (const int bits : {1, 3, 4, 8}) {
    for (int round = 0; round < repeats(3); ++round) {
      const std::vector<int> lengths = random_book(random, bits);
      const std::vector<int> symbols = random_symbols(random, lengths, random.in(5, 40));
      const std::vector<std::uint64_t> words = words_of(coded(symbols, reference_codes(lengths)));
      Streams streams(bits, lengths, true, random);
      for (std::size_t bit = 0; bit < 36 * words.size(); ++bit) {
        std::vector<std::uint64_t> broken = words;
        broken[bit / 36] ^= std::uint64_t{1} << bit % 36;
        streams.run(broken, static_cast<int>(symbols.size()), random.in(0, 4) ? 0 : 3);
      }
      streams.check_rtl();
    }
  }
}

TEST_CASE("huffman_decoder twins agree on 10,000 random bit flips, cuts and extensions of long streams") {
  RandomWork random(base_seed() + 2);
  int faults[4] = {};
  for (int round = 0; round < 20; ++round) {
    const std::vector<int> lengths = round == 0 ? std::vector<int>{0, 0, 1, 0} : random_book(random, 4);
    const std::vector<std::string> codes = reference_codes(lengths);
    Streams streams(lengths.size() == 4 ? 2 : 4, lengths, round % 2 == 0, random);
    for (int s = 0; s < repeats(500); ++s) {
      const std::vector<int> symbols = random_symbols(random, lengths, random.in(100, 300));
      std::vector<std::uint64_t> words = words_of(coded(symbols, codes));
      for (int flips = random.in(1, 3); flips > 0; --flips)
        words[static_cast<std::size_t>(random.in(0, static_cast<int>(words.size()) - 1))] ^=
            std::uint64_t{1} << random.in(0, 35);
      if (random.in(0, 3) == 0)
        words.resize(static_cast<std::size_t>(random.in(1, static_cast<int>(words.size()))));
      if (random.in(0, 7) == 0)
        words.resize(words.size() + static_cast<std::size_t>(random.in(1, 4)),
                     random.in(0, 1) ? random.word(36) : 0);
      streams.run(words, static_cast<int>(symbols.size()), 0);
    }
    streams.check_rtl();
    for (int f = 0; f < 4; ++f)
      faults[f] += streams.count(static_cast<StreamFault>(f));
  }
  for (const int count : faults)
    CHECK(count > 0);
}

// As the accelerator uses it: words come in turns, whether they are wanted or not, a symbol is taken in
// every cycle or every few, and books change from one symbol to the next.
TEST_CASE("huffman_decoder gives a symbol every cycle as long as a word is offered every fourth") {
  RandomWork random(base_seed() + 3);
  for (int round = 0; round < repeats(8); ++round) {
    const int bits = random.in(2, 4), books = 4, period = random.in(1, 4),
              step = random.in(0, 2) ? 1 : random.in(2, 8);
    CAPTURE(round, bits, period, step);
    std::vector<CodeTable> tables;
    std::vector<std::vector<std::string>> codes;
    for (int b = 0; b < books; ++b) {
      // The worst case for the supply: nothing but codes of 8 bits.
      std::vector<int> lengths = random_book(random, bits);
      tables.emplace_back(lengths);
      codes.push_back(reference_codes(lengths));
    }
    DecoderBench bench(bits, books, true);
    Cycle now = 0;
    bench.load(tables, now);
    bench.reset(now++);
    HuffmanDecoderCore model;
    model.reset(now);
    Cycle restart = now - 1;
    std::vector<std::uint64_t> all_words;
    std::vector<bool> all_last;
    for (int s = 0; s < 4; ++s) {
      const int count = s == 0 && round == 0 ? 1'000'000 : random.in(1, 800);
      std::vector<int> symbols, used;
      std::string text;
      for (int i = 0, book = 0; i < count; ++i) {
        book = random.in(0, 9) ? book : random.in(0, books - 1);
        const int symbol = random_symbols(random, tables[static_cast<std::size_t>(book)].lengths, 1)[0];
        symbols.push_back(symbol);
        used.push_back(book);
        text += codes[static_cast<std::size_t>(book)][static_cast<std::size_t>(symbol)];
      }
      const std::vector<std::uint64_t> words = words_of(text);
      const std::size_t before = model.accepted().size();
      const auto phase = static_cast<Cycle>(random.in(0, period - 1)), p = static_cast<Cycle>(period);
      model.stream(words, [=](std::size_t, Cycle from) {
        from = std::max(from, restart + 2);
        return from + (restart + 2 + phase + p * from - from) % p;
      });
      std::vector<Cycle> takes;
      Cycle at = std::max(model.ready(now), restart + HuffmanDecoderCore::restart_latency);
      CHECK(model.ready(now) <= restart + HuffmanDecoderCore::restart_latency);
      for (int i = 0; i < count; ++i, at += static_cast<Cycle>(step)) {
        REQUIRE(model.ready(at) == at); // never a stall
        takes.push_back(at);
        const HuffmanDecoderCore::Symbol symbol =
            model.take(tables[static_cast<std::size_t>(used[static_cast<std::size_t>(i)])], at);
        REQUIRE(symbol.symbol == symbols[static_cast<std::size_t>(i)]);
        REQUIRE(symbol.fault == StreamFault::none);
      }
      now = takes.back();
      REQUIRE(model.end(now).fault == StreamFault::none);
      bench.at(now).end = true;
      const std::vector<Cycle> accepted(model.accepted().begin() + static_cast<std::ptrdiff_t>(before),
                                        model.accepted().end());
      REQUIRE(accepted.size() == words.size());
      bench.add(words, accepted, takes, symbols, used);
      // The word that is due, in every turn; behind the last one anything.
      std::size_t next = 0;
      for (Cycle cycle = restart + 2; cycle <= now; ++cycle) {
        if ((cycle - restart - 2 - phase + p) % p != 0)
          continue;
        if (next < words.size())
          bench.offer(words[next], next + 1 == words.size(), cycle, cycle);
        else
          bench.offer(random.word(36), random.in(0, 1), cycle, cycle);
        if (next < words.size() && accepted[next] == cycle)
          ++next;
      }
      restart = now++;
    }
    bench.run();
  }
}

TEST_CASE("huffman_decoder refuses bad books and bad bursts") {
  HuffmanDecoder model("decoder", 2, 100);
  Initiator host("host", model.socket);
  end_elaboration();
  Cycle at = 0;
  unsigned char too_long[] = {1, 2, 200, 3};
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, too_long, 4, at));
  unsigned char incomplete[] = {1, 2, 0, 0}, good[] = {1, 2, 3, 3}, symbols[3];
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, incomplete, 4, at));
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, good, 3, at));
  CHECK(host.access(tlm::TLM_WRITE_COMMAND, 0, good, 4, at));
  HuffmanDecodeExtension stream;
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, symbols, 3, at, &stream));
  stream.words = {std::uint64_t{0b111'0'10} << 30};
  stream.word_gaps = {1, 2};
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, symbols, 3, at, &stream));
  stream.word_gaps.clear();
  REQUIRE(host.access(tlm::TLM_READ_COMMAND, 0, symbols, 3, at, &stream));
  CHECK(symbols[0] == 3);
  CHECK(symbols[1] == 0);
  CHECK(symbols[2] == 1);
  CHECK(at == 6); // the word in 0, the first symbol in 4
}
