#include "base/archive.h"
#include "base/pacer.h"
#include "block_bench.h"
#include "blocks/channel_decoder.h"
#include "random_book.h"
#include "random_work.h"
#include <algorithm>
#include <array>

using namespace deltatwin;

namespace {

using Words = std::vector<std::uint64_t>;

/// A channel and what is asked of it, one take a symbol.
struct Channel {
  Words words;
  std::vector<int> books; ///< of each take; -1: direct
  int padding = 0;        ///< bits behind the codes
};

/// What a decoder must give, by comparing text: each take's symbol, 0 from a fault's on, and the fault.
struct Decoded {
  std::vector<int> symbols;
  StreamFault fault = StreamFault::none;
  std::size_t fault_take = 0;
};
Decoded reference_decode(const Channel& channel, const std::vector<std::vector<std::string>>& codes) {
  std::string bits;
  for (const std::uint64_t word : channel.words)
    for (int bit = 35; bit >= 0; --bit)
      bits += word >> bit & 1 ? '1' : '0';
  const std::size_t end = bits.size();
  bits += "00000000"; // what follows is decoded as zeros
  Decoded decoded;
  std::size_t at = 0;
  for (const int book : channel.books) {
    int found = 0;
    if (book >= 0) {
      const std::vector<std::string>& texts = codes[static_cast<std::size_t>(book)];
      std::size_t s = 0;
      while (s < texts.size() && (texts[s].empty() || bits.compare(at, texts[s].size(), texts[s]) != 0))
        ++s;
      if (s == texts.size())
        decoded.fault = StreamFault::bad_code;
      else if (at + texts[s].size() > end)
        decoded.fault = StreamFault::too_short;
      if (decoded.fault != StreamFault::none)
        break;
      found = static_cast<int>(s);
      at += texts[s].size();
    }
    decoded.symbols.push_back(found);
  }
  decoded.fault_take = std::min(decoded.symbols.size(), channel.books.size() - 1);
  decoded.symbols.resize(channel.books.size());
  std::size_t needed = 36; // all that the codes need of whole words
  while (needed < at)
    needed += 36;
  if (decoded.fault == StreamFault::none && (end != needed || bits.find('1', at) != std::string::npos))
    decoded.fault = StreamFault::left_over;
  return decoded;
}

/// Both twins of a decoder: channels go through the model, and into the pins of the cycles in which it
/// has them. In every cycle the model says whether a word and a take are possible, too.
class DecoderBench {
public:
  /// `large`: of several books, which are complete.
  DecoderBench(RandomWork& random, int symbol_bits, bool large)
      : DecoderBench(random, symbol_bits,
                     !large             ? 1
                     : symbol_bits == 6 ? 8
                                        : 4,
                     large) {}

  /// A channel of `count` symbols: one book, or another one every few symbols.
  Channel channel(int count) {
    Channel made;
    std::string text;
    const int books = static_cast<int>(tables_.size());
    const bool changes = random_.in(0, 2) == 0;
    int book = random_.in(0, books - 1);
    for (int i = 0; i < count; ++i) {
      if (changes && random_.in(0, 5) == 0)
        book = random_.in(0, books - 1);
      const std::vector<std::string>& codes = codes_[static_cast<std::size_t>(book)];
      std::string code;
      while (code.empty())
        code = codes[static_cast<std::size_t>(random_.in(0, static_cast<int>(codes.size()) - 1))];
      text += code;
      made.books.push_back(book);
    }
    made.words = words_of(text);
    made.padding = static_cast<int>(36 * made.words.size() - text.size());
    return made;
  }
  /// One whose codes fill their last word, or nearly so: too short when one of them grows.
  Channel full_channel(int count) {
    Channel made = channel(count);
    for (int tries = 0; tries < 200 && made.padding > 2; ++tries)
      made = channel(count + random_.in(0, 40));
    return made;
  }
  static Channel direct(int count) {
    return {{0}, std::vector<int>(static_cast<std::size_t>(count), -1), 36};
  }

  /// A reset's life: channels from words and takes that come when the pacers let them, and a last one
  /// that never comes; `ahead`: so many are given to the model before the one that is decoded ends.
  /// Gives the fault that ended it, which the reference finds too. `cut`: the reset comes in a cycle at
  /// random, not behind all.
  StreamFault session(const std::vector<Channel>& channels, const Pacer& words, const Pacer& takes,
                      std::size_t ahead, bool cut = false) {
    words_ = words;
    takes_ = takes;
    rooms_.clear();
    all_words_.clear();
    all_takes_.clear();
    for (const Channel& channel : channels)
      for (std::size_t i = 0; i < channel.words.size(); ++i)
        all_words_.push_back(channel.words[i] | std::uint64_t{i + 1 == channel.words.size()} << 36);
    model_.reset(begin_);
    offer_to_model();
    std::size_t given = 0;
    StreamFault fault = StreamFault::none;
    now_ = begin_;
    for (std::size_t c = 0; c < channels.size() && fault == StreamFault::none; ++c) {
      for (; given <= channels.size() && given <= c + ahead; ++given)
        model_.channel(given < channels.size() ? channels[given].words : Words{0});
      fault = decode(channels[c]);
      if (random_.in(0, 30) == 0)
        exchange_model();
    }
    if (fault != StreamFault::none)
      run_on();
    else if (given == channels.size())
      model_.channel({0});
    const Cycle last = now_ + static_cast<Cycle>(random_.in(1, 6));
    if (fault != StreamFault::none)
      add_ready(model_.failed_from(), last);
    finish(last, fault);
    finish_session(cut ? begin_ + random_.word(40) % (last - begin_ + 1) : last);
    ++faults[static_cast<std::size_t>(fault)];
    return fault;
  }

  void run() {
    RtlModel& rtl = bench_.rtl();
    const RtlSignal &rst_ni = rtl.signal("rst_ni"), &word_valid = rtl.signal("word_valid_i"),
                    &word = rtl.signal("word_i"), &word_last = rtl.signal("word_last_i"),
                    &take = rtl.signal("take_i"), &direct = rtl.signal("direct_i"),
                    &end = rtl.signal("end_i"), &book = rtl.signal("book_i"),
                    &table_we = rtl.signal("table_we_i"), &table_addr = rtl.signal("table_addr_i"),
                    &table_symbol = rtl.signal("table_symbol_i"), &limits = rtl.signal("limits_i"),
                    &bases = rtl.signal("bases_i");
    int shown = -1;
    bench_.reset();
    const auto drive = [&](Cycle cycle) {
      const Pins& now = pins_[cycle];
      const CodeTable& table = tables_[static_cast<std::size_t>(now.book)];
      rst_ni.set(!now.reset);
      word_valid.set(now.word_valid);
      word.set(now.word & ((std::uint64_t{1} << 36) - 1));
      word_last.set(now.word >> 36);
      take.set(now.take);
      direct.set(now.direct);
      end.set(now.end);
      table_we.set(now.table_entry >= 0);
      if (now.table_entry >= 0) {
        table_addr.set(static_cast<std::uint64_t>(now.book << symbol_bits_ | now.table_entry));
        table_symbol.set(
            static_cast<std::uint64_t>(table.symbols[static_cast<std::size_t>(now.table_entry)]));
      }
      if (now.book == shown)
        return;
      shown = now.book;
      book.set(static_cast<std::uint64_t>(shown));
      for (int l = 1; l <= 8; ++l) {
        const auto at = static_cast<std::size_t>(l);
        limits.set_bits(9 * (l - 1), 9, static_cast<std::uint64_t>(table.limit[at]));
        bases.set_bits(symbol_bits_ * (l - 1), symbol_bits_, static_cast<std::uint64_t>(table.base[at]));
      }
    };
    bench_.run(trace_, pins_.size(), drive, first_);
  }

  [[nodiscard]] const std::vector<Cycle>& take_cycles() const { return take_cycles_; }
  std::array<int, 4> faults{}; ///< sessions by what ended them

private:
  enum { word_beat, word_room, take_beat, take_ready, symbol_beat, error_beat };
  struct Pins {
    bool reset = false, word_valid = false, take = false, direct = false, end = false;
    std::uint64_t word = 0; ///< the flag of the last one above it
    int book = 0, table_entry = -1;
  };
  struct Take {
    int book;
    bool last;
  };

  DecoderBench(RandomWork& random, int symbol_bits, int books, bool complete)
      : random_(random), symbol_bits_(symbol_bits),
        bench_({"channel_decoder",
                {{"SymbolBits", symbol_bits}, {"Books", books}, {"Complete", complete}},
                false,
                ""},
               {{"", "word", {"word_valid_i", "word_ready_o"}, {{"word_i", 36}, "word_last_i"}},
                {"", "room", {"word_ready_o"}, {}},
                {"", "take", {"take_i", "ready_o"}, {}},
                {"", "ready", {"ready_o"}, {}},
                {"", "symbol", {"valid_o"}, {{"symbol_o", symbol_bits}}},
                {"", "error", {"error_o"}, {{"fault_o", 2}}}}),
        trace_(bench_.trace()) {
    for (int b = 0; b < books; ++b) {
      lengths_.push_back(random_book(random, symbol_bits));
      tables_.emplace_back(lengths_.back());
      codes_.push_back(reference_codes(lengths_.back()));
      for (std::size_t rank = 0; rank < tables_.back().symbols.size(); ++rank) {
        pins_.emplace_back().table_entry = static_cast<int>(rank);
        pins_.back().book = b;
      }
    }
    pins_.emplace_back().reset = true;
    first_ = begin_ = pins_.size();
  }

  void offer_to_model() {
    model_.offered_by([this](std::size_t index, Cycle from) {
      REQUIRE(index <= all_words_.size());
      if (rooms_.size() == index)
        rooms_.push_back(from);
      REQUIRE(rooms_.at(index) == from);
      return index == all_words_.size() ? never : words_.next_ready(from);
    });
  }

  // The state as bytes, in another one.
  void exchange_model() {
    const std::string state = save_state(model_, "decoder");
    model_ = {};
    restore_state(model_, state, "decoder");
    offer_to_model();
  }

  void add_ready(Cycle from, Cycle to) {
    for (; from <= to; ++from)
      trace_.add(take_ready, {from, 0, {}, from});
  }

  void add_take(Cycle cycle, int decoded, const Take& taken) {
    trace_.add(take_beat, {cycle, 0, {}, cycle});
    trace_.add(symbol_beat, {cycle + 1, static_cast<std::uint64_t>(decoded), {}, cycle});
    take_cycles_.push_back(cycle);
    all_takes_.push_back(taken);
    now_ = cycle + 1;
  }

  StreamFault decode(const Channel& channel) {
    const Decoded expected = reference_decode(channel, codes_);
    for (std::size_t i = 0; i < channel.books.size(); ++i) {
      const int book = channel.books[i];
      const Take taken{book, i + 1 == channel.books.size()};
      const Cycle from = model_.ready(now_);
      REQUIRE(from != never);
      const Cycle cycle = takes_.next_ready(from);
      add_ready(from, cycle);
      const auto [decoded, bad] =
          model_.take(book < 0 ? nullptr : &tables_[static_cast<std::size_t>(book)], cycle);
      REQUIRE(decoded == expected.symbols[i]);
      const StreamFault over = taken.last ? model_.end(cycle) : StreamFault::none;
      const StreamFault fault = bad != StreamFault::none ? bad : over;
      REQUIRE(fault == (i == expected.fault_take ? expected.fault : StreamFault::none));
      add_take(cycle, decoded, taken);
      if (fault == StreamFault::none)
        continue;
      REQUIRE(model_.failed_from() == now_);
      trace_.add(error_beat, {now_, static_cast<std::uint64_t>(fault), {}, cycle});
      return fault;
    }
    return StreamFault::none;
  }

  // A failed decoder gives zeros, whatever it is asked.
  void run_on() {
    for (int i = random_.in(0, 12); i > 0; --i) {
      REQUIRE(model_.ready(now_) == now_);
      const Cycle cycle = takes_.next_ready(now_);
      const Take taken{random_.in(-1, static_cast<int>(tables_.size()) - 1), random_.in(0, 2) == 0};
      const auto [decoded, bad] = model_.take(taken.book < 0 ? nullptr : &tables_[0], cycle);
      REQUIRE(decoded == 0);
      REQUIRE(bad == StreamFault::none);
      if (taken.last)
        REQUIRE(model_.end(cycle) == StreamFault::none);
      add_take(cycle, 0, taken);
    }
  }

  // Words, as far as they were taken, and pins up to cycle `last`.
  void finish(Cycle last, StreamFault fault) {
    const std::vector<Cycle>& accepted = model_.accepted();
    const Cycle over = fault == StreamFault::none ? last + 1 : model_.failed_from();
    std::size_t words = 0;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
      const Cycle beat = i < accepted.size() ? accepted[i] : never;
      for (Cycle cycle = rooms_[i]; cycle < over && cycle <= last && (beat == never || cycle <= beat);
           ++cycle)
        trace_.add(word_room, {cycle, 0, {}, cycle});
      if (beat < over) {
        trace_.add(word_beat, {beat, all_words_[i], {}, beat});
        ++words;
      }
    }
    pins_.resize(last + 1);
    std::size_t offered = 0, asked = 0;
    const std::size_t before = take_cycles_.size() - all_takes_.size();
    for (Cycle cycle = begin_; cycle <= last; ++cycle) {
      Pins& now = pins_[cycle];
      now.word_valid = offered < all_words_.size() && words_.ready(cycle);
      now.word = now.word_valid ? all_words_[offered] : random_.word(37);
      if (offered < words && accepted[offered] == cycle)
        ++offered;
      now.take = asked < all_takes_.size() && takes_.ready(cycle);
      now.book = now.take ? std::max(all_takes_[asked].book, 0)
                          : random_.in(0, static_cast<int>(tables_.size()) - 1);
      now.direct = now.take ? all_takes_[asked].book < 0 : random_.in(0, 1) != 0;
      now.end = now.take ? all_takes_[asked].last : random_.in(0, 1) != 0;
      if (asked < all_takes_.size() && take_cycles_[before + asked] == cycle)
        ++asked;
    }
    REQUIRE(asked == all_takes_.size());
  }

  void finish_session(Cycle reset) {
    pins_.resize(reset + 1);
    pins_.back().reset = true;
    trace_.drop_cycles_after(reset, 0);
    begin_ = reset + 1;
  }

  RandomWork& random_;
  int symbol_bits_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<std::vector<int>> lengths_;
  std::vector<CodeTable> tables_;
  std::vector<std::vector<std::string>> codes_;
  std::vector<Pins> pins_;
  ChannelDecoderCore model_;
  Pacer words_, takes_;
  std::vector<std::uint64_t> all_words_; ///< of the session, with their flags
  std::vector<Take> all_takes_;
  std::vector<Cycle> rooms_; ///< of each word, from when on it can be taken
  std::vector<Cycle> take_cycles_;
  Cycle first_ = 0, begin_ = 0, now_ = 0;
};

// Bits that are flipped, words that are missing, or too many.
void corrupt(RandomWork& random, Words& words) {
  for (int flips = random.in(0, 2); flips > 0; --flips)
    words[static_cast<std::size_t>(random.in(0, static_cast<int>(words.size()) - 1))] ^= std::uint64_t{1}
                                                                                         << random.in(0, 35);
  if (random.in(0, 3) == 0)
    words.resize(static_cast<std::size_t>(random.in(1, static_cast<int>(words.size()))));
  if (random.in(0, 3) == 0)
    words.resize(words.size() + static_cast<std::size_t>(random.in(1, 6)),
                 random.in(0, 1) ? random.word(36) : 0);
}

std::vector<Channel> random_channels(RandomWork& random, DecoderBench& bench, int count) {
  std::vector<Channel> channels;
  const int shape = random.in(0, 3), longest = random.in(0, 4) ? 40 : 500;
  for (int c = 0; c < count; ++c) {
    const int symbols = shape == 0 || random.in(0, 3) == 0 ? 1 : random.in(1, longest);
    channels.push_back(random.in(0, 4) ? bench.channel(symbols) : DecoderBench::direct(symbols));
  }
  return channels;
}

} // namespace

TEST_CASE("channel_decoder twins agree on random channels, gaps, stalls and resets") {
  RandomWork random(base_seed());
  const double paces[] = {0, 0, 0.2, 0.6, 0.9};
  for (const int bits : {1, 2, 3, 4, 6, 8})
    for (int round = 0; round < repeats(4); ++round) {
      CAPTURE(bits, round);
      DecoderBench bench(random, bits, round % 2 == 0);
      for (int s = 0; s < 30; ++s) {
        const std::vector<Channel> channels = random_channels(random, bench, random.in(1, 20));
        const Pacer words(paces[random.in(0, 4)], random.word(20)),
            takes(paces[random.in(0, 4)], random.word(20));
        CHECK(bench.session(channels, words, takes, static_cast<std::size_t>(random.in(0, 3)),
                            random.in(0, 1)) == StreamFault::none);
      }
      bench.run();
    }
}

TEST_CASE("channel_decoder twins agree on every single bit flip of short channels, in every cycle") {
  RandomWork random(base_seed() + 1);
  std::array<int, 4> faults{};
  for (const int bits : {1, 3, 4, 8})
    for (int round = 0; round < repeats(4); ++round) {
      CAPTURE(bits, round);
      DecoderBench bench(random, bits, round % 2 == 0);
      std::vector<Channel> channels = {bench.channel(random.in(1, 9)), bench.full_channel(random.in(1, 30)),
                                       DecoderBench::direct(random.in(1, 5)), bench.channel(1),
                                       bench.channel(random.in(1, 9))};
      for (std::size_t c = 0; c + 1 < channels.size(); ++c)
        for (std::size_t bit = 0; bit < 36 * channels[c].words.size(); ++bit) {
          std::vector<Channel> broken = channels;
          broken[c].words[bit / 36] ^= std::uint64_t{1} << bit % 36;
          const Pacer words(random.in(0, 3) ? 0 : 0.6, bit), takes(random.in(0, 3) ? 0 : 0.3, bit + 1);
          bench.session(broken, words, takes, 2);
        }
      bench.run();
      for (std::size_t f = 0; f < 4; ++f)
        faults[f] += bench.faults[f];
    }
  CAPTURE(faults[0], faults[1], faults[2], faults[3]);
  CHECK(std::all_of(faults.begin(), faults.end(), [](int count) { return count > 0; }));
}

TEST_CASE("channel_decoder twins agree on flips, cuts and extensions of random channels") {
  RandomWork random(base_seed() + 2);
  std::array<int, 4> faults{};
  for (int round = 0; round < repeats(12); ++round) {
    CAPTURE(round);
    DecoderBench bench(random, random.in(1, 4), round % 2 == 0);
    for (int s = 0; s < 150; ++s) {
      std::vector<Channel> channels = random_channels(random, bench, random.in(1, 6));
      for (Channel& channel : channels)
        if (random.in(0, 2) == 0)
          corrupt(random, channel.words);
      const Pacer words(random.in(0, 1) * 0.5, random.word(20)),
          takes(random.in(0, 1) * 0.4, random.word(20));
      bench.session(channels, words, takes, 2, random.in(0, 4) == 0);
    }
    bench.run();
    for (std::size_t f = 0; f < 4; ++f)
      faults[f] += bench.faults[f];
  }
  CAPTURE(faults[0], faults[1], faults[2], faults[3]);
  CHECK(std::all_of(faults.begin(), faults.end(), [](int count) { return count > 20; }));
}

TEST_CASE("channel_decoder takes a symbol every cycle, through channels of one symbol and of many") {
  RandomWork random(base_seed() + 3);
  for (int round = 0; round < repeats(8); ++round) {
    CAPTURE(round);
    DecoderBench bench(random, random.in(1, 4), true);
    const std::vector<Channel> channels = random_channels(random, bench, 200);
    REQUIRE(bench.session(channels, Pacer{}, Pacer{}, 1) == StreamFault::none);
    const std::vector<Cycle>& takes = bench.take_cycles();
    CHECK(takes.back() - takes.front() + 1 == takes.size());
    bench.run();
  }
}

// Rows of cycles: words in, takes. The decoder is clean from cycle 10 on; codes are of eight bits.
TEST_CASE("channel_decoder model: from a word to its first take, and on") {
  const CodeTable book = CodeTable::uniform(8);
  struct Row {
    const char* what;
    std::vector<int> symbols;    ///< of each channel
    std::vector<Cycle> words;    ///< when each is offered
    std::vector<Cycle> accepted; ///< and taken
    std::vector<Cycle> takes;    ///< as early as can be
  };
  const Row rows[] = {
      {"a word to an empty decoder", {1}, {20}, {20}, {22}},
      {"from the reset on", {1}, {0}, {10}, {12}},
      {"one symbol each, a word per cycle",
       {1, 1, 1, 1},
       {20, 21, 22, 23},
       {20, 21, 22, 23},
       {22, 23, 24, 25}},
      {"words wait: held, then one an end", {2, 1, 1}, {20, 20, 20}, {20, 21, 23}, {22, 23, 24, 25}},
      {"the next channel's word a cycle before the end", {1, 1}, {20, 21}, {20, 21}, {22, 23}},
      {"in the cycle of the end", {1, 1}, {20, 22}, {20, 22}, {22, 24}},
      {"a channel's words every fourth cycle, the second after three",
       {13},
       {20, 23, 27},
       {20, 23, 27},
       {22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34}},
      {"the second word after four: one cycle", {6}, {20, 24}, {20, 24}, {22, 23, 24, 25, 27, 28}},
      {"a late word", {6}, {20, 40}, {20, 40}, {22, 23, 24, 25, 43, 44}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ChannelDecoderCore model;
    model.offered_by([&](std::size_t index, Cycle from) { return std::max(from, row.words[index]); });
    model.reset(10);
    std::vector<Cycle> takes;
    for (const int symbols : row.symbols)
      model.channel(std::vector<std::uint64_t>(static_cast<std::size_t>(symbols * 8 + 35) / 36));
    Cycle at = 0;
    for (const int symbols : row.symbols)
      for (int i = 1; i <= symbols; ++i) {
        at = model.ready(at + 1);
        takes.push_back(at);
        CHECK(model.take(&book, at).fault == StreamFault::none);
        if (i == symbols)
          CHECK(model.end(at) == StreamFault::none);
      }
    CHECK(takes == row.takes);
    CHECK(model.accepted() == row.accepted);
    model.forget_accepted();
    CHECK(model.accepted().empty());
  }
}

TEST_CASE("channel_decoder refuses parameters out of their range") {
  using Parameters = std::vector<std::pair<std::string, int>>;
  for (const auto& [bad, message] : {std::pair{Parameters{{"SymbolBits", 0}}, "symbol_bits_must_be_1_to_8"},
                                     {Parameters{{"SymbolBits", 9}}, "symbol_bits_must_be_1_to_8"},
                                     {Parameters{{"Books", 0}}, "books_must_be_a_power_of_two"},
                                     {Parameters{{"Books", 3}}, "books_must_be_a_power_of_two"},
                                     {Parameters{{"Books", 32}}, "books_must_be_a_power_of_two"},
                                     {Parameters{{"Complete", -1}}, "complete_must_be_0_or_1"},
                                     {Parameters{{"Complete", 2}}, "complete_must_be_0_or_1"}}) {
    CAPTURE(bad[0].first, bad[0].second);
    CHECK_THROWS_WITH(build_rtl({"channel_decoder", bad, false, ""}), Catch::Contains(message));
  }
}

TEST_CASE(
    "channel_decoder: words that are given behind a fault are accepted as those that were given before it") {
  RandomWork random(base_seed());
  const CodeTable book({1, 2, 3, 3});
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round, base_seed());
    const std::vector<std::uint64_t> left_over = {random.word(36) | 1}, behind = {1, 2, 3};
    const Cycle gap = random.word(3);
    std::vector<Cycle> accepted[2];
    for (const bool before : {false, true}) {
      ChannelDecoderCore decoder;
      decoder.reset(0);
      decoder.offered_by([=](std::size_t index, Cycle from) { return std::max(from, index * gap); });
      decoder.channel(left_over);
      if (before)
        decoder.channel(behind);
      const Cycle take = decoder.ready(5 + static_cast<Cycle>(round % 7));
      REQUIRE(decoder.take(&book, take).fault == StreamFault::none);
      REQUIRE(decoder.end(take) == StreamFault::left_over);
      if (!before)
        decoder.channel(behind);
      for (const Cycle beat : decoder.accepted())
        if (beat < decoder.failed_from())
          accepted[before].push_back(beat);
    }
    CHECK(accepted[0] == accepted[1]);
  }
}
