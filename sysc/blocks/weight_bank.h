#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `weight_bank`.
struct WeightBankConfig {
  int width = 32;       ///< bits of a word
  int depth = 4096;     ///< words
  int read_latency = 1; ///< 1 or 2
  bool block = true;    ///< block RAM, or LUT-RAM where that is smaller
};

/// What a bank takes of which only the lowest `used` bits are read.
[[nodiscard]] inline Resources weight_bank_resources(const WeightBankConfig& config, int used) {
  return memory_resources(config.width, config.depth, config.block, used);
}
[[nodiscard]] inline Resources weight_bank_resources(const WeightBankConfig& config) {
  return weight_bank_resources(config, config.width);
}

/// A simple-dual-port memory's contents. A read in the cycle of a write to the same address gives
/// the old word (read first). A write beyond the depth is ignored, a read beyond it gives 0.
/// Accesses come in the order of their cycles.
class BankContents {
public:
  explicit BankContents(const WeightBankConfig& config)
      : mask_(config.width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << config.width) - 1),
        words_(static_cast<std::size_t>(config.depth)) {}

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
