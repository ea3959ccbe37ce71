#pragma once
#include "base/resources.h"
#include "tops/top.h"
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace deltatwin {

/// Appends what a weight_bank at `path` holds: the words in block RAM, and those behind it in LUT-RAM.
/// `lsb`: where the words' lowest bit is; `block`: whether it is of block RAM at all.
template <class Words>
void append_bank(std::vector<MemoryImage>& images, const std::string& path, const Words& words, int lsb = 0,
                 bool block = true) {
  const auto image = [&](const std::string& array, std::size_t first, std::size_t last) {
    MemoryImage& memory = images.emplace_back(MemoryImage{path + array, {}, 0, lsb});
    for (std::size_t word = first; word < last; ++word)
      memory.words.push_back(static_cast<std::make_unsigned_t<typename Words::value_type>>(words[word]));
  };
  const std::size_t tail =
      block && words.size() > 64 ? static_cast<std::size_t>(lut_ram_tail(static_cast<int>(words.size()))) : 0;
  image(".memory_q", 0, words.size() - tail);
  if (tail)
    image(".gen_tail.tail_q", words.size() - tail, words.size());
}

} // namespace deltatwin
