#pragma once
#include "base/cycle.h"
#include "base/resources.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deltatwin {

/// The parameters of the RTL `noisy_lanes`, which has the contract.
struct NoisyLanesConfig {
  int lanes = 8, max_width = 56, data_bits = 16, error_bits = 24;

  /// Groups of rows, a row for each lane, of a matrix of `width` rows.
  [[nodiscard]] constexpr int groups(int width) const { return ceil_div(width, lanes); }
  /// Rows of the last group.
  [[nodiscard]] constexpr int last_rows(int width) const { return width - (groups(width) - 1) * lanes; }
  /// Words of a lane.
  [[nodiscard]] constexpr int depth() const { return max_width * groups(max_width); }
  [[nodiscard]] constexpr int sum_bits() const {
    return data_bits + error_bits - 1 + address_bits(max_width);
  }
};

/// When sums leave.
struct NoisyLanesTiming {
  static constexpr Cycle first_sum = 4; ///< from a sum's last beat to lane 0's, the others behind it
};

/// The lanes, a beat at a time.
class NoisyLanesCore {
public:
  struct Sum {
    Cycle cycle;
    std::int64_t value;
    bool end;
  };

  explicit NoisyLanesCore(const NoisyLanesConfig& config)
      : words_(static_cast<std::size_t>(config.lanes),
               std::vector<std::int64_t>(static_cast<std::size_t>(config.depth()))),
        sums_(static_cast<std::size_t>(config.lanes)) {}

  void write(int lane, int address, std::int64_t word) {
    words_[static_cast<std::size_t>(lane)][static_cast<std::size_t>(address)] = word;
  }
  struct Beat {
    std::int64_t error = 0;
    int address = 0;
    bool first = false, last = false, end = false;
    int rows = 0; ///< of a last beat: how many sums leave
  };
  /// Appends the sums that a last beat makes leave.
  void beat(const Beat& beat, Cycle cycle, std::vector<Sum>& out) {
    for (std::size_t lane = 0; lane < sums_.size(); ++lane)
      sums_[lane] =
          (beat.first ? 0 : sums_[lane]) + beat.error * words_[lane][static_cast<std::size_t>(beat.address)];
    for (int row = 0; beat.last && row < beat.rows; ++row)
      out.push_back({cycle + NoisyLanesTiming::first_sum + static_cast<Cycle>(row),
                     sums_[static_cast<std::size_t>(row)], beat.end && row + 1 == beat.rows});
  }

private:
  std::vector<std::vector<std::int64_t>> words_;
  std::vector<std::int64_t> sums_;
};

/// What they take.
[[nodiscard]] Resources noisy_lanes_resources(const NoisyLanesConfig& config);

} // namespace deltatwin
