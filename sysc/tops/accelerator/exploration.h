#pragma once
#include "tops/accelerator/design.h"
#include "tops/accelerator/program.h"
#include "tops/family.h"

namespace deltatwin {

/// Positions in the accelerator's axes.
namespace accelerator_axis {
enum : std::size_t { network, code, multiplier, lanes, lanes_per_bank, bank_depth, clock, count };
}

/// Designs for networks, each under some codes.
class AcceleratorExploration : public Exploration {
public:
  /// Loads the networks, and runs them over the test images of `dataset`; without these, accuracies are
  /// unknown unless `accuracy_known` is asked for. Throws InputError.
  AcceleratorExploration(const std::vector<AxisValues>& values, bool accuracy_known,
                         const std::string& dataset);

  void evaluate(const double* choices, std::size_t count, Evaluation* results) const override;
  [[nodiscard]] std::string complaint(const double* choices) const override;
  [[nodiscard]] Cycle run_cycles(const double* choices, int items) const override;
  [[nodiscard]] ResultSchema schema() const override;
  [[nodiscard]] std::vector<std::string> arguments(const double* choices) const override;
  [[nodiscard]] std::vector<std::string> work_arguments(const double* choices, int count) const override;

  /// The design of a choice, possible or not.
  [[nodiscard]] Design design(const double* choices) const;

private:
  /// A network under one of the space's codes.
  struct Variant {
    std::string network; ///< its name
    std::string code;    ///< of all layers, or "mixed"
    double accuracy;     ///< of the integer network on the test images; NaN where it is not known
    std::uint64_t macs, weights, stored_bits;
    Demand demand;
    std::vector<LayerDescriptor> layers;
  };
  [[nodiscard]] std::size_t variant(const double* choices) const;

  std::string dataset_;
  std::vector<std::string> files_; ///< of the networks
  std::vector<double> codes_;
  std::vector<Variant> variants_; ///< [network][code]
};

} // namespace deltatwin
