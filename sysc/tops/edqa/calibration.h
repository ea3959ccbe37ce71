#pragma once
#include "tops/edqa/config.h"
#include <cstdint>
#include <vector>

namespace deltatwin {

/// Channels for a design, as they come in: groups of P of one size.
struct EdqaChannels {
  /// [groups][values][P]: bits of a value each, int16 in the lower 16.
  std::vector<std::vector<std::uint32_t>> groups;
};

/// What a host writes before the first channel: registers, and where scales and books are static what
/// calibration finds.
struct EdqaProgram {
  EdqaSettings settings;
  std::vector<std::uint32_t> scales;     ///< by entry of the channel table
  std::vector<bool> direct;              ///< the same
  std::vector<unsigned> book_of;         ///< by the value above
  std::vector<std::vector<int>> lengths; ///< by book: one of each symbol
};

/// Scales and books of the channels themselves: for each lane the largest value is the scale; books have the
/// fewest bits for what comes, with a code for every symbol; the value above chooses among them, by its size,
/// the largest ones together.
[[nodiscard]] EdqaProgram calibrate(const EdqaConfig& config, const EdqaSettings& settings,
                                    const EdqaChannels& channels);

/// What the accelerator makes of the channels, but for time: values out, [values][P] group behind group, and
/// the bits of each channel's codes, [groups][P].
struct EdqaExpected {
  std::vector<std::int64_t> values;
  std::vector<std::uint32_t> sizes;
};
[[nodiscard]] EdqaExpected edqa_function(const EdqaConfig& config, const EdqaProgram& program,
                                         const EdqaChannels& channels, std::size_t first, std::size_t count);

} // namespace deltatwin
