#pragma once
#include "tops/array/config.h"
#include "tops/top.h"

namespace deltatwin {

/// A design point of the array: images in, results out, a byte each.
class ArrayTop : public Top {
public:
  /// Throws InputError when the design is impossible.
  explicit ArrayTop(const ArrayConfig& config);

  [[nodiscard]] const ArrayConfig& config() const { return config_; }
  [[nodiscard]] std::string module() const override { return "array"; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override;
  [[nodiscard]] double clock_mhz() const override { return config_.clock_mhz; }
  [[nodiscard]] std::vector<Bus> buses() const override;
  [[nodiscard]] std::vector<Register> registers() const override;
  [[nodiscard]] std::vector<Interface> interfaces() const override;
  [[nodiscard]] std::vector<Part> parts() const override;
  [[nodiscard]] std::unique_ptr<TopModel> model() const override;

private:
  ArrayConfig config_;
};

} // namespace deltatwin
