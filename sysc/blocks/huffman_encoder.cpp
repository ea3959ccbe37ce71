#include "blocks/huffman_encoder.h"
#include <algorithm>

namespace deltatwin {

std::vector<CodeEntry> code_entries(const CodeTable& table) {
  std::vector<CodeEntry> entries(table.lengths.size());
  for (std::size_t s = 0; s < table.codes.size(); ++s)
    entries[s] = {static_cast<std::uint8_t>(table.codes[s]), static_cast<std::uint8_t>(table.lengths[s])};
  return entries;
}

void pack(BitPacker& packer, const CodeEntry& entry, bool last, std::vector<EncodedWord>& words) {
  const auto full = packer.put(entry.code, entry.length);
  if (full)
    words.push_back({*full, last && packer.empty(), 0, 0});
  if (last && !(full && packer.empty()))
    words.push_back({packer.flush(), true, 0, 0});
}

// Input and packer move in the same cycles, those in which nothing is held or flushed. So a symbol
// that is offered before its predecessor is packed goes in when that one is packed.
Cycle EncoderTiming::take(Cycle offered) {
  const Cycle from = std::max(offered, next_);
  const Cycle beat = from <= packed_ ? packed_ : std::max(from, open_);
  next_ = after(beat);
  loaded_ = packed_ = std::max(next_, open_);
  return beat;
}

} // namespace deltatwin
