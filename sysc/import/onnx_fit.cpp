// How sums become the integers of a tensor: by multiplier and shift where that gives what float32 arithmetic
// gives, by thresholds where it does not and they are few.
#include "base/error.h"
#include "import/fitted_scale.h"
#include "import/onnx_builder.h"
#include "import/onnx_steps.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace deltatwin {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <class T> T of_channel(const std::vector<T>& values, std::size_t channel) {
  return values[values.size() == 1 ? 0 : channel];
}

// The least sum in lowest..highest + 1 that gives `number` or more.
template <class Result>
std::int64_t least(std::int64_t lowest, std::int64_t highest, int number, const Result& result) {
  std::int64_t low = lowest, high = highest + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (result(middle) >= number)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

std::size_t channels_of(const OnnxSums& sums) {
  const auto* convolution = std::get_if<Convolution>(&sums.op);
  return convolution ? static_cast<std::size_t>(convolution->outputs) : 1;
}

} // namespace

/// One result of sums, as float32 arithmetic has it.
struct OnnxBuilder::Quantized {
  const OnnxContext& context;
  float scale, step;
  int zero_point;
  Format format;
  ResultRange range{}; ///< with what the steps clamp
  const OnnxTarget* target = nullptr;

  [[nodiscard]] int rounded(float units) const {
    const float low = static_cast<float>(format.low() - zero_point),
                high = static_cast<float>(format.high() - zero_point);
    return static_cast<int>(std::nearbyint(std::clamp(units, low, high))) + zero_point;
  }
  [[nodiscard]] int of(float real, std::size_t channel) const {
    return target ? std::clamp(target->integer(real, channel), target->low, target->high)
                  : rounded(real / scale);
  }
  [[nodiscard]] int of_sum(const OnnxSums& sums, std::int64_t sum, std::size_t channel) const {
    const float factor = of_channel(sums.scales, channel);
    if (!target && only_clamps(sums.steps)) { // onnxruntime: one factor
      const float divisor = sums.mean_of > 0 ? scale * static_cast<float>(sums.mean_of) : scale;
      return std::clamp(rounded(static_cast<float>(sum) * (factor / divisor)), range.low, range.high);
    }
    const float real = static_cast<float>(sums.is_negated(channel) ? -sum : sum) * factor;
    return of(through(sums.steps, sums.mean_of > 0 ? real / static_cast<float>(sums.mean_of) : real, channel),
              channel);
  }
  /// What a sum of one means, in steps; never below 0.
  [[nodiscard]] double slope(const OnnxSums& sums, std::size_t channel) const {
    return of_channel(sums.scales, channel) * line(sums.steps, channel).slope *
           (sums.is_negated(channel) ? -1 : 1) / step / std::max(sums.mean_of, 1);
  }
  void set_range(const OnnxSums& sums) {
    range = {zero_point, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()};
    const std::size_t channels = only_clamps(sums.steps) && !target ? 1 : channels_of(sums);
    for (std::size_t c = 0; c < channels; ++c)
      for (const float end : {-infinity, infinity}) {
        const int bound = of(through(sums.steps, end, c), c);
        range.low = std::min(range.low, bound);
        range.high = std::max(range.high, bound);
      }
  }
};

void OnnxBuilder::fit(const Quantized& to, const OnnxSums& sums, Requantization& requantization,
                      OnnxSums& biased) {
  const int steps = to.range.high - to.range.low;
  const bool countable = steps >= 1 && steps <= Requantization::most_thresholds;
  const bool counts = to.target && to.target->counts;
  if (counts && steps > Requantization::most_thresholds)
    to.context.fail("it has " + std::to_string(steps) + " thresholds; possible are " +
                    std::to_string(Requantization::most_thresholds));
  if (!counts || !countable) {
    const bool holds = scale(to, sums, requantization, biased);
    if (!holds && (!to.target || !countable))
      to.context.fail("a constant is added that its sums cannot hold");
    if (holds && (report_.different == 0 || !to.target || !countable))
      return;
  }
  biased = sums;
  count(to, sums, requantization);
}

void OnnxBuilder::count(const Quantized& to, const OnnxSums& sums, Requantization& requantization) {
  const bool alike = sums.scales.size() == 1 && sums.negated.empty() && !to.target->by_channel &&
                     std::all_of(sums.steps.begin(), sums.steps.end(),
                                 [](const RealStep& step) { return step.values.size() == 1; });
  report_ = {};
  requantization.rounding = Rounding::thresholds;
  requantization.multipliers = {1};
  requantization.shifts = {0};
  requantization.thresholds.clear();
  const auto row = [&](std::size_t c, std::int64_t lowest, std::int64_t highest) {
    for (int number = to.range.low + 1; number <= to.range.high; ++number)
      requantization.thresholds.push_back(static_cast<std::int32_t>(std::min<std::int64_t>(
          least(lowest, highest, number, [&](std::int64_t sum) { return to.of_sum(sums, sum, c); }),
          std::numeric_limits<std::int32_t>::max())));
  };
  const std::int64_t lowest = *std::min_element(sums.lowest.begin(), sums.lowest.end());
  const std::int64_t highest = *std::max_element(sums.highest.begin(), sums.highest.end());
  if (alike)
    row(0, lowest, highest);
  for (std::size_t c = 0; c < channels_of(sums); ++c) {
    if (!alike)
      row(c, of_channel(sums.lowest, c), of_channel(sums.highest, c));
    report_.sums += static_cast<std::uint64_t>(of_channel(sums.highest, c) - of_channel(sums.lowest, c)) + 1;
  }
}

// False: where a constant is added that 32 bits cannot hold with the sums.
bool OnnxBuilder::scale(const Quantized& to, const OnnxSums& sums, Requantization& requantization,
                        OnnxSums& biased) {
  auto* convolution = std::get_if<Convolution>(&biased.op);
  const std::size_t channels = channels_of(sums);
  const auto offset = [&](std::size_t c) { // in steps
    return line(sums.steps, c).offset / to.step + (to.target ? to.target->offset : 0);
  };
  bool has_offset = false;
  for (std::size_t c = 0; c < channels; ++c)
    has_offset = has_offset || offset(c) != 0;
  // Weights of 1 may as well be larger ones, and what is added finer.
  const std::int64_t factor = sums.of_ones && has_offset ? 64 : 1;
  // One result, whatever the sum: its weights do nothing, and the bias alone tells it.
  const auto is_constant = [&](std::size_t c) {
    return convolution && to.target && !only_clamps(sums.steps) &&
           to.of_sum(sums, of_channel(sums.lowest, c), c) == to.of_sum(sums, of_channel(sums.highest, c), c);
  };
  std::vector<std::int64_t> added(channels); // to the bias
  std::vector<double> slopes(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t each = convolution ? convolution->weights.size() / channels : 0;
    const auto weights_of = [&](auto change) {
      for (std::size_t i = c * each; i < (c + 1) * each; ++i)
        convolution->weights[i] = static_cast<std::int16_t>(change(convolution->weights[i]));
    };
    slopes[c] = to.slope(sums, c) / static_cast<double>(factor);
    if (is_constant(c)) {
      weights_of([](std::int64_t) { return 0; });
      const int result = to.of_sum(sums, of_channel(sums.lowest, c), c);
      convolution->bias[c] = result - to.zero_point;
      continue;
    }
    if (factor > 1) {
      weights_of([&](std::int64_t weight) { return weight * factor; });
      convolution->bias[c] = static_cast<std::int32_t>(convolution->bias[c] * factor);
    }
    if (offset(c) == 0)
      continue;
    const double bias = std::nearbyint(offset(c) / slopes[c]);
    const auto holds = [&](std::int64_t sum) {
      return std::abs(static_cast<double>(sum) * static_cast<double>(factor) + bias) < 0x1p30;
    };
    if (!convolution || !holds(of_channel(sums.lowest, c)) || !holds(of_channel(sums.highest, c)))
      return false;
    added[c] = static_cast<std::int64_t>(bias);
    convolution->bias[c] = static_cast<std::int32_t>(convolution->bias[c] + added[c]);
  }
  const auto fitted = [&](std::size_t c, std::int64_t lowest, std::int64_t highest) {
    const auto with = [&](std::int64_t bias) {
      return fit_half_even([&, c](std::int64_t sum) { return to.of_sum(sums, sum, c); }, lowest, highest,
                           slopes[c], to.range, factor, bias);
    };
    FittedScale best = with(added[c]);
    if (!to.target || added[c] == 0)
      return best;
    const std::int64_t nearest = added[c];
    for (const std::int64_t bias : {nearest + 1, nearest - 1}) { // off by less than one, the nearest is too
      if (best.differing == 0)
        break;
      const FittedScale other = with(bias);
      if (other.differing < best.differing) {
        convolution->bias[c] = static_cast<std::int32_t>(convolution->bias[c] + bias - added[c]);
        added[c] = bias;
        best = other;
      }
    }
    return best;
  };
  const bool alike = sums.scales.size() == 1 && only_clamps(sums.steps) && !has_offset;
  if (alike || (channels == 1 && !is_constant(0))) {
    const FittedScale fit = fitted(0, *std::min_element(sums.lowest.begin(), sums.lowest.end()),
                                   *std::max_element(sums.highest.begin(), sums.highest.end()));
    if (fit.differing == 0 || channels == 1) {
      requantization.multipliers = {fit.multiplier};
      requantization.shifts = {fit.shift};
      report_.sums += fit.sums;
      report_.different += fit.differing;
      return true;
    }
  }
  requantization.multipliers.clear();
  requantization.shifts.clear();
  for (std::size_t c = 0; c < channels; ++c) {
    if (is_constant(c)) {
      requantization.multipliers.push_back(1);
      requantization.shifts.push_back(0);
      report_.sums += 1;
      continue;
    }
    const FittedScale fit = fitted(c, of_channel(sums.lowest, c), of_channel(sums.highest, c));
    requantization.multipliers.push_back(fit.multiplier);
    requantization.shifts.push_back(fit.shift);
    report_.sums += fit.sums;
    report_.different += fit.differing;
  }
  return true;
}

// What an addition's input can be, less its zero point.
std::pair<std::int64_t, std::int64_t> OnnxBuilder::addend(const OnnxSums& sums, std::size_t input) const {
  if (const auto& wide = sums.wide[input])
    return {*std::min_element(wide->lowest.begin(), wide->lowest.end()),
            *std::max_element(wide->highest.begin(), wide->highest.end())};
  const auto [low, high] = reach_[sums.inputs[input]];
  const int zero_point = *zero_points_[cells_[sums.inputs[input]]];
  return {low - zero_point, high - zero_point};
}

// Sums that are added as they are become tensors of 16 bits: beyond where the result is clamped, whatever the
// other addend, they may be clamped, too.
void OnnxBuilder::widen(const Quantized& to, OnnxSums& sums) {
  const OnnxSums given = sums;
  const auto of = [&](std::size_t i, std::int64_t own, std::int64_t other) {
    const float first = static_cast<float>(i == 0 ? own : other) * given.scales[0];
    const float second = static_cast<float>(i == 0 ? other : own) * given.scales[1];
    return to.of(through(given.steps, first + second, 0), 0);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    if (!given.wide[i])
      continue;
    const OnnxSums& wide = *given.wide[i];
    const auto [lowest, highest] = addend(given, i);
    const auto [other_low, other_high] = addend(given, 1 - i);
    const std::int64_t high =
        std::min(highest, least(lowest, highest, to.range.high,
                                [&, low = other_low](std::int64_t sum) { return of(i, sum, low); }));
    const std::int64_t low =
        std::max(lowest, least(lowest, highest, to.range.low + 1, [&, most = other_high](std::int64_t sum) {
                           return of(i, sum, most);
                         }) - 1);
    if (low < -32768 || high > 32767)
      to.context.fail("it adds sums that nothing has quantized, of which " + std::to_string(low) + " to " +
                      std::to_string(high) +
                      " matter, more than 16 bits hold; put a Quant, or a QuantizeLinear and a "
                      "DequantizeLinear, before it");
    Requantization same;
    same.rounding = Rounding::half_even;
    same.low = static_cast<int>(low);
    same.high = static_cast<int>(high);
    Format format{1, true, 0};
    while (format.low() > same.low || format.high() < same.high)
      ++format.bits;
    report_ = {};
    const std::size_t output = add_tensor(wide.node + "_sum", wide.shape, format, given.scales[i]);
    reach_[output] = {same.low, same.high};
    sums.inputs[i] = emit(to.context, wide, output, same);
    sums.wide[i].reset();
  }
}

// Of addends in units of a common one, whose sum is then one of whole numbers; false: there is none.
bool OnnxBuilder::fit_whole(const Quantized& to, const OnnxSums& sums, Add& add) {
  const std::size_t coarse = sums.scales[0] >= sums.scales[1] ? 0 : 1;
  const double ratio = double{sums.scales[coarse]} / sums.scales[1 - coarse];
  std::int32_t units[2] = {0, 0};
  for (std::int32_t fine = 1; fine <= 1024 && units[0] == 0; ++fine)
    if (const double many = ratio * fine;
        many < 0x1p20 && std::abs(many - std::nearbyint(many)) <= 1e-9 * many) {
      units[coarse] = static_cast<std::int32_t>(std::nearbyint(many));
      units[1 - coarse] = fine;
    }
  if (units[0] == 0)
    return false;
  std::int64_t low = 0, high = 0, largest = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    largest += (std::int64_t{1} << tensor(sums.inputs[i]).format.bits) * units[i]; // of any input
    const auto [least_of, most_of] = addend(sums, i);
    low += least_of * units[i];
    high += most_of * units[i];
    add.inputs[i].rounding = Rounding::half_even;
    add.inputs[i].multipliers = {units[i]};
  }
  if (largest > 0x7fffffff)
    return false;
  OnnxSums whole;
  whole.op = Rescale{};
  whole.scales = {static_cast<float>(double{sums.scales[0]} / units[0])};
  whole.steps = sums.steps;
  whole.lowest = {low};
  whole.highest = {high};
  OnnxSums unchanged = whole;
  fit(to, whole, add.output, unchanged);
  return true;
}

void OnnxBuilder::fit(const Quantized& to, const OnnxSums& sums, Add& add) {
  const auto is_wide = [&](std::size_t i) { return tensor(sums.inputs[i]).format.bits > 8; };
  if ((to.target || is_wide(0) || is_wide(1)) && fit_whole(to, sums, add))
    return;
  if (is_wide(0) || is_wide(1))
    to.context.fail("it adds sums that nothing has quantized to numbers whose scale has no common unit with "
                    "theirs; put a Quant, or a QuantizeLinear and a DequantizeLinear, before it");
  const auto own = [&](std::size_t i) {
    const auto [low, high] = addend(sums, i);
    const Format& format = tensor(sums.inputs[i]).format;
    const int zero_point = *zero_points_[cells_[sums.inputs[i]]];
    return Addend{static_cast<int>(low), static_cast<int>(high), double{sums.scales[i]} / to.step,
                  std::max(format.high() - zero_point, zero_point - format.low())};
  };
  const FittedAdd fitted = fit_add(
      [&](int a, int b) {
        const float real = static_cast<float>(a) * sums.scales[0] + static_cast<float>(b) * sums.scales[1];
        return std::clamp(to.of(through(sums.steps, real, 0), 0), to.range.low, to.range.high);
      },
      own(0), own(1), to.range);
  for (std::size_t i = 0; i < 2; ++i) {
    add.inputs[i].rounding = Rounding::half_even;
    add.inputs[i].multipliers = {fitted.multipliers[i]};
  }
  add.output.multipliers = {fitted.output.multiplier};
  add.output.shifts = {fitted.output.shift};
  report_.sums += fitted.output.sums;
  report_.different += fitted.output.differing;
}

std::size_t OnnxBuilder::quantize(const Quantized& to, const OnnxSums& given) {
  for (const float own : given.scales)
    if (!std::isfinite(own) || !std::isfinite(own / to.step))
      to.context.fail("its scales are too far apart");
  OnnxSums sums = given;
  if (std::holds_alternative<Add>(sums.op))
    widen(to, sums);
  report_ = {};
  OnnxSums biased = sums;
  Requantization requantization;
  requantization.rounding = Rounding::half_even;
  requantization.low = to.range.low;
  requantization.high = to.range.high;
  if (auto* add = std::get_if<Add>(&biased.op)) {
    add->output = requantization;
    fit(to, sums, *add);
    requantization = add->output;
  } else {
    fit(to, sums, requantization, biased);
  }
  const std::size_t output = add_tensor(to.context.node().outputs[0], sums.shape, to.format, to.scale);
  reach_[output] = {to.range.low, to.range.high};
  return emit(to.context, biased, output, requantization);
}

std::size_t OnnxBuilder::quantize(const OnnxContext& context, const OnnxSums& sums, float scale,
                                  int zero_point, OnnxType type) {
  require_bytes(context, type, "results");
  Quantized to{context, scale, scale, zero_point, {8, is_signed_byte(type), zero_point}};
  to.set_range(sums);
  return quantize(to, sums);
}

std::size_t OnnxBuilder::quantize(const OnnxContext& context, const OnnxSums& sums,
                                  const OnnxTarget& target) {
  Quantized to{context, target.scale, target.step, target.format.zero_point, target.format};
  to.target = &target;
  to.set_range(sums);
  return quantize(to, sums);
}

} // namespace deltatwin
