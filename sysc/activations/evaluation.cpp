#include "activations/evaluation.h"
#include "activations/quantizer.h"
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

namespace deltatwin {
namespace {

double fitted_maximum(const Quantization& q, int scale_bits, double maximum,
                      const std::function<void(Distribution&)>& fill) {
  if (q.fit == Fit::maximum || !(maximum > 0))
    return maximum;
  Distribution distribution(maximum);
  fill(distribution);
  return distribution.best_maximum(scale_bits, q.is_signed);
}

struct Run {
  const Plan& plan;
  std::size_t block;
  Activations& values;
  std::vector<std::int16_t>& codes;
  LayerResult& layer;

  [[nodiscard]] const LayerPlan& of_layer() const { return plan.layers[block]; }
  [[nodiscard]] std::int16_t* codes_of(int image, int channel) const {
    return codes.data() + (values.channel(image, channel) - values.values.data());
  }
  void uniform() const;
  void power() const;
  void noisy(const NoisyChoice& choice) const;

private:
  [[nodiscard]] int scale_bits(int channel) const {
    return plan.quantization.scale_bits(of_layer().important[static_cast<std::size_t>(channel)] != 0);
  }
  void quantize(int image, int channel, double maximum) const {
    const Grid grid(maximum, scale_bits(channel), plan.quantization.is_signed);
    layer.error += grid.quantize(values.channel(image, channel), values.plane(), codes_of(image, channel));
  }
  [[nodiscard]] double dynamic_maximum(int channel) const;
  [[nodiscard]] std::vector<double> layer_maxima() const;
};

// Over the batch.
double Run::dynamic_maximum(int channel) const {
  double maximum = 0;
  for (int image = 0; image < values.images; ++image)
    maximum = std::max(maximum, largest_magnitude(values.channel(image, channel), values.plane()));
  return fitted_maximum(plan.quantization, scale_bits(channel), maximum, [&](Distribution& distribution) {
    for (int image = 0; image < values.images; ++image)
      distribution.add(values.channel(image, channel), values.plane());
  });
}

// One for all channels of a kind: important ones have more bits.
std::vector<double> Run::layer_maxima() const {
  const double maximum = largest_magnitude(values.values.data(), values.values.size());
  std::vector<double> maxima(static_cast<std::size_t>(values.shape.channels));
  for (const bool important : {false, true}) {
    const int bits = plan.quantization.scale_bits(important);
    const double fitted = fitted_maximum(plan.quantization, bits, maximum, [&](Distribution& distribution) {
      distribution.add(values.values.data(), values.values.size());
    });
    for (std::size_t c = 0; c < maxima.size(); ++c)
      if ((of_layer().important[c] != 0) == important)
        maxima[c] = fitted;
  }
  return maxima;
}

void Run::uniform() const {
  const Quantization& q = plan.quantization;
  std::vector<double> layer_wide;
  if (q.dynamic && q.per == Per::layer)
    layer_wide = layer_maxima();
  for (int channel = 0; channel < values.shape.channels; ++channel) {
    double maximum = 0;
    if (!q.dynamic)
      maximum = of_layer().maxima[static_cast<std::size_t>(channel)];
    else if (q.per == Per::layer)
      maximum = layer_wide[static_cast<std::size_t>(channel)];
    else if (q.per == Per::channel)
      maximum = dynamic_maximum(channel);
    for (int image = 0; image < values.images; ++image) {
      const float* plane = values.channel(image, channel);
      if (q.dynamic && q.per == Per::channel_image)
        maximum =
            fitted_maximum(q, scale_bits(channel), largest_magnitude(plane, values.plane()),
                           [&](Distribution& distribution) { distribution.add(plane, values.plane()); });
      quantize(image, channel, maximum);
    }
  }
}

void Run::power() const {
  const Quantization& q = plan.quantization;
  const double maximum = largest_magnitude(values.values.data(), values.values.size());
  for (float& value : values.values) {
    const float back = power_of_two(value, q.bits, q.normalized, maximum);
    const double off = static_cast<double>(value) - static_cast<double>(back);
    layer.error += off * off;
    value = back;
  }
}

void Run::noisy(const NoisyChoice& choice) const {
  const NoisyGrid grid = {choice.scale, choice.offset, plan.quantization.bits};
  for (float& value : values.values) {
    const float back = grid.value(grid.code(static_cast<double>(value)));
    const double off = static_cast<double>(value) - static_cast<double>(back);
    layer.error += off * off;
    value = back;
  }
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (static_cast<double>(a[i]) - static_cast<double>(b[i])) *
           (static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum;
}

void take_errors(const Activations& values, const std::vector<std::int16_t>& codes, const Plan& plan,
                 std::size_t block, const ErrorSink& sink) {
  const int mask = (1 << plan.quantization.extra) - 1;
  for (int channel = 0; channel < values.shape.channels; ++channel) {
    if (!plan.layers[block].important[static_cast<std::size_t>(channel)])
      continue;
    std::vector<std::uint8_t> errors;
    for (int image = 0; image < values.images; ++image) {
      const std::int16_t* first = codes.data() + (values.channel(image, channel) - values.values.data());
      for (std::size_t i = 0; i < values.plane(); ++i)
        errors.push_back(static_cast<std::uint8_t>(first[i] & mask));
    }
    sink(block, channel, errors);
  }
}

void meter_codes(const Activations& values, const std::vector<std::int16_t>& codes,
                 std::vector<StorageMeter>& meters) {
  for (StorageMeter& meter : meters) {
    for (int image = 0; image < values.images; ++image)
      for (int channel = 0; channel < values.shape.channels; ++channel)
        meter.add(channel, codes.data() + (values.channel(image, channel) - values.values.data()),
                  values.shape.rows, values.shape.columns);
    meter.end_batch();
  }
}

void add(LayerResult& sum, const LayerResult& part) {
  sum.values += part.values;
  sum.error += part.error;
  sum.signal += part.signal;
  if (sum.meters.empty())
    sum.meters = part.meters;
  else
    for (std::size_t s = 0; s < sum.meters.size(); ++s)
      sum.meters[s].add(part.meters[s]);
}

} // namespace

double Evaluation::bits_a_value(std::size_t storage) const {
  double bits = 0, values = 0;
  for (const LayerResult& layer : layers) {
    bits += layer.bits.empty() ? 0.0 : static_cast<double>(layer.bits[storage]);
    values += static_cast<double>(layer.values);
  }
  return values > 0 ? bits / values : 0;
}

std::vector<std::int16_t> Quantizer::run(Activations& values, LayerResult& layer) const {
  std::vector<std::int16_t> codes(values.values.size());
  layer.values += values.values.size();
  for (const float value : values.values)
    layer.signal += static_cast<double>(value) * static_cast<double>(value);
  const Quantization& q = plan.quantization;
  const Run task = {plan, block, values, codes, layer};
  switch (q.family) {
  case Family::real:
    break;
  case Family::uniform:
    task.uniform();
    break;
  case Family::power:
    task.power();
    break;
  case Family::noisy_bias:
    task.noisy(q.online ? search_noise(values, q.bits, q.steps, response, 1)
                        : NoisyChoice{plan.layers[block].scale, plan.layers[block].offset});
    break;
  }
  return codes;
}

std::vector<float> response_of(const Stages& stages, std::size_t block, const Activations& values) {
  if (block + 1 < stages.shapes().size())
    return stages.block(block + 1, values).values;
  std::vector<float> averages;
  for (int image = 0; image < values.images; ++image)
    for (int channel = 0; channel < values.shape.channels; ++channel) {
      const float* plane = values.channel(image, channel);
      averages.push_back(std::accumulate(plane, plane + values.plane(), 0.0f) /
                         static_cast<float>(values.plane()));
    }
  return averages;
}

NoisyChoice search_noise(const Activations& values, int bits, int steps,
                         const std::function<std::vector<float>(const Activations&)>& response, int threads) {
  const double maximum = largest_magnitude(values.values.data(), values.values.size());
  if (!(maximum > 0))
    return {};
  const std::vector<float> wanted = response(values);
  const auto best_of = [&](const std::vector<NoisyChoice>& choices) { // the first of equals
    std::vector<double> losses(choices.size());
    in_parallel(static_cast<int>(choices.size()), threads, [&](int number) {
      const auto i = static_cast<std::size_t>(number);
      const NoisyGrid grid = {choices[i].scale, choices[i].offset, bits};
      Activations tried = values;
      for (float& value : tried.values)
        value = grid.value(grid.code(static_cast<double>(value)));
      losses[i] = squared_distance(response(tried), wanted);
    });
    return choices[static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin())];
  };
  const double codes = std::ldexp(1.0, bits - 1) - 1;
  std::vector<NoisyChoice> scales, offsets;
  for (int i = steps; i > 0; --i)
    scales.push_back({maximum * i / steps / codes, 0});
  const double scale = best_of(scales).scale;
  for (int i = 0; i < steps; ++i)
    offsets.push_back({scale, scale * (2.0 * i / steps - 1)});
  return best_of(offsets);
}

Evaluation evaluate(const Stages& stages, const ImageSet& set, const Plan& plan,
                    const std::vector<StoragePlan>& storages, const EvaluationOptions& options) {
  const int batches = (set.data.count + options.batch - 1) / options.batch;
  const std::size_t blocks = stages.shapes().size();
  std::vector<Evaluation> parts(static_cast<std::size_t>(batches));
  std::mutex mutex;
  int done = 0;
  in_parallel(batches, options.threads, [&](int b) {
    const int first = b * options.batch, count = std::min(options.batch, set.data.count - first);
    Evaluation& part = parts[static_cast<std::size_t>(b)];
    Activations values = stages.begin(set, first, count);
    for (std::size_t block = 0; block < blocks; ++block) {
      values = stages.block(block, values);
      LayerResult& layer = part.layers.emplace_back();
      if (!plan.layers[block].quantized || plan.quantization.family == Family::real)
        continue;
      const Quantizer quantizer = {
          plan, block, [&](const Activations& tried) { return response_of(stages, block, tried); }};
      const std::vector<std::int16_t> codes = quantizer.run(values, layer);
      for (const StoragePlan& storage : storages)
        layer.meters.emplace_back(plan.quantization, storage.storage, plan.layers[block].important);
      meter_codes(values, codes, layer.meters);
      if (options.errors)
        take_errors(values, codes, plan, block, options.errors);
    }
    const std::vector<int> classes = stages.classify(values);
    part.images = count;
    for (int i = 0; i < count; ++i) {
      part.correct.push_back(classes[static_cast<std::size_t>(i)] ==
                             set.data.labels[static_cast<std::size_t>(first + i)]);
      part.right += part.correct.back();
    }
    if (options.progress) {
      const std::lock_guard lock(mutex);
      options.progress(++done, batches);
    }
  });
  Evaluation sum;
  sum.layers.resize(blocks);
  for (const Evaluation& part : parts) {
    sum.images += part.images;
    sum.right += part.right;
    sum.correct.insert(sum.correct.end(), part.correct.begin(), part.correct.end());
    for (std::size_t block = 0; block < blocks; ++block)
      add(sum.layers[block], part.layers[block]);
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    LayerResult& layer = sum.layers[block];
    for (std::size_t s = 0; s < layer.meters.size(); ++s)
      layer.bits.push_back(layer.meters[s].bits(storages[s].books.empty() ? std::vector<std::vector<int>>()
                                                                          : storages[s].books[block]));
  }
  return sum;
}

} // namespace deltatwin
