#include "activations/planner.h"
#include "activations/quantizer.h"
#include <algorithm>
#include <mutex>
#include <numeric>
#include <random>

namespace deltatwin {
namespace {

// Channels in the order of a score, ties by number.
ChannelRanking ascending(const std::vector<double>& scores) {
  ChannelRanking order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  return order;
}

// Signed, with the maximum of a channel over a batch: how the rankings quantize.
Quantization direct(int bits) {
  Quantization q;
  q.bits = bits;
  return q;
}

Plan unranked_plan(const Stages& stages, const Quantization& quantization) {
  Plan plan;
  plan.quantization = quantization;
  for (const BlockShape& shape : stages.shapes()) {
    LayerPlan layer;
    layer.important.assign(static_cast<std::size_t>(shape.channels), 0);
    plan.layers.push_back(std::move(layer));
  }
  return plan;
}

void copy_channel(const Activations& from, int channel, Activations& to) {
  for (int image = 0; image < from.images; ++image)
    std::copy_n(from.channel(image, channel), from.plane(), to.channel(image, channel));
}

int count_right(const std::vector<int>& classes, const ImageSet& set, int first) {
  int right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i)
    right += classes[i] == set.data.labels[static_cast<std::size_t>(first) + i];
  return right;
}

} // namespace

int important_count(double ratio, int channels) { return static_cast<int>(ratio * channels + 1e-9); }

/// The float network's block outputs for the calibration images.
struct Planner::Calibration {
  ImageSet set;
  std::vector<std::vector<Activations>> batches; ///< [batch][block]
};

Planner::Planner(const Stages& stages, const ImageSet& set, const PlannerOptions& options)
    : stages_(stages), set_(set), options_(options) {}

Planner::~Planner() = default;

ImageSet Planner::chosen(int count, std::uint64_t salt) const {
  std::vector<int> order(static_cast<std::size_t>(set_.data.count));
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(options_.seed * 1000003 + salt);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random() % i]);
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  ImageSet result = set_.part(0, 0);
  result.data.count = static_cast<int>(order.size());
  for (const int image : order) {
    const auto first = set_.data.images.begin() + static_cast<std::ptrdiff_t>(image) * set_.data.pixels;
    result.data.images.insert(result.data.images.end(), first, first + set_.data.pixels);
    result.data.labels.push_back(set_.data.labels[static_cast<std::size_t>(image)]);
  }
  return result;
}

const Planner::Calibration& Planner::calibration() {
  if (calibration_)
    return *calibration_;
  auto made = std::make_unique<Calibration>();
  made->set = chosen(options_.calibration_images, 1);
  const int count = made->set.data.count, batches = (count + options_.batch - 1) / options_.batch;
  made->batches.resize(static_cast<std::size_t>(batches));
  in_parallel(batches, options_.threads, [&](int b) {
    const int first = b * options_.batch;
    Activations values = stages_.begin(made->set, first, std::min(options_.batch, count - first));
    for (std::size_t block = 0; block < stages_.shapes().size(); ++block) {
      values = stages_.block(block, values);
      made->batches[static_cast<std::size_t>(b)].push_back(values);
    }
  });
  calibration_ = std::move(made);
  return *calibration_;
}

std::vector<ChannelRanking> Planner::energy_ranking() {
  const Calibration& data = calibration();
  const Plan plan = unranked_plan(stages_, direct(options_.ranking_bits));
  std::vector<ChannelRanking> rankings;
  for (std::size_t block = 0; block < stages_.shapes().size(); ++block) {
    std::vector<double> energies(static_cast<std::size_t>(stages_.shapes()[block].channels));
    for (const auto& batch : data.batches) {
      Activations values = batch[block];
      LayerResult unused;
      const Quantizer quantizer = {plan, block, {}};
      static_cast<void>(quantizer.run(values, unused));
      for (int image = 0; image < values.images; ++image)
        for (int channel = 0; channel < values.shape.channels; ++channel)
          for (std::size_t i = 0; i < values.plane(); ++i) {
            const double off = static_cast<double>(values.channel(image, channel)[i]) -
                               static_cast<double>(batch[block].channel(image, channel)[i]);
            energies[static_cast<std::size_t>(channel)] += off * off;
          }
    }
    rankings.push_back(ascending(energies));
  }
  return rankings;
}

std::vector<ChannelRanking> Planner::random_ranking() const {
  std::mt19937_64 random(options_.seed);
  std::vector<ChannelRanking> rankings;
  for (const BlockShape& shape : stages_.shapes()) {
    std::vector<double> scores;
    for (int channel = 0; channel < shape.channels; ++channel)
      scores.push_back(static_cast<double>(random() >> 11));
    rankings.push_back(ascending(scores));
  }
  return rankings;
}

// Algorithm 3: block by block, each channel in turn is left as it is while the others of its block are
// quantized; of the blocks before only the most important channel is left as it is.
std::vector<ChannelRanking> Planner::greedy_ranking(const WorkProgress& progress) const {
  const ImageSet set = ranking_images();
  const int count = set.data.count, batches = (count + options_.batch - 1) / options_.batch;
  const Plan plan = unranked_plan(stages_, direct(options_.ranking_bits));
  const auto& shapes = stages_.shapes();
  double all = 0, done = 0;
  for (std::size_t block = 0; block < shapes.size(); ++block)
    all += shapes[block].channels * static_cast<double>(shapes.size() - block);
  std::vector<Activations> prefix(static_cast<std::size_t>(batches)); // what the block takes
  in_parallel(batches, options_.threads, [&](int b) {
    const int first = b * options_.batch;
    prefix[static_cast<std::size_t>(b)] = stages_.begin(set, first, std::min(options_.batch, count - first));
  });
  std::vector<ChannelRanking> rankings;
  std::mutex mutex;
  for (std::size_t block = 0; block < shapes.size(); ++block) {
    std::vector<Activations> real(prefix.size()), quantized(prefix.size());
    in_parallel(batches, options_.threads, [&](int b) {
      const auto at = static_cast<std::size_t>(b);
      real[at] = stages_.block(block, prefix[at]);
      quantized[at] = real[at];
      LayerResult unused;
      const Quantizer quantizer = {plan, block, {}};
      static_cast<void>(quantizer.run(quantized[at], unused));
    });
    std::vector<double> right(static_cast<std::size_t>(shapes[block].channels));
    in_parallel(shapes[block].channels, options_.threads, [&](int channel) {
      int sum = 0;
      for (int b = 0; b < batches; ++b) {
        Activations values = quantized[static_cast<std::size_t>(b)];
        copy_channel(real[static_cast<std::size_t>(b)], channel, values);
        for (std::size_t later = block + 1; later < shapes.size(); ++later)
          values = stages_.block(later, values);
        sum += count_right(stages_.classify(values), set, b * options_.batch);
      }
      right[static_cast<std::size_t>(channel)] = sum;
      const std::lock_guard lock(mutex);
      done += static_cast<double>(shapes.size() - block);
      if (progress)
        progress(done, all);
    });
    rankings.push_back(ascending(right));
    const auto best =
        static_cast<int>(std::max_element(right.begin(), right.end()) - right.begin()); // the first of equals
    for (std::size_t b = 0; b < prefix.size(); ++b) {
      prefix[b] = std::move(quantized[b]);
      copy_channel(real[b], best, prefix[b]);
    }
  }
  return rankings;
}

const std::vector<ChannelRanking>& Planner::ranking(Ranking kind, const WorkProgress& progress) {
  const auto known = rankings_.find(kind);
  if (known != rankings_.end())
    return known->second;
  return rankings_[kind] = kind == Ranking::greedy   ? greedy_ranking(progress)
                           : kind == Ranking::energy ? energy_ranking()
                                                     : random_ranking();
}

void Planner::fit_scales(Plan& plan) {
  const Calibration& data = calibration();
  const Quantization& q = plan.quantization;
  for (std::size_t block = 0; block < plan.layers.size(); ++block) {
    LayerPlan& layer = plan.layers[block];
    const int channels = stages_.shapes()[block].channels;
    layer.maxima.assign(static_cast<std::size_t>(channels), 0.0);
    const auto each_plane = [&](int channel, const auto& see) {
      for (const auto& batch : data.batches)
        for (int image = 0; image < batch[block].images; ++image)
          see(batch[block].channel(image, channel), batch[block].plane());
    };
    for (int channel = 0; channel < channels; ++channel)
      each_plane(channel, [&](const float* plane, std::size_t count) {
        double& maximum = layer.maxima[static_cast<std::size_t>(channel)];
        maximum = std::max(maximum, largest_magnitude(plane, count));
      });
    if (q.per == Per::layer)
      std::fill(layer.maxima.begin(), layer.maxima.end(),
                *std::max_element(layer.maxima.begin(), layer.maxima.end()));
    if (q.fit == Fit::maximum)
      continue;
    if (q.per == Per::layer) {
      Distribution distribution(layer.maxima[0]);
      for (int channel = 0; channel < channels; ++channel)
        each_plane(channel, [&](const float* plane, std::size_t count) { distribution.add(plane, count); });
      const double fitted[] = {distribution.best_maximum(q.scale_bits(false), q.is_signed),
                               distribution.best_maximum(q.scale_bits(true), q.is_signed)};
      for (std::size_t channel = 0; channel < layer.maxima.size(); ++channel)
        layer.maxima[channel] = fitted[layer.important[channel] ? 1 : 0];
      continue;
    }
    in_parallel(channels, options_.threads, [&](int channel) {
      double& maximum = layer.maxima[static_cast<std::size_t>(channel)];
      Distribution distribution(maximum);
      each_plane(channel, [&](const float* plane, std::size_t count) { distribution.add(plane, count); });
      const bool important = layer.important[static_cast<std::size_t>(channel)] != 0;
      maximum = distribution.best_maximum(q.scale_bits(important), q.is_signed);
    });
  }
}

// Block by block, each behind those that are quantized already.
void Planner::search_noises(Plan& plan, const WorkProgress& progress) const {
  const ImageSet set = chosen(options_.noisy_images, 3);
  Activations values = stages_.begin(set, 0, set.data.count);
  for (std::size_t block = 0; block < plan.layers.size(); ++block) {
    values = stages_.block(block, values);
    const NoisyChoice found = search_noise(
        values, plan.quantization.bits, plan.quantization.steps,
        [&](const Activations& tried) { return response_of(stages_, block, tried); }, options_.threads);
    plan.layers[block].scale = found.scale;
    plan.layers[block].offset = found.offset;
    LayerResult unused;
    const Quantizer quantizer = {plan, block, {}};
    static_cast<void>(quantizer.run(values, unused));
    if (progress)
      progress(static_cast<double>(block + 1), static_cast<double>(plan.layers.size()));
  }
}

Plan Planner::plan(const Quantization& quantization, const WorkProgress& progress) {
  Plan plan = unranked_plan(stages_, quantization);
  if (quantization.family == Family::noisy_bias && !quantization.online)
    search_noises(plan, progress);
  if (quantization.family != Family::uniform)
    return plan;
  if (quantization.extra > 0 && quantization.ratio > 0) {
    // All channels need no ranking.
    const bool all = quantization.ratio >= 1;
    for (std::size_t block = 0; block < plan.layers.size(); ++block) {
      auto& important = plan.layers[block].important;
      if (all) {
        std::fill(important.begin(), important.end(), char{1});
        continue;
      }
      const ChannelRanking& order = ranking(quantization.ranking, progress)[block];
      const int count = important_count(quantization.ratio, static_cast<int>(order.size()));
      for (auto channel = order.end() - count; channel != order.end(); ++channel)
        important[static_cast<std::size_t>(*channel)] = 1;
    }
  }
  if (!quantization.dynamic)
    fit_scales(plan);
  return plan;
}

std::vector<StoragePlan> Planner::storages(const Plan& plan, const std::vector<Storage>& storages,
                                           const WorkProgress& progress) {
  std::vector<StoragePlan> result;
  for (const Storage& storage : storages)
    result.push_back({storage, {}});
  const auto needs_books = [](const Storage& s) { return s.coded != Coded::nothing && s.is_static(); };
  if (std::none_of(storages.begin(), storages.end(), needs_books))
    return result;
  EvaluationOptions options;
  options.batch = options_.batch;
  options.threads = options_.threads;
  options.progress = progress;
  const Evaluation seen = evaluate(stages_, calibration().set, plan, result, options);
  for (std::size_t s = 0; s < result.size(); ++s)
    if (needs_books(storages[s]))
      for (const LayerResult& layer : seen.layers)
        result[s].books.push_back(layer.meters.empty() ? std::vector<std::vector<int>>()
                                                       : layer.meters[s].static_books());
  return result;
}

} // namespace deltatwin
