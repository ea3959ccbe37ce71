#include "block_bench.h"
#include "blocks/huffman_bank.h"
#include "random_book.h"
#include "random_work.h"
#include "tops/accelerator/configs.h"
#include <algorithm>

using namespace deltatwin;

namespace {

constexpr int lanes = 3, symbol_bits = 3, depth = 24;

Design bank_design() {
  Design design;
  design.lanes = design.lanes_per_bank = lanes;
  design.delta_bits = symbol_bits;
  design.huffman = true;
  design.bank_depth = depth;
  design.out_depth = 4;
  return design;
}

struct Streams {
  std::vector<int> lengths; ///< the book's
  std::vector<std::uint64_t> bank = std::vector<std::uint64_t>(depth);
  std::vector<StreamBounds> bounds; ///< a lane each
};

// The bits of each lane's stream, laid one behind the other from word `first` on.
Streams lay(const std::vector<int>& lengths, const std::vector<std::string>& bits, std::size_t first) {
  Streams streams;
  streams.lengths = lengths;
  for (const std::string& text : bits) {
    std::size_t at = first;
    for (const std::uint64_t word : words_of(text)) {
      REQUIRE(at < streams.bank.size());
      streams.bank[at++] = word;
    }
    streams.bounds.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(at - 1)});
    first = at;
  }
  return streams;
}

// What was met: the first error.
struct Met {
  StreamFault fault = StreamFault::none;
  std::size_t slot = 0;
};

// Two inferences of `slots` symbols a lane on both twins; `expected[slot * lanes + lane]` are what the
// streams hold, as it was encoded.
Met run(RandomWork& random, const Streams& streams, int slots, const std::vector<int>& expected) {
  const Design design = bank_design();
  const CodeTable book(streams.lengths);
  REQUIRE(book.fault == BookFault::none);
  std::vector<std::vector<std::uint64_t>> words;
  for (const StreamBounds& bounds : streams.bounds)
    words.push_back(read_stream(streams.bank, bounds));
  LayerDescriptor layer;
  layer.inputs = layer.block_length = slots;
  layer.outputs = lanes;
  layer.huffman = true;
  const DecodedStreams decoded = decode_streams(huffman_weights_config(design), {layer}, {book}, words);

  std::vector<Interface> interfaces = {
      {"", "symbols", {}, {{"symbols_o", lanes * symbol_bits}}},
      {"", "error", {"error_o"}, {{"fault_o", 2}}},
  };
  for (int lane = 0; lane < lanes; ++lane)
    interfaces.push_back({"", "fetch" + std::to_string(lane), {{"fetch_o", 1, lane}}, {}});
  BlockBench bench({"huffman_bank",
                    {{"Lanes", lanes}, {"Turns", lanes}, {"SymbolBits", symbol_bits}, {"BankDepth", depth}},
                    false,
                    ""},
                   interfaces);
  BeatTrace trace = bench.trace();

  // Loads in the reset, then slots with gaps; after the last one the streams begin anew.
  const Cycle clean = depth + 2 * lanes + (Cycle{1} << symbol_bits);
  BankDecoders model(huffman_weights_config(design));
  model.start(words, clean);
  std::vector<Cycle> takes, ends;
  Cycle now = clean + HuffmanDecoderCore::restart_latency + 3, failed = never;
  for (int inference = 0; inference < 2 && failed == never; ++inference) {
    for (int slot = 0; slot < slots; ++slot) {
      now += static_cast<Cycle>(random.in(0, 5) ? 0 : random.in(1, 9));
      takes.push_back(now);
      model.take(book, lanes, now);
      if (decoded.fault != StreamFault::none && static_cast<std::size_t>(slot) == decoded.slot)
        failed = now + decoded.delay;
      ++now;
    }
    ends.push_back(now - 1);
    model.end(now - 1);
    now += HuffmanDecoderCore::restart_latency;
  }
  const Cycle cycles = failed == never ? ends.back() + 40 : failed + 1;
  std::vector<std::uint64_t> symbols(cycles + 2);
  for (std::size_t i = 0; i < takes.size() && takes[i] + 1 < symbols.size(); ++i) {
    const std::size_t slot = i % static_cast<std::size_t>(slots);
    symbols[takes[i] + 1] = decoded.banks[0][slot];
    for (std::size_t lane = 0; lane < lanes && (failed == never || slot < decoded.slot); ++lane)
      CHECK((decoded.banks[0][slot] >> lane * symbol_bits & ((1 << symbol_bits) - 1)) ==
            static_cast<std::uint64_t>(expected[slot * lanes + lane]));
  }
  for (Cycle cycle = clean; cycle < cycles; ++cycle)
    trace.add(0, {cycle, symbols[cycle], {}, cycle});
  if (failed != never)
    trace.add(1, {failed, static_cast<std::uint64_t>(decoded.fault), {}, failed});
  model.for_each_new_fetch([&](std::size_t lane, Cycle cycle) {
    trace.add(2 + lane, {cycle, 0, {}, cycle});
  });
  trace.drop_cycles_after(cycles - 1, 0);

  RtlModel& rtl = bench.rtl();
  for (int l = 1; l <= 8; ++l) {
    rtl.signal("limits_i")
        .set_bits(9 * (l - 1), 9, static_cast<std::uint64_t>(book.limit[static_cast<std::size_t>(l)]));
    rtl.signal("bases_i").set_bits(symbol_bits * (l - 1), symbol_bits,
                                   static_cast<std::uint64_t>(book.base[static_cast<std::size_t>(l)]));
  }
  bench.reset();
  Cycle turn_origin = clean;
  std::size_t next_take = 0, next_end = 0;
  bench.run(
      trace, cycles,
      [&](Cycle cycle) {
        bench.set("rst_ni", cycle >= clean);
        bench.set("we_i", cycle < depth);
        bench.set("waddr_i", cycle);
        bench.set("wdata_i", cycle < depth ? streams.bank[cycle] : 0);
        const std::size_t bound = cycle - depth, entry = bound - 2 * lanes;
        bench.set("stream_we_i", cycle >= depth && bound < 2 * lanes);
        if (cycle >= depth && bound < 2 * lanes) {
          bench.set("stream_lane_i", bound / 2);
          bench.set("stream_last_i", bound % 2);
          bench.set("stream_addr_i",
                    bound % 2 ? streams.bounds[bound / 2].last : streams.bounds[bound / 2].first);
        }
        const bool load = cycle >= depth + 2 * lanes && entry < book.symbols.size();
        bench.set("table_we_i", load);
        if (load) {
          bench.set("table_addr_i", entry);
          bench.set("table_symbol_i", static_cast<std::uint64_t>(book.symbols[entry]));
        }
        bench.set("turn_i", cycle < clean ? 0 : (cycle - turn_origin) % lanes);
        const bool take = next_take < takes.size() && takes[next_take] == cycle;
        const bool end = next_end < ends.size() && ends[next_end] == cycle;
        bench.set("take_i", take ? (1 << lanes) - 1 : 0);
        bench.set("end_i", end);
        next_take += take;
        if (end) {
          ++next_end;
          turn_origin = cycle + 1;
        }
      },
      clean);
  return {decoded.fault, decoded.slot};
}

} // namespace

TEST_CASE("huffman_bank twins agree on streams that fill the bank to its last word") {
  for (int i = 0; i < repeats(6); ++i) {
    const std::uint64_t seed = base_seed() * 100 + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    RandomWork random(seed);
    std::vector<int> lengths = random_book(random, symbol_bits);
    if (i == 0)
      lengths.assign(lengths.size(), symbol_bits);
    const std::vector<std::string> codes = reference_codes(lengths);
    std::vector<int> present;
    for (std::size_t s = 0; s < codes.size(); ++s)
      if (!codes[s].empty())
        present.push_back(static_cast<int>(s));
    // As many symbols as 24 words hold; 96 of 3 bits fill 8 words a lane to the last bit.
    std::vector<std::string> bits(lanes);
    std::vector<int> symbols;
    int slots = 0;
    std::size_t used = 0;
    for (bool full = false; !full && slots < 96;) {
      std::vector<std::string> longer = bits;
      std::vector<int> row;
      std::size_t total = 0;
      for (std::string& lane : longer) {
        row.push_back(present[static_cast<std::size_t>(random.in(0, static_cast<int>(present.size()) - 1))]);
        lane += codes[static_cast<std::size_t>(row.back())];
        total += words_of(lane).size();
      }
      if ((full = total > depth))
        break;
      bits = longer;
      used = total;
      symbols.insert(symbols.end(), row.begin(), row.end());
      ++slots;
    }
    if (i == 0)
      CHECK(used == depth);
    const Met met = run(random, lay(lengths, bits, depth - used), slots, symbols);
    CHECK(met.fault == StreamFault::none);
  }
}

TEST_CASE("huffman_bank tells the lowest of several faults of one cycle") {
  // One symbol, of code 0: a 1 is a bad code, and 37 symbols do not fit a word.
  std::vector<int> lengths(1 << symbol_bits);
  lengths[5] = 1;
  const std::string good(40, '0'), shorter(36, '0'), bad = std::string(36, '0') + "1000";
  const std::string more(36 * 3, '0'); // words that nobody takes
  struct Case {
    std::vector<std::string> bits;
    StreamFault fault;
    std::size_t slot;
  };
  const Case cases[] = {
      {{good, shorter, bad}, StreamFault::bad_code, 36},
      {{bad, shorter, good}, StreamFault::bad_code, 36},
      {{shorter, good, bad}, StreamFault::bad_code, 36},
      {{shorter, good, shorter}, StreamFault::too_short, 36},
      {{bad, bad, good}, StreamFault::bad_code, 36},
      {{good, good, shorter}, StreamFault::too_short, 36},
      {{good, more, shorter}, StreamFault::too_short, 36},
      {{good, more, more}, StreamFault::left_over, 39},
      {{good, good, good}, StreamFault::none, 0},
  };
  RandomWork random(base_seed());
  for (const Case& c : cases) {
    CAPTURE(c.bits);
    const Met met = run(random, lay(lengths, c.bits, 3), 40, std::vector<int>(40 * lanes, 5));
    CHECK(met.fault == c.fault);
    if (c.fault != StreamFault::none)
      CHECK(met.slot == c.slot);
  }
}
