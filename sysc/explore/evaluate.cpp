#include "explore/evaluate.h"
#include "base/error.h"
#include "base/tool.h"
#include "net/dataset.h"
#include "net/inference.h"
#include "net/networks_directory.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <sstream>

namespace deltatwin {
namespace {

// "mixed": some layers are coded, others are not.
const char* code_of(const Network& network) {
  const auto coded = std::count_if(network.layers.begin(), network.layers.end(),
                                   [](const Layer& layer) { return layer.code == Code::huffman; });
  return coded == 0 ? "raw" : static_cast<std::size_t>(coded) == network.layers.size() ? "huffman" : "mixed";
}

double test_accuracy(const Network& network, const Dataset& images) {
  if (images.pixels != network.layers.front().inputs)
    throw InputError("network " + network.name + " has " + std::to_string(network.layers.front().inputs) +
                     " inputs, the test images have " + std::to_string(images.pixels) + " pixels");
  return accuracy(network, images.inputs(images.count), images.labels);
}

} // namespace

const char* to_string(Verdict verdict) {
  constexpr const char* names[] = {"feasible", "impossible", "does not fit", "below minimum accuracy",
                                   "above maximum latency"};
  return names[static_cast<std::size_t>(verdict)];
}

Evaluator::Evaluator(Space space, const std::string& dataset) : space_(std::move(space)), dataset_(dataset) {
  Dataset images;
  try {
    images = load_dataset(dataset, "t10k", 0);
  } catch (const InputError&) {
    if (space_.needs_accuracy())
      throw;
  }
  std::set<std::string> networks;
  for (const std::string& name : space_.networks) {
    const Network network = load_network(find_network(name));
    if (!networks.insert(network.name).second)
      throw InputError("two of the space's networks have the name " + network.name);
    double accuracy = std::numeric_limits<double>::quiet_NaN();
    try {
      accuracy = test_accuracy(network, images);
    } catch (const InputError&) { // of another size, or with labels that it has no output for
      if (space_.needs_accuracy())
        throw;
    }
    for (const std::optional<Code>& code : space_.codes) {
      Network coded = network;
      for (Layer& layer : coded.layers)
        layer.code = code.value_or(layer.code);
      variants_.push_back({coded.name, code_of(coded), accuracy, coded.macs(), coded.weight_count(),
                           coded.stored_bits(), Demand(coded), describe(coded)});
    }
  }
  for (const std::string& name : space_.devices)
    devices_.push_back(name.find('/') != std::string::npos ? load_device(name) : find_device(name));
  std::set<std::string> names;
  for (const Device& device : devices_)
    if (!names.insert(device.name).second)
      throw InputError("two of the space's devices have the name " + device.name);
}

std::string Evaluator::fingerprint() const {
  std::ostringstream text;
  text.precision(17);
  text << space_.text;
  for (const Device& device : devices_)
    text << ' ' << device.name << ' ' << device.lut << ' ' << device.ff << ' ' << device.dsp << ' '
         << device.bram36;
  for (const Variant& variant : variants_)
    text << ' ' << variant.network << ' ' << variant.code << ' ' << variant.accuracy << ' '
         << variant.stored_bits;
  constexpr std::uint64_t samples = 1000, spread = 0x9e3779b97f4a7c15; // over all axes
  for (std::uint64_t i = 0; i < samples; ++i) {
    const DesignPoint point = evaluate(i * spread % space_.size());
    text << ' ' << static_cast<int>(point.verdict) << ' ' << point.used.lut << ' ' << point.used.ff;
    for (const double figure : point.figures)
      text << ' ' << figure;
  }
  return hash_text(text.str());
}

DesignPoint Evaluator::evaluate(std::uint64_t id) const {
  DesignPoint point;
  point.id = id;
  point.at = coordinates(space_, id);
  point.variant = point.at.network * space_.codes.size() + point.at.code;
  const Variant& variant = variants_[point.variant];
  const Device& device = devices_[point.at.device];
  DesignChoice choice;
  choice.lanes = space_.lanes[point.at.lanes];
  choice.lanes_per_bank = space_.lanes_per_bank[point.at.lanes_per_bank];
  choice.bank_depth = space_.bank_depths[point.at.bank_depth];
  choice.multiplier = space_.multipliers[point.at.multiplier];
  choice.clock_mhz = space_.clocks_mhz[point.at.clock];
  point.design = smallest_design(variant.demand, choice);
  if (!complaint(point.design).empty()) // no exceptions: unwinding holds up the other threads
    return point;
  if (choice.bank_depth &&
      variant.demand.bank_words(point.design.lanes, point.design.lanes_per_bank) > choice.bank_depth)
    return point;
  point.used = resources(point.design);
  point.fit = fit_by_model(point.used, device);
  point.timing = run_timing(point.design, variant.layers);
  const double lut_share = share(point.used.lut, device.lut);
  const double bram_share = share(point.used.bram36(), device.bram36);
  const double latency_us = static_cast<double>(point.timing.latency()) / choice.clock_mhz;
  point.figures = {
      variant.accuracy,
      latency_us,
      static_cast<double>(variant.macs) * choice.clock_mhz * 1e6 / point.timing.interval(),
      std::max({lut_share, share(point.used.ff, device.ff), share(point.used.dsp, device.dsp), bram_share}),
      lut_share,
      bram_share,
      static_cast<double>(variant.stored_bits) / static_cast<double>(variant.weights)};
  point.verdict = space_.must_fit && !fits(point.used, device, space_.area_tolerance) ? Verdict::does_not_fit
                  : space_.minimum_accuracy && !(variant.accuracy >= *space_.minimum_accuracy)
                      ? Verdict::inaccurate
                  : space_.maximum_latency_us && latency_us > *space_.maximum_latency_us ? Verdict::slow
                                                                                         : Verdict::feasible;
  return point;
}

std::string why_impossible(const Evaluator& evaluator, const DesignPoint& point) {
  const std::string what = complaint(point.design);
  const Demand& demand = evaluator.variants()[point.variant].demand;
  return !what.empty()
             ? what
             : "the network needs " +
                   std::to_string(demand.bank_words(point.design.lanes, point.design.lanes_per_bank)) +
                   " words of each weight bank, the design has " + std::to_string(point.design.bank_depth);
}

std::vector<std::string> Evaluator::arguments(const DesignPoint& point) const {
  char clock[64];
  *std::to_chars(clock, clock + sizeof clock - 1, point.design.clock_mhz, std::chars_format::fixed).ptr =
      '\0';
  std::vector<std::string> all = {"--network",        space_.networks[point.at.network],
                                  "--device",         space_.devices[point.at.device],
                                  "--lanes",          std::to_string(point.design.lanes),
                                  "--lanes-per-bank", std::to_string(point.design.lanes_per_bank),
                                  "--bank-depth",     std::to_string(point.design.bank_depth),
                                  "--multiplier",     to_string(point.design.multiplier),
                                  "--clock",          clock};
  if (const auto& code = space_.codes[point.at.code])
    all.insert(all.end(), {"--code", to_string(*code)});
  return all;
}

bool Evaluator::has_images(const DesignPoint& point) const {
  return !std::isnan(variants_[point.variant].accuracy);
}

std::vector<std::string> Evaluator::image_arguments(const DesignPoint& point, int count) const {
  constexpr int made_up = 100;
  if (!has_images(point))
    return {"--images", "random:" + std::to_string(count ? count : made_up)};
  std::vector<std::string> all;
  if (count)
    all = {"--images", std::to_string(count)};
  if (dataset_ != default_dataset)
    all.insert(all.end(), {"--dataset", std::filesystem::absolute(dataset_).lexically_normal().string()});
  return all;
}

std::vector<DesignPoint> pareto_front(const std::vector<Objective>& goals,
                                      const std::vector<DesignPoint>& points) {
  struct Candidate {
    std::array<double, objective_count> gains{};
    const DesignPoint* point = nullptr;
  };
  std::vector<Candidate> candidates;
  for (const DesignPoint& point : points) {
    Candidate& candidate = candidates.emplace_back();
    candidate.point = &point;
    std::size_t at = 0;
    for (const Objective objective : goals)
      candidate.gains[at++] = (smaller_is_better(objective) ? -1 : 1) * point.figure(objective);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.gains != b.gains ? a.gains > b.gains : a.point->id < b.point->id;
  });
  // Only what stands before a candidate can dominate it, or equal it.
  std::map<std::size_t, std::vector<Candidate>> fronts; // by device
  std::vector<DesignPoint> result;
  for (const Candidate& candidate : candidates) {
    std::vector<Candidate>& front = fronts[candidate.point->at.device];
    if (std::any_of(front.rbegin(), front.rend(), [&](const Candidate& other) {
          return std::equal(other.gains.begin(), other.gains.end(), candidate.gains.begin(),
                            std::greater_equal<>());
        }))
      continue;
    front.push_back(candidate);
    result.push_back(*candidate.point);
  }
  return result;
}

} // namespace deltatwin
