#include "explore/evaluate.h"
#include "base/error.h"
#include "base/tool.h"
#include "tops/registry.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>

namespace deltatwin {

const char* to_string(Verdict verdict) {
  constexpr const char* names[] = {"feasible", "impossible", "does not fit", "below a minimum",
                                   "above a maximum"};
  return names[static_cast<std::size_t>(verdict)];
}

Evaluator::Evaluator(Space space, const std::string& dataset)
    : space_(std::move(space)),
      exploration_(space_.family->exploration(space_.values, space_.needed(), dataset)),
      schema_(exploration_->schema()) {
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
  for (const ResultSchema::Table& table : schema_.tables)
    for (const auto& row : table.rows)
      for (const boost::json::value& value : row)
        text << ' ' << value;
  constexpr std::uint64_t samples = 1000, spread = 0x9e3779b97f4a7c15; // over all axes
  for (std::uint64_t i = 0; i < samples; ++i) {
    const DesignPoint point = evaluate(i * spread % space_.size());
    text << ' ' << static_cast<int>(point.verdict) << ' ' << point.used.lut << ' ' << point.used.ff;
    for (const double figure : point.figures)
      text << ' ' << figure;
  }
  return hash_text(text.str());
}

Evaluator::Choices Evaluator::choices(const Coordinates& at) const {
  Choices all{};
  for (std::size_t axis = 0; axis < space_.values.size(); ++axis)
    all[axis] = space_.values[axis].numbers[at.axis[axis]];
  return all;
}

void Evaluator::judge(const Evaluation& evaluation, DesignPoint& point) const {
  point.verdict = Verdict::impossible;
  point.fit = Fit::no;
  point.used = {};
  point.figures = {};
  if (!evaluation.possible)
    return;
  point.used = evaluation.area;
  point.stored = evaluation.stored;
  const Device& device = devices_[point.at.device];
  const std::size_t own = space_.figures.size() - 3;
  std::copy_n(evaluation.figures.begin(), own, point.figures.begin());
  const double lut = share(point.used.lut, device.lut), bram = share(point.used.bram36(), device.bram36);
  point.figures[own] =
      std::max({lut, share(point.used.ff, device.ff), share(point.used.dsp, device.dsp), bram});
  point.figures[own + 1] = lut;
  point.figures[own + 2] = bram;
  if (space_.must_fit && !fits(point.used, device, space_.area_tolerance)) {
    point.verdict = Verdict::does_not_fit;
    return;
  }
  point.fit = fit_by_model(point.used, device);
  for (const Space::Bound& bound : space_.bounds) {
    const double value = point.figures[bound.figure];
    const bool larger = space_.figures[bound.figure].larger_is_better;
    if (!(larger ? value >= bound.value : value <= bound.value)) {
      point.verdict = larger ? Verdict::below_minimum : Verdict::above_maximum;
      return;
    }
  }
  point.verdict = Verdict::feasible;
}

void Evaluator::evaluate(std::uint64_t first, std::uint64_t count,
                         const std::function<void(const DesignPoint&)>& visit) const {
  constexpr std::size_t batch = 64; // in the first-level cache
  const std::size_t axes = space_.values.size();
  std::array<double, batch * Coordinates::most_axes> all;
  std::array<Evaluation, batch> results;
  DesignPoint point;
  for (std::uint64_t begin = first; begin < first + count; begin += batch) {
    const auto points = static_cast<std::size_t>(std::min<std::uint64_t>(batch, first + count - begin));
    std::array<Coordinates, batch> at;
    for (std::size_t i = 0; i < points; ++i) {
      at[i] = coordinates(space_, begin + i);
      const Choices chosen = choices(at[i]);
      std::copy_n(chosen.begin(), axes, all.begin() + static_cast<std::ptrdiff_t>(i * axes));
    }
    exploration_->evaluate(all.data(), points, results.data());
    for (std::size_t i = 0; i < points; ++i) {
      point.id = begin + i;
      point.at = at[i];
      judge(results[i], point);
      visit(point);
    }
  }
}

DesignPoint Evaluator::evaluate(std::uint64_t id) const {
  DesignPoint result;
  evaluate(id, 1, [&](const DesignPoint& point) { result = point; });
  return result;
}

std::string Evaluator::why_impossible(const DesignPoint& point) const {
  return exploration_->complaint(choices(point.at).data());
}

Cycle Evaluator::run_cycles(const DesignPoint& point, int items) const {
  return exploration_->run_cycles(choices(point.at).data(), items);
}

std::vector<std::string> Evaluator::hardware(const DesignPoint& point) const {
  Choices chosen = choices(point.at);
  const std::size_t clock = space_.values.size() - 1;
  chosen[clock] = space_.values[clock].numbers.front();
  return exploration_->arguments(chosen.data());
}

std::vector<std::string> Evaluator::arguments(const DesignPoint& point) const {
  std::vector<std::string> all;
  if (space_.family != families().front())
    all = {"--top", space_.family->name()};
  for (std::string& word : exploration_->arguments(choices(point.at).data()))
    all.push_back(std::move(word));
  all.insert(all.end(), {"--device", space_.devices[point.at.device]});
  return all;
}

std::vector<std::string> Evaluator::work_arguments(const DesignPoint& point, int count) const {
  return exploration_->work_arguments(choices(point.at).data(), count);
}

std::vector<DesignPoint> pareto_front(const Space& space, const std::vector<DesignPoint>& points) {
  struct Candidate {
    std::array<double, DesignPoint::most_figures> gains{};
    const DesignPoint* point = nullptr;
  };
  std::vector<Candidate> candidates;
  for (const DesignPoint& point : points) {
    if (std::any_of(space.objectives.begin(), space.objectives.end(),
                    [&](Objective objective) { return std::isnan(point.figure(objective)); }))
      continue;
    Candidate& candidate = candidates.emplace_back();
    candidate.point = &point;
    std::size_t at = 0;
    for (const Objective objective : space.objectives)
      candidate.gains[at++] = (space.figures[objective].larger_is_better ? 1 : -1) * point.figure(objective);
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
