#include "activations/study.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace deltatwin {

Study::Study(const Stages& stages, Planner& planner, const ImageSet& test, const EvaluationOptions& options)
    : stages_(stages), planner_(planner), test_(test), options_(options) {}

void Study::want(const std::vector<Method>& methods) {
  for (const Method& method : methods) {
    auto place = std::find_if(wanted_.begin(), wanted_.end(), [&](const Wanted& each) {
      return !each.done && each.quantization == method.quantization;
    });
    if (place == wanted_.end()) {
      wanted_.emplace_back().quantization = method.quantization;
      place = wanted_.end() - 1;
    }
    if (std::find(place->storages.begin(), place->storages.end(), method.storage) == place->storages.end())
      place->storages.push_back(method.storage);
  }
}

void Study::run(const StudyProgress& progress) {
  const auto all = static_cast<double>(wanted_.size());
  double before = 0;
  for (Wanted& each : wanted_) {
    if (!each.done)
      evaluate_one(each, progress, before, all);
    each.done = true;
    ++before;
  }
}

void Study::evaluate_one(Wanted& wanted, const StudyProgress& progress, double before, double all) {
  const std::string name = to_string(wanted.quantization);
  const auto part = [&](const std::string& what, double begin, double share) -> WorkProgress {
    if (!progress)
      return {};
    return [&progress, what, begin, share, before, all](double done, double of) {
      progress(what, before + begin + share * done / of, all);
    };
  };
  const Plan plan = planner_.plan(wanted.quantization, part("preparing " + name, 0, 0.1));
  const std::vector<StoragePlan> storages =
      planner_.storages(plan, wanted.storages, part("books of " + name, 0.1, 0.1));
  EvaluationOptions options = options_;
  options.progress = part(name, 0.2, 0.8);
  const Evaluation evaluation = evaluate(stages_, test_, plan, storages, options);
  for (std::size_t s = 0; s < storages.size(); ++s) {
    MethodResult result;
    result.method = {wanted.quantization, wanted.storages[s]};
    result.accuracy = evaluation.accuracy();
    result.correct = evaluation.correct;
    double values = 0, error = 0, signal = 0, header = 0;
    for (const LayerResult& layer : evaluation.layers) {
      values += static_cast<double>(layer.values);
      error += layer.error;
      signal += layer.signal;
      const bool any = layer.values > 0;
      result.layer_bits.push_back(any ? static_cast<double>(layer.bits[s]) / static_cast<double>(layer.values)
                                      : 0);
      if (!any)
        continue;
      header += static_cast<double>(layer.meters[s].header_bits());
      const std::vector<std::uint64_t> counts = layer.meters[s].error_counts();
      result.error_counts.resize(counts.size());
      for (std::size_t i = 0; i < counts.size(); ++i)
        result.error_counts[i] += counts[i];
    }
    result.bits_a_value = values > 0 ? evaluation.bits_a_value(s) : 32;
    result.header_bits_a_value = values > 0 ? header / values : 0;
    result.error_share = signal > 0 ? error / signal : 0;
    result.layers = evaluation.layers;
    for (LayerResult& layer : result.layers)
      layer.meters.clear();
    results_.push_back(std::move(result));
  }
}

const MethodResult& Study::result(const Method& method) const {
  const auto found = std::find_if(results_.begin(), results_.end(), [&](const MethodResult& each) {
    return each.method.quantization == method.quantization && each.method.storage == method.storage;
  });
  if (found == results_.end())
    throw std::logic_error("a method was not run: " + to_string(method));
  return *found;
}

double Study::accuracy_of_block(const Quantization& quantization, std::size_t block) {
  Plan plan = planner_.plan(quantization);
  for (std::size_t other = 0; other < plan.layers.size(); ++other)
    plan.layers[other].quantized = other == block;
  return evaluate(stages_, test_, plan, {}, options_).accuracy();
}

Difference difference(const MethodResult& a, const MethodResult& b) {
  double sum = 0, squares = 0;
  const auto images = static_cast<double>(a.correct.size());
  for (std::size_t i = 0; i < a.correct.size(); ++i) {
    const int each = a.correct[i] - b.correct[i];
    sum += each;
    squares += each * each;
  }
  const double mean = sum / images;
  return {mean, std::sqrt(std::max(squares / images - mean * mean, 0.0) / images)};
}

std::vector<bool> dominated(const std::vector<std::pair<double, double>>& all) {
  std::vector<bool> result;
  for (const auto& [bits, accuracy] : all)
    result.push_back(std::any_of(all.begin(), all.end(), [b = bits, a = accuracy](const auto& other) {
      return other.first <= b && other.second >= a && (other.first < b || other.second > a);
    }));
  return result;
}

} // namespace deltatwin
