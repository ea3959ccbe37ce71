#pragma once
#include "base/pacer.h"
#include "blocks/huffman_code_book.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

// The Huffman encoder's pure functions: symbols in, 36-bit words of a coded stream out. Codes follow
// one another without gaps, highest bit first; a stream's first bit is bit 35 of its first word, its
// last word is padded with zeros. A stream without any bit is one word of zeros.

/// A symbol's row in the encoder's table; `code` is right-aligned, length 0: no code.
struct CodeEntry {
  std::uint8_t code = 0, length = 0;
};
/// The rows of a good book, one a symbol.
[[nodiscard]] std::vector<CodeEntry> code_entries(const CodeTable& table);

/// A word of a stream.
struct EncodedWord {
  std::uint64_t bits = 0;
  bool last = false;           ///< the stream's last word
  Cycle offered = 0, beat = 0; ///< first cycle in which it is valid; cycle in which it was taken
};

/// Packs a symbol's code and appends to `words` those that it completes: none, one, or two when the
/// stream's last symbol fills a word and leaves a rest.
void pack(BitPacker& packer, const CodeEntry& entry, bool last, std::vector<EncodedWord>& words);

/// The encoder's cycles, a step a beat. One symbol a cycle; a word is offered two cycles after the
/// symbol that fills it; a word that is not taken freezes the pipeline; a second word of one symbol
/// (the stream's rest) costs a cycle without input. A symbol without a code is reported in the cycle
/// after its beat.
class EncoderTiming {
public:
  /// The beat of the next symbol, which is offered from cycle `offered` on; `never` behind a word that
  /// is never taken.
  Cycle take(Cycle offered);
  /// Symbols came one per cycle up to `beat`, their words were taken at once, and the latest one's own is to
  /// be emitted yet.
  void pass(Cycle beat) { next_ = packed_ = loaded_ = open_ = beat + 1; }
  /// Fills in the cycles of a word that the symbol just taken completes. `taken(from)`: the first cycle
  /// from `from` on in which it can be taken, or `never`; asked once a word.
  template <class Sink> void emit(EncodedWord& word, const Sink& taken) {
    word.offered = after(loaded_);
    word.beat = open_ = loaded_ = word.offered == never ? never : taken(word.offered);
  }
  void emit(EncodedWord& word, const Pacer& sink) {
    emit(word, [&](Cycle from) { return sink.next_ready(from); });
  }

private:
  [[nodiscard]] static Cycle after(Cycle cycle) { return cycle == never ? never : cycle + 1; }

  Cycle next_ = 0;   ///< the cycle after the latest symbol's beat
  Cycle packed_ = 0; ///< the cycle in which that symbol is packed
  Cycle loaded_ = 0; ///< the cycle in which its next word goes to the output register
  Cycle open_ = 0;   ///< the beat of the latest word: from here on nothing is held
};

} // namespace deltatwin
