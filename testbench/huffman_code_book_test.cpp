#include "block_bench.h"
#include "context_guard.h"
#include "initiator.h"
#include "random_book.h"
#include "random_work.h"
#include "tlm/huffman_code_book.h"
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <numeric>

using namespace deltatwin;

namespace {

void shuffle(RandomWork& random, std::vector<int>& values) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[static_cast<std::size_t>(random.in(0, static_cast<int>(i) - 1))]);
}

// A complete tree, grown by splitting leaves.
std::vector<int> split_book(RandomWork& random, int symbols) {
  std::vector<int> lengths = {1, 1};
  for (int tries = random.in(0, 2 * symbols); tries > 0; --tries) {
    const auto leaf = static_cast<std::size_t>(random.in(0, static_cast<int>(lengths.size()) - 1));
    if (lengths[leaf] < max_code_length && static_cast<int>(lengths.size()) < symbols)
      lengths.push_back(++lengths[leaf]);
  }
  lengths.resize(static_cast<std::size_t>(symbols));
  shuffle(random, lengths);
  return lengths;
}

// 1, 2, 3, ..., n - 1, n - 1: as skewed as can be.
std::vector<int> skewed_book(RandomWork& random, int symbols) {
  const int longest = std::min(max_code_length, symbols - 1);
  std::vector<int> lengths(static_cast<std::size_t>(symbols));
  std::iota(lengths.begin(), lengths.begin() + longest, 1);
  lengths[static_cast<std::size_t>(longest)] = longest;
  if (random.in(0, 1))
    shuffle(random, lengths);
  return lengths;
}

std::vector<int> histogram_book(RandomWork& random, int symbols) {
  std::vector<std::uint64_t> histogram(static_cast<std::size_t>(symbols));
  for (auto& count : histogram)
    count = random.in(0, 3) ? random.word(random.in(0, 20)) : 0;
  histogram[random.word(8) % histogram.size()] = 1; // never empty
  return huffman_lengths(histogram);
}

std::vector<int> good_book(RandomWork& random, int symbol_bits) {
  const int symbols = 1 << symbol_bits;
  std::vector<int> lengths(static_cast<std::size_t>(symbols));
  switch (random.in(0, 4)) {
  case 0:
    return split_book(random, symbols);
  case 1:
    return skewed_book(random, symbols);
  case 2:
    return std::vector<int>(lengths.size(), symbol_bits);
  case 3:
    lengths[random.word(8) % lengths.size()] = 1; // one symbol, one bit
    return lengths;
  default:
    return histogram_book(random, symbols);
  }
}

// Anything that may stand in the memory; most of it is faulty.
std::vector<int> any_book(RandomWork& random, int symbol_bits) {
  std::vector<int> lengths(std::size_t{1} << symbol_bits);
  const auto some = [&] { return random.word(8) % lengths.size(); };
  switch (random.in(0, 6)) {
  case 0: // empty
    break;
  case 1: // one symbol, mostly with too many bits
    lengths[some()] = random.in(1, 15);
    break;
  case 2: // full range
    for (int& length : lengths)
      length = random.in(0, 15);
    break;
  case 3: // legal lengths
    for (int& length : lengths)
      length = random.in(0, 8);
    break;
  case 4: // a good book, one length longer or shorter
    lengths = good_book(random, symbol_bits);
    lengths[some()] = random.in(0, 1) ? 8 * random.in(0, 1) : random.in(0, 8);
    break;
  case 5: // a good book and a length above 8
    lengths = good_book(random, symbol_bits);
    lengths[some()] = random.in(9, 15);
    break;
  default: // everything too short: Kraft's sum as large as can be
    lengths.assign(lengths.size(), random.in(1, 2));
  }
  return lengths;
}

// Kraft's sum, said with fractions of 2^-15.
BookFault reference_fault(const std::vector<int>& lengths) {
  int kraft = 0, used = 0, longest = 0;
  for (const int length : lengths) {
    used += length > 0;
    longest = std::max(longest, length);
    kraft += length > 0 ? 32768 >> length : 0;
  }
  if (used == 0)
    return BookFault::empty;
  if (longest > 8 || kraft > 32768)
    return BookFault::oversubscribed;
  if (kraft == 32768 || (used == 1 && longest == 1))
    return BookFault::none;
  return BookFault::incomplete;
}

struct Pins {
  bool reset = false, write = false, start = false, uniform = false;
  int address = 0, data = 0, book = 0, read_book = 0;
  int last_symbol = -1; ///< of the build under way
};

// Both twins of the code books: writes and builds go through the model's socket, and into the pins of
// the cycles in which the model puts them.
class CodeBookBench {
public:
  CodeBookBench(int symbol_bits, int books)
      : symbol_bits_(symbol_bits), books_(books), random_(base_seed()),
        model_("books", symbol_bits, books, 100), host_("host", model_.socket),
        bench_({"huffman_code_book", {{"SymbolBits", symbol_bits}, {"Books", books}}, false, ""},
               interfaces(symbol_bits, books)),
        trace_(bench_.trace()), memory_(static_cast<std::size_t>(books) << symbol_bits),
        tables_(static_cast<std::size_t>(books)) {
    end_elaboration();
    for (auto& events : tables_)
      events[0] = nullptr;
  }

  /// A book is written, perhaps while another one is built, then built.
  void build_random() {
    const int book = random_.in(0, books_ - 1);
    const bool uniform = random_.in(0, 9) == 0;
    std::vector<int> lengths =
        random_.in(0, 2) ? good_book(random_, symbol_bits_) : any_book(random_, symbol_bits_);
    // Of some builds the first symbols alone, whose book may be a good one.
    symbols_ = random_.in(0, 1) ? 1 << symbol_bits_ : random_.in(1, 1 << symbol_bits_);
    if (random_.in(0, 1))
      gather(lengths);
    if (!uniform && now_ >= done_ && random_.in(0, 3) == 0) {
      build(book, uniform, burst(book, lengths));
    } else {
      if (!uniform && random_.in(0, 9))
        write(book, lengths);
      now_ += static_cast<Cycle>(random_.in(0, 1) * random_.in(0, 5));
      build(book, uniform, {});
    }
    if (random_.in(0, 7) == 0)
      reset(start_ + random_.word(20) % (done_ - start_ + 4));
  }

  void drive() {
    at(now_ + 2 * code_book_timing(symbol_bits_).build()); // nothing more comes
    for (Cycle cycle = 0; cycle < pins_.size(); ++cycle)
      pins_[cycle].read_book =
          cycle == 0 || random_.in(0, 1) ? random_.in(0, books_ - 1) : pins_[cycle - 1].read_book;
    const std::uint64_t noise = static_cast<std::uint64_t>(books_ - 1);
    bench_.set("we_i", 0); // the lengths do not see the reset
    bench_.reset();
    bench_.run(trace_, pins_.size(), [&](Cycle cycle) {
      const Pins& now = pins_[cycle];
      check_constants(cycle);
      bench_.set("rst_ni", !now.reset);
      bench_.set("we_i", now.write);
      bench_.set("waddr_i", static_cast<std::uint64_t>(now.address));
      bench_.set("wdata_i", static_cast<std::uint64_t>(now.data));
      bench_.set("start_i", now.start);
      bench_.set("book_i", now.start ? static_cast<std::uint64_t>(now.book) : cycle & noise);
      bench_.set("uniform_i", now.start ? now.uniform : cycle & 1);
      bench_.set("last_symbol_i",
                 static_cast<std::uint64_t>(now.last_symbol < 0 ? random_.in(0, (1 << symbol_bits_) - 1)
                                                                : now.last_symbol));
      bench_.set("read_book_i", static_cast<std::uint64_t>(now.read_book));
    });
    CHECK(constants_ > 0);
    CHECK(short_ > 0);
  }

private:
  enum { done, table };

  static int book_bits(int books) {
    int bits = 1;
    while (1 << bits < books)
      ++bits;
    return bits;
  }

  static std::vector<Interface> interfaces(int symbol_bits, int books) {
    return {{"", "done", {"done_o"}, {{"fault_o", 2}}},
            {"",
             "table",
             {"table_valid_o"},
             {{"table_book_o", book_bits(books)},
              {"table_symbol_o", symbol_bits},
              {"table_length_o", 4},
              {"table_code_o", 8},
              {"table_rank_o", symbol_bits}}}};
  }

  Pins& at(Cycle cycle) {
    if (cycle >= pins_.size())
      pins_.resize(cycle + 1);
    return pins_[cycle];
  }

  // May this symbol's length change at the end of `cycle`? Not before the build has read it for good.
  [[nodiscard]] bool writable(int book, int symbol, Cycle cycle) const {
    if (book != building_ || cycle >= done_)
      return true;
    const Cycle last_pass = start_ + (fault_ == BookFault::none ? timing_.table() : 1);
    return symbol >= static_cast<int>(timing_.symbols) || cycle >= last_pass + static_cast<Cycle>(symbol);
  }

  void write_pins(int address, int length) {
    Pins& pins = at(now_);
    pins.write = true;
    pins.address = address;
    pins.data = length;
    memory_[static_cast<std::size_t>(address)] = length;
  }

  // Puts as many coded symbols as possible before symbols_, and writes anything behind.
  void gather(std::vector<int>& lengths) {
    std::stable_partition(lengths.begin(), lengths.end(), [](int length) { return length != 0; });
    for (auto s = static_cast<std::size_t>(symbols_); s < lengths.size(); ++s)
      if (lengths[s] == 0)
        lengths[s] = random_.in(0, 15);
  }

  // Symbol by symbol from now on, beside the build under way.
  void write(int book, const std::vector<int>& lengths) {
    const bool pauses = random_.in(0, 1);
    for (int s = 0; s < static_cast<int>(lengths.size()); ++s, ++now_) {
      now_ += static_cast<Cycle>(pauses * random_.in(0, 2));
      while (!writable(book, s, now_))
        ++now_;
      const int address = book << symbol_bits_ | s;
      write_pins(address, lengths[static_cast<std::size_t>(s)]);
      auto byte = static_cast<unsigned char>(lengths[static_cast<std::size_t>(s)]);
      Cycle cycle = now_;
      REQUIRE(host_.access(tlm::TLM_WRITE_COMMAND, static_cast<std::uint64_t>(address), &byte, 1, cycle));
      REQUIRE(cycle == now_ + 1);
    }
    now_ -= static_cast<Cycle>(random_.in(0, 1)); // a build may start in the cycle of the last write
  }

  // The pins and the data of a transaction that writes a book and builds it.
  std::vector<unsigned char> burst(int book, const std::vector<int>& lengths) {
    for (int s = 0; s < static_cast<int>(lengths.size()); ++s, ++now_)
      write_pins(book << symbol_bits_ | s, lengths[static_cast<std::size_t>(s)]);
    now_ -= lengths.size();
    return {lengths.begin(), lengths.end()};
  }

  // Builds what is in the memory, or is written by `data` first.
  void build(int book, bool uniform, std::vector<unsigned char> data) {
    const auto first = memory_.begin() + (book << symbol_bits_);
    std::vector<int> lengths(first, first + (1 << symbol_bits_));
    if (uniform)
      lengths.assign(lengths.size(), symbol_bits_);
    std::fill(lengths.begin() + symbols_, lengths.end(), 0);
    const Cycle earliest = std::max(now_ + data.size(), done_);
    CodeBookExtension extension;
    extension.uniform = uniform;
    extension.symbols = symbols_ == 1 << symbol_bits_ ? random_.in(0, 1) * symbols_ : symbols_;
    Cycle cycle = now_;
    const bool okay = host_.access(data.empty() ? tlm::TLM_IGNORE_COMMAND : tlm::TLM_WRITE_COMMAND,
                                   static_cast<std::uint64_t>(book) << symbol_bits_, data.data(), data.size(),
                                   cycle, &extension);
    REQUIRE(extension.fault == reference_fault(lengths));
    REQUIRE(okay == (extension.fault == BookFault::none));
    REQUIRE(extension.start == earliest);
    const auto pass = static_cast<Cycle>(symbols_);
    REQUIRE(extension.done == earliest + pass + 8 + (okay ? pass : 0));
    REQUIRE(cycle == extension.done + 1);
    fault_ = extension.fault;
    start_ = extension.start;
    done_ = extension.done;
    timing_ = {pass};
    building_ = book;
    short_ += okay && symbols_ < 1 << symbol_bits_;
    start_pins(book, uniform);
    expect(book, lengths);
    now_ = random_.in(0, 1) ? start_ + 1 : done_ + static_cast<Cycle>(random_.in(0, 3));
  }

  void start_pins(int book, bool uniform) {
    Pins& pins = at(start_);
    pins.start = true;
    pins.book = book;
    pins.uniform = uniform;
    for (Cycle cycle = start_ + 1; cycle < done_; ++cycle) // starts during a build are not seen
      if (Pins& ignored = at(cycle); random_.in(0, 9) == 0) {
        ignored.start = true;
        ignored.book = random_.in(0, books_ - 1);
        ignored.uniform = random_.in(0, 1);
      }
    for (Cycle cycle = start_ + 1; cycle <= done_; ++cycle)
      at(cycle).last_symbol = symbols_ - 1;
  }

  void expect(int book, const std::vector<int>& lengths) {
    trace_.add(done, {done_, static_cast<std::uint64_t>(fault_), {}, start_});
    auto& events = tables_[static_cast<std::size_t>(book)];
    events[start_ + timing_.symbols + 1] = nullptr;
    if (fault_ != BookFault::none)
      return;
    const auto built = std::make_shared<CodeTable>(*model_.table(book));
    events[start_ + timing_.table()] = built;
    const std::vector<unsigned> codes = rfc1951_codes(lengths);
    std::uint64_t placed[16] = {}, shorter[17] = {};
    for (int l = 1; l < 16; ++l)
      shorter[l + 1] = shorter[l] + static_cast<std::uint64_t>(std::count(lengths.begin(), lengths.end(), l));
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      const int length = lengths[s];
      const std::uint64_t rank = length ? shorter[length] + placed[length]++ : 0;
      REQUIRE(built->lengths[s] == length);
      REQUIRE(built->codes[s] == codes[s]);
      REQUIRE(static_cast<std::uint64_t>(built->ranks[s]) == rank);
      if (s >= timing_.symbols)
        continue;
      std::uint64_t payload = rank << 8 | codes[s];
      payload = payload << 4 | static_cast<std::uint64_t>(length);
      payload = payload << symbol_bits_ | s;
      payload = payload << book_bits(books_) | static_cast<std::uint64_t>(book);
      trace_.add(table, {start_ + timing_.table() + s, payload, {}, start_});
    }
  }

  void reset(Cycle cycle) {
    if (at(cycle).write)
      ++cycle;
    model_.reset();
    at(cycle).reset = true;
    std::fill(pins_.begin() + static_cast<std::ptrdiff_t>(cycle) + 1, pins_.end(), Pins{});
    trace_.drop_cycles_after(cycle, 0);
    auto& events = tables_[static_cast<std::size_t>(building_)];
    events.erase(events.upper_bound(cycle), events.end());
    done_ = cycle + 1;
    now_ = done_ + static_cast<Cycle>(random_.in(0, 3));
  }

  // The constants of the book that was selected a cycle before, where they are known.
  void check_constants(Cycle cycle) {
    if (cycle == 0)
      return;
    const int book = pins_[cycle - 1].read_book;
    const auto& events = tables_[static_cast<std::size_t>(book)];
    const auto& expected = std::prev(events.upper_bound(cycle - 1))->second;
    if (!expected)
      return;
    const RtlSignal &limits = bench_.rtl().signal("limits_o"), &bases = bench_.rtl().signal("bases_o");
    for (int l = 1; l <= max_code_length; ++l) {
      const auto at_length = static_cast<std::size_t>(l);
      const auto limit = static_cast<int>(limits.get(9 * (l - 1), 9));
      const auto base = static_cast<int>(bases.get(symbol_bits_ * (l - 1), symbol_bits_));
      if (limit != expected->limit[at_length] || base != expected->base[at_length])
        FAIL("cycle " << cycle << ", book " << book << ", length " << l << ": model limit "
                      << expected->limit[at_length] << " base " << expected->base[at_length] << ", RTL "
                      << limit << " " << base);
    }
    ++constants_;
  }

  int symbol_bits_, books_;
  RandomWork random_;
  HuffmanCodeBook model_;
  Initiator host_;
  BlockBench bench_;
  BeatTrace trace_;
  std::vector<int> memory_;
  std::vector<std::map<Cycle, std::shared_ptr<CodeTable>>> tables_; ///< by book, and cycle from when on
  std::vector<Pins> pins_;
  int building_ = 0, symbols_ = 0; ///< symbols_: of the latest build
  CodeBookTiming timing_{};
  int short_ = 0; ///< good builds of some symbols
  BookFault fault_ = BookFault::none;
  Cycle now_ = 0, start_ = 0, done_ = 0;
  std::uint64_t constants_ = 0;
};

} // namespace

TEST_CASE("huffman_code_book twins agree on random books, faults and resets") {
  struct Shape {
    int symbol_bits, books;
  };
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 4}, Shape{2, 1}, Shape{2, 4}, Shape{4, 1}, Shape{4, 4},
                             Shape{8, 1}, Shape{8, 4}, Shape{3, 16}}) {
    CAPTURE(shape.symbol_bits, shape.books);
    ContextGuard guard;
    CodeBookBench bench(shape.symbol_bits, shape.books);
    for (int i = 0; i < repeats(shape.symbol_bits == 8 ? 300 : 1000); ++i)
      bench.build_random();
    bench.drive();
  }
}

TEST_CASE("code tables are canonical: RFC 1951's codes, none a prefix of another, all windows decode") {
  RandomWork random(base_seed());
  for (int i = 0; i < repeats(400); ++i) {
    const int symbol_bits = random.in(1, 8);
    const CodeTable table(good_book(random, symbol_bits));
    REQUIRE(table.fault == BookFault::none);
    REQUIRE(table.codes == rfc1951_codes(table.lengths));
    std::vector<int> owner(256, -1); // of each 8-bit window
    for (std::size_t s = 0; s < table.lengths.size(); ++s)
      for (unsigned tail = 0; table.lengths[s] && tail < 256u >> table.lengths[s]; ++tail) {
        int& window = owner[table.codes[s] << (8 - table.lengths[s]) | tail];
        REQUIRE(window == -1); // else one code begins with the other
        window = static_cast<int>(s);
      }
    for (int window = 0; window < 256; ++window) {
      int length = 1;
      while (length <= max_code_length && window >= table.limit[static_cast<std::size_t>(length)])
        ++length;
      const int symbol = owner[static_cast<std::size_t>(window)];
      REQUIRE((length <= max_code_length) == (symbol >= 0));
      if (symbol < 0)
        continue;
      const int rank = ((window >> (8 - length)) + table.base[static_cast<std::size_t>(length)]) &
                       ((1 << symbol_bits) - 1);
      REQUIRE(length == table.lengths[static_cast<std::size_t>(symbol)]);
      REQUIRE(table.symbols[static_cast<std::size_t>(rank)] == symbol);
      REQUIRE(table.ranks[static_cast<std::size_t>(symbol)] == rank);
    }
  }
}

TEST_CASE("code books are checked: empty, oversubscribed, incomplete") {
  struct Row {
    std::vector<int> lengths;
    BookFault fault;
  };
  const Row rows[] = {
      {{0, 0, 0, 0}, BookFault::empty},          {{0, 1, 0, 0}, BookFault::none}, // one symbol, one bit
      {{0, 2, 0, 0}, BookFault::incomplete},     {{8, 0, 0, 0}, BookFault::incomplete},
      {{9, 0, 0, 0}, BookFault::oversubscribed}, {{1, 1, 15, 0}, BookFault::oversubscribed},
      {{1, 1, 0, 0}, BookFault::none},           {{1, 1, 8, 0}, BookFault::oversubscribed},
      {{2, 2, 2, 0}, BookFault::incomplete},     {{2, 2, 2, 2}, BookFault::none},
      {{1, 2, 3, 3}, BookFault::none},           {{1, 2, 3, 4}, BookFault::incomplete},
      {{1, 1, 1, 1}, BookFault::oversubscribed},
  };
  for (const Row& row : rows) {
    CHECK(check_book(row.lengths) == row.fault);
    CHECK(reference_fault(row.lengths) == row.fault);
  }
}

TEST_CASE("huffman_code_book loads and builds in one transaction, and refuses bad bursts") {
  ContextGuard guard;
  HuffmanCodeBook books("books", 2, 2, 100);
  Initiator host("host", books.socket);
  end_elaboration();
  unsigned char lengths[] = {3, 1, 3, 2, 0};
  CodeBookExtension build;
  Cycle at = 10;
  CHECK(books.table(1) == nullptr);
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 4, lengths, 4, at, &build));
  CHECK(build.start == 14);
  CHECK(build.done == 14 + 2 * 4 + 8);
  CHECK(at == build.done + 1);
  CHECK(books.table(1)->codes == std::vector<unsigned>{6, 0, 7, 2});
  CHECK(books.table(1)->ranks == std::vector<int>{2, 0, 3, 1});
  CHECK(books.table(0) == nullptr);
  at = 20; // the second one waits for the first
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, lengths + 1, 4, at, &build));
  CHECK(build.fault == BookFault::incomplete);
  CHECK(build.start == 30);
  CHECK(build.done == 30 + 4 + 8);
  CHECK(at == 43);
  CHECK_FALSE(host.access(tlm::TLM_READ_COMMAND, 0, lengths, 4, at));
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 5, lengths, 4, at));
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 2, lengths, 4, at, &build));
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, lengths, 3, at, &build));
  CHECK_FALSE(host.access(tlm::TLM_IGNORE_COMMAND, 8, nullptr, 0, at, &build));
  CHECK_FALSE(host.access(tlm::TLM_IGNORE_COMMAND, 0, nullptr, 0, at));
  lengths[0] = 16;
  CHECK_FALSE(host.access(tlm::TLM_WRITE_COMMAND, 0, lengths, 1, at));
  for (const int symbols : {-1, 5}) {
    build.symbols = symbols;
    CHECK_FALSE(host.access(tlm::TLM_IGNORE_COMMAND, 0, nullptr, 0, at, &build));
  }
  CHECK(at == 43);
  unsigned char pair[] = {1, 1, 7, 0}; // symbol 2 is left out
  build.symbols = 2;
  REQUIRE(host.access(tlm::TLM_WRITE_COMMAND, 0, pair, 4, at, &build));
  CHECK(build.done == 43 + 4 + 2 * 2 + 8);
  CHECK(books.table(0)->codes == std::vector<unsigned>{0, 1, 0, 0});
}
