#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include "blocks/fields.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `max_pool`, which has the contract.
struct MaxPoolConfig {
  int channels = 16; ///< S, bytes of a word: 4..32, a power of two
  int lanes = 3;     ///< T, 1..7
  int widths = 1;    ///< of activations: a bit for each code (blocks/fields.h)
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

  /// `window`: a word for each lane; `lanes`: a bit for each one that counts; `code`: of the activations.
  void beat(bool first, const std::int8_t* window, unsigned lanes, int code = 0) {
    const int least = -(1 << (width_bits(code) - 1)), fields = config_.channels << code;
    if (first)
      std::fill(maxima_.begin(), maxima_.end(), byte_of_fields(least, code));
    for (int lane = 0; lane < config_.lanes; ++lane, window += config_.channels)
      for (int f = 0; (lanes >> lane & 1) && f < fields; ++f)
        set_field(maxima_.data(), f, code,
                  std::max(field_of(maxima_.data(), f, code), field_of(window, f, code)));
  }
  /// Of the beats since the latest first one, a word.
  [[nodiscard]] const std::vector<std::int8_t>& maxima() const { return maxima_; }

private:
  MaxPoolConfig config_;
  std::vector<std::int8_t> maxima_;
};

/// What it takes.
[[nodiscard]] Resources max_pool_resources(const MaxPoolConfig& config);

} // namespace deltatwin
