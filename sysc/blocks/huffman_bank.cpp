#include "blocks/huffman_bank.h"
#include <algorithm>
#include <tuple>
#include <utility>

namespace deltatwin {

std::uint32_t bank_addresses(std::size_t depth) {
  std::uint32_t addresses = 2;
  while (addresses < depth)
    addresses *= 2;
  return addresses;
}

std::vector<std::uint64_t> read_stream(const std::vector<std::uint64_t>& bank, const StreamBounds& bounds) {
  const std::uint32_t addresses = bank_addresses(bank.size());
  std::vector<std::uint64_t> words;
  for (std::uint32_t at = bounds.first % addresses;; at = (at + 1) % addresses) {
    words.push_back(at < bank.size() ? bank[at] : 0);
    if (at == bounds.last % addresses)
      return words;
  }
}

int ReadTurns::turn(Cycle cycle) const {
  const Cycle origin = cycle >= first_ ? first_ : before_;
  return origin == never || cycle < origin ? -1
                                           : static_cast<int>((cycle - origin) % static_cast<Cycle>(turns_));
}

Cycle ReadTurns::offer(int lane_of_bank, Cycle from) const {
  from = std::max(from, first_);
  while (turn(from - 1) != lane_of_bank)
    ++from;
  return from;
}

void BankDecoders::start(std::vector<std::vector<std::uint64_t>> words, Cycle clean) {
  words_ = std::move(words);
  decoders_.assign(words_.size(), {});
  seen_.assign(words_.size(), 0);
  for (HuffmanDecoderCore& decoder : decoders_)
    decoder.reset(clean);
  turns_.reset(clean);
  begin_streams();
}

void BankDecoders::begin_streams() {
  for (std::size_t lane = 0; lane < decoders_.size(); ++lane)
    decoders_[lane].stream(words_[lane], offer(lane));
}

HuffmanDecoderCore::Offer BankDecoders::offer(std::size_t lane) const {
  const int lane_of_bank = static_cast<int>(lane) % lanes_per_bank_;
  return [turns = turns_, lane_of_bank](std::size_t, Cycle from) { return turns.offer(lane_of_bank, from); };
}

void BankDecoders::take(const CodeTable& book, int active, Cycle cycle) {
  for (int lane = 0; lane < active; ++lane)
    decoders_[static_cast<std::size_t>(lane)].take(book, cycle);
}

void BankDecoders::end(Cycle cycle) {
  for (HuffmanDecoderCore& decoder : decoders_)
    decoder.end(cycle);
  turns_.restart(cycle + 1);
  begin_streams();
}

DecodedStreams decode_streams(const HuffmanWeightsConfig& config, const std::vector<LayerDescriptor>& layers,
                              const std::vector<CodeTable>& books,
                              const std::vector<std::vector<std::uint64_t>>& lane_words) {
  std::size_t slots = 0;
  for (const LayerDescriptor& layer : layers)
    slots += static_cast<std::size_t>((layer.outputs + config.lanes - 1) / config.lanes * layer.inputs);
  const int delta_mask = (1 << config.delta_bits) - 1;
  DecodedStreams result;
  result.banks.assign(static_cast<std::size_t>(config.banks()), std::vector<std::uint64_t>(slots));
  const auto found = [&result](StreamFault fault, std::size_t slot, Cycle delay) {
    const auto order = std::tie(slot, delay, fault);
    if (fault != StreamFault::none &&
        (result.fault == StreamFault::none || order < std::tie(result.slot, result.delay, result.fault))) {
      result.fault = fault;
      result.slot = slot;
      result.delay = delay;
    }
  };
  for (int lane = 0; lane < config.lanes; ++lane) {
    const auto bank = static_cast<std::size_t>(lane / config.lanes_per_bank);
    const int lsb = lane % config.lanes_per_bank * config.delta_bits;
    // What is decoded does not depend on when: here each word comes as soon as it can be taken.
    HuffmanDecoderCore decoder;
    decoder.reset(0);
    decoder.stream(lane_words[static_cast<std::size_t>(lane)], [](std::size_t, Cycle from) { return from; });
    Cycle now = decoder.ready(0);
    std::size_t slot = 0;
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (int base = 0; base < layers[l].outputs; base += config.lanes) {
        const bool active = base + lane < layers[l].outputs;
        int symbol = 0; // what is left of it
        for (int i = 0; i < layers[l].inputs; ++i, ++slot) {
          if (!active)
            continue;
          if (i % config.symbol_deltas == 0) {
            now = decoder.ready(now + 1);
            const HuffmanDecoderCore::Symbol taken = decoder.take(books[l], now);
            symbol = taken.symbol;
            found(taken.fault, slot, 1);
          }
          result.banks[bank][slot] |= static_cast<std::uint64_t>(symbol & delta_mask) << lsb;
          symbol >>= config.delta_bits;
        }
      }
    const HuffmanDecoderCore::End end = decoder.end(now);
    found(end.fault, slots - 1, end.raised - now);
  }
  return result;
}

namespace {

// The same with pairs of deltas as symbols.
Resources pair_weights_resources(const HuffmanWeightsConfig& config) {
  // Fitted LUTs: of the book and the turns, and of a decoder; where its table is one LUT-RAM deep, by its
  // symbols' bits; and of a bit's multiplexer between 1, 2, 4, .. 64 LUT-RAMs of a table.
  constexpr double shared = 330, decoder = 136, small_decoder = 146, per_small_symbol_bit = 5.1;
  constexpr double table_mux[] = {0, 1.2, 3.3, 6, 26, 46, 92}; // from 2048 entries on guessed
  constexpr double per_length = 4;
  constexpr int base_bits = 8;
  constexpr int decoder_ff = 115; // two words of 36 bits, two chunks of 9, state
  constexpr int book_ff = 43, per_book_symbol_bit = 4, limits = 44; // of length l, l + 1 bits are kept

  const int bits = config.symbol_bits(), books = config.max_layers, lanes = config.lanes;
  const int longest = bits < 4 ? (1 << bits) - 1 : 8; // a complete code of n symbols has none of n bits
  const int address = address_bits(config.bank_depth), rank = address_bits(config.symbol_depth);
  const Resources bank_memories = memory_resources(36, config.bank_depth, true) +
                                  lut_ram_resources(address, 8) + lut_ram_resources(address, 4);
  const int tally = 4 * ceil_div(bits + 1, 4); // LUT-RAM, written where it is read
  Resources all = config.banks() * bank_memories + lanes * lut_ram_resources(bits, config.symbol_depth) +
                  lut_ram_resources(4, books << bits) + Resources{tally, 0, 0, 0, 0, tally};
  for (int length = 1; length <= 8 && books > 1; ++length)
    all += lut_ram_resources(length + 1 + base_bits, books); // limits and bases
  if (books > 1)
    all += lut_ram_resources(rank, books); // where they begin
  const int pieces = ceil_div(config.symbol_depth, 64);
  all.lut += static_cast<int>(shared +
                              lanes * ((pieces > 1 ? decoder : small_decoder + per_small_symbol_bit * bits) -
                                       per_length * (8 - longest)) +
                              lanes * bits * table_mux[address_bits(pieces)]);
  const int copies = books > 1 ? 1 : 2; // of limits and bases, and the bases again behind the windows
  all.ff +=
      book_ff + per_book_symbol_bit * bits + copies * (limits + longest * base_bits) + longest * rank +
      config.banks() * (address + 1) +
      lanes * (decoder_ff + longest + address_bits(longest) + std::min(rank, 8) - 8 + config.delta_bits) +
      3 * rank + 3;
  return all;
}

} // namespace

Resources huffman_weights_resources(const HuffmanWeightsConfig& config) {
  if (config.symbol_deltas == 2)
    return pair_weights_resources(config);
  // Fitted LUTs: of the code book and the turns, and of a decoder, by its codes' longest length and its
  // symbols' bits; and of a bit's multiplexer between 1, 2, 4, .. 64 LUT-RAMs of a table, where ABC's
  // luck shows.
  constexpr double shared = 115, decoder = 69, per_length = 7, per_symbol_bit = 1.7;
  constexpr double table_mux[] = {0, 1.2, 3.3, 6, 5.7, 13, 46};
  constexpr double mux_of_16_books = 15; // 64 symbols each: the layer alone selects
  constexpr int decoder_ff = 115;        // two words of 36 bits, two chunks of 9, state
  constexpr int book_ff = 43, per_book_symbol_bit = 4, limits = 44; // of length l, l + 1 bits are kept

  const int bits = config.delta_bits, books = config.max_layers, lanes = config.lanes;
  const int longest = bits < 4 ? (1 << bits) - 1 : 8; // a complete code of n symbols has none of n bits
  const int address = address_bits(config.bank_depth), entries = books << bits;
  const Resources bank_memories = memory_resources(36, config.bank_depth, true) +
                                  lut_ram_resources(address, 8) + lut_ram_resources(address, 4);
  const int tally = 4 * ceil_div(bits + 1, 4); // LUT-RAM, written where it is read
  Resources all = config.banks() * bank_memories + lanes * lut_ram_resources(bits, entries) +
                  lut_ram_resources(4, entries) + Resources{tally, 0, 0, 0, 0, tally};
  for (int length = 1; length <= 8 && books > 1; ++length)
    all += lut_ram_resources(length + 1 + bits, books); // limits and bases
  const double mux =
      bits == 6 && books == 16 ? mux_of_16_books : table_mux[address_bits(ceil_div(entries, 64))];
  all.lut += static_cast<int>(shared + lanes * (decoder + per_length * longest + per_symbol_bit * bits) +
                              (lanes * bits + 4) * mux); // symbols, and lengths of 4 bits
  // Limits and bases once more as they are read, and in registers where there is only one book; the
  // bases a third time behind the decoders' windows.
  const int copies = books > 1 ? 1 : 2, bases = longest * bits;
  all.ff += book_ff + per_book_symbol_bit * bits + copies * (limits + bases) + bases +
            config.banks() * (address + 1) + lanes * (decoder_ff + longest + address_bits(longest));
  return all;
}

} // namespace deltatwin
