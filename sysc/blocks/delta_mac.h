#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstdint>
#include <string>
#include <vector>

namespace deltatwin {

/// How a lane multiplies: in LUTs, in a DSP48E1, in half a DSP48E1, or one delta bit per cycle.
enum class Multiplier { lut, dsp, dsp_packed, serial };
[[nodiscard]] const char* to_string(Multiplier multiplier);
/// The values --multiplier takes.
[[nodiscard]] const std::vector<std::string>& multiplier_names();

/// The parameters of the RTL `delta_mac`, and where its deltas come from.
struct DeltaMacConfig {
  int lanes = 16;     ///< 1..255
  int delta_bits = 4; ///< D, 1..8
  Multiplier multiplier = Multiplier::dsp;
  bool consecutive = true; ///< lanes have the running-delta adder
  int max_inputs = 1024;   ///< of a tile
  bool decoded = false; ///< deltas come from decoders, not from a memory's register: no parameter of the RTL

  /// Cycles from one input to the next: 1, or one per bit of the lane's operand when bit-serial.
  [[nodiscard]] constexpr int cycles_per_mac() const {
    return multiplier == Multiplier::serial ? (consecutive ? 8 : delta_bits) : 1;
  }
};

/// The delta MAC's pure functions. L lanes work on L neurons; one activation is broadcast a beat.
/// Fixed-reference (Federl et al.): sum x*(r + d*2^s) = (sum x*d)*2^s + r*(sum x), so the lane
/// multiplies by the delta alone and the reference costs one product a neuron and block.
/// Consecutive uses the same identity with the running sum of deltas in place of d.
struct DeltaMacTiming {
  int cycles_per_mac = 1; ///< C: beats are at least this far apart
  int accumulate = 3;     ///< A: from a block's last beat to its final accumulators

  DeltaMacTiming() = default;
  explicit DeltaMacTiming(const DeltaMacConfig& config)
      : cycles_per_mac(config.cycles_per_mac()),
        accumulate(config.multiplier == Multiplier::serial ? cycles_per_mac + 1 : 3) {}
  /// From a block's last beat to lane 0's reference request; one more cycle a lane.
  [[nodiscard]] Cycle reference_request() const { return static_cast<Cycle>(accumulate); }
  /// From a tile's last beat to lane 0's sum; one more cycle a lane.
  [[nodiscard]] Cycle sum() const { return reference_request() + drain_latency; }

  /// From a lane's reference request to its sum: its accumulator and its reference; the accumulator's shift
  /// and the reference's part; their sum; its register.
  static constexpr Cycle drain_latency = 4;
};

/// Bits of the RTL's registers, as many as their extremes take when a tile has at most `max_inputs` beats:
/// -2^7 max_inputs is a sum of x, 2^(operand + 6) max_inputs of x * delta, 2^14 max_inputs of references *
/// x, and a neuron's sum at shift 7 is the latter plus the former << 7, or what 32 bits hold of it.
struct DeltaMacWidths {
  int operand, x_sum, accumulator, reference_sum, sum;

  explicit DeltaMacWidths(const DeltaMacConfig& config);
};

/// The operand that a lane multiplies by: a delta, or the running sum of deltas (8 bits, wraps).
[[nodiscard]] constexpr int lane_operand(bool consecutive, bool block_first, int previous, int delta) {
  return static_cast<std::int8_t>((consecutive && !block_first ? previous : 0) + delta);
}

/// Sign-extends lane `slot`'s delta from a bank word.
[[nodiscard]] constexpr int extract_delta(std::uint64_t word, int slot, int delta_bits) {
  const auto bits = static_cast<std::uint32_t>(word >> (slot * delta_bits)) << (32 - delta_bits);
  return static_cast<std::int32_t>(bits) >> (32 - delta_bits);
}

/// A tile's work: `inputs` beats of one activation and `lanes` deltas.
struct MacBurst {
  int lanes = 1;        ///< active lanes
  int block_length = 1; ///< beats that share a reference
  int shift = 0;        ///< s
  bool consecutive = false;
  std::vector<std::int8_t> x;          ///< [inputs]
  std::vector<std::int8_t> deltas;     ///< [inputs * lanes]
  std::vector<std::int8_t> references; ///< [blocks * lanes]
};

/// The tile's sums, one a lane, modulo 2^32.
[[nodiscard]] std::vector<std::int32_t> delta_mac_sums(const MacBurst& burst);

/// What the delta MAC takes, all lanes.
[[nodiscard]] Resources delta_mac_resources(const DeltaMacConfig& config);

} // namespace deltatwin
