#pragma once
#include "tops/array/lowering.h"
#include "tops/array/program.h"
#include "tops/family.h"
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace deltatwin {

/// The axes of the array, in their order.
namespace array_axis {
enum : std::size_t {
  network,
  order,
  multiplier,
  outputs,
  channels,
  banks,
  results,
  pixels,
  sum_bits,
  map_depth,
  input_depth,
  input_bits,
  weight_depth,
  param_depth,
  skip_depth,
  output_depth,
  stage_results,
  stage_multiplier,
  lut_ram,
  planes,
  widths,
  references,
  scaling,
  sweep,
  decoders,
  symbol_weights,
  books,
  skip_zeros,
  zero_depth,
  scale_bits,
  additions,
  dsp_outputs,
  threshold_bits,
  wide_sums,
  clock,
  count
};
} // namespace array_axis

[[nodiscard]] const std::vector<std::string>& array_orders();
[[nodiscard]] const std::vector<std::string>& array_multipliers();
[[nodiscard]] const std::vector<std::string>& stage_multipliers();
[[nodiscard]] const std::vector<std::string>& array_scalings();
[[nodiscard]] const std::vector<std::string>& array_additions();
/// Of buffers in LUT-RAM; of widths of activations.
[[nodiscard]] const Axis& lut_ram_axis();
[[nodiscard]] const Axis& widths_axis();

/// Of these choices; what is to fit is 0.
[[nodiscard]] ArrayConfig array_config(const double* choices);
[[nodiscard]] ArrayOrder array_order(const double* choices);

/// Designs of the array, each with the program of its network.
class ArrayExploration : public Exploration {
public:
  explicit ArrayExploration(const std::vector<AxisValues>& values);

  void evaluate(const double* choices, std::size_t count, Evaluation* results) const override;
  [[nodiscard]] std::string complaint(const double* choices) const override;
  [[nodiscard]] Cycle run_cycles(const double* choices, int items) const override;
  [[nodiscard]] ResultSchema schema() const override;
  [[nodiscard]] std::vector<std::string> arguments(const double* choices) const override;
  [[nodiscard]] std::vector<std::string> work_arguments(const double* choices, int count) const override;

private:
  struct Design {
    std::string complaint; ///< empty: it is possible
    ArrayConfig config;
    Cycle latency = 0;
    double period = 0;
  };
  [[nodiscard]] const Graph& graph(const double* choices) const {
    return graphs_[static_cast<std::size_t>(choices[array_axis::network])];
  }
  [[nodiscard]] Design design(const double* choices) const;
  [[nodiscard]] Design timed(const double* choices, const std::vector<double>& key) const;
  /// A network for designs that lower() sees alike; throws InputError.
  [[nodiscard]] std::shared_ptr<const ArrayGraph> lowered(std::size_t network,
                                                          const ArrayConfig& config) const;

  std::vector<std::string> files_;
  std::vector<double> lut_rams_, widths_;
  std::vector<Graph> graphs_;
  mutable std::mutex mutex_;                              ///< of:
  mutable std::map<std::vector<double>, Design> designs_; ///< by what their cycles depend on
  mutable std::map<std::pair<std::size_t, std::vector<int>>, std::shared_ptr<const ArrayGraph>> lowered_;
};

} // namespace deltatwin
