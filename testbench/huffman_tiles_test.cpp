#include "block_bench.h"
#include "block_top.h"
#include "blocks/huffman_tiles.h"
#include "random_book.h"
#include "refused_parameters.h"
#include "wide_signal.h"
#include <algorithm>
#include <deque>
#include <map>
#include <set>

using namespace deltatwin;

namespace {

using Words = std::vector<std::uint64_t>;

RtlSource block_of(const HuffmanTilesConfig& config) {
  return {"huffman_tiles",
          {{"Weights", config.weights},
           {"WeightBits", config.weight_bits},
           {"SymbolWeights", config.symbol_weights},
           {"Decoders", config.decoders},
           {"Books", config.books},
           {"BankDepth", config.bank_depth}},
          false,
          ""};
}

/// What a stream holds, said as plainly as can be, by comparing text. Of each decoder the symbols up to its
/// first bad code; 0 from there on.
struct Plain {
  std::vector<std::vector<int>> symbols; ///< [decoder]
  std::vector<std::size_t> bad;          ///< [decoder], which symbol; their count if none is
};
Plain plain_decode(const HuffmanTilesConfig& config, const Words& bank, const std::vector<int>& lengths,
                   const TileStream& stream) {
  const std::vector<std::string> codes = reference_codes(lengths);
  const auto count =
      static_cast<std::size_t>(stream.tiles * config.weights / config.symbol_weights / config.decoders);
  Plain plain;
  for (int l = 0; l < config.decoders; ++l) {
    std::string text;
    std::size_t at = 0, word = 0, bad = count;
    std::vector<int> symbols(count);
    for (std::size_t n = 0; n < count && bad == count; ++n) {
      while (text.size() < at + 8) {
        const std::size_t address =
            stream.base + word++ * static_cast<std::size_t>(config.decoders) + static_cast<std::size_t>(l);
        for (int bit = 35; bit >= 0; --bit)
          text += bank[address % bank.size()] >> bit & 1 ? '1' : '0';
      }
      std::size_t s = 0;
      while (s < codes.size() && (codes[s].empty() || text.compare(at, codes[s].size(), codes[s]) != 0))
        ++s;
      if (s == codes.size())
        bad = n;
      else
        at += codes[s].size(), symbols[n] = static_cast<int>(s);
    }
    plain.symbols.push_back(symbols);
    plain.bad.push_back(bad);
  }
  return plain;
}

/// When tiles stand full, cycle by cycle.
struct Stepped {
  int first_take, takes; ///< from a begin; of a tile
  Cycle begun = 0, last_take = 0;
  int left = 0, taken = 0;
  bool held = false;

  [[nodiscard]] bool ready() const { return left == 0; }
  [[nodiscard]] bool full(Cycle now) const { return held && now >= last_take + 2; }
  void step(Cycle now, int begin_tiles, bool copy) {
    if (left && !held && now >= begun + static_cast<Cycle>(first_take) && ++taken == takes) {
      taken = 0;
      held = true;
      last_take = now;
      --left;
    } else if (copy) {
      held = false;
    }
    if (begin_tiles) {
      begun = now;
      left = begin_tiles;
    }
  }
};

/// A bank and books are loaded, then streams run, tiles are copied, and resets drop everything.
class Round {
public:
  Round(const HuffmanTilesConfig& config, RandomWork& random)
      : config_(config), random_(random), times_(config), tile_(tile_bits(config)) {
    stepped_ = {5 + config.decoders, config.weights / config.symbol_weights / config.decoders};
    times_.reset(0);
  }

  void load(const Words& bank) {
    bank_ = bank;
    for (std::size_t w = 0; w < bank.size(); ++w) {
      pins_.word = static_cast<int>(w);
      step();
    }
  }
  /// Lengths of a book, and its build.
  void build(int book, const std::vector<int>& lengths) {
    books_[book] = lengths;
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      pins_.length_at = book << config_.symbol_bits() | static_cast<int>(s);
      pins_.length = lengths[s];
      step();
    }
    const CodeBookTiming timing = code_book_timing(config_.symbol_bits());
    const BookFault fault = check_book(lengths);
    const Cycle done = now() + (fault == BookFault::none ? timing.build() : timing.fault());
    built_[done] = static_cast<int>(fault);
    pins_.build = book;
    while (now() <= done)
      step();
  }
  /// A stream begins at once, and the tile that is full may be copied in the same cycle.
  void begin(const TileStream& stream, int book) {
    REQUIRE(times_.ready() <= now());
    pins_.begin = true;
    pins_.stream = stream;
    pins_.book = book;
    pins_.copy = times_.full() <= now() && random_.in(0, 1);
    const Cycle at = now();
    const bool copied = pins_.copy;
    step();
    times_.begin(at, stream.tiles);
    decode(stream, book);
    if (copied)
      copied_in(at);
    note_faults();
  }
  void copy() {
    REQUIRE(times_.full() <= now());
    pins_.copy = true;
    step();
    copied_in(now() - 1);
    note_faults();
  }
  void reset() {
    pins_.reset = true;
    step();
    stepped_.left = stepped_.taken = 0;
    stepped_.held = false;
    times_.reset(now());
    tiles_.clear();
    errors_.clear();
  }
  /// So many streams, each begun and each tile copied as soon as it can be, or later.
  void play(int streams, const std::function<TileStream()>& stream, const std::function<int()>& book,
            bool resets) {
    const int patience = random_.in(0, 2) ? random_.in(0, 3) : 2 * config_.takes();
    while (streams || !tiles_.empty()) {
      if (resets && random_.in(0, 400) == 0)
        reset();
      else if (streams && times_.ready() <= now() && random_.in(0, patience) == 0)
        begin(stream(), book()), --streams;
      else if (times_.full() <= now() && random_.in(0, patience) == 0)
        copy();
      else
        step();
    }
  }
  [[nodiscard]] Cycle now() const { return states_.size(); }
  [[nodiscard]] int errors() const { return error_count_; }

  static BlockBench bench(const HuffmanTilesConfig& config, const RtlSource& source) {
    std::vector<Interface> all = {{"", "state", {"rst_ni"}, {"ready_o", "full_o", "error_o", "build_done_o"}},
                                  {"", "built", {"build_done_o", "rst_ni"}, {{"build_fault_o", 2}}}};
    for (Interface& part : WideValue::interfaces("tile_o", tile_bits(config), {"rst_ni"}))
      all.push_back(std::move(part));
    return {source, all};
  }

  void run(BlockBench& bench) {
    CHECK(equal_);
    REQUIRE(first_ != never);
    for (int i = 0; i < 30; ++i)
      step();
    BeatTrace trace = bench.trace(), tiles(trace.beats.size() - 2);
    for (Cycle cycle = 0; cycle < now(); ++cycle) {
      const State& state = states_[cycle];
      if (state.pins.reset) {
        trace.resets.push_back(cycle);
        continue;
      }
      if (cycle < first_)
        continue;
      const auto built = built_.find(cycle);
      const bool done = built != built_.end();
      trace.add(0, {cycle, std::uint64_t{state.seen} | std::uint64_t{done} << 3, {}, cycle});
      if (done)
        trace.add(1, {cycle, static_cast<std::uint64_t>(built->second), {}, cycle});
      values_[state.tile].add_to(tiles, cycle);
    }
    for (std::size_t i = 0; i < tiles.beats.size(); ++i)
      trace.beats[i + 2] = std::move(tiles.beats[i]);
    for (const char* pin : {"we_i", "length_we_i", "build_start_i", "begin_i", "copy_i"})
      bench.set(pin, 0);
    bench.reset();
    bench.run(
        trace, now(),
        [&](Cycle cycle) {
          const Pins& pins = states_[cycle].pins;
          bench.set("rst_ni", !pins.reset);
          bench.set("we_i", pins.word >= 0);
          if (pins.word >= 0) {
            bench.set("waddr_i", static_cast<std::uint64_t>(pins.word));
            bench.set("wdata_i", bank_[static_cast<std::size_t>(pins.word)]);
          }
          bench.set("length_we_i", pins.length_at >= 0);
          if (pins.length_at >= 0) {
            bench.set("length_addr_i", static_cast<std::uint64_t>(pins.length_at));
            bench.set("length_i", static_cast<std::uint64_t>(pins.length));
          }
          bench.set("build_start_i", pins.build >= 0);
          if (pins.build >= 0)
            bench.set("build_book_i", static_cast<std::uint64_t>(pins.build));
          bench.set("copy_i", pins.copy);
          bench.set("begin_i", pins.begin || (pins.reset && random_.in(0, 1)));
          bench.set("base_i", pins.begin ? pins.stream.base : random_.word(2));
          bench.set("tiles_i", pins.begin ? static_cast<std::uint64_t>(pins.stream.tiles) : random_.word(16));
          bench.set("book_i", pins.begin ? static_cast<std::uint64_t>(pins.book)
                                         : random_.word(address_bits(config_.books)));
        },
        first_);
  }

private:
  struct Pins {
    bool reset = false, begin = false, copy = false;
    int word = -1, length_at = -1, length = 0, build = -1, book = 0;
    TileStream stream;
  };
  struct State {
    Pins pins;
    unsigned seen;    ///< ready_o, full_o, error_o
    std::size_t tile; ///< in values_
  };
  struct Tile {
    WideValue value;
    std::vector<int> bad_takes;
    bool noted = false;
  };

  static int tile_bits(const HuffmanTilesConfig& config) { return config.weights * config.weight_bits; }

  // What is seen in this cycle, with its pins; then the next one.
  void step() {
    const bool ready = times_.ready() <= now(), full = times_.full() <= now(), error = errors_.count(now());
    equal_ = equal_ && ready == stepped_.ready() && full == stepped_.full(now());
    stepped_.step(now(), pins_.begin ? pins_.stream.tiles : 0, pins_.copy);
    error_count_ += error;
    states_.push_back(
        {pins_, unsigned{ready} | unsigned{full} << 1 | unsigned{error} << 2, values_.size() - 1});
    pins_ = {};
  }
  void copied_in(Cycle cycle) {
    values_.push_back(tiles_.front().value);
    tiles_.pop_front();
    times_.copy(cycle);
    first_ = std::min(first_, cycle + 1);
  }
  // The takes of a tile are known as soon as the one before is copied.
  void note_faults() {
    if (tiles_.empty() || tiles_.front().noted)
      return;
    tiles_.front().noted = true;
    for (const int take : tiles_.front().bad_takes)
      errors_.insert(times_.first_take() + static_cast<Cycle>(take) + 1);
  }
  void decode(const TileStream& stream, int book) {
    const DecodedTiles decoded = decode_tiles(config_, bank_, CodeTable(books_.at(book)), stream);
    const Plain plain = plain_decode(config_, bank_, books_.at(book), stream);
    const auto tiles = static_cast<std::size_t>(stream.tiles),
               weights = static_cast<std::size_t>(config_.weights),
               each = static_cast<std::size_t>(config_.symbol_weights),
               lanes = static_cast<std::size_t>(config_.decoders), takes = weights / each / lanes;
    const int bits = config_.weight_bits;
    REQUIRE(decoded.weights.size() == tiles * weights);
    for (std::size_t t = 0; t < tiles; ++t) {
      Tile& tile = tiles_.emplace_back(Tile{WideValue(tile_bits(config_)), {}});
      for (std::size_t k = 0; k < weights; ++k) {
        const std::size_t symbol = t * takes * lanes + k / each;
        const int weight =
            plain.symbols[symbol % lanes][symbol / lanes] >> static_cast<int>(k % each) * bits &
            ((1 << bits) - 1);
        equal_ = equal_ && weight == decoded.weights[t * weights + k];
        tile.value.put(static_cast<int>(k) * bits, bits, decoded.weights[t * weights + k]);
      }
      for (std::size_t l = 0; l < lanes; ++l) {
        const auto& fault = decoded.faults[l];
        equal_ = equal_ && fault.has_value() == (plain.bad[l] < tiles * takes);
        if (plain.bad[l] / takes == t && fault) {
          equal_ = equal_ && fault->tile == static_cast<int>(t) &&
                   fault->take == static_cast<int>(plain.bad[l] % takes);
          tile.bad_takes.push_back(fault->take);
        }
      }
    }
  }

  HuffmanTilesConfig config_;
  RandomWork& random_;
  Words bank_;
  std::map<int, std::vector<int>> books_; ///< their lengths
  TileTimes times_;
  Stepped stepped_{};
  Pins pins_; ///< of this cycle
  std::vector<State> states_;
  WideValue tile_;
  std::vector<WideValue> values_ = {tile_}; ///< of tile_o, one after another
  std::deque<Tile> tiles_;                  ///< not copied yet
  std::map<Cycle, int> built_;              ///< faults of books
  std::set<Cycle> errors_;
  Cycle first_ = never; ///< in which all outputs are known
  int error_count_ = 0;
  bool equal_ = true; ///< the model and what is said plainly
};

/// Words of one long stream from address 0 on, of symbols that are there, or of the longest codes alone.
Words coded_bank(const HuffmanTilesConfig& config, const std::vector<int>& lengths, RandomWork& random) {
  const std::vector<std::string> codes = reference_codes(lengths);
  std::vector<std::size_t> some;
  const bool longest = random.in(0, 1);
  const int most = *std::max_element(lengths.begin(), lengths.end());
  for (std::size_t s = 0; s < lengths.size(); ++s)
    if (lengths[s] && (!longest || lengths[s] == most))
      some.push_back(s);
  Words bank(static_cast<std::size_t>(config.bank_depth));
  for (std::size_t l = 0; l < static_cast<std::size_t>(config.decoders); ++l) {
    std::string text;
    while (text.size() < 36 * bank.size())
      text += codes[some[static_cast<std::size_t>(random.in(0, static_cast<int>(some.size()) - 1))]];
    const Words words = words_of(text);
    for (std::size_t w = 0; l + w * static_cast<std::size_t>(config.decoders) < bank.size(); ++w)
      bank[l + w * static_cast<std::size_t>(config.decoders)] = words[w];
  }
  return bank;
}

Words random_bank(const HuffmanTilesConfig& config, const std::vector<int>& lengths, RandomWork& random) {
  const int kind = random.in(0, 3);
  if (kind < 2)
    return coded_bank(config, lengths, random);
  Words bank(static_cast<std::size_t>(config.bank_depth));
  for (std::uint64_t& word : bank)
    word = kind == 2 ? random.word(36) : random.in(0, 5) ? 0 : std::uint64_t{1} << random.in(0, 35);
  return bank;
}

void agree(const HuffmanTilesConfig& config, const RtlSource& source, int rounds) {
  CAPTURE(config.weights, config.weight_bits, config.symbol_weights, config.decoders, config.books,
          config.bank_depth);
  BlockBench bench = Round::bench(config, source);
  for (int r = 0; r < rounds; ++r) {
    CAPTURE(r, base_seed());
    RandomWork random(base_seed() * 100 + static_cast<std::uint64_t>(r));
    Round round(config, random);
    std::vector<std::vector<int>> books;
    for (int b = 0; b < config.books; ++b)
      books.push_back(random_book(random, config.symbol_bits()));
    round.load(random_bank(config, books[static_cast<std::size_t>(random.in(0, config.books - 1))], random));
    std::vector<int> faulty = books[0];
    for (int& length : faulty)
      length = random.in(0, 1) ? random.in(0, 9) : length;
    const auto stream = [&] {
      const int base = random.in(0, 2) ? random.in(0, config.bank_depth - 1) : 0;
      const bool many = config.takes() < 3 && random.in(0, 9) == 0; // more than a byte counts
      return TileStream{static_cast<std::uint32_t>(base), many ? 300 : random.in(1, random.in(0, 3) ? 3 : 9)};
    };
    const auto book = [&] { return random.in(0, config.books - 1); };
    for (int b = 0; b < config.books; ++b)
      round.build(b, books[static_cast<std::size_t>(b)]);
    round.play(5, stream, book, false);
    round.build(0, faulty);
    round.build(0, random_book(random, config.symbol_bits()));
    round.play(10, stream, book, true);
    round.run(bench);
  }
}

} // namespace

TEST_CASE("huffman_tiles twins give all tiles of any streams, copied soon or late, to the cycle") {
  // Every number of bits of a weight, of decoders and of weights a symbol; tiles of one take, too.
  for (const HuffmanTilesConfig& config : {
           HuffmanTilesConfig{16, 1, 8, 2, 1, 48},
           HuffmanTilesConfig{30, 1, 2, 1, 2, 64},
           HuffmanTilesConfig{64, 2, 2, 2, 8, 100},
           HuffmanTilesConfig{128, 4, 2, 2, 2, 128},
           HuffmanTilesConfig{36, 4, 1, 4, 4, 65},
           HuffmanTilesConfig{24, 8, 1, 4, 2, 40},
       })
    agree(config, block_of(config), repeats(2));
}

TEST_CASE("huffman_tiles twins agree with parameters of any kind") {
  RandomWork random(base_seed() + 1);
  for (int i = 0; i < repeats(1); ++i) {
    HuffmanTilesConfig config;
    config.weight_bits = 1 << random.in(0, 3);
    config.symbol_weights = 1 << random.in(0, 2);
    if (config.symbol_bits() > 8)
      config.symbol_weights = 1;
    config.decoders = 1 << random.in(0, 2);
    config.weights = 16 * random.in(1, 9);
    config.books = 1 << random.in(0, 3);
    config.bank_depth = random.in(4, 80);
    agree(config, block_of(config), 2);
  }
}

TEST_CASE("huffman_tiles: a bad code is told once a decoder, and gives weights 0 up to the next stream") {
  const HuffmanTilesConfig config{32, 4, 1, 2, 1, 16};
  BlockBench bench = Round::bench(config, block_of(config));
  RandomWork random(base_seed());
  Round round(config, random);
  Words bank(16);
  bank[4] = std::uint64_t{1} << 35; // decoder 0's first symbol, from word 4 on
  bank[7] = std::uint64_t{1} << 3;  // decoder 1's 36 + 33rd one
  round.load(bank);
  std::vector<int> lengths(16);
  lengths[9] = 1;
  round.build(0, lengths);
  const auto play = [&](std::uint32_t base, int tiles) {
    const int before = round.errors();
    round.play(
        1,
        [&] {
          return TileStream{base, tiles};
        },
        [] { return 0; }, false);
    return round.errors() - before;
  };
  CHECK(play(0, 2) == 0);
  CHECK(play(4, 2) == 1);
  CHECK(play(8, 4) == 0);
  CHECK(play(4, 5) == 2);
  CHECK(play(3, 7) == 2); // decoder 1 has word 4, decoder 0 word 7
  CHECK(play(8, 1) == 0);
  round.run(bench);
}

TEST_CASE("huffman_tiles: the largest tile") {
  const HuffmanTilesConfig config{2048, 8, 1, 4, 1, 600};
  BlockBench bench = Round::bench(config, block_of(config));
  RandomWork random(base_seed());
  Round round(config, random);
  std::vector<int> lengths = random_book(random, 8);
  round.load(coded_bank(config, lengths, random));
  round.build(0, lengths);
  round.play(
      1,
      [] {
        return TileStream{0, 2};
      },
      [] { return 0; }, false);
  round.run(bench);
}

TEST_CASE("huffman_tiles: impossible parameters stop elaboration") {
  check_refused("huffman_tiles", {{"Weights", {8, 126, 2052}},
                                  {"WeightBits", {3, 16}},
                                  {"SymbolWeights", {3, 4}},
                                  {"Decoders", {3, 8}},
                                  {"Books", {3, 32}},
                                  {"BankDepth", {3, 65537}}});
}

TEST_CASE("huffman_tiles: memories are as synthesized, LUT and FF of the model within 15 %") {
  const std::vector<HuffmanTilesConfig> configs = {{128, 4, 2, 2, 1, 4096},
                                                   {128, 4, 1, 2, 4, 4096},
                                                   {64, 1, 2, 4, 1, 700},
                                                   {96, 2, 2, 1, 16, 2048},
                                                   {64, 8, 1, 4, 1, 3072}};
  for (int i = 0; i < std::min(repeats(1), 5); ++i) {
    const HuffmanTilesConfig& config = configs[static_cast<std::size_t>(i)];
    check_area(huffman_tiles_resources(config), block_of(config));
  }
}

// To fit the coefficients in sysc/blocks/huffman_tiles.cpp again.
TEST_CASE("huffman_tiles: what the area model is fitted to, as CSV", "[.fit]") {
  for (const int symbol : {1, 2, 4, 8})
    for (const int decoders : {1, 2, 4})
      for (const auto& [books, depth] : {std::pair(1, 1024), std::pair(4, 700), std::pair(16, 2048)})
        if (books << symbol <= 1024) {
          const HuffmanTilesConfig config{64, 1, symbol, decoders, books, depth};
          print_area(huffman_tiles_resources(config), block_of(config));
        }
}
