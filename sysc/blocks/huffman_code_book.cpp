#include "blocks/huffman_code_book.h"
#include <utility>

namespace deltatwin {

CodeTable::CodeTable(std::vector<int> code_lengths)
    : fault(check_book(code_lengths)), lengths(std::move(code_lengths)) {
  const int mask = static_cast<int>(lengths.size()) - 1;
  int placed = 0;
  for (int l = 1; l <= max_code_length; ++l) {
    const auto at = static_cast<std::size_t>(l);
    int count = 0;
    for (const int length : lengths)
      count += length == l;
    base[at] = (placed - (limit[at - 1] >> (max_code_length - l))) & mask;
    limit[at] = limit[at - 1] + (count << (max_code_length - l));
    placed += count;
  }
  if (fault != BookFault::none)
    return;
  codes = canonical_codes(lengths);
  ranks.resize(lengths.size());
  for (int l = 1; l <= max_code_length; ++l)
    for (std::size_t s = 0; s < lengths.size(); ++s)
      if (lengths[s] == l) {
        ranks[s] = static_cast<int>(symbols.size());
        symbols.push_back(static_cast<int>(s));
      }
}

CodeTable CodeTable::uniform(int symbol_bits) {
  return CodeTable(std::vector<int>(std::size_t{1} << symbol_bits, symbol_bits));
}

} // namespace deltatwin
