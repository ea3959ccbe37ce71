#include "import/fitted_scale.h"
#include "base/rounding.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace deltatwin {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t most_multiplier = (std::int64_t{1} << 31) - 1;

Wide floor_divided(Wide a, Wide b) {
  const Wide quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

// Multipliers in low..high; none where high < low.
struct Multipliers {
  std::int64_t low = 0, high = most_multiplier;

  void keep(const Multipliers& others) {
    low = std::max(low, others.low);
    high = std::min(high, others.high);
  }
  [[nodiscard]] bool none() const { return high < low; }
};

Multipliers between(Wide low, Wide high) {
  return {static_cast<std::int64_t>(std::clamp<Wide>(low, 0, most_multiplier + Wide{1})),
          static_cast<std::int64_t>(std::clamp<Wide>(high, -1, most_multiplier))};
}

// The multipliers m with which sum * m / 2^shift rounds to `number` or more, or to less than it: at
// number - 1/2 half to even gives `number` if that is even.
Multipliers that_reach(std::int64_t sum, std::int64_t number, int shift, bool reach) {
  const Wide everything = most_multiplier;
  if (sum == 0)
    return (number <= 0) == reach ? between(0, everything) : between(1, 0);
  const Wide half = Wide{2 * number - 1} * (Wide{1} << shift), doubled = Wide{2} * sum;
  const Wide below = floor_divided(half, doubled);
  const bool exact = half % doubled == 0, tie_reaches = number % 2 == 0;
  if (sum > 0) {
    const Wide least = exact && tie_reaches ? below : below + 1; // that reaches it
    return reach ? between(least, everything) : between(0, least - 1);
  }
  const Wide most = exact && !tie_reaches ? below - 1 : below;
  return reach ? between(0, most) : between(most + 1, everything);
}

int shift_for(double slope) {
  if (!(slope > 0))
    return 0;
  return std::clamp(30 - std::ilogb(slope), 0, 62);
}

// The multiplier that the most of `wishes` have.
std::int64_t most_wished(const std::vector<Multipliers>& wishes, std::int64_t ideal) {
  std::vector<std::pair<std::int64_t, int>> steps;
  for (const Multipliers& wish : wishes)
    if (!wish.none()) {
      steps.emplace_back(wish.low, 1);
      steps.emplace_back(wish.high + 1, -1);
    }
  std::sort(steps.begin(), steps.end());
  std::int64_t best = ideal;
  int count = 0, most = 0;
  for (const auto& [at, step] : steps) {
    count += step;
    if (step > 0 && (count > most || (count == most && std::abs(at - ideal) < std::abs(best - ideal)))) {
      most = count;
      best = at;
    }
  }
  return best;
}

// The least sum in lowest..highest + 1 that `reaches`, which does not end once it holds; begins at a guess.
template <class Reaches>
std::int64_t least(std::int64_t lowest, std::int64_t highest, double guess, Reaches reaches) {
  std::int64_t low = lowest, high = highest + 1; // it is in low..high
  std::int64_t step = 1;
  std::int64_t at = static_cast<std::int64_t>(
      std::clamp(std::ceil(guess), static_cast<double>(lowest), static_cast<double>(highest)));
  while (low < high) {
    at = std::clamp(at, low, high - 1);
    if (reaches(at)) {
      high = at;
      at -= step;
    } else {
      low = at + 1;
      at += step;
    }
    step *= 2;
    if (step > high - low)
      at = low + (high - low) / 2;
  }
  return low;
}

std::int64_t ideal_multiplier(double slope, int shift) {
  const double ideal = std::nearbyint(std::ldexp(slope, shift));
  return static_cast<std::int64_t>(std::clamp(ideal, 0.0, static_cast<double>(most_multiplier)));
}

int clamped(std::int64_t value, const ResultRange& range) {
  return static_cast<int>(std::clamp<std::int64_t>(value, range.low, range.high));
}

void reduce(FittedScale& fit) {
  while (fit.shift > 0 && fit.multiplier % 2 == 0 && fit.multiplier != 0) {
    fit.multiplier /= 2;
    --fit.shift;
  }
}

} // namespace

FittedScale fit_half_even(const std::function<int(std::int64_t)>& result, std::int64_t lowest,
                          std::int64_t highest, double slope, const ResultRange& range, std::int64_t factor,
                          std::int64_t bias) {
  FittedScale fit;
  fit.sums = static_cast<std::uint64_t>(highest - lowest + 1);
  fit.shift = shift_for(slope);
  const std::int64_t ideal = ideal_multiplier(slope, fit.shift);
  const int first = result(lowest), last = result(highest);
  // The least sum of each number from first + 1 to last.
  std::vector<std::int64_t> thresholds;
  std::vector<Multipliers> wishes;
  Multipliers left;
  for (int number = range.low + 1; number <= range.high; ++number) {
    const std::int64_t wanted = std::int64_t{number} - range.zero_point;
    std::int64_t threshold = number <= first ? lowest : highest + 1;
    if (number > first && number <= last) {
      const double scaled = slope > 0 ? (static_cast<double>(wanted) - 0.5) / slope : 0;
      const double guess = (scaled - static_cast<double>(bias)) / static_cast<double>(factor);
      threshold = least(lowest, highest, guess, [&](std::int64_t sum) { return result(sum) >= number; });
    }
    thresholds.push_back(threshold);
    if (threshold <= highest)
      wishes.push_back(that_reach(threshold * factor + bias, wanted, fit.shift, true));
    if (threshold > lowest)
      wishes.push_back(that_reach((threshold - 1) * factor + bias, wanted, fit.shift, false));
  }
  for (const Multipliers& wish : wishes)
    left.keep(wish);
  const std::int64_t multiplier =
      left.none() ? most_wished(wishes, ideal) : std::clamp(ideal, left.low, left.high);
  fit.multiplier = static_cast<std::int32_t>(multiplier);
  if (left.none()) {
    // The sums between the arithmetic's threshold and the multiplier's.
    std::int64_t counted = lowest;
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      const int number = range.low + 1 + static_cast<int>(i);
      const double guess = static_cast<double>(thresholds[i]);
      const std::int64_t own = least(lowest, highest, guess, [&](std::int64_t sum) {
        return requantized(Rounding::half_even, static_cast<std::int32_t>(sum * factor + bias),
                           fit.multiplier, fit.shift) +
                   range.zero_point >=
               number;
      });
      const std::int64_t begin = std::max(counted, std::min(own, thresholds[i]));
      const std::int64_t end = std::max(own, thresholds[i]);
      if (end > begin) {
        fit.differing += static_cast<std::uint64_t>(end - begin);
        counted = end;
      }
    }
  }
  reduce(fit);
  return fit;
}

namespace {

struct Pair {
  int first, second, result;
};

// Where rounding decides, or nearly so.
std::vector<Pair> close_pairs(const std::function<int(int, int)>& result, const Addend& first,
                              const Addend& second, const ResultRange& range) {
  std::vector<Pair> pairs;
  for (int a = first.low; a <= first.high; ++a)
    for (int b = second.low; b <= second.high; ++b) {
      const double sum = a * first.scale + b * second.scale + range.zero_point;
      if (sum > range.low - 1 && sum < range.high + 1 && std::abs(sum - std::floor(sum) - 0.5) < 1e-3)
        pairs.push_back({a, b, result(a, b)});
    }
  return pairs;
}

std::int64_t sum_of(const Pair& pair, const std::int32_t multipliers[2]) {
  return std::int64_t{pair.first} * multipliers[0] + std::int64_t{pair.second} * multipliers[1];
}

std::uint64_t count_differing(const std::vector<int>& results, const Addend& first, const Addend& second,
                              const ResultRange& range, const FittedAdd& fit) {
  std::uint64_t differing = 0;
  std::size_t at = 0;
  for (int a = first.low; a <= first.high; ++a)
    for (int b = second.low; b <= second.high; ++b, ++at) {
      const std::int64_t sum = sum_of({a, b, 0}, fit.multipliers);
      const std::int64_t own = requantized(Rounding::half_even, static_cast<std::int32_t>(sum),
                                           fit.output.multiplier, fit.output.shift);
      differing += clamped(own + range.zero_point, range) != results[at];
    }
  return differing;
}

// The pair of multipliers whose ratio is the nearest to that of the scales: small ones where they are exact,
// else as large as the sum allows.
std::vector<std::array<std::int32_t, 2>> ratios(const Addend& first, const Addend& second) {
  const bool swapped = second.scale > first.scale;
  const double greater = std::max(first.scale, second.scale),
               ratio = std::min(first.scale, second.scale) / greater;
  const int reach = std::max({std::abs(first.low), std::abs(first.high), std::abs(second.low),
                              std::abs(second.high), first.most_stored, second.most_stored, 1});
  const auto most = static_cast<std::int32_t>(most_multiplier / reach / 2);
  std::vector<std::array<std::int32_t, 2>> found;
  const auto add = [&](std::int32_t larger, double error) {
    const auto smaller = static_cast<std::int32_t>(std::nearbyint(larger * ratio));
    if (std::abs(larger * ratio - smaller) <= error && found.size() < 100)
      found.push_back(swapped ? std::array{smaller, larger} : std::array{larger, smaller});
  };
  for (std::int32_t larger = 1; larger <= 1024 && found.size() < 4; ++larger)
    add(larger, 1e-9 * larger);
  for (std::int32_t larger = most; larger > most / 2 && found.size() < 100; --larger)
    add(larger, 1e-4);
  if (found.empty())
    add(most, 1);
  return found;
}

} // namespace

FittedAdd fit_add(const std::function<int(int, int)>& result, const Addend& first, const Addend& second,
                  const ResultRange& range) {
  const std::vector<Pair> pairs = close_pairs(result, first, second, range);
  const auto candidate = [&](const std::array<std::int32_t, 2>& multipliers, bool& agrees) {
    FittedAdd fit;
    std::copy(multipliers.begin(), multipliers.end(), fit.multipliers);
    const double slope =
        first.scale >= second.scale ? first.scale / multipliers[0] : second.scale / multipliers[1];
    fit.output.shift = shift_for(slope);
    const std::int64_t ideal = ideal_multiplier(slope, fit.output.shift);
    Multipliers left;
    std::vector<Multipliers> wishes;
    for (const Pair& pair : pairs) {
      const std::int64_t sum = sum_of(pair, fit.multipliers), wanted = pair.result - range.zero_point;
      if (pair.result > range.low)
        wishes.push_back(that_reach(sum, wanted, fit.output.shift, true));
      if (pair.result < range.high)
        wishes.push_back(that_reach(sum, wanted + 1, fit.output.shift, false));
    }
    for (const Multipliers& wish : wishes)
      left.keep(wish);
    agrees = !left.none();
    fit.output.multiplier = static_cast<std::int32_t>(agrees ? std::clamp(ideal, left.low, left.high)
                                                             : most_wished(wishes, ideal));
    return fit;
  };
  std::vector<int> results;
  for (int a = first.low; a <= first.high; ++a)
    for (int b = second.low; b <= second.high; ++b)
      results.push_back(result(a, b));
  FittedAdd best;
  bool found = false;
  int counted = 0;
  for (const auto& multipliers : ratios(first, second)) {
    bool agrees = false;
    FittedAdd fit = candidate(multipliers, agrees);
    if (found && !agrees && counted >= 8)
      continue; // counting takes time: only what may be better than all so far
    ++counted;
    fit.output.differing = count_differing(results, first, second, range, fit);
    if (!found || fit.output.differing < best.output.differing)
      best = fit;
    found = true;
    if (best.output.differing == 0)
      break;
  }
  best.output.sums = static_cast<std::uint64_t>(first.high - first.low + 1) *
                     static_cast<std::uint64_t>(second.high - second.low + 1);
  reduce(best.output);
  return best;
}

} // namespace deltatwin
