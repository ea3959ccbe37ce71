#pragma once
#include "base/cycle.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// A simple-dual-port memory's contents. A read in the cycle of a write to the same address gives
/// the old word (read first). A write beyond the depth is ignored, a read beyond it gives 0.
/// Accesses come in the order of their cycles.
class BankContents {
public:
  BankContents(int width, int depth)
      : mask_(width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1),
        words_(static_cast<std::size_t>(depth)) {}

  void write(std::uint64_t address, std::uint64_t data, Cycle cycle) {
    if (address >= words_.size())
      return;
    last_ = {cycle, address, words_[address]};
    words_[address] = data & mask_;
  }

  [[nodiscard]] std::uint64_t read(std::uint64_t address, Cycle cycle) const {
    if (address >= words_.size())
      return 0;
    return address == last_.address && cycle == last_.cycle ? last_.old_word : words_[address];
  }

private:
  struct Write {
    Cycle cycle = never;
    std::uint64_t address = 0, old_word = 0;
  };
  std::uint64_t mask_;
  std::vector<std::uint64_t> words_;
  Write last_;
};

} // namespace deltatwin
