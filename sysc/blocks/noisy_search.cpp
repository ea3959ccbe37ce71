#include "blocks/noisy_search.h"
#include "blocks/noisy_loss.h"
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deltatwin {
namespace {

constexpr int most_width = 64;

// What takes the time. The products of `columns` columns of numbers and of the matrix of `rows` rows, a
// multiple of 8, a column behind the other; of the matrix the entries that belong to two neighbours of a
// column stand side by side. All sums are less than 2^31.
using Multiply = void (*)(const std::int16_t* pairs, int rows, int columns, const std::int16_t* numbers,
                          std::int32_t* sums);

void multiply_portable(const std::int16_t* pairs, int rows, int columns, const std::int16_t* numbers,
                       std::int32_t* sums) {
  for (int column = 0; column < columns; ++column, numbers += rows, sums += rows)
    for (int row = 0; row < rows; ++row) {
      sums[row] = 0;
      for (int k = 0; k < rows; k += 2)
        for (int half = 0; half < 2; ++half)
          sums[row] += pairs[k * rows + 2 * row + half] * numbers[k + half];
    }
}

// 5 q - j of `count` values, each F x + offset = t: q is the ceiling of (2t - s) / 2s, as a number less a
// floor. Half less of 2t - s is the same ceiling, and never within a double's error of an integer.
using Quantize = void (*)(const std::int32_t* scaled, int count, int step, int offset, int most, int j,
                          std::int16_t* numbers);

inline __attribute__((always_inline)) void quantize_inline(const std::int32_t* scaled, int count, int step,
                                                           int offset, int most, int j,
                                                           std::int16_t* numbers) {
  constexpr int above = 1024; // of all q
  const double by = 1 / (2.0 * step), from = above + (step + 0.5) * by;
  for (int k = 0; k < count; ++k) {
    const int t = scaled[k] + offset;
    int q = above - static_cast<int>(from - t * (2 * by));
    q = q < most ? q : most;
    q = q > -most ? q : -most;
    numbers[k] = static_cast<std::int16_t>(5 * q - j);
  }
}

void quantize_portable(const std::int32_t* scaled, int count, int step, int offset, int most, int j,
                       std::int16_t* numbers) {
  quantize_inline(scaled, count, step, offset, most, j, numbers);
}

#if defined(__x86_64__)

// 8 rows a vector, `vectors` of them: their sums stay in registers.
template <int vectors>
__attribute__((target("avx2"))) void multiply_rows(const std::int16_t* pairs, int columns,
                                                   const std::int16_t* numbers, std::int32_t* sums) {
  constexpr int rows = 8 * vectors;
  for (int column = 0; column < columns; ++column, numbers += rows, sums += rows) {
    __m256i sum[vectors];
    for (__m256i& each : sum)
      each = _mm256_setzero_si256();
    for (int k = 0; k < rows; k += 2) {
      std::int32_t both;
      std::memcpy(&both, numbers + k, sizeof both);
      const __m256i pair = _mm256_set1_epi32(both);
      const auto* at = reinterpret_cast<const __m256i*>(pairs + k * rows);
      for (int v = 0; v < vectors; ++v)
        sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(_mm256_loadu_si256(at + v), pair));
    }
    for (int v = 0; v < vectors; ++v)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums) + v, sum[v]);
  }
}

__attribute__((target("avx2"))) void multiply_avx2(const std::int16_t* pairs, int rows, int columns,
                                                   const std::int16_t* numbers, std::int32_t* sums) {
  constexpr void (*by_vectors[])(const std::int16_t*, int, const std::int16_t*, std::int32_t*) = {
      multiply_rows<1>, multiply_rows<2>, multiply_rows<3>, multiply_rows<4>,
      multiply_rows<5>, multiply_rows<6>, multiply_rows<7>, multiply_rows<8>};
  by_vectors[rows / 8 - 1](pairs, columns, numbers, sums);
}

__attribute__((target("avx2"))) void quantize_avx2(const std::int32_t* scaled, int count, int step,
                                                   int offset, int most, int j, std::int16_t* numbers) {
  quantize_inline(scaled, count, step, offset, most, j, numbers);
}

#endif

struct Kernels {
  Multiply multiply = multiply_portable;
  Quantize quantize = quantize_portable;
  Kernels() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
      multiply = multiply_avx2;
      quantize = quantize_avx2;
    }
#endif
  }
};

const Kernels& kernels() {
  static const Kernels chosen;
  return chosen;
}

// A trial's X' is s / 5 * (5 q - j), a fifth of the step times numbers of at most 10 bits: products are
// made of these, and X X' - X X from them and from X X, which all trials share.
class Search {
public:
  Search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values)
      : config_(config), width_(width), stride_((width + 7) / 8 * 8), rows_(at(width, 0)),
        pairs_(static_cast<std::size_t>(stride_ * stride_)), numbers_(rows_.size()), sums_(rows_.size()),
        scaled_(rows_.size()), products_(rows_.size()) {
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
    const std::vector<double> rows(rows_.begin(), rows_.end());
    for (int row = 0; row < width_; ++row) {
      double sums[most_width] = {};
      for (int k = 0; k < width_; ++k) {
        const double factor = rows[at(row, k)];
        const double* other = &rows[at(k, 0)];
        for (int column = 0; column < stride_; ++column)
          sums[column] += factor * other[column];
      }
      for (int column = 0; column < width_; ++column)
        products_[at(column, row)] = config_.factor() * static_cast<std::int64_t>(sums[column]);
    }
  }

  // All values, column by column; what stands behind a column's end meets zeros of X.
  void quantize(int step, int offset, int most, int j) {
    kernels().quantize(scaled_.data(), width_ * stride_, step, offset, most, j, numbers_.data());
  }

  bool judge(NoisyLossCore& losses, std::int64_t fifth) {
    kernels().multiply(pairs_.data(), stride_, width_, numbers_.data(), sums_.data());
    NoisyLoss loss = 0;
    for (int column = 0; column < width_; ++column)
      for (int row = 0; row < width_; ++row)
        loss += square(fifth * sums_[at(column, row)] - products_[at(column, row)]);
    losses.add_squares(loss);
    return losses.judge().better;
  }

  NoisyQuantizerConfig config_;
  int width_;
  int stride_;                             ///< of a row, whose end is zeros
  std::vector<std::int16_t> rows_, pairs_; ///< X by rows, and by pairs of columns
  std::vector<std::int16_t> numbers_;      ///< 5 q - j, by columns
  std::vector<std::int32_t> sums_;         ///< X times those
  std::vector<std::int32_t> scaled_;       ///< F X, by columns
  std::vector<std::int64_t> products_;     ///< F X X, by columns
  NoisyChoice choice_;
};

} // namespace

NoisyChoice noisy_search(const NoisyQuantizerConfig& config, int width, const std::int16_t* values) {
  return Search(config, width, values).run();
}

} // namespace deltatwin
