#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `max_pool`, which has the contract.
struct MaxPoolConfig {
  int channels = 16; ///< S, 4..32, a power of two
  int lanes = 3;     ///< T, 1..7
};

/// When maxima stand.
struct MaxPoolTiming {
  static constexpr Cycle maxima = 3; ///< from the last beat
};

/// The maxima, beat by beat.
class MaxPoolCore {
public:
  explicit MaxPoolCore(const MaxPoolConfig& config)
      : config_(config), maxima_(static_cast<std::size_t>(config.channels)) {}

  /// `window`: a word for each lane; `lanes`: a bit for each one that counts.
  void beat(bool first, const std::int8_t* window, unsigned lanes) {
    if (first)
      std::fill(maxima_.begin(), maxima_.end(), std::int8_t{-128});
    for (int lane = 0; lane < config_.lanes; ++lane)
      for (std::size_t s = 0; s < maxima_.size(); ++s)
        if (lanes >> lane & 1)
          maxima_[s] = std::max(maxima_[s], window[static_cast<std::size_t>(lane) * maxima_.size() + s]);
  }
  /// Of the beats since the latest first one, a byte for each channel.
  [[nodiscard]] const std::vector<std::int8_t>& maxima() const { return maxima_; }

private:
  MaxPoolConfig config_;
  std::vector<std::int8_t> maxima_;
};

/// What it takes.
[[nodiscard]] Resources max_pool_resources(const MaxPoolConfig& config);

} // namespace deltatwin
