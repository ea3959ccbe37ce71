#pragma once
#include "tops/edqa/config.h"
#include "tops/top.h"

namespace deltatwin {

/// A design point of the eDQA accelerator: a stream of values, as many per beat as there are lanes, and
/// the stream of what is left of them.
class EdqaTop : public Top {
public:
  /// Throws InputError when the design is impossible.
  explicit EdqaTop(const EdqaConfig& config);

  [[nodiscard]] const EdqaConfig& config() const { return config_; }
  [[nodiscard]] std::string module() const override { return "edqa"; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override;
  [[nodiscard]] double clock_mhz() const override { return config_.clock_mhz; }
  [[nodiscard]] std::vector<Bus> buses() const override;
  [[nodiscard]] std::vector<Register> registers() const override;
  [[nodiscard]] std::vector<Interface> interfaces() const override;
  [[nodiscard]] std::vector<Part> parts() const override;
  [[nodiscard]] std::unique_ptr<TopModel> model() const override;

private:
  EdqaConfig config_;
};

} // namespace deltatwin
