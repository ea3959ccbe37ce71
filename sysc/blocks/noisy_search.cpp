#include "blocks/noisy_search.h"
#include "blocks/noisy_loss.h"
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace deltatwin {
namespace {

constexpr int stride = 64; // of a row, zeros behind its end

// A trial's X' is s / 5 * (5 q - j), a fifth of the step times numbers of at most 10 bits: products are
// made of these, and X X' - X X from them and from X X, which all trials share.
class Search {
public:
  Search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values)
      : config_(config), width_(width), padded_((width + 7) / 8 * 8), rows_(stride * stride),
        numbers_(stride * stride), scaled_(stride * stride), products_(stride * stride) {
    for (int row = 0; row < width; ++row)
      for (int column = 0; column < width; ++column) {
        const std::int16_t x = values[row * width + column];
        rows_[at(row, column)] = x;
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
  static std::size_t at(int row, int column) { return static_cast<std::size_t>(stride * row + column); }

  // F X X: a double holds every sum.
  void square_matrix() {
    for (int row = 0; row < width_; ++row) {
      double sums[stride] = {};
      for (int k = 0; k < width_; ++k) {
        const double factor = rows_[at(row, k)];
        const std::int16_t* other = &rows_[at(k, 0)];
        for (int column = 0; column < padded_; ++column)
          sums[column] += factor * other[column];
      }
      for (int column = 0; column < width_; ++column)
        products_[at(column, row)] = config_.factor() * static_cast<std::int64_t>(sums[column]);
    }
  }

  // 5 q - j of all values, column by column. The quotient of a double is off by less than what the next
  // integer is away.
  void quantize(int step, int offset, int most, int j) {
    const double by = 2.0 * step;
    for (int column = 0; column < width_; ++column) {
      const std::int32_t* scaled = &scaled_[at(column, 0)];
      std::int16_t* numbers = &numbers_[at(column, 0)];
      for (int row = 0; row < width_; ++row) {
        const int t = scaled[row] + offset, size = t > 0 ? t : -t;
        const int over = 2 * size + step - (t > 0);
        const int quotient = std::min(static_cast<int>(over / by), most);
        numbers[row] = static_cast<std::int16_t>(5 * (t > 0 ? quotient : -quotient) - j);
      }
    }
  }

  bool judge(NoisyLossCore& losses, std::int64_t fifth) {
    for (int column = 0; column < width_; ++column) {
      const std::int16_t* numbers = &numbers_[at(column, 0)];
      for (int row = 0; row < width_; ++row) {
        const std::int16_t* x = &rows_[at(row, 0)];
        std::int32_t sum = 0; // |x| (5 q - j) over 64 values is less than 2^31
        for (int k = 0; k < padded_; ++k)
          sum += x[k] * numbers[k];
        losses.add(fifth * sum - products_[at(column, row)]);
      }
    }
    return losses.judge().better;
  }

  NoisyQuantizerConfig config_;
  int width_, padded_;
  std::vector<std::int16_t> rows_, numbers_; ///< X by rows; 5 q - j by columns
  std::vector<std::int32_t> scaled_;         ///< F X, by columns
  std::vector<std::int64_t> products_;       ///< F X X, by columns
  NoisyChoice choice_;
};

} // namespace

NoisyChoice noisy_search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values) {
  return Search(config, width, values).run();
}

} // namespace deltatwin
