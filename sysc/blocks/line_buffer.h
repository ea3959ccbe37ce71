#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `line_buffer`, which has the contract.
struct LineBufferConfig {
  int channels = 16;  ///< S, bytes of a word: 4..32, a power of two
  int banks = 3;      ///< T, 1..7
  int part_bits = 64; ///< of a part of a word that is written alone: 1..8 S, divides 8 S
  int depth = 1024;   ///< words of a bank, 2..65536
  bool block = true;  ///< block RAM where there are more than 64 words, or LUT-RAM
  int kept = 0;       ///< bits of a word of one part that are kept, its top ones; 0: all

  [[nodiscard]] constexpr int parts() const { return 8 * channels / part_bits; }
  [[nodiscard]] constexpr int lost() const { return kept ? 8 * channels - kept : 0; }
};

/// When windows stand.
struct LineBufferTiming {
  static constexpr Cycle window = 4; ///< from its read
};

/// The words of all banks. Accesses come in the order of their cycles, and in a cycle the write comes
/// before the read, which finds it.
class LineBufferCore {
public:
  /// Of a lane.
  struct Read {
    std::uint16_t address = 0;
    bool pad = false;
  };

  explicit LineBufferCore(const LineBufferConfig& config)
      : config_(config), bytes_(static_cast<std::size_t>(config.banks) *
                                static_cast<std::size_t>(config.depth * config.channels)) {}

  /// `parts`: a bit for each part that is written; `data`: a whole word.
  void write(unsigned parts, int bank, int address, const std::int8_t* data);
  /// A window of `banks` words, lane by lane, from lane 0's bank on.
  void read(int bank, const Read* lanes, std::int8_t zero, std::int8_t* window) const;

private:
  [[nodiscard]] std::size_t offset(int bank, int address) const {
    return (static_cast<std::size_t>(bank) * static_cast<std::size_t>(config_.depth) +
            static_cast<std::size_t>(address)) *
           static_cast<std::size_t>(config_.channels);
  }

  LineBufferConfig config_;
  std::vector<std::int8_t> bytes_;
};

/// What it takes.
[[nodiscard]] Resources line_buffer_resources(const LineBufferConfig& config);

} // namespace deltatwin
