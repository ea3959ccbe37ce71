// The codec's twins in lockstep, and a third opinion on values, sizes and rate.
#include "base/error.h"
#include "base/pacer.h"
#include "block_bench.h"
#include "random_book.h"
#include "random_work.h"
#include "tops/codec/core.h"
#include "tops/codec/top.h"
#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>

using namespace deltatwin;

namespace {

using BlockOfSymbols = std::vector<std::uint8_t>;

// A block of all shapes: one symbol alone, all equally often, skewed in steps.
BlockOfSymbols random_block(RandomWork& random, int symbols, int length) {
  BlockOfSymbols block(static_cast<std::size_t>(length));
  const int shape = random.in(0, 4), used = random.in(1, symbols), skew = random.in(0, 5);
  for (std::size_t i = 0; i < block.size(); ++i) {
    int value = shape == 0   ? used - 1
                : shape == 1 ? static_cast<int>(i % static_cast<std::size_t>(symbols))
                             : random.in(0, used - 1);
    for (int s = 0; shape > 1 && s < skew; ++s)
      value = std::min(value, random.in(0, used - 1));
    block[i] = static_cast<std::uint8_t>(value);
  }
  return block;
}

int random_length(RandomWork& random, int depth) {
  const int longest = random.in(0, 2) ? std::min(depth, 40) : depth;
  return random.in(0, 5) ? random.in(1, longest) : random.in(0, 1) ? 1 : depth;
}

struct Stream {
  std::vector<std::uint8_t> values, tlast;
};
Stream stream_of(const std::vector<BlockOfSymbols>& blocks) {
  Stream stream;
  for (const BlockOfSymbols& block : blocks) {
    stream.values.insert(stream.values.end(), block.begin(), block.end());
    stream.tlast.resize(stream.values.size());
    stream.tlast.back() = 1;
  }
  return stream;
}

// Edges of all parameters, and in the deep run any.
CodecConfig config_of(RandomWork& random, int round) {
  constexpr CodecConfig edges[] = {
      {8, 8, 4096, 100}, {5, 3, 37, 100}, {32, 6, 256, 100}, {2, 1, 1, 100}, {8, 7, 64, 100}};
  if (round < 5)
    return edges[round];
  CodecConfig config;
  config.symbols = random.in(2, 32);
  config.limit = random.in(config.symbol_bits(), 8);
  config.depth = random.in(0, 1) ? 1 << random.in(0, 12) : random.in(1, 300);
  return config;
}

// Bits of the best code, by Huffman's own algorithm, for where the limit does not matter.
std::uint64_t huffman_bits(std::vector<std::uint64_t> counts) {
  counts.erase(std::remove(counts.begin(), counts.end(), 0), counts.end());
  if (counts.size() == 1)
    return counts[0];
  std::uint64_t bits = 0;
  while (counts.size() > 1) {
    std::sort(counts.begin(), counts.end(), std::greater<>());
    const std::uint64_t pair = counts.back() + counts[counts.size() - 2];
    counts.pop_back();
    counts.back() = pair;
    bits += pair;
  }
  return bits;
}

// Bits of the best code of at most `limit` bits, by trying all: lengths given to the counts in falling
// order, `space` of 2^limit left.
std::uint64_t limited_bits(const std::vector<std::uint64_t>& falling, std::size_t at, int shortest, int space,
                           int limit) {
  if (at == falling.size())
    return 0;
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
  for (int length = shortest; length <= limit; ++length) {
    const int left = space - (1 << (limit - length));
    if (left < static_cast<int>(falling.size() - at - 1))
      continue;
    const std::uint64_t rest = limited_bits(falling, at + 1, length, left, limit);
    if (rest != std::numeric_limits<std::uint64_t>::max())
      best = std::min(best, falling[at] * static_cast<std::uint64_t>(length) + rest);
  }
  return best;
}

std::uint64_t reference_bits(const BlockOfSymbols& block, const CodecConfig& config) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(config.symbols));
  for (const std::uint8_t symbol : block)
    ++counts[symbol];
  if (config.symbols > 8)
    return huffman_bits(counts); // with a limit: at least
  counts.erase(std::remove(counts.begin(), counts.end(), 0), counts.end());
  std::sort(counts.begin(), counts.end(), std::greater<>());
  return limited_bits(counts, 0, 1, 1 << config.limit, config.limit);
}

std::vector<std::uint32_t> payloads(const BeatTrace& trace, std::size_t interface) {
  std::vector<std::uint32_t> values;
  for (const Beat& beat : trace.beats[interface])
    values.push_back(static_cast<std::uint32_t>(beat.payload));
  return values;
}

constexpr std::size_t in_beats = 5, out_beats = 6, encode_beats = 10, word_beats = 11;

std::vector<Cycle> block_ends(const BeatTrace& trace) {
  std::vector<Cycle> ends;
  for (const Beat& beat : trace.beats[out_beats])
    if (beat.payload >> 8)
      ends.push_back(beat.cycle);
  return ends;
}

// A block's bits as text, by the codes that RFC 1951 gives for its lengths; its words are those.
std::uint64_t text_bits(const BeatTrace& trace, std::size_t block, const CodecConfig& config) {
  const auto symbols = static_cast<std::size_t>(config.symbols),
             rows = std::size_t{1} << config.symbol_bits();
  std::vector<int> lengths;
  for (std::size_t s = 0; s < rows; ++s)
    lengths.push_back(s < symbols ? static_cast<int>(trace.beats[8][block * symbols + s].payload) : 0);
  const std::vector<std::string> codes = reference_codes(lengths);
  const auto part = [&](std::size_t interface, int last_bit) {
    std::vector<std::uint64_t> payloads;
    std::size_t seen = 0;
    for (const Beat& beat : trace.beats[interface]) {
      if (seen == block)
        payloads.push_back(beat.payload & ((std::uint64_t{1} << last_bit) - 1));
      seen += beat.payload >> last_bit & 1;
    }
    return payloads;
  };
  std::string text;
  for (const std::uint64_t symbol : part(encode_beats, 2 + config.symbol_bits()))
    text += codes[symbol >> 2];
  CHECK(part(word_beats, 36) == words_of(text));
  return text.size();
}

bool same(const std::vector<Beat>& a, const std::vector<Beat>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Beat& x, const Beat& y) {
    return x.cycle == y.cycle && x.payload == y.payload;
  });
}

// A register access that is offered in `cycle`, at least three behind the one before.
struct Access {
  Cycle cycle;
  bool is_write;
  std::uint32_t address, data = 0;
  unsigned strobes = 0xf;
};

// Both twins: a stream and register accesses go through the model, and then into the pins.
class CodecBench {
public:
  CodecBench(const CodecConfig& config, double stall)
      : top_(config), gaps_(stall, base_seed()), sink_(stall, base_seed() + 1), model_(top_.model()),
        bench_({top_.module(), top_.parameters(), false, ""}, top_.interfaces()), trace_(bench_.trace()) {
    model_->set_sink(0, paced(sink_));
    model_->record(&trace_);
  }

  TopModel& model() { return *model_; }
  const BeatTrace& trace() const { return trace_; }

  // Offers a stream, behind which accesses come; returns what they read.
  std::vector<std::uint32_t> run(const Stream& stream, const std::vector<Access>& accesses) {
    stream_ = stream;
    offer();
    std::vector<std::uint32_t> reads;
    for (const Access& access : accesses) {
      if (access.is_write) {
        trace_.add(0, {access.cycle, access.address, {}, 0});
        trace_.add(1, {access.cycle, access.data | std::uint64_t{access.strobes} << 32, {}, 0});
        const bool okay = model_->write(access.address, access.data, access.strobes, access.cycle);
        trace_.add(2, {access.cycle + 1, okay ? 0u : 2u, {}, 0});
        offer();
      } else {
        trace_.add(3, {access.cycle, access.address, {}, 0});
        const TopModel::ReadResult result = model_->read(access.address, access.cycle);
        trace_.add(4, {access.cycle + 1, result.data | std::uint64_t{result.okay ? 0u : 2u} << 32, {}, 0});
        reads.push_back(result.data);
      }
    }
    accesses_ = accesses;
    return reads;
  }

  // The RTL's turn, from its reset on.
  void check() {
    Cycle end = 0;
    for (const std::vector<Beat>& beats : trace_.beats)
      end = std::max(end, beats.empty() ? 0 : beats.back().cycle);
    for (const char* ready : {"s_axil_bready_i", "s_axil_rready_i"})
      bench_.set(ready, 1);
    bench_.reset();
    std::size_t next = 0, access = 0;
    const std::vector<Beat>& taken = trace_.beats[in_beats];
    bench_.run(trace_, end + 100, [&](Cycle cycle) {
      while (next < taken.size() && taken[next].cycle < cycle)
        ++next;
      const bool offers = next < stream_.values.size() && cycle >= offered(next);
      bench_.set("s_axis_tvalid_i", offers);
      bench_.set("s_axis_tdata_i", offers ? stream_.values[next] : 0);
      bench_.set("s_axis_tlast_i", offers && stream_.tlast[next]);
      bench_.set("m_axis_tready_i", sink_.ready(cycle));
      while (access < accesses_.size() && accesses_[access].cycle < cycle)
        ++access;
      const bool now = access < accesses_.size() && accesses_[access].cycle == cycle;
      const bool write = now && accesses_[access].is_write;
      bench_.set("s_axil_awvalid_i", write);
      bench_.set("s_axil_wvalid_i", write);
      bench_.set("s_axil_arvalid_i", now && !write);
      if (now) {
        bench_.set(write ? "s_axil_awaddr_i" : "s_axil_araddr_i", accesses_[access].address);
        bench_.set("s_axil_wdata_i", accesses_[access].data);
        bench_.set("s_axil_wstrb_i", accesses_[access].strobes);
      }
    });
  }

private:
  [[nodiscard]] Cycle offered(std::size_t beat) const {
    return (beat ? trace_.beats[in_beats][beat - 1].cycle + 1 : 0) + gaps_.gap(beat);
  }
  // What was taken may have been taken back by a reset: the trace knows.
  void offer() {
    const std::size_t done = trace_.beats[in_beats].size();
    Cycle from = done ? trace_.beats[in_beats].back().cycle + 1 : 0;
    if (done < stream_.values.size())
      model_->offer(0,
                    {stream_.values.data() + done, stream_.values.size() - done, stream_.tlast.data() + done,
                     [this, done](std::uint64_t i) { return gaps_.gap(done + i); }},
                    from, nullptr);
  }

  CodecTop top_;
  Pacer gaps_, sink_;
  std::unique_ptr<TopModel> model_;
  BlockBench bench_;
  BeatTrace trace_;
  Stream stream_;
  std::vector<Access> accesses_;
};

} // namespace

TEST_CASE("codec: random blocks, twins in lockstep, what goes in comes out, in the best size") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(5); ++round) {
    const CodecConfig config = config_of(random, round);
    CAPTURE(round, base_seed(), config.symbols, config.limit, config.depth);
    std::vector<BlockOfSymbols> blocks(static_cast<std::size_t>(random.in(1, 40)));
    for (BlockOfSymbols& block : blocks)
      block = random_block(random, config.symbols, random_length(random, config.depth));
    const Stream stream = stream_of(blocks);
    CodecBench bench(config, round % 2 ? 0.01 * random.in(1, 60) : 0);
    Cycle cycle = 5;
    bench.run(stream, {});
    cycle = bench.model().stop_cycle();
    std::vector<Access> accesses;
    for (const std::uint32_t address :
         {codec_reg::status, codec_reg::blocks, codec_reg::id, codec_reg::alphabet, codec_reg::limit,
          codec_reg::depth, codec_reg::cycles})
      accesses.push_back({cycle += 3, false, address});
    for (unsigned i = 0; i < codec_sizes; ++i)
      accesses.push_back({cycle += 3, false, codec_reg::sizes + 4 * i});
    const std::vector<std::uint32_t> reads = bench.run(stream, accesses);
    bench.check();
    const std::vector<std::uint32_t> in = payloads(bench.trace(), in_beats);
    CHECK(in.size() == stream.values.size());
    CHECK(payloads(bench.trace(), out_beats) == in);
    CHECK(reads[0] == 0);
    CHECK(reads[1] == blocks.size());
    CHECK(reads[2] == 0x44544331);
    CHECK(reads[3] == static_cast<std::uint32_t>(config.symbols));
    CHECK(reads[4] == static_cast<std::uint32_t>(config.limit));
    CHECK(reads[5] == static_cast<std::uint32_t>(config.depth));
    const std::vector<std::vector<Beat>>& beats = bench.trace().beats;
    if (round % 2 == 0) // the codec is never empty between
      CHECK(reads[6] == beats[out_beats].back().cycle - beats[in_beats].front().cycle);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const std::uint64_t bits = reads[7 + b], best = reference_bits(blocks[b], config);
      CHECK(bits >= best);
      CHECK((bits == best || config.symbols > 8));
      CHECK(bits <= blocks[b].size() * static_cast<std::uint64_t>(config.symbol_bits()));
      CHECK(bits == text_bits(bench.trace(), b, config));
    }
  }
}

TEST_CASE("codec: in steady state a block of N symbols takes max(N + 8, 186) cycles at 8 symbols") {
  const CodecConfig config; // 8 symbols, codes of 8 bits, blocks of 4,096
  RandomWork random(base_seed());
  for (const int length : {1, 2, 36, 100, 178, 179, 192, 500, 4096}) {
    CAPTURE(length);
    constexpr int count = 8, measured = 4;
    std::vector<BlockOfSymbols> blocks(count);
    for (BlockOfSymbols& block : blocks)
      block = random_block(random, config.symbols, length);
    CodecBench bench(config, 0);
    bench.run(stream_of(blocks), {});
    bench.check(); // the RTL's beats are these
    const std::vector<Cycle> ends = block_ends(bench.trace());
    REQUIRE(ends.size() == count);
    const Cycle cycles = ends[count - 1] - ends[count - 1 - measured];
    CHECK(cycles == measured * std::max<Cycle>(static_cast<Cycle>(length) + 8, 186));
    CHECK(cycles <= measured * std::max<Cycle>(static_cast<Cycle>(length) + 10, 200));
    CHECK(steady_cycles(config, length) == static_cast<double>(cycles) / measured);
  }
}

TEST_CASE("codec: the rate that the figures say is the model's, at any alphabet, limit, depth and length") {
  RandomWork random(base_seed());
  for (int round = 0; round < repeats(60); ++round) {
    const CodecConfig config = config_of(random, round);
    const int length = random.in(0, 2) ? random.in(1, config.depth) : config.depth;
    CAPTURE(round, base_seed(), config.symbols, config.limit, config.depth, length);
    const BlockOfSymbols block = random_block(random, config.symbols, length);
    constexpr std::size_t count = 90, measured = 60;
    CodecCore core(config);
    BeatTrace trace(CodecCore::interfaces(config).size());
    core.record(&trace);
    const Stream stream = stream_of(std::vector<BlockOfSymbols>(count, block));
    Cycle from = 0;
    REQUIRE(core.offer(0, {stream.values.data(), stream.values.size(), stream.tlast.data()}, from, nullptr) ==
            stream.values.size());
    const std::vector<Cycle> ends = block_ends(trace);
    const double cycles = static_cast<double>(ends[count - 1] - ends[count - 1 - measured]) / measured;
    CHECK(cycles == Approx(steady_cycles(config, length)));
  }
}

TEST_CASE("codec: a lone block's way, in cycles") {
  const CodecConfig config;
  CodecCore core(config);
  BeatTrace trace(CodecCore::interfaces(config).size());
  core.record(&trace);
  const BlockOfSymbols block = {3, 1, 3, 3, 7};
  const Stream stream = stream_of({block});
  Cycle from = 100;
  core.offer(0, {stream.values.data(), stream.values.size(), stream.tlast.data()}, from, nullptr);
  const auto first = [&](std::size_t interface) { return trace.beats[interface].front().cycle; };
  CHECK(trace.beats[in_beats].back().cycle == 104);
  CHECK(first(7) == 105);                         // eight counts
  CHECK(first(8) == 112 + 171);                   // the builder's latency: eight lengths
  CHECK(trace.beats[9].back().cycle == 290 + 24); // the code book's
  CHECK(first(10) == 290 + 24 + 2);               // begun in between
  CHECK(trace.beats[10].back().cycle == 320);
  CHECK(first(13) == 320 + 8 + 1); // decoded 8 cycles after the last symbol is encoded
  CHECK(first(out_beats) == 320 + 8 + 2);
  CHECK(core.stop_cycle() == 320 + 8 + 2 + 5);
}

TEST_CASE("codec: stalls, errors, and resets in mid-block") {
  RandomWork random(base_seed() + 1);
  for (int round = 0; round < repeats(15); ++round) {
    const CodecConfig config = config_of(random, round < 15 ? round % 5 : round);
    CAPTURE(round, base_seed(), config.symbols, config.limit, config.depth);
    std::vector<BlockOfSymbols> blocks(static_cast<std::size_t>(random.in(1, 60)));
    int symbols = 0;
    for (BlockOfSymbols& block : blocks) {
      block = random_block(random, config.symbols, random_length(random, std::min(config.depth, 300)));
      symbols += static_cast<int>(block.size());
    }
    Stream stream = stream_of(blocks);
    const auto any = [&] { return static_cast<std::size_t>(random.in(0, symbols - 1)); };
    for (int errors = random.in(0, 4); errors > 0; --errors) {
      stream.values[any()] = static_cast<std::uint8_t>(random.in(config.symbols, 255));
      stream.tlast[any()] = 0;
    }
    std::vector<Access> accesses;
    Cycle cycle = 0;
    for (int access = 0; access < 60; ++access) {
      cycle += static_cast<Cycle>(3 + (random.in(0, 3) ? random.in(0, 10) : random.in(0, symbols / 8 + 300)));
      const int which = random.in(0, 3);
      const std::uint32_t address =
          which > 1 ? static_cast<std::uint32_t>(4 * random.in(0, 8))
                    : static_cast<std::uint32_t>(which ? 0x100 + 4 * random.in(0, 63) : random.in(0, 0xfff));
      const bool resets = random.in(0, 2) == 0;
      const auto data = static_cast<std::uint32_t>(random.in(0, 3));
      const auto strobes = static_cast<unsigned>(random.in(0, 2) ? 0xf : random.in(0, 15));
      accesses.push_back({cycle, random.in(0, 3) == 0, resets ? codec_reg::control : address, data, strobes});
    }
    CodecBench bench(config, round % 3 ? 0.01 * random.in(1, 60) : 0);
    bench.run(stream, accesses);
    bench.check();
  }
}

TEST_CASE("codec: what an error leaves") {
  const CodecConfig config{5, 3, 37, 100};
  RandomWork random(base_seed());
  struct Row {
    const char* what;
    int length, at, symbol; ///< of the third block: its symbols, where something is wrong, and that symbol
    bool last;              ///< the block has its TLAST
    std::uint32_t status;
  };
  for (const Row& row :
       {Row{"a symbol outside", 20, 10, 5, true, 0x103}, Row{"the largest", 20, 19, 255, true, 0x103},
        Row{"as long as can be", 37, 0, 4, true, 0}, Row{"too long", 38, 0, 4, true, 0x203},
        Row{"TLAST missing, too long with the next", 30, 0, 4, false, 0x203},
        Row{"both, in one symbol", 37, 36, 9, false, 0x103}}) {
    CAPTURE(row.what);
    std::vector<BlockOfSymbols> blocks;
    for (const int length : {37, 4, row.length, 20})
      blocks.push_back(random_block(random, config.symbols, length));
    blocks[2][static_cast<std::size_t>(row.at)] = static_cast<std::uint8_t>(row.symbol);
    Stream stream = stream_of(blocks);
    const auto end = static_cast<std::size_t>(37 + 4 + row.length);
    stream.tlast[end - 1] = row.last;
    if (row.status) { // nothing is offered behind the error
      const std::size_t taken =
          row.status == 0x203 ? 37 + 4 + 37 : static_cast<std::size_t>(37 + 4 + row.at + 1);
      stream.values.resize(taken);
      stream.tlast.resize(taken);
    }
    CodecBench bench(config, 0.2);
    const std::vector<std::uint32_t> reads =
        bench.run(stream, {{3000, false, codec_reg::status},
                           {3003, false, codec_reg::blocks},
                           {3006, true, codec_reg::control, codec_control_reset},
                           {3009, false, codec_reg::status},
                           {3012, false, codec_reg::blocks}});
    bench.check();
    CHECK(reads[0] == row.status);
    CHECK(reads[1] == (row.status ? 2 : 4));
    CHECK(block_ends(bench.trace()).size() == reads[1]); // the good blocks leave
    CHECK(reads[2] == 0);
    CHECK(reads[3] == 0);
  }
}

TEST_CASE("codec: a run is saved in mid-block and restored") {
  const CodecConfig config;
  RandomWork random(base_seed());
  std::vector<BlockOfSymbols> blocks;
  for (int b = 0; b < 12; ++b)
    blocks.push_back(random_block(random, config.symbols, random.in(1, 200)));
  const Stream stream = stream_of(blocks);
  const auto offer = [&](CodecCore& core, std::size_t first, std::size_t end, Cycle from) {
    core.offer(0, {stream.values.data() + first, end - first, stream.tlast.data() + first}, from, nullptr);
    return from;
  };
  const std::size_t all = stream.values.size(), half = all / 2;
  CHECK(stream.tlast[half - 1] == 0); // in mid-block
  CodecCore core(config), other(config);
  BeatTrace whole(CodecCore::interfaces(config).size()), rest = whole;
  const Cycle from = offer(core, 0, half, 7);
  const std::string saved = core.save();
  other.restore(saved);
  core.record(&whole);
  other.record(&rest);
  offer(core, half, all, from);
  offer(other, half, all, from);
  CHECK(block_ends(whole).size() > 3);
  for (std::size_t i = 0; i < whole.beats.size(); ++i)
    CHECK(same(whole.beats[i], rest.beats[i]));
  for (const std::uint32_t address :
       {codec_reg::status, codec_reg::blocks, codec_reg::cycles, codec_reg::sizes})
    for (const Cycle cycle : {from, core.stop_cycle()})
      CHECK(core.read(address, cycle).data == other.read(address, cycle).data);
  CHECK_THROWS_AS(other.restore(saved.substr(0, saved.size() - 1)), InputError);
  CHECK_THROWS_AS(other.restore(saved + "x"), InputError);
  CHECK_THROWS_AS(CodecTop({8, 8, 2048, 100}).model()->restore(saved), InputError);
}

TEST_CASE("codec: impossible parameters are named") {
  CHECK(complaint(CodecConfig{}).empty());
  CHECK(complaint({1, 8, 64, 100}) == "alphabet is 1, possible are 2..32");
  CHECK(complaint({33, 8, 64, 100}) == "alphabet is 33, possible are 2..32");
  CHECK(complaint({9, 3, 64, 100}) == "code-length limit is 3, possible are 4..8");
  CHECK(complaint({8, 9, 64, 100}) == "code-length limit is 9, possible are 3..8");
  CHECK(complaint({8, 8, 0, 100}) == "depth is 0, possible are 1..4096");
  CHECK(complaint({8, 8, 4097, 100}) == "depth is 4097, possible are 1..4096");
  CHECK_THROWS_AS(CodecTop({8, 8, 4097, 100}), InputError);
}
