#include "train/normalization.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>

namespace deltatwin {
namespace {

constexpr double momentum = 0.1, epsilon = 1e-5;
constexpr std::int64_t parts = 32; ///< of a map, which sums are made of: one order, however many threads
constexpr double largest_bias = 1 << 22;

at::Tensor channels_last(const at::Tensor& values) {
  return values.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor like(const at::Tensor& values) { return at::empty_like(values, at::MemoryFormat::ChannelsLast); }

// Calls work(part, first, count) for parts of `count` pixels or values.
template <class Work> void in_parts(std::int64_t count, Work work) {
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = count * part / parts, last = count * (part + 1) / parts;
      if (last > first)
        work(part, first, last - first);
    }
  });
}

// Two sums a channel over all pixels.
class ChannelSums {
public:
  explicit ChannelSums(int channels)
      : channels_(static_cast<std::size_t>(channels)), values_(2 * channels_ * parts) {}
  double* first(std::int64_t part) { return &values_[2 * channels_ * static_cast<std::size_t>(part)]; }
  double* second(std::int64_t part) { return first(part) + channels_; }
  void finish() {
    for (std::size_t i = 0; i < 2 * channels_; ++i)
      for (std::size_t part = 1; part < parts; ++part)
        values_[i] += values_[part * 2 * channels_ + i];
  }
  [[nodiscard]] double first_of(std::size_t channel) const { return values_[channel]; }
  [[nodiscard]] double second_of(std::size_t channel) const { return values_[channels_ + channel]; }

private:
  std::size_t channels_;
  std::vector<double> values_;
};

double of_bits(double value, int bits) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return std::ldexp(std::round(std::ldexp(fraction, bits)), exponent - bits);
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double each : values)
    sum += each;
  return sum / static_cast<double>(values.size());
}

struct AddFunction : torch::autograd::Function<AddFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& first,
                            const at::Tensor& second, double first_factor, double second_factor, int high) {
    const at::Tensor a = channels_last(first), b = channels_last(second);
    const SumOfTwo rule = {static_cast<float>(first_factor), static_cast<float>(second_factor), 0,
                           static_cast<float>(high)};
    at::Tensor result = like(a);
    in_parts(a.numel(), [&](std::int64_t, std::int64_t begin, std::int64_t count) {
      add_maps(rule, a.data_ptr<float>() + begin, b.data_ptr<float>() + begin, count,
               result.data_ptr<float>() + begin);
    });
    context->save_for_backward({a, b});
    context->saved_data["first"] = first_factor;
    context->saved_data["second"] = second_factor;
    context->saved_data["high"] = std::int64_t{high};
    return result;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &a = saved[0], &b = saved[1], gradient = channels_last(gradients[0]);
    const SumOfTwo rule = {static_cast<float>(context->saved_data["first"].toDouble()),
                           static_cast<float>(context->saved_data["second"].toDouble()), 0,
                           static_cast<float>(context->saved_data["high"].toInt())};
    at::Tensor to_a = like(a), to_b = like(a);
    in_parts(a.numel(), [&](std::int64_t, std::int64_t begin, std::int64_t count) {
      pass_to_maps(rule, a.data_ptr<float>() + begin, b.data_ptr<float>() + begin,
                   gradient.data_ptr<float>() + begin, count, to_a.data_ptr<float>() + begin,
                   to_b.data_ptr<float>() + begin);
    });
    return {to_a, to_b, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

} // namespace

// Sums to activations, by the statistics of these sums.
struct NormalizeFunction : torch::autograd::Function<NormalizeFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& gain, const at::Tensor& offset, Normalization* norm) {
    static_cast<void>(gain);
    static_cast<void>(offset);
    const at::Tensor sums = channels_last(given);
    norm->measure(sums.data_ptr<float>(), sums.numel() / norm->channels_);
    context->save_for_backward({sums});
    context->saved_data["norm"] = reinterpret_cast<std::int64_t>(norm);
    return norm->scaled(sums);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor sums = context->get_saved_variables()[0], gradient = channels_last(gradients[0]);
    Normalization& norm = *reinterpret_cast<Normalization*>(context->saved_data["norm"].toInt());
    const int channels = norm.channels_;
    const std::int64_t pixels = sums.numel() / channels;
    const auto width = static_cast<std::size_t>(channels);
    SumScaling scaling = norm.scaling();
    if (norm.bipolar_) { // gradients pass within a deviation
      scaling.low = -1;
      scaling.high = 1;
    }
    ChannelSums totals(channels);
    in_parts(pixels, [&](std::int64_t part, std::int64_t first, std::int64_t count) {
      add_gradient_moments(scaling, sums.data_ptr<float>() + first * channels,
                           gradient.data_ptr<float>() + first * channels, count, channels,
                           norm.batch_mean_.data(), totals.first(part), totals.second(part));
    });
    totals.finish();
    at::Tensor gain = at::zeros_like(norm.gain, at::TensorOptions().requires_grad(false)),
               offset = at::empty({channels});
    std::vector<float> level(width), slope(width);
    double all_products = 0;
    for (std::size_t c = 0; c < width; ++c) {
      const double deviation = std::sqrt(norm.inverse_variance_[c]); // its inverse
      offset.data_ptr<float>()[c] = static_cast<float>(totals.first_of(c) * norm.unit_);
      gain.data_ptr<float>()[norm.one_scale_ ? 0 : c] +=
          static_cast<float>(totals.second_of(c) * deviation * norm.unit_);
      all_products += totals.second_of(c);
      level[c] = static_cast<float>(totals.first_of(c) / static_cast<double>(pixels));
    }
    for (std::size_t c = 0; c < width; ++c) {
      const double products = norm.one_scale_ ? all_products / channels : totals.second_of(c);
      slope[c] = static_cast<float>(products / static_cast<double>(pixels) * norm.inverse_variance_[c]);
    }
    at::Tensor to = like(sums);
    in_parts(pixels, [&](std::int64_t, std::int64_t first, std::int64_t count) {
      pass_to_sums(scaling, sums.data_ptr<float>() + first * channels,
                   gradient.data_ptr<float>() + first * channels, count, channels, norm.batch_mean_.data(),
                   level.data(), slope.data(), to.data_ptr<float>() + first * channels);
    });
    return {to, gain, offset, at::Tensor()};
  }
};

Normalization::Normalization(int channels, const PlannedTensor& result, bool one_scale, bool only_shifts,
                             int factor_bits)
    : gain(at::ones({one_scale ? 1 : channels}).requires_grad_(true)),
      offset(at::zeros({channels}).requires_grad_(true)), mean(at::zeros({channels})),
      variance(at::ones({channels})), channels_(channels), one_scale_(one_scale),
      shift_only_(only_shifts && !result.bipolar), factor_bits_(factor_bits), unit_(result.unit),
      low_(result.low()), high_(result.high()), bipolar_(result.bipolar),
      factor_(static_cast<std::size_t>(channels)), bias_(factor_), batch_mean_(factor_),
      inverse_variance_(factor_.size()) {}

Normalization::Scale Normalization::scale(std::size_t channel, double sum_mean, double sum_variance) const {
  const double g = static_cast<double>(gain.data_ptr<float>()[one_scale_ ? 0 : channel]),
               o = static_cast<double>(offset.data_ptr<float>()[channel]) * unit_;
  double factor = std::max(unit_ * g / std::sqrt(sum_variance + epsilon), std::abs(o) / largest_bias);
  if (shift_only_)
    factor = std::exp2(std::clamp(std::round(std::log2(factor)), -30.0, 0.0));
  else
    factor = of_bits(factor, factor_bits_);
  return {factor, bipolar_ ? -std::ceil(sum_mean - o / factor) : std::round(o / factor - sum_mean)};
}

void Normalization::set(std::size_t channel, const Scale& scale) {
  factor_[channel] = static_cast<float>(scale.factor);
  bias_[channel] = static_cast<float>(scale.bias);
}

SumScaling Normalization::scaling() const {
  return {factor_.data(), bias_.data(), static_cast<float>(low_), static_cast<float>(high_), bipolar_};
}

at::Tensor Normalization::scaled(const at::Tensor& sums) const {
  at::Tensor result = like(sums);
  in_parts(sums.numel() / channels_, [&](std::int64_t, std::int64_t first, std::int64_t count) {
    scale_sums(scaling(), sums.data_ptr<float>() + first * channels_, count, channels_,
               result.data_ptr<float>() + first * channels_);
  });
  return result;
}

void Normalization::measure(const float* sums, std::int64_t pixels) {
  const int channels = channels_;
  const auto width = static_cast<std::size_t>(channels);
  const std::vector<float> origin(sums, sums + channels); // a pixel: close to the mean, or so
  ChannelSums moments(channels);
  in_parts(pixels, [&](std::int64_t part, std::int64_t first, std::int64_t count) {
    add_moments(sums + first * channels, count, channels, origin.data(), moments.first(part),
                moments.second(part));
  });
  moments.finish();
  std::vector<double> means(width), variances(width);
  const auto count = static_cast<double>(pixels);
  for (std::size_t c = 0; c < width; ++c) {
    const double less = moments.first_of(c) / count;
    means[c] = static_cast<double>(origin[c]) + less;
    variances[c] = std::max(moments.second_of(c) / count - less * less, 0.0);
    float &own_mean = mean.data_ptr<float>()[c], &own_variance = variance.data_ptr<float>()[c];
    const double unbiased = variances[c] * count / std::max(count - 1, 1.0);
    own_mean = static_cast<float>(static_cast<double>(own_mean) * (1 - momentum) + means[c] * momentum);
    own_variance =
        static_cast<float>(static_cast<double>(own_variance) * (1 - momentum) + unbiased * momentum);
  }
  if (one_scale_)
    variances.assign(width, mean_of(variances));
  for (std::size_t c = 0; c < width; ++c) {
    set(c, scale(c, means[c], variances[c]));
    batch_mean_[c] = static_cast<float>(means[c]);
    inverse_variance_[c] = 1 / (variances[c] + epsilon);
  }
}

at::Tensor Normalization::train(const at::Tensor& sums) {
  return NormalizeFunction::apply(sums, gain, offset, this);
}

at::Tensor Normalization::run(const at::Tensor& sums) {
  const std::vector<Scale> all = scales();
  for (std::size_t c = 0; c < all.size(); ++c)
    set(c, all[c]);
  return scaled(channels_last(sums));
}

std::vector<Normalization::Scale> Normalization::scales() const {
  std::vector<double> variances(variance.data_ptr<float>(), variance.data_ptr<float>() + channels_);
  if (one_scale_)
    variances.assign(variances.size(), mean_of(variances));
  std::vector<Scale> all;
  for (std::size_t c = 0; c < variances.size(); ++c)
    all.push_back(scale(c, static_cast<double>(mean.data_ptr<float>()[c]), variances[c]));
  return all;
}

at::Tensor sum_of_maps(const at::Tensor& a, const at::Tensor& b, double a_factor, double b_factor, int high) {
  return AddFunction::apply(a, b, a_factor, b_factor, high);
}

} // namespace deltatwin
