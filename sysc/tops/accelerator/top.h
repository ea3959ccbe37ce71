#pragma once
#include "tops/accelerator/design.h"
#include "tops/top.h"

namespace deltatwin {

/// A design point of the accelerator: streams of int8 inputs and int16 results.
class AcceleratorTop : public Top {
public:
  /// Throws InputError when the design is impossible.
  explicit AcceleratorTop(const Design& design);

  [[nodiscard]] const Design& design() const { return design_; }
  [[nodiscard]] std::string module() const override { return "accelerator"; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override;
  [[nodiscard]] double clock_mhz() const override { return design_.clock_mhz; }
  [[nodiscard]] std::vector<Bus> buses() const override;
  [[nodiscard]] std::vector<Register> registers() const override;
  [[nodiscard]] std::vector<Interface> interfaces() const override;
  [[nodiscard]] std::vector<Part> parts() const override;
  [[nodiscard]] std::unique_ptr<TopModel> model() const override;

private:
  Design design_;
};

} // namespace deltatwin
