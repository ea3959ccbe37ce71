#pragma once
#include "net/network.h"
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include <boost/json.hpp>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// What a network's weights take, with and without their codes, and where they lie.
struct Storage {
  Storage(const Network& network, const Design& design, const Program& program);

  std::uint64_t weights = 0;
  std::uint64_t stored_bits = 0;  ///< codes or raw deltas, references, code books
  std::uint64_t uncoded_bits = 0; ///< D bits a delta, and references
  std::uint64_t code_bits = 0;    ///< codes or raw deltas alone
  double entropy_bits = 0;        ///< what no code of one delta at a time goes below

  std::vector<std::uint64_t> lane_bits; ///< [lanes], of all layers
  std::vector<int> lane_words;          ///< [lanes] of a bank's 36-bit words; empty without decoders
  std::vector<int> bank_words;          ///< [banks], used
  int bank_depth, lanes_per_bank;

  [[nodiscard]] double bits_a_weight() const;
  [[nodiscard]] double entropy_a_weight() const;
  /// By how much the fullest lane is above the mean.
  [[nodiscard]] double imbalance() const;

  void print() const;
  [[nodiscard]] boost::json::object json() const;
};

} // namespace deltatwin
