#include "import/onnx_view.h"
#include <algorithm>
#include <numeric>

namespace deltatwin {
namespace {

using Runs = std::vector<View::Run>;

int product(const Runs& runs) {
  return std::accumulate(runs.begin(), runs.end(), 1,
                         [](int count, const View::Run& run) { return count * run.size; });
}

// Runs that follow on each other are one.
Runs merged(const Runs& runs) {
  Runs result;
  for (const View::Run& run : runs)
    if (run.size == 1)
      continue;
    else if (!result.empty() && result.back().stride == run.stride * run.size)
      result.back() = {result.back().size * run.size, run.stride};
    else
      result.push_back(run);
  return result;
}

std::vector<int> all(int rank) {
  std::vector<int> dimensions(static_cast<std::size_t>(rank));
  std::iota(dimensions.begin(), dimensions.end(), 0);
  return dimensions;
}

} // namespace

View::View(const std::vector<int>& dims) : runs_(dims.size()) {
  int stride = 1;
  for (std::size_t d = dims.size(); d-- > 0;) {
    if (dims[d] != 1)
      runs_[d] = {{dims[d], stride}};
    stride *= dims[d];
  }
}

View View::of_map(const std::vector<int>& dims) {
  std::vector<int> order = {0}, back = {0, static_cast<int>(dims.size()) - 1};
  std::vector<int> lying = {dims[0]};
  for (std::size_t d = 2; d < dims.size(); ++d) {
    lying.push_back(dims[d]);
    back.push_back(static_cast<int>(d) - 1);
  }
  lying.push_back(dims[1]);
  return View(lying).transposed(back);
}

std::vector<int> View::dims() const {
  std::vector<int> result;
  for (const Runs& runs : runs_)
    result.push_back(product(runs));
  return result;
}

int View::size(int dimension) const { return product(runs_[static_cast<std::size_t>(dimension)]); }

int View::elements() const {
  int count = 1;
  for (const Runs& runs : runs_)
    count *= product(runs);
  return count;
}

View View::transposed(const std::vector<int>& order) const {
  View result;
  for (const int dimension : order)
    result.runs_.push_back(runs_[static_cast<std::size_t>(dimension)]);
  return result;
}

std::vector<View::Run> View::listed(const std::vector<int>& dimensions) const {
  Runs list;
  for (const int dimension : dimensions)
    for (const Run& run : runs_[static_cast<std::size_t>(dimension)])
      list.push_back(run);
  return list;
}

std::optional<View> View::reshaped(const std::vector<int>& dims) const {
  Runs left = merged(listed(all(rank())));
  std::reverse(left.begin(), left.end()); // the outermost is at the back
  View result;
  for (const int dim : dims) {
    Runs runs;
    int missing = dim;
    while (missing > 1) {
      if (left.empty())
        return std::nullopt;
      Run& outer = left.back();
      if (missing % outer.size == 0) {
        missing /= outer.size;
        runs.push_back(outer);
        left.pop_back();
      } else if (outer.size % missing == 0) {
        runs.push_back({missing, outer.stride * (outer.size / missing)});
        outer.size /= missing;
        missing = 1;
      } else {
        return std::nullopt;
      }
    }
    result.runs_.push_back(merged(runs));
  }
  return left.empty() ? std::optional(result) : std::nullopt;
}

bool View::is_in_order(const std::vector<int>& dimensions) const {
  const Runs runs = merged(listed(dimensions));
  return runs.empty() || (runs.size() == 1 && runs[0].stride == 1);
}

std::vector<int> View::places(const std::vector<int>& dimensions) const {
  std::vector<int> result = {0};
  for (const Run& run : listed(dimensions)) {
    std::vector<int> finer;
    finer.reserve(result.size() * static_cast<std::size_t>(run.size));
    for (const int place : result)
      for (int i = 0; i < run.size; ++i)
        finer.push_back(place + i * run.stride);
    result = std::move(finer);
  }
  return result;
}

std::vector<int> View::places() const { return places(all(rank())); }

View View::relaid(const View& source, const std::vector<int>& dimensions) const {
  Runs wanted = listed(dimensions);
  std::vector<std::pair<Run, int>> moved; // a run, and where it goes
  int stride = 1;
  for (std::size_t i = wanted.size(); i-- > 0;) {
    moved.emplace_back(wanted[i], stride);
    stride *= wanted[i].size;
  }
  std::sort(moved.begin(), moved.end(),
            [](const auto& a, const auto& b) { return a.first.stride > b.first.stride; });
  View lying;
  for (const auto& [run, to] : moved)
    lying.runs_.push_back({{run.size, to}});
  // In the order of the source these runs are its elements one behind another; its dimensions are groups of
  // them.
  return lying.reshaped(source.dims()).value_or(source);
}

bool operator==(const View& a, const View& b) {
  if (a.rank() != b.rank())
    return false;
  for (int d = 0; d < a.rank(); ++d) {
    const Runs left = merged(a.listed({d})), right = merged(b.listed({d}));
    if (!std::equal(
            left.begin(), left.end(), right.begin(), right.end(),
            [](const View::Run& x, const View::Run& y) { return x.size == y.size && x.stride == y.stride; }))
      return false;
  }
  return true;
}

} // namespace deltatwin
