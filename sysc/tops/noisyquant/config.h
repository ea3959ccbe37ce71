#pragma once
#include "base/cycle.h"
#include "base/register.h"
#include "blocks/noisy_lanes.h"
#include "blocks/noisy_loss.h"
#include "blocks/noisy_quantizer.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `noisyquant`.
struct NoisyQuantConfig {
  int max_width = 56;   ///< largest W, 2..64
  int multipliers = 56; ///< 1..max_width
  int bits = 3;         ///< of a code, 2..5
  int data_bits = 16;   ///< of a value, 8..16
  double clock_mhz = 200;

  [[nodiscard]] constexpr NoisyQuantizerConfig quantizer() const { return {data_bits, bits}; }
  [[nodiscard]] constexpr NoisyLanesConfig lanes() const {
    return {multipliers, max_width, data_bits, quantizer().error_bits()};
  }
  [[nodiscard]] constexpr NoisyLossConfig loss() const {
    return {lanes().sum_bits(), 2 * address_bits(max_width)};
  }
  /// The RTL's parameters by name.
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const;
};

/// Names the first impossible parameter and what would be possible; empty: the design is possible.
[[nodiscard]] std::string complaint(const NoisyQuantConfig& config);
/// Throws InputError with the complaint, if there is one.
void validate(const NoisyQuantConfig& config);

// Addresses and values of the registers: rtl/noisyquant_control.sv has the contract.
namespace noisyquant_reg {
inline constexpr std::uint32_t id = 0x000, control = 0x004, status = 0x008, channels = 0x00c, width = 0x010,
                               mode = 0x014, step = 0x018, offset = 0x01c, cycles = 0x020, done = 0x024,
                               config = 0x028, found = 0x100;
} // namespace noisyquant_reg
inline constexpr std::uint32_t noisyquant_id = 0x4e544431, noisyquant_start = 1, noisyquant_reset = 2;
inline constexpr unsigned noisyquant_found = 64; ///< channels whose choice is kept
enum class NoisyQuantMode : std::uint32_t { online, offline };
enum class NoisyQuantStatus : std::uint32_t { idle, running, done, error };
enum class NoisyQuantError : std::uint32_t {
  none,
  early, ///< TLAST before a channel's last value
  late   ///< none on it
};

[[nodiscard]] std::vector<Register> noisyquant_registers();

/// When things happen to a channel of W x W values, as rtl/noisyquant.sv says.
struct NoisyQuantTiming {
  NoisyQuantConfig config;
  int width;

  [[nodiscard]] Cycle values() const { return static_cast<Cycle>(width) * static_cast<Cycle>(width); }
  /// Slots of a trial.
  [[nodiscard]] Cycle trial() const { return values() * static_cast<Cycle>(config.lanes().groups(width)); }
  /// From a channel's last value to the first slot.
  static constexpr Cycle first_slot = 2;
  /// From a slot to its error beat, or to its value's push into the output FIFO.
  [[nodiscard]] Cycle error() const { return 1 + config.quantizer().latency(); }
  /// From a trial's last slot to its verdict.
  [[nodiscard]] Cycle verdict() const {
    return error() + NoisyLanesTiming::first_sum + static_cast<Cycle>(config.lanes().last_rows(width) - 1) +
           NoisyLossTiming::verdict;
  }
  /// From a search's last verdict to the first slot of what comes then.
  static constexpr Cycle next_slot = 2;
  /// From a channel's last value to the first value that is read for output.
  [[nodiscard]] Cycle search() const;
};

/// Values that may be on their way to the output.
inline constexpr std::size_t noisyquant_credits = 16;

/// Cycles from one channel to the next, when they come one behind another without pauses and are taken
/// at once.
[[nodiscard]] Cycle steady_cycles(const NoisyQuantConfig& config, int width, NoisyQuantMode mode);
/// Cycles that a lone channel takes, from its first value in to its last one out, both included.
[[nodiscard]] Cycle lone_cycles(const NoisyQuantConfig& config, int width, NoisyQuantMode mode);

} // namespace deltatwin
