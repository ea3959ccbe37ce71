#include "blocks/huffman_tiles.h"
#include "base/huffman.h"

namespace deltatwin {
namespace {

/// A decoder's bits: every `step`-th word of the bank from `at` on, around its end.
class BitReader {
public:
  BitReader(const std::vector<std::uint64_t>& bank, std::size_t at, std::size_t step)
      : bank_(bank), at_(at % bank.size()), step_(step) {}
  /// The next 8 bits.
  unsigned window() {
    while (count_ < max_code_length) {
      bits_ = bits_ << stream_word_bits | bank_[at_];
      count_ += stream_word_bits;
      at_ = (at_ + step_) % bank_.size();
    }
    return static_cast<unsigned>(bits_ >> (count_ - max_code_length)) & 0xff;
  }
  void skip(int bits) { count_ -= bits; }

private:
  const std::vector<std::uint64_t>& bank_;
  std::size_t at_, step_;
  std::uint64_t bits_ = 0; ///< the lowest count_ are to come
  int count_ = 0;
};

/// The symbol at the head of a window; its length, or 0 where there is no code.
struct Decoded {
  int symbol = 0, length = 0;
};
std::vector<Decoded> decoding_table(const CodeTable& book) {
  std::vector<Decoded> table(1 << max_code_length);
  const int mask = static_cast<int>(book.lengths.size()) - 1;
  int window = 0;
  for (int length = 1; length <= max_code_length; ++length)
    for (const auto at = static_cast<std::size_t>(length); window < book.limit[at]; ++window) {
      const int rank = ((window >> (max_code_length - length)) + book.base[at]) & mask;
      table[static_cast<std::size_t>(window)] = {book.symbols[static_cast<std::size_t>(rank)], length};
    }
  return table;
}

} // namespace

DecodedTiles decode_tiles(const HuffmanTilesConfig& config, const std::vector<std::uint64_t>& bank,
                          const CodeTable& book, const TileStream& stream) {
  const std::vector<Decoded> table = decoding_table(book);
  const int takes = config.takes(), each = config.symbol_weights;
  DecodedTiles result;
  result.weights.resize(static_cast<std::size_t>(stream.tiles) * static_cast<std::size_t>(config.weights));
  for (int lane = 0; lane < config.decoders; ++lane) {
    std::optional<TileFault>& fault = result.faults.emplace_back();
    BitReader reader(bank, stream.base + static_cast<std::size_t>(lane),
                     static_cast<std::size_t>(config.decoders));
    for (int take = 0; take < stream.tiles * takes && !fault; ++take) {
      const Decoded decoded = table[reader.window()];
      reader.skip(decoded.length);
      if (decoded.length == 0)
        fault = TileFault{take / takes, take % takes};
      // A tile is a row of takes, and so all tiles are.
      const std::size_t symbol = static_cast<std::size_t>(take) * static_cast<std::size_t>(config.decoders) +
                                 static_cast<std::size_t>(lane);
      for (int w = 0; w < each; ++w)
        result.weights[symbol * static_cast<std::size_t>(each) + static_cast<std::size_t>(w)] =
            static_cast<std::uint8_t>(decoded.symbol >> w * config.weight_bits &
                                      ((1 << config.weight_bits) - 1));
    }
  }
  return result;
}

Resources huffman_tiles_resources(const HuffmanTilesConfig& config) {
  // Fitted LUTs: of what is shared, the code book most of all, by its symbols' bits; of a decoder, by its
  // codes' longest length and its symbols' bits; of a bit's multiplexer between 1, 2, 4, .. 64 LUT-RAMs of a
  // table; and of an address bit where the bank is no power of two.
  constexpr double shared = 116, shared_per_bit = 7.4, decoder = 50.5, per_length = 6.5, per_bit = 1.4;
  constexpr double table_mux[] = {0, 1.2, 2.6, 6, 11, 13, 46};
  constexpr double per_address_bit = 1.4;
  constexpr int decoder_ff = 103;                            // two words of 36 bits, two chunks of 9, state
  constexpr int book_ff = 43, per_book_bit = 4, limits = 44; // of length l, l + 1 bits are kept
  constexpr int stream_ff = 17;                              // tiles that are left, state

  const int bits = config.symbol_bits(), books = config.books, lanes = config.decoders;
  const int longest = bits < 4 ? (1 << bits) - 1 : 8; // a complete code of n symbols has none of n bits
  const int address = address_bits(config.bank_depth), entries = books << bits;
  const int tally = 4 * ceil_div(bits + 1, 4); // LUT-RAM, written where it is read
  Resources all = memory_resources(36, config.bank_depth, true) + lut_ram_resources(address, 4) +
                  lanes * lut_ram_resources(bits, entries) + lut_ram_resources(4, entries) +
                  Resources{tally, 0, 0, 0, 0, tally};
  for (int length = 1; length <= max_code_length && books > 1; ++length)
    all += lut_ram_resources(length + 1 + bits, books); // limits and bases
  const bool modulo = (config.bank_depth & (config.bank_depth - 1)) != 0;
  all.lut += static_cast<int>(
      shared + shared_per_bit * bits + lanes * (decoder + per_length * longest + per_bit * bits) +
      (lanes * bits + 4) * table_mux[address_bits(ceil_div(entries, 64))] +
      (modulo ? per_address_bit * address : 0)); // tables: symbols, and lengths of 4 bits
  // Limits and bases once more as they are read, and in registers where there is only one book; the bases a
  // third time behind the windows.
  const int copies = books > 1 ? 1 : 2, bases = longest * bits;
  all.ff += 2 * config.weights * config.weight_bits + book_ff + per_book_bit * bits +
            copies * (limits + bases) + bases + lanes * (decoder_ff + longest + address_bits(longest)) +
            stream_ff + 2 * address + address_bits(config.takes()) + address_bits(books);
  return all;
}

} // namespace deltatwin
