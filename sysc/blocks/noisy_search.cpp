#include "blocks/noisy_search.h"
#include "blocks/noisy_loss.h"
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace deltatwin {
namespace {

constexpr int most_width = 64;

// sums[row] of `rows` rows, a multiple of 8: the products of a column's numbers, and of the matrix, with
// both entries that belong to two neighbours of the column side by side. All sums are less than 2^31.
void multiply(const std::int16_t* pairs, int rows, const std::int16_t* numbers, std::int32_t* sums) {
  for (int row = 0; row < rows; row += 8) {
#if defined(__SSE2__)
    __m128i low = _mm_setzero_si128(), high = low;
    for (int k = 0; k < rows; k += 2) {
      std::int32_t both;
      std::memcpy(&both, numbers + k, sizeof both);
      const __m128i pair = _mm_set1_epi32(both);
      const auto* at = reinterpret_cast<const __m128i*>(pairs + k * rows + 2 * row);
      low = _mm_add_epi32(low, _mm_madd_epi16(_mm_loadu_si128(at), pair));
      high = _mm_add_epi32(high, _mm_madd_epi16(_mm_loadu_si128(at + 1), pair));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + row), low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + row + 4), high);
#else
    for (int r = row; r < row + 8; ++r) {
      sums[r] = 0;
      for (int k = 0; k < rows; ++k)
        sums[r] += pairs[(k - k % 2) * rows + 2 * r + k % 2] * numbers[k];
    }
#endif
  }
}

// A trial's X' is s / 5 * (5 q - j), a fifth of the step times numbers of at most 10 bits: products are
// made of these, and X X' - X X from them and from X X, which all trials share.
class Search {
public:
  Search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values)
      : config_(config), width_(width), stride_((width + 7) / 8 * 8), rows_(at(width, 0)),
        pairs_(static_cast<std::size_t>(stride_ * stride_)), numbers_(rows_.size()), scaled_(rows_.size()),
        products_(rows_.size()) {
    for (int row = 0; row < width; ++row)
      for (int column = 0; column < width; ++column) {
        const std::int16_t x = values[row * width + column];
        rows_[at(row, column)] = x;
        pairs_[at(column - column % 2, 2 * row + column % 2)] = x;
        scaled_[at(column, row)] = config.factor() * x;
        choice_.largest = std::max(choice_.largest, std::abs(int{x}));
      }
  }

  NoisyChoice run() {
    if (choice_.largest == 0)
      return choice_;
    square_matrix();
    NoisyLossCore losses;
    for (int trial = 0; trial < noisy_trials; ++trial) {
      const std::int64_t step = noisy_trial_step(trial, choice_.largest);
      quantize(static_cast<int>(step), 0, config_.most(), 0);
      if (judge(losses, step / 5))
        choice_.i = noisy_trials - trial;
    }
    losses.start();
    const std::int64_t fifth = choice_.fifth();
    for (int trial = 0; trial < noisy_trials; ++trial) {
      const int j = trial - noisy_trials / 2;
      quantize(static_cast<int>(choice_.step()), static_cast<int>(j * fifth), 1 << config_.quotient_bits(),
               j);
      if (judge(losses, fifth))
        choice_.j = j;
    }
    return choice_;
  }

private:
  [[nodiscard]] std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(stride_ * row + column);
  }

  // F X X: a double holds every sum.
  void square_matrix() {
    for (int row = 0; row < width_; ++row) {
      double sums[most_width] = {};
      for (int k = 0; k < width_; ++k) {
        const double factor = rows_[at(row, k)];
        const std::int16_t* other = &rows_[at(k, 0)];
        for (int column = 0; column < stride_; ++column)
          sums[column] += factor * other[column];
      }
      for (int column = 0; column < width_; ++column)
        products_[at(column, row)] = config_.factor() * static_cast<std::int64_t>(sums[column]);
    }
  }

  // 5 q - j of all values, column by column. Half more over the divisor is never within a double's error
  // of an integer.
  void quantize(int step, int offset, int most, int j) {
    const double by = 1 / (2.0 * step);
    for (int column = 0; column < width_; ++column) {
      const std::int32_t* scaled = &scaled_[at(column, 0)];
      std::int16_t* numbers = &numbers_[at(column, 0)];
      for (int row = 0; row < stride_; ++row) { // what stands behind the end meets zeros of X
        const int t = scaled[row] + offset, sign = t > 0 ? 1 : -1; // no branch: nobody could predict it
        const int over = 2 * t * sign + step - (t > 0);
        const int quotient = std::min(static_cast<int>((over + 0.5) * by), most);
        numbers[row] = static_cast<std::int16_t>(5 * quotient * sign - j);
      }
    }
  }

  bool judge(NoisyLossCore& losses, std::int64_t fifth) {
    for (int column = 0; column < width_; ++column) {
      std::int32_t sums[most_width];
      multiply(pairs_.data(), stride_, &numbers_[at(column, 0)], sums);
      for (int row = 0; row < width_; ++row)
        losses.add(fifth * sums[row] - products_[at(column, row)]);
    }
    return losses.judge().better;
  }

  NoisyQuantizerConfig config_;
  int width_;
  int stride_;                             ///< of a row, whose end is zeros
  std::vector<std::int16_t> rows_, pairs_; ///< X by rows, and by pairs of columns
  std::vector<std::int16_t> numbers_;      ///< 5 q - j, by columns
  std::vector<std::int32_t> scaled_;       ///< F X, by columns
  std::vector<std::int64_t> products_;     ///< F X X, by columns
  NoisyChoice choice_;
};

} // namespace

NoisyChoice noisy_search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values) {
  return Search(config, width, values).run();
}

} // namespace deltatwin
