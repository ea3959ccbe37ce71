#pragma once
#include "tops/codec/config.h"
#include "tops/top.h"

namespace deltatwin {

/// A design point of the codec: streams of symbols, a byte each.
class CodecTop : public Top {
public:
  /// Throws InputError when the codec is impossible.
  explicit CodecTop(const CodecConfig& config);

  [[nodiscard]] const CodecConfig& config() const { return config_; }
  [[nodiscard]] std::string module() const override { return "codec"; }
  [[nodiscard]] std::vector<std::pair<std::string, int>> parameters() const override;
  [[nodiscard]] double clock_mhz() const override { return config_.clock_mhz; }
  [[nodiscard]] std::vector<Bus> buses() const override;
  [[nodiscard]] std::vector<Register> registers() const override;
  [[nodiscard]] std::vector<Interface> interfaces() const override;
  [[nodiscard]] std::vector<Part> parts() const override;
  [[nodiscard]] std::unique_ptr<TopModel> model() const override;

private:
  CodecConfig config_;
};

} // namespace deltatwin
