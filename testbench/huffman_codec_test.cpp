// The whole codec: histogram -> builder -> code book -> encoder -> decoder, block by block.
#include "context_guard.h"
#include "initiator.h"
#include "random_book.h"
#include "random_work.h"
#include "tlm/huffman_builder.h"
#include "tlm/huffman_code_book.h"
#include "tlm/huffman_decoder.h"
#include "tlm/huffman_encoder.h"
#include <catch2/catch.hpp>

using namespace deltatwin;

namespace {

constexpr int largest_built = 5; ///< bits of a symbol that the builder's 32 symbols allow

// The models, each behind a socket of its own.
struct Codec {
  HuffmanBuilder builder;
  HuffmanCodeBook books;
  HuffmanEncoder encoder;
  HuffmanDecoder decoder;
  Initiator to_builder, to_books, to_table, to_encoder, to_decoder;

  explicit Codec(int bits)
      : builder("builder", 1 << std::min(bits, largest_built), 8, 20, 100), books("books", bits, 1, 100),
        encoder("encoder", bits, 100), decoder("decoder", bits, 100),
        to_builder("to_builder", builder.socket), to_books("to_books", books.socket),
        to_table("to_table", encoder.table), to_encoder("to_encoder", encoder.socket),
        to_decoder("to_decoder", decoder.socket) {
    end_elaboration();
  }

  std::vector<unsigned char> lengths(const std::vector<std::uint64_t>& histogram) {
    std::vector<unsigned char> lengths(histogram.size());
    if (histogram.size() > 1u << largest_built) {
      const std::vector<int> built = huffman_lengths(histogram);
      return {built.begin(), built.end()};
    }
    HistogramExtension counts;
    counts.counts = histogram;
    Cycle at = 0;
    REQUIRE(to_builder.access(tlm::TLM_READ_COMMAND, 0, lengths.data(), lengths.size(), at, &counts));
    return lengths;
  }

  void load(std::vector<unsigned char> lengths) {
    Cycle at = 0;
    CodeBookExtension build;
    REQUIRE(to_books.access(tlm::TLM_WRITE_COMMAND, 0, lengths.data(), lengths.size(), at, &build));
    std::vector<CodeEntry> rows = code_entries(*books.table(0));
    at = 0;
    REQUIRE(to_table.access(tlm::TLM_WRITE_COMMAND, 0, rows.data(), 2 * rows.size(), at));
    at = 0;
    REQUIRE(to_decoder.access(tlm::TLM_WRITE_COMMAND, 0, lengths.data(), lengths.size(), at));
  }
};

} // namespace

TEST_CASE("huffman codec: what goes in comes out, over all alphabets, in the size that Huffman's code has") {
  RandomWork random(base_seed());
  for (int bits = 1; bits <= 8; ++bits)
    for (int round = 0; round < repeats(8); ++round) {
      CAPTURE(bits, round, base_seed());
      const std::size_t alphabet = std::size_t{1} << bits;
      std::vector<unsigned char> symbols(static_cast<std::size_t>(random.in(1, 3000)));
      const int used = random.in(1, static_cast<int>(alphabet)), skew = random.in(0, 6);
      for (unsigned char& symbol : symbols) {
        int value = random.in(0, used - 1);
        for (int i = 0; i < skew; ++i)
          value = std::min(value, random.in(0, used - 1));
        symbol = static_cast<unsigned char>(value);
      }
      std::vector<std::uint64_t> histogram(alphabet);
      for (const unsigned char symbol : symbols)
        ++histogram[symbol];

      ContextGuard guard;
      Codec codec(bits);
      const std::vector<unsigned char> lengths = codec.lengths(histogram);
      codec.load(lengths);
      EncodeExtension encoded;
      Cycle at = 0;
      REQUIRE(
          codec.to_encoder.access(tlm::TLM_WRITE_COMMAND, 0, symbols.data(), symbols.size(), at, &encoded));
      CHECK(at == symbols.size()); // one a cycle
      const std::uint64_t size =
          coded_bits(histogram, huffman_lengths(histogram)); // huffman_test holds these against Huffman's
      REQUIRE(encoded.words.size() == (size + 35) / 36);

      HuffmanDecodeExtension decoded;
      std::string text;
      for (const EncodedWord& word : encoded.words)
        decoded.words.push_back(word.bits);
      const std::vector<std::string> codes = reference_codes({lengths.begin(), lengths.end()});
      for (const unsigned char symbol : symbols)
        text += codes[symbol];
      CHECK(decoded.words == words_of(text));
      CHECK(text.size() == size);
      std::vector<unsigned char> back(symbols.size());
      at = 0;
      REQUIRE(codec.to_decoder.access(tlm::TLM_READ_COMMAND, 0, back.data(), back.size(), at, &decoded));
      CHECK(back == symbols);
      CHECK(decoded.take_cycles.back() - decoded.take_cycles.front() == symbols.size() - 1); // one a cycle
    }
}
