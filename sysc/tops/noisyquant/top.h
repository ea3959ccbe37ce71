#pragma once
#include "tops/noisyquant/config.h"
#include "tops/top.h"

namespace deltatwin {

/// A design point of NoisyQuant: streams of values, 2 bytes each, to codes with what they stand for, 4.
class NoisyQuantTop : public Top {
public:
  /// Throws InputError when the design is impossible.
  explicit NoisyQuantTop(const NoisyQuantConfig& config);

  [[nodiscard]] const NoisyQuantConfig& config() const { return config_; }
  [[nodiscard]] std::string module() const override { return "noisyquant"; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override;
  [[nodiscard]] double clock_mhz() const override { return config_.clock_mhz; }
  [[nodiscard]] std::vector<Bus> buses() const override;
  [[nodiscard]] std::vector<Register> registers() const override;
  [[nodiscard]] std::vector<Interface> interfaces() const override;
  [[nodiscard]] std::vector<Part> parts() const override;
  [[nodiscard]] std::unique_ptr<TopModel> model() const override;

private:
  NoisyQuantConfig config_;
};

} // namespace deltatwin
